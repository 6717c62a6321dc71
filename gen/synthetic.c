// SPDX-License-Identifier: Apache-2.0
// Owns models without a checkpoint.
#include "gen/synthetic.h"

#include <stdio.h>
#include <string.h>

#include "gen/qfile.h"
#include "refmodel/tables.h"

bool hw_parse_shape(const char *text, struct hw_config *c, struct hw_error *err)
{
    char end;
    *c = (struct hw_config){.tied = true, .rope_base = 10000.0, .norm_eps = 1e-5};
    if (sscanf(text, "%d,%d,%d,%d,%d,%d,%d%c", &c->dim, &c->hidden_dim, &c->n_layers, &c->n_heads,
               &c->n_kv_heads, &c->vocab_size, &c->seq_len, &end) != 7)
        return hw_fail(err, "shape: expected dim,hidden,layers,heads,kv_heads,vocab,ctx, got '%s'",
                       text);
    const int value[] = {c->dim,        c->hidden_dim, c->n_layers, c->n_heads,
                         c->n_kv_heads, c->vocab_size, c->seq_len};
    for (int i = 0; i < 7; i++) {
        if (value[i] < 1 || value[i] > 1 << 18)
            return hw_fail(err, "shape: number %d: expected 1..%d, got %d", i + 1, 1 << 18,
                           value[i]);
    }
    if (c->dim % c->n_heads || c->n_heads % c->n_kv_heads || c->dim / c->n_heads % 2)
        return hw_fail(err, "shape: expected heads that divide dim, kv_heads that divide heads and "
                            "an even head_dim, got '%s'", text);
    c->head_dim = c->dim / c->n_heads;
    return true;
}

static void fill(struct hw_qmatrix *m, int code_bits, uint64_t *seed)
{
    size_t n = (size_t)m->n_planes * (size_t)m->n_out * (size_t)m->n_in;
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        m->codes[i] = (uint8_t)(*seed >> (64 - code_bits));
    }
    for (int p = 0; p < m->n_planes; p++) {
        int weight = p + 1 < m->n_planes ? 1 << (code_bits * (m->n_planes - 1 - p)) : 1;
        for (int k = 0; k < 1 << code_bits; k++)
            m->levels[p][k] = (int16_t)((k - (p ? 0 : 1 << (code_bits - 1))) * weight);
    }
    for (int r = 0; r < m->n_out; r++)
        m->scale[r] = 0x380;
    m->shift = 30;
}

bool hw_qmodel_synthetic(const struct hw_config *c, const struct hw_widths *widths, int bits,
                         struct hw_qmodel *q, struct hw_error *err)
{
    int planes = (bits + widths->code_bits - 1) / widths->code_bits;
    int q_dim = c->n_heads * c->head_dim, kv_dim = c->n_kv_heads * c->head_dim;
    uint64_t seed = 1;
    memset(q, 0, sizeof *q);
    q->config = *c;
    q->widths = *widths;
    q->logit_scale = 1.0;
    q->embed_shift = 30;
    if (!hw_qmodel_alloc(q, err))
        return false;
    q->final_norm.shift = 17;
    q->final_norm.eps_ss = 1;
    if (hw_rope_tables(c, &q->rope) != 0)
        hw_fail(err, "shape: a rotation angle lies on a rounding tie");
    if (!err->set && hw_qmatrix_alloc(&q->embed, c->vocab_size, c->dim, planes, err))
        fill(&q->embed, widths->code_bits, &seed);
    for (int l = 0; l < c->n_layers && !err->set; l++) {
        struct hw_qlayer *y = &q->layers[l];
        struct {
            struct hw_qmatrix *m;
            int n_out, n_in;
        } part[] = {{&y->wk, kv_dim, c->dim},   {&y->wq, q_dim, c->dim},
                    {&y->wv, kv_dim, c->dim},   {&y->wo, c->dim, q_dim},
                    {&y->gate_up, 2 * c->hidden_dim, c->dim}, {&y->down, c->dim, c->hidden_dim}};
        y->attn_norm.shift = y->ffn_norm.shift = 17;
        y->attn_norm.eps_ss = y->ffn_norm.eps_ss = 1;
        for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
            if (hw_qmatrix_alloc(part[i].m, part[i].n_out, part[i].n_in, planes, err))
                fill(part[i].m, widths->code_bits, &seed);
        }
    }
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}
