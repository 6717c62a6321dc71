// SPDX-License-Identifier: Apache-2.0
// Owns the way from a float checkpoint to integers: the order in which norms and matrices are
// rounded, tuned, rounded again.
#include "gen/quant/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/float/calibrate.h"
#include "gen/learn/backward.h"
#include "gen/learn/budget.h"
#include "gen/learn/tune.h"
#include "gen/qmodel/memory.h"
#include "gen/quant/balance.h"
#include "gen/quant/matrix.h"
#include "gen/quant/units.h"
#include "refmodel/limits.h"
#include "refmodel/ops.h"
#include "refmodel/tables.h"

static const double MOST_IN_MEMORY = 256e6; // bytes of float weights

void hw_quantize_defaults(struct hw_quantize_options *o)
{
    memset(o, 0, sizeof *o);
    o->widths = (struct hw_widths){.code_bits = 4, .act_bits = 10, .kv_bits = 10, .res_bits = 0};
    o->weight_bits = 8;
}

// --- the model

// A norm over `size` elements of step `from`, its output in steps of in_unit.
static bool quantize_norm(const struct hw_quantizer *z, const char *name, const float *gain,
                          int size, double from, double eps, double in_unit, struct hw_qnorm *n)
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
        return hw_fail(z->err,
                       "quantize: %s: a gain of %g meets activations of at most %g: "
                       "expected them within 2^31 of each other",
                       name, max, in_unit);
    for (int i = 0; i < size; i++)
        n->gain[i] = (int16_t)floor(ldexp(gain[i] * root / in_unit, n->shift - 17) + 0.5);
    return true;
}

static void matrix_name(int index, char *name, size_t size)
{
    int i = index - HW_ROUNDED_LAYERS;
    if (i < 0)
        snprintf(name, size, "%s", index == HW_ROUNDED_EMBED ? "tok_embeddings" : "output");
    else
        snprintf(name, size, "layers.%d.%s", i / HW_N_MATRICES,
                 hw_matrix_row[i % HW_N_MATRICES].name);
}

// What a matrix of a layer is rounded from; units and name are the caller's.
static struct hw_source matrix_source(const struct hw_quantizer *z, enum hw_matrix_id id, int l)
{
    const struct hw_matrix_row *row = &hw_matrix_row[id];
    int index = HW_ROUNDED_LAYERS + HW_N_MATRICES * l + (int)id;
    return (struct hw_source){.n_out = hw_length(z->c, row->n_out),
                              .n_in = hw_length(z->c, row->n_in),
                              .tensor = hw_matrix_origin[id].tensor,
                              .interleaved = hw_matrix_origin[id].interleaved,
                              .layer = l,
                              .input = hw_matrix_origin[id].input,
                              .index = index,
                              .bits = z->bits[index],
                              .weight = hw_calibration_square(z->r, hw_matrix_origin[id].input, l)};
}

#define BIAS_SOURCE(member, name, matrix, where, from) HW_##from,
static const enum hw_tensor_id bias_origin[HW_N_BIASES] = {HW_LAYER_BIASES(BIAS_SOURCE)};

// A bias in the unit of the rows it is added to, 16 bits: rows beyond those are cut anyway.
static void quantize_bias(const float *bias, int n, double unit, int16_t *to)
{
    for (int i = 0; i < n; i++) {
        double v = floor(bias[i] / unit + 0.5);
        to[i] = (int16_t)(v < -32768.0 ? -32768.0 : v > 32767.0 ? 32767.0 : v);
    }
}

#define GAIN_SOURCE(member, name, elements, where, from, region) HW_##from,
static const enum hw_tensor_id gain_origin[HW_N_NORMS] = {HW_LAYER_NORMS(GAIN_SOURCE)};

// Units of what a row of arch.h reads and makes. A switch without default: a row that is not here
// does not compile.
struct row_units {
    double in, out[2]; // of gate_up's rows in turn; else the first
};

static struct row_units norm_units(enum hw_norm_id id, const struct hw_layer_units *u)
{
    switch (id) {
    case HW_NORM_attn_norm:
        return (struct row_units){u->residual, {u->attn_norm}};
    case HW_NORM_ffn_norm:
        return (struct row_units){u->residual, {u->ffn_norm}};
    case HW_NORM_attn_sub_norm:
        return (struct row_units){u->attn, {u->wo_in}};
    case HW_NORM_ffn_sub_norm:
        return (struct row_units){u->hidden, {u->down_in}};
    case HW_NORM_k_norm:
        return (struct row_units){u->k_row, {u->k}};
    case HW_NORM_q_norm:
        return (struct row_units){u->q_row, {u->q}};
    case HW_N_NORMS:
        break;
    }
    return (struct row_units){0};
}

static struct row_units matrix_units(enum hw_matrix_id id, const struct hw_layer_units *u)
{
    switch (id) {
    case HW_MATRIX_wk:
        return (struct row_units){u->attn_norm, {u->k_row}};
    case HW_MATRIX_wq:
        return (struct row_units){u->attn_norm, {u->q_row}};
    case HW_MATRIX_wv:
        return (struct row_units){u->attn_norm, {u->v}};
    case HW_MATRIX_wo:
        return (struct row_units){u->wo_in, {u->residual}};
    case HW_MATRIX_gate_up:
        return (struct row_units){u->ffn_norm, {1.0 / 1024.0, u->up}};
    case HW_MATRIX_down:
        return (struct row_units){u->down_in, {u->residual}};
    case HW_N_MATRICES:
        break;
    }
    return (struct row_units){0};
}

// The norms of a layer that the family has.
static bool quantize_norms(const struct hw_quantizer *z, int l, const struct hw_layer_units *u)
{
    for (int i = 0; i < HW_N_NORMS; i++) {
        char name[64];
        const struct hw_norm_row *row = &hw_norm_row[i];
        struct row_units unit = norm_units((enum hw_norm_id)i, u);
        snprintf(name, sizeof name, "layers.%d.%s", l, row->name);
        if (hw_has(z->c, row->where) &&
            !quantize_norm(z, name, hw_float_tensor(z->f, gain_origin[i], l),
                           hw_length(z->c, row->n), unit.in, z->how.layer_eps, unit.out[0],
                           &z->q->layers[l].norm[i]))
            return false;
    }
    return true;
}

static bool quantize_matrices(const struct hw_quantizer *z, int l, const struct hw_layer_units *u)
{
    for (int i = 0; i < HW_N_MATRICES; i++) {
        char name[64];
        struct hw_source src = matrix_source(z, (enum hw_matrix_id)i, l);
        struct row_units unit = matrix_units((enum hw_matrix_id)i, u);
        matrix_name(src.index, name, sizeof name);
        src.name = name;
        src.in_unit = src.act_unit = unit.in;
        src.out_unit[0] = unit.out[0];
        src.out_unit[1] = unit.out[1];
        if (!hw_quantize_matrix(z, &src, &z->q->layers[l].matrix[i]))
            return false;
    }
    for (int i = 0; i < HW_N_BIASES; i++) {
        const struct hw_bias_row *row = &hw_bias_row[i];
        if (hw_has(z->c, row->where))
            quantize_bias(hw_float_tensor(z->f, bias_origin[i], l),
                          hw_bias_length(z->c, (enum hw_bias_id)i),
                          matrix_units(row->matrix, u).out[0], z->q->layers[l].bias[i]);
    }
    return true;
}

static bool quantize_layer(const struct hw_quantizer *z, int l, double residual)
{
    struct hw_layer_units u = hw_layer_units(z->c, &z->o->widths, z->r, l, residual);
    struct hw_qlayer *y = &z->q->layers[l];
    y->score_shift = u.score_shift;
    y->att_shift = u.att_shift;
    y->hidden_shift = u.hidden_shift;
    return quantize_norms(z, l, &u) && quantize_matrices(z, l, &u);
}

// Embedding, classifier, final norm. A tied table has one scale word a row: as embedding it gives
// residual steps, as classifier logit steps, so the logit's unit follows from the residual's.
static bool quantize_ends(const struct hw_quantizer *z, double res_unit)
{
    const struct hw_config *c = z->c;
    struct hw_qmodel *q = z->q;
    double head_in =
        hw_unit_for(hw_calibration_max(z->r, HW_FLOAT_FINAL_NORM, 0), z->o->widths.act_bits);
    double logit_max = hw_calibration_max(z->r, HW_FLOAT_LOGITS, 0),
           wanted = logit_max / ldexp(1.0, 20);
    if (!quantize_norm(z, "final norm", hw_float_tensor(z->f, HW_OUTPUT_NORM, 0), c->dim, res_unit,
                       c->norm_eps, head_in, &q->final_norm))
        return false;

    // weight * 2^8 * word / 2^embed_shift = residual steps
    struct hw_source embed = {.name = "tok_embeddings",
                              .n_out = c->vocab_size,
                              .n_in = c->dim,
                              .tensor = HW_TOK_EMBED,
                              .in_unit = 1.0,
                              .act_unit = head_in,
                              .out_unit = {256.0 * res_unit},
                              .input = HW_FLOAT_FINAL_NORM,
                              .bits = z->bits[HW_ROUNDED_EMBED],
                              .index = HW_ROUNDED_EMBED,
                              .weight = hw_calibration_square(z->r, HW_FLOAT_FINAL_NORM, 0)};
    if (!hw_quantize_matrix(z, &embed, &q->embed))
        return false;
    q->embed_shift = q->embed.shift;
    if (c->tied) {                                // the same words, another shift
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
    struct hw_source head = {.name = "output",
                             .n_out = c->vocab_size,
                             .n_in = c->dim,
                             .tensor = HW_OUTPUT,
                             .in_unit = head_in,
                             .act_unit = head_in,
                             .out_unit = {wanted},
                             .input = HW_FLOAT_FINAL_NORM,
                             .bits = z->bits[HW_ROUNDED_HEAD],
                             .index = HW_ROUNDED_HEAD,
                             .weight = hw_calibration_square(z->r, HW_FLOAT_FINAL_NORM, 0)};
    q->logit_scale = wanted;
    return hw_quantize_matrix(z, &head, &q->head);
}

// The width of the residual: 20 bits, and more where the outlier of one token makes the step coarse
// for the others. Every addition rounds to a step; `noise` is what these roundings add up to,
// beside the residual's usual size. The default model, 16 to 19 bits: noise of 21, 11, 5.4, 2.7%
// costs 6.5, 1.5, 0.4, 0.1% of perplexity.
enum { RES_BITS = 20 };
#define MOST_NOISE 0.02

static int residual_bits(const struct hw_calibration *r, int wanted, FILE *progress)
{
    int bits = wanted ? wanted : RES_BITS;
    double per_unit = r->residual_inverse * sqrt((1.0 + 2.0 * r->n_layers) / 12.0), noise;
    while ((noise = hw_residual_unit(r, bits) * per_unit) > MOST_NOISE && !wanted &&
           bits < HW_MAX_RES_BITS)
        bits++;
    if (progress)
        fprintf(progress,
                "residual of %d bits: at most %.4g, its roundings are %.2g%% of its usual "
                "size%s\n",
                bits, hw_residual_max(r), 100.0 * noise,
                noise > MOST_NOISE ? ": warning: too coarse, the model suffers" : "");
    return bits;
}

// For each layer: runs the calibration text through it (GPTQ only), then quantizes its matrices.
static bool run(struct hw_quantizer *z)
{
    const struct hw_config *c = z->c;
    struct hw_qmodel *q = z->q;
    double res_unit = hw_residual_unit(z->r, z->o->widths.res_bits);
    q->config = *c;
    q->widths = z->o->widths;
    if (!hw_qmodel_alloc(q, z->err))
        return false;
    if (hw_rope_tables(c, &q->rope) != 0)
        return hw_fail(z->err,
                       "rope: an angle lies on a rounding tie: expected a rope base other "
                       "than %.17g",
                       c->rope_base);
    bool gptq = !z->tuned && !z->o->nearest && !z->o->codebooks;
    if (gptq && (!hw_moments_new(c, &z->moments, z->err) ||
                 !hw_float_begin(z->f, z->text, z->n_text, z->err)))
        return false;
    hw_float_observe(z->f, gptq ? hw_moments_see : NULL, &z->moments);
    for (int l = 0; l < c->n_layers && !z->err->set; l++) {
        hw_moments_clear(&z->moments);
        if (gptq)
            hw_float_layer(z->f, l);
        quantize_layer(z, l, res_unit);
    }
    if (gptq)
        hw_float_end(z->f, false, z->err);
    hw_float_observe(z->f, NULL, NULL);
    if (!z->err->set)
        quantize_ends(z, res_unit);
    hw_moments_free(&z->moments);
    return !z->err->set;
}

// Whether gradients or measurements of the whole model are needed: all of it is in memory then.
static bool learns(const struct hw_quantize_options *o)
{
    return o->tune_steps || o->rom_bits > 0.0 || o->max_loss > 0.0;
}

static bool check_options(const struct hw_quantize_options *o, struct hw_error *err)
{
    int head = o->head_bits ? o->head_bits : o->weight_bits;
    const struct {
        const char *name;
        int value, low, high;
    } range[] = {{"code-bits", o->widths.code_bits, HW_MIN_CODE_BITS, HW_MAX_CODE_BITS},
                 {"act-bits", o->widths.act_bits, HW_MIN_ACT_BITS, HW_MAX_ACT_BITS},
                 {"kv-bits", o->widths.kv_bits, HW_MIN_KV_BITS, HW_MAX_KV_BITS},
                 {"res-bits", o->widths.res_bits ? o->widths.res_bits : RES_BITS, HW_MIN_RES_BITS,
                  HW_MAX_RES_BITS},
                 {"bits", o->weight_bits, HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
                 {"head-bits", head, HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS}};
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (range[i].value < range[i].low || range[i].value > range[i].high)
            return hw_fail(err, "quantize: %s: expected %d..%d, got %d", range[i].name,
                           range[i].low, range[i].high, range[i].value);
    }
    if (o->rom_bits > 0.0 && o->max_loss > 0.0)
        return hw_fail(err, "quantize: expected rom-bits or max-loss, got both");
    if ((o->rom_bits > 0.0 || o->max_loss > 0.0) && (o->codebooks || o->ternary))
        return hw_fail(err,
                       "quantize: codebooks decide every width: expected no rom-bits or max-loss");
    if (o->tune_steps && (o->codebooks || o->ternary))
        return hw_fail(err, "quantize: codebooks were trained: expected no tuning");
    return true;
}

// How much text calibration takes: enough for its widths, and no more than
// 2^34 multiplications where the model is large.
static int calibration_tokens(const struct hw_config *c)
{
    double layer =
        2.0 * c->dim * (c->n_heads + c->n_kv_heads) * c->head_dim + 3.0 * c->dim * c->hidden_dim;
    double n = ldexp(1.0, 34) / (c->n_layers * layer + (double)c->vocab_size * c->dim);
    return n < 256.0 ? 256 : n > 4096.0 ? 4096 : (int)n;
}

static struct hw_rounded *rounded_new(const struct hw_quantizer *z)
{
    struct hw_rounded *rounded = calloc((size_t)hw_rounded_count(z->c), sizeof *rounded);
    if (!rounded)
        hw_fail(z->err, "quantize: out of memory");
    return rounded;
}

static void rounded_free(const struct hw_quantizer *z, struct hw_rounded *rounded)
{
    for (int i = 0; rounded && i < hw_rounded_count(z->c); i++) {
        free(rounded[i].scale);
        free(rounded[i].normalized);
    }
    free(rounded);
}

// --- the choice of planes

static void print_choice(const struct hw_quantizer *z, const struct hw_budget *b)
{
    char name[64];
    for (int i = 0; z->o->progress && i < hw_rounded_count(z->c); i++) {
        if (!b->rounded[0][i].n_out)
            continue;
        matrix_name(i, name, sizeof name);
        fprintf(z->o->progress, "%-28s loses", name);
        for (int k = 0; k < b->n_widths; k++)
            fprintf(z->o->progress, " %.5f%s", b->loss[i * HW_MAX_WIDTHS + k],
                    k + 1 == b->planes[i] ? "*" : "");
        fprintf(z->o->progress, " at 1..%d planes\n", b->n_widths);
    }
    if (z->o->progress)
        fprintf(z->o->progress,
                "as chosen (*), all together: KL divergence %.5f, perplexity "
                "%+.2f%% by the weights\n",
                b->together, 100.0 * (hw_exp(b->together) - 1.0));
}

// Rounds everything at every width, and sets z->bits to what is chosen of it.
static bool choose_bits(struct hw_quantizer *z)
{
    int n = hw_rounded_count(z->c);
    struct hw_budget b = {.c = z->c, .code_bits = z->o->widths.code_bits};
    b.n_widths = 8 / b.code_bits;
    b.loss = calloc((size_t)n * HW_MAX_WIDTHS, sizeof *b.loss);
    b.planes = calloc((size_t)n, sizeof *b.planes);
    if (!b.loss || !b.planes)
        hw_fail(z->err, "quantize: out of memory");
    for (int k = 0; k < b.n_widths && !z->err->set; k++) {
        for (int i = 0; i < n; i++)
            z->bits[i] = (k + 1) * b.code_bits;
        z->record = b.rounded[k] = rounded_new(z);
        if (z->record && run(z))
            hw_qmodel_free(z->q);
    }
    z->record = NULL;
    if (!z->err->set &&
        hw_budget_choose(&b, z->f, z->o->rom_bits, z->o->max_loss, z->o->progress, z->err)) {
        for (int i = 0; i < n; i++)
            z->bits[i] = b.planes[i] * b.code_bits;
        print_choice(z, &b);
    }
    for (int k = 0; k < b.n_widths; k++)
        rounded_free(z, b.rounded[k]);
    free(b.loss);
    free(b.planes);
    return !z->err->set;
}

// --- tuning

// The float model becomes the tuned one, whose ranges decide the units anew.
static bool take_tuned(struct hw_quantizer *z, const struct hw_params *tuned, int n)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t size = hw_params_size(z->c, (enum hw_tensor_id)id);
        for (int l = 0; size && l < hw_tensor_layers(z->c, (enum hw_tensor_id)id); l++)
            memcpy(hw_float_edit(z->f, (enum hw_tensor_id)id, l),
                   hw_params_at(tuned, z->c, (enum hw_tensor_id)id, l), size * sizeof(float));
    }
    hw_calibration_free(z->r);
    return hw_calibrate(z->f, z->c, z->o->calib_tokens, n, NULL, z->r, z->err);
}

// Rounds, tunes what was rounded, and rounds again as tuned.
static bool run_tuned(struct hw_quantizer *z, int n)
{
    const struct hw_quantize_options *o = z->o;
    struct hw_params tuned = {{0}};
    struct hw_rounded *rounded = rounded_new(z);
    z->record = rounded;
    if (rounded && run(z) &&
        hw_tune(z->f, z->c, o->tune_steps, o->calib_tokens, o->n_calib_tokens, rounded, &tuned,
                o->progress, z->err) &&
        take_tuned(z, &tuned, n)) {
        hw_qmodel_free(z->q);
        z->record = NULL;
        z->tuned = rounded;
        z->progress = NULL;
        run(z);
    }
    hw_params_free(&tuned);
    rounded_free(z, rounded);
    return !z->err->set;
}

static void add_to(double *weights, double *bits, const struct hw_qmatrix *m, int code_bits)
{
    *weights += (double)m->n_out * m->n_in;
    *bits += hw_matrix_rom_bits(m->n_out, m->n_in, m->n_planes, code_bits);
}

double hw_rom_bits(const struct hw_qmodel *q, double *weights)
{
    int code_bits = q->widths.code_bits;
    double bits = hw_other_rom_bits(&q->config);
    *weights = 0.0;
    add_to(weights, &bits, &q->embed, code_bits);
    if (!q->config.tied)
        add_to(weights, &bits, &q->head, code_bits);
    for (int l = 0; l < q->config.n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES; i++)
            add_to(weights, &bits, &q->layers[l].matrix[i], code_bits);
    }
    return bits;
}

static bool run_all(struct hw_quantizer *z, int n)
{
    const struct hw_quantize_options *o = z->o;
    int head_bits = o->head_bits ? o->head_bits : o->ternary ? 8 : o->weight_bits;
    for (int i = 0; i < hw_rounded_count(z->c); i++)
        z->bits[i] = i < HW_ROUNDED_LAYERS ? head_bits : o->weight_bits;
    if ((o->rom_bits > 0.0 || o->max_loss > 0.0) && !choose_bits(z))
        return false;
    z->progress = o->progress;
    if (!(o->tune_steps ? run_tuned(z, n) : run(z)))
        return false;
    double weights, bits = hw_rom_bits(z->q, &weights);
    if (o->progress)
        fprintf(o->progress,
                "%.0f weights in %.0f ROM bits with scales, levels, gains, rotation, "
                "program: %.3f a weight\n",
                weights, bits, bits / weights);
    return true;
}

static bool check_model(const struct hw_model *model, const struct hw_quantize_options *o,
                        struct hw_error *err)
{
    if (o->ternary && !hw_model_is_ternary(model))
        return hw_fail(err,
                       "quantize: expected every matrix of the layers to be -s, 0 or s in each "
                       "row, as in a natively ternary checkpoint");
    const struct hw_config *c = hw_model_config(model);
    if (learns(o) && c->sub_norm)
        return hw_fail(err, "quantize: a model with norms before wo and down cannot be tuned: "
                            "expected no tune, rom-bits or max-loss");
    return true;
}

// Whether weights stay in the checkpoint and codes go to the disk: where memory would show it, and
// no gradient is wanted.
static bool streams(const struct hw_config *c, const struct hw_quantize_options *o)
{
    return !learns(o) && hw_params_bytes(c) > (o->stream ? 0.0 : MOST_IN_MEMORY);
}

static bool quantize(struct hw_quantizer *z, struct hw_quantize_options *o)
{
    if (!hw_calibrate(z->f, z->c, o->calib_tokens, z->n_text, z->text, z->r, z->err))
        return false;
    o->widths.res_bits = residual_bits(z->r, o->widths.res_bits, o->progress);
    struct hw_quantize_options narrow = *o; // most weights will have one plane
    if (o->rom_bits > 0.0 || o->max_loss > 0.0)
        narrow.weight_bits = o->widths.code_bits;
    if (!(o->codebooks || o->ternary || hw_balance(z->f, z->c, &narrow, z->r, z->err)))
        return false;
    return run_all(z, z->n_text) && (!z->spill || hw_spill_finish(z->spill, z->q, z->err));
}

bool hw_quantize(const struct hw_model *model, const struct hw_quantize_options *options,
                 struct hw_qmodel *q, struct hw_error *err)
{
    const struct hw_config *c = hw_model_config(model);
    struct hw_quantize_options chosen = *options, *o = &chosen;
    struct hw_calibration ranges = {0};
    memset(q, 0, sizeof *q);
    if (!check_options(o, err) || !check_model(model, o, err))
        return false;
    int n = calibration_tokens(c);
    n = o->calib_tokens && o->n_calib_tokens < n ? o->n_calib_tokens : n;
    bool stream = streams(c, o);
    struct hw_quantizer z = {.o = o,
                             .c = c,
                             .how = hw_model_evaluation(model),
                             .r = &ranges,
                             .n_text = n,
                             .q = q,
                             .err = err};
    z.f = stream ? hw_float_stream(model, n, err) : hw_float_new(model, err);
    z.spill = z.f && stream ? hw_spill_new(o->output, err) : NULL;
    z.text = calloc(n > 0 ? (size_t)n : 1, sizeof *z.text);
    z.bits = calloc((size_t)hw_rounded_count(c), sizeof *z.bits);
    if (!z.text || !z.bits)
        hw_fail(err, "quantize: out of memory");
    if (!err->set && hw_model_sound(model, err) && quantize(&z, o))
        hw_model_sound(model, err);
    free(z.text);
    free(z.bits);
    hw_spill_free(z.spill);
    hw_moments_free(&z.moments);
    hw_calibration_free(&ranges);
    hw_float_free(z.f);
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}
