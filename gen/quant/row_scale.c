// SPDX-License-Identifier: Apache-2.0
// Owns the format of scale words and the search for a row's.
#include "gen/quant/row_scale.h"

#include <math.h>
#include <stdlib.h>

double hw_codebook_top(const struct hw_codebook *g)
{
    return (g->value[g->n - 1] - g->value[0]) / 2.0;
}

static double out_unit(const struct hw_source *src, int r)
{
    return src->out_unit[src->interleaved ? r & 1 : 0];
}

double hw_row_ratio(const struct hw_source *src, int r, double scale)
{
    return scale * src->in_unit / out_unit(src, r);
}

uint16_t hw_scale_word(double ratio, int shift, double *value)
{
    double target = ldexp(ratio, shift);
    int exp = 0;
    while (exp < 15 && target >= ldexp(511.5, exp))
        exp++;
    double mant = floor(ldexp(target, -exp) + 0.5) - 256.0;
    mant = mant < 0.0 ? 0.0 : mant > 255.0 ? 255.0 : mant;
    *value = ldexp(256.0 + mant, exp - shift);
    return (uint16_t)(exp << 8 | (int)mant);
}

int hw_base_shift(double ratio)
{
    int shift = 62;
    while (shift > 15 && ldexp(ratio, shift) > ldexp(500.0, 15))
        shift--;
    return shift;
}

// Weighted squared error of a row with real scale s.
static double row_error(const struct hw_source *src, const float *w, const struct hw_codebook *g,
                        double s)
{
    double error = 0.0;
    for (int c = 0; c < src->n_in; c++) {
        double d = w[c] - s * g->value[hw_codebook_nearest(g, w[c] / s)];
        error += d * d * (src->weight[c] + 1e-12);
    }
    return error;
}

double hw_largest_weight(const float *w, int n)
{
    double max = 0.0;
    for (int i = 0; i < n; i++)
        max = fabs(w[i]) > max ? fabs(w[i]) : max;
    return max;
}

double hw_best_scale(const struct hw_source *src, int r, const float *w,
                     const struct hw_codebook *g, int shift, uint16_t *word, double *scale)
{
    double max = hw_largest_weight(w, src->n_in), top = hw_codebook_top(g), best = INFINITY;
    int last = src->bits >= 8 ? 0 : src->bits >= 6 ? 12 : 40;
    for (int i = 0; i <= last; i++) {
        double value, s = max / top * (1.0 - 0.0175 * i);
        uint16_t candidate = hw_scale_word(hw_row_ratio(src, r, s), shift, &value);
        s = value * out_unit(src, r) / src->in_unit;
        double error = row_error(src, w, g, s);
        if (error < best) {
            best = error;
            *word = candidate;
            *scale = s;
        }
    }
    return best;
}

void hw_exact_scale(const struct hw_source *src, int r, const float *w, const struct hw_codebook *g,
                    int shift, uint16_t *word, double *scale)
{
    double best = INFINITY, value, max = hw_largest_weight(w, src->n_in);
    *scale = 1.0;
    *word = 0;
    if (!(max > 0.0)) // a row of zeros needs no scale
        return;
    for (int k = 0; k < g->n; k++) {
        double s = g->value[k] ? max / abs(g->value[k]) : 1.0, error = row_error(src, w, g, s);
        if (s > 0.0 && error < best) {
            best = error;
            *scale = s;
        }
    }
    *word = hw_scale_word(hw_row_ratio(src, r, *scale), shift, &value);
}
