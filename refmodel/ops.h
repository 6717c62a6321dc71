// SPDX-License-Identifier: Apache-2.0
// The operators of the integer machine, one function each. The RTL modules of the same names
// compute the same integers.
#ifndef HW_OPS_H
#define HW_OPS_H

#include <stdint.h>

#include "refmodel/qmodel.h"

enum {
    HW_Q_BITS = 12,     // rotated queries
    HW_PRE_BITS = 16,   // queries, keys before rotation; FFN up
    HW_GATE_BITS = 18,  // FFN gate, 10 fraction bits
    HW_SCORE_BITS = 20, // attention scores in log2 units, 10 fraction bits
    HW_ROW_BITS = 24,   // requantized rows on the way to the residual, and logits
    HW_TRIG_BITS = 14,  // fraction bits of cos and sin
};

// acc[r] = sum over c of weight[r][c] * x[c], exact. |x| < 2^11, n_in < 2^20.
void hw_matvec(const struct hw_qmatrix *m, const int32_t *x, int64_t *acc);

// y = rmsnorm(x), n elements: ss = sum x^2 + eps_ss; t = x / sqrt(ss) in Q1.17; y = sat(rs(t *
// gain, shift)).
void hw_rmsnorm(const struct hw_qnorm *norm, const int32_t *x, int n, int act_bits, int32_t *y);

// v += bias in place, n rows of HW_ROW_BITS, then cut to `bits`; bias NULL: none.
void hw_add_bias(int32_t *v, const int16_t *bias, int n, int bits);

// hw_rmsnorm over each of n / head_dim heads of HW_PRE_BITS, in place.
void hw_norm_heads(const struct hw_qnorm *norm, int32_t *v, int n, int head_dim);

// cos and sin of every pair at a position, Q1.14 [head_dim / 2] each.
void hw_rope_angles(const struct hw_rope *rope, int half, int pos, int32_t *cos, int32_t *sin);

// Rotates interleaved pairs of n values in place, n a multiple of 2 * half: 16 bits in, `bits` out.
// Every pair is rounded once, by `shift`, HW_TRIG_BITS and what the scale drops.
void hw_rope_rotate(int32_t *v, int n, int half, const int32_t *cos, const int32_t *sin, int shift,
                    int bits);

// silu(gate) * up: gate 18 bits with 10 fraction bits, up 16 bits; shifted right by hidden_shift,
// 0..62, to `bits` bits.
int32_t hw_swiglu(int32_t gate, int32_t up, int hidden_shift, int bits);

// One head over n >= 1 positions, head_dim <= HW_MAX_HEAD_DIM: q of HW_Q_BITS bits, k and v of up
// to 12. k and v point at this head's entries of position 0, `stride` apart. Writes score[n],
// HW_SCORE_BITS bits, and out[head_dim], `bits` bits.
void hw_attention(const int32_t *q, const int16_t *k, const int16_t *v, int stride, int n,
                  int head_dim, const struct hw_qlayer *layer, int bits, int32_t *score,
                  int32_t *out);

#endif
