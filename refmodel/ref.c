// SPDX-License-Identifier: Apache-2.0
// Owns the forward pass of the integer machine, one token a call: the steps of arch.h in order.
// It knows nothing of rows, columns, programs or cycles.
#include "refmodel/ref.h"

#include <stdlib.h>
#include <string.h>

#include "refmodel/fixed.h"
#include "refmodel/ops.h"

const char *const hw_tap_name[HW_N_TAPS] = {
    "embed",   "attn_norm",     "k",        "q",        "v",      "score",
    "attn",    "attn_sub_norm", "attn_res", "ffn_norm", "hidden", "ffn_sub_norm",
    "ffn_res", "final_norm",    "logits",
};

struct hw_ref {
    const struct hw_qmodel *q;
    hw_tap_fn *tap;
    void *tap_user;
    int16_t *key, *value; // [n_layers][seq_len][n_kv_heads * head_dim]
    int32_t *x;           // [dim] residual
    int32_t *act;         // [widest] normed activations
    int32_t *query;       // [n_heads * head_dim]
    int32_t *row;         // [widest matvec output]
    int32_t *score;       // [seq_len]
    int32_t *attn;        // [n_heads * head_dim]
    int32_t *hidden;      // [hidden_dim]
    int32_t *cos, *sin;   // [head_dim / 2]
    int64_t *acc;         // [widest matvec output]
    int32_t *logits;      // [vocab_size]
};

#define MATRIX_OPERAND(member, name, rows, columns, tensor, tap, to, from) HW_TAP_##tap,
static const enum hw_tap matrix_operand[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_OPERAND)};

// Where the rows of a matrix go, and what a matrix or a norm reads: the normed residual (X), what
// attention made (A), what SwiGLU made (H).
enum destination { TO_K, TO_Q, TO_V, TO_ADD, TO_HIDDEN };
enum source { FROM_X, FROM_A, FROM_H, FROM_NONE };
#define MATRIX_TO(member, name, rows, columns, tensor, tap, to, from) TO_##to,
#define MATRIX_FROM(member, name, rows, columns, tensor, tap, to, from) FROM_##from,
#define NORM_FROM(member, name, elements, where, tensor, from) FROM_##from,
static const enum destination matrix_to[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_TO)};
static const enum source matrix_from[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_FROM)};
static const enum source norm_from[HW_N_NORMS] = {HW_LAYER_NORMS(NORM_FROM)};
static const enum hw_tap norm_tap[HW_N_NORMS] = {[HW_NORM_attn_norm] = HW_TAP_ATTN_NORM,
                                                 [HW_NORM_ffn_norm] = HW_TAP_FFN_NORM,
                                                 [HW_NORM_attn_sub_norm] = HW_TAP_ATTN_SUB_NORM,
                                                 [HW_NORM_ffn_sub_norm] = HW_TAP_FFN_SUB_NORM};

enum hw_tap hw_ref_operand(const struct hw_config *c, enum hw_matrix_id matrix)
{
    enum hw_tap operand = matrix_operand[matrix];
    if (c->sub_norm && operand == HW_TAP_ATTN)
        return HW_TAP_ATTN_SUB_NORM;
    if (c->sub_norm && operand == HW_TAP_HIDDEN)
        return HW_TAP_FFN_SUB_NORM;
    return operand;
}

static int widest_output(const struct hw_config *c)
{
    int n = 2 * c->hidden_dim > c->vocab_size ? 2 * c->hidden_dim : c->vocab_size;
    int attn = c->n_heads * c->head_dim;
    n = n > attn ? n : attn;
    return n > c->dim ? n : c->dim;
}

struct hw_ref *hw_ref_new(const struct hw_qmodel *q)
{
    const struct hw_config *c = &q->config;
    size_t dim = (size_t)c->dim, attn = (size_t)c->n_heads * (size_t)c->head_dim;
    size_t half = (size_t)c->head_dim / 2, widest = (size_t)widest_output(c);
    size_t cache =
        (size_t)c->n_layers * (size_t)c->seq_len * (size_t)c->n_kv_heads * (size_t)c->head_dim;
    struct hw_ref *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->q = q;
    r->key = calloc(cache, sizeof *r->key);
    r->value = calloc(cache, sizeof *r->value);
    r->x = calloc(dim, sizeof *r->x);
    r->act = calloc(widest, sizeof *r->act);
    r->query = calloc(attn, sizeof *r->query);
    r->row = calloc(widest, sizeof *r->row);
    r->score = calloc((size_t)c->seq_len, sizeof *r->score);
    r->attn = calloc(attn, sizeof *r->attn);
    r->hidden = calloc((size_t)c->hidden_dim, sizeof *r->hidden);
    r->cos = calloc(half, sizeof *r->cos);
    r->sin = calloc(half, sizeof *r->sin);
    r->acc = calloc(widest, sizeof *r->acc);
    r->logits = calloc((size_t)c->vocab_size, sizeof *r->logits);
    if (r->key && r->value && r->x && r->act && r->query && r->row && r->score && r->attn &&
        r->hidden && r->cos && r->sin && r->acc && r->logits)
        return r;
    hw_ref_free(r);
    return NULL;
}

void hw_ref_free(struct hw_ref *r)
{
    if (!r)
        return;
    void *part[] = {r->key,  r->value,  r->x,   r->act, r->query, r->row,   r->score,
                    r->attn, r->hidden, r->cos, r->sin, r->acc,   r->logits};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(r);
}

void hw_ref_tap(struct hw_ref *ref, hw_tap_fn *fn, void *user)
{
    ref->tap = fn;
    ref->tap_user = user;
}

static void tap(const struct hw_ref *r, enum hw_tap t, int layer, int head, const int32_t *v, int n)
{
    if (r->tap)
        r->tap(r->tap_user, t, layer, head, v, n);
}

// row[i] = requantized matvec, every row to the same width.
static void linear(struct hw_ref *r, const struct hw_qmatrix *m, const int32_t *in, int bits,
                   int32_t *out)
{
    hw_matvec(m, in, r->acc);
    for (int i = 0; i < m->n_out; i++)
        out[i] = (int32_t)hw_requant(r->acc[i], m->scale[i], m->shift, bits);
}

static void embed(struct hw_ref *r, int token)
{
    const struct hw_qmatrix *e = &r->q->embed;
    int dim = r->q->config.dim;
    for (int c = 0; c < dim; c++) {
        int64_t w = e->weight[(size_t)token * (size_t)dim + (size_t)c];
        r->x[c] =
            (int32_t)hw_requant(w * 256, e->scale[token], r->q->embed_shift, r->q->widths.res_bits);
    }
    tap(r, HW_TAP_EMBED, 0, 0, r->x, dim);
}

static void narrow(int16_t *to, const int32_t *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (int16_t)from[i];
}

static int width_made(const struct hw_ref *r) // of what attention and SwiGLU make
{
    return r->q->config.sub_norm ? r->q->widths.res_bits : r->q->widths.act_bits;
}

// What attention or SwiGLU made, or what its norm made of it.
static const int32_t *operand(const struct hw_ref *r, enum source from)
{
    if (from == FROM_X || r->q->config.sub_norm)
        return r->act;
    return from == FROM_A ? r->attn : r->hidden;
}

static void norm(struct hw_ref *r, int l, enum hw_norm_id id)
{
    const int32_t *const read[] = {[FROM_X] = r->x, [FROM_A] = r->attn, [FROM_H] = r->hidden};
    assert(norm_from[id] != FROM_NONE);
    int n = hw_length(&r->q->config, hw_norm_row[id].n);
    hw_rmsnorm(&r->q->layers[l].norm[id], read[norm_from[id]], n, r->q->widths.act_bits, r->act);
    tap(r, norm_tap[id], l, 0, r->act, n);
}

// Positions of layer l at `pos`: `seen` of them, this one's place in the cache of all layers.
struct place {
    size_t layer, here; // first elements, of the layer and of this position
    int seen;
};

static struct place place_at(const struct hw_ref *r, int l, int pos)
{
    const struct hw_config *c = &r->q->config;
    size_t kv_dim = (size_t)c->n_kv_heads * (size_t)c->head_dim;
    size_t layer = (size_t)l * (size_t)c->seq_len * kv_dim;
    int kept = hw_positions_kept(c, l);
    return (struct place){layer, layer + (size_t)(pos % kept) * kv_dim,
                          pos < kept ? pos + 1 : kept};
}

// Rows of K or Q: biased, normed by head and rotated to `bits`, where the family does so.
static void rotated(struct hw_ref *r, const struct hw_qmatrix *m, const int16_t *bias,
                    const struct hw_qnorm *heads, int bits, int32_t *row)
{
    const struct hw_config *c = &r->q->config;
    linear(r, m, r->act, HW_ROW_BITS, row);
    hw_add_bias(row, bias, m->n_out, HW_PRE_BITS);
    if (c->qk_norm)
        hw_norm_heads(heads, row, m->n_out, c->head_dim);
    hw_rope_rotate(row, m->n_out, c->head_dim / 2, r->cos, r->sin,
                   HW_TRIG_BITS + HW_PRE_BITS - 1 - bits, bits);
}

static void attend(struct hw_ref *r, int l, const struct place *at)
{
    const struct hw_config *c = &r->q->config;
    int kv_dim = c->n_kv_heads * c->head_dim, group = c->n_heads / c->n_kv_heads;
    for (int h = 0; h < c->n_heads; h++) {
        size_t kv = at->layer + (size_t)(h / group) * (size_t)c->head_dim;
        hw_attention(r->query + h * c->head_dim, r->key + kv, r->value + kv, kv_dim, at->seen,
                     c->head_dim, &r->q->layers[l], width_made(r), r->score,
                     r->attn + h * c->head_dim);
        tap(r, HW_TAP_SCORE, l, h, r->score, at->seen);
    }
    tap(r, HW_TAP_ATTN, l, 0, r->attn, c->n_heads * c->head_dim);
}

static void add_residual(struct hw_ref *r, int l, enum hw_matrix_id id)
{
    const struct hw_qmatrix *m = &r->q->layers[l].matrix[id];
    linear(r, m, operand(r, matrix_from[id]), HW_ROW_BITS, r->row);
    for (int i = 0; i < m->n_out; i++)
        r->x[i] = (int32_t)hw_saturate((int64_t)r->x[i] + r->row[i], r->q->widths.res_bits);
    tap(r, matrix_from[id] == FROM_A ? HW_TAP_ATTN_RES : HW_TAP_FFN_RES, l, 0, r->x, m->n_out);
}

static void gate(struct hw_ref *r, int l, const struct hw_qmatrix *m)
{
    int n = m->n_out / 2;
    hw_matvec(m, r->act, r->acc);
    for (int i = 0; i < n; i++) {
        int64_t gate = hw_requant(r->acc[2 * i], m->scale[2 * i], m->shift, HW_GATE_BITS);
        int64_t up = hw_requant(r->acc[2 * i + 1], m->scale[2 * i + 1], m->shift, HW_PRE_BITS);
        r->hidden[i] =
            hw_swiglu((int32_t)gate, (int32_t)up, r->q->layers[l].hidden_shift, width_made(r));
    }
    tap(r, HW_TAP_HIDDEN, l, 0, r->hidden, n);
}

// A matrix and what its rows go through. Attention follows V, the last of the three.
static void matrix(struct hw_ref *r, int l, enum hw_matrix_id id, int pos)
{
    const struct hw_qlayer *layer = &r->q->layers[l];
    const struct hw_qmatrix *m = &layer->matrix[id];
    struct place at = place_at(r, l, pos);
    int kv_bits = r->q->widths.kv_bits;
    switch (matrix_to[id]) {
    case TO_K:
        rotated(r, m, layer->bk, &layer->k_norm, kv_bits, r->row);
        tap(r, HW_TAP_K, l, 0, r->row, m->n_out);
        narrow(r->key + at.here, r->row, m->n_out);
        break;
    case TO_Q:
        rotated(r, m, layer->bq, &layer->q_norm, HW_Q_BITS, r->query);
        tap(r, HW_TAP_Q, l, 0, r->query, m->n_out);
        break;
    case TO_V:
        linear(r, m, r->act, HW_ROW_BITS, r->row);
        hw_add_bias(r->row, layer->bv, m->n_out, kv_bits);
        tap(r, HW_TAP_V, l, 0, r->row, m->n_out);
        narrow(r->value + at.here, r->row, m->n_out);
        attend(r, l, &at);
        break;
    case TO_ADD:
        add_residual(r, l, id);
        break;
    case TO_HIDDEN:
        gate(r, l, m);
        break;
    }
}

static void run_layer(struct hw_ref *r, int l, int pos)
{
    for (int i = 0; i < HW_N_STEPS; i++) {
        const struct hw_step *step = &hw_step[i];
        if (!hw_step_exists(&r->q->config, step))
            continue;
        if (step->kind == HW_STEP_NORM)
            norm(r, l, (enum hw_norm_id)step->id);
        else if (step->kind == HW_STEP_MATRIX) // norms of heads and attention with their rows
            matrix(r, l, (enum hw_matrix_id)step->id, pos);
    }
}

void hw_ref_layer(struct hw_ref *r, int layer, const int32_t *x, int pos)
{
    const struct hw_config *c = &r->q->config;
    assert(layer >= 0 && layer < c->n_layers && pos >= 0 && pos < c->seq_len);
    memcpy(r->x, x, (size_t)c->dim * sizeof *x);
    hw_rope_angles(&r->q->rope, c->head_dim / 2, pos, r->cos, r->sin);
    run_layer(r, layer, pos);
}

const int32_t *hw_ref_forward(struct hw_ref *r, int token, int pos, int want_logits)
{
    const struct hw_config *c = &r->q->config;
    assert(token >= 0 && token < c->vocab_size && pos >= 0 && pos < c->seq_len);
    embed(r, token);
    hw_rope_angles(&r->q->rope, c->head_dim / 2, pos, r->cos, r->sin);
    for (int l = 0; l < c->n_layers; l++)
        run_layer(r, l, pos);
    if (!want_logits)
        return NULL;
    hw_rmsnorm(&r->q->final_norm, r->x, c->dim, r->q->widths.act_bits, r->act);
    tap(r, HW_TAP_FINAL_NORM, 0, 0, r->act, c->dim);
    linear(r, hw_classifier(r->q), r->act, HW_ROW_BITS, r->logits);
    tap(r, HW_TAP_LOGITS, 0, 0, r->logits, c->vocab_size);
    return r->logits;
}

int hw_ref_argmax(const int32_t *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}
