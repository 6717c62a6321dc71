// SPDX-License-Identifier: Apache-2.0
// Greedy generation by the integer reference beside the same in plain float C, one thread, in one
// run: bench_reference CHECKPOINT Q.safetensors TOKENS. The float loop is the usual straightforward
// one (row times vector, libm), compiled with the same flags.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gen/quant/float_model.h"
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
    const struct hw_float *w;
    float *x, *xn, *q, *k, *v, *att, *out, *gate, *up, *logits;
};

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof *p);
    if (!p)
        exit(1);
    return p;
}

static void matmul(float *y, const float *x, const float *w, int n, int d)
{
    for (int i = 0; i < d; i++) {
        float sum = 0.0f;
        for (int j = 0; j < n; j++)
            sum += w[i * n + j] * x[j];
        y[i] = sum;
    }
}

static void norm(const struct plain *p, const float *gain)
{
    float ss = 0.0f;
    for (int i = 0; i < p->c->dim; i++)
        ss += p->x[i] * p->x[i];
    ss = 1.0f / sqrtf(ss / (float)p->c->dim + 1e-5f);
    for (int i = 0; i < p->c->dim; i++)
        p->xn[i] = gain[i] * (ss * p->x[i]);
}

static void rotate(const struct hw_config *c, float *v, int n, int pos)
{
    for (int i = 0; i < n; i += 2) {
        float f = powf((float)c->rope_base, -(float)(i % c->head_dim) / (float)c->head_dim);
        float cr = cosf((float)pos * f), sr = sinf((float)pos * f), a = v[i], b = v[i + 1];
        v[i] = a * cr - b * sr;
        v[i + 1] = a * sr + b * cr;
    }
}

static void attend(const struct plain *p, int l, int h, int pos)
{
    const struct hw_config *c = p->c;
    int hd = c->head_dim, kv = c->n_kv_heads * hd;
    size_t base = (size_t)l * (size_t)c->seq_len * (size_t)kv +
                  (size_t)(h / (c->n_heads / c->n_kv_heads)) * (size_t)hd;
    float max = -1e30f, sum = 0.0f, *out = p->out + h * hd;
    for (int t = 0; t <= pos; t++) {
        float s = 0.0f;
        for (int i = 0; i < hd; i++)
            s += p->q[h * hd + i] * p->k[base + (size_t)t * (size_t)kv + (size_t)i];
        p->att[t] = s / sqrtf((float)hd);
        max = p->att[t] > max ? p->att[t] : max;
    }
    for (int t = 0; t <= pos; t++)
        sum += p->att[t] = expf(p->att[t] - max);
    memset(out, 0, (size_t)hd * sizeof *out);
    for (int t = 0; t <= pos; t++)
        for (int i = 0; i < hd; i++)
            out[i] += p->att[t] / sum * p->v[base + (size_t)t * (size_t)kv + (size_t)i];
}

static int forward(const struct plain *p, int token, int pos)
{
    const struct hw_config *c = p->c;
    int dim = c->dim, kv = c->n_kv_heads * c->head_dim, best = 0;
    memcpy(p->x, hw_float_tensor(p->w, HW_TOK_EMBED, 0) + (size_t)token * (size_t)dim,
           (size_t)dim * sizeof *p->x);
    for (int l = 0; l < c->n_layers; l++) {
        size_t here = ((size_t)l * (size_t)c->seq_len + (size_t)pos) * (size_t)kv;
        norm(p, hw_float_tensor(p->w, HW_ATTN_NORM, l));
        matmul(p->q, p->xn, hw_float_tensor(p->w, HW_WQ, l), dim, dim);
        matmul(p->k + here, p->xn, hw_float_tensor(p->w, HW_WK, l), dim, kv);
        matmul(p->v + here, p->xn, hw_float_tensor(p->w, HW_WV, l), dim, kv);
        rotate(c, p->q, dim, pos);
        rotate(c, p->k + here, kv, pos);
        for (int h = 0; h < c->n_heads; h++)
            attend(p, l, h, pos);
        matmul(p->xn, p->out, hw_float_tensor(p->w, HW_WO, l), dim, dim);
        for (int i = 0; i < dim; i++)
            p->x[i] += p->xn[i];
        norm(p, hw_float_tensor(p->w, HW_FFN_NORM, l));
        matmul(p->gate, p->xn, hw_float_tensor(p->w, HW_W_GATE, l), dim, c->hidden_dim);
        matmul(p->up, p->xn, hw_float_tensor(p->w, HW_W_UP, l), dim, c->hidden_dim);
        for (int i = 0; i < c->hidden_dim; i++)
            p->gate[i] *= p->up[i] / (1.0f + expf(-p->gate[i]));
        matmul(p->xn, p->gate, hw_float_tensor(p->w, HW_W_DOWN, l), c->hidden_dim, dim);
        for (int i = 0; i < dim; i++)
            p->x[i] += p->xn[i];
    }
    norm(p, hw_float_tensor(p->w, HW_OUTPUT_NORM, 0));
    matmul(p->logits, p->xn, hw_float_tensor(p->w, c->tied ? HW_TOK_EMBED : HW_OUTPUT, 0), dim,
           c->vocab_size);
    for (int i = 1; i < c->vocab_size; i++)
        best = p->logits[i] > p->logits[best] ? i : best;
    return best;
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
    size_t dim = (size_t)c->dim, hidden = (size_t)c->hidden_dim;
    size_t cache = (size_t)c->n_layers * (size_t)c->seq_len * dim;
    struct plain p = {c,
                      w,
                      floats(dim),
                      floats(dim),
                      floats(dim),
                      floats(cache),
                      floats(cache),
                      floats((size_t)c->seq_len),
                      floats(dim),
                      floats(hidden),
                      floats(hidden),
                      floats((size_t)c->vocab_size)};
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
