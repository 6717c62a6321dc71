// SPDX-License-Identifier: Apache-2.0
// Owns the forward pass of the integer machine: the order of the Llama paper, one token a call.
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

// The same with a bias, NULL: none, added before the row is cut to `bits`.
static void linear_biased(struct hw_ref *r, const struct hw_qmatrix *m, const int16_t *bias,
                          const int32_t *in, int bits, int32_t *out)
{
    linear(r, m, in, HW_ROW_BITS, out);
    hw_add_bias(out, bias, m->n_out, bits);
}

static void add_residual(struct hw_ref *r, const struct hw_qmatrix *m, const int32_t *in)
{
    linear(r, m, in, HW_ROW_BITS, r->row);
    for (int i = 0; i < r->q->config.dim; i++)
        r->x[i] = (int32_t)hw_saturate((int64_t)r->x[i] + r->row[i], r->q->widths.res_bits);
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

static void attention(struct hw_ref *r, int l, int pos)
{
    const struct hw_config *c = &r->q->config;
    const struct hw_qlayer *layer = &r->q->layers[l];
    const struct hw_widths *w = &r->q->widths;
    int kv_dim = c->n_kv_heads * c->head_dim, q_dim = c->n_heads * c->head_dim;
    int half = c->head_dim / 2, group = c->n_heads / c->n_kv_heads;
    size_t cache = (size_t)l * (size_t)c->seq_len * (size_t)kv_dim;
    int kept = hw_positions_kept(c, l), seen = pos < kept ? pos + 1 : kept;
    size_t here = cache + (size_t)(pos % kept) * (size_t)kv_dim;

    hw_rmsnorm(&layer->attn_norm, r->x, c->dim, w->act_bits, r->act);
    tap(r, HW_TAP_ATTN_NORM, l, 0, r->act, c->dim);

    linear_biased(r, &layer->wk, layer->bk, r->act, HW_PRE_BITS, r->row);
    if (c->qk_norm)
        hw_norm_heads(&layer->k_norm, r->row, kv_dim, c->head_dim);
    hw_rope_rotate(r->row, kv_dim, half, r->cos, r->sin,
                   HW_TRIG_BITS + HW_PRE_BITS - 1 - w->kv_bits, w->kv_bits);
    tap(r, HW_TAP_K, l, 0, r->row, kv_dim);
    narrow(r->key + here, r->row, kv_dim);

    linear_biased(r, &layer->wq, layer->bq, r->act, HW_PRE_BITS, r->query);
    if (c->qk_norm)
        hw_norm_heads(&layer->q_norm, r->query, q_dim, c->head_dim);
    hw_rope_rotate(r->query, q_dim, half, r->cos, r->sin,
                   HW_TRIG_BITS + HW_PRE_BITS - 1 - HW_Q_BITS, HW_Q_BITS);
    tap(r, HW_TAP_Q, l, 0, r->query, q_dim);

    linear_biased(r, &layer->wv, layer->bv, r->act, w->kv_bits, r->row);
    tap(r, HW_TAP_V, l, 0, r->row, kv_dim);
    narrow(r->value + here, r->row, kv_dim);

    for (int h = 0; h < c->n_heads; h++) {
        size_t kv = cache + (size_t)(h / group) * (size_t)c->head_dim;
        hw_attention(r->query + h * c->head_dim, r->key + kv, r->value + kv, kv_dim, seen,
                     c->head_dim, layer, c->sub_norm ? w->res_bits : w->act_bits, r->score,
                     r->attn + h * c->head_dim);
        tap(r, HW_TAP_SCORE, l, h, r->score, seen);
    }
    tap(r, HW_TAP_ATTN, l, 0, r->attn, q_dim);
    const int32_t *out = r->attn;
    if (c->sub_norm) {
        hw_rmsnorm(&layer->attn_sub_norm, r->attn, q_dim, w->act_bits, r->act);
        tap(r, HW_TAP_ATTN_SUB_NORM, l, 0, r->act, q_dim);
        out = r->act;
    }
    add_residual(r, &layer->wo, out);
    tap(r, HW_TAP_ATTN_RES, l, 0, r->x, c->dim);
}

static void feed_forward(struct hw_ref *r, int l)
{
    const struct hw_config *c = &r->q->config;
    const struct hw_qlayer *layer = &r->q->layers[l];
    const struct hw_widths *w = &r->q->widths;
    const struct hw_qmatrix *gu = &layer->gate_up;

    hw_rmsnorm(&layer->ffn_norm, r->x, c->dim, w->act_bits, r->act);
    tap(r, HW_TAP_FFN_NORM, l, 0, r->act, c->dim);

    hw_matvec(gu, r->act, r->acc);
    for (int i = 0; i < c->hidden_dim; i++) {
        int64_t gate = hw_requant(r->acc[2 * i], gu->scale[2 * i], gu->shift, HW_GATE_BITS);
        int64_t up = hw_requant(r->acc[2 * i + 1], gu->scale[2 * i + 1], gu->shift, HW_PRE_BITS);
        r->hidden[i] = hw_swiglu((int32_t)gate, (int32_t)up, layer->hidden_shift,
                                 c->sub_norm ? w->res_bits : w->act_bits);
    }
    tap(r, HW_TAP_HIDDEN, l, 0, r->hidden, c->hidden_dim);
    const int32_t *out = r->hidden;
    if (c->sub_norm) {
        hw_rmsnorm(&layer->ffn_sub_norm, r->hidden, c->hidden_dim, w->act_bits, r->act);
        tap(r, HW_TAP_FFN_SUB_NORM, l, 0, r->act, c->hidden_dim);
        out = r->act;
    }
    add_residual(r, &layer->down, out);
    tap(r, HW_TAP_FFN_RES, l, 0, r->x, c->dim);
}

void hw_ref_layer(struct hw_ref *r, int layer, const int32_t *x, int pos)
{
    const struct hw_config *c = &r->q->config;
    assert(layer >= 0 && layer < c->n_layers && pos >= 0 && pos < c->seq_len);
    memcpy(r->x, x, (size_t)c->dim * sizeof *x);
    hw_rope_angles(&r->q->rope, c->head_dim / 2, pos, r->cos, r->sin);
    attention(r, layer, pos);
    feed_forward(r, layer);
}

const int32_t *hw_ref_forward(struct hw_ref *r, int token, int pos, int want_logits)
{
    const struct hw_config *c = &r->q->config;
    assert(token >= 0 && token < c->vocab_size && pos >= 0 && pos < c->seq_len);
    embed(r, token);
    hw_rope_angles(&r->q->rope, c->head_dim / 2, pos, r->cos, r->sin);
    for (int l = 0; l < c->n_layers; l++) {
        attention(r, l, pos);
        feed_forward(r, l);
    }
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
