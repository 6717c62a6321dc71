// SPDX-License-Identifier: Apache-2.0
// Owns sampling of text: all sequences take one token at a time together, so that a matrix is read
// once for all of them.
#include "gen/learn/batch_sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/lcg.h"
#include "gen/learn/simd.h"

struct hw_batch_sampler {
    struct hw_config c;
    const struct hw_params *p;
    struct hw_params transposed; // every matrix on its side: [cols][rows]
    int n, length;
    float *key, *value;        // [n_layers][n][n_kv_heads][head_dim][length]
    struct hw_layer_vectors v; // [n][width], of the layer at hand
    float *logits;             // [n][vocab_size]
    float *score;              // [length]
    float *cos, *sin;          // [length][head_dim / 2]
    float *block;              // all of the above
    int *pos;                  // [n] the same for all
};

static size_t lay_out(struct hw_batch_sampler *w, float *block)
{
    const struct hw_config *c = &w->c;
    size_t n = (size_t)w->n, length = (size_t)w->length, dim = (size_t)c->dim, used = 0;
    size_t hd = (size_t)c->head_dim, q_dim = (size_t)c->n_heads * hd;
    size_t kv_dim = (size_t)c->n_kv_heads * hd, hidden = (size_t)c->hidden_dim,
           vocab = (size_t)c->vocab_size;
    size_t cache = (size_t)c->n_layers * n * kv_dim * length, half = length * hd / 2;
    float *made[HW_N_PROJECTIONS];
    struct hw_layer_vectors *v = &w->v;
    const struct {
        float **at;
        size_t size;
    } part[] = {{&w->key, cache},       {&w->value, cache},       {&v->x, n * dim},
                {&v->normed, n * dim},  {&made[0], n * q_dim},    {&made[1], n * kv_dim},
                {&made[2], n * kv_dim}, {&v->attn, n * q_dim},    {&v->gate, n * hidden},
                {&v->up, n * hidden},   {&v->hidden, n * hidden}, {&w->logits, n * vocab},
                {&w->score, length},    {&w->cos, half},          {&w->sin, half}};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        *part[i].at = block ? block + used : NULL;
        used += (part[i].size + 3) / 4 * 4;
    }
    memcpy(v->made, made, sizeof made);
    memcpy(v->row, made, sizeof made);
    v->mid = v->out = v->x;
    v->change = v->mid_normed = v->normed;
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
        for (int l = 0; w->p->tensor[id] && l < hw_tensor_layers(&w->c, tensor); l++)
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
        w->pos = calloc((size_t)n, sizeof *w->pos);
    }
    if (!w || !w->block || !w->pos || !hw_params_new(&w->transposed, c, err)) {
        hw_batch_sampler_free(w);
        hw_fail(err, "tuning: out of memory");
        return NULL;
    }
    lay_out(w, w->block);
    transpose_all(w);
    hw_rope_table(c, length, w->cos, w->sin);
    return w;
}

void hw_batch_sampler_free(struct hw_batch_sampler *w)
{
    if (!w)
        return;
    hw_params_free(&w->transposed);
    free(w->pos);
    free(w->block);
    free(w);
}

// --- one token of every sequence

static void multiply(const struct hw_pass *p, enum hw_tensor_id id, int layer, const float *x,
                     float *y)
{
    struct hw_batch_sampler *w = p->user;
    int rows, cols;
    hw_tensor_shape(&w->c, id, &rows, &cols);
    memset(y, 0, (size_t)w->n * (size_t)rows * sizeof *y);
    hw_multiply(w->n, rows, cols, (struct hw_view){x, (size_t)cols, 1},
                hw_params_at(&w->transposed, &w->c, id, layer), (size_t)rows, y, (size_t)rows);
}

static const float *vector(const struct hw_pass *p, enum hw_tensor_id id, int layer)
{
    const struct hw_batch_sampler *w = p->user;
    return hw_params_at(w->p, &w->c, id, layer);
}

// Head h of sequence s: keys and values lie by dimension, so that positions are neighbours.
static void attend_head(struct hw_batch_sampler *w, int layer, int s, int h, int pos)
{
    int hd = w->c.head_dim, kv_heads = w->c.n_kv_heads, kv = h / (w->c.n_heads / kv_heads);
    size_t head = (size_t)(w->length * hd);
    size_t at = ((size_t)(layer * w->n + s) * (size_t)kv_heads + (size_t)kv) * head;
    const float *q = w->v.made[HW_QUERIES] + (s * w->c.n_heads + h) * hd;
    const float *key = w->key + at, *value = w->value + at;
    float *out = w->v.attn + (s * w->c.n_heads + h) * hd;
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
            w->key[((first + h) * hd + d) * length + at] = w->v.made[HW_KEYS][h * hd + d];
            w->value[((first + h) * hd + d) * length + at] = w->v.made[HW_VALUES][h * hd + d];
        }
    }
}

static void attend(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v)
{
    struct hw_batch_sampler *w = p->user;
    (void)v; // of the sampler itself
    cache_kv(w, layer, p->pos[0]);
    for (int s = 0; s < w->n; s++) {
        for (int h = 0; h < w->c.n_heads; h++)
            attend_head(w, layer, s, h, p->pos[0]);
    }
}

static int sample(float *logits, int n, uint64_t *seed)
{
    float sum = hw_exp_row(logits, n, hw_row_max(logits, n), 1.0f);
    double at = hw_lcg_uniform(seed) * sum;
    for (int i = 0; i < n; i++) {
        at -= logits[i];
        if (at < 0.0)
            return i;
    }
    return n - 1;
}

// Logits of the next token of every sequence.
static void forward(struct hw_batch_sampler *w, const int *tokens, int pos)
{
    static const struct hw_kernels kernels = {.multiply = multiply,
                                              .vector = vector,
                                              .norm = hw_norm_rows,
                                              .attend = attend,
                                              .swiglu = hw_swiglu_rows};
    const struct hw_config *c = &w->c;
    const struct hw_pass pass = {c, c->norm_eps, w->n, w->pos, w->cos, w->sin, &kernels, w};
    for (int s = 0; s < w->n; s++)
        w->pos[s] = pos;
    hw_params_embed(w->p, c, tokens + pos, (size_t)w->length, w->n, w->v.x);
    for (int l = 0; l < c->n_layers; l++)
        hw_layer_forward(&pass, l, &w->v);
    hw_norm_rows(w->v.x, w->n, c->dim, w->p->tensor[HW_OUTPUT_NORM], c->norm_eps, NULL,
                 w->v.normed);
    multiply(&pass, hw_classifier_tensor(c), 0, w->v.normed, w->logits);
}

void hw_batch_sampler_run(struct hw_batch_sampler *w, uint64_t *seed, int *tokens, float *logits)
{
    const struct hw_config *c = &w->c;
    size_t vocab = (size_t)c->vocab_size, length = (size_t)w->length;
    for (int s = 0; s < w->n; s++)
        tokens[s * w->length] = c->bos;
    for (size_t pos = 0; pos < length; pos++) {
        forward(w, tokens, (int)pos);
        for (size_t s = 0; s < (size_t)w->n; s++) {
            float *here = w->logits + s * vocab;
            memcpy(logits + (s * length + pos) * vocab, here, vocab * sizeof *logits);
            if (pos + 1 < length)
                tokens[s * length + pos + 1] = sample(here, c->vocab_size, seed);
        }
    }
}
