// SPDX-License-Identifier: Apache-2.0
#include "sim/design.h"

#include <string.h>

#include "gen/qmodel/memory.h"

static bool same_model(const struct hw_config *a, const struct hw_config *b)
{
    return a->dim == b->dim && a->hidden_dim == b->hidden_dim && a->n_layers == b->n_layers &&
           a->n_heads == b->n_heads && a->n_kv_heads == b->n_kv_heads &&
           a->head_dim == b->head_dim && a->vocab_size == b->vocab_size && a->tied == b->tied &&
           a->seq_len <= b->seq_len;
}

bool hw_design_open(struct hw_design *d, const char *dir, struct hw_qmodel *q, struct hw_error *err)
{
    memset(d, 0, sizeof *d);
    if (!hw_manifest_read(&d->manifest, dir, err))
        return false;
    const struct hw_geometry *made = &d->manifest.geometry;
    // fitted again: a design on a larger model's fabric has more of everything
    d->geometry = (struct hw_geometry){.rows = made->rows,
                                       .cols = made->cols,
                                       .vec = made->vec,
                                       .att_pos = made->att_pos,
                                       .latency = made->latency};
    if (!same_model(&d->manifest.model, &q->config))
        hw_fail(err, "%s/manifest.json: made from a model of other dimensions", dir);
    else if (hw_qmodel_set_context(q, d->manifest.model.seq_len, made->rope_lo_bits, err) &&
             hw_geometry_fit(&d->geometry, q, err))
        hw_plan_make(&d->plan, q, &d->geometry, d->manifest.slice, err);
    if (err->set)
        hw_manifest_free(&d->manifest);
    return !err->set;
}

void hw_design_close(struct hw_design *d)
{
    hw_plan_free(&d->plan);
    hw_manifest_free(&d->manifest);
}
