// SPDX-License-Identifier: Apache-2.0
// One row of stored weights to floats, for every storage type the importers accept. The caller has
// checked that the bytes are there and that the row is a whole number of blocks.
//
// The block layouts are those of ggml (github.com/ggml-org/ggml, ggml-common.h). Each value is
// computed with ggml's own order of float operations, so that results are equal bit by bit.
#include <string.h>

#include "gen/read/import.h"

static float bits_to_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// IEEE half precision. Exact: every half is a float.
static float load_f16(const uint8_t *p)
{
    uint32_t half = hw_load_u16(p);
    uint32_t sign = (half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1f;
    uint32_t mantissa = half & 0x3ff;
    if (exponent == 0) { // subnormal: mantissa * 2^-24
        float value = (float)mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t float_exponent = exponent == 31 ? 255 : exponent + 112;
    return bits_to_float(sign | float_exponent << 23 | mantissa << 13);
}

static void block_f32(const uint8_t *src, float *dst)
{
    *dst = hw_load_f32(src);
}

static void block_f16(const uint8_t *src, float *dst)
{
    *dst = load_f16(src);
}

static void block_bf16(const uint8_t *src, float *dst)
{
    *dst = bits_to_float((uint32_t)hw_load_u16(src) << 16);
}

static int load_i8(uint8_t byte)
{
    return byte < 128 ? byte : byte - 256;
}

static void block_i8(const uint8_t *src, float *dst)
{
    *dst = (float)load_i8(*src);
}

// f16 d; i8 q[32].
static void block_q8_0(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    for (int i = 0; i < 32; i++)
        dst[i] = (float)load_i8(src[2 + i]) * d;
}

// Element i of 32 nibbles: the low halves of all bytes come first.
static int nibble(const uint8_t *q, int i)
{
    return q[i % 16] >> (i / 16 * 4) & 15;
}

// f16 d; 32 nibbles, offset 8.
static void block_q4_0(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    for (int i = 0; i < 16; i++) { // low halves, high halves: loops that compilers make wide
        dst[i] = (float)((src[2 + i] & 15) - 8) * d;
        dst[16 + i] = (float)((src[2 + i] >> 4) - 8) * d;
    }
}

// f16 d, m; 32 nibbles.
static void block_q4_1(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    float m = load_f16(src + 2);
    for (int i = 0; i < 16; i++) {
        dst[i] = (float)(src[4 + i] & 15) * d + m;
        dst[16 + i] = (float)(src[4 + i] >> 4) * d + m;
    }
}

// Fifth bits, element i in bit i, above 32 nibbles.
static int five_bits(const uint8_t *high, const uint8_t *low, int i)
{
    return nibble(low, i) | (high[i / 8] >> (i % 8) & 1) << 4;
}

// f16 d; u32 fifth bits; 32 nibbles; offset 16.
static void block_q5_0(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    for (int i = 0; i < 32; i++)
        dst[i] = (float)(five_bits(src + 2, src + 6, i) - 16) * d;
}

// f16 d, m; u32 fifth bits; 32 nibbles.
static void block_q5_1(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    float m = load_f16(src + 2);
    for (int i = 0; i < 32; i++)
        dst[i] = (float)five_bits(src + 4, src + 8, i) * d + m;
}

// Six-bit scale and minimum of group j of 8: twelve bytes hold the low six bits of groups 0..3,
// their minimums, and nibbles of groups 4..7 whose two top bits sit above the former.
static void scale_and_min(const uint8_t *p, int j, int *scale, int *min)
{
    if (j < 4) {
        *scale = p[j] & 63;
        *min = p[j + 4] & 63;
    } else {
        *scale = (p[j + 4] & 15) | (p[j - 4] >> 6) << 4;
        *min = p[j + 4] >> 4 | (p[j] >> 6) << 4;
    }
}

// f16 d, dmin; 12 bytes of scales; 128 bytes of nibbles. Groups 2g and 2g + 1 of 32 elements are
// the low and high halves of the same 32 bytes.
static void block_q4_k(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    float dmin = load_f16(src + 2);
    for (int j = 0; j < 8; j++) {
        int scale, min;
        scale_and_min(src + 4, j, &scale, &min);
        float group_d = d * (float)scale;
        float group_min = dmin * (float)min;
        const uint8_t *q = src + 16 + j / 2 * 32;
        for (int i = 0; i < 32; i++)
            dst[j * 32 + i] = group_d * (float)(q[i] >> (j % 2 * 4) & 15) - group_min;
    }
}

// As Q4_K, with 32 bytes of fifth bits before the nibbles: group j in bit j.
static void block_q5_k(const uint8_t *src, float *dst)
{
    float d = load_f16(src);
    float dmin = load_f16(src + 2);
    for (int j = 0; j < 8; j++) {
        int scale, min;
        scale_and_min(src + 4, j, &scale, &min);
        float group_d = d * (float)scale;
        float group_min = dmin * (float)min;
        const uint8_t *high = src + 16;
        const uint8_t *q = src + 48 + j / 2 * 32;
        for (int i = 0; i < 32; i++) {
            int code = (q[i] >> (j % 2 * 4) & 15) | (high[i] >> j & 1) << 4;
            dst[j * 32 + i] = group_d * (float)code - group_min;
        }
    }
}

// 128 bytes of low nibbles, 64 bytes of two high bits, i8 scale of each 16 elements, f16 d;
// offset 32. Each half of the block: 32-element runs 0, 1 in the low, 2, 3 in the high nibbles.
static void block_q6_k(const uint8_t *src, float *dst)
{
    float d = load_f16(src + 208);
    for (int i = 0; i < 256; i++) {
        int half = i / 128, run = i / 32 % 4, k = i % 32;
        int low = src[half * 64 + run % 2 * 32 + k] >> (run / 2 * 4) & 15;
        int high = src[128 + half * 32 + k] >> (run * 2) & 3;
        float group_d = d * (float)load_i8(src[192 + i / 16]);
        dst[i] = group_d * (float)((low | high << 4) - 32);
    }
}

// Digit n of a byte that holds five ternary digits as a fraction of 256, most significant first.
static int ternary_digit(uint8_t byte, int n)
{
    static const uint8_t power[] = {1, 3, 9, 27, 81};
    uint8_t rest = (uint8_t)(byte * power[n]); // drops the digits before n
    return (rest * 3 >> 8) - 1;
}

// 48 bytes of five digits, 4 bytes of four, f16 d. Digit n of bytes 0..31 are elements
// n * 32 ...; of bytes 32..47 elements 160 + n * 16 ...; of bytes 48..51 elements 240 + n * 4 ...
static void block_tq1_0(const uint8_t *src, float *dst)
{
    float d = load_f16(src + 52);
    for (int i = 0; i < 160; i++)
        dst[i] = (float)ternary_digit(src[i % 32], i / 32) * d;
    for (int i = 0; i < 80; i++)
        dst[160 + i] = (float)ternary_digit(src[32 + i % 16], i / 16) * d;
    for (int i = 0; i < 16; i++)
        dst[240 + i] = (float)ternary_digit(src[48 + i % 4], i / 4) * d;
}

// 64 bytes of two-bit digits, f16 d; offset 1. Each half: 32-element run r in bits 2r.
static void block_tq2_0(const uint8_t *src, float *dst)
{
    float d = load_f16(src + 64);
    for (int i = 0; i < 256; i++)
        dst[i] = (float)((src[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3) - 1) * d;
}

// Four codes, the first in bits 7:6: 00 is 0, 01 is +1, 11 is -1.
static void block_ternary(const uint8_t *src, float *dst)
{
    static const float value[] = {0.0f, 1.0f, 0.0f, -1.0f};
    for (int i = 0; i < 4; i++)
        dst[i] = value[*src >> (6 - 2 * i) & 3];
}

static const struct {
    const char *name;
    int elements, bytes; // of one block
    void (*block)(const uint8_t *src, float *dst);
} dtype_info[HW_N_DTYPES] = {
    [HW_F32] = {"F32", 1, 4, block_f32},
    [HW_F16] = {"F16", 1, 2, block_f16},
    [HW_BF16] = {"BF16", 1, 2, block_bf16},
    [HW_I8] = {"I8", 1, 1, block_i8},
    [HW_Q8_0] = {"Q8_0", 32, 34, block_q8_0},
    [HW_Q4_0] = {"Q4_0", 32, 18, block_q4_0},
    [HW_Q4_1] = {"Q4_1", 32, 20, block_q4_1},
    [HW_Q5_0] = {"Q5_0", 32, 22, block_q5_0},
    [HW_Q5_1] = {"Q5_1", 32, 24, block_q5_1},
    [HW_Q4_K] = {"Q4_K", 256, 144, block_q4_k},
    [HW_Q5_K] = {"Q5_K", 256, 176, block_q5_k},
    [HW_Q6_K] = {"Q6_K", 256, 210, block_q6_k},
    [HW_TQ1_0] = {"TQ1_0", 256, 54, block_tq1_0},
    [HW_TQ2_0] = {"TQ2_0", 256, 66, block_tq2_0},
    [HW_TERNARY] = {"ternary", 4, 1, block_ternary},
};

const char *hw_dtype_name(enum hw_dtype dtype)
{
    return dtype_info[dtype].name;
}

int hw_dtype_block(enum hw_dtype dtype)
{
    return dtype_info[dtype].elements;
}

size_t hw_dtype_row_bytes(enum hw_dtype dtype, int n)
{
    return (size_t)(n / dtype_info[dtype].elements) * (size_t)dtype_info[dtype].bytes;
}

void hw_dequant_row(enum hw_dtype dtype, const uint8_t *src, int n, float *dst)
{
    int elements = dtype_info[dtype].elements;
    if (dtype == HW_F32 || dtype == HW_F16) { // common, and a call for each weight would dominate
        for (int i = 0; i < n; i++)
            dst[i] =
                dtype == HW_F32 ? hw_load_f32(src + 4 * (size_t)i) : load_f16(src + 2 * (size_t)i);
        return;
    }
    for (int i = 0; i < n; i += elements) {
        dtype_info[dtype].block(src, dst + i);
        src += dtype_info[dtype].bytes;
    }
}
