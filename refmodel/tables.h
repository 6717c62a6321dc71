// SPDX-License-Identifier: Apache-2.0
// The function tables of the machine. Each entry is a base and the step to the next base; a value
// is base + rs(step * frac, frac_bits), linear interpolation. The same entries become ROMs.
#ifndef HW_TABLES_H
#define HW_TABLES_H

#include <stdint.h>

#include "refmodel/qmodel.h"

enum {
    HW_EXP2_BITS = 6,  // entries 2^6, frac 4 bits:  2^-(f / 1024), f = 10-bit fraction
    HW_RECIP_BITS = 6, // entries 2^6, frac 9 bits:  1 / (1 + f / 2^15)
    HW_RSQRT_BITS =
        7, // entries 2^7 (32..127 used), frac 9 bits: 1 / sqrt(m / 2^14), m in 2^14..2^16
    HW_SIGMOID_BITS = 7, // entries 2^7, frac 7 bits: sigmoid(a / 1024), a in 0..2^14 - 1
    HW_EXP2_FRAC = 4,
    HW_RECIP_FRAC = 9,
    HW_RSQRT_FRAC = 9,
    HW_SIGMOID_FRAC = 7,
    HW_TABLE_MAX = 128,
};

struct hw_table_entry {
    uint16_t base; // Q1.15, 0..32768
    int16_t step;  // to the next entry's base, -2048..2047
};

enum hw_table_id { HW_TABLE_EXP2, HW_TABLE_RECIP, HW_TABLE_RSQRT, HW_TABLE_SIGMOID, HW_N_TABLES };

struct hw_table {
    const char *name; // "exp2", "recip", "rsqrt", "sigmoid"
    int index_bits, frac_bits;
    struct hw_table_entry entry[HW_TABLE_MAX];
};

// The four tables: constants.
const struct hw_table *hw_table(enum hw_table_id id);

// base + rs(step * frac, frac_bits) at x = index * 2^frac_bits + frac; result Q1.15 in 0..32768.
int32_t hw_table_lerp(const struct hw_table *t, uint32_t x);

// Fills cos/sin tables (arrays allocated by the caller) for head_dim and rope_base of *config.
// Returns 0, or -1 - i when entry i is too close to a rounding tie to be the same everywhere.
int hw_rope_tables(const struct hw_config *config, struct hw_rope *rope);
// Angle of pair i at position 1: base^(-2 i / head_dim) (Su et al. 2021), over the pair's divisor.
double hw_rope_theta(const struct hw_config *config, int pair);
// lo_bits and n_hi for a context: lo_bits = ceil(log2(seq_len) / 2).
void hw_rope_shape(int seq_len, int *lo_bits, int *n_hi);

// exp(x), sin(x), cos(x) from IEEE basic operations, the same bits on every machine; relative
// error below 1e-14. exp: |x| < 700 (below it 0). sin, cos: |x| < 1e6.
double hw_exp(double x);
double hw_cos(double x);
double hw_sin(double x);
double hw_log(double x); // x > 0

#endif
