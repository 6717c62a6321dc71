// SPDX-License-Identifier: Apache-2.0
// Owns the list of what a quantized model's file holds. Names, and the order of tensors, are the
// format.
#include "gen/qmodel/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Appends a field by the name "of.what", or "of" where `what` is empty.
static void add(struct hw_fields *f, const char *of, const char *what, struct hw_field field)
{
    if (f->n == f->capacity) {
        size_t capacity = f->capacity * 2 + 64;
        struct hw_field *more = realloc(f->field, capacity * sizeof *more);
        if (!more) {
            hw_fail(f->err, "quantized model: out of memory");
            return;
        }
        f->field = more;
        f->capacity = capacity;
    }
    snprintf(field.name, sizeof field.name, "%s%s%s", of, *what ? "." : "", what);
    f->field[f->n++] = field;
}

void hw_fields_free(struct hw_fields *f)
{
    free(f->field);
    memset(f, 0, sizeof *f);
}

// --- scalars

static void add_int(struct hw_fields *f, const char *of, const char *what, int low, int high,
                    int *i)
{
    add(f, of, what, (struct hw_field){.kind = HW_FIELD_INT, .i = i, .low = low, .high = high});
}

static void add_eps(struct hw_fields *f, const char *of, const char *what, uint64_t *count)
{
    add(f, of, what,
        (struct hw_field){.kind = HW_FIELD_COUNT, .count = count, .low = 1, .high = UINT32_MAX});
}

static void add_real(struct hw_fields *f, const char *name, double *real)
{
    add(f, name, "", (struct hw_field){.kind = HW_FIELD_REAL, .real = real});
}

static void add_bool(struct hw_fields *f, const char *name, bool has_usual, bool *b)
{
    add(f, name, "",
        (struct hw_field){.kind = HW_FIELD_BOOL, .b = b, .high = 1, .has_usual = has_usual});
}

// What not every file has.
static void add_unusual(struct hw_fields *f, const char *name, int low, int high, int usual, int *i)
{
    add(f, name, "",
        (struct hw_field){.kind = HW_FIELD_INT,
                          .i = i,
                          .low = low,
                          .high = high,
                          .has_usual = true,
                          .usual = usual});
}

void hw_fields_of_config(struct hw_fields *f, struct hw_qmodel *q)
{
    struct hw_config *c = &q->config;
    struct hw_widths *w = &q->widths;
    add_int(f, "dim", "", 1, HW_MAX_DIM, &c->dim);
    add_int(f, "hidden_dim", "", 1, HW_MAX_HIDDEN_DIM, &c->hidden_dim);
    add_int(f, "n_layers", "", 1, HW_MAX_LAYERS, &c->n_layers);
    add_int(f, "n_heads", "", 1, HW_MAX_HEADS, &c->n_heads);
    add_int(f, "n_kv_heads", "", 1, HW_MAX_HEADS, &c->n_kv_heads);
    add_int(f, "head_dim", "", 2, HW_MAX_HEAD_DIM, &c->head_dim);
    add_int(f, "vocab_size", "", HW_MIN_VOCAB_SIZE, HW_MAX_VOCAB_SIZE, &c->vocab_size);
    add_int(f, "seq_len", "", 1, HW_MAX_SEQ_LEN, &c->seq_len);
    add_bool(f, "tied", false, &c->tied);
    add_real(f, "rope_base", &c->rope_base);
    add_real(f, "norm_eps", &c->norm_eps);
    add_bool(f, "sub_norm", true, &c->sub_norm);
    add_bool(f, "qkv_bias", true, &c->qkv_bias);
    add_bool(f, "qk_norm", true, &c->qk_norm);
    add_unusual(f, "window", 1, HW_MAX_SEQ_LEN, 0, &c->window);
    add_unusual(f, "bos", 0, HW_MAX_VOCAB_SIZE, 1, &c->bos); // 1 in files older than this field
    add_int(f, "code_bits", "", HW_MIN_CODE_BITS, HW_MAX_CODE_BITS, &w->code_bits);
    add_int(f, "act_bits", "", HW_MIN_ACT_BITS, HW_MAX_ACT_BITS, &w->act_bits);
    add_int(f, "kv_bits", "", HW_MIN_KV_BITS, HW_MAX_KV_BITS, &w->kv_bits);
    add_int(f, "res_bits", "", HW_MIN_RES_BITS, HW_MAX_RES_BITS, &w->res_bits);
}

// --- tensors

// The field's bytes follow those of the tensor before it in the file.
static void add_tensor(struct hw_fields *f, const char *of, const char *what, struct hw_field t)
{
    t.bytes = strcmp(t.dtype, "U8") == 0 ? 1 : 2;
    for (int i = 0; i < t.n_dims; i++)
        t.bytes *= (size_t)t.shape[i];
    t.at = f->bytes;
    f->bytes += t.bytes;
    add(f, of, what, t);
}

static void add_vector(struct hw_fields *f, const char *of, const char *what, int n, int16_t *v)
{
    add_tensor(
        f, of, what,
        (struct hw_field){
            .kind = HW_FIELD_VALUES, .dtype = "I16", .shape = {n}, .n_dims = 1, .values = v});
}

static void add_table(struct hw_fields *f, const char *name, int rows, int cols, int16_t *v)
{
    add_tensor(f, name, "",
               (struct hw_field){.kind = HW_FIELD_VALUES,
                                 .dtype = "I16",
                                 .shape = {rows, cols},
                                 .n_dims = 2,
                                 .values = v});
}

static void add_matrix(struct hw_fields *f, const char *name, int code_bits, int n_out, int n_in,
                       struct hw_qmatrix *m)
{
    add_int(f, name, "planes", 1, HW_MAX_PLANES, &m->n_planes);
    add_int(f, name, "shift", 15, 62, &m->shift);
    add_tensor(f, name, "codes",
               (struct hw_field){.kind = HW_FIELD_CODES,
                                 .dtype = "U8",
                                 .shape = {m->n_planes, n_out, n_in},
                                 .n_dims = 3,
                                 .values = m->codes,
                                 .matrix = m});
    add_tensor(f, name, "levels",
               (struct hw_field){.kind = HW_FIELD_LEVELS,
                                 .dtype = "I16",
                                 .shape = {m->n_planes, 1 << code_bits},
                                 .n_dims = 2,
                                 .values = m->levels,
                                 .pitch = sizeof m->levels[0],
                                 .matrix = m});
    add_tensor(f, name, "scale",
               (struct hw_field){.kind = HW_FIELD_SCALE,
                                 .dtype = "U16",
                                 .shape = {n_out},
                                 .n_dims = 1,
                                 .values = m->scale,
                                 .matrix = m});
}

static void add_norm(struct hw_fields *f, const char *name, int n, bool has_eps,
                     struct hw_qnorm *norm)
{
    if (has_eps)
        add_eps(f, name, "eps_ss", &norm->eps_ss);
    add_int(f, name, "shift", 1, 40, &norm->shift);
    add_vector(f, name, "gain", n, norm->gain);
}

bool hw_norm_has_eps(const struct hw_config *c, enum hw_norm_id id)
{
    return c->sub_norm || hw_norm_row[id].where == HW_QK_NORM;
}

static void add_layer(struct hw_fields *f, struct hw_qmodel *q, int l)
{
    const struct hw_config *c = &q->config;
    struct hw_qlayer *y = &q->layers[l];
    char layer[24], name[64];
    snprintf(layer, sizeof layer, "layers.%d", l);
    for (int i = 0; i < HW_N_NORMS; i++) {
        const struct hw_norm_row *row = &hw_norm_row[i];
        snprintf(name, sizeof name, "%s.%s", layer, row->name);
        if (hw_has(c, row->where))
            add_norm(f, name, hw_length(c, row->n), hw_norm_has_eps(c, (enum hw_norm_id)i),
                     &y->norm[i]);
    }
    for (int i = 0; i < HW_N_BIASES; i++) {
        if (hw_has(c, hw_bias_row[i].where))
            add_vector(f, layer, hw_bias_row[i].name, hw_bias_length(c, (enum hw_bias_id)i),
                       y->bias[i]);
    }
    for (int i = 0; i < HW_N_MATRICES; i++) {
        const struct hw_matrix_row *row = &hw_matrix_row[i];
        snprintf(name, sizeof name, "%s.%s", layer, row->name);
        add_matrix(f, name, q->widths.code_bits, hw_length(c, row->n_out), hw_length(c, row->n_in),
                   &y->matrix[i]);
    }
    add_int(f, layer, "score_shift", 0, 40, &y->score_shift);
    add_int(f, layer, "att_shift", 0, 7, &y->att_shift);
    add_int(f, layer, "hidden_shift", 1, 40, &y->hidden_shift);
}

void hw_fields_of_model(struct hw_fields *f, struct hw_qmodel *q)
{
    const struct hw_config *c = &q->config;
    struct hw_rope *r = &q->rope;
    int half = c->head_dim / 2;
    add_int(f, "embed_shift", "", 15, 62, &q->embed_shift);
    add_real(f, "logit_scale", &q->logit_scale);
    add_eps(f, "eps_ss", "", &q->final_norm.eps_ss);
    add_matrix(f, "tok_embeddings", q->widths.code_bits, c->vocab_size, c->dim, &q->embed);
    if (!c->tied)
        add_matrix(f, "output", q->widths.code_bits, c->vocab_size, c->dim, &q->head);
    add_norm(f, "norm", c->dim, false, &q->final_norm);
    add_table(f, "rope.hi_cos", r->n_hi, half, r->hi_cos);
    add_table(f, "rope.hi_sin", r->n_hi, half, r->hi_sin);
    add_table(f, "rope.lo_cos", 1 << r->lo_bits, half, r->lo_cos);
    add_table(f, "rope.lo_sin", 1 << r->lo_bits, half, r->lo_sin);
    for (int l = 0; l < c->n_layers; l++)
        add_layer(f, q, l);
}
