// SPDX-License-Identifier: Apache-2.0
// Owns the modes of the quantizer: what each does with a codebook, a scale and a row. The rest of
// quantization does not ask which mode it is.
#include "gen/quant/rounder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen/quant/row_scale.h"

void hw_put_code(const struct hw_row_codes *codes, int column, int k)
{
    for (int p = codes->n_planes - 1; p >= 0; p--) {
        codes->at[(size_t)p * codes->stride + (size_t)column] =
            (uint8_t)(k & ((1 << codes->code_bits) - 1));
        k >>= codes->code_bits;
    }
}

// --- nearest and GPTQ: a codebook of even steps, or a fitted one, and the scale that rounds best

static struct hw_codebook equal_steps(int n, int first)
{
    struct hw_codebook g = {.n = n};
    for (int k = 0; k < n; k++)
        g.value[k] = (int16_t)(first + k);
    return g;
}

static bool even_codebook(struct hw_rounding *y)
{
    y->codebook = equal_steps(1 << y->src->bits, -(1 << (y->src->bits - 1)));
    return true;
}

static double widest_scale(const struct hw_rounding *y, int r, const float *w)
{
    (void)r;
    return hw_largest_weight(w, y->src->n_in) / hw_codebook_top(&y->codebook);
}

static uint16_t searched_scale(const struct hw_rounding *y, int r, const float *w, int shift,
                               double *scale)
{
    uint16_t word = 0;
    hw_best_scale(y->src, r, w, &y->codebook, shift, &word, scale);
    return word;
}

struct weight_of { // what round_weight works on
    struct hw_rounding *y;
    double scale;
    float *normalized; // [n_in] weights over the scale, before they are rounded, or NULL
};

static double round_weight(void *user, int column, double w)
{
    const struct weight_of *of = user;
    int k = hw_codebook_nearest(&of->y->codebook, w / of->scale);
    hw_put_code(&of->y->codes, column, k);
    if (of->normalized)
        of->normalized[column] = (float)(w / of->scale);
    return of->scale * of->y->codebook.value[k];
}

static struct weight_of weight_of(struct hw_rounding *y, int r, double scale)
{
    if (!y->record)
        return (struct weight_of){y, scale, NULL};
    y->record->scale[r] = scale;
    return (struct weight_of){y, scale, y->record->normalized + (size_t)r * (size_t)y->src->n_in};
}

static double nearest_row(struct hw_rounding *y, int r, const float *w, double scale)
{
    struct weight_of of = weight_of(y, r, scale);
    double total = 0.0;
    for (int c = 0; c < y->src->n_in; c++) {
        double d = w[c] - round_weight(&of, c, w[c]);
        total += d * d * y->src->weight[c];
    }
    return total;
}

static double compensated_row(struct hw_rounding *y, int r, const float *w, double scale)
{
    struct weight_of of = weight_of(y, r, scale);
    for (int c = 0; c < y->src->n_in; c++)
        y->row[c] = w[c];
    return hw_gptq_round(y->gptq, y->row, round_weight, &of) / y->z->r->n_seen;
}

// --- exact: weights are levels of the codebook times a scale, and their codes are found again

static bool trained_codebook(struct hw_rounding *y)
{
    struct hw_source *src = y->src;
    int code_bits = y->z->o->widths.code_bits;
    const struct hw_codebook *trained = hw_codebooks_find(y->z->o->codebooks, src->name);
    if (!trained)
        return hw_fail(y->z->err, "quantize: %s: the file of codebooks has no such matrix",
                       src->name);
    y->codebook = *trained;
    for (src->bits = 1; 1 << src->bits < trained->n; src->bits++)
        ;
    if (src->bits > code_bits &&
        trained->value[trained->n - 1] - trained->value[0] != trained->n - 1)
        return hw_fail(y->z->err,
                       "quantize: %s: a codebook of %d uneven steps needs codes of %d bits, got %d",
                       src->name, trained->n, src->bits, code_bits);
    return true;
}

static bool ternary_codebook(struct hw_rounding *y)
{
    y->codebook = equal_steps(3, -1);
    y->src->bits = 2;
    return true;
}

static double exact_estimate(const struct hw_rounding *y, int r, const float *w)
{
    uint16_t word;
    double scale = widest_scale(y, r, w);
    if (scale > 0.0)
        hw_exact_scale(y->src, r, w, &y->codebook, 15, &word, &scale);
    return scale;
}

static uint16_t exact_scale(const struct hw_rounding *y, int r, const float *w, int shift,
                            double *scale)
{
    uint16_t word;
    hw_exact_scale(y->src, r, w, &y->codebook, shift, &word, scale);
    return word;
}

// As nearest_row; a weight that is no level is an error.
static double ternary_row(struct hw_rounding *y, int r, const float *w, double scale)
{
    struct weight_of of = weight_of(y, r, scale);
    for (int c = 0; c < y->src->n_in; c++) {
        double d = w[c] - round_weight(&of, c, w[c]);
        if (d > 0.0 || d < 0.0)
            hw_fail(y->z->err,
                    "quantize: %s row %d column %d: expected 0 or a magnitude of %g, got %g",
                    y->src->name, r, c, scale, w[c]);
    }
    return 0.0;
}

// --- tuned: everything comes from what tuning has left

static const struct hw_rounded *tuned(const struct hw_rounding *y)
{
    return &y->z->tuned[y->src->index];
}

static bool tuned_codebook(struct hw_rounding *y)
{
    y->codebook = tuned(y)->codebook;
    return true;
}

static double tuned_estimate(const struct hw_rounding *y, int r, const float *w)
{
    (void)w;
    return tuned(y)->scale[r];
}

static uint16_t tuned_scale(const struct hw_rounding *y, int r, const float *w, int shift,
                            double *scale)
{
    double value;
    (void)w;
    *scale = tuned(y)->scale[r];
    return hw_scale_word(hw_row_ratio(y->src, r, *scale), shift, &value);
}

static double tuned_row(struct hw_rounding *y, int r, const float *w, double scale)
{
    const float *normalized = tuned(y)->normalized + (size_t)r * (size_t)y->src->n_in;
    (void)w;
    (void)scale;
    for (int c = 0; c < y->src->n_in; c++)
        hw_put_code(&y->codes, c, hw_codebook_nearest(&y->codebook, normalized[c]));
    return 0.0;
}

// --- the choice

static const struct hw_rounder NEAREST = {.fits = true,
                                          .codebook = even_codebook,
                                          .estimate = widest_scale,
                                          .scale = searched_scale,
                                          .row = nearest_row};
static const struct hw_rounder COMPENSATED = {.compensated = true,
                                              .fits = true,
                                              .codebook = even_codebook,
                                              .estimate = widest_scale,
                                              .scale = searched_scale,
                                              .row = compensated_row};
static const struct hw_rounder TRAINED = {.codebook = trained_codebook,
                                          .estimate = exact_estimate,
                                          .scale = exact_scale,
                                          .row = nearest_row};
static const struct hw_rounder TERNARY = {.codebook = ternary_codebook,
                                          .estimate = exact_estimate,
                                          .scale = exact_scale,
                                          .row = ternary_row};
static const struct hw_rounder TUNED = {
    .codebook = tuned_codebook, .estimate = tuned_estimate, .scale = tuned_scale, .row = tuned_row};

const struct hw_rounder *hw_rounder_of(const struct hw_quantizer *z, const struct hw_source *src)
{
    bool in_layer = src->interleaved || (src->tensor != HW_TOK_EMBED && src->tensor != HW_OUTPUT);
    if (z->tuned)
        return &TUNED;
    if (z->o->codebooks)
        return &TRAINED;
    if (z->o->ternary && in_layer)
        return &TERNARY;
    return z->o->nearest ? &NEAREST : &COMPENSATED;
}
