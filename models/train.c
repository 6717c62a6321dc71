// SPDX-License-Identifier: Apache-2.0
// Owns the training of the default model: a small Llama learns, from random weights, the next-token
// distribution of a teacher with the same vocabulary (text sampled from it, and real text with its
// soft labels) or, with --vocab in place of --teacher, real text alone, then (--qat) learns again
// with its weights held on the grid of the integer machine. Owns too the perplexity protocol
// (--eval), greedy text (--generate) and its own checks
// (--selftest). Reads and writes the llama2.c v0 layout only; refuses untied classifiers, sizes
// that disagree with the header, dims that are not multiples of 32 and head_dim other than 8 or 16.
// A tool that runs to completion and holds nothing: unlike the libraries here, an error exits.
//
//   cc -std=c11 -D_POSIX_C_SOURCE=200809L -O3 -march=native -ffp-contract=fast train.c -o train -lm
// (-Wno-psabi besides, where vectors of 64 bytes are not native.)
//
// How it is fast: one window at a time through all layers, so that activations stay in cache; one
// packed matrix multiply for all three forms; attention with 16 queries in the lanes of a vector,
// so that it has no horizontal sums.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---------------------------------------------------------------------------- small helpers

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
static void
fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("train: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

// Zeroed memory on a 64-byte boundary; never freed before exit unless it is a temporary.
static void *alloc(size_t bytes)
{
    void *p = NULL;
    size_t size = (bytes + 63) / 64 * 64;
    if (posix_memalign(&p, 64, size ? size : 64))
        fail("out of memory (%zu bytes)", size);
    memset(p, 0, size);
    return p;
}

static float *floats(size_t n)
{
    return alloc(n * sizeof(float));
}

static char *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail("%s: %s", path, strerror(errno));
    long end = -1;
    if (fseek(f, 0, SEEK_END) == 0)
        end = ftell(f);
    if (end < 0 || fseek(f, 0, SEEK_SET))
        fail("%s: cannot seek", path);
    char *data = alloc((size_t)end + 1);
    if (fread(data, 1, (size_t)end, f) != (size_t)end)
        fail("%s: short read", path);
    fclose(f);
    *size = (size_t)end;
    return data;
}

// Files appear whole or not at all: written under a temporary name, renamed by write_end.
typedef struct {
    FILE *f;
    char path[512], temp[520];
} writer;

static writer write_begin(const char *path)
{
    writer w;
    if (strlen(path) >= sizeof w.path)
        fail("%s: path too long", path);
    snprintf(w.path, sizeof w.path, "%s", path);
    snprintf(w.temp, sizeof w.temp, "%s.tmp", path);
    w.f = fopen(w.temp, "wb");
    if (!w.f)
        fail("%s: %s", w.temp, strerror(errno));
    return w;
}

static void write_bytes(writer *w, const void *data, size_t bytes)
{
    if (fwrite(data, 1, bytes, w->f) != bytes)
        fail("%s: write failed", w->temp);
}

static void write_end(writer *w)
{
    if (fclose(w->f) || rename(w->temp, w->path))
        fail("%s: %s", w->path, strerror(errno));
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t rng_state = 1; // splitmix64

static uint64_t rng_next(void)
{
    uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static float rng_uniform(void) // [0, 1)
{
    return (float)(rng_next() >> 40) / 16777216.0f;
}

static float rng_normal(void)
{
    float u = rng_uniform() + 1e-7f, v = rng_uniform();
    return sqrtf(-2.0f * logf(u)) * cosf(6.2831853f * v);
}

static size_t rng_below(size_t n)
{
    return (size_t)(rng_next() % n);
}

// ---------------------------------------------------------------------------- vectors

#if defined(__AVX512F__)
#define VW 16 // lanes of a vector
#else
#define VW 8 // wider ones, split by the compiler, spill: four times slower with AVX2
#endif
typedef float vf __attribute__((vector_size(4 * VW), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VW), may_alias));
typedef float vf_mem __attribute__((vector_size(4 * VW), may_alias, aligned(4)));
typedef float v8 __attribute__((vector_size(32), may_alias, aligned(4)));
#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p)
{
    return *(const vf_mem *)p;
}

INLINE void store(float *p, vf v)
{
    *(vf_mem *)p = v;
}

INLINE vf splat(float x)
{
    return x - (vf){0};
}

INLINE vf select_v(vi mask, vf yes, vf no)
{
    return (vf)(((vi)yes & mask) | ((vi)no & ~mask));
}

INLINE float sum_v(vf v)
{
    float s[4] = {0};
    for (int i = 0; i < VW; i++)
        s[i & 3] += v[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

INLINE float max_v(vf v)
{
    float m = v[0];
    for (int i = 1; i < VW; i++)
        m = v[i] > m ? v[i] : m;
    return m;
}

// exp(x) for x <= 88, relative error below 3e-7; 0 under -87. x = n ln2 + r, |r| <= ln2 / 2.
INLINE vf exp_v(vf x)
{
    const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer in the low bits
    vf shifted = x * 1.44269504f + magic;
    vf n = shifted - magic;
    vf r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    vi power = ((vi)shifted << 23) + (127 << 23);
    return (vf)((vi)(p * (vf)power) & (x > -87.0f));
}

// ---------------------------------------------------------------------------- matrix multiply

enum { MR = VW / 2, NC = 2 * VW, PANEL = 192 };
enum { NV = NC / VW };

// c[MR][NC] (+)= sum over k of a(i, k) * panel[k][NC]
INLINE void micro(int p, const float *a, long a_row, long a_col, const float *panel, float *c,
                  long c_row, int add)
{
    vf acc[MR][NV];
    for (int i = 0; i < MR; i++)
        for (int j = 0; j < NV; j++)
            acc[i][j] = (vf){0};
    for (int k = 0; k < p; k++, a += a_col, panel += NC) {
#pragma GCC unroll 8
        for (int i = 0; i < MR; i++)
#pragma GCC unroll 2
            for (int j = 0; j < NV; j++)
                acc[i][j] += a[i * a_row] * *(const vf *)(panel + j * VW);
    }
    for (int i = 0; i < MR; i++)
        for (int j = 0; j < NV; j++) {
            float *out = c + i * c_row + j * VW;
            if (add)
                acc[i][j] += load(out);
            store(out, acc[i][j]);
        }
}

// c[m][n] (+)= a[m][p] * b[p][n]; a(i, k) = a[i * a_row + k * a_col], b and c by rows.
// m a multiple of MR, n of NC. One panel of b at a time is copied together, to lie in the L1 cache.
static void gemm(int m, int n, int p, const float *a, int a_row, int a_col, const float *b,
                 int b_row, float *c, int c_row, int add)
{
    static float panel[PANEL * NC] __attribute__((aligned(64)));
    int parts = (p + PANEL - 1) / PANEL, step = (p + parts - 1) / parts;
    for (int k = 0; k < p; k += step) {
        int len = p - k < step ? p - k : step;
        for (int j = 0; j < n; j += NC) {
            for (int r = 0; r < len; r++)
                memcpy(panel + r * NC, b + (long)(k + r) * b_row + j, NC * sizeof(float));
            for (int i = 0; i < m; i += MR) {
                const float *from = a + (long)i * a_row + (long)k * a_col;
                float *to = c + (long)i * c_row + j;
                if (a_col == 1)
                    micro(len, from, a_row, 1, panel, to, c_row, add || k);
                else
                    micro(len, from, 1, a_col, panel, to, c_row, add || k);
            }
        }
    }
}

static void transpose(const float *a, int rows, int cols, float *out) // out[cols][rows]
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            out[(long)j * rows + i] = a[(long)i * cols + j];
}

// ---------------------------------------------------------------------------- the model

typedef struct {
    int dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len; // as in the file
    int head_dim, kv_dim;
    int qkv_dim; // dim + 2 * kv_dim: q, k and v are one matrix here
    int hid;     // hidden_dim rounded up to 32; the added rows and columns stay zero
} config;

// Weights, gradients, optimiser moments and rounded weights all have this one layout.
typedef struct {
    float *data; // all of it, n floats
    size_t n;
    float *embed;     // [vocab_size][dim], also the classifier
    float *rms_att;   // [n_layers][dim]
    float *rms_ffn;   // [n_layers][dim]
    float *rms_final; // [dim]
    float *wqkv;      // [n_layers][qkv_dim][dim]
    float *wo;        // [n_layers][dim][dim]
    float *w13;       // [n_layers][2 * hid][dim], gate rows then up rows
    float *w2;        // [n_layers][dim][hid]
} tensors;

static void config_finish(config *c, const char *where)
{
    if (c->vocab_size <= 0)
        fail("%s: vocab_size %d: only tied classifiers are supported", where, c->vocab_size);
    if (c->dim <= 0 || c->dim > 1024 || c->hidden_dim <= 0 || c->hidden_dim > 4096 ||
        c->n_layers <= 0 || c->n_layers > 64 || c->n_heads <= 0 || c->n_kv_heads <= 0 ||
        c->vocab_size > 65536 || c->seq_len <= 0 || c->seq_len > 4096)
        fail("%s: a size in the header is out of range", where);
    if (c->dim % c->n_heads || c->n_heads % c->n_kv_heads)
        fail("%s: dim %d, heads %d, kv heads %d do not divide", where, c->dim, c->n_heads,
             c->n_kv_heads);
    c->head_dim = c->dim / c->n_heads;
    c->kv_dim = c->head_dim * c->n_kv_heads;
    c->qkv_dim = c->dim + 2 * c->kv_dim;
    c->hid = (c->hidden_dim + 31) / 32 * 32;
    if (c->dim % 32 || c->qkv_dim % 32 || c->vocab_size % 32 || c->seq_len % 16)
        fail("%s: dim, qkv_dim and vocab_size must be multiples of 32, ctx of 16", where);
    if (c->head_dim != 8 && c->head_dim != 16)
        fail("%s: head_dim %d, expected 8 or 16", where, c->head_dim);
}

static tensors tensors_new(const config *c)
{
    size_t d = (size_t)c->dim, l = (size_t)c->n_layers, h = (size_t)c->hid;
    size_t q = (size_t)c->qkv_dim, v = (size_t)c->vocab_size;
    tensors t;
    t.n = v * d + 2 * l * d + d + l * q * d + l * d * d + 3 * l * h * d;
    t.data = t.embed = floats(t.n);
    t.rms_att = t.embed + v * d;
    t.rms_ffn = t.rms_att + l * d;
    t.rms_final = t.rms_ffn + l * d;
    t.wqkv = t.rms_final + d;
    t.wo = t.wqkv + l * q * d;
    t.w13 = t.wo + l * d * d;
    t.w2 = t.w13 + 2 * l * h * d;
    return t;
}

// The forward pass multiplies by transposes: t gets every matrix of w transposed.
static void tensors_transpose(const config *c, const tensors *w, tensors *t)
{
    int d = c->dim, q = c->qkv_dim, h = c->hid;
    transpose(w->embed, c->vocab_size, d, t->embed);
    for (int l = 0; l < c->n_layers; l++) {
        transpose(w->wqkv + (long)l * q * d, q, d, t->wqkv + (long)l * q * d);
        transpose(w->wo + (long)l * d * d, d, d, t->wo + (long)l * d * d);
        transpose(w->w13 + (long)l * 2 * h * d, 2 * h, d, t->w13 + (long)l * 2 * h * d);
        transpose(w->w2 + (long)l * h * d, d, h, t->w2 + (long)l * h * d);
    }
}

// Walks the tensors of a v0 file in order; each piece is one contiguous run of floats.
typedef void (*piece_fn)(void *ctx, float *p, size_t n);

static void v0_pieces(const config *c, const tensors *t, piece_fn f, void *ctx)
{
    size_t d = (size_t)c->dim, kv = (size_t)c->kv_dim, q = (size_t)c->qkv_dim;
    size_t h = (size_t)c->hid, hd = (size_t)c->hidden_dim, n = (size_t)c->n_layers;
    f(ctx, t->embed, (size_t)c->vocab_size * d);
    f(ctx, t->rms_att, n * d);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->wqkv + l * q * d, d * d);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->wqkv + l * q * d + d * d, kv * d);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->wqkv + l * q * d + (d + kv) * d, kv * d);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->wo + l * d * d, d * d);
    f(ctx, t->rms_ffn, n * d);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->w13 + l * 2 * h * d, hd * d);
    for (size_t l = 0; l < n; l++)
        for (size_t i = 0; i < d; i++)
            f(ctx, t->w2 + (l * d + i) * h, hd);
    for (size_t l = 0; l < n; l++)
        f(ctx, t->w13 + (l * 2 * h + h) * d, hd * d);
    f(ctx, t->rms_final, d);
}

typedef struct {
    const char *at;
    size_t left;
    const char *path;
} cursor;

static void piece_read(void *ctx, float *p, size_t n)
{
    cursor *c = ctx;
    if (n > c->left / sizeof(float))
        fail("%s: file too short for its header", c->path);
    memcpy(p, c->at, n * sizeof(float));
    c->at += n * sizeof(float);
    c->left -= n * sizeof(float);
}

static void piece_write(void *ctx, float *p, size_t n)
{
    write_bytes(ctx, p, n * sizeof(float));
}

static tensors model_load(const char *path, config *c)
{
    size_t size;
    char *data = read_whole(path, &size);
    int32_t head[7];
    if (size < sizeof head)
        fail("%s: shorter than a llama2.c v0 header", path);
    memcpy(head, data, sizeof head);
    *c = (config){.dim = head[0],
                  .hidden_dim = head[1],
                  .n_layers = head[2],
                  .n_heads = head[3],
                  .n_kv_heads = head[4],
                  .vocab_size = head[5],
                  .seq_len = head[6]};
    config_finish(c, path);
    tensors t = tensors_new(c);
    cursor cur = {data + sizeof head, size - sizeof head, path};
    v0_pieces(c, &t, piece_read, &cur);
    size_t rope_bytes = (size_t)c->seq_len * (size_t)c->head_dim * sizeof(float);
    if (cur.left != rope_bytes)
        fail("%s: %zu bytes after the weights, expected %zu", path, cur.left, rope_bytes);
    free(data);
    return t;
}

// Angle of position t, pair i, as llama2.c has it: t * 10000^(-2i / head_dim).
static double rope_angle(int t, int i, int head_dim)
{
    return (double)t * pow(10000.0, -2.0 * i / head_dim);
}

static void model_save(const char *path, const config *c, const tensors *t)
{
    writer w = write_begin(path);
    int32_t head[7] = {c->dim,        c->hidden_dim, c->n_layers, c->n_heads,
                       c->n_kv_heads, c->vocab_size, c->seq_len};
    write_bytes(&w, head, sizeof head);
    v0_pieces(c, t, piece_write, &w);
    for (int part = 0; part < 2; part++) // freq_cis_real, freq_cis_imag: [ctx][head_dim / 2]
        for (int pos = 0; pos < c->seq_len; pos++)
            for (int i = 0; i < c->head_dim / 2; i++) {
                double angle = rope_angle(pos, i, c->head_dim);
                float x = (float)(part ? sin(angle) : cos(angle));
                write_bytes(&w, &x, sizeof x);
            }
    write_end(&w);
}

// ---------------------------------------------------------------------------- activations

// Where a layer's activations become int8 in the machine.
enum { SITE_ATT_IN, SITE_ATT_OUT, SITE_FFN_IN, SITE_HIDDEN, SITES };

// Everything one window leaves behind for the backward pass. T is the longest window.
typedef struct {
    float *x;        // [n_layers + 1][T][dim] residual stream before each layer, and after all
    float *x_mid;    // [n_layers][T][dim] residual stream between attention and ffn
    float *xn1;      // [n_layers][T][dim] normed input of attention
    float *xn2;      // [n_layers][T][dim] normed input of the ffn
    float *rstd1;    // [n_layers][T] 1 / rms
    float *rstd2;    // [n_layers][T]
    float *qkv;      // [n_layers][T][qkv_dim] after RoPE
    float *lse;      // [n_layers][n_heads][T] log of the softmax denominator
    float *att;      // [n_layers][T][dim] heads side by side
    float *h13;      // [n_layers][T][2 * hid] gate and up before SiLU
    float *hh;       // [n_layers][T][hid] silu(gate) * up
    float *xf;       // [T][dim] after the last norm
    float *rstdf;    // [T]
    float *logits;   // [T][vocab_size], turned into their gradient by the loss
    float *cos_t;    // [T][head_dim / 2]
    float *sin_t;    // [T][head_dim / 2]
    float *dx, *dxn; // [T][dim] backward: residual stream, normed
    float *dqkv;     // [T][qkv_dim]
    float *dh;       // [T][hid]
    float *d13;      // [T][2 * hid]
    int T;
    int stride; // T, or 0 when layers share one buffer: forward only
    // Rounding of activations to int8 (static scale per tensor): off when peak is NULL.
    float *peak; // [n_layers * SITES + 1] largest magnitude; scale = peak / 127
    int track;   // follow the peak while training
} acts;

static acts acts_new(const config *c, int T, int keep)
{
    size_t t = (size_t)T, d = (size_t)c->dim, h = (size_t)c->hid;
    size_t l = keep ? (size_t)c->n_layers : 1;
    acts a = {.T = T, .stride = keep ? T : 0};
    a.x = floats((l + 1) * t * d), a.x_mid = floats(l * t * d);
    a.xn1 = floats(l * t * d), a.xn2 = floats(l * t * d);
    a.rstd1 = floats(l * t), a.rstd2 = floats(l * t), a.rstdf = floats(t);
    a.qkv = floats(l * t * (size_t)c->qkv_dim), a.lse = floats(l * t * (size_t)c->n_heads);
    a.att = floats(l * t * d), a.h13 = floats(l * t * 2 * h), a.hh = floats(l * t * h);
    a.xf = floats(t * d), a.logits = floats(t * (size_t)c->vocab_size);
    a.dx = floats(t * d), a.dxn = floats(t * d), a.dqkv = floats(t * (size_t)c->qkv_dim);
    a.dh = floats(t * h), a.d13 = floats(t * 2 * h);
    int half = c->head_dim / 2;
    a.cos_t = floats(t * (size_t)half), a.sin_t = floats(t * (size_t)half);
    for (int p = 0; p < T; p++)
        for (int i = 0; i < half; i++) {
            a.cos_t[p * half + i] = (float)cos(rope_angle(p, i, c->head_dim));
            a.sin_t[p * half + i] = (float)sin(rope_angle(p, i, c->head_dim));
        }
    return a;
}

// y[n][d] = x / sqrt(mean(x^2) + 1e-5) * gain
static void rmsnorm(float *y, float *rstd, const float *x, const float *gain, int n, int d)
{
    for (int t = 0; t < n; t++, x += d, y += d) {
        vf ss = {0};
        for (int i = 0; i < d; i += VW)
            ss += load(x + i) * load(x + i);
        float r = 1.0f / sqrtf(sum_v(ss) / (float)d + 1e-5f);
        rstd[t] = r;
        for (int i = 0; i < d; i += VW)
            store(y + i, load(x + i) * r * load(gain + i));
    }
}

// dx += gradient through rmsnorm; dgain += its own
static void rmsnorm_backward(float *dx, float *dgain, const float *dy, const float *x,
                             const float *gain, const float *rstd, int n, int d)
{
    for (int t = 0; t < n; t++, x += d, dx += d, dy += d) {
        float r = rstd[t];
        vf dot = {0};
        for (int i = 0; i < d; i += VW) {
            vf g = load(dy + i) * load(x + i) * r;
            store(dgain + i, load(dgain + i) + g);
            dot += g * load(gain + i);
        }
        float mean = sum_v(dot) / (float)d * r;
        for (int i = 0; i < d; i += VW)
            store(dx + i, load(dx + i) + r * (load(dy + i) * load(gain + i) - load(x + i) * mean));
    }
}

// Turns each pair (2i, 2i + 1) of every q and k head by its position's angle; sign -1 turns back.
static void rope(const config *c, float *qkv, const float *cos_t, const float *sin_t, int n,
                 float sign)
{
    int half = c->head_dim / 2, pairs = (c->dim + c->kv_dim) / 2;
    for (int t = 0; t < n; t++, qkv += c->qkv_dim)
        for (int i = 0; i < pairs; i++) {
            float co = cos_t[t * half + i % half], si = sign * sin_t[t * half + i % half];
            float a = qkv[2 * i], b = qkv[2 * i + 1];
            qkv[2 * i] = a * co - b * si;
            qkv[2 * i + 1] = a * si + b * co;
        }
}

// Rounds x[n] to int8 steps of peak / 127 in place, clipped; gradients pass straight through.
static void round_site(const acts *a, int site, float *x, size_t n)
{
    if (!a->peak)
        return;
    float *peak = a->peak + site;
    if (a->track) {
        float m = 0;
        for (size_t i = 0; i < n; i++)
            m = fabsf(x[i]) > m ? fabsf(x[i]) : m;
        *peak = m > *peak * 0.9995f ? m : *peak * 0.9995f;
    }
    const float magic = 12582912.0f;
    vf top = splat(127), bottom = splat(-127);
    float scale = *peak / 127.0f, inverse = 127.0f / *peak;
    for (size_t i = 0; i < n; i += VW) {
        vf u = load(x + i) * inverse;
        u = select_v(u > top, top, select_v(u < bottom, bottom, u));
        store(x + i, ((u + magic) - magic) * scale);
    }
}

// Rows of one head, copied together (rows[n][hd], scaled) from src[n][stride].
INLINE void copy_rows(int hd, int n, const float *src, int stride, float scale, float *rows)
{
    for (int t = 0; t < n; t++)
        for (int d = 0; d < hd; d++)
            rows[t * hd + d] = src[(long)t * stride + d] * scale;
}

// rows[VW][hd] turned so that lanes are rows: out[hd] vectors; and back.
INLINE void to_lanes(int hd, const float *rows, vf *out)
{
    for (int d = 0; d < hd; d++)
        for (int l = 0; l < VW; l++)
            ((float *)&out[d])[l] = rows[l * hd + d];
}

INLINE void from_lanes(int hd, const vf *in, float *rows, int stride, float scale)
{
    for (int l = 0; l < VW; l++)
        for (int d = 0; d < hd; d++)
            rows[(long)l * stride + d] = ((const float *)&in[d])[l] * scale;
}

static const vi lane_index = {0,  1,  2,  3,  4,
                              5,  6,  7,
#if VW == 16
                              8,  9,  10, 11, 12,
                              13, 14, 15
#endif
};

// One query block (lanes are queries), all keys j <= query: out = softmax(q k / sqrt(hd)) v.
// k, v: [n][hd]. No running maximum: |q| |k| bounds the scores (capped, so that nothing vanishes).
INLINE void attend_block(int hd, int t0, const vf *q, const float *k, const float *v, float k_norm,
                         vf *out, float *lse)
{
    vf qq = {0}, sum = splat(1e-30f), bound;
    for (int d = 0; d < hd; d++)
        qq += q[d] * q[d], out[d] = (vf){0};
    for (int l = 0; l < VW; l++) {
        float b = sqrtf(qq[l]) * k_norm;
        bound[l] = b < 40.0f ? b : 40.0f;
    }
    for (int j = 0; j < t0 + VW; j++) {
        vf s = q[0] * k[j * hd] - bound;
        for (int d = 1; d < hd; d++)
            s += q[d] * k[j * hd + d];
        vf p = exp_v(s);
        if (j > t0)
            p = (vf)((vi)p & (lane_index >= j - t0));
        sum += p;
        for (int d = 0; d < hd; d++)
            out[d] += p * v[j * hd + d];
    }
    for (int d = 0; d < hd; d++)
        out[d] /= sum;
    for (int l = 0; l < VW; l++)
        lse[l] = bound[l] + logf(sum[l]);
}

// dq (vectors), dk, dv [n][hd] of one query block. Scores are computed again from lse; p and ds of
// the block (p_row, ds_row: [n][VW]) are kept, since dk and dv sum over queries, not keys.
// q_rows, do_rows: [VW][hd], the same numbers as q and dout.
INLINE void attend_block_backward(int hd, int t0, const vf *q, const vf *dout, const float *q_rows,
                                  const float *do_rows, const float *k, const float *v, vf lse,
                                  vf delta, float *p_row, float *ds_row, vf *dq, float *dk,
                                  float *dv)
{
    for (int d = 0; d < hd; d++)
        dq[d] = (vf){0};
    for (int j = 0; j < t0 + VW; j++) {
        vf s = q[0] * k[j * hd] - lse, dp = dout[0] * v[j * hd] - delta;
        for (int d = 1; d < hd; d++) {
            s += q[d] * k[j * hd + d];
            dp += dout[d] * v[j * hd + d];
        }
        vf p = exp_v(s);
        if (j > t0)
            p = (vf)((vi)p & (lane_index >= j - t0));
        vf ds = p * dp;
        store(p_row + j * VW, p);
        store(ds_row + j * VW, ds);
        for (int d = 0; d < hd; d++)
            dq[d] += ds * k[j * hd + d];
    }
    for (int j = 0; j < t0 + VW; j++)
        for (int e = 0; e < hd; e += 8) {
            v8 ak = {0}, av = {0};
#pragma GCC unroll 16
            for (int l = 0; l < VW; l++) {
                ak += ds_row[j * VW + l] * *(const v8 *)(q_rows + l * hd + e);
                av += p_row[j * VW + l] * *(const v8 *)(do_rows + l * hd + e);
            }
            *(v8 *)(dk + j * hd + e) += ak;
            *(v8 *)(dv + j * hd + e) += av;
        }
}

enum { MAX_T = 4096 };

// qkv [n][qkv_dim] -> att [n][dim], lse [n_heads][n] (row length T)
INLINE void attention_hd(int hd, const config *c, const float *qkv, int n, float *att, float *lse,
                         int T)
{
    static float k[MAX_T * 16], v[MAX_T * 16];
    int group = c->n_heads / c->n_kv_heads;
    float scale = 1.0f / sqrtf((float)hd);
    for (int g = 0; g < c->n_kv_heads; g++) {
        copy_rows(hd, n, qkv + c->dim + g * hd, c->qkv_dim, 1.0f, k);
        copy_rows(hd, n, qkv + c->dim + c->kv_dim + g * hd, c->qkv_dim, 1.0f, v);
        float k_norm = 0;
        for (int j = 0; j < n; j++) {
            float kk = 0;
            for (int d = 0; d < hd; d++)
                kk += k[j * hd + d] * k[j * hd + d];
            k_norm = kk > k_norm ? kk : k_norm;
        }
        for (int h = g * group; h < (g + 1) * group; h++)
            for (int t0 = 0; t0 < n; t0 += VW) {
                float rows[VW * 16];
                vf q[16], out[16];
                copy_rows(hd, VW, qkv + (long)t0 * c->qkv_dim + h * hd, c->qkv_dim, scale, rows);
                to_lanes(hd, rows, q);
                attend_block(hd, t0, q, k, v, sqrtf(k_norm), out, lse + (long)h * T + t0);
                from_lanes(hd, out, att + (long)t0 * c->dim + h * hd, c->dim, 1.0f);
            }
    }
}

// datt [n][dim] -> dqkv [n][qkv_dim]
INLINE void attention_backward_hd(int hd, const config *c, const float *qkv, const float *att,
                                  const float *lse, int T, const float *datt, int n, float *dqkv)
{
    static float k[MAX_T * 16], v[MAX_T * 16], p_row[MAX_T * VW], ds_row[MAX_T * VW];
    static float dk[MAX_T * 16] __attribute__((aligned(64)));
    static float dv[MAX_T * 16] __attribute__((aligned(64)));
    int group = c->n_heads / c->n_kv_heads;
    float scale = 1.0f / sqrtf((float)hd);
    for (int g = 0; g < c->n_kv_heads; g++) {
        copy_rows(hd, n, qkv + c->dim + g * hd, c->qkv_dim, 1.0f, k);
        copy_rows(hd, n, qkv + c->dim + c->kv_dim + g * hd, c->qkv_dim, 1.0f, v);
        memset(dk, 0, (size_t)(n * hd) * sizeof(float));
        memset(dv, 0, (size_t)(n * hd) * sizeof(float));
        for (int h = g * group; h < (g + 1) * group; h++)
            for (int t0 = 0; t0 < n; t0 += VW) {
                float q_rows[VW * 16] __attribute__((aligned(64)));
                float do_rows[VW * 16] __attribute__((aligned(64)));
                vf q[16], dout[16], dq[16], delta = {0};
                long at = (long)t0 * c->dim + h * hd;
                copy_rows(hd, VW, qkv + (long)t0 * c->qkv_dim + h * hd, c->qkv_dim, scale, q_rows);
                copy_rows(hd, VW, datt + at, c->dim, 1.0f, do_rows);
                to_lanes(hd, q_rows, q);
                to_lanes(hd, do_rows, dout);
                for (int l = 0; l < VW; l++) { // delta = dout . out = sum over keys of p dp
                    float s = 0;
                    for (int d = 0; d < hd; d++)
                        s += do_rows[l * hd + d] * att[at + (long)l * c->dim + d];
                    delta[l] = s;
                }
                attend_block_backward(hd, t0, q, dout, q_rows, do_rows, k, v,
                                      load(lse + (long)h * T + t0), delta, p_row, ds_row, dq, dk,
                                      dv);
                from_lanes(hd, dq, dqkv + (long)t0 * c->qkv_dim + h * hd, c->qkv_dim, scale);
            }
        for (int t = 0; t < n; t++)
            for (int d = 0; d < hd; d++) {
                dqkv[(long)t * c->qkv_dim + c->dim + g * hd + d] = dk[t * hd + d];
                dqkv[(long)t * c->qkv_dim + c->dim + c->kv_dim + g * hd + d] = dv[t * hd + d];
            }
    }
}

static void attention(const config *c, const float *qkv, int n, float *att, float *lse, int T)
{
    if (c->head_dim == 8)
        attention_hd(8, c, qkv, n, att, lse, T);
    else
        attention_hd(16, c, qkv, n, att, lse, T);
}

static void attention_backward(const config *c, const float *qkv, const float *att,
                               const float *lse, int T, const float *datt, int n, float *dqkv)
{
    if (c->head_dim == 8)
        attention_backward_hd(8, c, qkv, att, lse, T, datt, n, dqkv);
    else
        attention_backward_hd(16, c, qkv, att, lse, T, datt, n, dqkv);
}

// ---------------------------------------------------------------------------- forward, backward

// hh[n][hid] = silu(gate) * up, h13[n][2 * hid] = gate then up
static void swiglu(float *hh, const float *h13, int n, int hid)
{
    for (int t = 0; t < n; t++, hh += hid, h13 += 2 * hid)
        for (int i = 0; i < hid; i += VW) {
            vf g = load(h13 + i), up = load(h13 + hid + i);
            vf e = exp_v(-(vf)((vi)g & 0x7fffffff)); // exp(-|g|): cannot overflow
            store(hh + i, g * up * select_v(g > 0.0f, splat(1), e) / (1.0f + e));
        }
}

static void swiglu_backward(float *d13, const float *dh, const float *h13, int n, int hid)
{
    for (int t = 0; t < n; t++, d13 += 2 * hid, dh += hid, h13 += 2 * hid)
        for (int i = 0; i < hid; i += VW) {
            vf g = load(h13 + i), up = load(h13 + hid + i), d = load(dh + i);
            vf e = exp_v(-(vf)((vi)g & 0x7fffffff));
            vf sig = select_v(g > 0.0f, splat(1), e) / (1.0f + e);
            store(d13 + i, d * up * sig * (1.0f + g * (1.0f - sig)));
            store(d13 + hid + i, d * g * sig);
        }
}

// out[n][d] += in[n][d]
static void add_rows(float *out, const float *in, size_t n)
{
    for (size_t i = 0; i < n; i += VW)
        store(out + i, load(out + i) + load(in + i));
}

// tokens[n] -> a->logits[n][vocab_size]; n a multiple of 16. wt: the matrices of w transposed.
static void forward(const config *c, const tensors *w, const tensors *wt, acts *a,
                    const uint16_t *tokens, int n)
{
    int d = c->dim, h = c->hid, q = c->qkv_dim, T = a->T, S = a->stride;
    for (int t = 0; t < n; t++)
        memcpy(a->x + (long)t * d, w->embed + (long)tokens[t] * d, (size_t)d * sizeof(float));
    for (int l = 0; l < c->n_layers; l++) {
        const float *x = a->x + (long)l * S * d;
        float *xn1 = a->xn1 + (long)l * S * d, *xn2 = a->xn2 + (long)l * S * d;
        float *qkv = a->qkv + (long)l * S * q, *att = a->att + (long)l * S * d;
        float *x_mid = a->x_mid + (long)l * S * d, *out = a->x + (long)(l + 1) * S * d;
        float *h13 = a->h13 + (long)l * S * 2 * h, *hh = a->hh + (long)l * S * h;
        // attention input, q k v, positions
        rmsnorm(xn1, a->rstd1 + (long)l * S, x, w->rms_att + l * d, n, d);
        round_site(a, l * SITES + SITE_ATT_IN, xn1, (size_t)(n * d));
        gemm(n, q, d, xn1, d, 1, wt->wqkv + (long)l * q * d, q, qkv, q, 0);
        rope(c, qkv, a->cos_t, a->sin_t, n, 1.0f);
        // heads, output projection, residual
        attention(c, qkv, n, att, a->lse + (long)l * c->n_heads * S, T);
        round_site(a, l * SITES + SITE_ATT_OUT, att, (size_t)(n * d));
        memcpy(x_mid, x, (size_t)(n * d) * sizeof(float));
        gemm(n, d, d, att, d, 1, wt->wo + (long)l * d * d, d, x_mid, d, 1);
        // feed-forward and residual
        rmsnorm(xn2, a->rstd2 + (long)l * S, x_mid, w->rms_ffn + l * d, n, d);
        round_site(a, l * SITES + SITE_FFN_IN, xn2, (size_t)(n * d));
        gemm(n, 2 * h, d, xn2, d, 1, wt->w13 + (long)l * 2 * h * d, 2 * h, h13, 2 * h, 0);
        swiglu(hh, h13, n, h);
        round_site(a, l * SITES + SITE_HIDDEN, hh, (size_t)(n * h));
        memcpy(out, x_mid, (size_t)(n * d) * sizeof(float));
        gemm(n, d, h, hh, h, 1, wt->w2 + (long)l * h * d, d, out, d, 1);
    }
    rmsnorm(a->xf, a->rstdf, a->x + (long)c->n_layers * S * d, w->rms_final, n, d);
    round_site(a, c->n_layers * SITES, a->xf, (size_t)(n * d));
    gemm(n, c->vocab_size, d, a->xf, d, 1, wt->embed, c->vocab_size, a->logits, c->vocab_size, 0);
}

// Adds the gradients of one window to g; a->logits holds the gradient of the logits.
static void backward(const config *c, const tensors *w, acts *a, tensors *g, const uint16_t *tokens,
                     int n)
{
    int d = c->dim, h = c->hid, q = c->qkv_dim, T = a->T, S = a->stride, v = c->vocab_size;
    float *dx = a->dx, *dxn = a->dxn;
    // classifier and last norm
    gemm(v, d, n, a->logits, 1, v, a->xf, d, g->embed, d, 1);
    gemm(n, d, v, a->logits, v, 1, w->embed, d, dxn, d, 0);
    memset(dx, 0, (size_t)(n * d) * sizeof(float));
    rmsnorm_backward(dx, g->rms_final, dxn, a->x + (long)c->n_layers * S * d, w->rms_final,
                     a->rstdf, n, d);
    for (int l = c->n_layers - 1; l >= 0; l--) {
        const float *xn1 = a->xn1 + (long)l * S * d, *xn2 = a->xn2 + (long)l * S * d;
        const float *qkv = a->qkv + (long)l * S * q, *att = a->att + (long)l * S * d;
        const float *h13 = a->h13 + (long)l * S * 2 * h, *hh = a->hh + (long)l * S * h;
        const float *w13 = w->w13 + (long)l * 2 * h * d;
        // feed-forward
        gemm(d, h, n, dx, 1, d, hh, h, g->w2 + (long)l * d * h, h, 1);
        gemm(n, h, d, dx, d, 1, w->w2 + (long)l * d * h, h, a->dh, h, 0);
        swiglu_backward(a->d13, a->dh, h13, n, h);
        gemm(2 * h, d, n, a->d13, 1, 2 * h, xn2, d, g->w13 + (long)l * 2 * h * d, d, 1);
        gemm(n, d, 2 * h, a->d13, 2 * h, 1, w13, d, dxn, d, 0);
        rmsnorm_backward(dx, g->rms_ffn + l * d, dxn, a->x_mid + (long)l * S * d,
                         w->rms_ffn + l * d, a->rstd2 + (long)l * S, n, d);
        // attention
        gemm(d, d, n, dx, 1, d, att, d, g->wo + (long)l * d * d, d, 1);
        gemm(n, d, d, dx, d, 1, w->wo + (long)l * d * d, d, dxn, d, 0);
        attention_backward(c, qkv, att, a->lse + (long)l * c->n_heads * S, T, dxn, n, a->dqkv);
        rope(c, a->dqkv, a->cos_t, a->sin_t, n, -1.0f);
        gemm(q, d, n, a->dqkv, 1, q, xn1, d, g->wqkv + (long)l * q * d, d, 1);
        gemm(n, d, q, a->dqkv, q, 1, w->wqkv + (long)l * q * d, d, dxn, d, 0);
        rmsnorm_backward(dx, g->rms_att + l * d, dxn, a->x + (long)l * S * d, w->rms_att + l * d,
                         a->rstd1 + (long)l * S, n, d);
    }
    for (int t = 0; t < n; t++)
        add_rows(g->embed + (long)tokens[t] * d, dx + (long)t * d, (size_t)d);
}

// Largest logit, and log of the sum of exp(logit), of one row.
static float log_sum_exp(const float *z, int n)
{
    vf m = load(z), sum = {0};
    for (int i = VW; i < n; i += VW)
        m = select_v(load(z + i) > m, load(z + i), m);
    float top = max_v(m);
    for (int i = 0; i < n; i += VW)
        sum += exp_v(load(z + i) - top);
    return top + logf(sum_v(sum));
}

// Sum over positions of KL(teacher || student), and of the cross entropy on next[n] when hard > 0.
// Turns student logits s[n][v] into scale * gradient of (1 - hard) * KL + hard * cross entropy.
static double distill(float *s, const float *teacher, const uint16_t *next, int n, int v,
                      float hard, float scale)
{
    double total = 0;
    for (int t = 0; t < n; t++, s += v, teacher += v) {
        float ls = log_sum_exp(s, v), lt = log_sum_exp(teacher, v);
        float nll = ls - s[next[t]];
        vf kl = {0};
        for (int i = 0; i < v; i += VW) {
            vf zs = load(s + i) - ls, zt = load(teacher + i) - lt, pt = exp_v(zt);
            kl += pt * (zt - zs);
            store(s + i, scale * (exp_v(zs) - (1.0f - hard) * pt));
        }
        s[next[t]] -= scale * hard;
        total += (1.0f - hard) * sum_v(kl) + hard * nll;
    }
    return total;
}

// ---------------------------------------------------------------------------- tokenizer and text

typedef struct {
    int size, longest;
    char **piece;
    float *score;
    int ascii[128]; // token of a one-character string, or -1
    int16_t *merge; // [size][size] token of the two strings joined, or -1
} tokenizer;

static int tokenizer_find(const tokenizer *t, const char *s, size_t len)
{
    for (int i = 0; i < t->size; i++)
        if (t->piece[i][0] == s[0] && strlen(t->piece[i]) == len && !memcmp(t->piece[i], s, len))
            return i;
    return -1;
}

// llama2.c tokenizer: i32 longest piece, then for each token f32 score, i32 length, bytes.
static tokenizer tokenizer_load(const char *path, int size)
{
    size_t bytes, at = 4;
    char *data = read_whole(path, &bytes);
    tokenizer t = {.size = size};
    int32_t longest;
    if (bytes < 4)
        fail("%s: empty tokenizer", path);
    memcpy(&longest, data, 4);
    t.longest = longest;
    t.piece = alloc((size_t)size * sizeof *t.piece);
    t.score = floats((size_t)size);
    t.merge = alloc((size_t)size * (size_t)size * sizeof *t.merge);
    for (int i = 0; i < size; i++) {
        int32_t len;
        if (bytes - at < 8)
            fail("%s: token %d of %d is missing", path, i, size);
        memcpy(&t.score[i], data + at, 4);
        memcpy(&len, data + at + 4, 4);
        at += 8;
        if (len < 0 || len > longest || (size_t)len > bytes - at)
            fail("%s: token %d: length %d", path, i, (int)len);
        t.piece[i] = alloc((size_t)len + 1);
        memcpy(t.piece[i], data + at, (size_t)len);
        at += (size_t)len;
    }
    if (at != bytes)
        fail("%s: %zu bytes after the last token", path, bytes - at);
    free(data);
    for (int i = 0; i < 128; i++)
        t.ascii[i] = tokenizer_find(&t, (char[]){(char)i, 0}, 1);
    memset(t.merge, 0xff, (size_t)size * (size_t)size * sizeof *t.merge);
    for (int i = 0; i < size; i++) {
        size_t len = strlen(t.piece[i]);
        for (size_t cut = 1; cut < len; cut++) {
            int a = tokenizer_find(&t, t.piece[i], cut);
            int b = tokenizer_find(&t, t.piece[i] + cut, len - cut);
            if (a >= 0 && b >= 0)
                t.merge[a * size + b] = (int16_t)i;
        }
    }
    return t;
}

static void tokenizer_save(const char *path, const tokenizer *t)
{
    writer w = write_begin(path);
    int32_t longest = t->longest;
    write_bytes(&w, &longest, 4);
    for (int i = 0; i < t->size; i++) {
        int32_t len = (int32_t)strlen(t->piece[i]);
        write_bytes(&w, &t->score[i], 4);
        write_bytes(&w, &len, 4);
        write_bytes(&w, t->piece[i], (size_t)len);
    }
    write_end(&w);
}

// A growing run of tokens.
typedef struct {
    uint16_t *tok;
    size_t n, room;
} token_run;

static void run_push(token_run *r, int token)
{
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 1 << 20;
        r->tok = realloc(r->tok, r->room * sizeof *r->tok);
        if (!r->tok)
            fail("out of memory for %zu tokens", r->room);
    }
    r->tok[r->n++] = (uint16_t)token;
}

// BOS, a space, then one token per character (bytes where it has none), then the best merge first.
static void encode(const tokenizer *t, const char *s, size_t len, token_run *out)
{
    size_t first = out->n + 1;
    run_push(out, 1);
    if (len)
        run_push(out, t->ascii[' ']);
    for (size_t i = 0, k; i < len; i += k) {
        unsigned char b = (unsigned char)s[i];
        for (k = 1; k < 4 && i + k < len && ((unsigned char)s[i + k] & 0xc0) == 0x80; k++)
            ;
        int id = b < 128 && k == 1 ? t->ascii[b] : tokenizer_find(t, s + i, k);
        if (id >= 0)
            run_push(out, id);
        else
            for (size_t j = 0; j < k; j++)
                run_push(out, (unsigned char)s[i + j] + 3);
    }
    for (;;) {
        float best = -1e10f;
        size_t at = 0;
        int id = -1;
        for (size_t i = first; i + 1 < out->n; i++) {
            int m = t->merge[out->tok[i] * t->size + out->tok[i + 1]];
            if (m >= 0 && t->score[m] > best)
                best = t->score[m], at = i, id = m;
        }
        if (id < 0)
            return;
        out->tok[at] = (uint16_t)id;
        memmove(out->tok + at + 1, out->tok + at + 2, (out->n - at - 2) * sizeof *out->tok);
        out->n--;
    }
}

// Documents of a text file, separated by <|endoftext|>, trimmed; each is BOS + document.
static token_run encode_file(const tokenizer *t, const char *path)
{
    static const char mark[] = "<|endoftext|>";
    size_t size;
    char *s = read_whole(path, &size), *p = s;
    token_run r = {0};
    while (p) {
        char *end = strstr(p, mark), *stop = end ? end : p + strlen(p);
        while (p < stop && strchr(" \t\r\n", *p))
            p++;
        while (stop > p && strchr(" \t\r\n", stop[-1]))
            stop--;
        if (stop > p)
            encode(t, p, (size_t)(stop - p), &r);
        p = end ? end + sizeof mark - 1 : NULL;
    }
    free(s);
    return r;
}

// Mean negative log likelihood of the first `count` tokens' successors, windows of ctx.
static double evaluate(const config *c, const tensors *w, const tensors *wt, acts *a,
                       const token_run *text, size_t count)
{
    double nll = 0;
    size_t scored = 0, ctx = (size_t)c->seq_len;
    for (size_t at = 0; at + ctx <= count && at + ctx < text->n; at += ctx) {
        forward(c, w, wt, a, text->tok + at, (int)ctx);
        for (size_t i = 0; i < ctx; i++) {
            const float *z = a->logits + i * (size_t)c->vocab_size;
            nll += (double)(log_sum_exp(z, c->vocab_size) - z[text->tok[at + i + 1]]);
            scored++;
        }
    }
    if (!scored)
        fail("text shorter than one window of %zu tokens", ctx);
    return nll / (double)scored;
}

static void generate(const config *c, const tensors *w, const tensors *wt, acts *a,
                     const tokenizer *t, int count)
{
    uint16_t *tok = alloc((size_t)c->seq_len * sizeof *tok);
    tok[0] = 1;
    for (int n = 1; n < c->seq_len && n <= count; n++) {
        forward(c, w, wt, a, tok, (n + 15) / 16 * 16);
        const float *z = a->logits + (long)(n - 1) * c->vocab_size;
        int best = 0;
        for (int i = 1; i < c->vocab_size; i++)
            best = z[i] > z[best] ? i : best;
        if (best == 1 || best == 2)
            break;
        tok[n] = (uint16_t)best;
        const char *s = t->piece[best];
        unsigned byte;
        if (sscanf(s, "<0x%02X>", &byte) == 1)
            putchar((int)byte);
        else
            fputs(n == 1 && s[0] == ' ' ? s + 1 : s, stdout);
    }
    putchar('\n');
    free(tok);
}

// ---------------------------------------------------------------------------- sampling

enum { LANES = 64 }; // sequences sampled side by side

// One query of each of VW sequences against positions 0..t of their caches.
INLINE void sample_head(int hd, int t, const float *query, int q_stride, const float *k,
                        const float *v, float *out, int out_stride)
{
    vf q[16], acc[16], sum = {0};
    float scale = 1.0f / sqrtf((float)hd);
    for (int i = 0; i < hd; i++) {
        for (int e = 0; e < VW; e++)
            q[i][e] = query[e * q_stride + i] * scale;
        acc[i] = (vf){0};
    }
    for (int j = 0; j <= t; j++, k += hd * VW, v += hd * VW) {
        vf s = {0};
        for (int i = 0; i < hd; i++)
            s += q[i] * load(k + i * VW);
        vf p = exp_v(select_v(s > 60.0f, splat(60), s));
        sum += p;
        for (int i = 0; i < hd; i++)
            acc[i] += p * load(v + i * VW);
    }
    for (int i = 0; i < hd; i++)
        for (int e = 0; e < VW; e++)
            out[e * out_stride + i] = acc[i][e] / sum[e];
}

// LANES texts of ctx tokens each from the model at temperature 1, one after the other into out.
// Caches are [layer][kv head][LANES / VW][position][head_dim][VW]: lanes are sequences.
static void sample_texts(const config *c, const tensors *w, const tensors *wt, token_run *out)
{
    int d = c->dim, hd = c->head_dim, q = c->qkv_dim, h = c->hid, v = c->vocab_size;
    int group = c->n_heads / c->n_kv_heads;
    static float *kc, *vc, *x, *xn, *qkv, *lanes, *h13, *hh, *logits, *rstd;
    static uint16_t *tok;
    size_t cache = (size_t)c->n_layers * (size_t)c->kv_dim * (size_t)c->seq_len * LANES;
    if (!kc) {
        kc = floats(cache), vc = floats(cache), rstd = floats(LANES);
        x = floats((size_t)(LANES * d)), xn = floats((size_t)(LANES * d));
        qkv = floats((size_t)(LANES * q)), lanes = floats((size_t)(LANES * d));
        h13 = floats((size_t)(LANES * 2 * h)), hh = floats((size_t)(LANES * h));
        logits = floats((size_t)(LANES * v));
        tok = alloc((size_t)c->seq_len * LANES * sizeof *tok);
    }
    for (int b = 0; b < LANES; b++)
        tok[b * c->seq_len] = 1;
    for (int t = 0; t + 1 < c->seq_len; t++) {
        float cos_t[8], sin_t[8];
        for (int i = 0; i < hd / 2; i++) {
            cos_t[i] = (float)cos(rope_angle(t, i, hd));
            sin_t[i] = (float)sin(rope_angle(t, i, hd));
        }
        for (int b = 0; b < LANES; b++)
            memcpy(x + b * d, w->embed + (long)tok[b * c->seq_len + t] * d,
                   (size_t)d * sizeof(float));
        for (int l = 0; l < c->n_layers; l++) {
            rmsnorm(xn, rstd, x, w->rms_att + l * d, LANES, d);
            gemm(LANES, q, d, xn, d, 1, wt->wqkv + (long)l * q * d, q, qkv, q, 0);
            for (int b = 0; b < LANES; b++)
                rope(c, qkv + b * q, cos_t, sin_t, 1, 1.0f);
            for (int g = 0; g < c->n_kv_heads; g++)
                for (int b = 0; b < LANES; b += VW) {
                    long block = (l * c->n_kv_heads + g) * (LANES / VW) + b / VW;
                    float *k = kc + block * c->seq_len * hd * VW;
                    float *val = vc + block * c->seq_len * hd * VW;
                    for (int i = 0; i < hd; i++)
                        for (int e = 0; e < VW; e++) {
                            const float *row = qkv + (b + e) * q + d + g * hd + i;
                            k[(t * hd + i) * VW + e] = row[0];
                            val[(t * hd + i) * VW + e] = row[c->kv_dim];
                        }
                    for (int head = g * group; head < (g + 1) * group; head++) {
                        const float *query = qkv + b * q + head * hd;
                        float *to = lanes + b * d + head * hd;
                        if (hd == 8)
                            sample_head(8, t, query, q, k, val, to, d);
                        else
                            sample_head(16, t, query, q, k, val, to, d);
                    }
                }
            gemm(LANES, d, d, lanes, d, 1, wt->wo + (long)l * d * d, d, x, d, 1);
            rmsnorm(xn, rstd, x, w->rms_ffn + l * d, LANES, d);
            gemm(LANES, 2 * h, d, xn, d, 1, wt->w13 + (long)l * 2 * h * d, 2 * h, h13, 2 * h, 0);
            swiglu(hh, h13, LANES, h);
            gemm(LANES, d, h, hh, h, 1, wt->w2 + (long)l * h * d, d, x, d, 1);
        }
        rmsnorm(xn, rstd, x, w->rms_final, LANES, d);
        gemm(LANES, v, d, xn, d, 1, wt->embed, v, logits, v, 0);
        for (int b = 0; b < LANES; b++) {
            const float *z = logits + b * v;
            float lse = log_sum_exp(z, v), left = rng_uniform();
            int pick = 0;
            for (int i = 0; i < v; i += VW) {
                vf p = exp_v(load(z + i) - lse);
                float block = sum_v(p);
                pick = i;
                if (left < block || i + VW >= v) {
                    for (int e = 0; e < VW - 1 && left >= p[e]; e++, pick++)
                        left -= p[e];
                    break;
                }
                left -= block;
            }
            tok[b * c->seq_len + t + 1] = (uint16_t)pick;
        }
    }
    for (int b = 0; b < LANES; b++)
        for (int t = 0; t < c->seq_len; t++)
            run_push(out, tok[b * c->seq_len + t]);
}

// ---------------------------------------------------------------------------- the integer grid

// A weight of the machine is level[code] * row scale. 3 bits: 8 free integer levels (int8) of the
// tensor, learned; gate and up of a layer share them. 6 bits: the levels -32..31.
typedef struct {
    char name[48];
    size_t at;      // offset of the rows in tensors.data
    int rows, cols; // cols are contiguous
    int bits, table, first_row;
} qtensor;

typedef struct {
    qtensor *list;
    int count, tables, rows;
    // For each of the next two: value, gradient, two Adam moments.
    float *log_scale[4]; // [rows]
    float *level[4];     // [tables][8], in integer units before rounding
    tensors rounded;     // what the forward pass uses
} grid;

static void grid_add(grid *g, const char *name, size_t at, int rows, int cols, int bits, int table)
{
    qtensor *t = &g->list[g->count++];
    *t = (qtensor){
        .at = at, .rows = rows, .cols = cols, .bits = bits, .table = table, .first_row = g->rows};
    snprintf(t->name, sizeof t->name, "%s", name);
    g->rows += rows;
    g->tables = table + 1;
}

// Names are those of the matrices of a quantized model, which has gate and up as one; `wide` lists
// the ones that take 6 bits, by substring, with or without what comes before the last dot.
static grid grid_new(const config *c, const tensors *w, const char *wide)
{
    static const char *const names[] = {
        "attention.wq",         "attention.wk",         "attention.wv",     "attention.wo",
        "feed_forward.gate_up", "feed_forward.gate_up", "feed_forward.down"};
    grid g = {.list = alloc((size_t)(7 * c->n_layers + 1) * sizeof *g.list)};
    int d = c->dim, kv = c->kv_dim, h = c->hid, table = 0;
    grid_add(&g, "tok_embeddings", 0, c->vocab_size, d, strstr(wide, "tok_embeddings") ? 6 : 3,
             table++);
    for (int l = 0; l < c->n_layers; l++) {
        size_t qkv = (size_t)(w->wqkv - w->data) + (size_t)(l * c->qkv_dim * d);
        size_t w13 = (size_t)(w->w13 - w->data) + (size_t)(l * 2 * h * d);
        size_t at[7] = {qkv,
                        qkv + (size_t)(d * d),
                        qkv + (size_t)((d + kv) * d),
                        (size_t)(w->wo - w->data) + (size_t)(l * d * d),
                        w13,
                        w13 + (size_t)(h * d),
                        (size_t)(w->w2 - w->data) + (size_t)(l * d * h)};
        int rows[7] = {d, kv, kv, d, h, h, d};
        for (int i = 0; i < 7; i++) {
            char name[48];
            snprintf(name, sizeof name, "layers.%d.%s", l, names[i]);
            int bits = strstr(wide, name) || strstr(wide, strrchr(names[i], '.') + 1) ? 6 : 3;
            grid_add(&g, name, at[i], rows[i], i == 6 ? h : d, bits, i == 5 ? table - 1 : table++);
        }
    }
    for (int i = 0; i < 4; i++) {
        g.log_scale[i] = floats((size_t)g.rows);
        g.level[i] = floats((size_t)g.tables * 8);
    }
    g.rounded = tensors_new(c);
    return g;
}

static float grid_bits(const grid *g)
{
    double bits = 0, n = 0;
    for (int i = 0; i < g->count; i++) {
        double k = (double)g->list[i].rows * g->list[i].cols;
        bits += k * g->list[i].bits;
        n += k;
    }
    return (float)(bits / n);
}

// The integer levels of a tensor, ascending; returns how many.
static int grid_levels(const grid *g, const qtensor *t, float *level)
{
    if (t->bits == 6) {
        for (int i = 0; i < 64; i++)
            level[i] = (float)(i - 32);
        return 64;
    }
    for (int i = 0; i < 8; i++)
        level[i] = rintf(g->level[0][t->table * 8 + i]);
    return 8;
}

// Nearest level of each u[i], i < n, into q.
static void nearest(const float *u, int n, const float *level, int levels, float *q)
{
    if (levels == 64) {
        for (int i = 0; i < n; i++)
            q[i] = fminf(fmaxf(rintf(u[i]), level[0]), level[63]);
        return;
    }
    for (int i = 0; i < n; i += VW) {
        vf x = load(u + i), r = splat(level[0]);
        for (int k = 0; k < 7; k++)
            r += (vf)((x > 0.5f * (level[k] + level[k + 1])) & (vi)splat(level[k + 1] - level[k]));
        store(q + i, r);
    }
}

// rounded = w on the grid; gains are copied.
static void grid_round(const grid *g, const tensors *w)
{
    float level[64], u[4096], q[4096];
    memcpy(g->rounded.data, w->data, w->n * sizeof(float));
    for (int i = 0; i < g->count; i++) {
        const qtensor *t = &g->list[i];
        int levels = grid_levels(g, t, level);
        for (int r = 0; r < t->rows; r++) {
            const float *row = w->data + t->at + (long)r * t->cols;
            float scale = expf(g->log_scale[0][t->first_row + r]), inverse = 1.0f / scale;
            for (int j = 0; j < t->cols; j++)
                u[j] = row[j] * inverse;
            nearest(u, t->cols, level, levels, q);
            for (int j = 0; j < t->cols; j++)
                g->rounded.data[t->at + (size_t)(r * t->cols + j)] = q[j] * scale;
        }
    }
}

// Gradients of log scales and levels from those of the rounded weights (grad, straight through).
// LSQ: d rounded / d scale = level - w / scale inside the range, level outside.
static void grid_backward(const grid *g, const tensors *w, const tensors *grad)
{
    float level[64], u[4096], q[4096];
    memset(g->level[1], 0, (size_t)g->tables * 8 * sizeof(float));
    for (int i = 0; i < g->count; i++) {
        const qtensor *t = &g->list[i];
        int levels = grid_levels(g, t, level);
        for (int r = 0; r < t->rows; r++) {
            const float *row = w->data + t->at + (long)r * t->cols;
            const float *dr = grad->data + t->at + (long)r * t->cols;
            float scale = expf(g->log_scale[0][t->first_row + r]), inverse = 1.0f / scale, ds = 0;
            for (int j = 0; j < t->cols; j++)
                u[j] = row[j] * inverse;
            nearest(u, t->cols, level, levels, q);
            for (int j = 0; j < t->cols; j++) {
                int inside = u[j] > level[0] && u[j] < level[levels - 1];
                ds += dr[j] * (inside ? q[j] - u[j] : q[j]);
            }
            g->log_scale[1][t->first_row + r] = ds * scale;
            if (levels == 8)
                for (int k = 0; k < 8; k++)
                    for (int j = 0; j < t->cols; j++)
                        g->level[1][t->table * 8 + k] += q[j] == level[k] ? dr[j] * scale : 0.0f;
        }
    }
}

// First scales and levels: Lloyd's algorithm on each tensor, from the levels of a normal law.
static void grid_fit(grid *g, const tensors *w)
{
    static const float normal[8] = {-2.152f, -1.344f, -0.756f, -0.245f,
                                    0.245f,  0.756f,  1.344f,  2.152f};
    for (int i = 0; i < g->tables * 8; i++)
        g->level[0][i] = normal[i % 8] * 46.0f;
    float level[64], u[4096], q[4096];
    for (int pass = 0; pass < 12; pass++) {
        double top[64][8], bottom[64][8];
        memset(top, 0, sizeof top);
        memset(bottom, 0, sizeof bottom);
        if (g->tables > 64 * 8)
            fail("too many tables");
        for (int i = 0; i < g->count; i++) {
            const qtensor *t = &g->list[i];
            int levels = grid_levels(g, t, level);
            for (int r = 0; r < t->rows; r++) {
                const float *row = w->data + t->at + (long)r * t->cols;
                float peak = 1e-8f, best = 1e30f, best_scale = 1;
                for (int j = 0; j < t->cols; j++)
                    peak = fmaxf(peak, fabsf(row[j]));
                for (int s = 0; s < 60; s++) {
                    float scale = peak / -level[0] * (0.3f + 0.015f * (float)s), err = 0;
                    for (int j = 0; j < t->cols; j++)
                        u[j] = row[j] / scale;
                    nearest(u, t->cols, level, levels, q);
                    for (int j = 0; j < t->cols; j++)
                        err += (u[j] - q[j]) * (u[j] - q[j]) * scale * scale;
                    if (err < best)
                        best = err, best_scale = scale;
                }
                g->log_scale[0][t->first_row + r] = logf(best_scale);
                if (levels == 64)
                    continue;
                for (int j = 0; j < t->cols; j++)
                    u[j] = row[j] / best_scale;
                nearest(u, t->cols, level, levels, q);
                for (int j = 0; j < t->cols; j++)
                    for (int k = 0; k < 8; k++)
                        if (q[j] == level[k]) {
                            top[t->table][k] += (double)(u[j] * best_scale * best_scale);
                            bottom[t->table][k] += (double)(best_scale * best_scale);
                        }
            }
        }
        for (int i = 0; i < g->tables && pass < 11; i++)
            for (int k = 0; k < 8; k++)
                if (bottom[i][k] > 0)
                    g->level[0][i * 8 + k] = (float)(top[i][k] / bottom[i][k]);
    }
}

// Levels stay int8, ascending and apart.
static void grid_tidy(const grid *g)
{
    for (int i = 0; i < g->tables; i++) {
        float *v = g->level[0] + i * 8;
        for (int k = 0; k < 8; k++)
            v[k] = fminf(fmaxf(v[k], (float)(-128 + k)), (float)(120 + k));
        for (int k = 1; k < 8; k++)
            if (v[k] < v[k - 1] + 1.0f)
                v[k] = v[k - 1] + 1.0f;
    }
}

// The sidecar: one line a matrix, `name bits 3 levels ...`; one line an
// activation, `act name scale` (value = scale * int8).
static void grid_save(const grid *g, const config *c, const float *peak, const char *path)
{
    static const char *const sites[] = {"att_in", "att_out", "ffn_in", "ffn_hidden"};
    writer w = write_begin(path);
    fprintf(w.f, "hardwire-quant 2\n");
    for (int i = 0; i < g->count; i++) {
        float level[64];
        if (i > 0 && strcmp(g->list[i].name, g->list[i - 1].name) == 0)
            continue; // up, behind gate
        fprintf(w.f, "%s bits %d levels", g->list[i].name, g->list[i].bits);
        int levels = grid_levels(g, &g->list[i], level);
        for (int k = 0; k < levels; k++)
            fprintf(w.f, " %d", (int)level[k]);
        fputc('\n', w.f);
    }
    for (int i = 0; i < c->n_layers * SITES; i++)
        fprintf(w.f, "act l%02d.%s scale %.8g\n", i / SITES, sites[i % SITES],
                (double)peak[i] / 127.0);
    fprintf(w.f, "act final scale %.8g\n", (double)peak[c->n_layers * SITES] / 127.0);
    write_end(&w);
}

// ---------------------------------------------------------------------------- optimiser

// AdamW without decay on p[n]; step counts from 1.
static void adam(float *p, const float *g, float *m, float *v, size_t n, float lr, long step)
{
    const float b1 = 0.9f, b2 = 0.98f;
    float c1 = 1.0f / (1.0f - powf(b1, (float)step)), c2 = 1.0f / (1.0f - powf(b2, (float)step));
    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1.0f - b1) * g[i];
        v[i] = b2 * v[i] + (1.0f - b2) * g[i] * g[i];
        p[i] -= lr * m[i] * c1 / (sqrtf(v[i] * c2) + 1e-10f);
    }
}

// Muon (K. Jordan, 2024): the momentum's nearest orthogonal matrix, by five Newton-Schulz steps
// x = a x + (b s + c s s) x with s = x x^T, is the direction. p[rows][cols].
static void muon(float *p, const float *g, float *m, int rows, int cols, float lr)
{
    static float x[1 << 18], xt[1 << 18], s[1 << 16], t[1 << 16];
    int n = rows * cols, small = rows < cols ? rows : cols, large = rows < cols ? cols : rows;
    if (n > 1 << 18 || small > 256)
        fail("matrix %d x %d too large for this optimiser", rows, cols);
    double norm = 1e-12;
    for (int i = 0; i < n; i++) {
        m[i] = 0.95f * m[i] + 0.05f * g[i];
        xt[i] = 0.05f * g[i] + 0.95f * m[i];
        norm += (double)(xt[i] * xt[i]);
    }
    if (rows > cols)
        transpose(xt, rows, cols, x);
    else
        memcpy(x, xt, (size_t)n * sizeof(float));
    for (int i = 0; i < n; i++)
        x[i] *= (float)(1.0 / sqrt(norm));
    for (int k = 0; k < 5; k++) {
        transpose(x, small, large, xt);
        gemm(small, small, large, x, large, 1, xt, small, s, small, 0);
        gemm(small, small, small, s, small, 1, s, small, t, small, 0);
        for (int i = 0; i < small * small; i++)
            t[i] = 2.0315f * t[i] - 4.7750f * s[i] + (i / small == i % small ? 3.4445f : 0.0f);
        gemm(small, large, small, t, small, 1, x, large, xt, large, 0);
        memcpy(x, xt, (size_t)n * sizeof(float));
    }
    if (rows > cols)
        transpose(x, small, large, xt);
    float scale = lr * sqrtf(rows > cols ? (float)rows / (float)cols : 1.0f);
    for (int i = 0; i < n; i++)
        p[i] -= scale * xt[i];
}

typedef struct {
    config cfg;
    tensors w, wt, g, m, v; // weights, transposes, gradients, moments
    long step, adam_step;
    double tokens;
    int qat;
    grid grid;
    float *peak;
} trainee;

static void update(trainee *s, float lr_muon, float lr_adam, float lr_grid)
{
    const config *c = &s->cfg;
    long base = s->w.wqkv - s->w.data, at = base; // matrices lie after this offset
    int d = c->dim, kv = c->kv_dim, h = c->hid;
    s->adam_step++;
    adam(s->w.data, s->g.data, s->m.data, s->v.data, (size_t)base, lr_adam, s->adam_step);
    int rows[7] = {d, kv, kv, d, h, h, d};
    for (int group = 0; group < 4; group++) // qkv, o, gate and up, down: as tensors_new lays out
        for (int l = 0; l < c->n_layers; l++) {
            static const int first[5] = {0, 3, 4, 6, 7};
            for (int i = first[group]; i < first[group + 1]; i++) {
                int cols = i == 6 ? h : d;
                muon(s->w.data + at, s->g.data + at, s->m.data + at, rows[i], cols, lr_muon);
                at += (long)rows[i] * cols;
            }
        }
    if (s->qat) {
        grid *g = &s->grid;
        adam(g->log_scale[0], g->log_scale[1], g->log_scale[2], g->log_scale[3], (size_t)g->rows,
             lr_grid, s->adam_step);
        adam(g->level[0], g->level[1], g->level[2], g->level[3], (size_t)g->tables * 8,
             lr_grid * 50.0f, s->adam_step);
        grid_tidy(g);
    }
}

static int all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

// What a step changes, to go back to when a gradient is not finite.
typedef struct {
    float *part[5 + 8];
    size_t n[5 + 8];
    float *copy[5 + 8];
    int count;
} rollback;

static rollback rollback_new(trainee *s)
{
    rollback b = {.count = 0};
    float *whole[3] = {s->w.data, s->m.data, s->v.data};
    for (int i = 0; i < 3; i++)
        b.part[b.count] = whole[i], b.n[b.count++] = s->w.n;
    for (int i = 0; s->qat && i < 4; i++) {
        b.part[b.count] = s->grid.log_scale[i], b.n[b.count++] = (size_t)s->grid.rows;
        b.part[b.count] = s->grid.level[i], b.n[b.count++] = (size_t)s->grid.tables * 8;
    }
    b.part[b.count] = s->peak, b.n[b.count++] = (size_t)(s->cfg.n_layers * SITES + 1);
    for (int i = 0; i < b.count; i++)
        b.copy[i] = floats(b.n[i]);
    return b;
}

static void rollback_save(rollback *b)
{
    for (int i = 0; i < b->count; i++)
        memcpy(b->copy[i], b->part[i], b->n[i] * sizeof(float));
}

static void rollback_restore(rollback *b)
{
    for (int i = 0; i < b->count; i++)
        memcpy(b->part[i], b->copy[i], b->n[i] * sizeof(float));
}

// The weights the forward pass sees, and their transposes.
static const tensors *refresh(trainee *s)
{
    const tensors *w = &s->w;
    if (s->qat) {
        grid_round(&s->grid, &s->w);
        w = &s->grid.rounded;
    }
    tensors_transpose(&s->cfg, w, &s->wt);
    return w;
}

// Random weights: normal, and zero where a block writes into the residual stream.
static void init_weights(const config *c, tensors *w, float out)
{
    size_t d = (size_t)c->dim, n = (size_t)c->n_layers;
    for (size_t i = 0; i < w->n; i++)
        w->data[i] = rng_normal() / sqrtf((float)d);
    for (size_t i = 0; i < (2 * n + 1) * d; i++)
        w->rms_att[i] = 1.0f;
    for (size_t i = 0; i < (size_t)c->vocab_size * d; i++)
        w->embed[i] *= 0.4f;
    for (size_t i = 0; i < n * d * d; i++)
        w->wo[i] *= out;
    for (size_t i = 0; i < n * d * (size_t)c->hid; i++)
        w->w2[i] *= out;
}

static void state_io(trainee *s, const char *path, writer *w, cursor *r)
{
    float *part[16] = {s->w.data, s->m.data, s->v.data};
    size_t n[16] = {s->w.n, s->w.n, s->w.n};
    int parts = 3;
    if (s->qat) {
        for (int i = 0; i < 4; i++) {
            part[parts] = s->grid.log_scale[i], n[parts++] = (size_t)s->grid.rows;
            part[parts] = s->grid.level[i], n[parts++] = (size_t)s->grid.tables * 8;
        }
        part[parts] = s->peak, n[parts++] = (size_t)(s->cfg.n_layers * SITES + 1);
    }
    struct {
        char magic[8];
        int64_t floats, step, adam_step, qat;
        double tokens;
        uint64_t rng;
    } head = {"hwtrain", (int64_t)s->w.n, s->step, s->adam_step, s->qat, s->tokens, rng_state};
    if (w)
        write_bytes(w, &head, sizeof head);
    if (r) {
        int64_t expect = head.floats;
        if (r->left < sizeof head)
            fail("%s: too short for a training state", path);
        memcpy(&head, r->at, sizeof head);
        r->at += sizeof head, r->left -= sizeof head;
        if (memcmp(head.magic, "hwtrain", 8) || head.floats != expect || head.qat != s->qat)
            fail("%s: not a training state of this shape and stage", path);
        s->step = (long)head.step, s->adam_step = (long)head.adam_step;
        s->tokens = head.tokens, rng_state = head.rng;
    }
    for (int i = 0; i < parts; i++) {
        if (w)
            piece_write(w, part[i], n[i]);
        else
            piece_read(r, part[i], n[i]);
    }
}

static void state_save(trainee *s, const char *path)
{
    writer w = write_begin(path);
    state_io(s, path, &w, NULL);
    write_end(&w);
}

static void state_load(trainee *s, const char *path)
{
    cursor r = {.path = path};
    char *data = read_whole(path, &r.left);
    r.at = data;
    state_io(s, path, NULL, &r);
    free(data);
}

// ---------------------------------------------------------------------------- training

typedef struct {
    const char *teacher, *tokenizer, *text, *valid, *out, *state, *init, *quant_out, *pool, *wide;
    const char *write_tokenizer;
    double tokens, minutes_save, real, hard, decay, grow, long_part, hard_real;
    double lr_muon, lr_adam, lr_grid;
    int dim, hidden, layers, heads, kv_heads, ctx, seq, batch, warmup, resume, qat, eval_steps;
    int eval_tokens, vocab;
    uint64_t seed;
    const char *eval, *gen; // a checkpoint to look at
    int selftest;
} options;

static void save_model(trainee *s, const options *o, const tensors *w)
{
    if (o->out)
        model_save(o->out, &s->cfg, w);
    if (o->quant_out && s->qat)
        grid_save(&s->grid, &s->cfg, s->peak, o->quant_out);
    if (o->state)
        state_save(s, o->state);
}

static void pool_load(token_run *r, const char *path)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    uint16_t t;
    while (f && fread(&t, 2, 1, f) == 1)
        run_push(r, t);
    if (f)
        fclose(f);
}

// What a run of training holds: the teacher, the student, their text, and how far it is.
typedef struct {
    const options *o;
    config tc; // of the teacher; without one, its vocab_size and seq_len are the student's
    tensors tw, twt;
    trainee s; // the student
    acts sa, ta;
    token_run real, valid, pool;
    rollback good; // the last state whose gradients were finite
    long good_step;
    double kl, kl_n;                      // since the last line
    double start, saved, shown, sampling; // seconds
    double shown_tokens;
    int held; // the state before the rate falls has been saved
} run;

static void open_student(run *r)
{
    const options *o = r->o;
    trainee *s = &r->s;
    config *c = &s->cfg;
    s->qat = o->qat;
    *c = (config){.dim = o->dim,
                  .hidden_dim = o->hidden,
                  .n_layers = o->layers,
                  .n_heads = o->heads,
                  .n_kv_heads = o->kv_heads,
                  .vocab_size = r->tc.vocab_size,
                  .seq_len = o->ctx};
    if (o->init) {
        s->w = model_load(o->init, c);
    } else {
        config_finish(c, "student");
        s->w = tensors_new(c);
        init_weights(c, &s->w, 0.0f);
    }
    if (c->hid != c->hidden_dim || c->vocab_size != r->tc.vocab_size || c->seq_len > r->tc.seq_len)
        fail("student: hidden_dim %d must be a multiple of 32, vocab_size %d the teacher's %d, "
             "ctx %d not above the teacher's %d",
             c->hidden_dim, c->vocab_size, r->tc.vocab_size, c->seq_len, r->tc.seq_len);
    s->wt = tensors_new(c), s->g = tensors_new(c), s->m = tensors_new(c), s->v = tensors_new(c);
    r->sa = acts_new(c, c->seq_len, 1);
    if (o->teacher)
        r->ta = acts_new(&r->tc, c->seq_len, 0);
    else // logits of no weight: the text alone teaches
        r->ta.logits = floats((size_t)c->seq_len * (size_t)c->vocab_size);
    s->peak = floats((size_t)(c->n_layers * SITES + 1));
    if (!s->qat)
        return;
    s->grid = grid_new(c, &s->w, o->wide);
    grid_fit(&s->grid, &s->w);
    r->sa.peak = s->peak;
    r->sa.track = 1;
    printf("%.3f bits a weight, %d tables\n", (double)grid_bits(&s->grid), s->grid.tables);
}

static void open_run(run *r, const options *o)
{
    *r = (run){.o = o};
    if (o->teacher) {
        r->tw = model_load(o->teacher, &r->tc), r->twt = tensors_new(&r->tc);
        tensors_transpose(&r->tc, &r->tw, &r->twt);
    } else {
        r->tc = (config){.vocab_size = o->vocab, .seq_len = o->ctx};
    }
    tokenizer tok = tokenizer_load(o->tokenizer, r->tc.vocab_size);
    if (o->write_tokenizer)
        tokenizer_save(o->write_tokenizer, &tok);
    r->real = encode_file(&tok, o->text), r->valid = encode_file(&tok, o->valid);
    rng_state = o->seed;
    open_student(r);
    if (o->resume)
        state_load(&r->s, o->state);
    pool_load(&r->pool, o->pool);
    printf("%zu weights; %zu tokens of real text, %zu of validation, %zu sampled\n", r->s.w.n,
           r->real.n, r->valid.n, r->pool.n);
    r->good = rollback_new(&r->s);
    r->good_step = r->s.step;
    rollback_save(&r->good);
    r->start = r->saved = r->shown = seconds();
    r->shown_tokens = r->s.tokens;
}

// The learning rate's factor: warm up, hold, fall linearly to zero. Where it begins to fall the
// state is saved.
static float schedule(run *r)
{
    const options *o = r->o;
    double left = (1.0 - r->s.tokens / o->tokens) / o->decay;
    float lr = (float)(left < 1.0 ? left : 1.0);
    if (r->s.step < o->warmup)
        lr *= (float)(r->s.step + 1) / (float)o->warmup;
    if (left < 1.0 && !r->held) {
        char path[600];
        r->held = 1;
        snprintf(path, sizeof path, "%s.hold", o->state ? o->state : "train");
        if (o->state)
            state_save(&r->s, path);
    }
    return lr;
}

// Fresh text from the teacher.
static void fill_pool(run *r)
{
    double before = seconds();
    while (r->o->teacher && (double)r->pool.n < 131072 + r->o->grow * r->s.tokens)
        sample_texts(&r->tc, &r->tw, &r->twt, &r->pool);
    r->sampling += seconds() - before;
}

// Gradients of one batch into s.g; returns its tokens. Some windows are of ctx, so that far
// positions are learned from the start, the rest of seq.
static int one_batch(run *r)
{
    const options *o = r->o;
    trainee *s = &r->s;
    const config *c = &s->cfg;
    int longs = (int)(o->long_part * o->batch * o->seq / c->seq_len + 0.5);
    int batch_tokens = o->batch * o->seq / c->seq_len * c->seq_len;
    const tensors *w = refresh(s);
    memset(s->g.data, 0, s->g.n * sizeof(float));
    for (int done = 0, T; done < batch_tokens; done += T) {
        T = done < longs * c->seq_len ? c->seq_len : o->seq;
        int is_real = rng_uniform() < (float)o->real || !o->teacher;
        const token_run *from = is_real ? &r->real : &r->pool;
        const uint16_t *x = from->tok + rng_below(from->n - (size_t)T - 1);
        if (o->teacher)
            forward(&r->tc, &r->tw, &r->twt, &r->ta, x, T);
        forward(c, w, &s->wt, &r->sa, x, T);
        r->kl += distill(r->sa.logits, r->ta.logits, x + 1, T, c->vocab_size,
                         (float)(is_real ? o->hard_real : o->hard), 1.0f / (float)batch_tokens);
        r->kl_n += T;
        backward(c, w, &r->sa, &s->g, x, T);
    }
    if (s->qat)
        grid_backward(&s->grid, &s->w, &s->g);
    return batch_tokens;
}

// Whether the batch's gradients can be used; if not, the last good state is back.
static int keep_finite(run *r)
{
    if (all_finite(r->s.g.data, r->s.g.n)) {
        if (r->s.step % 50 == 0) {
            rollback_save(&r->good);
            r->good_step = r->s.step;
        }
        return 1;
    }
    printf("step %6ld  a gradient is not finite: back to step %ld\n", r->s.step, r->good_step);
    rollback_restore(&r->good);
    r->s.step = r->good_step, r->kl = r->kl_n = 0;
    return 0;
}

static void print_progress(run *r, float lr)
{
    double now = seconds();
    printf("step %6ld  %7.2f M tokens  kl %.4f  lr %.3f  %6.0f tok/s  sampling %.0f%%\n", r->s.step,
           r->s.tokens / 1e6, r->kl / r->kl_n, (double)lr,
           (r->s.tokens - r->shown_tokens) / (now - r->shown),
           100 * r->sampling / (now - r->shown));
    fflush(stdout);
    r->kl = r->kl_n = r->sampling = 0, r->shown = now, r->shown_tokens = r->s.tokens;
}

static void print_validation(run *r, int finished)
{
    trainee *s = &r->s;
    const tensors *w = refresh(s);
    size_t count = finished ? 40448 : (size_t)r->o->eval_tokens;
    r->sa.track = 0;
    double nll = evaluate(&s->cfg, w, &s->wt, &r->sa, &r->valid, count);
    r->sa.track = 1;
    printf("step %6ld  %7.2f M tokens  %.0f s  valid nll %.4f  perplexity %.4f%s\n", s->step,
           s->tokens / 1e6, seconds() - r->start, nll, exp(nll), finished ? "  (final)" : "");
    fflush(stdout);
}

static void save_pool(const run *r)
{
    if (!r->o->pool)
        return;
    writer w = write_begin(r->o->pool);
    write_bytes(&w, r->pool.tok, r->pool.n * sizeof *r->pool.tok);
    write_end(&w);
}

static void train(const options *o)
{
    static run r;
    trainee *s = &r.s;
    open_run(&r, o);
    for (int finished = 0; !finished;) {
        float lr = schedule(&r);
        fill_pool(&r);
        int batch_tokens = one_batch(&r);
        if (!keep_finite(&r))
            continue;
        update(s, lr * (float)o->lr_muon, lr * (float)o->lr_adam, lr * (float)o->lr_grid);
        s->step++;
        s->tokens += (double)batch_tokens;
        finished = s->tokens >= o->tokens;
        if (s->step % 50 == 0)
            print_progress(&r, lr);
        if (s->step % o->eval_steps == 0 || finished || s->step == 1)
            print_validation(&r, finished);
        if (finished || seconds() - r.saved > 60 * o->minutes_save) {
            save_model(s, o, refresh(s));
            r.saved = seconds();
        }
    }
    save_pool(&r);
}

// ---------------------------------------------------------------------------- checks

static double test_loss(const config *c, const tensors *w, tensors *wt, acts *a,
                        const uint16_t *tok, const float *teacher, int n, float hard)
{
    tensors_transpose(c, w, wt);
    forward(c, w, wt, a, tok, n);
    return distill(a->logits, teacher, tok + 1, n, c->vocab_size, hard, 1.0f);
}

// Gradients against central differences, along the gradient and along random signs.
static int test_gradients(int dim, int heads, int kv_heads)
{
    config c = {.dim = dim,
                .hidden_dim = 64,
                .n_layers = 2,
                .n_heads = heads,
                .n_kv_heads = kv_heads,
                .vocab_size = 64,
                .seq_len = 48};
    config_finish(&c, "selftest");
    tensors w = tensors_new(&c), wt = tensors_new(&c), g = tensors_new(&c);
    init_weights(&c, &w, 0.7f);
    for (size_t i = 0; i < w.n; i++)
        w.data[i] += 0.1f * rng_normal();
    int n = 48, bad = 0;
    acts a = acts_new(&c, 64, 1);
    uint16_t tok[49];
    float *teacher = floats(48 * 64);
    for (int i = 0; i <= n; i++)
        tok[i] = (uint16_t)rng_below(64);
    for (int i = 0; i < 48 * 64; i++)
        teacher[i] = 2.0f * rng_normal();
    test_loss(&c, &w, &wt, &a, tok, teacher, n, 0.3f);
    backward(&c, &w, &a, &g, tok, n);
    const float *base[] = {w.embed, w.rms_att, w.rms_ffn, w.rms_final, w.wqkv,
                           w.wo,    w.w13,     w.w2,      w.data + w.n};
    static const char *const names[] = {"embed", "rms_att", "rms_ffn", "rms_final",
                                        "wqkv",  "wo",      "w13",     "w2"};
    for (int i = 0; i < 8; i++)
        for (int kind = 0; kind < 2; kind++) {
            size_t from = (size_t)(base[i] - w.data), len = (size_t)(base[i + 1] - base[i]);
            float *p = w.data + from, *dir = floats(len), *keep = floats(len);
            double norm = 0, expect = 0;
            for (size_t j = 0; j < len; j++) {
                dir[j] = kind ? (rng_next() & 1 ? 1.0f : -1.0f) : g.data[from + j];
                norm += (double)dir[j] * dir[j];
            }
            for (size_t j = 0; j < len; j++) {
                dir[j] /= (float)sqrt(norm);
                expect += (double)dir[j] * g.data[from + j];
            }
            memcpy(keep, p, len * sizeof(float));
            double loss[2], eps = 4e-3;
            for (int side = 0; side < 2; side++) {
                for (size_t j = 0; j < len; j++)
                    p[j] = keep[j] + (float)(side ? -eps : eps) * dir[j];
                loss[side] = test_loss(&c, &w, &wt, &a, tok, teacher, n, 0.3f);
            }
            memcpy(p, keep, len * sizeof(float));
            double got = (loss[0] - loss[1]) / (2 * eps), err = fabs(got - expect);
            double allowed = 5e-3 * fabs(expect) + 4e-3;
            printf("%-10s %s  backward %10.4f  differences %10.4f  %s\n", names[i],
                   kind ? "random  " : "gradient", expect, got, err <= allowed ? "ok" : "WRONG");
            bad += err > allowed;
            free(dir), free(keep);
        }
    return bad;
}

static int test_parts(void)
{
    int bad = 0;
    double worst = 0;
    for (int i = 0; i < 100000; i++) {
        float x = -86.0f + 173.0f * rng_uniform();
        double e = fabs((double)exp_v(splat(x))[3] / exp((double)x) - 1.0);
        worst = e > worst ? e : worst;
    }
    printf("exp        worst relative error %.2e\n", worst);
    bad += worst > 5e-7 || exp_v(splat(-100))[0] != 0;
    static float a[64 * 256], b[256 * 64], c[64 * 64];
    for (int form = 0; form < 2; form++) {
        for (int i = 0; i < 64 * 256; i++)
            a[i] = rng_normal(), b[i] = rng_normal();
        gemm(64, 64, 256, a, form ? 1 : 256, form ? 64 : 1, b, 64, c, 64, 0);
        worst = 0;
        for (int i = 0; i < 64; i++)
            for (int j = 0; j < 64; j++) {
                double s = 0;
                for (int k = 0; k < 256; k++)
                    s += (double)a[form ? k * 64 + i : i * 256 + k] * (double)b[k * 64 + j];
                worst = fmax(worst, fabs(s - (double)c[i * 64 + j]));
            }
        printf("multiply   worst error %.2e\n", worst);
        bad += worst > 1e-3;
    }
    return bad;
}

// A rounded weight stays where it is when rounded again, and each is a level times its row's scale.
static int test_grid(void)
{
    config c = {.dim = 32,
                .hidden_dim = 64,
                .n_layers = 2,
                .n_heads = 4,
                .n_kv_heads = 2,
                .vocab_size = 64,
                .seq_len = 48};
    config_finish(&c, "selftest");
    tensors w = tensors_new(&c);
    init_weights(&c, &w, 1.0f);
    grid g = grid_new(&c, &w, "l01.wk");
    grid_fit(&g, &w);
    grid_round(&g, &w);
    double err = 0, power = 0;
    for (size_t i = 0; i < w.n; i++) {
        err += pow((double)w.data[i] - (double)g.rounded.data[i], 2);
        power += pow((double)w.data[i], 2);
    }
    memcpy(w.data, g.rounded.data, w.n * sizeof(float));
    grid_round(&g, &w);
    int moved = memcmp(w.data, g.rounded.data, w.n * sizeof(float)) != 0;
    printf("grid       noise to signal %.4f (8 levels of a normal law: 0.0345), %s\n", err / power,
           moved ? "MOVED" : "stays");
    return moved || err > 0.04 * power;
}

static double number(const char *flag, const char *s)
{
    char *end;
    double x = strtod(s, &end);
    if (*end || end == s)
        fail("%s: '%s' is not a number", flag, s);
    return x;
}

static const char usage[] =
    "train --teacher FILE | --vocab N --tokenizer FILE --text FILE --valid FILE --out FILE\n"
    "      [--state FILE]\n"
    "      [--resume] [--init FILE] [--tokens N] [--qat --quant-out FILE --wide NAMES] ...\n"
    "train --eval FILE --tokenizer FILE --valid FILE [--eval-tokens N]\n"
    "train --generate FILE --tokenizer FILE\n"
    "train --selftest\n";

static void parse(int argc, char **argv, options *o)
{
    struct {
        const char *flag;
        const char **text;
        double *real;
        int *integer, *on;
    } flags[] = {
        {"--teacher", &o->teacher, 0, 0, 0},
        {"--tokenizer", &o->tokenizer, 0, 0, 0},
        {"--text", &o->text, 0, 0, 0},
        {"--valid", &o->valid, 0, 0, 0},
        {"--out", &o->out, 0, 0, 0},
        {"--state", &o->state, 0, 0, 0},
        {"--init", &o->init, 0, 0, 0},
        {"--quant-out", &o->quant_out, 0, 0, 0},
        {"--pool", &o->pool, 0, 0, 0},
        {"--wide", &o->wide, 0, 0, 0},
        {"--write-tokenizer", &o->write_tokenizer, 0, 0, 0},
        {"--eval", &o->eval, 0, 0, 0},
        {"--generate", &o->gen, 0, 0, 0},
        {"--tokens", 0, &o->tokens, 0, 0},
        {"--save-minutes", 0, &o->minutes_save, 0, 0},
        {"--real", 0, &o->real, 0, 0},
        {"--hard", 0, &o->hard, 0, 0},
        {"--hard-real", 0, &o->hard_real, 0, 0},
        {"--decay", 0, &o->decay, 0, 0},
        {"--grow", 0, &o->grow, 0, 0},
        {"--long", 0, &o->long_part, 0, 0},
        {"--lr-muon", 0, &o->lr_muon, 0, 0},
        {"--lr-adam", 0, &o->lr_adam, 0, 0},
        {"--lr-grid", 0, &o->lr_grid, 0, 0},
        {"--dim", 0, 0, &o->dim, 0},
        {"--hidden", 0, 0, &o->hidden, 0},
        {"--layers", 0, 0, &o->layers, 0},
        {"--heads", 0, 0, &o->heads, 0},
        {"--kv-heads", 0, 0, &o->kv_heads, 0},
        {"--ctx", 0, 0, &o->ctx, 0},
        {"--seq", 0, 0, &o->seq, 0},
        {"--batch", 0, 0, &o->batch, 0},
        {"--warmup", 0, 0, &o->warmup, 0},
        {"--eval-steps", 0, 0, &o->eval_steps, 0},
        {"--eval-tokens", 0, 0, &o->eval_tokens, 0},
        {"--vocab", 0, 0, &o->vocab, 0},
        {"--qat", 0, 0, 0, &o->qat},
        {"--resume", 0, 0, 0, &o->resume},
        {"--selftest", 0, 0, 0, &o->selftest},
    };
    for (int i = 1; i < argc; i++) {
        size_t f = 0, count = sizeof flags / sizeof *flags;
        while (f < count && strcmp(argv[i], flags[f].flag))
            f++;
        if (f == count)
            fail("unknown argument '%s'\n%s", argv[i], usage);
        if (flags[f].on) {
            *flags[f].on = 1;
            continue;
        }
        if (++i == argc)
            fail("%s needs a value", flags[f].flag);
        if (flags[f].text)
            *flags[f].text = argv[i];
        else if (flags[f].real)
            *flags[f].real = number(flags[f].flag, argv[i]);
        else
            *flags[f].integer = (int)number(flags[f].flag, argv[i]);
    }
}

// Perplexity of a text, or a text.
static void look(const options *o)
{
    config c;
    tensors w = model_load(o->eval ? o->eval : o->gen, &c), wt = tensors_new(&c);
    tensors_transpose(&c, &w, &wt);
    acts a = acts_new(&c, c.seq_len, 0);
    if (!o->tokenizer || (o->eval && !o->valid))
        fail("--eval needs --tokenizer and --valid, --generate --tokenizer\n%s", usage);
    tokenizer t = tokenizer_load(o->tokenizer, c.vocab_size);
    if (o->eval) {
        token_run text = encode_file(&t, o->valid);
        double nll = evaluate(&c, &w, &wt, &a, &text, (size_t)o->eval_tokens);
        printf("%zu tokens of text, nll %.4f, perplexity %.4f\n", text.n, nll, exp(nll));
    } else {
        generate(&c, &w, &wt, &a, &t, 256);
    }
}

int main(int argc, char **argv)
{
    options o = {.tokens = 50e6,
                 .minutes_save = 3,
                 .real = 0.25,
                 .decay = 0.4,
                 .grow = 0.25,
                 .long_part = 0.5,
                 .lr_muon = 0.02,
                 .lr_adam = 0.004,
                 .lr_grid = 0.001,
                 .dim = 64,
                 .hidden = 192,
                 .layers = 5,
                 .heads = 8,
                 .kv_heads = 4,
                 .ctx = 512,
                 .seq = 256,
                 .batch = 16,
                 .warmup = 100,
                 .eval_steps = 500,
                 .eval_tokens = 10240,
                 .seed = 1,
                 .wide = ""};
    parse(argc, argv, &o);
    if (o.selftest) {
        int bad = test_parts() + test_grid() + test_gradients(32, 4, 2) + test_gradients(64, 4, 2);
        printf("%s\n", bad ? "FAILED" : "all checks passed");
        return bad != 0;
    }
    if (o.eval || o.gen) {
        look(&o);
        return 0;
    }
    if ((!o.teacher && !o.vocab) || !o.tokenizer || !o.text || !o.valid)
        fail("--teacher or --vocab, --tokenizer, --text and --valid are needed\n%s", usage);
    if (!o.teacher)
        o.hard_real = 1.0;
    if (o.seq % 16 || o.ctx % o.seq || o.batch * o.seq < o.ctx || o.tokens <= 0 || o.eval_steps < 1)
        fail("--seq must be a multiple of 16 and divide --ctx, one batch at least --ctx tokens, "
             "--tokens and --eval-steps positive");
    train(&o);
    return 0;
}
