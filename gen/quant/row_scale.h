// SPDX-License-Identifier: Apache-2.0
// The scale of a row: a word of 12 bits, mantissa and exponent under the matrix's base shift.
#ifndef HW_ROW_SCALE_H
#define HW_ROW_SCALE_H

#include "gen/quant/matrix.h"

// The largest |w| of w[n].
double hw_largest_weight(const float *w, int n);
// Half of the way from the codebook's first value to its last: what a row's largest weight is
// scaled to.
double hw_codebook_top(const struct hw_codebook *g);

// What the scale word of row r holds, where one step of the codebook is worth `scale`.
double hw_row_ratio(const struct hw_source *src, int r, double scale);

// The scale word nearest to ratio * 2^shift; its exact value, again without the shift, comes back
// in *value.
uint16_t hw_scale_word(double ratio, int shift, double *value);
// The largest base shift (15..62) at which `ratio` still has a scale word.
int hw_base_shift(double ratio);

// The word for row r, w[n_in], that rounds to the codebook with the least weighted squared error;
// the real scale in *scale. Returns the error.
double hw_best_scale(const struct hw_source *src, int r, const float *w,
                     const struct hw_codebook *g, int shift, uint16_t *word, double *scale);
// The same for a row whose weights are levels already: its largest weight is one of them. *scale is
// exact, so that codes are recovered; the word is the nearest to it.
void hw_exact_scale(const struct hw_source *src, int r, const float *w, const struct hw_codebook *g,
                    int shift, uint16_t *word, double *scale);

#endif
