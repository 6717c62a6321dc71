// SPDX-License-Identifier: Apache-2.0
// Owns the exact rescalings between neighbours and the search for their sizes.
//
//   attention norm -> wk, wq, wv     FFN norm -> gate, up     final norm -> untied classifier
//   up rows -> down columns          V rows -> wo columns     K pairs -> Q pairs (inverse)
//   where a norm stands before wo and down, its gains take the place of V and up
#include "gen/quant/balance.h"

#include <math.h>
#include <stdlib.h>

#include "refmodel/tables.h"

enum { MAX_READERS = 2 * HW_N_MATRICES }; // gate_up is two tensors

// A matrix whose input channel c is channel c of a site, or of several heads that share one.
struct reader {
    enum hw_tensor_id tensor; // [n_out][n_in]
    int layer;
    int n_out, n_in;
    int head_dim, group; // group > 1: input channel (h, d) is site channel (h / group, d)
};

// A vector that is rounded to one step and then multiplied by its readers.
struct site {
    const struct hw_float *f;
    float *row;          // [widest] scratch
    int n;               // channels
    const float *peak;   // [n] largest magnitude
    const double *power; // [n] mean square
    int act_bits, weight_bits;
    struct reader reader[MAX_READERS];
    int n_readers;
};

static int channel(const struct reader *r, int c)
{
    return r->group > 1 ? c / r->head_dim / r->group * r->head_dim + c % r->head_dim : c;
}

static double power_of(double x, double a)
{
    return x > 0.0 ? hw_exp(a * hw_log(x)) : 1.0;
}

// Rounding noise of one reader's product over its power, if channel c is divided by t[c]: a step of
// `unit` in the input, a step per row in the weights, both uniform.
static double reader_error(const struct site *s, const struct reader *r, const double *t,
                           double unit)
{
    double noise = 0.0, power = 1e-300, codes = ldexp(1.0, s->weight_bits) - 1.0;
    for (int row = 0; row < r->n_out; row++) {
        const float *w = hw_float_row(s->f, r->tensor, r->layer, row, s->row);
        double top = 0.0, through = 0.0;
        for (int c = 0; c < r->n_in; c++) {
            int k = channel(r, c);
            double scaled = fabs(w[c]) * t[k];
            top = scaled > top ? scaled : top;
            noise += scaled * scaled * unit * unit;
            through += s->power[k] / (t[k] * t[k]);
            power += (double)w[c] * w[c] * s->power[k];
        }
        noise += through * (2.0 * top / codes) * (2.0 * top / codes);
    }
    return noise / power;
}

static double site_error(const struct site *s, const double *t)
{
    double top = 0.0, error = 0.0;
    for (int c = 0; c < s->n; c++)
        top = s->peak[c] / t[c] > top ? s->peak[c] / t[c] : top;
    double unit = top / (ldexp(1.0, s->act_bits - 1) - 1.0);
    for (int i = 0; i < s->n_readers; i++)
        error += reader_error(s, &s->reader[i], t, unit);
    return error;
}

// Largest weight of each channel over all readers.
static void weight_peaks(const struct site *s, double *peak)
{
    for (int c = 0; c < s->n; c++)
        peak[c] = 0.0;
    for (int i = 0; i < s->n_readers; i++) {
        const struct reader *r = &s->reader[i];
        for (int row = 0; row < r->n_out; row++) {
            const float *w = hw_float_row(s->f, r->tensor, r->layer, row, s->row);
            for (int c = 0; c < r->n_in; c++) {
                int k = channel(r, c);
                peak[k] = fabs(w[c]) > peak[k] ? fabs(w[c]) : peak[k];
            }
        }
    }
}

// Fills t[n] with the best scales found; t = 1 is among those tried. scratch holds 2n.
static void search(const struct site *s, double *t, double *scratch)
{
    enum { STEPS = 4 };
    double *candidate = scratch, *weight = scratch + s->n, best = INFINITY;
    weight_peaks(s, weight);
    for (int a = 0; a <= STEPS; a++) {
        for (int b = 0; b <= STEPS; b++) {
            for (int c = 0; c < s->n; c++)
                candidate[c] = power_of(s->peak[c], (double)a / STEPS) /
                               power_of(weight[c], (double)b / STEPS);
            double error = site_error(s, candidate);
            if (error < best) {
                best = error;
                for (int c = 0; c < s->n; c++)
                    t[c] = candidate[c];
            }
        }
    }
}

static void shrink_range(struct hw_calibration *r, enum hw_float_tap tap, int layer, int n,
                         const double *t)
{
    float *peak = hw_calibration_peak(r, tap, layer);
    double *square = hw_calibration_square(r, tap, layer);
    for (int c = 0; c < n; c++) {
        peak[c] = (float)(peak[c] / t[c]);
        square[c] /= t[c] * t[c];
    }
}

struct balance {
    struct hw_float *f;
    const struct hw_config *c;
    const struct hw_quantize_options *o;
    struct hw_calibration *r;
    double *t, *scratch; // [widest], [2 * widest]
    float *row;          // [widest]
    struct hw_error *err;
};

static struct reader reader_of(const struct balance *b, enum hw_tensor_id id, int layer)
{
    struct reader r = {.tensor = id, .layer = layer, .head_dim = 1, .group = 1};
    hw_tensor_shape(b->c, id, &r.n_out, &r.n_in);
    return r;
}

static void add_reader(const struct balance *b, struct site *s, enum hw_tensor_id id, int layer)
{
    s->reader[s->n_readers++] = reader_of(b, id, layer);
}

// A tap and the matrices that read it.
static struct site site_at(const struct balance *b, enum hw_float_tap tap, int layer)
{
    struct site s = {.f = b->f,
                     .row = b->row,
                     .n = b->r->width[tap],
                     .peak = hw_calibration_peak(b->r, tap, layer),
                     .power = hw_calibration_square(b->r, tap, layer),
                     .act_bits = b->o->widths.act_bits,
                     .weight_bits = b->o->weight_bits};
    for (int i = 0; i < HW_N_MATRICES; i++) {
        const struct hw_matrix_origin *m = &hw_matrix_origin[i];
        if (m->input != tap)
            continue;
        add_reader(b, &s, m->tensor, layer);
        if (m->interleaved)
            add_reader(b, &s, m->tensor + 1, layer);
    }
    if (tap == HW_FLOAT_FINAL_NORM)
        add_reader(b, &s, hw_classifier_tensor(b->c), layer);
    return s;
}

static void shrink_rows(const struct balance *b, enum hw_tensor_id id, int layer, const double *t)
{
    hw_float_shrink_rows(b->f, id, layer, t, b->err);
}

// Column c of every reader becomes t[channel of c] times itself.
static void scale_columns(const struct balance *b, const struct site *s)
{
    for (int i = 0; i < s->n_readers; i++) {
        const struct reader *r = &s->reader[i];
        for (int c = 0; c < r->n_in; c++)
            b->scratch[c] = b->t[channel(r, c)];
        hw_float_scale_columns(b->f, r->tensor, r->layer, b->scratch, b->err);
        hw_float_unload(b->f, r->tensor, r->layer);
    }
}

// A norm's gains against the columns of the matrices that read it.
static void balance_norm(const struct balance *b, enum hw_float_tap tap, enum hw_tensor_id gain,
                         int layer)
{
    struct site s = site_at(b, tap, layer);
    search(&s, b->t, b->scratch);
    scale_columns(b, &s);
    float *gains = hw_float_edit(b->f, gain, layer);
    for (int c = 0; c < s.n; c++)
        gains[c] = (float)(gains[c] / b->t[c]);
    shrink_range(b->r, tap, layer, s.n, b->t);
}

static void balance_ffn(const struct balance *b, int layer)
{
    struct site s = site_at(b, HW_FLOAT_HIDDEN, layer);
    search(&s, b->t, b->scratch);
    scale_columns(b, &s);
    shrink_rows(b, HW_W_UP, layer, b->t);
    shrink_range(b->r, HW_FLOAT_UP, layer, s.n, b->t);
    shrink_range(b->r, HW_FLOAT_HIDDEN, layer, s.n, b->t);
}

// The heads of a group share the channels of their kv head.
static void balance_value(const struct balance *b, int layer)
{
    const struct hw_config *c = b->c;
    struct site s = site_at(b, HW_FLOAT_V, layer);
    s.act_bits = b->o->widths.kv_bits;
    add_reader(b, &s, HW_WO, layer); // behind attention, which keeps channels apart
    s.reader[0].head_dim = c->head_dim;
    s.reader[0].group = c->n_heads / c->n_kv_heads;
    search(&s, b->t, b->scratch);
    scale_columns(b, &s);
    shrink_rows(b, HW_WV, layer, b->t);
    if (c->qkv_bias)
        shrink_rows(b, HW_BV, layer, b->t);
    shrink_range(b->r, HW_FLOAT_V, layer, s.n, b->t);
    double *per_head = b->scratch;
    for (int i = 0; i < c->n_heads * c->head_dim; i++)
        per_head[i] = b->t[channel(&s.reader[0], i)];
    shrink_range(b->r, HW_FLOAT_ATTN, layer, c->n_heads * c->head_dim, per_head);
}

// Each of a head's elements gets the largest of that element's scales over all heads.
static void share_over_heads(double *t, int heads, int head_dim)
{
    for (int d = 0; d < head_dim; d++) {
        double most = 0.0;
        for (int h = 0; h < heads; h++)
            most = t[h * head_dim + d] > most ? t[h * head_dim + d] : most;
        for (int h = 0; h < heads; h++)
            t[h * head_dim + d] = most;
    }
}

// Both channels of a rotation pair get one scale, which the rotation leaves alone. K is the coarser
// of the two (kv_bits against 12), so K alone decides: every pair fills its range.
static void balance_key(const struct balance *b, int layer)
{
    const struct hw_config *c = b->c;
    int kv_dim = c->n_kv_heads * c->head_dim, group = c->n_heads / c->n_kv_heads;
    const float *peak = hw_calibration_peak(b->r, HW_FLOAT_K, layer);
    for (int i = 0; i < kv_dim; i += 2) {
        double top = peak[i] > peak[i + 1] ? peak[i] : peak[i + 1];
        b->t[i] = b->t[i + 1] = top > 0.0 ? top : 1.0;
    }
    if (c->qk_norm) // the heads share their gains
        share_over_heads(b->t, c->n_kv_heads, c->head_dim);
    shrink_rows(b, c->qk_norm ? HW_K_NORM : HW_WK, layer, b->t);
    if (c->qkv_bias && !c->qk_norm)
        shrink_rows(b, HW_BK, layer, b->t);
    shrink_range(b->r, HW_FLOAT_K, layer, kv_dim, b->t);
    double *inverse = b->scratch;
    for (int i = 0; i < c->n_heads * c->head_dim; i++)
        inverse[i] = 1.0 / b->t[i / c->head_dim / group * c->head_dim + i % c->head_dim];
    shrink_rows(b, c->qk_norm ? HW_Q_NORM : HW_WQ, layer, inverse);
    if (c->qkv_bias && !c->qk_norm)
        shrink_rows(b, HW_BQ, layer, inverse);
    shrink_range(b->r, HW_FLOAT_Q, layer, c->n_heads * c->head_dim, inverse);
}

bool hw_balance(struct hw_float *f, const struct hw_config *c, const struct hw_quantize_options *o,
                struct hw_calibration *ranges, struct hw_error *err)
{
    size_t widest = 0;
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++)
        widest = (size_t)ranges->width[t] > widest ? (size_t)ranges->width[t] : widest;
    struct balance b = {
        f,  c, o, ranges, malloc(3 * widest * sizeof(double)), NULL, malloc(widest * sizeof(float)),
        err};
    if (!b.t || !b.row) {
        free(b.t);
        free(b.row);
        return hw_fail(err, "balance: out of memory");
    }
    b.scratch = b.t + widest;
    for (int l = 0; l < c->n_layers && !err->set; l++) {
        if (c->sub_norm) {
            balance_norm(&b, HW_FLOAT_ATTN, HW_ATTN_SUB_NORM, l);
            balance_norm(&b, HW_FLOAT_HIDDEN, HW_FFN_SUB_NORM, l);
        } else {
            balance_value(&b, l);
            balance_ffn(&b, l);
        }
        balance_key(&b, l);
        balance_norm(&b, HW_FLOAT_ATTN_NORM, HW_ATTN_NORM, l);
        balance_norm(&b, HW_FLOAT_FFN_NORM, HW_FFN_NORM, l);
    }
    if (!c->tied)
        balance_norm(&b, HW_FLOAT_FINAL_NORM, HW_OUTPUT_NORM, 0);
    free(b.t);
    free(b.row);
    return !err->set;
}
