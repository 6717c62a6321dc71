// SPDX-License-Identifier: Apache-2.0
// Owns the way from a float checkpoint to integers: units of every tensor from calibrated ranges,
// row scales on the 12-bit grid, codes rounded against the scale as stored.
#include "gen/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/balance.h"
#include "gen/calibrate.h"
#include "gen/gptq.h"
#include "gen/qfile.h"
#include "refmodel/ops.h"
#include "refmodel/tables.h"

static const double LOG2_E = 1.44269504088896340736;

void hw_quantize_defaults(struct hw_quantize_options *o)
{
    memset(o, 0, sizeof *o);
    o->widths = (struct hw_widths){.code_bits = 4, .act_bits = 10, .kv_bits = 10, .res_bits = 20};
    o->weight_bits = 8;
}

struct quantizer {
    const struct hw_quantize_options *o;
    const struct hw_config *c;
    const struct hw_float *f;
    struct hw_evaluation how;
    struct hw_ranges *r;
    const struct hw_moments *moments;
    struct hw_qmodel *q;
    struct hw_error *err;
};

// A float matrix with what the quantizer must know of its surroundings.
struct source {
    const char *name;
    int n_out, n_in;
    enum hw_tensor_id tensor;
    int layer;
    bool interleaved;     // rows of HW_W_GATE and HW_W_UP in turn
    double in_unit;       // real value of one step of the input
    double act_unit;      // the same where a matrix reads it, for its rounding noise
    double out_unit[2];   // of the output; [1] for odd rows of an interleaved matrix
    enum hw_float_tap input;
    int bits;
    const double *weight; // [n_in] importance of each column (mean square of the input)
};

static const float *source_row(const struct quantizer *z, const struct source *s, int r)
{
    if (s->interleaved)
        return hw_float_tensor(z->f, r % 2 ? HW_W_UP : HW_W_GATE, s->layer) +
               (size_t)(r / 2) * (size_t)s->n_in;
    return hw_float_tensor(z->f, s->tensor, s->layer) + (size_t)r * (size_t)s->n_in;
}

// Whether the matrix was made of levels, which are to be found again.
static bool on_levels(const struct quantizer *z, const struct source *s)
{
    bool in_layer = s->interleaved || (s->tensor != HW_TOK_EMBED && s->tensor != HW_OUTPUT);
    return z->o->grids || (z->o->ternary && in_layer);
}

// --- levels ----------------------------------------------------------------------------------------

static struct hw_grid even_grid(int n, int first, int step)
{
    struct hw_grid g = {.n = n};
    for (int k = 0; k < n; k++)
        g.value[k] = (int16_t)(first + k * step);
    return g;
}

// Index of the grid value nearest to x.
static int nearest(const struct hw_grid *g, double x)
{
    int low = 0, high = g->n - 1; // between two neighbours, where x lies
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (x < g->value[middle])
            high = middle;
        else
            low = middle;
    }
    return high > low && 2.0 * x >= g->value[low] + g->value[high] ? high : low;
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
            m->levels[p][k] = m->n_planes == 1 ? g->value[k]
                                               : (int16_t)(k * stride * step +
                                                           (p == 0 ? g->value[0] : 0));
        used = (used + n - 1) / n;
    }
}

static void put_code(struct hw_qmatrix *m, int code_bits, int r, int c, int k)
{
    for (int p = m->n_planes - 1; p >= 0; p--) {
        size_t at = ((size_t)p * (size_t)m->n_out + (size_t)r) * (size_t)m->n_in + (size_t)c;
        m->codes[at] = (uint8_t)(k & ((1 << code_bits) - 1));
        k >>= code_bits;
    }
}

// --- row scales --------------------------------------------------------------------------------------

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
static double row_error(const struct source *src, const float *w, const struct hw_grid *g, double s)
{
    double error = 0.0;
    for (int c = 0; c < src->n_in; c++) {
        double d = w[c] - s * g->value[nearest(g, w[c] / s)];
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

// Searches the scale of row r; returns the error, the word in *word, the real scale in *scale.
static double best_scale(const struct quantizer *z, const struct source *src, int r,
                         const struct hw_grid *g, int shift, uint16_t *word, double *scale)
{
    const float *w = source_row(z, src, r);
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
static void exact_scale(const struct source *src, const float *w, int r, const struct hw_grid *g,
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

// --- matrices ------------------------------------------------------------------------------------------

// Error of all rows with scales searched for grid *g.
static double grid_error(const struct quantizer *z, const struct source *src,
                         const struct hw_qmatrix *m, const struct hw_grid *g)
{
    double total = 0.0, scale;
    uint16_t word;
    for (int r = 0; r < m->n_out; r++)
        total += best_scale(z, src, r, g, m->shift, &word, &scale);
    return total;
}

struct rounding { // of one row
    struct hw_qmatrix *m;
    const struct hw_grid *grid;
    int code_bits, row;
    double scale;
};

static double round_weight(void *user, int column, double w)
{
    const struct rounding *y = user;
    int k = nearest(y->grid, w / y->scale);
    put_code(y->m, y->code_bits, y->row, column, k);
    return y->scale * y->grid->value[k];
}

// Scales, then codes, row by row. Returns the squared error of the product over calibration text.
static double round_rows(const struct quantizer *z, const struct source *src, struct hw_qmatrix *m,
                         const struct hw_grid *g, const struct hw_gptq *gptq, double *row)
{
    double total = 0.0;
    for (int r = 0; r < m->n_out; r++) {
        struct rounding y = {m, g, z->o->widths.code_bits, r, 1.0};
        const float *w = source_row(z, src, r);
        if (on_levels(z, src))
            exact_scale(src, w, r, g, m->shift, &m->scale[r], &y.scale);
        else
            best_scale(z, src, r, g, m->shift, &m->scale[r], &y.scale);
        for (int c = 0; c < m->n_in; c++)
            row[c] = w[c];
        if (gptq) {
            total += hw_gptq_round(gptq, row, round_weight, &y) / z->r->n_seen;
            continue;
        }
        for (int c = 0; c < m->n_in; c++) {
            double d = w[c] - round_weight(&y, c, w[c]);
            total += d * d * src->weight[c];
            if (z->o->ternary && on_levels(z, src) && (d > 0.0 || d < 0.0))
                hw_fail(z->err, "quantize: %s row %d column %d: expected 0 or a magnitude of %g, "
                                "got %g", src->name, r, c, y.scale, w[c]);
        }
    }
    return total;
}

// Lloyd's algorithm over the rows, each under its best scale: levels as free integers, which cost
// the array nothing. Starts from *g, even steps; *g stays where that is no worse.
static void fit_codebook(const struct quantizer *z, const struct source *src,
                         const struct hw_qmatrix *m, struct hw_grid *g)
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
            const float *w = source_row(z, src, r);
            best_scale(z, src, r, &fitted, m->shift, &word, &scale);
            for (int c = 0; c < m->n_in; c++) {
                int k = nearest(&fitted, w[c] / scale);
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
    if (grid_error(z, src, m, &fitted) < grid_error(z, src, m, g))
        *g = fitted;
}

// The name models/train.c gives a tensor.
static const struct hw_grid *trained_grid(const struct quantizer *z, const struct source *src)
{
    static const char *const name[HW_N_TENSORS] = {
        [HW_WQ] = "wq", [HW_WK] = "wk", [HW_WV] = "wv", [HW_WO] = "wo", [HW_W_DOWN] = "w2"};
    char text[32];
    if (src->tensor == HW_TOK_EMBED && !src->interleaved)
        return hw_grids_find(z->o->grids, "tok_embed");
    snprintf(text, sizeof text, "l%02d.%s", src->layer,
             src->interleaved ? "w1" : name[src->tensor] ? name[src->tensor] : "");
    return hw_grids_find(z->o->grids, text);
}

// Base shift of the matrix's scales: room for the largest.
static int matrix_shift(const struct quantizer *z, const struct source *src,
                        const struct hw_grid *g)
{
    double most = 0.0;
    for (int r = 0; r < src->n_out; r++) {
        const float *w = source_row(z, src, r);
        double scale = row_max(w, src->n_in) / grid_top(g);
        uint16_t word;
        if (on_levels(z, src)) {
            exact_scale(src, w, r, g, 15, &word, &scale);
            scale = row_max(w, src->n_in) > 0.0 ? scale : 0.0;
        }
        double ratio = scale * src->in_unit / src->out_unit[src->interleaved ? r & 1 : 0];
        most = ratio > most ? ratio : most;
    }
    return base_shift(most);
}

static bool choose_grid(const struct quantizer *z, struct source *src, struct hw_qmatrix *m,
                        struct hw_grid *g)
{
    int code_bits = z->o->widths.code_bits;
    if (z->o->grids) {
        const struct hw_grid *trained = trained_grid(z, src);
        if (!trained)
            return hw_fail(z->err, "quantize: %s: the file of levels has no such tensor", src->name);
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
    if (!hw_qmatrix_alloc(m, src->n_out, src->n_in, planes_for(src->bits, code_bits), z->err))
        return false;
    m->shift = matrix_shift(z, src, g);
    if (!on_levels(z, src) && src->bits <= code_bits) {
        fit_codebook(z, src, m, g);
        m->shift = matrix_shift(z, src, g);
    }
    return true;
}

static bool quantize_matrix(const struct quantizer *z, struct source *src, struct hw_qmatrix *m)
{
    int code_bits = z->o->widths.code_bits;
    struct hw_grid grid;
    if (!choose_grid(z, src, m, &grid))
        return false;
    double noise = z->r->n_seen * src->act_unit * src->act_unit / 12.0;
    struct hw_gptq gptq = {0};
    double *row = malloc((size_t)m->n_in * sizeof *row), error = 0.0;
    if (!row)
        hw_fail(z->err, "quantize: out of memory");
    else if (z->o->nearest || on_levels(z, src))
        error = round_rows(z, src, m, &grid, NULL, row);
    else if (hw_gptq_new(&gptq, z->moments, src->input, src->layer, noise, z->err))
        error = round_rows(z, src, m, &grid, &gptq, row);
    hw_gptq_free(&gptq);
    free(row);
    if (z->err->set)
        return false;
    make_levels(m, &grid, code_bits);
    hw_qmatrix_expand(m);
    if (z->o->progress) {
        double power = 0.0;
        for (int r = 0; r < m->n_out; r++) {
            const float *w = source_row(z, src, r);
            for (int c = 0; c < m->n_in; c++)
                power += (double)w[c] * w[c] * (src->weight[c] + 1e-12);
        }
        char quality[32] = "exact";
        if (error > 0.0)
            snprintf(quality, sizeof quality, "%6.2f dB", 10.0 * log10(power / error));
        fprintf(z->o->progress, "%-28s %6d x %-6d %d bits  %d plane%s  %9ld ROM bits  %s\n",
                src->name, m->n_out, m->n_in, src->bits, m->n_planes, m->n_planes == 1 ? " " : "s",
                (long)m->n_out * m->n_in * m->n_planes * code_bits, quality);
    }
    return true;
}

// --- the model -------------------------------------------------------------------------------------------

// Real value of one step so that `max` reaches the end of `bits` bits, with a little headroom.
static double unit_for(double max, int bits)
{
    return (max > 0.0 ? max : 1.0) * 1.02 / (ldexp(1.0, bits - 1) - 1.0);
}

// A norm over `size` elements of step `from`, its output in steps of in_unit.
static bool quantize_norm(const struct quantizer *z, const char *name, const float *gain, int size,
                          double from, double eps, double in_unit, struct hw_qnorm *n)
{
    double max = 0.0, root = sqrt(size);
    eps *= size / (from * from);
    if (!(eps < 4294967295.0))
        return hw_fail(z->err, "quantize: %s: epsilon %g is too large beside steps of %g", name,
                       eps * from * from / size, from);
    n->eps_ss = eps < 1.0 ? 1 : (uint64_t)(eps + 0.5);
    for (int i = 0; i < size; i++)
        max = fabs(gain[i]) > max ? fabs(gain[i]) : max;
    n->shift = 40;
    while (n->shift > 1 && ldexp(max * root / in_unit, n->shift - 17) > 32000.0)
        n->shift--;
    if (!(ldexp(max * root / in_unit, n->shift - 17) < 32768.0))
        return hw_fail(z->err, "quantize: %s: a gain of %g meets activations of at most %g: "
                               "expected them within 2^31 of each other", name, max, in_unit);
    for (int i = 0; i < size; i++)
        n->gain[i] = (int16_t)floor(ldexp(gain[i] * root / in_unit, n->shift - 17) + 0.5);
    return true;
}

static bool quantize_layer(const struct quantizer *z, int l, double res_unit)
{
    const struct hw_config *c = z->c;
    const struct hw_widths *w = &z->o->widths;
    struct hw_ranges *r = z->r;
    struct hw_qlayer *y = &z->q->layers[l];
    int q_dim = c->n_heads * c->head_dim, kv_dim = c->n_kv_heads * c->head_dim;
    double attn_in = unit_for(hw_range_max(r, HW_FLOAT_ATTN_IN, l), w->act_bits);
    double ffn_in = unit_for(hw_range_max(r, HW_FLOAT_FFN_IN, l), w->act_bits);
    double k = unit_for(hw_range_max(r, HW_FLOAT_K, l), w->kv_bits);
    double v = unit_for(hw_range_max(r, HW_FLOAT_V, l), w->kv_bits);
    double hidden = unit_for(hw_range_max(r, HW_FLOAT_HIDDEN, l), w->act_bits);
    double wo_in = unit_for(hw_range_max(r, HW_FLOAT_ATTN, l), w->act_bits), down_in = hidden;
    double eps = z->how.layer_eps;

    if (!quantize_norm(z, "attention norm", hw_float_tensor(z->f, HW_ATTN_NORM, l), c->dim,
                       res_unit, eps, attn_in, &y->attn_norm) ||
        !quantize_norm(z, "FFN norm", hw_float_tensor(z->f, HW_FFN_NORM, l), c->dim, res_unit, eps,
                       ffn_in, &y->ffn_norm))
        return false;
    if (c->sub_norm) // as the residual's, res_bits with headroom
        hidden = 2.0 * unit_for(hw_range_max(r, HW_FLOAT_HIDDEN_SIDE, l), w->res_bits);

    // q * k * log2(e) / sqrt(head_dim) in steps of 2^-10 is 64 * raw score >> score_shift
    double q = 0.0;
    for (y->score_shift = 40; y->score_shift > 0; y->score_shift--) {
        q = sqrt(c->head_dim) / (LOG2_E * 1024.0 * k) / ldexp(1.0, y->score_shift - 6);
        if (hw_range_max(r, HW_FLOAT_Q, l) / q < 1900.0)
            break;
    }
    enum hw_float_tap attn_out = c->sub_norm ? HW_FLOAT_ATTN_SIDE : HW_FLOAT_ATTN;
    double attn_max = hw_range_max(r, attn_out, l) * 1.02;
    double act_top = ldexp(1.0, (c->sub_norm ? w->res_bits - 1 : w->act_bits) - 1) - 1.0;
    v = v < attn_max / act_top ? attn_max / act_top : v; // kv_bits above act_bits gain nothing
    for (y->att_shift = 0; y->att_shift < 7; y->att_shift++) {
        if (ldexp(attn_max / v, y->att_shift + 1) > act_top)
            break;
    }
    double up = 0.0;
    for (y->hidden_shift = 40; y->hidden_shift > 1; y->hidden_shift--) {
        up = hidden * 1024.0 / ldexp(1.0, y->hidden_shift);
        if (hw_range_max(r, HW_FLOAT_UP, l) / up < 30000.0)
            break;
    }
    double attn = ldexp(v, -y->att_shift);
    if (!c->sub_norm)
        wo_in = attn;
    else if (!quantize_norm(z, "attention sub-norm", hw_float_tensor(z->f, HW_ATTN_SUB_NORM, l),
                            q_dim, attn, eps, wo_in, &y->attn_sub_norm) ||
             !quantize_norm(z, "FFN sub-norm", hw_float_tensor(z->f, HW_FFN_SUB_NORM, l),
                            c->hidden_dim, hidden, eps, down_in, &y->ffn_sub_norm))
        return false;
    double k_pre = ldexp(k, w->kv_bits - (HW_PRE_BITS - 1));
    double q_pre = ldexp(q, HW_Q_BITS - (HW_PRE_BITS - 1));
    int bits = z->o->weight_bits;
    struct {
        struct source src;
        struct hw_qmatrix *m;
        const char *suffix;
    } part[] = {
        {{.n_out = kv_dim, .n_in = c->dim, .tensor = HW_WK, .in_unit = attn_in,
          .out_unit = {k_pre}, .input = HW_FLOAT_ATTN_IN}, &y->wk, "attention.wk"},
        {{.n_out = q_dim, .n_in = c->dim, .tensor = HW_WQ, .in_unit = attn_in,
          .out_unit = {q_pre}, .input = HW_FLOAT_ATTN_IN}, &y->wq, "attention.wq"},
        {{.n_out = kv_dim, .n_in = c->dim, .tensor = HW_WV, .in_unit = attn_in,
          .out_unit = {v}, .input = HW_FLOAT_ATTN_IN}, &y->wv, "attention.wv"},
        {{.n_out = c->dim, .n_in = q_dim, .tensor = HW_WO, .in_unit = wo_in,
          .out_unit = {res_unit}, .input = HW_FLOAT_ATTN}, &y->wo, "attention.wo"},
        {{.n_out = 2 * c->hidden_dim, .n_in = c->dim, .interleaved = true, .in_unit = ffn_in,
          .out_unit = {1.0 / 1024.0, up}, .input = HW_FLOAT_FFN_IN}, &y->gate_up, "feed_forward.gate_up"},
        {{.n_out = c->dim, .n_in = c->hidden_dim, .tensor = HW_W_DOWN, .in_unit = down_in,
          .out_unit = {res_unit}, .input = HW_FLOAT_HIDDEN}, &y->down, "feed_forward.down"},
    };
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "layers.%d.%s", l, part[i].suffix);
        part[i].src.name = name;
        part[i].src.layer = l;
        part[i].src.bits = bits;
        part[i].src.act_unit = part[i].src.in_unit;
        part[i].src.weight = hw_range_square(r, part[i].src.input, l);
        if (!quantize_matrix(z, &part[i].src, part[i].m))
            return false;
    }
    return true;
}

// Embedding, classifier, final norm. A tied table has one scale word a row: as embedding it gives
// residual steps, as classifier logit steps, so the logit's unit follows from the residual's.
static bool quantize_ends(const struct quantizer *z, double res_unit)
{
    const struct hw_config *c = z->c;
    struct hw_qmodel *q = z->q;
    double head_in = unit_for(hw_range_max(z->r, HW_FLOAT_HEAD_IN, 0), z->o->widths.act_bits);
    double logit_max = hw_range_max(z->r, HW_FLOAT_LOGITS, 0), wanted = logit_max / ldexp(1.0, 20);
    int bits = z->o->head_bits ? z->o->head_bits : z->o->ternary ? 8 : z->o->weight_bits;
    if (!quantize_norm(z, "final norm", hw_float_tensor(z->f, HW_OUTPUT_NORM, 0), c->dim, res_unit,
                       c->norm_eps, head_in, &q->final_norm))
        return false;

    // weight * 2^8 * word / 2^embed_shift = residual steps
    struct source embed = {.name = "tok_embeddings", .n_out = c->vocab_size, .n_in = c->dim,
                           .tensor = HW_TOK_EMBED, .in_unit = 1.0, .act_unit = head_in,
                           .out_unit = {256.0 * res_unit},
                           .input = HW_FLOAT_HEAD_IN, .bits = bits,
                           .weight = hw_range_square(z->r, HW_FLOAT_HEAD_IN, 0)};
    if (!quantize_matrix(z, &embed, &q->embed))
        return false;
    q->embed_shift = q->embed.shift;
    if (c->tied) { // the same words, another shift
        double unit = head_in * 256.0 * res_unit; // logit steps at shift = embed_shift
        int shift = q->embed_shift;
        for (; shift < 62 && unit < wanted / 2.0; shift++)
            unit *= 2.0;
        for (; shift > 15 && unit > wanted; shift--)
            unit /= 2.0;
        q->embed.shift = shift;
        q->logit_scale = unit;
        return true;
    }
    struct source head = {.name = "output", .n_out = c->vocab_size, .n_in = c->dim,
                          .tensor = HW_OUTPUT, .in_unit = head_in,
                          .act_unit = head_in, .out_unit = {wanted},
                          .input = HW_FLOAT_HEAD_IN, .bits = bits,
                           .weight = hw_range_square(z->r, HW_FLOAT_HEAD_IN, 0)};
    q->logit_scale = wanted;
    return quantize_matrix(z, &head, &q->head);
}

static double residual_max(const struct hw_ranges *r)
{
    double max = 0.0;
    for (int l = 0; l < r->n_layers; l++) {
        double here = hw_range_max(r, HW_FLOAT_RESIDUAL, l);
        max = here > max ? here : max;
    }
    return max;
}

static bool run(struct quantizer *z)
{
    const struct hw_config *c = z->c;
    struct hw_qmodel *q = z->q;
    double res_unit = 4.0 * unit_for(residual_max(z->r), z->o->widths.res_bits);
    q->config = *c;
    q->widths = z->o->widths;
    if (!hw_qmodel_alloc(q, z->err))
        return false;
    if (hw_rope_tables(c, &q->rope) != 0)
        return hw_fail(z->err, "rope: an angle lies on a rounding tie: expected a rope base other "
                               "than %.17g", c->rope_base);
    if (!quantize_ends(z, res_unit))
        return false;
    for (int l = 0; l < c->n_layers; l++) {
        if (!quantize_layer(z, l, res_unit))
            return false;
    }
    return true;
}

static bool check_options(const struct hw_quantize_options *o, struct hw_error *err)
{
    int head = o->head_bits ? o->head_bits : o->weight_bits;
    const struct {
        const char *name;
        int value, low, high;
    } range[] = {{"code-bits", o->widths.code_bits, 2, 4}, {"act-bits", o->widths.act_bits, 4, 12},
                 {"kv-bits", o->widths.kv_bits, 4, 12},     {"res-bits", o->widths.res_bits, 16, 24},
                 {"bits", o->weight_bits, 2, 8},           {"head-bits", head, 2, 8}};
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (range[i].value < range[i].low || range[i].value > range[i].high)
            return hw_fail(err, "quantize: %s: expected %d..%d, got %d", range[i].name,
                           range[i].low, range[i].high, range[i].value);
    }
    return true;
}

// How much text a model writes for its own calibration: enough for its widths, and no more than
// 2^34 multiplications where the model is large.
static int own_tokens(const struct hw_config *c)
{
    double layer = 2.0 * c->dim * (c->n_heads + c->n_kv_heads) * c->head_dim +
                   3.0 * c->dim * c->hidden_dim;
    double n = ldexp(1.0, 34) / (c->n_layers * layer + (double)c->vocab_size * c->dim);
    return n < 256.0 ? 256 : n > 4096.0 ? 4096 : (int)n;
}

bool hw_quantize(const struct hw_model *model, const struct hw_quantize_options *o,
                 struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_ranges ranges = {0};
    struct hw_moments moments = {0};
    memset(q, 0, sizeof *q);
    if (!check_options(o, err))
        return false;
    if (o->ternary && !hw_model_is_ternary(model))
        return hw_fail(err, "quantize: expected every matrix of the layers to be -s, 0 or s in each "
                            "row, as in a natively ternary checkpoint");
    struct hw_float *f = hw_float_new(model, err);
    const struct hw_config *c = hw_model_config(model);
    const int *tokens = o->calib_tokens;
    int n = tokens ? o->n_calib_tokens : own_tokens(c);
    if (f && hw_calibrate(f, c, tokens, n, &ranges, err) &&
        (o->grids || o->ternary || hw_balance(f, c, o, &ranges, err)) &&
        (o->nearest || o->grids || hw_moments_collect(f, c, tokens, n, &moments, err))) {
        struct quantizer z = {o, c, f, hw_model_evaluation(model), &ranges, &moments, q, err};
        run(&z);
    }
    hw_moments_free(&moments);
    hw_ranges_free(&ranges);
    hw_float_free(f);
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}
