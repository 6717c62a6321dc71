// SPDX-License-Identifier: Apache-2.0
// llama2.c checkpoints (github.com/karpathy/llama2.c, export.py), version 0: seven i32, then f32
// tensors without names. The header has no magic number, so only plausible dimensions whose exact
// file size matches are accepted.
#include "gen/import.h"

static bool read_header(struct hw_cursor *c, struct hw_config *config)
{
    static const char where[] = "llama2.c v0 header";
    config->dim = hw_cursor_i32(c, "dim");
    config->hidden_dim = hw_cursor_i32(c, "hidden_dim");
    config->n_layers = hw_cursor_i32(c, "n_layers");
    config->n_heads = hw_cursor_i32(c, "n_heads");
    config->n_kv_heads = hw_cursor_i32(c, "n_kv_heads");
    int64_t vocab_size = hw_cursor_i32(c, "vocab_size");
    config->seq_len = hw_cursor_i32(c, "seq_len");
    if (c->err->set)
        return false;

    config->tied = vocab_size > 0; // the exporter negates vocab_size of an untied model
    if (vocab_size < 0)
        vocab_size = -vocab_size;
    config->vocab_size = vocab_size > INT32_MAX ? 0 : (int)vocab_size;
    config->rope_base = 10000.0; // neither is in the file; llama2.c has these two built in
    config->norm_eps = 1e-5;
    if (config->n_heads < 1 || config->dim % config->n_heads != 0)
        return hw_fail(c->err, "%s: %s: n_heads, expected a divisor of dim %d, got %d", c->file,
                       where, config->dim, config->n_heads);
    config->head_dim = config->dim / config->n_heads;
    return hw_config_check(config, c->file, where, c->err);
}

// Describes one tensor of every layer, from the cursor on.
static void place(struct hw_model *model, struct hw_cursor *c, enum hw_tensor_id id)
{
    char name[HW_TENSOR_NAME_SIZE];
    int rows, cols;
    hw_tensor_shape(&model->config, id, &rows, &cols);
    int n = hw_tensor_is_global(id) ? 1 : model->config.n_layers;
    for (int layer = 0; layer < n; layer++) {
        struct hw_tensor *t = hw_model_tensor(model, id, layer);
        t->dtype = HW_F32;
        t->row_bytes = hw_dtype_row_bytes(HW_F32, cols);
        t->data = hw_cursor_take(c, (uint64_t)rows * t->row_bytes, hw_tensor_name(id, layer, name));
    }
}

bool hw_import_llama2c(struct hw_model *model, struct hw_error *err)
{
    static const enum hw_tensor_id order[] = {
        HW_TOK_EMBED, HW_ATTN_NORM, HW_WQ,     HW_WK,     HW_WV,   HW_WO,
        HW_FFN_NORM,  HW_W_GATE,    HW_W_DOWN, HW_W_UP,   HW_OUTPUT_NORM,
    };
    struct hw_cursor c = hw_cursor_over(&model->files[0], err);
    struct hw_config *config = &model->config;
    model->format = "llama2.c v0";
    if (!read_header(&c, config) || !hw_model_alloc_tensors(model, err))
        return false;

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        place(model, &c, order[i]);
    // Cosines and sines of RoPE, [seq_len][head_dim / 2] each: derived values, computed anew.
    hw_cursor_take(&c, (uint64_t)config->seq_len * (uint64_t)config->head_dim * 4, "freq_cis");
    if (!config->tied)
        place(model, &c, HW_OUTPUT);
    if (!err->set && c.pos != c.size)
        hw_fail(err, "%s: end: file size, expected %zu bytes as the llama2.c v0 header says, got "
                "%zu", c.file, c.pos, c.size);
    return !err->set;
}
