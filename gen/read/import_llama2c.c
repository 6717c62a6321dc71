// SPDX-License-Identifier: Apache-2.0
// llama2.c checkpoints (github.com/karpathy/llama2.c, export.py): version 0, seven i32 without a
// magic number, then f32 tensors; version 1, a 256-byte header, then f32; version 2, the same
// header, f32 norms and int8 matrices with a scale for each group. No tensor has a name or a size,
// so only plausible dimensions whose exact file size matches are accepted.
#include <string.h>

#include "gen/read/import.h"

enum { MAGIC = 0x616b3432, HEADER_BYTES = 256, MAX_GROUP_SIZE = 1 << 16 };

static const enum hw_tensor_id order_v0[] = {
    HW_TOK_EMBED, HW_ATTN_NORM, HW_WQ,     HW_WK,   HW_WV,          HW_WO,
    HW_FFN_NORM,  HW_W_GATE,    HW_W_DOWN, HW_W_UP, HW_OUTPUT_NORM,
};
static const enum hw_tensor_id order_v1[] = {
    HW_ATTN_NORM, HW_FFN_NORM, HW_OUTPUT_NORM, HW_TOK_EMBED, HW_WQ,   HW_WK,
    HW_WV,        HW_WO,       HW_W_GATE,      HW_W_DOWN,    HW_W_UP,
};
enum { N_ORDER = sizeof order_v0 / sizeof order_v0[0] };

struct importer {
    struct hw_model *model;
    struct hw_cursor cursor;
    int version;
    int group_size; // version 2
};

// The seven dimensions. Returns vocab_size as it is in the file.
static int64_t read_dimensions(struct hw_cursor *c, struct hw_config *config)
{
    config->dim = hw_cursor_i32(c, "dim");
    config->hidden_dim = hw_cursor_i32(c, "hidden_dim");
    config->n_layers = hw_cursor_i32(c, "n_layers");
    config->n_heads = hw_cursor_i32(c, "n_heads");
    config->n_kv_heads = hw_cursor_i32(c, "n_kv_heads");
    int64_t vocab_size = hw_cursor_i32(c, "vocab_size");
    config->seq_len = hw_cursor_i32(c, "seq_len");
    config->rope_base = 10000.0; // neither is in the file; llama2.c has these two built in
    config->norm_eps = 1e-5;
    return vocab_size;
}

// A version 0 file has no magic number: bytes of another kind of file make absurd dimensions.
static bool is_plausible(const struct hw_config *c)
{
    enum { MOST = 1 << 24 };
    const int count[] = {c->dim,        c->hidden_dim, c->n_layers, c->n_heads,
                         c->n_kv_heads, c->vocab_size, c->seq_len};
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++)
        if (count[i] < 1 || count[i] > MOST)
            return false;
    return true;
}

static bool check_config(struct hw_config *config, const char *file, const char *where,
                         struct hw_error *err)
{
    if (config->n_heads < 1 || config->dim % config->n_heads != 0)
        return hw_fail(err, "%s: %s: n_heads, expected a divisor of dim %d, got %d", file, where,
                       config->dim, config->n_heads);
    config->head_dim = config->dim / config->n_heads;
    config->bos = HW_LLAMA2C_BOS;
    return hw_config_check(config, file, where, err);
}

static bool read_header(struct importer *im)
{
    static const char *const where[] = {"llama2.c v0 header", "llama2.c v1 header",
                                        "llama2.c v2 header"};
    struct hw_cursor *c = &im->cursor;
    struct hw_config *config = &im->model->config;
    if (im->version > 0)
        hw_cursor_take(c, 8, "magic and version");
    int64_t vocab_size = read_dimensions(c, config);
    if (im->version == 0) {
        config->tied = vocab_size > 0; // the exporter negates vocab_size of an untied model
        vocab_size = vocab_size < 0 ? -vocab_size : vocab_size;
    } else {
        uint8_t shared = hw_cursor_u8(c, "shared_classifier");
        config->tied = shared == 1;
        if (!c->err->set && shared > 1)
            hw_fail(c->err, "%s: %s: shared_classifier, expected 0 or 1, got %d", c->file,
                    where[im->version], shared);
    }
    if (im->version == 2) {
        im->group_size = hw_cursor_i32(c, "group_size");
        if (!c->err->set && (im->group_size < 1 || im->group_size > MAX_GROUP_SIZE))
            hw_fail(c->err, "%s: %s: group_size, expected 1..%d, got %d", c->file,
                    where[im->version], MAX_GROUP_SIZE, im->group_size);
    }
    if (im->version > 0)
        hw_cursor_take(c, HEADER_BYTES - c->pos, "rest of the header");
    if (c->err->set)
        return false;

    config->vocab_size = vocab_size > INT32_MAX ? 0 : (int)vocab_size;
    struct hw_error why = {0};
    if (check_config(config, c->file, where[im->version], &why))
        return true;
    if (im->version > 0 || is_plausible(config))
        return hw_fail(c->err, "%s", why.text);
    return hw_fail(c->err,
                   "%s: not a checkpoint that is known (GGUF, llama2.c, bitllama, a Hugging Face "
                   "folder)%s",
                   c->file, why.text + strlen(c->file));
}

// One tensor of one layer, from the cursor on.
static void map_one(struct importer *im, enum hw_tensor_id id, int layer)
{
    char name[HW_TENSOR_NAME_SIZE];
    int rows, cols;
    struct hw_cursor *c = &im->cursor;
    hw_tensor_shape(&im->model->config, id, &rows, &cols);
    hw_tensor_name(id, layer, name);
    uint64_t n = (uint64_t)rows * (uint64_t)cols;
    bool grouped = im->version == 2 && rows > 1;
    struct hw_tensor t = {.dtype = grouped ? HW_I8 : HW_F32};
    t.row_bytes = hw_dtype_row_bytes(t.dtype, cols);
    t.data = hw_cursor_take(c, (uint64_t)rows * t.row_bytes, name);
    if (grouped) {
        if (!c->err->set && n % (uint64_t)im->group_size != 0)
            hw_fail(c->err,
                    "%s: %s: number of weights, expected a multiple of group_size %d, got "
                    "%llu",
                    c->file, name, im->group_size, (unsigned long long)n);
        t.group_size = im->group_size;
        t.scales = hw_cursor_take(c, n / (uint64_t)im->group_size * 4, name);
    }
    *hw_model_tensor(im->model, id, layer) = t;
}

static void map_tensor(struct importer *im, enum hw_tensor_id id)
{
    int n = hw_tensor_layers(&im->model->config, id);
    for (int layer = 0; layer < n; layer++)
        map_one(im, id, layer);
}

// The version that the first bytes say. A version 0 file has none, and no model has MAGIC as dim.
static bool find_version(struct importer *im, struct hw_error *err)
{
    struct hw_cursor c = im->cursor;
    if (c.size < 8 || hw_load_u32(c.data) != MAGIC)
        return true;
    uint32_t version = hw_load_u32(c.data + 4);
    if (version != 1 && version != 2)
        return hw_fail(err, "%s: header: llama2.c version, expected 1 or 2, got %lu", c.file,
                       (unsigned long)version);
    im->version = (int)version;
    return true;
}

bool hw_import_llama2c(struct hw_model *model, struct hw_error *err)
{
    static const char *const formats[] = {"llama2.c v0", "llama2.c v1", "llama2.c v2"};
    struct importer im = {.model = model, .cursor = hw_cursor_over(&model->files[0], err)};
    const struct hw_config *config = &model->config;
    if (!find_version(&im, err) || !read_header(&im) || !hw_model_alloc_tensors(model, err))
        return false;
    model->format = formats[im.version];
    for (int i = 0; i < N_ORDER; i++)
        map_tensor(&im, im.version == 0 ? order_v0[i] : order_v1[i]);
    // Cosines and sines of RoPE, [seq_len][head_dim / 2] each: derived values, computed anew.
    if (im.version == 0)
        hw_cursor_take(&im.cursor, (uint64_t)config->seq_len * (uint64_t)config->head_dim * 4,
                       "freq_cis");
    if (!config->tied)
        map_tensor(&im, HW_OUTPUT);
    if (!err->set && im.cursor.pos != im.cursor.size)
        hw_fail(err, "%s: end: file size, expected %zu bytes as the %s header says, got %zu",
                im.cursor.file, im.cursor.pos, model->format, im.cursor.size);
    return !err->set;
}
