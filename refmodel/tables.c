// SPDX-License-Identifier: Apache-2.0
// Owns every table of the machine: exp2, reciprocal, reciprocal square root and sigmoid, which are
// constants (function_tables.h), and those of RoPE, which a model's configuration decides. Floating
// point lives here and nowhere else in refmodel. Only IEEE +, -, *, / are used (built with
// -ffp-contract=off), so the tables are the same bytes on every machine.
#include "refmodel/tables.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "refmodel/fixed.h"
#include "refmodel/function_tables.h"

static const double LN2_HI = 6.93147180369123816490e-01; // ln 2 in two parts (fdlibm)
static const double LN2_LO = 1.90821492927058770002e-10;
static const double PI_2_HI = 1.57079632673412561417e+00; // pi / 2 in three parts (fdlibm)
static const double PI_2_MID = 6.07710050630396597660e-11;
static const double PI_2_LO = 2.02226624879595063154e-21;

static double nearest(double x)
{
    return floor(x + 0.5);
}

double hw_exp(double x)
{
    if (x < -700.0)
        return 0.0;
    static const double inverse[] = {0,        1.0 / 1,  1.0 / 2,  1.0 / 3,  1.0 / 4,
                                     1.0 / 5,  1.0 / 6,  1.0 / 7,  1.0 / 8,  1.0 / 9,
                                     1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14};
    double n = nearest(x / (LN2_HI + LN2_LO));
    double r = (x - n * LN2_HI) - n * LN2_LO; // |r| <= ln2 / 2
    double sum = 1.0, power;
    for (int i = 14; i >= 1; i--) // Taylor in Horner form
        sum = 1.0 + sum * (r * inverse[i]);
    uint64_t bits = (uint64_t)((int)n + 1023) << 52; // 2^n, |n| < 1023
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

double hw_log(double x)
{
    int e;
    double m = frexp(x, &e); // m in [0.5, 1)
    if (m < 0.70710678118654752440) {
        m *= 2.0;
        e--;
    }
    double s = (m - 1.0) / (m + 1.0), z = s * s, sum = 0.0; // ln m = 2 atanh s
    for (int i = 23; i >= 1; i -= 2)
        sum = sum * z + 1.0 / i;
    return e * LN2_HI + (2.0 * s * sum + e * LN2_LO);
}

// sin (odd = true) or cos of r, |r| <= pi / 4, by Taylor in Horner form.
static double sin_cos_series(double r, bool odd)
{
    double sum = 1.0;
    for (int i = 20 + odd; i >= 2 + odd; i -= 2)
        sum = 1.0 - sum * r * r / (i * (i - 1.0));
    return odd ? r * sum : sum;
}

static double sin_quadrant(double x, int shift)
{
    double n = nearest(x / (PI_2_HI + PI_2_MID));
    double r = ((x - n * PI_2_HI) - n * PI_2_MID) - n * PI_2_LO;
    int quadrant = (int)((int64_t)n + shift) & 3;
    double y = sin_cos_series(r, (quadrant & 1) == 0);
    return quadrant & 2 ? -y : y;
}

double hw_sin(double x)
{
    return sin_quadrant(x, 0);
}

double hw_cos(double x)
{
    return sin_quadrant(x, 1);
}

const struct hw_table *hw_table(enum hw_table_id id)
{
    return &function_table[id];
}

int32_t hw_table_lerp(const struct hw_table *t, uint32_t x)
{
    struct hw_table_entry e = t->entry[x >> t->frac_bits];
    int32_t frac = (int32_t)(x & ((1u << t->frac_bits) - 1));
    return e.base + (int32_t)hw_round_shift((int64_t)e.step * frac, t->frac_bits);
}

void hw_rope_shape(int seq_len, int *lo_bits, int *n_hi)
{
    int bits = hw_bit_length((uint64_t)(seq_len - 1));
    *lo_bits = (bits + 1) / 2;
    *n_hi = (seq_len + (1 << *lo_bits) - 1) >> *lo_bits;
}

// Rounds to Q1.14; false when x is within 1e-6 LSB of a tie.
static bool to_q14(double x, int16_t *out)
{
    double scaled = x * 16384.0, rounded = nearest(scaled);
    *out = (int16_t)rounded;
    return fabs(fabs(scaled - rounded) - 0.5) > 1e-6;
}

double hw_rope_theta(const struct hw_config *config, int pair)
{
    double theta = hw_exp(-2.0 * pair / config->head_dim * hw_log(config->rope_base));
    bool scaled = pair < HW_MAX_SCALED_PAIRS && config->rope_divisor[pair] > 0.0;
    return scaled ? theta / config->rope_divisor[pair] : theta;
}

int hw_rope_tables(const struct hw_config *config, struct hw_rope *rope)
{
    int half = config->head_dim / 2, bad = 0;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(config, i);
        for (int p = 0; p < rope->n_hi; p++) {
            double angle = theta * p * (double)(1 << rope->lo_bits);
            if (!to_q14(hw_cos(angle), &rope->hi_cos[p * half + i]) ||
                !to_q14(hw_sin(angle), &rope->hi_sin[p * half + i]))
                bad = -1 - i;
        }
        for (int p = 0; p < 1 << rope->lo_bits; p++) {
            if (!to_q14(hw_cos(theta * p), &rope->lo_cos[p * half + i]) ||
                !to_q14(hw_sin(theta * p), &rope->lo_sin[p * half + i]))
                bad = -1 - i;
        }
    }
    return bad;
}
