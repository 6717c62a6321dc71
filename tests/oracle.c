// SPDX-License-Identifier: Apache-2.0
// Owns a slow evaluation of the integer machine, written from the comments in refmodel/*.h and the
// formulas at the top of rtl_templates/*.v. Integers have 128 bits, a shift is a division, a table
// is long double libm at the moment it is needed, a weight is summed from its codes each time.
#include "tests/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

struct oracle {
    const struct hw_qmodel *q;
    int64_t *key, *value; // [n_layers][seq_len][n_kv_heads * head_dim]
    struct oracle_tap *tap;
    int n_taps;
};

static void *zeros(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        abort();
    return p;
}

// --- fixed point

static wide power2(int n) // 0 <= n <= 120
{
    wide p = 1;
    while (n-- > 0)
        p *= 2;
    return p;
}

static wide floor_div(wide a, wide b) // b > 0
{
    wide q = a / b;
    return q * b > a ? q - 1 : q;
}

// floor(x / 2^n + 1/2)
static wide rounded(wide x, int n)
{
    return floor_div(2 * x + power2(n), 2 * power2(n));
}

static int64_t clamped(wide x, int bits)
{
    wide low = -power2(bits - 1), high = power2(bits - 1) - 1;
    return (int64_t)(x < low ? low : x > high ? high : x);
}

// acc * (256 + mant) * 2^exp / 2^shift, word = {exp[3:0], mant[7:0]}
static int64_t requantized(wide acc, int word, int shift, int bits)
{
    return clamped(rounded(acc * (256 + word % 256) * power2(word / 256), shift), bits);
}

// The largest n with base^n <= x.
static int whole_log(wide x, int base)
{
    int n = 0;
    for (wide p = base; p <= x; p *= base)
        n++;
    return n;
}

// --- tables

// A curve known at every multiple of 2^frac_bits, as the nearest Q1.15, and straight in between.
static int64_t interpolated(long double (*curve)(long double), int x, int frac_bits)
{
    int pitch = 1 << frac_bits, from = x / pitch * pitch;
    wide here = (wide)floorl(curve(from) * 32768.0L + 0.5L);
    wide next = (wide)floorl(curve(from + pitch) * 32768.0L + 0.5L);
    return (int64_t)(here + rounded((next - here) * (x - from), frac_bits));
}

static long double exp2_curve(long double f)
{
    return exp2l(-f / 1024.0L);
}

static long double recip_curve(long double f)
{
    return 32768.0L / (32768.0L + f);
}

static long double rsqrt_curve(long double m)
{
    return sqrtl(16384.0L / m);
}

static long double sigmoid_curve(long double a)
{
    return 1.0L / (1.0L + expl(-a / 1024.0L));
}

int64_t oracle_exp2(int f)
{
    return interpolated(exp2_curve, f, 4); // 64 entries for 2^10 inputs
}

int64_t oracle_recip(int f)
{
    return interpolated(recip_curve, f, 9); // 64 entries for 2^15 inputs
}

int64_t oracle_rsqrt(int m)
{
    return interpolated(rsqrt_curve, m, 9); // 128 entries for 2^16 inputs
}

int64_t oracle_sigmoid(int a)
{
    return interpolated(sigmoid_curve, a, 7); // 128 entries for 2^14 inputs
}

static int64_t q14(long double x)
{
    return (int64_t)floorl(x * 16384.0L + 0.5L);
}

// Angles add: position = hi * 2^lo_bits + lo, lo_bits = ceil(log2(seq_len) / 2).
void oracle_angle(const struct hw_config *c, int pair, int pos, int64_t *cos, int64_t *sin)
{
    int n_lo = 1;
    while ((int64_t)n_lo * n_lo < c->seq_len)
        n_lo *= 2;
    long double theta = powl((long double)c->rope_base, -2.0L * pair / c->head_dim);
    if (c->rope_divisor[0] > 0.0)
        theta /= (long double)c->rope_divisor[pair];
    long double hi = theta * (pos / n_lo * n_lo), lo = theta * (pos % n_lo);
    wide ch = q14(cosl(hi)), sh = q14(sinl(hi)), cl = q14(cosl(lo)), sl = q14(sinl(lo));
    *cos = clamped(rounded(ch * cl - sh * sl, 14), 16);
    *sin = clamped(rounded(sh * cl + ch * sl, 14), 16);
}

// --- operators

static int64_t *new_tap(struct oracle *o, enum hw_tap tap, int layer, int head, int n)
{
    o->tap = realloc(o->tap, (size_t)(o->n_taps + 1) * sizeof *o->tap);
    if (!o->tap)
        abort();
    int64_t *value = zeros((size_t)n, sizeof *value);
    o->tap[o->n_taps++] = (struct oracle_tap){tap, layer, head, n, value};
    return value;
}

static wide weight(const struct hw_qmatrix *m, int r, int c)
{
    wide sum = 0;
    for (int p = 0; p < m->n_planes; p++)
        sum += m->levels[p][m->codes[((size_t)p * (size_t)m->n_out + (size_t)r) * (size_t)m->n_in +
                                     (size_t)c]];
    return sum;
}

// Row r of the matrix times x, requantized to `bits`.
static int64_t row(const struct hw_qmatrix *m, int r, const int64_t *x, int bits)
{
    wide acc = 0;
    for (int c = 0; c < m->n_in; c++)
        acc += weight(m, r, c) * x[c];
    return requantized(acc, m->scale[r], m->shift, bits);
}

// Row r of the matrix times x, requantized to 24 bits, with a bias cut to `bits`.
static int64_t biased_row(const struct hw_qmatrix *m, const int16_t *bias, int r, const int64_t *x,
                          int bits)
{
    return clamped((wide)row(m, r, x, 24) + (bias ? bias[r] : 0), bits);
}

// y = rs(x / sqrt(ss) * gain, shift), x / sqrt(ss) in 18 bits with 17 of them fraction.
static void normalize_to(int bits, const struct hw_qnorm *norm, const int64_t *x, int n, int64_t *y)
{
    wide ss = (wide)norm->eps_ss;
    for (int c = 0; c < n; c++)
        ss += (wide)x[c] * x[c];
    int k = whole_log(ss, 4);
    int m = (int)(ss * power2(14) / power2(2 * k)); // ss / 4^k in [1, 4), 14 fraction bits
    wide root = oracle_rsqrt(m);
    for (int c = 0; c < n; c++) {
        wide t = clamped(rounded(4 * root * x[c], k), 18);
        y[c] = clamped(rounded(t * norm->gain[c], norm->shift), bits);
    }
}

static void normalize(const struct hw_qmodel *q, const struct hw_qnorm *norm, const int64_t *x,
                      int n, int64_t *y)
{
    normalize_to(q->widths.act_bits, norm, x, n, y);
}

// Width of what attention and the gated pairs make: with a norm behind them, the residual's.
static int made_bits(const struct hw_qmodel *q)
{
    return q->config.sub_norm ? q->widths.res_bits : q->widths.act_bits;
}

// Matrix times x and bias, each head through a norm where there is one, then its pairs
// (2i, 2i + 1) turned by the angle of pair i.
static void turned(const struct hw_qmodel *q, const struct hw_qmatrix *m, const int16_t *bias,
                   const struct hw_qnorm *norm, const int64_t *x, int pos, int bits, int64_t *y)
{
    const struct hw_config *c = &q->config;
    int64_t *plain = zeros((size_t)m->n_out, sizeof *plain);
    for (int r = 0; r < m->n_out; r++)
        plain[r] = biased_row(m, bias, r, x, 16);
    for (int h = 0; c->qk_norm && h < m->n_out; h += c->head_dim) {
        memcpy(y, plain + h, (size_t)c->head_dim * sizeof *y);
        normalize_to(16, norm, y, c->head_dim, plain + h);
    }
    for (int r = 0; r < m->n_out; r += 2) {
        int64_t cos, sin;
        oracle_angle(c, r % c->head_dim / 2, pos, &cos, &sin);
        wide a = plain[r], b = plain[r + 1];
        y[r] = clamped(rounded(a * cos - b * sin, 14 + 15 - bits), bits);
        y[r + 1] = clamped(rounded(a * sin + b * cos, 14 + 15 - bits), bits);
    }
    free(plain);
}

// 2^-(d / 1024), Q1.15: the fraction from the table, then whole halvings, rounded once.
static wide exp2_neg(wide d)
{
    return d / 1024 > 100 ? 0 : rounded(oracle_exp2((int)(d % 1024)), (int)(d / 1024));
}

// score[p] = q . k[p], 10 fraction bits; k is one head's key at position 0, `stride` a position.
static void scores(const struct hw_qmodel *q, int score_shift, const int64_t *query,
                   const int64_t *k, int stride, int n, int64_t *score)
{
    for (int p = 0; p < n; p++) {
        wide raw = 0;
        for (int d = 0; d < q->config.head_dim; d++)
            raw += (wide)query[d] * k[p * stride + d];
        score[p] = clamped(rounded(64 * raw, score_shift), 20);
    }
}

// out = sum of e[p] * v[p] / sum of e[p], e[p] = 2^(score[p] - max), 1 / sum from the table.
static void weighted(const struct hw_qmodel *q, int att_shift, const int64_t *score,
                     const int64_t *v, int stride, int n, int64_t *out)
{
    int64_t max = score[0];
    for (int p = 0; p < n; p++)
        max = score[p] > max ? score[p] : max;
    wide sum = 0;
    for (int p = 0; p < n; p++)
        sum += exp2_neg((wide)max - score[p]);
    int msb = whole_log(sum, 2);
    wide inverse = oracle_recip((int)((sum - power2(msb)) * power2(15) / power2(msb)));
    for (int d = 0; d < q->config.head_dim; d++) {
        wide acc = 0;
        for (int p = 0; p < n; p++)
            acc += exp2_neg((wide)max - score[p]) * v[p * stride + d];
        out[d] = clamped(rounded(acc * inverse, 15 + msb - att_shift), made_bits(q));
    }
}

// gate * sigmoid(gate) * up; sigmoid(-a) = 1 - sigmoid(a), 1 from 16 on.
static int64_t gated(const struct hw_qmodel *q, int hidden_shift, wide gate, wide up)
{
    wide a = gate < 0 ? -gate : gate;
    wide sigmoid = a < 16 * 1024 ? oracle_sigmoid((int)a) : 32768;
    wide silu = rounded(gate * (gate < 0 ? 32768 - sigmoid : sigmoid), 15);
    return clamped(rounded(silu * up, hidden_shift), made_bits(q));
}

// --- the forward pass

static const int64_t *add_rows(struct oracle *o, enum hw_tap tap, int layer,
                               const struct hw_qmatrix *m, const int64_t *in, const int64_t *x)
{
    int64_t *sum = new_tap(o, tap, layer, 0, o->q->config.dim);
    for (int r = 0; r < m->n_out; r++)
        sum[r] = clamped((wide)x[r] + row(m, r, in, 24), o->q->widths.res_bits);
    return sum;
}

static const int64_t *attention(struct oracle *o, int l, int pos, const int64_t *x)
{
    const struct hw_config *c = &o->q->config;
    const struct hw_qlayer *layer = &o->q->layers[l];
    int kv_dim = c->n_kv_heads * c->head_dim, q_dim = c->n_heads * c->head_dim;
    int kv_bits = o->q->widths.kv_bits, sharing = c->n_heads / c->n_kv_heads;
    int64_t *keys = o->key + (size_t)l * (size_t)c->seq_len * (size_t)kv_dim;
    int64_t *values = o->value + (size_t)l * (size_t)c->seq_len * (size_t)kv_dim;

    int64_t *in = new_tap(o, HW_TAP_ATTN_NORM, l, 0, c->dim);
    normalize(o->q, &layer->attn_norm, x, c->dim, in);
    int64_t *k = new_tap(o, HW_TAP_K, l, 0, kv_dim);
    turned(o->q, &layer->wk, layer->bk, &layer->k_norm, in, pos, kv_bits, k);
    memcpy(keys + pos * kv_dim, k, (size_t)kv_dim * sizeof *k);
    int64_t *query = new_tap(o, HW_TAP_Q, l, 0, q_dim);
    turned(o->q, &layer->wq, layer->bq, &layer->q_norm, in, pos, 12, query);
    int64_t *v = new_tap(o, HW_TAP_V, l, 0, kv_dim);
    for (int r = 0; r < kv_dim; r++)
        v[r] = biased_row(&layer->wv, layer->bv, r, in, kv_bits);
    memcpy(values + pos * kv_dim, v, (size_t)kv_dim * sizeof *v);

    // all keys are kept, and the last `window` of them looked at
    int first = c->window > 0 && c->windowed[l] && pos >= c->window ? pos + 1 - c->window : 0;
    int seen = pos + 1 - first;
    int64_t *mixed = zeros((size_t)q_dim, sizeof *mixed);
    int64_t *in_order = zeros((size_t)seen, sizeof *in_order);
    for (int h = 0; h < c->n_heads; h++) {
        int from = first * kv_dim + h / sharing * c->head_dim;
        scores(o->q, layer->score_shift, query + h * c->head_dim, keys + from, kv_dim, seen,
               in_order);
        weighted(o->q, layer->att_shift, in_order, values + from, kv_dim, seen,
                 mixed + h * c->head_dim);
        int64_t *score = new_tap(o, HW_TAP_SCORE, l, h, seen);
        for (int p = first; p <= pos; p++) // the machine has them in the order of its ring
            score[first > 0 ? p % c->window : p] = in_order[p - first];
    }
    free(in_order);
    int64_t *attn = new_tap(o, HW_TAP_ATTN, l, 0, q_dim);
    memcpy(attn, mixed, (size_t)q_dim * sizeof *mixed);
    free(mixed);
    if (!c->sub_norm)
        return add_rows(o, HW_TAP_ATTN_RES, l, &layer->wo, attn, x);
    int64_t *even = new_tap(o, HW_TAP_ATTN_SUB_NORM, l, 0, q_dim);
    normalize(o->q, &layer->attn_sub_norm, attn, q_dim, even);
    return add_rows(o, HW_TAP_ATTN_RES, l, &layer->wo, even, x);
}

static const int64_t *feed_forward(struct oracle *o, int l, const int64_t *x)
{
    const struct hw_config *c = &o->q->config;
    const struct hw_qlayer *layer = &o->q->layers[l];
    int64_t *in = new_tap(o, HW_TAP_FFN_NORM, l, 0, c->dim);
    normalize(o->q, &layer->ffn_norm, x, c->dim, in);
    int64_t *hidden = new_tap(o, HW_TAP_HIDDEN, l, 0, c->hidden_dim);
    for (int i = 0; i < c->hidden_dim; i++) {
        wide gate = row(&layer->gate_up, 2 * i, in, 18);
        wide up = row(&layer->gate_up, 2 * i + 1, in, 16);
        hidden[i] = gated(o->q, layer->hidden_shift, gate, up);
    }
    if (!c->sub_norm)
        return add_rows(o, HW_TAP_FFN_RES, l, &layer->down, hidden, x);
    int64_t *even = new_tap(o, HW_TAP_FFN_SUB_NORM, l, 0, c->hidden_dim);
    normalize(o->q, &layer->ffn_sub_norm, hidden, c->hidden_dim, even);
    return add_rows(o, HW_TAP_FFN_RES, l, &layer->down, even, x);
}

static void drop_taps(struct oracle *o)
{
    for (int i = 0; i < o->n_taps; i++)
        free(o->tap[i].value);
    o->n_taps = 0;
}

const struct oracle_tap *oracle_forward(struct oracle *o, int token, int pos, int *n)
{
    const struct hw_qmodel *q = o->q;
    const struct hw_config *c = &q->config;
    drop_taps(o);
    int64_t *embedded = new_tap(o, HW_TAP_EMBED, 0, 0, c->dim);
    for (int i = 0; i < c->dim; i++)
        embedded[i] = requantized(256 * weight(&q->embed, token, i), q->embed.scale[token],
                                  q->embed_shift, q->widths.res_bits);
    const int64_t *x = embedded;
    for (int l = 0; l < c->n_layers; l++) {
        x = attention(o, l, pos, x);
        x = feed_forward(o, l, x);
    }
    int64_t *last = new_tap(o, HW_TAP_FINAL_NORM, 0, 0, c->dim);
    normalize(q, &q->final_norm, x, c->dim, last);
    int64_t *logits = new_tap(o, HW_TAP_LOGITS, 0, 0, c->vocab_size);
    for (int r = 0; r < c->vocab_size; r++)
        logits[r] = row(c->tied ? &q->embed : &q->head, r, last, 24);
    *n = o->n_taps;
    return o->tap;
}

struct oracle *oracle_new(const struct hw_qmodel *q)
{
    const struct hw_config *c = &q->config;
    size_t cache =
        (size_t)c->n_layers * (size_t)c->seq_len * (size_t)c->n_kv_heads * (size_t)c->head_dim;
    struct oracle *o = zeros(1, sizeof *o);
    o->q = q;
    o->key = zeros(cache, sizeof *o->key);
    o->value = zeros(cache, sizeof *o->value);
    return o;
}

void oracle_free(struct oracle *o)
{
    drop_taps(o);
    free(o->tap);
    free(o->key);
    free(o->value);
    free(o);
}
