// SPDX-License-Identifier: Apache-2.0
// GGUF files of architectures "llama", "qwen2" and "qwen3", as written by llama.cpp's converter and
// quantizer. Of llama the converter has already put RoPE pairs next to each other, so that rows are
// read as they are; of the others they lie half a head apart.
// Refuses other architectures and storage types, RoPE scaling other than by factors, split files,
// keys that change the formula of a layer, and any tensor it would have to leave out (other biases,
// experts).
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/gguf.h"
#include "gen/read/import.h"
#include "gen/read/special.h"

enum { MAX_TENSOR_NAME = 64 };

struct extent {
    struct hw_text name;
    uint64_t offset, bytes;
};

struct importer {
    struct hw_model *model;
    struct hw_gguf gguf;
    struct hw_error *err;
    const char *file;
    const struct family *family;
    char where[32];         // "llama keys"
    bool *used;             // [gguf.n_tensors]
    struct extent *extents; // of the used tensors
    size_t n_used;
};

// Families, by their name in general.architecture, which also begins their keys.
static const struct family {
    const char *name;
    bool rotate_half, qkv_bias, qk_norm;
} families[] = {
    {.name = "llama"},
    {.name = "qwen2", .rotate_half = true, .qkv_bias = true},
    {.name = "qwen3", .rotate_half = true, .qk_norm = true},
};

// ggml's type numbers. Those without a dtype are named for the error message only.
static const struct {
    uint32_t ggml_type;
    int dtype;
    const char *name;
} types[] = {
    {0, HW_F32, "F32"},      {1, HW_F16, "F16"},    {30, HW_BF16, "BF16"}, {2, HW_Q4_0, "Q4_0"},
    {3, HW_Q4_1, "Q4_1"},    {6, HW_Q5_0, "Q5_0"},  {7, HW_Q5_1, "Q5_1"},  {8, HW_Q8_0, "Q8_0"},
    {12, HW_Q4_K, "Q4_K"},   {13, HW_Q5_K, "Q5_K"}, {14, HW_Q6_K, "Q6_K"}, {34, HW_TQ1_0, "TQ1_0"},
    {35, HW_TQ2_0, "TQ2_0"}, {9, -1, "Q8_1"},       {10, -1, "Q2_K"},      {11, -1, "Q3_K"},
    {15, -1, "Q8_K"},        {16, -1, "IQ2_XXS"},   {17, -1, "IQ2_XS"},    {18, -1, "IQ3_XXS"},
    {19, -1, "IQ1_S"},       {20, -1, "IQ4_NL"},    {21, -1, "IQ3_S"},     {22, -1, "IQ2_S"},
    {23, -1, "IQ4_XS"},      {24, -1, "I8"},        {25, -1, "I16"},       {26, -1, "I32"},
    {27, -1, "I64"},         {28, -1, "F64"},       {29, -1, "IQ1_M"},     {39, -1, "MXFP4"},
};

const char *hw_ggml_type_name(uint32_t ggml_type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].ggml_type == ggml_type)
            return types[i].name;
    }
    return NULL;
}

static bool find_dtype(const struct importer *im, const struct hw_gguf_tensor *t,
                       enum hw_dtype *dtype)
{
    char name[32];
    snprintf(name, sizeof name, "type %lu", (unsigned long)t->ggml_type);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].ggml_type != t->ggml_type)
            continue;
        if (types[i].dtype >= 0) {
            *dtype = (enum hw_dtype)types[i].dtype;
            return true;
        }
        snprintf(name, sizeof name, "%s", types[i].name);
    }
    return hw_fail(im->err,
                   "%s: tensor %.*s: storage type, expected F32, F16, BF16, Q8_0, Q4_0, "
                   "Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, TQ1_0 or TQ2_0 (llama-quantize "
                   "--allow-requantize %s OUT.gguf Q8_0 makes one), got %s",
                   im->file, (int)t->name.len, t->name.bytes, im->file, name);
}

// The data of a tensor of `bytes` bytes, which is marked as used. NULL: not in the file.
static const uint8_t *map_bytes(struct importer *im, const struct hw_gguf_tensor *t, uint64_t bytes)
{
    const struct hw_file *file = im->gguf.file;
    size_t data_bytes = file->size > im->gguf.data_start ? file->size - im->gguf.data_start : 0;
    if (t->offset > data_bytes || bytes > data_bytes - t->offset) {
        hw_fail(im->err, "%s: tensor %.*s: data, expected %llu bytes from %llu on, got %zu in all",
                im->file, (int)t->name.len, t->name.bytes, (unsigned long long)bytes,
                (unsigned long long)t->offset, data_bytes);
        return NULL;
    }
    im->used[t - im->gguf.tensors] = true;
    im->extents[im->n_used++] = (struct extent){t->name, t->offset, bytes};
    return file->data + im->gguf.data_start + t->offset;
}

// The name of a key of the family: "llama.block_count". Returns buf.
enum { KEY_SIZE = 96 };
static const char *family_key(const struct importer *im, const char *name, char buf[KEY_SIZE])
{
    snprintf(buf, KEY_SIZE, "%s.%s", im->family->name, name);
    return buf;
}

// A key of the family; *value stays where the file has none.
static bool key_int(const struct importer *im, const char *name, int *value)
{
    char key[KEY_SIZE];
    return hw_gguf_int(&im->gguf, family_key(im, name, key), value, im->err);
}

static bool key_real(const struct importer *im, const char *name, double *value)
{
    char key[KEY_SIZE];
    return hw_gguf_real(&im->gguf, family_key(im, name, key), value, im->err);
}

// A key that every file of the family has: without it the computation is not known.
static bool has_key(const struct importer *im, const char *name)
{
    char key[KEY_SIZE];
    return hw_gguf_find(&im->gguf, family_key(im, name, key)) ||
           hw_fail(im->err, "%s: key %s: expected a number, got nothing", im->file, key);
}

static bool need_int(const struct importer *im, const char *name, int *value)
{
    return has_key(im, name) && key_int(im, name, value);
}

static bool key_string(const struct importer *im, const char *name, struct hw_text *value)
{
    char key[KEY_SIZE];
    return hw_gguf_string(&im->gguf, family_key(im, name, key), value, im->err);
}

// Fails where the file asks for a computation that the machine does not do.
static bool check_features(struct importer *im)
{
    const struct hw_gguf *g = &im->gguf;
    struct hw_text architecture = {"", 0};
    int split_count = 1, expert_count = 0;
    if (!hw_gguf_string(g, "general.architecture", &architecture, im->err) ||
        !hw_gguf_int(g, "split.count", &split_count, im->err))
        return false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (hw_text_is(architecture, families[i].name))
            im->family = &families[i];
    }
    if (!im->family)
        return hw_fail(im->err,
                       "%s: key general.architecture: expected llama, qwen2 or qwen3, got %.*s "
                       "(this machine is RMSNorm, RoPE, grouped heads, SwiGLU; no converter makes "
                       "one from another)",
                       im->file, (int)(architecture.len < 64 ? architecture.len : 64),
                       architecture.bytes);
    snprintf(im->where, sizeof im->where, "%s keys", im->family->name);
    if (split_count > 1)
        return hw_fail(im->err,
                       "%s: key split.count: expected one file (llama-gguf-split "
                       "--merge), got a part of %d",
                       im->file, split_count);
    if (!key_int(im, "expert_count", &expert_count))
        return false;
    if (expert_count > 0)
        return hw_fail(im->err, "%s: key %s.expert_count: expected 0 (a dense model), got %d",
                       im->file, im->family->name, expert_count);
    return true;
}

static bool read_bos(const struct importer *im, struct hw_config *c)
{
    struct hw_special special;
    if (!hw_special_of_gguf(&im->gguf, c->vocab_size, &special, im->err))
        return false;
    c->bos = hw_special_first(&special);
    return true;
}

// Rotation slowed down by one factor, by one for each pair (a tensor that converters of Llama 3.1
// and later write), or by both, as llama.cpp reads the keys.
static bool read_rope(struct importer *im, struct hw_config *c)
{
    const struct hw_gguf *g = &im->gguf;
    const struct hw_gguf_tensor *freqs = hw_gguf_find_tensor(g, "rope_freqs.weight");
    struct hw_text type = {"linear", 6};
    double factor = 1.0;
    int half = c->head_dim / 2;
    if (!key_string(im, "rope.scaling.type", &type) ||
        !key_real(im, "rope.scale_linear", &factor) ||
        !key_real(im, "rope.scaling.factor", &factor))
        return false;
    if (hw_text_is(type, "none") || (factor >= 0.0 && factor <= 0.0))
        factor = 1.0;
    else if (!hw_text_is(type, "linear"))
        return hw_fail(im->err,
                       "%s: key %s.rope.scaling.type: expected none or linear, got "
                       "%.*s",
                       im->file, im->family->name, type.len < 64 ? (int)type.len : 64, type.bytes);
    if (freqs && (freqs->ggml_type != 0 || freqs->dims[0] != (uint64_t)half ||
                  freqs->dims[1] != 1 || freqs->dims[2] != 1 || freqs->dims[3] != 1))
        return hw_fail(im->err,
                       "%s: tensor rope_freqs.weight: expected F32 [%d], got another type "
                       "or shape",
                       im->file, half);
    const uint8_t *data = freqs ? map_bytes(im, freqs, 4 * (uint64_t)half) : NULL;
    if (im->err->set)
        return false;
    bool scaled = data || factor < 1.0 || factor > 1.0;
    for (int i = 0; scaled && i < half; i++)
        if (!hw_config_scale_rope(c, i, factor * (data ? hw_load_f32(data + 4 * i) : 1.0f),
                                  im->file, im->where, im->err))
            return false;
    return true;
}

// Keys of the family that change what a layer computes, and the values that leave it as it is.
static const struct {
    const char *name;
    double neutral[2];
} FORMULA_NUMBERS[] = {
    {"attention.clamp_kqv", {0.0, 0.0}},
    {"attention.max_alibi_bias", {0.0, 0.0}},
    {"attn_logit_softcapping", {0.0, 0.0}},
    {"final_logit_softcapping", {0.0, 0.0}},
    {"logit_scale", {0.0, 1.0}},
    {"embedding_scale", {0.0, 1.0}},
    {"residual_scale", {0.0, 1.0}},
    {"rope.scaling.attn_factor", {1.0, 1.0}},
};
static const struct {
    const char *name;
    bool neutral;
} FORMULA_FLAGS[] = {{"attention.causal", true}, {"use_parallel_residual", false}};

static bool is_neutral_number(const struct importer *im, const char *name, double a, double b)
{
    char key[KEY_SIZE], other[32] = "";
    double value = a;
    if (!key_real(im, name, &value))
        return false;
    if (fabs(value - a) <= 1e-6 * fabs(a) || fabs(value - b) <= 1e-6 * fabs(b))
        return true;
    if (a < b)
        snprintf(other, sizeof other, " or %g", b);
    return hw_fail(im->err, "%s: key %s: expected %g%s, which changes nothing, got %g", im->file,
                   family_key(im, name, key), a, other, value);
}

static bool is_neutral_flag(const struct importer *im, const char *name, bool neutral)
{
    char key[KEY_SIZE];
    bool value = neutral;
    if (!hw_gguf_bool(&im->gguf, family_key(im, name, key), &value, im->err))
        return false;
    return value == neutral || hw_fail(im->err, "%s: key %s: expected %s, got %s", im->file, key,
                                       neutral ? "true" : "false", value ? "true" : "false");
}

static bool check_formula(const struct importer *im, const struct hw_config *c)
{
    for (size_t i = 0; i < sizeof FORMULA_FLAGS / sizeof FORMULA_FLAGS[0]; i++)
        if (!is_neutral_flag(im, FORMULA_FLAGS[i].name, FORMULA_FLAGS[i].neutral))
            return false;
    for (size_t i = 0; i < sizeof FORMULA_NUMBERS / sizeof FORMULA_NUMBERS[0]; i++)
        if (!is_neutral_number(im, FORMULA_NUMBERS[i].name, FORMULA_NUMBERS[i].neutral[0],
                               FORMULA_NUMBERS[i].neutral[1]))
            return false;
    return is_neutral_number(im, "attention.scale", 0.0, 1.0 / sqrt(c->head_dim));
}

static bool read_config(const struct importer *im, struct hw_config *c)
{
    const struct hw_gguf *g = &im->gguf;
    const struct hw_gguf_tensor *embed = hw_gguf_find_tensor(g, "token_embd.weight");
    if (!embed || embed->dims[1] > INT32_MAX)
        return hw_fail(im->err, "%s: tensor token_embd.weight: expected [vocab_size][dim], got %s",
                       im->file, embed ? "an absurd shape" : "nothing");
    c->vocab_size = (int)embed->dims[1];
    c->rope_base = 10000.0;
    if (!need_int(im, "embedding_length", &c->dim) ||
        !need_int(im, "feed_forward_length", &c->hidden_dim) ||
        !need_int(im, "block_count", &c->n_layers) ||
        !need_int(im, "attention.head_count", &c->n_heads) ||
        !need_int(im, "context_length", &c->seq_len) ||
        !key_real(im, "rope.freq_base", &c->rope_base))
        return false;
    c->n_kv_heads = c->n_heads;
    if (c->n_heads > 0 && c->dim % c->n_heads == 0)
        c->head_dim = c->dim / c->n_heads;
    if (!key_int(im, "attention.head_count_kv", &c->n_kv_heads) ||
        !key_int(im, "attention.key_length", &c->head_dim) ||
        !has_key(im, "attention.layer_norm_rms_epsilon") ||
        !key_real(im, "attention.layer_norm_rms_epsilon", &c->norm_eps) || !read_bos(im, c) ||
        !hw_config_check(c, im->file, im->where, im->err))
        return false;

    int rope_dim = c->head_dim, value_dim = c->head_dim, window = 0;
    if (!key_int(im, "rope.dimension_count", &rope_dim) ||
        !key_int(im, "attention.value_length", &value_dim) ||
        !key_int(im, "attention.sliding_window", &window))
        return false;
    if (rope_dim != c->head_dim || value_dim != c->head_dim)
        return hw_fail(im->err,
                       "%s: %s: rope.dimension_count and attention.value_length, "
                       "expected head_dim %d, got %d and %d",
                       im->file, im->where, c->head_dim, rope_dim, value_dim);
    for (int l = 0; l < c->n_layers; l++) // the converters write it where all layers have it
        c->windowed[l] = window > 0;
    c->qkv_bias = im->family->qkv_bias;
    c->qk_norm = im->family->qk_norm;
    if (!check_formula(im, c))
        return false;
    return window == 0 || hw_config_set_window(c, window, im->file, im->where, im->err);
}

static const char *gguf_name(enum hw_tensor_id id, int layer, char name[MAX_TENSOR_NAME])
{
    if (hw_tensor_is_global(id))
        snprintf(name, MAX_TENSOR_NAME, "%s", hw_tensor_info[id].gguf);
    else
        snprintf(name, MAX_TENSOR_NAME, "blk.%d.%s", layer, hw_tensor_info[id].gguf);
    return name;
}

static bool map_tensor(struct importer *im, enum hw_tensor_id id, int layer)
{
    char name[MAX_TENSOR_NAME];
    const struct hw_gguf_tensor *t = hw_gguf_find_tensor(&im->gguf, gguf_name(id, layer, name));
    int rows, cols;
    enum hw_dtype dtype = HW_F32;
    hw_tensor_shape(&im->model->config, id, &rows, &cols);
    if (!t)
        return hw_fail(im->err, "%s: tensor %s: expected [%d][%d], got nothing", im->file, name,
                       rows, cols);
    bool vector = cols == 1; // an element a row here, one row in the file
    if (t->dims[0] != (uint64_t)(vector ? rows : cols) ||
        t->dims[1] != (uint64_t)(vector ? 1 : rows) || t->dims[2] != 1 || t->dims[3] != 1)
        return hw_fail(im->err,
                       "%s: tensor %s: shape, expected [%d][%d], got [%llu][%llu]"
                       "[%llu][%llu]",
                       im->file, name, rows, cols, (unsigned long long)t->dims[3],
                       (unsigned long long)t->dims[2], (unsigned long long)t->dims[1],
                       (unsigned long long)t->dims[0]);
    if (!find_dtype(im, t, &dtype))
        return false;
    if (cols % hw_dtype_block(dtype) != 0)
        return hw_fail(im->err,
                       "%s: tensor %s: row length, expected a multiple of %d for %s, got "
                       "%d",
                       im->file, name, hw_dtype_block(dtype), hw_dtype_name(dtype), cols);

    size_t row_bytes = hw_dtype_row_bytes(dtype, cols);
    const uint8_t *data = map_bytes(im, t, (uint64_t)rows * row_bytes);
    if (!data)
        return false;
    *hw_model_tensor(im->model, id, layer) = (struct hw_tensor){
        .data = data,
        .row_bytes = row_bytes,
        .dtype = dtype,
        .rotate_half = im->family->rotate_half && hw_tensor_info[id].rotated,
    };
    return true;
}

static int compare_extents(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

// Behind the last tensor, by where it is, there is at most what fills it up to the alignment.
static bool check_end(const struct importer *im)
{
    const struct hw_gguf *g = &im->gguf;
    const struct extent *last = &im->extents[im->n_used - 1]; // token_embd.weight at least
    uint64_t mask = g->alignment - 1, end = g->data_start + last->offset + last->bytes;
    uint64_t most = g->data_start + ((last->offset + last->bytes + mask) & ~mask);
    return g->file->size <= most ||
           hw_fail(im->err,
                   "%s: end: file size, expected %llu bytes (%llu with padding), got %zu: what "
                   "follows the last tensor is no part of the model",
                   im->file, (unsigned long long)end, (unsigned long long)most, g->file->size);
}

// Every tensor of the file has been mapped, and no two share bytes.
static bool check_coverage(struct importer *im)
{
    for (size_t i = 0; i < im->gguf.n_tensors; i++) {
        const struct hw_text name = im->gguf.tensors[i].name;
        if (!im->used[i])
            return hw_fail(im->err,
                           "%s: tensor %.*s: expected only the tensors of a %s model, got one "
                           "that would be left out",
                           im->file, (int)name.len, name.bytes, im->family->name);
    }
    qsort(im->extents, im->n_used, sizeof *im->extents, compare_extents);
    for (size_t i = 1; i < im->n_used; i++) {
        const struct extent *a = &im->extents[i - 1], *b = &im->extents[i];
        if (b->offset - a->offset < a->bytes)
            return hw_fail(im->err,
                           "%s: tensor %.*s: data, expected after byte %llu where %.*s "
                           "ends, got %llu",
                           im->file, (int)b->name.len, b->name.bytes,
                           (unsigned long long)(a->offset + a->bytes), (int)a->name.len,
                           a->name.bytes, (unsigned long long)b->offset);
    }
    return check_end(im);
}

static bool map_all(struct importer *im)
{
    struct hw_config *c = &im->model->config;
    c->tied = !hw_gguf_find_tensor(&im->gguf, "output.weight");
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
            continue;
        int n = hw_tensor_layers(c, (enum hw_tensor_id)id);
        for (int layer = 0; layer < n; layer++)
            if (!map_tensor(im, (enum hw_tensor_id)id, layer))
                return false;
    }
    if (!check_coverage(im))
        return false;
    c->tied = c->tied || hw_model_output_is_embedding(im->model);
    return true;
}

bool hw_import_gguf(struct hw_model *model, struct hw_error *err)
{
    struct importer im = {.model = model, .err = err, .file = model->files[0].path};
    if (!hw_gguf_open(&im.gguf, &model->files[0], err))
        return false;
    model->format = im.gguf.version == 2 ? "GGUF v2" : "GGUF v3";
    im.used = calloc(im.gguf.n_tensors + 1, sizeof *im.used);
    im.extents = calloc(im.gguf.n_tensors + 1, sizeof *im.extents);
    bool ok = im.used && im.extents ? true : hw_fail(err, "%s: open: out of memory", im.file);
    ok = ok && check_features(&im) && read_config(&im, &model->config) &&
         read_rope(&im, &model->config) && hw_model_alloc_tensors(model, err) && map_all(&im);
    free(im.used);
    free(im.extents);
    hw_gguf_close(&im.gguf);
    return ok;
}
