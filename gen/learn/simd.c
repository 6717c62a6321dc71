// SPDX-License-Identifier: Apache-2.0
// Owns the inner loops of tuning: products by tiles that stay in registers, exponentials by rows.
#include "gen/learn/simd.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));

static lanes load(const float *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void store(float *p, lanes v)
{
    memcpy(p, &v, sizeof v);
}

// --- products

// c[0..3][0..7] += a[0..3][k] b[k][0..7], the sums in registers.
static void tile(int k, struct hw_view a, const float *b, size_t b_row, float *c, size_t c_row)
{
    lanes sum[4][2] = {{{0}}};
    for (int i = 0; i < k; i++) {
        lanes low = load(b), high = load(b + 4);
        for (size_t r = 0; r < 4; r++) {
            float x = a.at[r * a.row];
            lanes same = {x, x, x, x};
            sum[r][0] += same * low;
            sum[r][1] += same * high;
        }
        a.at += a.col;
        b += b_row;
    }
    for (size_t r = 0; r < 4; r++) {
        store(c + r * c_row, load(c + r * c_row) + sum[r][0]);
        store(c + r * c_row + 4, load(c + r * c_row + 4) + sum[r][1]);
    }
}

static void rest(int m, int n, int k, struct hw_view a, const float *b, size_t b_row, float *c,
                 size_t c_row)
{
    for (size_t i = 0; i < (size_t)m; i++) {
        for (size_t j = 0; j < (size_t)n; j++) {
            float sum = 0.0f;
            for (size_t l = 0; l < (size_t)k; l++)
                sum += a.at[i * a.row + l * a.col] * b[l * b_row + j];
            c[i * c_row + j] += sum;
        }
    }
}

void hw_multiply(int m, int n, int k, struct hw_view a, const float *b, size_t b_row, float *c,
                 size_t c_row)
{
    int m4 = m / 4 * 4, n8 = n / 8 * 8;
    for (int i = 0; i < m4; i += 4) {
        struct hw_view rows = {a.at + (size_t)i * a.row, a.row, a.col};
        for (int j = 0; j < n8; j += 8)
            tile(k, rows, b + j, b_row, c + (size_t)i * c_row + j, c_row);
        rest(4, n - n8, k, rows, b + n8, b_row, c + (size_t)i * c_row + n8, c_row);
    }
    struct hw_view last = {a.at + (size_t)m4 * a.row, a.row, a.col};
    rest(m - m4, n, k, last, b, b_row, c + (size_t)m4 * c_row, c_row);
}

void hw_transpose(const float *from, int rows, int cols, size_t stride, float *to)
{
    for (int r = 0; r < rows; r++) {
        for (int k = 0; k < cols; k++)
            to[(size_t)k * (size_t)rows + (size_t)r] = from[(size_t)r * stride + (size_t)k];
    }
}

float hw_dot(const float *a, const float *b, int n)
{
    lanes low = {0}, high = {0};
    int n8 = n / 8 * 8;
    for (int i = 0; i < n8; i += 8) {
        low += load(a + i) * load(b + i);
        high += load(a + i + 4) * load(b + i + 4);
    }
    low += high;
    float sum = (low[0] + low[1]) + (low[2] + low[3]);
    for (int i = n8; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

// --- exponentials

static lanes all(float x)
{
    return (lanes){x, x, x, x};
}

// low where a < b, else high
static lanes where_less(lanes a, lanes b, lanes low, lanes high)
{
    words less = a < b;
    return (lanes)(((words)low & less) | ((words)high & ~less));
}

// e^x: 2^n e^r, |r| <= ln(2) / 2, the series to r^6.
static lanes exp_lanes(lanes x)
{
    const float big = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer
    x = where_less(x, all(-87.0f), all(-87.0f), x);
    x = where_less(all(87.0f), x, all(87.0f), x);
    lanes shifted = x * 1.44269504f + big, n = shifted - big;
    lanes r = (x - n * 0.693145752f) - n * 1.42860677e-6f; // ln(2) in two parts
    lanes sum = r * (1.0f / 720) + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    words power = ((words)shifted - 0x4B400000 + 127) << 23; // 2^n
    return sum * (lanes)power;
}

float hw_exp_row(float *v, int n, float zero, float scale)
{
    lanes sum = {0};
    int n4 = n / 4 * 4;
    for (int i = 0; i < n4; i += 4) {
        lanes e = exp_lanes((load(v + i) - zero) * scale);
        sum += e;
        store(v + i, e);
    }
    float total = (sum[0] + sum[1]) + (sum[2] + sum[3]), last[4] = {0.0f};
    memcpy(last, v + n4, (size_t)(n - n4) * sizeof *v);
    lanes e = exp_lanes((load(last) - zero) * scale);
    for (int i = 0; i < n - n4; i++) {
        v[n4 + i] = e[i];
        total += e[i];
    }
    return total;
}

float hw_row_max(const float *v, int n)
{
    float max = v[0];
    for (int i = 1; i < n; i++)
        max = v[i] > max ? v[i] : max;
    return max;
}

// --- norm, activation

void hw_norm_rows(const float *x, int rows, int width, const float *gain, double eps,
                  float *inverse, float *y)
{
    for (int t = 0; t < rows; t++, x += width, y += width) {
        double sum = 0.0;
        for (int i = 0; i < width; i++)
            sum += (double)x[i] * x[i];
        float inv = (float)(1.0 / sqrt(sum / width + eps));
        for (int i = 0; i < width; i++)
            y[i] = x[i] * inv * gain[i];
        if (inverse)
            inverse[t] = inv;
    }
}

void hw_swiglu_rows(const float *gate, const float *up, size_t size, float *hidden)
{
    assert(size <= INT_MAX && hidden != gate);
    memcpy(hidden, gate, size * sizeof *hidden);
    hw_exp_row(hidden, (int)size, 0.0f, -1.0f);
    for (size_t i = 0; i < size; i++)
        hidden[i] = gate[i] / (1.0f + hidden[i]) * up[i];
}
