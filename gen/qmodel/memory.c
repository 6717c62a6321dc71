// SPDX-License-Identifier: Apache-2.0
// Owns the memory of quantized models: what is allocated for a configuration, and freed.
#include "gen/qmodel/memory.h"

#include <stdlib.h>
#include <string.h>

#include "gen/qmodel/synthetic.h"
#include "gen/read/cursor.h"
#include "refmodel/tables.h"

void *hw_qmodel_zeros(size_t n, size_t size, struct hw_error *err)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        hw_fail(err, "quantized model: out of memory");
    return p;
}

bool hw_qmatrix_shape(struct hw_qmatrix *m, int n_out, int n_in, int n_planes, struct hw_error *err)
{
    m->n_out = n_out;
    m->n_in = n_in;
    m->n_planes = n_planes;
    m->scale = hw_qmodel_zeros((size_t)n_out, sizeof *m->scale, err);
    return !err->set;
}

bool hw_qmatrix_alloc(struct hw_qmatrix *m, int n_out, int n_in, int n_planes, struct hw_error *err)
{
    size_t n = (size_t)n_out * (size_t)n_in;
    hw_qmatrix_shape(m, n_out, n_in, n_planes, err);
    m->codes = hw_qmodel_zeros(n * (size_t)n_planes, 1, err);
    m->weight = hw_qmodel_zeros(n, sizeof *m->weight, err);
    return !err->set;
}

void hw_qmatrix_expand(struct hw_qmatrix *m)
{
    size_t n = (size_t)m->n_out * (size_t)m->n_in;
    for (size_t i = 0; i < n; i++) {
        int sum = 0;
        for (int p = 0; p < m->n_planes; p++)
            sum += m->levels[p][m->codes[(size_t)p * n + i]];
        m->weight[i] = (int16_t)sum;
    }
}

void hw_qmatrix_row(const struct hw_qmatrix *m, int plane, int row, uint8_t *codes)
{
    size_t n_in = (size_t)m->n_in, at = (size_t)plane * (size_t)m->n_out + (size_t)row;
    if (m->codes)
        memcpy(codes, m->codes + at * n_in, n_in);
    else
        hw_synthetic_row(m, plane, row, codes);
}

void hw_qmatrix_unload(const struct hw_qmatrix *m)
{
    if (m->mapped)
        hw_file_unload(m->codes, (size_t)m->n_planes * (size_t)m->n_out * (size_t)m->n_in);
}

static void free_matrix(struct hw_qmatrix *m)
{
    if (!m->mapped)
        free(m->codes);
    free(m->scale);
    free(m->weight);
}

static void alloc_rope(struct hw_qmodel *q, struct hw_error *err)
{
    size_t half = (size_t)q->config.head_dim / 2;
    size_t hi = (size_t)q->rope.n_hi * half, lo = ((size_t)1 << q->rope.lo_bits) * half;
    q->rope.hi_cos = hw_qmodel_zeros(hi, sizeof(int16_t), err);
    q->rope.hi_sin = hw_qmodel_zeros(hi, sizeof(int16_t), err);
    q->rope.lo_cos = hw_qmodel_zeros(lo, sizeof(int16_t), err);
    q->rope.lo_sin = hw_qmodel_zeros(lo, sizeof(int16_t), err);
}

static void free_rope(struct hw_qmodel *q)
{
    free(q->rope.hi_cos);
    free(q->rope.hi_sin);
    free(q->rope.lo_cos);
    free(q->rope.lo_sin);
}

bool hw_qmodel_alloc(struct hw_qmodel *q, struct hw_error *err)
{
    const struct hw_config *c = &q->config;
    q->layers = hw_qmodel_zeros((size_t)c->n_layers, sizeof *q->layers, err);
    for (int l = 0; !err->set && l < c->n_layers; l++) {
        for (int i = 0; i < HW_N_NORMS; i++) {
            size_t n = (size_t)hw_length(c, hw_norm_row[i].n);
            if (hw_has(c, hw_norm_row[i].where))
                q->layers[l].norm[i].gain = hw_qmodel_zeros(n, sizeof(int16_t), err);
        }
        for (int i = 0; i < HW_N_BIASES; i++) {
            size_t n = (size_t)hw_bias_length(c, (enum hw_bias_id)i);
            if (hw_has(c, hw_bias_row[i].where))
                q->layers[l].bias[i] = hw_qmodel_zeros(n, sizeof(int16_t), err);
        }
    }
    q->final_norm.gain = hw_qmodel_zeros((size_t)c->dim, sizeof(int16_t), err);
    hw_rope_shape(c->seq_len, &q->rope.lo_bits, &q->rope.n_hi);
    alloc_rope(q, err);
    return !err->set;
}

bool hw_qmodel_set_context(struct hw_qmodel *q, int seq_len, int lo_bits, struct hw_error *err)
{
    int own_bits, n_hi;
    if (seq_len < 1 || seq_len > q->config.seq_len)
        return hw_fail(err, "context: expected 1..%d, the model's, got %d", q->config.seq_len,
                       seq_len);
    hw_rope_shape(seq_len, &own_bits, &n_hi);
    if (lo_bits == 0 || (lo_bits == 1 && own_bits == 0)) // a fabric has one bit at least
        lo_bits = own_bits;
    if (seq_len == q->config.seq_len && lo_bits == q->rope.lo_bits)
        return true;
    free_rope(q);
    q->config.seq_len = seq_len;
    if (q->config.window >= seq_len)
        q->config.window = 0;
    q->rope.lo_bits = lo_bits;
    q->rope.n_hi = ((seq_len - 1) >> lo_bits) + 1;
    alloc_rope(q, err);
    return !err->set && (hw_rope_tables(&q->config, &q->rope) == 0 ||
                         hw_fail(err, "context: a rotation angle lies on a rounding tie"));
}

void hw_qmodel_free(struct hw_qmodel *q)
{
    for (int l = 0; q->layers && l < q->config.n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES; i++)
            free_matrix(&q->layers[l].matrix[i]);
        for (int i = 0; i < HW_N_NORMS; i++)
            free(q->layers[l].norm[i].gain);
        for (int i = 0; i < HW_N_BIASES; i++)
            free(q->layers[l].bias[i]);
    }
    free(q->layers);
    free_matrix(&q->embed);
    free_matrix(&q->head);
    free(q->final_norm.gain);
    free_rope(q);
    if (q->file)
        hw_file_unmap(q->file);
    free(q->file);
    memset(q, 0, sizeof *q);
}
