// SPDX-License-Identifier: Apache-2.0
// bitllama checkpoints (github.com/HKUSTGZ-MICS-LYU/bitllama2.c): natively ternary Llamas. The
// header is that of a llama2.c v1 file, magic and version too, so the size of the file decides.
// Then f32 final norm [dim], f32 embedding [vocab_size][dim], and wq, wk, wv, wo, w1, w2, w3, each
// for all layers: an f32 factor and 2-bit codes, row by row, the first weight in bits 7:6.
// A norm without weights, y = x / rms(x) / n, stands before every matrix of a layer. Refuses the
// code 10 and dimensions that are not multiples of 4.
#include "gen/read/import.h"

enum { MAGIC = 0x616b3432, HEADER_BYTES = 256, HEADER_USED = 37 };

static const enum hw_tensor_id order[] = {HW_WQ,     HW_WK,     HW_WV,  HW_WO,
                                          HW_W_GATE, HW_W_DOWN, HW_W_UP};
enum { N_ORDER = sizeof order / sizeof order[0] };

// Reads the header; magic and version have been looked at by the caller.
static void read_header(struct hw_cursor *c, struct hw_config *config)
{
    hw_cursor_take(c, 8, "magic and version");
    config->dim = hw_cursor_i32(c, "dim");
    config->hidden_dim = hw_cursor_i32(c, "hidden_dim");
    config->n_layers = hw_cursor_i32(c, "n_layers");
    config->n_heads = hw_cursor_i32(c, "n_heads");
    config->n_kv_heads = hw_cursor_i32(c, "n_kv_heads");
    config->vocab_size = hw_cursor_i32(c, "vocab_size");
    config->seq_len = hw_cursor_i32(c, "seq_len");
    config->tied = hw_cursor_u8(c, "shared_classifier") == 1;
    config->bos = HW_LLAMA2C_BOS;
    config->sub_norm = true;
    config->rope_base = 10000.0; // neither is in the file; bitllama2.c has these two built in
    config->norm_eps = 1e-5;
    hw_cursor_take(c, HEADER_BYTES - HEADER_USED, "rest of the header");
    if (config->n_heads > 0)
        config->head_dim = config->dim / config->n_heads;
}

bool hw_is_bitllama(const struct hw_file *file)
{
    struct hw_error err = {0};
    struct hw_config c = {0};
    struct hw_cursor cursor = hw_cursor_over(file, &err);
    if (file->size < HEADER_BYTES || hw_load_u32(file->data) != MAGIC ||
        hw_load_u32(file->data + 4) != 1)
        return false;
    read_header(&cursor, &c);
    if (!hw_config_check(&c, file->path, "header", &err) || !c.tied)
        return false;
    uint64_t layer = 0; // bytes; products of checked dimensions stay below 2^40
    for (int i = 0; i < N_ORDER; i++) {
        int rows, cols;
        hw_tensor_shape(&c, order[i], &rows, &cols);
        layer += 4 + (uint64_t)rows * (uint64_t)cols / 4;
    }
    return file->size == HEADER_BYTES + 4 * (uint64_t)c.dim * (1 + (uint64_t)c.vocab_size) +
                             (uint64_t)c.n_layers * layer;
}

static bool check_codes(const struct hw_cursor *c, const char *name, const uint8_t *codes,
                        uint64_t bytes, int cols)
{
    for (uint64_t i = 0; i < bytes; i++) {
        unsigned wrong = codes[i] & ~((unsigned)codes[i] << 1) & 0xaa; // 10: the upper bit alone
        if (wrong) {
            uint64_t at = 4 * i + (wrong & 0x80 ? 0 : wrong & 0x20 ? 1 : wrong & 0x08 ? 2 : 3);
            return hw_fail(c->err,
                           "%s: %s row %llu column %llu: code, expected 00, 01 or 11, got "
                           "10",
                           c->file, name, (unsigned long long)(at / (uint64_t)cols),
                           (unsigned long long)(at % (uint64_t)cols));
        }
    }
    return true;
}

static void map_matrix(struct hw_model *model, struct hw_cursor *c, enum hw_tensor_id id, int layer)
{
    char name[HW_TENSOR_NAME_SIZE];
    int rows, cols;
    struct hw_tensor t = {.dtype = HW_TERNARY};
    hw_tensor_shape(&model->config, id, &rows, &cols);
    hw_tensor_name(id, layer, name);
    if (cols % 4 != 0) {
        hw_fail(c->err, "%s: %s: columns, expected a multiple of 4, got %d", c->file, name, cols);
        return;
    }
    t.row_bytes = hw_dtype_row_bytes(HW_TERNARY, cols);
    t.scales = hw_cursor_take(c, 4, name);
    t.data = hw_cursor_take(c, (uint64_t)rows * t.row_bytes, name);
    if (!c->err->set && check_codes(c, name, t.data, (uint64_t)rows * t.row_bytes, cols))
        *hw_model_tensor(model, id, layer) = t;
}

static void map_floats(struct hw_model *model, struct hw_cursor *c, enum hw_tensor_id id)
{
    char name[HW_TENSOR_NAME_SIZE];
    int rows, cols;
    struct hw_tensor t = {.dtype = HW_F32};
    hw_tensor_shape(&model->config, id, &rows, &cols);
    hw_tensor_name(id, 0, name);
    t.row_bytes = hw_dtype_row_bytes(HW_F32, cols);
    t.data = hw_cursor_take(c, (uint64_t)rows * t.row_bytes, name);
    *hw_model_tensor(model, id, 0) = t;
}

bool hw_import_bitllama(struct hw_model *model, struct hw_error *err)
{
    static const enum hw_tensor_id norms[] = {HW_ATTN_NORM, HW_FFN_NORM, HW_ATTN_SUB_NORM,
                                              HW_FFN_SUB_NORM};
    struct hw_cursor c = hw_cursor_over(&model->files[0], err);
    read_header(&c, &model->config);
    if (err->set || !hw_config_check(&model->config, c.file, "bitllama header", err) ||
        !hw_model_alloc_tensors(model, err))
        return false;
    model->format = "bitllama";
    model->bitnet = true;
    map_floats(model, &c, HW_OUTPUT_NORM);
    map_floats(model, &c, HW_TOK_EMBED);
    for (int i = 0; i < N_ORDER; i++) {
        for (int layer = 0; layer < model->config.n_layers; layer++)
            map_matrix(model, &c, order[i], layer);
    }
    for (int layer = 0; layer < model->config.n_layers; layer++) {
        for (int i = 0; i < 4; i++) {
            int rows, cols;
            hw_tensor_shape(&model->config, norms[i], &rows, &cols);
            *hw_model_tensor(model, norms[i], layer) =
                (struct hw_tensor){.dtype = HW_F32, .constant = 1.0f / (float)cols};
        }
    }
    return !err->set;
}
