// SPDX-License-Identifier: Apache-2.0
// Error-compensated rounding (GPTQ; Frantar et al. 2022): the columns of a matrix are rounded in
// turn, and what one loses is made good in those that follow, as far as they see the same inputs.
#ifndef HW_GPTQ_H
#define HW_GPTQ_H

#include "gen/float/calibrate.h"

// Second moments of what the matrices of one layer read, sum over tokens of x x^T.
struct hw_moments {
    int width[HW_N_FLOAT_TAPS];  // 0: not a matrix input
    float *sum[HW_N_FLOAT_TAPS]; // [width][width], lower triangle
};

bool hw_moments_new(const struct hw_config *c, struct hw_moments *moments, struct hw_error *err);
void hw_moments_free(struct hw_moments *moments);
void hw_moments_clear(struct hw_moments *moments);
// The observer that adds a vector; user: the moments.
void hw_moments_see(void *user, enum hw_float_tap tap, int layer, const float *v, int n);

// The plan for rounding rows that read `tap`, with n inputs.
struct hw_gptq {
    int n;
    int *order;    // [n] columns, the most important first
    double *share; // [n][n] row i: what column order[i]'s error takes from column order[j], j > i;
                   // the diagonal is the weight of the column's own error
};

// `noise` is the variance that rounding adds to every input. False: out of memory.
bool hw_gptq_new(struct hw_gptq *g, const struct hw_moments *moments, enum hw_float_tap tap,
                 double noise, struct hw_error *err);
void hw_gptq_free(struct hw_gptq *g);

// Rounds a row: `nearest(user, column, w)` gives the value that stands for w and records the
// choice. row[n] is used up. Returns the weighted squared error.
typedef double hw_gptq_nearest(void *user, int column, double w);
double hw_gptq_round(const struct hw_gptq *g, double *row, hw_gptq_nearest *nearest, void *user);

#endif
