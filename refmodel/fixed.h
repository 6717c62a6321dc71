// SPDX-License-Identifier: Apache-2.0
// The machine's fixed-point rules. Every rounding, saturation and multiply of the reference model
// goes through this header; rtl_templates/round_shift.v and saturate.v do the same in Verilog.
//
// Rounding: one rule, round half up (towards +infinity): rs(x, s) = floor((x + 2^(s-1)) / 2^s).
// Saturation: one rule, clamp to the two's complement range of the destination.
#ifndef HW_FIXED_H
#define HW_FIXED_H

#include <assert.h>
#include <stdint.h>

// A build with -DHW_CHECK_RANGES asserts every documented range; otherwise the checks vanish.
#ifdef HW_CHECK_RANGES
#define HW_RANGE(cond) assert(cond)
#else
#define HW_RANGE(cond) ((void)0)
#endif

// floor(x / 2^s) for 0 <= s <= 62, without relying on how the compiler shifts negative numbers.
static inline int64_t hw_floor_shift(int64_t x, int s)
{
    HW_RANGE(s >= 0 && s <= 62);
    return x >= 0 ? (int64_t)((uint64_t)x >> s) : -(int64_t)(((uint64_t) - (x + 1)) >> s) - 1;
}

// x / 2^s, ties towards +infinity. 0 <= s <= 62, |x| < 2^62.
static inline int64_t hw_round_shift(int64_t x, int s)
{
    HW_RANGE(x < (INT64_C(1) << 62) && x > -(INT64_C(1) << 62));
    return s == 0 ? x : hw_floor_shift(x + (INT64_C(1) << (s - 1)), s);
}

// Clamp to a signed number of `bits` bits, 2 <= bits <= 62.
static inline int64_t hw_saturate(int64_t x, int bits)
{
    int64_t max = (INT64_C(1) << (bits - 1)) - 1;
    HW_RANGE(bits >= 2 && bits <= 62);
    return x > max ? max : x < -max - 1 ? -max - 1 : x;
}

// Number of bits of x without leading zeros; 0 for 0.
static inline int hw_bit_length(uint64_t x)
{
    int n = 0;
    for (; x != 0; x >>= 1)
        n++;
    return n;
}

// A row scale is a 12-bit word {exp[3:0], mant[7:0]} with the value (256 + mant) * 2^exp.
// requant: saturate(rs(acc * (256 + mant), shift - exp), bits); 15 <= shift <= 62.
// |acc| < 2^40, so that the product stays below 2^50.
static inline int64_t hw_requant(int64_t acc, uint16_t scale, int shift, int bits)
{
    int64_t mant = 256 + (scale & 0xff);
    HW_RANGE((scale >> 12) == 0 && shift >= 15 && shift <= 62);
    HW_RANGE(acc < (INT64_C(1) << 40) && acc > -(INT64_C(1) << 40));
    return hw_saturate(hw_round_shift(acc * mant, shift - (scale >> 8)), bits);
}

#endif
