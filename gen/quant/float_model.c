// SPDX-License-Identifier: Apache-2.0
// Owns the float forward pass, in the order of the Llama paper.
#include "gen/quant/float_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "refmodel/tables.h"

struct hw_float {
    struct hw_config c;
    float **tensor[HW_N_TENSORS]; // [layer] -> [rows][cols]
    float *key, *value;           // [n_layers][seq_len][kv_dim]
    float *x, *xn, *q, *attn, *gate, *up, *logits, *score;
    float *sub;     // [widest of dim, n_heads * head_dim, hidden_dim] what a matrix reads
    struct hw_evaluation how;
    float *cos, *sin; // [seq_len][head_dim / 2]
    hw_float_observer *observer;
    void *user;
};

static int layers_of(const struct hw_config *c, enum hw_tensor_id id)
{
    return id <= HW_OUTPUT_NORM ? 1 : c->n_layers;
}

static void *allocate(size_t n, struct hw_error *err)
{
    float *p = calloc(n, sizeof *p);
    if (!p)
        hw_fail(err, "float model: out of memory");
    return p;
}

static bool load(struct hw_float *f, const struct hw_model *model, enum hw_tensor_id id,
                 struct hw_error *err)
{
    int rows, cols, n = layers_of(&f->c, id);
    hw_tensor_shape(&f->c, id, &rows, &cols);
    f->tensor[id] = calloc((size_t)n, sizeof *f->tensor[id]);
    if (!f->tensor[id])
        return hw_fail(err, "float model: out of memory");
    for (int l = 0; l < n; l++) {
        f->tensor[id][l] = allocate((size_t)rows * (size_t)cols, err);
        for (int r = 0; !err->set && r < rows; r++)
            hw_model_row(model, id, l, r, f->tensor[id][l] + (size_t)r * (size_t)cols);
    }
    return !err->set;
}

static void make_angles(struct hw_float *f)
{
    int half = f->c.head_dim / 2;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(&f->c, i);
        for (int p = 0; p < f->c.seq_len; p++) {
            f->cos[p * half + i] = (float)hw_cos(p * theta);
            f->sin[p * half + i] = (float)hw_sin(p * theta);
        }
    }
}

struct hw_float *hw_float_new(const struct hw_model *model, struct hw_error *err)
{
    struct hw_float *f = calloc(1, sizeof *f);
    if (!f) {
        hw_fail(err, "float model: out of memory");
        return NULL;
    }
    f->c = *hw_model_config(model);
    f->how = hw_model_evaluation(model);
    const struct hw_config *c = &f->c;
    size_t kv_dim = (size_t)c->n_kv_heads * (size_t)c->head_dim, seq = (size_t)c->seq_len;
    size_t q_dim = (size_t)c->n_heads * (size_t)c->head_dim, dim = (size_t)c->dim;
    for (int id = 0; id < HW_N_TENSORS && !err->set; id++) {
        if (hw_tensor_exists(c, (enum hw_tensor_id)id))
            load(f, model, (enum hw_tensor_id)id, err);
    }
    f->key = allocate((size_t)c->n_layers * seq * kv_dim, err);
    f->value = allocate((size_t)c->n_layers * seq * kv_dim, err);
    f->x = allocate(dim, err);
    f->xn = allocate(dim, err);
    f->q = allocate(q_dim, err);
    f->attn = allocate(q_dim, err);
    f->gate = allocate((size_t)c->hidden_dim, err);
    size_t hidden = (size_t)c->hidden_dim, widest = dim > hidden ? dim : hidden;
    f->sub = allocate(widest > q_dim ? widest : q_dim, err);
    f->up = allocate((size_t)c->hidden_dim, err);
    f->logits = allocate((size_t)c->vocab_size, err);
    f->score = allocate(seq, err);
    f->cos = allocate(seq * (size_t)c->head_dim / 2, err);
    f->sin = allocate(seq * (size_t)c->head_dim / 2, err);
    if (err->set) {
        hw_float_free(f);
        return NULL;
    }
    make_angles(f);
    return f;
}

void hw_float_free(struct hw_float *f)
{
    if (!f)
        return;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        for (int l = 0; f->tensor[id] && l < layers_of(&f->c, (enum hw_tensor_id)id); l++)
            free(f->tensor[id][l]);
        free(f->tensor[id]);
    }
    float *part[] = {f->key, f->value, f->x,      f->xn,    f->q,   f->attn,
                     f->gate, f->up,   f->logits, f->score, f->cos, f->sin, f->sub};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(f);
}

void hw_float_observe(struct hw_float *f, hw_float_observer *fn, void *user)
{
    f->observer = fn;
    f->user = user;
}

const float *hw_float_tensor(const struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

float *hw_float_edit(struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

static void see(const struct hw_float *f, enum hw_float_tap tap, int layer, const float *v, int n)
{
    if (f->observer)
        f->observer(f->user, tap, layer, v, n);
}

// Eight sums side by side, added at the end: fast, and one order on every machine.
static float dot(const float *a, const float *b, int n)
{
    float lane[8] = {0};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++)
            lane[k] += a[i + k] * b[i + k];
    }
    for (; i < n; i++)
        lane[i & 7] += a[i] * b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

// y[r] = w[r] . x
static void linear(const struct hw_float *f, enum hw_tensor_id id, int layer, const float *x,
                   float *y)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    const float *w = f->tensor[id][layer];
    for (int r = 0; r < rows; r++)
        y[r] = dot(w + (size_t)r * (size_t)cols, x, cols);
}

// y = x / sqrt(mean square + eps) * gain; zeros stay zeros
static void rmsnorm(const float *x, int n, const float *gain, double eps, float *y)
{
    double mean = (double)dot(x, x, n) / n + eps;
    double scale = mean > 0.0 ? 1.0 / sqrt(mean) : 0.0;
    for (int i = 0; i < n; i++)
        y[i] = (float)(x[i] * scale) * gain[i];
}

// What a layer's matrices read: x itself, or rounded to 8 bits against its largest magnitude.
static const float *matrix_input(struct hw_float *f, const float *x, int n)
{
    float top = 0.0f;
    if (!f->how.int8_act)
        return x;
    for (int i = 0; i < n; i++)
        top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
    for (int i = 0; i < n; i++)
        f->sub[i] = top > 0.0f ? (float)floor(x[i] * 127.0 / top + 0.5) * (top / 127.0f) : 0.0f;
    return f->sub;
}

static void rotate(const struct hw_float *f, float *v, int n, int pos)
{
    int half = f->c.head_dim / 2;
    for (int i = 0; i < n; i += 2) {
        float c = f->cos[pos * half + i / 2 % half], s = f->sin[pos * half + i / 2 % half];
        float a = v[i], b = v[i + 1];
        v[i] = a * c - b * s;
        v[i + 1] = a * s + b * c;
    }
}

// score[0..n-1] becomes its softmax
static void softmax(float *score, int n)
{
    float max = score[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        max = score[i] > max ? score[i] : max;
    for (int i = 0; i < n; i++) {
        score[i] = (float)hw_exp(score[i] - max);
        sum += score[i];
    }
    for (int i = 0; i < n; i++)
        score[i] /= sum;
}

static void attend(struct hw_float *f, int l, int head, int pos)
{
    int hd = f->c.head_dim, kv_dim = f->c.n_kv_heads * hd;
    int group = f->c.n_heads / f->c.n_kv_heads;
    size_t base = ((size_t)l * (size_t)f->c.seq_len) * (size_t)kv_dim +
                  (size_t)(head / group) * (size_t)hd;
    float *out = f->attn + head * hd, scale = (float)(1.0 / sqrt(hd));
    for (int p = 0; p <= pos; p++)
        f->score[p] =
            dot(f->q + head * hd, f->key + base + (size_t)p * (size_t)kv_dim, hd) * scale;
    softmax(f->score, pos + 1);
    memset(out, 0, (size_t)hd * sizeof *out);
    for (int p = 0; p <= pos; p++) {
        const float *v = f->value + base + (size_t)p * (size_t)kv_dim;
        for (int d = 0; d < hd; d++)
            out[d] += f->score[p] * v[d];
    }
}

static void attention(struct hw_float *f, int l, int pos)
{
    const struct hw_config *c = &f->c;
    int kv_dim = c->n_kv_heads * c->head_dim, q_dim = c->n_heads * c->head_dim;
    size_t here = ((size_t)l * (size_t)c->seq_len + (size_t)pos) * (size_t)kv_dim;
    rmsnorm(f->x, c->dim, f->tensor[HW_ATTN_NORM][l], f->how.layer_eps, f->xn);
    see(f, HW_FLOAT_ATTN_IN, l, f->xn, c->dim);
    const float *in = matrix_input(f, f->xn, c->dim);
    linear(f, HW_WK, l, in, f->key + here);
    rotate(f, f->key + here, kv_dim, pos);
    see(f, HW_FLOAT_K, l, f->key + here, kv_dim);
    linear(f, HW_WQ, l, in, f->q);
    rotate(f, f->q, q_dim, pos);
    see(f, HW_FLOAT_Q, l, f->q, q_dim);
    linear(f, HW_WV, l, in, f->value + here);
    see(f, HW_FLOAT_V, l, f->value + here, kv_dim);
    for (int h = 0; h < c->n_heads; h++)
        attend(f, l, h, pos);
    if (c->sub_norm) {
        see(f, HW_FLOAT_ATTN_SIDE, l, f->attn, q_dim);
        rmsnorm(f->attn, q_dim, f->tensor[HW_ATTN_SUB_NORM][l], f->how.layer_eps, f->attn);
    }
    see(f, HW_FLOAT_ATTN, l, f->attn, q_dim);
    linear(f, HW_WO, l, matrix_input(f, f->attn, q_dim), f->xn);
    for (int i = 0; i < c->dim; i++)
        f->x[i] += f->xn[i];
    see(f, HW_FLOAT_RESIDUAL, l, f->x, c->dim);
}

static void feed_forward(struct hw_float *f, int l)
{
    const struct hw_config *c = &f->c;
    rmsnorm(f->x, c->dim, f->tensor[HW_FFN_NORM][l], f->how.layer_eps, f->xn);
    see(f, HW_FLOAT_FFN_IN, l, f->xn, c->dim);
    const float *in = matrix_input(f, f->xn, c->dim);
    linear(f, HW_W_GATE, l, in, f->gate);
    linear(f, HW_W_UP, l, in, f->up);
    see(f, HW_FLOAT_GATE, l, f->gate, c->hidden_dim);
    see(f, HW_FLOAT_UP, l, f->up, c->hidden_dim);
    for (int i = 0; i < c->hidden_dim; i++)
        f->gate[i] *= (float)(1.0 / (1.0 + hw_exp(-(double)f->gate[i]))) * f->up[i];
    if (c->sub_norm) {
        see(f, HW_FLOAT_HIDDEN_SIDE, l, f->gate, c->hidden_dim);
        rmsnorm(f->gate, c->hidden_dim, f->tensor[HW_FFN_SUB_NORM][l], f->how.layer_eps, f->gate);
    }
    see(f, HW_FLOAT_HIDDEN, l, f->gate, c->hidden_dim);
    linear(f, HW_W_DOWN, l, matrix_input(f, f->gate, c->hidden_dim), f->xn);
    for (int i = 0; i < c->dim; i++)
        f->x[i] += f->xn[i];
    see(f, HW_FLOAT_RESIDUAL, l, f->x, c->dim);
}

const float *hw_float_forward(struct hw_float *f, int token, int pos)
{
    const struct hw_config *c = &f->c;
    memcpy(f->x, f->tensor[HW_TOK_EMBED][0] + (size_t)token * (size_t)c->dim,
           (size_t)c->dim * sizeof *f->x);
    see(f, HW_FLOAT_RESIDUAL, 0, f->x, c->dim);
    for (int l = 0; l < c->n_layers; l++) {
        attention(f, l, pos);
        feed_forward(f, l);
    }
    rmsnorm(f->x, c->dim, f->tensor[HW_OUTPUT_NORM][0], c->norm_eps, f->xn);
    see(f, HW_FLOAT_HEAD_IN, 0, f->xn, c->dim);
    linear(f, c->tied ? HW_TOK_EMBED : HW_OUTPUT, 0, f->xn, f->logits);
    see(f, HW_FLOAT_LOGITS, 0, f->logits, c->vocab_size);
    return f->logits;
}
