// SPDX-License-Identifier: Apache-2.0
// Greedy generation by the integer reference beside the same in plain float C, one thread, in one
// run: bench_reference CHECKPOINT Q.safetensors TOKENS. The float loops are the usual
// straightforward ones (row times vector, libm), compiled with the same flags.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gen/float/float_model.h"
#include "gen/qmodel/file.h"
#include "refmodel/ref.h"

// Seconds of CPU, so that other work on the machine does not count.
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct plain {
    const struct hw_config *c;
    const struct hw_float *weights;
    int pos;
    struct hw_layer_vectors v;
    float *key, *value; // [n_layers][seq_len][n_kv_heads * head_dim]
    float *score, *logits, *cos, *sin;
};

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof *p);
    if (!p)
        exit(1);
    return p;
}

static void multiply(const struct hw_pass *pass, enum hw_tensor_id id, int layer, const float *x,
                     float *y)
{
    const struct plain *p = pass->user;
    const float *w = hw_float_tensor(p->weights, id, layer);
    int rows, cols;
    hw_tensor_shape(p->c, id, &rows, &cols);
    for (int i = 0; i < rows; i++) {
        float sum = 0.0f;
        for (int j = 0; j < cols; j++)
            sum += w[i * cols + j] * x[j];
        y[i] = sum;
    }
}

static const float *vector(const struct hw_pass *pass, enum hw_tensor_id id, int layer)
{
    return hw_float_tensor(((const struct plain *)pass->user)->weights, id, layer);
}

static void norm(const float *x, int rows, int width, const float *gain, double eps, float *inverse,
                 float *y)
{
    (void)inverse;
    for (int r = 0; r < rows; r++, x += width, y += width) {
        float ss = 0.0f;
        for (int i = 0; i < width; i++)
            ss += x[i] * x[i];
        ss = 1.0f / sqrtf(ss / (float)width + (float)eps);
        for (int i = 0; i < width; i++)
            y[i] = gain[i] * (ss * x[i]);
    }
}

static void attend_head(const struct plain *p, int layer, int h)
{
    const struct hw_config *c = p->c;
    int hd = c->head_dim, kv_dim = c->n_kv_heads * hd, kept = hw_positions_kept(c, layer);
    size_t kv = (size_t)kv_dim, base = (size_t)layer * (size_t)c->seq_len * kv +
                                       (size_t)(h / (c->n_heads / c->n_kv_heads) * hd);
    const float *q = p->v.made[HW_QUERIES] + h * hd, *key = p->key + base, *value = p->value + base;
    float max = -1e30f, sum = 0.0f, *out = p->v.attn + h * hd;
    for (int t = p->pos < kept ? 0 : p->pos + 1 - kept; t <= p->pos; t++) {
        float s = 0.0f;
        for (int i = 0; i < hd; i++)
            s += q[i] * key[(size_t)t * kv + (size_t)i];
        p->score[t] = s / sqrtf((float)hd);
        max = p->score[t] > max ? p->score[t] : max;
    }
    memset(out, 0, (size_t)hd * sizeof *out);
    for (int t = p->pos < kept ? 0 : p->pos + 1 - kept; t <= p->pos; t++)
        sum += p->score[t] = expf(p->score[t] - max);
    for (int t = p->pos < kept ? 0 : p->pos + 1 - kept; t <= p->pos; t++) {
        for (int i = 0; i < hd; i++)
            out[i] += p->score[t] / sum * value[(size_t)t * kv + (size_t)i];
    }
}

static void attend(const struct hw_pass *pass, int layer, const struct hw_layer_vectors *v)
{
    (void)v;
    for (int h = 0; h < pass->c->n_heads; h++)
        attend_head(pass->user, layer, h);
}

static void swiglu(const float *gate, const float *up, size_t size, float *hidden)
{
    for (size_t i = 0; i < size; i++)
        hidden[i] = gate[i] * (up[i] / (1.0f + expf(-gate[i])));
}

static int forward(struct plain *p, int token, int pos)
{
    static const struct hw_kernels kernels = {
        .multiply = multiply, .vector = vector, .norm = norm, .attend = attend, .swiglu = swiglu};
    const struct hw_config *c = p->c;
    const struct hw_pass pass = {c, c->norm_eps, 1, &p->pos, p->cos, p->sin, &kernels, p};
    size_t kv_dim = (size_t)hw_projection_width(c, HW_KEYS), dim = (size_t)c->dim;
    int best = 0;
    p->pos = pos;
    memcpy(p->v.x, hw_float_tensor(p->weights, HW_TOK_EMBED, 0) + (size_t)token * dim,
           dim * sizeof *p->v.x);
    for (int l = 0; l < c->n_layers; l++) {
        size_t here = ((size_t)l * (size_t)c->seq_len + (size_t)pos) * kv_dim;
        p->v.made[HW_KEYS] = p->v.row[HW_KEYS] = p->key + here;
        p->v.made[HW_VALUES] = p->value + here;
        hw_layer_forward(&pass, l, &p->v);
    }
    norm(p->v.x, 1, c->dim, hw_float_tensor(p->weights, HW_OUTPUT_NORM, 0), c->norm_eps, NULL,
         p->v.normed);
    multiply(&pass, hw_classifier_tensor(c), 0, p->v.normed, p->logits);
    for (int i = 1; i < c->vocab_size; i++)
        best = p->logits[i] > p->logits[best] ? i : best;
    return best;
}

static struct plain plain_new(const struct hw_config *c, const struct hw_float *weights)
{
    size_t dim = (size_t)c->dim, hidden = (size_t)c->hidden_dim, positions = (size_t)c->seq_len;
    size_t q_dim = (size_t)hw_projection_width(c, HW_QUERIES);
    size_t kv_dim = (size_t)hw_projection_width(c, HW_KEYS);
    struct plain p = {.c = c,
                      .weights = weights,
                      .v = {.x = floats(dim),
                            .normed = floats(dim),
                            .attn = floats(q_dim),
                            .gate = floats(hidden),
                            .up = floats(hidden)},
                      .key = floats((size_t)c->n_layers * positions * kv_dim),
                      .value = floats((size_t)c->n_layers * positions * kv_dim),
                      .score = floats(positions),
                      .logits = floats((size_t)c->vocab_size),
                      .cos = floats(positions * (size_t)c->head_dim / 2),
                      .sin = floats(positions * (size_t)c->head_dim / 2)};
    p.v.made[HW_QUERIES] = p.v.row[HW_QUERIES] = floats(q_dim);
    p.v.mid = p.v.out = p.v.x;
    p.v.mid_normed = p.v.change = p.v.normed;
    p.v.hidden = p.v.gate;
    hw_rope_table(c, c->seq_len, p.cos, p.sin);
    return p;
}

int main(int argc, char **argv)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    struct hw_model *model = argc == 4 ? hw_model_open(argv[1], &err) : NULL;
    struct hw_float *w = model ? hw_float_new(model, &err) : NULL;
    if (!w || !hw_qmodel_read(&q, argv[2], &err))
        return fprintf(stderr, "bench_reference: %s\n", argc == 4 ? err.text : "three arguments"),
               1;
    const struct hw_config *c = hw_model_config(model);
    struct plain p = plain_new(c, w);
    struct hw_ref *ref = hw_ref_new(&q);
    int n = atoi(argv[3]) < c->seq_len ? atoi(argv[3]) : c->seq_len;
    double seconds[2] = {1e9, 1e9};
    for (int round = 0; round < 3; round++) {
        double start = now();
        int a = 1, b = 1;
        for (int pos = 0; pos < n; pos++)
            a = forward(&p, a, pos);
        double middle = now();
        for (int pos = 0; pos < n; pos++)
            b = hw_ref_argmax(hw_ref_forward(ref, b, pos, 1), c->vocab_size);
        double end = now();
        seconds[0] = middle - start < seconds[0] ? middle - start : seconds[0];
        seconds[1] = end - middle < seconds[1] ? end - middle : seconds[1];
    }
    printf("float_tokens_per_s %.1f reference_tokens_per_s %.1f\n", n / seconds[0], n / seconds[1]);
    return 0;
}
