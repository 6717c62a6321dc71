// SPDX-License-Identifier: Apache-2.0
// Owns the way of a matrix from float to ROM: its codebook, the base shift of its scales, then row
// by row a scale and codes, as its rounder makes them.
#include "gen/quant/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/qmodel/memory.h"
#include "gen/quant/rounder.h"
#include "gen/quant/row_scale.h"

// Row r; buf[n_in] may be used for it.
static const float *source_row(const struct hw_quantizer *z, const struct hw_source *s, int r,
                               float *buf)
{
    if (s->interleaved)
        return hw_float_row(z->f, r % 2 ? HW_W_UP : HW_W_GATE, s->layer, r / 2, buf);
    return hw_float_row(z->f, s->tensor, s->layer, r, buf);
}

static void source_unload(const struct hw_quantizer *z, const struct hw_source *s)
{
    hw_float_unload(z->f, s->interleaved ? HW_W_GATE : s->tensor, s->layer);
    if (s->interleaved)
        hw_float_unload(z->f, HW_W_UP, s->layer);
}

// --- codebook

static int planes_for(int bits, int code_bits)
{
    return (bits + code_bits - 1) / code_bits;
}

// Level tables such that the sum over planes is value[k], plane 0 the most significant part of k.
// More code bits than needed: the top plane's upper levels are unused.
static void make_levels(struct hw_qmatrix *m, const struct hw_codebook *g, int code_bits)
{
    int n = 1 << code_bits, used = g->n, step = m->n_planes > 1 ? g->value[1] - g->value[0] : 0;
    memset(m->levels, 0, sizeof m->levels);
    for (int p = m->n_planes - 1; p >= 0; p--) {
        int stride = 1 << (code_bits * (m->n_planes - 1 - p));
        int count = used < n ? used : n;
        for (int k = 0; k < count; k++)
            m->levels[p][k] = m->n_planes == 1
                                  ? g->value[k]
                                  : (int16_t)(k * stride * step + (p == 0 ? g->value[0] : 0));
        used = (used + n - 1) / n;
    }
}

// Error of all rows with scales searched for codebook *g.
static double codebook_error(const struct hw_quantizer *z, const struct hw_source *src,
                             const struct hw_qmatrix *m, const struct hw_codebook *g, float *buf)
{
    double total = 0.0, scale;
    uint16_t word;
    for (int r = 0; r < m->n_out; r++)
        total += hw_best_scale(src, r, source_row(z, src, r, buf), g, m->shift, &word, &scale);
    return total;
}

// Lloyd's algorithm over the rows, each under its best scale: levels as free integers, which cost
// the array nothing. Starts from *g, even steps; *g stays where that is no worse.
static void fit_codebook(const struct hw_quantizer *z, const struct hw_source *src,
                         const struct hw_qmatrix *m, struct hw_codebook *g, float *buf)
{
    enum { PASSES = 8, MOST_ROWS = 512 };
    struct hw_codebook fitted = {.n = g->n};
    int stride = (m->n_out + MOST_ROWS - 1) / MOST_ROWS;
    for (int k = 0; k < g->n; k++) // even steps to begin with, up to 120
        fitted.value[k] = (int16_t)floor(120.0 * (2 * k + 1 - g->n) / (g->n - 1) + 0.5);
    for (int pass = 0; pass < PASSES; pass++) {
        double sum[HW_CODEBOOK_MAX] = {0}, weight[HW_CODEBOOK_MAX] = {0}, scale;
        uint16_t word;
        for (int r = 0; r < m->n_out; r += stride) {
            const float *w = source_row(z, src, r, buf);
            hw_best_scale(src, r, w, &fitted, m->shift, &word, &scale);
            for (int c = 0; c < m->n_in; c++) {
                int k = hw_codebook_nearest(&fitted, w[c] / scale);
                double share = (src->weight[c] + 1e-12) * scale * scale;
                sum[k] += share * w[c] / scale;
                weight[k] += share;
            }
        }
        for (int k = 0; k < g->n; k++) {
            double low = k ? fitted.value[k - 1] + 1 : -127.0, high = 128.0 - g->n + k;
            double v = weight[k] > 0.0 ? floor(sum[k] / weight[k] + 0.5) : fitted.value[k];
            fitted.value[k] = (int16_t)(v < low ? low : v > high ? high : v);
        }
    }
    if (codebook_error(z, src, m, &fitted, buf) < codebook_error(z, src, m, g, buf))
        *g = fitted;
}

// Base shift of the matrix's scales: room for the largest.
static int matrix_shift(const struct hw_rounding *y, const struct hw_rounder *rounder, float *buf)
{
    double most = 0.0;
    for (int r = 0; r < y->src->n_out; r++) {
        double scale = rounder->estimate(y, r, source_row(y->z, y->src, r, buf));
        double ratio = hw_row_ratio(y->src, r, scale);
        most = ratio > most ? ratio : most;
    }
    return hw_base_shift(most);
}

// Memory for the codes, or their offset in the spill.
static bool allocate(const struct hw_quantizer *z, const struct hw_source *src,
                     struct hw_qmatrix *m)
{
    int planes = planes_for(src->bits, z->o->widths.code_bits);
    if (!z->spill)
        return hw_qmatrix_alloc(m, src->n_out, src->n_in, planes, z->err);
    return hw_qmatrix_shape(m, src->n_out, src->n_in, planes, z->err) &&
           hw_spill_matrix(z->spill, m, z->err);
}

// The codebook, room for the codes, the base shift.
static bool prepare(struct hw_rounding *y, const struct hw_rounder *rounder, struct hw_qmatrix *m,
                    float *buf)
{
    if (!rounder->codebook(y) || !allocate(y->z, y->src, m))
        return false;
    m->shift = matrix_shift(y, rounder, buf);
    if (rounder->fits && y->src->bits <= y->z->o->widths.code_bits) {
        fit_codebook(y->z, y->src, m, &y->codebook, buf);
        m->shift = matrix_shift(y, rounder, buf);
    }
    return true;
}

// --- rows

struct scratch {    // for a row
    float *source;  // [n_in]
    double *row;    // [n_in]
    uint8_t *codes; // [n_planes][n_in]
};

static bool scratch_new(struct scratch *s, const struct hw_source *src, struct hw_error *err)
{
    size_t n = (size_t)src->n_in;
    *s = (struct scratch){malloc(n * sizeof *s->source), malloc(n * sizeof *s->row),
                          malloc(n * HW_MAX_PLANES)};
    return (s->source && s->row && s->codes) || hw_fail(err, "quantize: out of memory");
}

static void scratch_free(struct scratch *s)
{
    free(s->source);
    free(s->row);
    free(s->codes);
}

// Where the codes of row r are made: in place, or in scratch on the way to the spill.
static struct hw_row_codes codes_of(const struct hw_quantizer *z, const struct hw_qmatrix *m, int r,
                                    uint8_t *scratch)
{
    size_t n_in = (size_t)m->n_in;
    return (struct hw_row_codes){z->spill ? scratch : m->codes + (size_t)r * n_in,
                                 z->spill ? n_in : (size_t)m->n_out * n_in, m->n_planes,
                                 z->o->widths.code_bits};
}

// A scale, then codes, row by row. Returns the squared error of the product over calibration text.
static double round_rows(struct hw_rounding *y, const struct hw_rounder *rounder,
                         struct hw_qmatrix *m, const struct scratch *s)
{
    double total = 0.0, scale;
    const struct hw_quantizer *z = y->z;
    for (int r = 0; r < m->n_out && !z->err->set; r++) {
        const float *w = source_row(z, y->src, r, s->source);
        y->codes = codes_of(z, m, r, s->codes);
        m->scale[r] = rounder->scale(y, r, w, m->shift, &scale);
        total += rounder->row(y, r, w, scale);
        if (z->spill)
            hw_spill_row(z->spill, r, s->codes, z->err);
    }
    return total;
}

// Room for what tuning will read of a matrix.
static bool begin_record(const struct hw_quantizer *z, const struct hw_source *src,
                         const struct hw_codebook *g)
{
    struct hw_rounded *d = &z->record[src->index];
    *d =
        (struct hw_rounded){src->tensor,
                            src->layer,
                            src->n_out,
                            src->n_in,
                            src->interleaved,
                            src->bits > z->o->widths.code_bits,
                            *g,
                            malloc((size_t)src->n_out * sizeof *d->scale),
                            malloc((size_t)src->n_out * (size_t)src->n_in * sizeof *d->normalized)};
    return (d->scale && d->normalized) || hw_fail(z->err, "quantize: out of memory");
}

static void print_matrix(const struct hw_quantizer *z, const struct hw_source *src,
                         const struct hw_qmatrix *m, double error, float *buf)
{
    double power = 0.0;
    char quality[32] = "exact";
    for (int r = 0; error > 0.0 && r < m->n_out; r++) {
        const float *w = source_row(z, src, r, buf);
        for (int c = 0; c < m->n_in; c++)
            power += (double)w[c] * w[c] * (src->weight[c] + 1e-12);
    }
    if (error > 0.0)
        snprintf(quality, sizeof quality, "%6.2f dB", 10.0 * log10(power / error));
    fprintf(z->progress, "%-28s %6d x %-6d %d bits  %d plane%s  %9ld ROM bits  %s\n", src->name,
            m->n_out, m->n_in, src->bits, m->n_planes, m->n_planes == 1 ? " " : "s",
            (long)m->n_out * m->n_in * m->n_planes * z->o->widths.code_bits, quality);
}

static void round_matrix(const struct hw_quantizer *z, struct hw_source *src, struct hw_qmatrix *m,
                         const struct scratch *s)
{
    struct hw_gptq gptq = {0};
    const struct hw_rounder *rounder = hw_rounder_of(z, src);
    struct hw_rounding y = {.z = z,
                            .src = src,
                            .gptq = &gptq,
                            .record = z->record ? &z->record[src->index] : NULL,
                            .row = s->row};
    double noise = z->r->n_seen * src->act_unit * src->act_unit / 12.0, error = 0.0;
    if (!prepare(&y, rounder, m, s->source) || (z->record && !begin_record(z, src, &y.codebook)))
        return;
    if (!rounder->compensated || hw_gptq_new(&gptq, &z->moments, src->input, noise, z->err))
        error = round_rows(&y, rounder, m, s);
    hw_gptq_free(&gptq);
    make_levels(m, &y.codebook, z->o->widths.code_bits);
    if (!z->err->set && !z->spill)
        hw_qmatrix_expand(m);
    if (!z->err->set && z->progress)
        print_matrix(z, src, m, error, s->source);
    source_unload(z, src);
}

bool hw_quantize_matrix(const struct hw_quantizer *z, struct hw_source *src, struct hw_qmatrix *m)
{
    struct scratch s;
    if (scratch_new(&s, src, z->err))
        round_matrix(z, src, m, &s);
    scratch_free(&s);
    return !z->err->set;
}
