// SPDX-License-Identifier: Apache-2.0
// Owns models without a checkpoint.
#include "gen/qmodel/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/mix.h"
#include "gen/qmodel/memory.h"
#include "refmodel/limits.h"
#include "refmodel/tables.h"

bool hw_parse_shape(const char *text, struct hw_config *c, struct hw_error *err)
{
    int used = 0;
    *c = (struct hw_config){.tied = true, .rope_base = 10000.0, .norm_eps = 1e-5};
    if (sscanf(text, "%d,%d,%d,%d,%d,%d,%d%n", &c->dim, &c->hidden_dim, &c->n_layers, &c->n_heads,
               &c->n_kv_heads, &c->vocab_size, &c->seq_len, &used) != 7 ||
        (text[used] && strcmp(text + used, ",untied") != 0))
        return hw_fail(err,
                       "shape: expected dim,hidden,layers,heads,kv_heads,vocab,ctx[,untied], "
                       "got '%s'",
                       text);
    c->tied = text[used] == '\0';
    c->bos = c->vocab_size > 1;
    const struct {
        const char *name;
        int value, low, high;
    } limit[] = {{"dim", c->dim, 1, HW_MAX_DIM},
                 {"hidden", c->hidden_dim, 1, HW_MAX_HIDDEN_DIM},
                 {"layers", c->n_layers, 1, HW_MAX_LAYERS},
                 {"heads", c->n_heads, 1, HW_MAX_HEADS},
                 {"kv_heads", c->n_kv_heads, 1, HW_MAX_HEADS},
                 {"vocab", c->vocab_size, HW_MIN_VOCAB_SIZE, HW_MAX_VOCAB_SIZE},
                 {"ctx", c->seq_len, 1, HW_MAX_SEQ_LEN}};
    for (size_t i = 0; i < sizeof limit / sizeof limit[0]; i++) {
        if (limit[i].value < limit[i].low || limit[i].value > limit[i].high)
            return hw_fail(err, "shape: %s: expected %d..%d, got %d", limit[i].name, limit[i].low,
                           limit[i].high, limit[i].value);
    }
    if (c->dim % c->n_heads || c->n_heads % c->n_kv_heads || c->dim / c->n_heads % 2)
        return hw_fail(err,
                       "shape: expected heads that divide dim, kv_heads that divide heads and "
                       "an even head_dim, got '%s'",
                       text);
    c->head_dim = c->dim / c->n_heads;
    return true;
}

// Eight nibbles, one a byte.
static uint64_t spread(uint64_t x)
{
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    return (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
}

void hw_synthetic_row(const struct hw_qmatrix *m, int plane, int row, uint8_t *codes)
{
    uint64_t steps = ((uint64_t)m->n_in + 15) / 16, mask = (1u << (m->seed & 7)) - 1;
    uint64_t at = ((uint64_t)plane * (uint64_t)m->n_out + (uint64_t)row) * steps;
    mask *= UINT64_C(0x0101010101010101);
    for (int c = 0; c < m->n_in; c += 16) {
        uint64_t h = hw_mix(m->seed + ++at * HW_MIX_STEP);
        uint64_t half[2] = {spread(h & 0xffffffff) & mask, spread(h >> 32) & mask};
        uint8_t byte[16];
        for (int i = 0; i < 16; i++)
            byte[i] = (uint8_t)(half[i / 8] >> (i % 8 * 8));
        memcpy(codes + c, byte, (size_t)(m->n_in - c < 16 ? m->n_in - c : 16));
    }
}

static void fill(struct hw_qmatrix *m, int n_out, int n_in, int bits, int code_bits, int index,
                 struct hw_error *err)
{
    int planes = (bits + code_bits - 1) / code_bits;
    *m = (struct hw_qmatrix){.n_out = n_out, .n_in = n_in, .n_planes = planes, .shift = 30};
    m->seed = (uint64_t)code_bits + 8 * (1 + (uint64_t)index);
    for (int p = 0; p < planes; p++) {
        int weight = p + 1 < planes ? 1 << (code_bits * (planes - 1 - p)) : 1;
        for (int k = 0; k < 1 << code_bits; k++)
            m->levels[p][k] = (int16_t)((k - (p ? 0 : 1 << (code_bits - 1))) * weight);
    }
    m->scale = malloc((size_t)n_out * sizeof *m->scale);
    if (!m->scale)
        hw_fail(err, "shape: out of memory");
    for (int r = 0; m->scale && r < n_out; r++)
        m->scale[r] = 0x380;
}

bool hw_synthetic_is_wide(enum hw_matrix_id id)
{
    return id == HW_MATRIX_wk || id == HW_MATRIX_wv;
}

static void fill_layer(struct hw_qmodel *q, int l, int bits, int wide_bits, struct hw_error *err)
{
    const struct hw_config *c = &q->config;
    struct hw_qlayer *y = &q->layers[l];
    for (int i = 0; i < HW_N_NORMS; i++) {
        y->norm[i].shift = 17;
        y->norm[i].eps_ss = 1;
    }
    for (int i = 0; i < HW_N_MATRICES; i++) {
        bool wide = hw_synthetic_is_wide((enum hw_matrix_id)i);
        fill(&y->matrix[i], hw_length(c, hw_matrix_row[i].n_out),
             hw_length(c, hw_matrix_row[i].n_in), wide ? wide_bits : bits, q->widths.code_bits,
             1 + HW_N_MATRICES * l + i, err);
    }
}

bool hw_qmodel_synthetic(const struct hw_config *c, const struct hw_widths *widths, int bits,
                         int wide_bits, struct hw_qmodel *q, struct hw_error *err)
{
    memset(q, 0, sizeof *q);
    q->config = *c;
    q->widths = *widths;
    q->logit_scale = 1.0;
    q->embed_shift = 30;
    if (hw_qmodel_alloc(q, err)) {
        q->final_norm.shift = 17;
        q->final_norm.eps_ss = 1;
        if (hw_rope_tables(c, &q->rope) != 0)
            hw_fail(err, "shape: a rotation angle lies on a rounding tie");
        fill(&q->embed, c->vocab_size, c->dim, wide_bits, widths->code_bits, 0, err);
        for (int l = 0; l < c->n_layers; l++)
            fill_layer(q, l, bits, wide_bits, err);
        if (!c->tied)
            fill(&q->head, c->vocab_size, c->dim, wide_bits, widths->code_bits,
                 1 + HW_N_MATRICES * c->n_layers, err);
    }
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}
