// SPDX-License-Identifier: Apache-2.0
// Four floats side by side, products of matrices and the like in them: what tuning spends its time
// on. The same bits on every machine: IEEE basic operations, sums in a fixed order.
#ifndef HW_SIMD_H
#define HW_SIMD_H

#include <stddef.h>

// A matrix seen through strides: element (i, j) is at[i * row + j * col].
struct hw_view {
    const float *at;
    size_t row, col;
};

// c[m][n] += a[m][k] b[k][n]; rows of b and c lie b_row and c_row apart.
void hw_multiply(int m, int n, int k, struct hw_view a, const float *b, size_t b_row, float *c,
                 size_t c_row);

// to[cols][rows] = from[rows][cols], whose rows lie `stride` apart
void hw_transpose(const float *from, int rows, int cols, size_t stride, float *to);

// v[i] becomes e^((v[i] - zero) * scale) for i < n, to 3e-7 of itself; exponents beyond -87..87
// count as those. Returns the sum.
float hw_exp_row(float *v, int n, float zero, float scale);

// y = x / sqrt(mean square + eps) * gain for `rows` rows of x[rows][width]; y may be x.
// inverse[rows], unless NULL: 1 / rms of each.
void hw_norm_rows(const float *x, int rows, int width, const float *gain, double eps,
                  float *inverse, float *y);

// hidden = gate * sigmoid(gate) * up, `size` of each, at most 2^31 - 1; hidden must lie apart
void hw_swiglu_rows(const float *gate, const float *up, size_t size, float *hidden);

float hw_dot(const float *a, const float *b, int n);
float hw_row_max(const float *v, int n);

#endif
