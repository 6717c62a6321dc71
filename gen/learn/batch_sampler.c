// SPDX-License-Identifier: Apache-2.0
// Owns sampling of text: all sequences take one token at a time together, so that a matrix is read
// once for all of them.
#include "gen/learn/batch_sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/learn/simd.h"
#include "refmodel/tables.h"

struct hw_batch_sampler {
    struct hw_config c;
    const struct hw_params *p;
    struct hw_params transposed; // every matrix on its side: [cols][rows]
    int n, length;
    float *key, *value; // [n_layers][n][n_kv_heads][head_dim][length]
    float *x, *xn, *q, *k, *v, *attn, *gate, *up, *logits; // [n][width]
    float *score;                                          // [length]
    float *cos, *sin;                                      // [length][head_dim / 2]
    float *block;                                          // all of the above
};

static size_t lay_out(struct hw_batch_sampler *w, float *block)
{
    const struct hw_config *c = &w->c;
    size_t n = (size_t)w->n, length = (size_t)w->length, dim = (size_t)c->dim, used = 0;
    size_t hd = (size_t)c->head_dim, q_dim = (size_t)c->n_heads * hd;
    size_t kv_dim = (size_t)c->n_kv_heads * hd, hidden = (size_t)c->hidden_dim,
           vocab = (size_t)c->vocab_size;
    size_t cache = (size_t)c->n_layers * n * kv_dim * length, half = length * hd / 2;
    const struct {
        float **at;
        size_t size;
    } part[] = {{&w->key, cache},     {&w->value, cache},      {&w->x, n * dim},
                {&w->xn, n * dim},    {&w->q, n * q_dim},      {&w->k, n * kv_dim},
                {&w->v, n * kv_dim},  {&w->attn, n * q_dim},   {&w->gate, n * hidden},
                {&w->up, n * hidden}, {&w->logits, n * vocab}, {&w->score, length},
                {&w->cos, half},      {&w->sin, half}};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        *part[i].at = block ? block + used : NULL;
        used += (part[i].size + 3) / 4 * 4;
    }
    return used;
}

double hw_batch_sampler_bytes(const struct hw_config *c, int n, int length)
{
    struct hw_batch_sampler w = {.c = *c, .n = n, .length = length};
    return (double)lay_out(&w, NULL) * sizeof(float) + hw_params_bytes(c);
}

static void transpose_all(struct hw_batch_sampler *w)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols;
        enum hw_tensor_id tensor = (enum hw_tensor_id)id;
        hw_tensor_shape(&w->c, tensor, &rows, &cols);
        for (int l = 0; w->p->tensor[id] && l < hw_params_layers(&w->c, tensor); l++)
            hw_transpose(hw_params_at(w->p, &w->c, tensor, l), rows, cols, (size_t)cols,
                         hw_params_at(&w->transposed, &w->c, tensor, l));
    }
}

struct hw_batch_sampler *hw_batch_sampler_new(const struct hw_config *c, const struct hw_params *p,
                                              int n, int length, struct hw_error *err)
{
    struct hw_batch_sampler *w = calloc(1, sizeof *w);
    if (w) {
        *w = (struct hw_batch_sampler){.c = *c, .p = p, .n = n, .length = length};
        w->block = calloc(lay_out(w, NULL), sizeof *w->block);
    }
    if (!w || !w->block || !hw_params_new(&w->transposed, c, err)) {
        hw_batch_sampler_free(w);
        hw_fail(err, "tuning: out of memory");
        return NULL;
    }
    lay_out(w, w->block);
    transpose_all(w);
    int half = c->head_dim / 2;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(c, i);
        for (int pos = 0; pos < length; pos++) {
            w->cos[pos * half + i] = (float)hw_cos(pos * theta);
            w->sin[pos * half + i] = (float)hw_sin(pos * theta);
        }
    }
    return w;
}

void hw_batch_sampler_free(struct hw_batch_sampler *w)
{
    if (!w)
        return;
    hw_params_free(&w->transposed);
    free(w->block);
    free(w);
}

// --- one token of every sequence

// y[n][rows] = x[n][cols] times the matrix's transpose
static void linear(struct hw_batch_sampler *w, enum hw_tensor_id id, int layer, const float *x,
                   float *y)
{
    int rows, cols;
    hw_tensor_shape(&w->c, id, &rows, &cols);
    memset(y, 0, (size_t)w->n * (size_t)rows * sizeof *y);
    hw_multiply(w->n, rows, cols, (struct hw_view){x, (size_t)cols, 1},
                hw_params_at(&w->transposed, &w->c, id, layer), (size_t)rows, y, (size_t)rows);
}

// y = x / rms(x) gain for `rows` rows of x[rows][width]; y may be x
static void rmsnorm(const struct hw_batch_sampler *w, const float *x, int rows, int width,
                    const float *gain, float *y)
{
    for (int s = 0; s < rows; s++, x += width, y += width) {
        double sum = 0.0;
        for (int i = 0; i < width; i++)
            sum += (double)x[i] * x[i];
        float inv = (float)(1.0 / sqrt(sum / width + w->c.norm_eps));
        for (int i = 0; i < width; i++)
            y[i] = x[i] * inv * gain[i];
    }
}

static void norm_residual(struct hw_batch_sampler *w, enum hw_tensor_id id, int layer)
{
    rmsnorm(w, w->x, w->n, w->c.dim, hw_params_at(w->p, &w->c, id, layer), w->xn);
}

static void rotate(const struct hw_batch_sampler *w, float *v, int width, int pos)
{
    int half = w->c.head_dim / 2;
    for (int i = 0; i < w->n * width; i += 2) {
        float c = w->cos[pos * half + i / 2 % half], s = w->sin[pos * half + i / 2 % half];
        float a = v[i], b = v[i + 1];
        v[i] = a * c - b * s;
        v[i + 1] = a * s + b * c;
    }
}

// Head h of sequence s: keys and values lie by dimension, so that positions are neighbours.
static void attend(struct hw_batch_sampler *w, int layer, int s, int h, int pos)
{
    int hd = w->c.head_dim, kv_heads = w->c.n_kv_heads, kv = h / (w->c.n_heads / kv_heads);
    size_t head = (size_t)(w->length * hd);
    size_t at = ((size_t)(layer * w->n + s) * (size_t)kv_heads + (size_t)kv) * head;
    const float *q = w->q + (s * w->c.n_heads + h) * hd, *key = w->key + at, *value = w->value + at;
    float *out = w->attn + (s * w->c.n_heads + h) * hd;
    int kept = hw_positions_kept(&w->c, layer), first = pos < kept ? 0 : pos + 1 - kept;
    int seen = pos + 1 - first;
    memset(w->score, 0, (size_t)seen * sizeof *w->score);
    for (int d = 0; d < hd; d++, key += w->length) {
        for (int p = 0; p < seen; p++)
            w->score[p] += q[d] * key[first + p];
    }
    float inv =
        1.0f / hw_exp_row(w->score, seen, hw_row_max(w->score, seen), (float)(1.0 / sqrt(hd)));
    for (int d = 0; d < hd; d++, value += w->length)
        out[d] = hw_dot(w->score, value + first, seen) * inv;
}

static void cache_kv(struct hw_batch_sampler *w, int layer, int pos)
{
    size_t hd = (size_t)w->c.head_dim, length = (size_t)w->length, at = (size_t)pos;
    size_t heads = (size_t)(w->n * w->c.n_kv_heads), first = (size_t)layer * heads;
    for (size_t h = 0; h < heads; h++) {
        for (size_t d = 0; d < hd; d++) {
            w->key[((first + h) * hd + d) * length + at] = w->k[h * hd + d];
            w->value[((first + h) * hd + d) * length + at] = w->v[h * hd + d];
        }
    }
}

static void add_normed(struct hw_batch_sampler *w)
{
    for (int i = 0; i < w->n * w->c.dim; i++)
        w->x[i] += w->xn[i];
}

// Queries, keys and values of all sequences at a position.
static void project(struct hw_batch_sampler *w, int l, int pos)
{
    float *const made[HW_N_PROJECTIONS] = {w->q, w->k, w->v};
    for (int i = 0; i < HW_N_PROJECTIONS; i++) {
        const struct hw_projection *j = &hw_projection[i];
        int width, cols, hd = w->c.head_dim;
        hw_tensor_shape(&w->c, j->matrix, &width, &cols);
        linear(w, j->matrix, l, w->xn, made[i]);
        const float *bias =
            hw_tensor_exists(&w->c, j->bias) ? hw_params_at(w->p, &w->c, j->bias, l) : NULL;
        for (int k = 0; bias && k < w->n * width; k++)
            made[i][k] += bias[k % width];
        if (hw_tensor_exists(&w->c, j->norm))
            rmsnorm(w, made[i], w->n * (width / hd), hd, hw_params_at(w->p, &w->c, j->norm, l),
                    made[i]);
        if (j->rotated)
            rotate(w, made[i], width, pos);
    }
}

static void layer_forward(struct hw_batch_sampler *w, int l, int pos)
{
    const struct hw_config *c = &w->c;
    norm_residual(w, HW_ATTN_NORM, l);
    project(w, l, pos);
    cache_kv(w, l, pos);
    for (int s = 0; s < w->n; s++) {
        for (int h = 0; h < c->n_heads; h++)
            attend(w, l, s, h, pos);
    }
    linear(w, HW_WO, l, w->attn, w->xn);
    add_normed(w);
    norm_residual(w, HW_FFN_NORM, l);
    linear(w, HW_W_GATE, l, w->xn, w->gate);
    linear(w, HW_W_UP, l, w->xn, w->up);
    for (int s = 0; s < w->n; s++) {
        float *gate = w->gate + s * c->hidden_dim, *up = w->up + s * c->hidden_dim;
        for (int i = 0; i < c->hidden_dim; i++)
            up[i] *= gate[i];
        hw_exp_row(gate, c->hidden_dim, 0.0f, -1.0f);
        for (int i = 0; i < c->hidden_dim; i++)
            up[i] /= 1.0f + gate[i];
    }
    linear(w, HW_W_DOWN, l, w->up, w->xn);
    add_normed(w);
}

static int sample(float *logits, int n, uint64_t *seed)
{
    float sum = hw_exp_row(logits, n, hw_row_max(logits, n), 1.0f);
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    double at = (double)(*seed >> 11) / 9007199254740992.0 * sum;
    for (int i = 0; i < n; i++) {
        at -= logits[i];
        if (at < 0.0)
            return i;
    }
    return n - 1;
}

void hw_batch_sampler_run(struct hw_batch_sampler *w, uint64_t *seed, int *tokens, float *logits)
{
    const struct hw_config *c = &w->c;
    size_t dim = (size_t)c->dim, vocab = (size_t)c->vocab_size, length = (size_t)w->length;
    for (int s = 0; s < w->n; s++)
        tokens[s * w->length] = c->bos;
    for (size_t pos = 0; pos < length; pos++) {
        for (size_t s = 0; s < (size_t)w->n; s++)
            memcpy(w->x + s * dim,
                   w->p->tensor[HW_TOK_EMBED] + (size_t)tokens[s * length + pos] * dim,
                   dim * sizeof *w->x);
        for (int l = 0; l < c->n_layers; l++)
            layer_forward(w, l, (int)pos);
        norm_residual(w, HW_OUTPUT_NORM, 0);
        linear(w, c->tied ? HW_TOK_EMBED : HW_OUTPUT, 0, w->xn, w->logits);
        for (size_t s = 0; s < (size_t)w->n; s++) {
            float *here = w->logits + s * vocab;
            memcpy(logits + (s * length + pos) * vocab, here, vocab * sizeof *logits);
            if (pos + 1 < length)
                tokens[s * length + pos + 1] = sample(here, c->vocab_size, seed);
        }
    }
}
