// SPDX-License-Identifier: Apache-2.0
#include "sim/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/lcg.h"
#include "refmodel/fixed.h"
#include "refmodel/ops.h"

struct hw_slice_output {
    int step, tap, layer, head, first, n;
    bool region; // tap is a region: RECV's own copy
    int32_t *value;
};

enum slice_kind { LAYER, MATRIX, RMSNORM, ATTENTION, SWIGLU, ARGMAX };

struct slice {
    enum slice_kind kind;
    int layer;
    const struct hw_qmatrix *m;
    enum hw_tap operand; // the tap a matrix reads
    enum hw_region region;
    int first, last; // rows of a matrix
};

// What a step computes in; widest: the longest vector of the model.
struct scratch {
    int64_t *acc;           // [widest] sums of a matrix
    int32_t *row, *result;  // [widest]
    int32_t *query, *score; // [n_heads * head_dim], [seq_len]
    int32_t *cos, *sin;     // [head_dim / 2]
};

struct builder {
    const struct hw_qmodel *q;
    struct slice s;
    struct hw_slice_run *run;
    int vec;
    uint64_t random;
    struct hw_error *err;
    int32_t *tap[HW_N_TAPS]; // of the layer in question, at the current position
    int32_t *residual;       // [dim] what the layer reads
    int16_t *key, *value;    // [n_tokens][kv_dim]
    struct scratch at;       // of the step at hand
    int32_t *operand;        // the RECV stream of one step
    int n_operand;
    int step;
};

// --- names

static bool parse_matrix(struct slice *s, const struct hw_qmodel *q, const char *spec)
{
    char name[64];
    int used = 0;
    if (sscanf(spec, "%63[^:]%n:%d-%d", name, &used, &s->first, &s->last) < 1)
        return false;
    s->kind = MATRIX;
    s->operand = HW_TAP_FINAL_NORM;
    s->region = HW_REGION_X;
    if (strcmp(name, "output") == 0) {
        s->m = hw_classifier(q);
    } else {
        char leaf[64];
        if (sscanf(name, "layers.%d.%63s", &s->layer, leaf) != 2 || s->layer < 0 ||
            s->layer >= q->config.n_layers || hw_matrix_find(leaf) == HW_N_MATRICES)
            return false;
        enum hw_matrix_id id = hw_matrix_find(leaf);
        s->m = &q->layers[s->layer].matrix[id];
        s->operand = hw_ref_operand(&q->config, id);
        s->region = hw_matrix_region(id);
    }
    if (spec[used] == '\0') {
        s->first = 0;
        s->last = s->m->n_out;
    }
    return s->first >= 0 && s->first < s->last && s->last <= s->m->n_out;
}

static bool parse(struct slice *s, const struct hw_qmodel *q, const char *name)
{
    static const char *const ops[] = {"rmsnorm", "attention", "swiglu", "argmax"};
    char op[16];
    memset(s, 0, sizeof *s);
    if (strncmp(name, "matrix:", 7) == 0)
        return parse_matrix(s, q, name + 7);
    if (sscanf(name, "layer:%d", &s->layer) == 1)
        return s->layer >= 0 && s->layer < q->config.n_layers;
    if (sscanf(name, "op:%15[^:]:%d", op, &s->layer) < 1 || s->layer < 0 ||
        s->layer >= q->config.n_layers)
        return false;
    for (int i = 0; i < 4; i++) {
        if (strcmp(op, ops[i]) == 0) {
            s->kind = (enum slice_kind)(RMSNORM + i);
            return true;
        }
    }
    return false;
}

// --- operands

static void *allocate(struct builder *b, size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        hw_fail(b->err, "slice: out of memory");
    return p;
}

// Signed numbers of `bits` bits: one in four is an edge, one in four small, the rest anything.
static int32_t biased(struct builder *b, int bits)
{
    uint32_t r = (uint32_t)(hw_lcg_next(&b->random) >> 33);
    int32_t top = (int32_t)(UINT32_C(1) << (bits - 1)) - 1;
    const int32_t edge[] = {top, -top - 1, 0, 1, -1, top - 1, -top, top / 2 + 1};
    switch (r & 3) {
    case 0:
        return edge[r >> 2 & 7];
    case 1:
        return (int32_t)(r >> 2) % 17 - 8;
    default:
        return (int32_t)((r >> 2) & (2 * (uint32_t)top + 1)) - top - 1;
    }
}

static void append(struct builder *b, const int32_t *v, int n)
{
    for (int i = 0; i < n; i++)
        b->operand[b->n_operand++] = v[i];
    while (b->n_operand % b->vec)
        b->operand[b->n_operand++] = (1 << 23) - 1; // nobody may look at it
}

// One step in four is one number throughout, and the first one the lowest of all: what only many
// extremes together reach.
static void random_vector(struct builder *b, int32_t *v, int n, int bits)
{
    int32_t same = b->step == 0 ? -(int32_t)(UINT32_C(1) << (bits - 1)) : biased(b, bits);
    for (int i = 0; i < n; i++)
        v[i] = b->step % 4 == 0 ? same : biased(b, bits);
}

static void append_random(struct builder *b, int32_t *v, int n, int bits)
{
    random_vector(b, v, n, bits);
    append(b, v, n);
}

// Rows of HW_ROW_BITS go in, and are saturated to `bits` by the design as by the reference.
static void append_rows(struct builder *b, int32_t *v, int n, int bits)
{
    random_vector(b, v, n, b->step % 2 ? HW_ROW_BITS : bits);
    append(b, v, n);
    for (int i = 0; i < n; i++)
        v[i] = (int32_t)hw_saturate(v[i], bits);
}

static void output(struct builder *b, bool region, int tap, int head, int first, const int32_t *v,
                   int n)
{
    struct hw_slice_run *run = b->run;
    if (run->n_outputs == run->room) {
        run->room = 2 * run->room + 64;
        struct hw_slice_output *more = realloc(run->output, (size_t)run->room * sizeof *more);
        if (!more) {
            run->room = run->n_outputs;
            hw_fail(b->err, "slice: out of memory");
            return;
        }
        run->output = more;
    }
    int32_t *copy = allocate(b, (size_t)n, sizeof *copy);
    if (!copy)
        return;
    memcpy(copy, v, (size_t)n * sizeof *v);
    run->output[run->n_outputs++] =
        (struct hw_slice_output){b->step, tap, b->s.layer, head, first, n, region, copy};
}

// --- one step of each kind

static void step_matrix(struct builder *b, bool random)
{
    const struct hw_qmatrix *m = b->s.m;
    int32_t *x = b->tap[b->s.operand], *row = b->at.row;
    if (random)
        append_random(b, x, m->n_in, b->q->widths.act_bits);
    else
        append(b, x, m->n_in);
    output(b, true, (int)b->s.region, 0, 0, x, m->n_in);
    hw_matvec(m, x, b->at.acc);
    for (int r = b->s.first; r < b->s.last; r++)
        row[r] = (int32_t)hw_requant(b->at.acc[r], m->scale[r], m->shift, HW_ROW_BITS);
    output(b, false, HW_TAP_ROWS, 0, b->s.first, row + b->s.first, b->s.last - b->s.first);
    b->run->best[b->step] = hw_ref_argmax(row + b->s.first, b->s.last - b->s.first);
}

static void step_rmsnorm(struct builder *b, bool random)
{
    const struct hw_qmodel *q = b->q;
    int dim = q->config.dim;
    if (random)
        append_random(b, b->residual, dim, q->widths.res_bits);
    else
        append(b, b->residual, dim);
    output(b, false, HW_TAP_EMBED, 0, 0, b->residual, dim);
    hw_rmsnorm(&q->layers[b->s.layer].attn_norm, b->residual, dim, q->widths.act_bits,
               b->at.result);
    output(b, false, HW_TAP_ATTN_NORM, 0, 0, b->at.result, dim);
}

// Queries, keys or values of a step.
struct projection {
    const struct hw_qmatrix *m;
    const int16_t *bias;
    const struct hw_qnorm *norm; // of each head, or NULL
    int bits, rotated;           // rotated: width after rotation, 0: none
    enum hw_tap tap;
};

// Rows of a matrix of the layer on the captured activations, as the rotation gets them.
static void project(const struct builder *b, const struct projection *p)
{
    hw_matvec(p->m, b->tap[HW_TAP_ATTN_NORM], b->at.acc);
    for (int r = 0; r < p->m->n_out; r++)
        b->at.row[r] = (int32_t)hw_requant(b->at.acc[r], p->m->scale[r], p->m->shift, HW_ROW_BITS);
    hw_add_bias(b->at.row, p->bias, p->m->n_out, p->bits);
}

// Sends the rows of a projection; at.row becomes what the design makes of them.
static void step_projection(struct builder *b, bool random, const struct projection *p)
{
    const struct hw_config *c = &b->q->config;
    int half = c->head_dim / 2, n = p->m->n_out;
    int32_t *row = b->at.row;
    if (random)
        append_rows(b, row, n, p->bits);
    else {
        project(b, p);
        append(b, row, n);
    }
    if (c->qk_norm && p->norm)
        hw_norm_heads(p->norm, row, n, c->head_dim);
    if (p->rotated)
        hw_rope_rotate(row, n, half, b->at.cos, b->at.sin,
                       HW_TRIG_BITS + HW_PRE_BITS - 1 - p->rotated, p->rotated);
    output(b, false, (int)p->tap, 0, 0, row, n);
}

static void store(const int32_t *row, int n, int16_t *cache)
{
    for (int i = 0; i < n; i++)
        cache[i] = (int16_t)row[i];
}

static void attend(struct builder *b, int seen)
{
    const struct hw_config *c = &b->q->config;
    const struct hw_widths *w = &b->q->widths;
    int kv_dim = c->n_kv_heads * c->head_dim, group = c->n_heads / c->n_kv_heads;
    for (int h = 0; h < c->n_heads; h++) {
        int from = h / group * c->head_dim;
        hw_attention(b->at.query + h * c->head_dim, b->key + from, b->value + from, kv_dim, seen,
                     c->head_dim, &b->q->layers[b->s.layer],
                     c->sub_norm ? w->res_bits : w->act_bits, b->at.score,
                     b->at.result + h * c->head_dim);
        output(b, false, HW_TAP_SCORE, h, 0, b->at.score, seen);
    }
    output(b, false, HW_TAP_ATTN, 0, 0, b->at.result, c->n_heads * c->head_dim);
}

static void step_attention(struct builder *b, bool random, int pos)
{
    const struct hw_config *c = &b->q->config;
    const struct hw_qlayer *y = &b->q->layers[b->s.layer];
    int kv_bits = b->q->widths.kv_bits, kv_dim = c->n_kv_heads * c->head_dim;
    const struct projection k = {&y->wk, y->bk, &y->k_norm, HW_PRE_BITS, kv_bits, HW_TAP_K},
                            q = {&y->wq, y->bq, &y->q_norm, HW_PRE_BITS, HW_Q_BITS, HW_TAP_Q},
                            v = {&y->wv, y->bv, NULL, kv_bits, 0, HW_TAP_V};
    int kept = hw_positions_kept(c, b->s.layer), seen = pos < kept ? pos + 1 : kept;
    size_t offset = (size_t)(pos % kept) * (size_t)kv_dim;
    hw_rope_angles(&b->q->rope, c->head_dim / 2, pos, b->at.cos, b->at.sin);
    step_projection(b, random, &k);
    store(b->at.row, kv_dim, b->key + offset);
    step_projection(b, random, &q);
    memcpy(b->at.query, b->at.row, (size_t)(c->n_heads * c->head_dim) * sizeof *b->at.query);
    step_projection(b, random, &v);
    store(b->at.row, kv_dim, b->value + offset);
    attend(b, seen);
}

static void step_swiglu(struct builder *b, bool random)
{
    const struct hw_qmodel *q = b->q;
    const struct hw_qlayer *y = &q->layers[b->s.layer];
    const struct hw_qmatrix *m = &y->gate_up;
    int hidden_dim = q->config.hidden_dim;
    int width = q->config.sub_norm ? q->widths.res_bits : q->widths.act_bits;
    int32_t *row = b->at.row, *hidden = b->at.result;
    if (!random)
        hw_matvec(m, b->tap[HW_TAP_FFN_NORM], b->at.acc);
    for (int i = 0; i < 2 * hidden_dim; i++) {
        int bits = i % 2 ? HW_PRE_BITS : HW_GATE_BITS;
        row[i] = random ? biased(b, b->step % 2 ? HW_ROW_BITS : bits)
                        : (int32_t)hw_requant(b->at.acc[i], m->scale[i], m->shift, bits);
    }
    append(b, row, 2 * hidden_dim);
    for (int i = 0; i < 2 * hidden_dim; i++)
        row[i] = (int32_t)hw_saturate(row[i], i % 2 ? HW_PRE_BITS : HW_GATE_BITS);
    for (int i = 0; i < hidden_dim; i++)
        hidden[i] = hw_swiglu(row[2 * i], row[2 * i + 1], y->hidden_shift, width);
    output(b, false, HW_TAP_HIDDEN, 0, 0, hidden, hidden_dim);
}

static void step_argmax(struct builder *b, bool random)
{
    int n = b->q->config.vocab_size;
    int32_t *logits = b->tap[HW_TAP_LOGITS];
    for (int i = 0; random && i < n; i++)
        logits[i] = biased(b, b->step % 2 ? 3 : HW_ROW_BITS); // every other step is full of ties
    append(b, logits, n);
    output(b, false, HW_TAP_LOGITS, 0, 0, logits, n);
    b->run->best[b->step] = hw_ref_argmax(logits, n);
}

// --- the text

// Keeps the taps of the slice's layer, and the residual before it.
static void capture(void *user, enum hw_tap tap, int layer, int head, const int32_t *v, int n)
{
    struct builder *b = user;
    bool before =
        b->s.layer == 0 ? tap == HW_TAP_EMBED : tap == HW_TAP_FFN_RES && layer == b->s.layer - 1;
    (void)head;
    if (before)
        memcpy(b->residual, v, (size_t)n * sizeof *v);
    if (tap != HW_TAP_SCORE &&
        (layer == b->s.layer || tap == HW_TAP_FINAL_NORM || tap == HW_TAP_LOGITS))
        memcpy(b->tap[tap], v, (size_t)n * sizeof *v);
}

static void layer_output(void *user, enum hw_tap tap, int layer, int head, const int32_t *v, int n)
{
    (void)layer;
    output(user, false, (int)tap, head, 0, v, n);
}

static void step_layer(struct builder *b, struct hw_ref *alone, bool random, int pos)
{
    int dim = b->q->config.dim;
    if (random)
        append_random(b, b->residual, dim, b->q->widths.res_bits - 2);
    else
        append(b, b->residual, dim);
    output(b, false, HW_TAP_EMBED, 0, 0, b->residual, dim);
    hw_ref_tap(alone, layer_output, b);
    hw_ref_layer(alone, b->s.layer, b->residual, pos);
}

static int widest(const struct hw_config *c)
{
    int q_dim = c->n_heads * c->head_dim, n = c->vocab_size;
    n = n > 2 * c->hidden_dim ? n : 2 * c->hidden_dim;
    n = n > q_dim ? n : q_dim;
    return n > c->dim ? n : c->dim;
}

static bool scratch_new(struct builder *b)
{
    const struct hw_config *c = &b->q->config;
    size_t wide = (size_t)widest(c), half = (size_t)c->head_dim / 2;
    b->at = (struct scratch){
        .acc = allocate(b, wide, sizeof *b->at.acc),
        .row = allocate(b, wide, sizeof *b->at.row),
        .result = allocate(b, wide, sizeof *b->at.result),
        .query = allocate(b, (size_t)(c->n_heads * c->head_dim), sizeof *b->at.query),
        .score = allocate(b, (size_t)c->seq_len, sizeof *b->at.score),
        .cos = allocate(b, half, sizeof *b->at.cos),
        .sin = allocate(b, half, sizeof *b->at.sin)};
    return !b->err->set;
}

static void scratch_free(struct scratch *s)
{
    free(s->acc);
    free(s->row);
    free(s->result);
    free(s->query);
    free(s->score);
    free(s->cos);
    free(s->sin);
}

static void one_step(struct builder *b, struct hw_ref *alone, bool random, int pos)
{
    switch (b->s.kind) {
    case LAYER:
        step_layer(b, alone, random, pos);
        break;
    case MATRIX:
        step_matrix(b, random);
        break;
    case RMSNORM:
        step_rmsnorm(b, random);
        break;
    case ATTENTION:
        step_attention(b, random, pos);
        break;
    case SWIGLU:
        step_swiglu(b, random);
        break;
    case ARGMAX:
        step_argmax(b, random);
        break;
    }
}

// Steps on random operands read no text, whose forward pass would take longer than all else.
static void all_steps(struct builder *b, const int *tokens, int n_tokens, bool random)
{
    size_t wide = (size_t)widest(&b->q->config);
    struct hw_ref *text = hw_ref_new(b->q), *alone = hw_ref_new(b->q);
    b->operand = allocate(b, 3 * wide + 3 * (size_t)b->vec, sizeof *b->operand);
    if (!text || !alone)
        hw_fail(b->err, "slice: out of memory");
    else if (scratch_new(b))
        hw_ref_tap(text, capture, b);
    for (int t = 0; t < n_tokens && !b->err->set; t++) {
        b->step = t;
        b->n_operand = 0;
        b->run->best[t] = -1;
        b->run->first[t] = b->run->n_outputs;
        if (!random)
            hw_ref_forward(text, tokens[t], t, 1);
        one_step(b, alone, random, t);
        int32_t *words = allocate(b, (size_t)b->n_operand, sizeof *words);
        if (!words)
            break;
        memcpy(words, b->operand, (size_t)b->n_operand * sizeof *words);
        b->run->step[b->run->n_steps++] = (struct dut_step){t, words, b->n_operand / b->vec};
    }
    hw_ref_free(text);
    hw_ref_free(alone);
    scratch_free(&b->at);
    free(b->operand);
}

bool hw_slice_prepare(struct hw_slice_run *run, const struct hw_qmodel *q, const char *name,
                      int vec, const int *tokens, int n_tokens, uint32_t seed, struct hw_error *err)
{
    struct builder b = {.q = q, .run = run, .vec = vec, .random = seed, .err = err};
    size_t wide = (size_t)widest(&q->config);
    size_t cache = (size_t)n_tokens * (size_t)(q->config.n_kv_heads * q->config.head_dim);
    memset(run, 0, sizeof *run);
    if (!parse(&b.s, q, name))
        return hw_fail(err, "slice '%s': not a slice of this model", name);
    run->step = allocate(&b, (size_t)n_tokens, sizeof *run->step);
    run->best = allocate(&b, (size_t)n_tokens, sizeof *run->best);
    run->first = allocate(&b, (size_t)n_tokens, sizeof *run->first);
    b.residual = allocate(&b, wide, sizeof *b.residual);
    b.key = allocate(&b, cache, sizeof *b.key);
    b.value = allocate(&b, cache, sizeof *b.value);
    for (int t = 0; t < HW_N_TAPS; t++)
        b.tap[t] = allocate(&b, wide, sizeof *b.tap[t]);
    if (!err->set)
        all_steps(&b, tokens, n_tokens, seed != 0);
    for (int t = 0; t < HW_N_TAPS; t++)
        free(b.tap[t]);
    free(b.residual);
    free(b.key);
    free(b.value);
    if (err->set)
        hw_slice_free(run);
    return !err->set;
}

void hw_slice_free(struct hw_slice_run *run)
{
    for (int i = 0; i < run->n_steps; i++)
        free(run->step[i].value);
    for (int i = 0; i < run->n_outputs; i++)
        free(run->output[i].value);
    free(run->step);
    free(run->output);
    free(run->best);
    free(run->first);
    memset(run, 0, sizeof *run);
}

void hw_slice_expect(const struct hw_slice_run *run, int step, struct hw_monitor *m)
{
    for (int i = run->first[step]; i < run->n_outputs && run->output[i].step == step; i++) {
        const struct hw_slice_output *o = &run->output[i];
        if (o->region)
            hw_monitor_expect_region(m, (enum hw_region)o->tap, o->value, o->n);
        else
            hw_monitor_expect(m, o->tap, o->layer, o->head, o->first, o->value, o->n);
    }
}
