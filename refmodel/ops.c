// SPDX-License-Identifier: Apache-2.0
// Owns the integer definition of every operator. Only fixed.h rounds, only tables.h approximates.
#include "refmodel/ops.h"

#include <string.h>

#include "refmodel/fixed.h"
#include "refmodel/tables.h"

void hw_matvec(const struct hw_qmatrix *m, const int32_t *x, int64_t *acc)
{
    enum { CHUNK = 4096 }; // 4096 products below 2^18 stay inside 32 bits
    int16_t xs[CHUNK];
    memset(acc, 0, (size_t)m->n_out * sizeof *acc);
    for (int first = 0; first < m->n_in; first += CHUNK) {
        int n = m->n_in - first < CHUNK ? m->n_in - first : CHUNK;
        for (int c = 0; c < n; c++) {
            HW_RANGE(x[first + c] >= -2048 && x[first + c] < 2048);
            xs[c] = (int16_t)x[first + c];
        }
        for (int r = 0; r < m->n_out; r++) {
            const int16_t *w = m->weight + (size_t)r * (size_t)m->n_in + first;
            int32_t sum = 0;
            for (int c = 0; c < n; c++)
                sum += (int32_t)w[c] * xs[c];
            acc[r] += sum;
        }
    }
}

void hw_rmsnorm(const struct hw_qnorm *norm, const int32_t *x, int n, int act_bits, int32_t *y)
{
    uint64_t ss = norm->eps_ss;
    for (int c = 0; c < n; c++)
        ss += (uint64_t)((int64_t)x[c] * x[c]);
    HW_RANGE(ss > 0);
    // ss = m * 4^k with m in [1, 4); m has 14 fraction bits, the rest is dropped
    int k = (hw_bit_length(ss) - 1) / 2;
    uint32_t m = (uint32_t)(2 * k >= 14 ? ss >> (2 * k - 14) : ss << (14 - 2 * k));
    int64_t r = hw_table_lerp(hw_table(HW_TABLE_RSQRT), m); // 1 / sqrt(m), Q1.15
    for (int c = 0; c < n; c++) {
        int64_t t = hw_saturate(hw_round_shift(x[c] * r * 4, k), 18); // x / sqrt(ss), Q1.17
        y[c] = (int32_t)hw_saturate(hw_round_shift(t * norm->gain[c], norm->shift), act_bits);
    }
}

void hw_add_bias(int32_t *v, const int16_t *bias, int n, int bits)
{
    for (int i = 0; i < n; i++)
        v[i] = (int32_t)hw_saturate((int64_t)v[i] + (bias ? bias[i] : 0), bits);
}

void hw_norm_heads(const struct hw_qnorm *norm, int32_t *v, int n, int head_dim)
{
    for (int i = 0; i < n; i += head_dim)
        hw_rmsnorm(norm, v + i, head_dim, HW_PRE_BITS, v + i);
}

void hw_rope_angles(const struct hw_rope *rope, int half, int pos, int32_t *cos, int32_t *sin)
{
    int hi = (pos >> rope->lo_bits) * half, lo = (pos & ((1 << rope->lo_bits) - 1)) * half;
    for (int i = 0; i < half; i++) {
        int64_t ch = rope->hi_cos[hi + i], sh = rope->hi_sin[hi + i];
        int64_t cl = rope->lo_cos[lo + i], sl = rope->lo_sin[lo + i];
        cos[i] = (int32_t)hw_saturate(hw_round_shift(ch * cl - sh * sl, HW_TRIG_BITS), 16);
        sin[i] = (int32_t)hw_saturate(hw_round_shift(sh * cl + ch * sl, HW_TRIG_BITS), 16);
    }
}

void hw_rope_rotate(int32_t *v, int n, int half, const int32_t *cos, const int32_t *sin, int shift,
                    int bits)
{
    for (int i = 0; i < n; i += 2) {
        int64_t a = v[i], b = v[i + 1], c = cos[i / 2 % half], s = sin[i / 2 % half];
        v[i] = (int32_t)hw_saturate(hw_round_shift(a * c - b * s, shift), bits);
        v[i + 1] = (int32_t)hw_saturate(hw_round_shift(a * s + b * c, shift), bits);
    }
}

int32_t hw_swiglu(int32_t gate, int32_t up, int hidden_shift, int bits)
{
    uint32_t a = (uint32_t)(gate < 0 ? -gate : gate); // 2^17 at most
    int64_t sigmoid = a < 1u << 14 ? hw_table_lerp(hw_table(HW_TABLE_SIGMOID), a) : 32768;
    if (gate < 0)
        sigmoid = 32768 - sigmoid;
    int64_t silu = hw_round_shift(gate * sigmoid, 15); // 18 bits, 10 fraction bits
    return (int32_t)hw_saturate(hw_round_shift(silu * up, hidden_shift), bits);
}

// 2^-(d / 1024) for d >= 0, Q1.15.
static int64_t exp2_neg(int64_t d)
{
    int64_t e = hw_table_lerp(hw_table(HW_TABLE_EXP2), (uint32_t)(d & 1023));
    return d >> 10 > 16 ? 0 : hw_round_shift(e, (int)(d >> 10));
}

void hw_attention(const int32_t *q, const int16_t *k, const int16_t *v, int stride, int n,
                  int head_dim, const struct hw_qlayer *layer, int bits, int32_t *score,
                  int32_t *out)
{
    int32_t max = INT32_MIN;
    for (int p = 0; p < n; p++) { // scores: q . k, log2 units
        int64_t raw = 0;
        for (int d = 0; d < head_dim; d++)
            raw += q[d] * k[(size_t)p * (size_t)stride + (size_t)d];
        score[p] =
            (int32_t)hw_saturate(hw_round_shift(raw * 64, layer->score_shift), HW_SCORE_BITS);
        max = score[p] > max ? score[p] : max;
    }
    int64_t sum = 0, acc[HW_MAX_HEAD_DIM];
    memset(acc, 0, (size_t)head_dim * sizeof *acc);
    for (int p = 0; p < n; p++) { // weighted sum of the values
        int64_t e = exp2_neg((int64_t)max - score[p]);
        sum += e;
        for (int d = 0; d < head_dim; d++)
            acc[d] += e * v[(size_t)p * (size_t)stride + (size_t)d];
    }
    // 1 / sum: sum = m * 2^msb with m in [1, 2), 15 fraction bits of m kept; sum >= 2^15
    int msb = hw_bit_length((uint64_t)sum) - 1;
    int64_t r = hw_table_lerp(hw_table(HW_TABLE_RECIP), (uint32_t)(sum >> (msb - 15)) & 0x7fff);
    for (int d = 0; d < head_dim; d++)
        out[d] =
            (int32_t)hw_saturate(hw_round_shift(acc[d] * r, 15 + msb - layer->att_shift), bits);
}
