// SPDX-License-Identifier: Apache-2.0
// Owns the order of a layer in float.
#include "gen/float/layer.h"

#include "refmodel/tables.h"

#define MATRIX_ORIGIN(member, name, rows, columns, from, tap, ...)                                 \
    {HW_##from, HW_FLOAT_##tap, HW_LENGTH_##rows == HW_LENGTH_GATE_UP},
const struct hw_matrix_origin hw_matrix_origin[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_ORIGIN)};

static const struct {
    enum hw_float_tap row, made;
} PROJECTION_TAP[HW_N_PROJECTIONS] = {
    [HW_QUERIES] = {HW_FLOAT_Q_ROW, HW_FLOAT_Q},
    [HW_KEYS] = {HW_FLOAT_K_ROW, HW_FLOAT_K},
    [HW_VALUES] = {HW_N_FLOAT_TAPS, HW_FLOAT_V}, // no norm
};

int hw_projection_width(const struct hw_config *c, int i)
{
    int rows, cols;
    hw_tensor_shape(c, hw_projection[i].matrix, &rows, &cols);
    return rows;
}

void hw_rope_table(const struct hw_config *c, int positions, float *cos, float *sin)
{
    int half = c->head_dim / 2;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(c, i);
        for (int pos = 0; pos < positions; pos++) {
            cos[pos * half + i] = (float)hw_cos(pos * theta);
            sin[pos * half + i] = (float)hw_sin(pos * theta);
        }
    }
}

void hw_rotate_rows(const struct hw_pass *p, float *v, int width, float sign)
{
    int half = p->c->head_dim / 2;
    for (int t = 0; t < p->n; t++, v += width) {
        const float *cos = p->cos + p->pos[t] * half, *sin = p->sin + p->pos[t] * half;
        for (int i = 0; i < width; i += 2) {
            float c = cos[i / 2 % half], s = sign * sin[i / 2 % half];
            float a = v[i], b = v[i + 1];
            v[i] = a * c - b * s;
            v[i + 1] = a * s + b * c;
        }
    }
}

static void see(const struct hw_pass *p, enum hw_float_tap tap, int layer, const float *v,
                int width)
{
    if (p->kernels->see)
        p->kernels->see(p, tap, layer, v, width);
}

// A norm of `rows` vectors, where the model has it; elsewhere y is x already.
static void norm(const struct hw_pass *p, enum hw_tensor_id id, int layer, const float *x, int rows,
                 int width, float *inverse, float *y)
{
    if (hw_tensor_exists(p->c, id))
        p->kernels->norm(x, rows, width, p->kernels->vector(p, id, layer), p->eps, inverse, y);
}

static void add_bias(const struct hw_pass *p, enum hw_tensor_id id, int layer, float *y, int width)
{
    const float *bias = p->kernels->vector(p, id, layer);
    for (int t = 0; t < p->n; t++, y += width) {
        for (int i = 0; i < width; i++)
            y[i] += bias[i];
    }
}

static void project(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v, int i)
{
    const struct hw_projection *j = &hw_projection[i];
    int width = hw_projection_width(p->c, i), head = p->c->head_dim;
    bool normed = hw_tensor_exists(p->c, j->norm);
    float *row = normed ? v->row[i] : v->made[i];
    p->kernels->multiply(p, j->matrix, layer, v->normed, row);
    if (hw_tensor_exists(p->c, j->bias))
        add_bias(p, j->bias, layer, row, width);
    if (normed)
        see(p, PROJECTION_TAP[i].row, layer, row, width);
    norm(p, j->norm, layer, row, p->n * (width / head), head, v->row_inverse[i], v->made[i]);
    if (j->rotated)
        hw_rotate_rows(p, v->made[i], width, 1.0f);
    see(p, PROJECTION_TAP[i].made, layer, v->made[i], width);
}

static void attention(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v)
{
    int dim = p->c->dim, q_dim = hw_projection_width(p->c, HW_QUERIES);
    norm(p, HW_ATTN_NORM, layer, v->x, p->n, dim, v->inverse, v->normed);
    see(p, HW_FLOAT_ATTN_NORM, layer, v->normed, dim);
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        project(p, layer, v, i);
    p->kernels->attend(p, layer, v);
    if (p->c->sub_norm)
        see(p, HW_FLOAT_ATTN_SIDE, layer, v->attn, q_dim);
    norm(p, HW_ATTN_SUB_NORM, layer, v->attn, p->n, q_dim, NULL, v->attn);
    see(p, HW_FLOAT_ATTN, layer, v->attn, q_dim);
}

static void feed_forward(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v)
{
    int dim = p->c->dim, width = p->c->hidden_dim;
    norm(p, HW_FFN_NORM, layer, v->mid, p->n, dim, v->mid_inverse, v->mid_normed);
    see(p, HW_FLOAT_FFN_NORM, layer, v->mid_normed, dim);
    p->kernels->multiply(p, HW_W_GATE, layer, v->mid_normed, v->gate);
    p->kernels->multiply(p, HW_W_UP, layer, v->mid_normed, v->up);
    see(p, HW_FLOAT_GATE, layer, v->gate, width);
    see(p, HW_FLOAT_UP, layer, v->up, width);
    p->kernels->swiglu(v->gate, v->up, (size_t)p->n * (size_t)width, v->hidden);
    if (p->c->sub_norm)
        see(p, HW_FLOAT_HIDDEN_SIDE, layer, v->hidden, width);
    norm(p, HW_FFN_SUB_NORM, layer, v->hidden, p->n, width, NULL, v->hidden);
    see(p, HW_FLOAT_HIDDEN, layer, v->hidden, width);
}

// to = from + matrix x
static void add_product(const struct hw_pass *p, enum hw_tensor_id id, int layer, const float *x,
                        const struct hw_layer_vectors *v, const float *from, float *to)
{
    p->kernels->multiply(p, id, layer, x, v->change);
    for (size_t i = 0; i < (size_t)p->n * (size_t)p->c->dim; i++)
        to[i] = from[i] + v->change[i];
    see(p, HW_FLOAT_RESIDUAL, layer, to, p->c->dim);
}

void hw_layer_forward(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v)
{
    attention(p, layer, v);
    add_product(p, HW_WO, layer, v->attn, v, v->x, v->mid);
    feed_forward(p, layer, v);
    add_product(p, HW_W_DOWN, layer, v->hidden, v, v->mid, v->out);
}
