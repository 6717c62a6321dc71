// SPDX-License-Identifier: Apache-2.0
// Owns the way from the file that a verb is given to a plan: read, fit a geometry, lay out.
#include "gen/cmd/pipeline.h"

#include "gen/chip/manifest.h"
#include "gen/qmodel/file.h"
#include "gen/qmodel/synthetic.h"
#include "gen/read/model.h"

static bool load(const struct hw_request *r, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_widths widths = {r->code_bits, 10, 10, 20};
    struct hw_config c;
    if (!r->made_up)
        return hw_qmodel_map(q, r->input, err);
    if (r->shape && !hw_parse_shape(r->shape, &c, err))
        return false;
    if (!r->shape) {
        struct hw_model *model = hw_model_open(r->input, err);
        if (!model)
            return false;
        c = *hw_model_config(model);
        hw_model_close(model);
    }
    return hw_qmodel_synthetic(&c, &widths, r->bits, r->wide_bits, q, err);
}

bool hw_prepare(struct hw_request *r, struct hw_qmodel *q, struct hw_plan *plan,
                struct hw_error *err)
{
    struct hw_manifest made = {0}; // whose fabric is taken
    const struct hw_geometry *fabric = &made.geometry;
    if ((r->fabric && !hw_manifest_read(&made, r->fabric, err)) || !load(r, q, err)) {
        hw_manifest_free(&made);
        return false;
    }
    if (r->fabric)
        r->geometry = *fabric;
    bool ok = hw_qmodel_set_context(q, r->ctx ? r->ctx : q->config.seq_len,
                                    r->fabric ? fabric->rope_lo_bits : 0, err) &&
              hw_geometry_fit(&r->geometry, q, err) &&
              (!r->fabric || hw_fabric_take(&r->geometry, fabric, err)) &&
              hw_plan_make(plan, q, &r->geometry, r->slice, err);
    hw_manifest_free(&made);
    if (ok)
        return true;
    hw_qmodel_free(q);
    return false;
}
