// SPDX-License-Identifier: Apache-2.0
// Owns the rounding of a matrix: row scales on the 12-bit grid, codebooks, codes rounded against
// the scale as stored.
#include "gen/quant/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/qmodel/file.h"

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

// Whether the matrix was made of levels, which are to be found again.
static bool on_levels(const struct hw_quantizer *z, const struct hw_source *s)
{
    bool in_layer = s->interleaved || (s->tensor != HW_TOK_EMBED && s->tensor != HW_OUTPUT);
    return z->o->grids || (z->o->ternary && in_layer);
}

// --- levels

static struct hw_grid even_grid(int n, int first, int step)
{
    struct hw_grid g = {.n = n};
    for (int k = 0; k < n; k++)
        g.value[k] = (int16_t)(first + k * step);
    return g;
}

// Half of the way from the first value to the last: what a row's largest weight is scaled to.
static double grid_top(const struct hw_grid *g)
{
    return (g->value[g->n - 1] - g->value[0]) / 2.0;
}

static int planes_for(int bits, int code_bits)
{
    return (bits + code_bits - 1) / code_bits;
}

// Level tables such that the sum over planes is value[k], plane 0 the most significant part of k.
// More code bits than needed: the top plane's upper levels are unused.
static void make_levels(struct hw_qmatrix *m, const struct hw_grid *g, int code_bits)
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

// The codes of a row, plane 0 first, where they are made.
struct row_codes {
    uint8_t *at;
    size_t stride; // from plane to plane
    int n_planes, code_bits;
};

// In place, or in scratch[n_planes][n_in] on the way to the spill.
static struct row_codes codes_of(const struct hw_quantizer *z, const struct hw_qmatrix *m, int r,
                                 uint8_t *scratch)
{
    size_t n_in = (size_t)m->n_in;
    return (struct row_codes){z->spill ? scratch : m->codes + (size_t)r * n_in,
                              z->spill ? n_in : (size_t)m->n_out * n_in, m->n_planes,
                              z->o->widths.code_bits};
}

static void put_code(const struct row_codes *y, int c, int k)
{
    for (int p = y->n_planes - 1; p >= 0; p--) {
        y->at[(size_t)p * y->stride + (size_t)c] = (uint8_t)(k & ((1 << y->code_bits) - 1));
        k >>= y->code_bits;
    }
}

// --- row scales

// The scale word nearest to ratio = grid / 2^shift; its exact value comes back in *value.
static uint16_t scale_word(double ratio, int shift, double *value)
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

// The largest base shift (15..62) at which `ratio` still has a scale word.
static int base_shift(double ratio)
{
    int shift = 62;
    while (shift > 15 && ldexp(ratio, shift) > ldexp(500.0, 15))
        shift--;
    return shift;
}

// Weighted squared error of a row with real scale s.
static double row_error(const struct hw_source *src, const float *w, const struct hw_grid *g,
                        double s)
{
    double error = 0.0;
    for (int c = 0; c < src->n_in; c++) {
        double d = w[c] - s * g->value[hw_grid_nearest(g, w[c] / s)];
        error += d * d * (src->weight[c] + 1e-12);
    }
    return error;
}

static double row_max(const float *w, int n)
{
    double max = 0.0;
    for (int i = 0; i < n; i++)
        max = fabs(w[i]) > max ? fabs(w[i]) : max;
    return max;
}

// Searches the scale of row r, w[n_in]; returns the error, the word in *word, the real scale in
// *scale.
static double best_scale(const struct hw_source *src, int r, const float *w,
                         const struct hw_grid *g, int shift, uint16_t *word, double *scale)
{
    double out = src->out_unit[src->interleaved ? r & 1 : 0], max = row_max(w, src->n_in);
    double top = grid_top(g), best = INFINITY;
    int last = src->bits >= 8 ? 0 : src->bits >= 6 ? 12 : 40;
    for (int i = 0; i <= last; i++) {
        double value, s = max / top * (1.0 - 0.0175 * i);
        uint16_t candidate = scale_word(s * src->in_unit / out, shift, &value);
        s = value * out / src->in_unit;
        double error = row_error(src, w, g, s);
        if (error < best) {
            best = error;
            *word = candidate;
            *scale = s;
        }
    }
    return best;
}

// The scale of a row whose weights are levels already: its largest weight is one of them. *scale is
// exact, so that codes are recovered; the word is the nearest to it.
static void exact_scale(const struct hw_source *src, const float *w, int r, const struct hw_grid *g,
                        int shift, uint16_t *word, double *scale)
{
    double out = src->out_unit[src->interleaved ? r & 1 : 0], best = INFINITY, value;
    double max = row_max(w, src->n_in);
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
    *word = scale_word(*scale * src->in_unit / out, shift, &value);
}

// --- matrices

// Error of all rows with scales searched for grid *g.
static double grid_error(const struct hw_quantizer *z, const struct hw_source *src,
                         const struct hw_qmatrix *m, const struct hw_grid *g, float *buf)
{
    double total = 0.0, scale;
    uint16_t word;
    for (int r = 0; r < m->n_out; r++)
        total += best_scale(src, r, source_row(z, src, r, buf), g, m->shift, &word, &scale);
    return total;
}

struct rounding { // of one row
    struct row_codes codes;
    const struct hw_grid *grid;
    double scale;
    float *place; // [n_in] where each weight lies among the levels, or NULL
};

static double round_weight(void *user, int column, double w)
{
    const struct rounding *y = user;
    int k = hw_grid_nearest(y->grid, w / y->scale);
    put_code(&y->codes, column, k);
    if (y->place)
        y->place[column] = (float)(w / y->scale);
    return y->scale * y->grid->value[k];
}

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

// Scales, then codes, row by row. Returns the squared error of the product over calibration text.
static double round_rows(const struct hw_quantizer *z, const struct hw_source *src,
                         struct hw_qmatrix *m, const struct hw_grid *g, const struct hw_gptq *gptq,
                         const struct scratch *s)
{
    double total = 0.0, *row = s->row;
    for (int r = 0; r < m->n_out && !z->err->set; r++) {
        struct rounding y = {codes_of(z, m, r, s->codes), g, 1.0, NULL};
        const float *w = source_row(z, src, r, s->source);
        if (on_levels(z, src))
            exact_scale(src, w, r, g, m->shift, &m->scale[r], &y.scale);
        else
            best_scale(src, r, w, g, m->shift, &m->scale[r], &y.scale);
        if (z->rounded) {
            y.place = z->rounded[src->place].place + (size_t)r * (size_t)m->n_in;
            z->rounded[src->place].scale[r] = y.scale;
        }
        for (int c = 0; c < m->n_in; c++)
            row[c] = w[c];
        if (gptq)
            total += hw_gptq_round(gptq, row, round_weight, &y) / z->r->n_seen;
        for (int c = 0; !gptq && c < m->n_in; c++) {
            double d = w[c] - round_weight(&y, c, w[c]);
            total += d * d * src->weight[c];
            if (z->o->ternary && on_levels(z, src) && (d > 0.0 || d < 0.0))
                hw_fail(z->err,
                        "quantize: %s row %d column %d: expected 0 or a magnitude of %g, "
                        "got %g",
                        src->name, r, c, y.scale, w[c]);
        }
        if (z->spill)
            hw_spill_row(z->spill, r, s->codes, z->err);
    }
    return total;
}

// Codes and scales as tuned.
static void settle_rows(const struct hw_quantizer *z, const struct hw_source *src,
                        struct hw_qmatrix *m)
{
    const struct hw_rounded *d = &z->rounded[src->place];
    for (int r = 0; r < m->n_out; r++) {
        struct row_codes codes = codes_of(z, m, r, NULL); // a tuned model is in memory
        double value, out = src->out_unit[src->interleaved ? r & 1 : 0];
        m->scale[r] = scale_word(d->scale[r] * src->in_unit / out, m->shift, &value);
        for (int c = 0; c < m->n_in; c++)
            put_code(&codes, c,
                     hw_grid_nearest(&d->grid, d->place[(size_t)r * (size_t)m->n_in + (size_t)c]));
    }
}

// Lloyd's algorithm over the rows, each under its best scale: levels as free integers, which cost
// the array nothing. Starts from *g, even steps; *g stays where that is no worse.
static void fit_codebook(const struct hw_quantizer *z, const struct hw_source *src,
                         const struct hw_qmatrix *m, struct hw_grid *g, float *buf)
{
    enum { PASSES = 8, MOST_ROWS = 512 };
    struct hw_grid fitted = even_grid(g->n, 0, 1);
    int stride = (m->n_out + MOST_ROWS - 1) / MOST_ROWS;
    for (int k = 0; k < g->n; k++) // even steps to begin with, up to 120
        fitted.value[k] = (int16_t)floor(120.0 * (2 * k + 1 - g->n) / (g->n - 1) + 0.5);
    for (int pass = 0; pass < PASSES; pass++) {
        double sum[HW_GRID_MAX] = {0}, weight[HW_GRID_MAX] = {0}, scale;
        uint16_t word;
        for (int r = 0; r < m->n_out; r += stride) {
            const float *w = source_row(z, src, r, buf);
            best_scale(src, r, w, &fitted, m->shift, &word, &scale);
            for (int c = 0; c < m->n_in; c++) {
                int k = hw_grid_nearest(&fitted, w[c] / scale);
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
    if (grid_error(z, src, m, &fitted, buf) < grid_error(z, src, m, g, buf))
        *g = fitted;
}

// The name models/train.c gives a tensor.
static const struct hw_grid *trained_grid(const struct hw_quantizer *z, const struct hw_source *src)
{
    static const char *const name[HW_N_TENSORS] = {
        [HW_WQ] = "wq", [HW_WK] = "wk", [HW_WV] = "wv", [HW_WO] = "wo", [HW_W_DOWN] = "w2"};
    char text[32];
    if (src->tensor == HW_TOK_EMBED && !src->interleaved)
        return hw_grids_find(z->o->grids, "tok_embed");
    snprintf(text, sizeof text, "l%02d.%s", src->layer,
             src->interleaved    ? "w1"
             : name[src->tensor] ? name[src->tensor]
                                 : "");
    return hw_grids_find(z->o->grids, text);
}

// Base shift of the matrix's scales: room for the largest.
static int matrix_shift(const struct hw_quantizer *z, const struct hw_source *src,
                        const struct hw_grid *g, float *buf)
{
    double most = 0.0;
    for (int r = 0; r < src->n_out; r++) {
        const float *w = source_row(z, src, r, buf);
        double scale = row_max(w, src->n_in) / grid_top(g);
        uint16_t word;
        if (z->settled)
            scale = z->rounded[src->place].scale[r];
        else if (on_levels(z, src) && scale > 0.0)
            exact_scale(src, w, r, g, 15, &word, &scale);
        double ratio = scale * src->in_unit / src->out_unit[src->interleaved ? r & 1 : 0];
        most = ratio > most ? ratio : most;
    }
    return base_shift(most);
}

static bool choose_grid(const struct hw_quantizer *z, struct hw_source *src, struct hw_qmatrix *m,
                        struct hw_grid *g, float *buf)
{
    int code_bits = z->o->widths.code_bits;
    if (z->settled) {
        *g = z->rounded[src->place].grid;
    } else if (z->o->grids) {
        const struct hw_grid *trained = trained_grid(z, src);
        if (!trained)
            return hw_fail(z->err, "quantize: %s: the file of levels has no such tensor",
                           src->name);
        *g = *trained;
        for (src->bits = 1; 1 << src->bits < g->n; src->bits++)
            ;
        if (src->bits > code_bits && g->value[g->n - 1] - g->value[0] != g->n - 1)
            return hw_fail(z->err, "quantize: %s: %d free levels need codes of %d bits, got %d",
                           src->name, g->n, src->bits, code_bits);
    } else if (on_levels(z, src)) {
        *g = even_grid(3, -1, 1);
        src->bits = 2;
    } else {
        *g = even_grid(1 << src->bits, -(1 << (src->bits - 1)), 1);
    }
    int planes = planes_for(src->bits, code_bits);
    if (z->spill ? !hw_qmatrix_shape(m, src->n_out, src->n_in, planes, z->err) ||
                       !hw_spill_matrix(z->spill, m, z->err)
                 : !hw_qmatrix_alloc(m, src->n_out, src->n_in, planes, z->err))
        return false;
    m->shift = matrix_shift(z, src, g, buf);
    if (!z->settled && !on_levels(z, src) && src->bits <= code_bits) {
        fit_codebook(z, src, m, g, buf);
        m->shift = matrix_shift(z, src, g, buf);
    }
    return true;
}

// Room for what is to be remembered of a matrix.
static bool remember(const struct hw_quantizer *z, const struct hw_source *src,
                     const struct hw_grid *g)
{
    struct hw_rounded *d = &z->rounded[src->place];
    *d = (struct hw_rounded){src->tensor,
                             src->layer,
                             src->n_out,
                             src->n_in,
                             src->interleaved,
                             src->bits > z->o->widths.code_bits,
                             *g,
                             malloc((size_t)src->n_out * sizeof *d->scale),
                             malloc((size_t)src->n_out * (size_t)src->n_in * sizeof *d->place)};
    return (d->scale && d->place) || hw_fail(z->err, "quantize: out of memory");
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
    struct hw_grid grid;
    struct hw_gptq gptq = {0};
    double noise = z->r->n_seen * src->act_unit * src->act_unit / 12.0, error = 0.0;
    if (!choose_grid(z, src, m, &grid, s->source) ||
        (z->rounded && !z->settled && !remember(z, src, &grid)))
        return;
    if (z->settled)
        settle_rows(z, src, m);
    else if (z->o->nearest || on_levels(z, src))
        error = round_rows(z, src, m, &grid, NULL, s);
    else if (hw_gptq_new(&gptq, &z->moments, src->input, noise, z->err))
        error = round_rows(z, src, m, &grid, &gptq, s);
    hw_gptq_free(&gptq);
    make_levels(m, &grid, z->o->widths.code_bits);
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
