// SPDX-License-Identifier: Apache-2.0
// Opening of checkpoints: finds the format by content, lets the importer describe the tensors,
// and reads rows. Refuses absurd or inconsistent dimensions, and weights that no model has: in
// files up to 64 MiB on opening, in larger ones when their row is read.
#include "gen/read/model.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/gguf.h"
#include "gen/read/import.h"
#include "gen/read/kind.h"
#include "gen/read/safetensors.h"
#include "refmodel/limits.h"

enum { FULL_CHECK_BYTES = 64 << 20 };

// clang-format off
#define MATRIX(member) .of = HW_MATRIX, .row = HW_MATRIX_##member
#define NORM(member) .of = HW_NORM, .row = HW_NORM_##member
#define BIAS(member) .of = HW_BIAS, .row = HW_BIAS_##member
const struct hw_tensor_info hw_tensor_info[HW_N_TENSORS] = {
    [HW_TOK_EMBED] = {"token_embd.weight", "model.embed_tokens.weight", .name = "tok_embeddings",
                      .rows = HW_LENGTH_VOCAB, .cols = HW_LENGTH_DIM, .where = HW_ALWAYS},
    [HW_OUTPUT] = {"output.weight", "lm_head.weight", .name = "output",
                   .rows = HW_LENGTH_VOCAB, .cols = HW_LENGTH_DIM, .where = HW_UNTIED},
    [HW_OUTPUT_NORM] = {"output_norm.weight", "model.norm.weight", .name = "norm",
                        .rows = HW_LENGTH_ONE, .cols = HW_LENGTH_DIM, .where = HW_ALWAYS},
    [HW_ATTN_NORM] = {"attn_norm.weight", "input_layernorm.weight", NORM(attn_norm)},
    [HW_WQ] = {"attn_q.weight", "self_attn.q_proj.weight", MATRIX(wq), .rotated = true},
    [HW_WK] = {"attn_k.weight", "self_attn.k_proj.weight", MATRIX(wk), .rotated = true},
    [HW_WV] = {"attn_v.weight", "self_attn.v_proj.weight", MATRIX(wv)},
    [HW_WO] = {"attn_output.weight", "self_attn.o_proj.weight", MATRIX(wo)},
    [HW_FFN_NORM] = {"ffn_norm.weight", "post_attention_layernorm.weight", NORM(ffn_norm)},
    [HW_W_GATE] = {"ffn_gate.weight", "mlp.gate_proj.weight", MATRIX(gate_up),
                   .half = "feed_forward.gate"},
    [HW_W_UP] = {"ffn_up.weight", "mlp.up_proj.weight", MATRIX(gate_up), .half = "feed_forward.up"},
    [HW_W_DOWN] = {"ffn_down.weight", "mlp.down_proj.weight", MATRIX(down)},
    [HW_ATTN_SUB_NORM] = {NULL, NULL, NORM(attn_sub_norm)},
    [HW_FFN_SUB_NORM] = {NULL, NULL, NORM(ffn_sub_norm)},
    [HW_BQ] = {"attn_q.bias", "self_attn.q_proj.bias", BIAS(bq), .rotated = true},
    [HW_BK] = {"attn_k.bias", "self_attn.k_proj.bias", BIAS(bk), .rotated = true},
    [HW_BV] = {"attn_v.bias", "self_attn.v_proj.bias", BIAS(bv)},
    [HW_Q_NORM] = {"attn_q_norm.weight", "self_attn.q_norm.weight", NORM(q_norm), .rotated = true},
    [HW_K_NORM] = {"attn_k_norm.weight", "self_attn.k_norm.weight", NORM(k_norm), .rotated = true},
};
// clang-format on

const struct hw_projection hw_projection[HW_N_PROJECTIONS] = {
    {HW_WQ, HW_BQ, HW_Q_NORM, true},
    {HW_WK, HW_BK, HW_K_NORM, true},
    {HW_WV, HW_BV, HW_N_TENSORS, false},
};

static const char *own_name(const struct hw_tensor_info *t)
{
    switch (t->of) {
    case HW_GLOBAL:
        return t->name;
    case HW_MATRIX:
        return t->half ? t->half : hw_matrix_row[t->row].name;
    case HW_NORM:
        return hw_norm_row[t->row].name;
    case HW_BIAS:
        return hw_bias_row[t->row].name;
    }
    return NULL;
}

const char *hw_tensor_name(enum hw_tensor_id id, int layer, char buf[HW_TENSOR_NAME_SIZE])
{
    const char *name = own_name(&hw_tensor_info[id]);
    if (hw_tensor_is_global(id))
        snprintf(buf, HW_TENSOR_NAME_SIZE, "%s", name);
    else
        snprintf(buf, HW_TENSOR_NAME_SIZE, "layers.%d.%s", layer, name);
    return buf;
}

bool hw_tensor_is_global(enum hw_tensor_id id)
{
    return hw_tensor_info[id].of == HW_GLOBAL;
}

static enum hw_feature feature_of(const struct hw_tensor_info *t)
{
    return t->of == HW_GLOBAL ? t->where
           : t->of == HW_NORM ? hw_norm_row[t->row].where
           : t->of == HW_BIAS ? hw_bias_row[t->row].where
                              : HW_ALWAYS;
}

bool hw_tensor_exists(const struct hw_config *c, enum hw_tensor_id id)
{
    return id < HW_N_TENSORS && hw_has(c, feature_of(&hw_tensor_info[id]));
}

bool hw_tensor_is_matrix(enum hw_tensor_id id)
{
    const struct hw_tensor_info *t = &hw_tensor_info[id];
    return t->of == HW_MATRIX || (t->of == HW_GLOBAL && t->rows != HW_LENGTH_ONE);
}

int hw_tensor_layers(const struct hw_config *c, enum hw_tensor_id id)
{
    return hw_tensor_is_global(id) ? 1 : c->n_layers;
}

enum hw_tensor_id hw_classifier_tensor(const struct hw_config *c)
{
    return c->tied ? HW_TOK_EMBED : HW_OUTPUT;
}

struct hw_tensor *hw_model_tensor(const struct hw_model *model, enum hw_tensor_id id, int layer)
{
    return &model->tensors[(size_t)id * (size_t)model->config.n_layers + (size_t)layer];
}

// Vectors whose elements formats order as they order rows are columns.
void hw_tensor_shape(const struct hw_config *c, enum hw_tensor_id id, int *rows, int *cols)
{
    const struct hw_tensor_info *t = &hw_tensor_info[id];
    *rows = *cols = 1;
    switch (t->of) {
    case HW_GLOBAL:
        *rows = hw_length(c, t->rows);
        *cols = hw_length(c, t->cols);
        break;
    case HW_MATRIX:
        *rows = hw_length(c, hw_matrix_row[t->row].n_out) / (t->half ? 2 : 1);
        *cols = hw_length(c, hw_matrix_row[t->row].n_in);
        break;
    case HW_NORM:
        *(t->rotated ? rows : cols) = hw_length(c, hw_norm_row[t->row].n);
        break;
    case HW_BIAS:
        *rows = hw_bias_length(c, (enum hw_bias_id)t->row);
        break;
    }
}

bool hw_config_check(const struct hw_config *c, const char *file, const char *where,
                     struct hw_error *err)
{
    const struct {
        const char *name;
        int value, max;
    } field[] = {
        {"dim", c->dim, HW_FILE_MAX_DIM},
        {"hidden_dim", c->hidden_dim, HW_MAX_HIDDEN_DIM},
        {"n_layers", c->n_layers, HW_MAX_LAYERS},
        {"n_heads", c->n_heads, HW_FILE_MAX_DIM},
        {"n_kv_heads", c->n_kv_heads, HW_FILE_MAX_DIM},
        {"head_dim", c->head_dim, HW_FILE_MAX_DIM},
        {"vocab_size", c->vocab_size, HW_FILE_MAX_VOCAB_SIZE},
        {"seq_len", c->seq_len, HW_FILE_MAX_SEQ_LEN},
    };
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++)
        if (field[i].value < 1 || field[i].value > field[i].max)
            return hw_fail(err, "%s: %s: %s, expected 1..%d, got %d", file, where, field[i].name,
                           field[i].max, field[i].value);
    if (c->vocab_size < HW_MIN_VOCAB_SIZE)
        return hw_fail(err, "%s: %s: vocab_size, expected %d tokens or more, got %d", file, where,
                       HW_MIN_VOCAB_SIZE, c->vocab_size);
    if (c->bos < 0 || c->bos >= c->vocab_size)
        return hw_fail(err, "%s: %s: BOS, expected a token 0..%d, got %d", file, where,
                       c->vocab_size - 1, c->bos);
    if (c->head_dim % 2 != 0)
        return hw_fail(err, "%s: %s: head_dim, expected an even number, got %d", file, where,
                       c->head_dim);
    if (c->n_heads % c->n_kv_heads != 0)
        return hw_fail(err, "%s: %s: n_kv_heads, expected a divisor of n_heads %d, got %d", file,
                       where, c->n_heads, c->n_kv_heads);
    if (c->n_heads > HW_FILE_MAX_DIM / c->head_dim)
        return hw_fail(err, "%s: %s: n_heads * head_dim, expected at most %d, got %d * %d", file,
                       where, HW_FILE_MAX_DIM, c->n_heads, c->head_dim);
    if (!(c->rope_base >= 1.0 && c->rope_base <= 1e12))
        return hw_fail(err, "%s: %s: RoPE base, expected 1..1e12, got %g", file, where,
                       c->rope_base);
    if (!(c->norm_eps >= 0.0 && c->norm_eps <= 1.0))
        return hw_fail(err, "%s: %s: norm epsilon, expected 0..1, got %g", file, where,
                       c->norm_eps);
    return true;
}

bool hw_config_set_window(struct hw_config *c, int window, const char *file, const char *where,
                          struct hw_error *err)
{
    if (window < 1)
        return hw_fail(err, "%s: %s: sliding window, expected 1 position or more, got %d", file,
                       where, window);
    bool any = false;
    for (int l = 0; l < c->n_layers; l++)
        any = any || c->windowed[l];
    c->window = any && window < c->seq_len ? window : 0;
    return true;
}

bool hw_config_scale_rope(struct hw_config *c, int pair, double divisor, const char *file,
                          const char *where, struct hw_error *err)
{
    if (c->head_dim > 2 * HW_MAX_SCALED_PAIRS)
        return hw_fail(err, "%s: %s: head_dim with scaled RoPE, expected at most %d, got %d", file,
                       where, 2 * HW_MAX_SCALED_PAIRS, c->head_dim);
    if (!(divisor >= 1.0 && divisor <= HW_MAX_ROPE_DIVISOR))
        return hw_fail(err, "%s: %s: RoPE factor of pair %d, expected 1..%g, got %g", file, where,
                       pair, HW_MAX_ROPE_DIVISOR, divisor);
    c->rope_divisor[pair] = divisor;
    return true;
}

bool hw_model_alloc_tensors(struct hw_model *model, struct hw_error *err)
{
    size_t n = (size_t)HW_N_TENSORS * (size_t)model->config.n_layers;
    model->tensors = calloc(n, sizeof *model->tensors);
    return model->tensors || hw_fail(err, "%s: open: out of memory", model->path);
}

bool hw_model_output_is_embedding(const struct hw_model *model)
{
    int rows, cols;
    bool same = true;
    hw_tensor_shape(&model->config, HW_OUTPUT, &rows, &cols);
    float *a = malloc(2 * (size_t)cols * sizeof *a);
    for (int r = 0; a && same && r < rows; r++) {
        hw_model_row(model, HW_OUTPUT, 0, r, a);
        hw_model_row(model, HW_TOK_EMBED, 0, r, a + cols);
        same = memcmp(a, a + cols, (size_t)cols * sizeof *a) == 0;
    }
    free(a);
    return a && same;
}

// Where row `row` of the interleaved order lies in the file.
static size_t stored_row(const struct hw_model *model, const struct hw_tensor *t, int row)
{
    if (!t->rotate_half)
        return (size_t)row;
    int head_dim = model->config.head_dim;
    int first = row - row % head_dim; // of this head
    int pair = row % head_dim / 2;
    return (size_t)(first + pair + row % 2 * (head_dim / 2));
}

// Remembers the first weight, in the order of tensors, that no model has, and reads it as 0.
static void note_damage(const struct hw_model *model, enum hw_tensor_id id, int layer, int row,
                        int col, float *value)
{
    struct hw_damage *d = model->damage;
    const int at[] = {(int)id, layer, row, col};
    float damaged = *value;
    *value = 0.0f;
    pthread_mutex_lock(&d->lock);
    const int first[] = {(int)d->id, d->layer, d->row, d->col};
    int order = 0;
    for (int i = 0; i < 4 && order == 0; i++)
        order = (at[i] > first[i]) - (at[i] < first[i]);
    if (!d->found || order < 0) {
        d->id = id;
        d->layer = layer;
        d->row = row;
        d->col = col;
        d->value = damaged;
    }
    d->found = true;
    pthread_mutex_unlock(&d->lock);
}

void hw_model_row(const struct hw_model *model, enum hw_tensor_id id, int layer, int row,
                  float *dst)
{
    int rows, cols;
    hw_tensor_shape(&model->config, id, &rows, &cols);
    const struct hw_tensor *t = hw_model_tensor(model, id, layer);
    if (!t->data) {
        for (int col = 0; col < cols; col++)
            dst[col] = t->constant;
        return;
    }
    size_t stored = stored_row(model, t, row);
    hw_dequant_row(t->dtype, t->data + stored * t->row_bytes, cols, dst);
    for (int col = 0; t->scales && col < cols; col++) {
        size_t at = stored * (size_t)cols + (size_t)col;
        size_t group = t->group_size ? at / (size_t)t->group_size : 0;
        dst[col] *= hw_load_f32(t->scales + 4 * group);
    }
    for (int col = 0; col < cols; col++)
        if (!(fabsf(dst[col]) <= HW_MAX_WEIGHT))
            note_damage(model, id, layer, row, col, &dst[col]);
}

bool hw_model_sound(const struct hw_model *model, struct hw_error *err)
{
    char name[HW_TENSOR_NAME_SIZE];
    const struct hw_damage *d = model->damage;
    return !d->found || hw_fail(err,
                                "%s: %s row %d column %d: weight, expected a finite number of at "
                                "most %g, got %g",
                                model->path, hw_tensor_name(d->id, d->layer, name), d->row, d->col,
                                (double)HW_MAX_WEIGHT, (double)d->value);
}

void hw_model_unload(const struct hw_model *model, enum hw_tensor_id id, int layer)
{
    int rows, cols;
    const struct hw_tensor *t = hw_model_tensor(model, id, layer);
    hw_tensor_shape(&model->config, id, &rows, &cols);
    if (t->data)
        hw_file_unload(t->data, (size_t)rows * t->row_bytes);
}

// Elements of the longest row that any tensor has.
static int longest_row(const struct hw_config *c)
{
    int longest = 0;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols;
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        if (cols > longest)
            longest = cols;
    }
    return longest;
}

// Reads every weight once.
static bool check_weights(const struct hw_model *model, struct hw_error *err)
{
    const struct hw_config *c = &model->config;
    float *buf = malloc((size_t)longest_row(c) * sizeof *buf);
    if (!buf)
        return hw_fail(err, "%s: open: out of memory", model->path);
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
            continue;
        int rows, cols, n = hw_tensor_layers(c, (enum hw_tensor_id)id);
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        for (int layer = 0; layer < n; layer++)
            for (int row = 0; row < rows; row++)
                hw_model_row(model, (enum hw_tensor_id)id, layer, row, buf);
    }
    free(buf);
    return hw_model_sound(model, err);
}

#define FORMATS "GGUF, llama2.c, bitllama or a Hugging Face folder of safetensors"

static bool import_folder(struct hw_model *model, struct hw_error *err)
{
    char words[HW_FOREIGN_WORDS_SIZE];
    if (hw_foreign_folder(model->path, words))
        return hw_fail(err, "%s: expected a folder with safetensors files, got %s", model->path,
                       words);
    return hw_import_hf(model, err);
}

static bool import(struct hw_model *model, struct hw_error *err)
{
    if (hw_path_is_directory(model->path))
        return import_folder(model, err);
    model->files = calloc(1, sizeof *model->files);
    if (!model->files)
        return hw_fail(err, "%s: open: out of memory", model->path);
    model->n_files = 1;
    if (!hw_file_map(&model->files[0], model->path, err))
        return false;
    if (hw_file_is_safetensors(&model->files[0]))
        return hw_fail(err,
                       "%s: expected a checkpoint of floats: of safetensors its folder, with "
                       "config.json; got a safetensors file alone",
                       model->path);
    if (hw_is_gguf(&model->files[0]))
        return hw_import_gguf(model, err);
    if (hw_is_bitllama(&model->files[0]))
        return hw_import_bitllama(model, err);
    char words[HW_FOREIGN_WORDS_SIZE];
    const char *foreign = hw_foreign_bytes(model->files[0].data, model->files[0].size, words);
    if (foreign)
        return hw_fail(err, "%s: expected a checkpoint (" FORMATS "), got %s", model->path,
                       foreign);
    return hw_import_llama2c(model, err);
}

struct hw_model *hw_model_open(const char *path, struct hw_error *err)
{
    struct hw_model *model = calloc(1, sizeof *model);
    size_t path_size = strlen(path) + 1;
    if (model) {
        model->path = malloc(path_size);
        model->damage = calloc(1, sizeof *model->damage);
    }
    if (!model || !model->path || !model->damage) {
        hw_fail(err, "%s: open: out of memory", path);
        hw_model_close(model);
        return NULL;
    }
    memcpy(model->path, path, path_size);
    pthread_mutex_init(&model->damage->lock, NULL);
    bool ok = import(model, err);
    uint64_t bytes = 0;
    for (int i = 0; i < model->n_files; i++)
        bytes += model->files[i].size;
    if (!ok || (bytes <= FULL_CHECK_BYTES && !check_weights(model, err))) {
        hw_model_close(model);
        return NULL;
    }
    return model;
}

void hw_model_close(struct hw_model *model)
{
    if (!model)
        return;
    for (int i = 0; i < model->n_files; i++)
        hw_file_unmap(&model->files[i]);
    free(model->files);
    free(model->path);
    free(model->damage);
    free(model->tensors);
    free(model);
}

const struct hw_config *hw_model_config(const struct hw_model *model)
{
    return &model->config;
}

bool hw_model_set_context(struct hw_model *model, int seq_len, struct hw_error *err)
{
    if (seq_len < 1 || seq_len > model->config.seq_len)
        return hw_fail(err, "%s: context: expected 1..%d, the checkpoint's, got %d", model->path,
                       model->config.seq_len, seq_len);
    model->config.seq_len = seq_len;
    if (model->config.window >= seq_len)
        model->config.window = 0;
    return true;
}

bool hw_model_set_bos(struct hw_model *model, int token, struct hw_error *err)
{
    if (token < 0 || token >= model->config.vocab_size)
        return hw_fail(err, "%s: BOS: expected a token 0..%d, got %d", model->path,
                       model->config.vocab_size - 1, token);
    model->config.bos = token;
    return true;
}

struct hw_evaluation hw_model_evaluation(const struct hw_model *model)
{
    return (struct hw_evaluation){.layer_eps = model->bitnet ? 0.0 : model->config.norm_eps,
                                  .int8_act = model->bitnet};
}

// Whether rows hold one magnitude and zero, as far as the storage type promises it.
static bool is_ternary(const struct hw_model *model, enum hw_tensor_id id, int layer, float *row)
{
    int rows, cols;
    enum hw_dtype dtype = hw_model_tensor(model, id, layer)->dtype;
    hw_tensor_shape(&model->config, id, &rows, &cols);
    for (int r = 0; dtype != HW_TERNARY && r < rows; r++) {
        float top = 0.0f;
        if (dtype != HW_TQ1_0 && dtype != HW_TQ2_0)
            return false;
        hw_model_row(model, id, layer, r, row);
        for (int c = 0; c < cols; c++) {
            float size = fabsf(row[c]);
            if (size > 0.0f && top > 0.0f && (size > top || size < top))
                return false;
            top = size > 0.0f ? size : top;
        }
    }
    return true;
}

bool hw_model_is_ternary(const struct hw_model *model)
{
    bool ternary = true;
    const struct hw_config *c = &model->config;
    float *row = malloc((size_t)longest_row(c) * sizeof *row);
    for (int id = 0; row && id < HW_N_TENSORS; id++) {
        enum hw_tensor_id tensor = (enum hw_tensor_id)id;
        if (hw_tensor_is_global(tensor) || !hw_tensor_is_matrix(tensor))
            continue;
        for (int l = 0; ternary && l < c->n_layers; l++)
            ternary = is_ternary(model, tensor, l, row);
    }
    free(row);
    return row && ternary;
}

const char *hw_model_format(const struct hw_model *model)
{
    return model->format;
}
