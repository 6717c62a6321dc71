// SPDX-License-Identifier: Apache-2.0
// Hugging Face folders of model types "llama", "mistral", "qwen2" and "qwen3": config.json and
// model.safetensors, whole or in shards. RoPE pairs lie half a head apart there, so rows of Q and K
// are read in another order. Refuses what the machine does not compute (RoPE scaled by other rules
// than linear and llama3, other biases, other activations), other storage types, tensors it would
// have to leave out, and shards outside the folder.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/import.h"
#include "gen/read/json.h"
#include "gen/read/safetensors.h"
#include "gen/read/special.h"
#include "refmodel/tables.h"

enum { MAX_SHARDS = 1024, MAX_TENSOR_NAME = 96 };

struct importer {
    struct hw_model *model;
    struct hw_safetensors tensors;
    struct hw_error *err;
    size_t n_used;
};

// Families, by model_type.
static const struct family {
    const char *name;
    bool qkv_bias, qk_norm;
    bool window;          // sliding_window counts where no use_sliding_window says otherwise
    int default_window;   // where the key is absent
    int default_head_dim; // 0: dim / n_heads
} families[] = {
    {.name = "llama"},
    {.name = "mistral", .window = true, .default_window = 4096},
    {.name = "qwen2", .qkv_bias = true, .default_window = 4096},
    {.name = "qwen3", .qk_norm = true, .default_window = 4096, .default_head_dim = 128},
};

// Llama 3.1's rule: pairs that turn less than low_freq_factor times in the old context are slowed
// down by factor, those that turn more than high_freq_factor times are not, between them it fades.
static bool read_llama3(const json_t *rope, struct hw_config *c, const char *path,
                        struct hw_error *err)
{
    static const double TWO_PI = 6.28318530717958647692;
    double factor = 0.0, low = 0.0, high = 0.0, old = 0.0;
    if (!hw_json_real(rope, "factor", &factor, path, err) ||
        !hw_json_real(rope, "low_freq_factor", &low, path, err) ||
        !hw_json_real(rope, "high_freq_factor", &high, path, err) ||
        !hw_json_real(rope, "original_max_position_embeddings", &old, path, err))
        return false;
    if (!(factor >= 1.0 && factor <= HW_MAX_ROPE_DIVISOR && low > 0.0 && high > low && old >= 1.0))
        return hw_fail(err,
                       "%s: key rope_scaling: expected factor >= 1, 0 < low_freq_factor < "
                       "high_freq_factor and original_max_position_embeddings, got %g, %g, %g, %g",
                       path, factor, low, high, old);
    const struct hw_config plain = {.head_dim = c->head_dim, .rope_base = c->rope_base};
    for (int i = 0; i < c->head_dim / 2; i++) {
        double turns = old * hw_rope_theta(&plain, i) / TWO_PI;
        double smooth = (turns - low) / (high - low);
        smooth = smooth < 0.0 ? 0.0 : smooth > 1.0 ? 1.0 : smooth;
        double share = (1.0 - smooth) / factor + smooth; // of the speed; rounding may exceed 1
        double divisor = share < 1.0 ? 1.0 / share : 1.0;
        if (!hw_config_scale_rope(c, i, divisor, path, "rope_scaling", err))
            return false;
    }
    return true;
}

// The rule by which rotation is scaled; absent or null: none.
static bool rope_type(const json_t *rope, const char *key, const char **type, const char *path,
                      struct hw_error *err)
{
    static const char *const names[] = {"rope_type", "type"}; // new, old
    char shown[HW_JSON_SHOWN];
    *type = "default";
    for (int i = 0; i < 2; i++) {
        const json_t *value = json_object_get(rope, names[i]);
        if (!value || json_is_null(value))
            continue;
        if (!json_is_string(value))
            return hw_fail(err, "%s: key %s: %s, expected text, got %s", path, key, names[i],
                           hw_json_show(value, shown));
        *type = json_string_value(value);
        return true;
    }
    return true;
}

static bool read_scaling(const json_t *rope, const char *key, struct hw_config *c, const char *path,
                         struct hw_error *err)
{
    double factor = 0.0;
    const char *type;
    if (!rope_type(rope, key, &type, path, err))
        return false;
    if (strcmp(type, "default") == 0)
        return true;
    if (strcmp(type, "llama3") == 0)
        return read_llama3(rope, c, path, err);
    if (strcmp(type, "linear") != 0)
        return hw_fail(err,
                       "%s: key %s: type, expected default (plain RoPE), linear or llama3, "
                       "got \"%.32s\"",
                       path, key, type);
    if (!hw_json_real(rope, "factor", &factor, path, err))
        return false;
    if (!(factor >= 1.0 && factor <= HW_MAX_ROPE_DIVISOR))
        return hw_fail(err, "%s: key %s: factor, expected 1..%g, got %g", path, key,
                       HW_MAX_ROPE_DIVISOR, factor);
    for (int i = 0; i < c->head_dim / 2; i++)
        if (!hw_config_scale_rope(c, i, factor, path, key, err))
            return false;
    return true;
}

static const char *const scaling_keys[] = {"rope_scaling", "rope_parameters"}; // old, new

// The parameters of rotation under one key, *rope NULL where there are none. Newer files may have
// them by kinds of layers ("full_attention": {...}): all must be the same.
static bool rope_object(const json_t *root, const char *key, const json_t **rope, const char *path,
                        struct hw_error *err)
{
    char shown[HW_JSON_SHOWN];
    const char *kind, *first = NULL;
    json_t *value;
    *rope = json_object_get(root, key);
    if (!*rope || json_is_null(*rope)) {
        *rope = NULL;
        return true;
    }
    if (!json_is_object(*rope))
        return hw_fail(err, "%s: key %s: expected an object, got %s", path, key,
                       hw_json_show(*rope, shown));
    const json_t *all = *rope;
    json_object_foreach((json_t *)(uintptr_t)all, kind, value)
    {
        if (!json_is_object(value))
            continue;
        if (first && !json_equal(*rope, value))
            return hw_fail(err,
                           "%s: key %s: expected the same for every kind of layer, got one for "
                           "%.32s and another for %.32s",
                           path, key, first, kind);
        first = first ? first : kind;
        *rope = value;
    }
    return true;
}

// RoPE's base, which newer files keep with the scaling. Every pair must be rotated.
static bool read_rope_base(const json_t *root, double *base, const char *path, struct hw_error *err)
{
    bool interleaved = false;
    double share = 1.0;
    if (!hw_json_bool(root, "rope_interleaved", &interleaved, path, err) ||
        !hw_json_real(root, "partial_rotary_factor", &share, path, err) ||
        !hw_json_real(root, "rope_theta", base, path, err))
        return false;
    for (int i = 0; i < 2; i++) {
        const json_t *rope;
        if (!rope_object(root, scaling_keys[i], &rope, path, err) ||
            (rope && (!hw_json_real(rope, "rope_theta", base, path, err) ||
                      !hw_json_real(rope, "partial_rotary_factor", &share, path, err))))
            return false;
    }
    if (share < 1.0 || share > 1.0)
        return hw_fail(err, "%s: key partial_rotary_factor: expected 1, got %g", path, share);
    return !interleaved || hw_fail(err, "%s: key rope_interleaved: expected false, got true", path);
}

// RoPE's scaling; base and head_dim have been checked.
static bool read_rope_scaling(const json_t *root, struct hw_config *c, const char *path,
                              struct hw_error *err)
{
    struct hw_config read[2];
    const json_t *rope[2];
    for (int i = 0; i < 2; i++) {
        read[i] = *c;
        if (!rope_object(root, scaling_keys[i], &rope[i], path, err) ||
            (rope[i] && !read_scaling(rope[i], scaling_keys[i], &read[i], path, err)))
            return false;
    }
    if (rope[0] && rope[1] &&
        memcmp(read[0].rope_divisor, read[1].rope_divisor, sizeof read[0].rope_divisor) != 0)
        return hw_fail(err, "%s: keys %s and %s: expected the same scaling, got different ones",
                       path, scaling_keys[0], scaling_keys[1]);
    *c = rope[1] ? read[1] : read[0];
    return true;
}

static const struct family *find_family(const json_t *root, const char *path, struct hw_error *err)
{
    const char *type = hw_json_string(root, "model_type");
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strcmp(type, families[i].name) == 0)
            return &families[i];
    }
    hw_fail(err, "%s: key model_type: expected llama, mistral, qwen2 or qwen3, got \"%.32s\"", path,
            type);
    return NULL;
}

static bool is_false(const json_t *root, const char *key, const char *path, struct hw_error *err)
{
    bool value = false;
    if (!hw_json_bool(root, key, &value, path, err))
        return false;
    return !value || hw_fail(err, "%s: key %s: expected false, got true", path, key);
}

static bool check_features(const json_t *root, const char *path, struct hw_error *err)
{
    const char *activation = hw_json_string(root, "hidden_act");
    const json_t *quantized = json_object_get(root, "quantization_config");
    if (quantized && !json_is_null(quantized))
        return hw_fail(err,
                       "%s: key quantization_config: expected a folder of floats, got one that is "
                       "quantized already (%.32s)",
                       path,
                       *hw_json_string(quantized, "quant_method")
                           ? hw_json_string(quantized, "quant_method")
                           : "no quant_method");
    if (*activation && strcmp(activation, "silu") != 0 && strcmp(activation, "swish") != 0)
        return hw_fail(err, "%s: key hidden_act: expected silu, got \"%.32s\"", path, activation);
    return is_false(root, "attention_bias", path, err) && is_false(root, "mlp_bias", path, err);
}

// Which layers have a window: those that layer_types names, or those from max_window_layers on.
static bool read_windowed(const json_t *root, const struct family *f, struct hw_config *c,
                          const char *path, struct hw_error *err)
{
    int first = f->window ? 0 : c->n_layers;
    const json_t *types = json_object_get(root, "layer_types");
    if (!f->window && !hw_json_int(root, "max_window_layers", &first, path, err))
        return false;
    for (int l = 0; l < c->n_layers; l++)
        c->windowed[l] = l >= first;
    if (!types || json_is_null(types))
        return true;
    if (!json_is_array(types) || json_array_size(types) != (size_t)c->n_layers)
        return hw_fail(err, "%s: key layer_types: expected a list of %d, one a layer", path,
                       c->n_layers);
    for (int l = 0; l < c->n_layers; l++) {
        const char *type = json_string_value(json_array_get(types, (size_t)l));
        c->windowed[l] = type && strcmp(type, "sliding_attention") == 0;
        if (!c->windowed[l] && (!type || strcmp(type, "full_attention") != 0))
            return hw_fail(err,
                           "%s: key layer_types: layer %d, expected full_attention or "
                           "sliding_attention, got \"%.32s\"",
                           path, l, type ? type : "");
    }
    return true;
}

static bool read_window(const json_t *root, const struct family *f, struct hw_config *c,
                        const char *path, struct hw_error *err)
{
    bool use = f->window;
    const json_t *value = json_object_get(root, "sliding_window");
    int window = f->default_window;
    if (window == 0) // a family without
        return true;
    if (!hw_json_bool(root, "use_sliding_window", &use, path, err))
        return false;
    if (!use || (value && json_is_null(value)))
        return true;
    return hw_json_int(root, "sliding_window", &window, path, err) &&
           read_windowed(root, f, c, path, err) &&
           hw_config_set_window(c, window, path, "sliding_window", err);
}

static bool read_config(struct hw_config *c, const char *folder, const char *path,
                        struct hw_error *err)
{
    struct hw_special special;
    json_t *root = hw_json_read(path, err);
    if (!root)
        return false;
    const struct family *family = find_family(root, path, err);
    c->rope_base = 10000.0;
    c->norm_eps = 1e-6; // the defaults of transformers' configurations, all four
    bool ok = family && check_features(root, path, err) &&
              hw_json_int(root, "hidden_size", &c->dim, path, err) &&
              hw_json_int(root, "intermediate_size", &c->hidden_dim, path, err) &&
              hw_json_int(root, "num_hidden_layers", &c->n_layers, path, err) &&
              hw_json_int(root, "num_attention_heads", &c->n_heads, path, err) &&
              hw_json_int(root, "vocab_size", &c->vocab_size, path, err) &&
              hw_json_int(root, "max_position_embeddings", &c->seq_len, path, err) &&
              hw_json_real(root, "rms_norm_eps", &c->norm_eps, path, err) &&
              hw_json_bool(root, "tie_word_embeddings", &c->tied, path, err) &&
              read_rope_base(root, &c->rope_base, path, err);
    c->n_kv_heads = c->n_heads;
    if (c->n_heads > 0 && c->dim % c->n_heads == 0)
        c->head_dim = c->dim / c->n_heads;
    if (family && family->default_head_dim)
        c->head_dim = family->default_head_dim;
    ok = ok && hw_json_int(root, "num_key_value_heads", &c->n_kv_heads, path, err) &&
         hw_json_int(root, "head_dim", &c->head_dim, path, err) &&
         hw_config_check(c, path, "config", err) &&
         hw_special_of_folder(folder, NULL, c->vocab_size, &special, err) &&
         read_rope_scaling(root, c, path, err) && read_window(root, family, c, path, err);
    if (ok) {
        c->bos = hw_special_first(&special);
        c->qkv_bias = family->qkv_bias;
        c->qk_norm = family->qk_norm;
    }
    json_decref(root);
    return ok;
}

// Maps folder/name as the next file of the model.
static bool add_file(struct importer *im, const char *name)
{
    struct hw_model *model = im->model;
    char *path = hw_path_join(model->path, name, im->err);
    struct hw_file *grown =
        realloc(model->files, ((size_t)model->n_files + 1) * sizeof *model->files);
    if (grown)
        model->files = grown;
    bool ok = path && (grown ? true : hw_fail(im->err, "%s: out of memory", model->path)) &&
              hw_file_map(&model->files[model->n_files], path, im->err);
    if (ok)
        model->n_files++;
    free(path);
    return ok;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Maps every file that the index names, in order of names.
static bool add_shards(struct importer *im, const json_t *root, const char *path)
{
    const json_t *map = json_object_get(root, "weight_map");
    const char **names = calloc(json_object_size(map) + 1, sizeof *names);
    size_t n = 0;
    bool ok = names ? true : hw_fail(im->err, "%s: out of memory", path);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        const char *name = json_string_value(value);
        if (ok && (!name || strchr(name, '/') || name[0] == '.' || !strstr(name, ".safetensors")))
            ok = hw_fail(im->err,
                         "%s: weight_map %.64s: expected a .safetensors file of this "
                         "folder, got \"%.64s\"",
                         path, key, name ? name : "");
        if (ok)
            names[n++] = name;
    }
    if (ok && n == 0)
        ok = hw_fail(im->err, "%s: weight_map: expected file names, got none", path);
    if (ok)
        qsort(names, n, sizeof *names, compare_strings);
    for (size_t i = 0; ok && i < n; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        ok = im->model->n_files < MAX_SHARDS
                 ? add_file(im, names[i])
                 : hw_fail(im->err,
                           "%s: weight_map: number of files, expected at most %d, got "
                           "more",
                           path, MAX_SHARDS);
    }
    free(names);
    return ok;
}

static bool map_files(struct importer *im)
{
    char *path = hw_path_join(im->model->path, "model.safetensors.index.json", im->err);
    if (!path)
        return false;
    bool ok;
    if (hw_path_exists(path)) {
        json_t *root = hw_json_read(path, im->err);
        ok = root && add_shards(im, root, path);
        json_decref(root);
    } else {
        ok = add_file(im, "model.safetensors");
    }
    free(path);
    return ok;
}

static bool find_dtype(const struct importer *im, const struct hw_safetensor *t,
                       enum hw_dtype *dtype)
{
    static const enum hw_dtype known[] = {HW_F32, HW_F16, HW_BF16};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(t->dtype, hw_dtype_name(known[i])) == 0) {
            *dtype = known[i];
            return true;
        }
    return hw_fail(im->err, "%s: tensor %s: dtype, expected F32, F16 or BF16, got \"%.16s\"",
                   t->file->path, t->name, t->dtype);
}

static bool map_tensor(struct importer *im, enum hw_tensor_id id, int layer)
{
    char name[MAX_TENSOR_NAME];
    int rows, cols;
    enum hw_dtype dtype = HW_F32;
    hw_tensor_shape(&im->model->config, id, &rows, &cols);
    if (hw_tensor_is_global(id))
        snprintf(name, sizeof name, "%s", hw_tensor_info[id].hf);
    else
        snprintf(name, sizeof name, "model.layers.%d.%s", layer, hw_tensor_info[id].hf);
    const struct hw_safetensor *t = hw_safetensors_find(&im->tensors, name);
    if (!t)
        return hw_fail(im->err, "%s: tensor %s: expected [%d][%d], got nothing", im->model->path,
                       name, rows, cols);
    bool vector = rows == 1 || cols == 1;
    if (t->n_dims != (vector ? 1 : 2) || t->dims[0] != (rows == 1 ? cols : rows) ||
        t->dims[1] != (vector ? 1 : cols))
        return hw_fail(im->err,
                       "%s: tensor %s: shape, expected [%d][%d], got %d dimensions "
                       "[%lld][%lld]",
                       t->file->path, name, rows, cols, t->n_dims, (long long)t->dims[0],
                       (long long)t->dims[1]);
    if (!find_dtype(im, t, &dtype))
        return false;
    size_t row_bytes = hw_dtype_row_bytes(dtype, cols);
    if (t->end - t->begin != (uint64_t)rows * row_bytes)
        return hw_fail(im->err, "%s: tensor %s: data_offsets, expected %llu bytes, got %llu",
                       t->file->path, name, (unsigned long long)rows * row_bytes,
                       (unsigned long long)(t->end - t->begin));
    *hw_model_tensor(im->model, id, layer) = (struct hw_tensor){
        .data = t->data,
        .row_bytes = row_bytes,
        .dtype = dtype,
        .rotate_half = hw_tensor_info[id].rotated,
    };
    im->n_used++;
    return true;
}

// Whether a tensor may be left out: RoPE frequencies, which follow from the configuration.
static bool is_spare(const char *name)
{
    return hw_ends_with(name, ".self_attn.rotary_emb.inv_freq");
}

static bool check_coverage(const struct importer *im)
{
    size_t n_spare = 0;
    for (size_t i = 0; i < im->tensors.n_tensors; i++)
        n_spare += is_spare(im->tensors.tensors[i].name);
    // Names are unique and each was mapped once, so counting is enough.
    return im->n_used + n_spare == im->tensors.n_tensors ||
           hw_fail(im->err,
                   "%s: tensors: expected the %zu of the configuration, got %zu (biases, "
                   "quantization or more layers?)",
                   im->model->path, im->n_used, im->tensors.n_tensors - n_spare);
}

static bool map_all(struct importer *im)
{
    struct hw_config *c = &im->model->config;
    bool said_tied = c->tied;
    c->tied = said_tied && !hw_safetensors_find(&im->tensors, "lm_head.weight");
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
    if (said_tied && !c->tied) { // the classifier is in the file all the same
        c->tied = hw_model_output_is_embedding(im->model);
        if (!c->tied)
            hw_note("%s: tie_word_embeddings is true, but lm_head.weight is not the embedding: it "
                    "is kept",
                    im->model->path);
    }
    return true;
}

bool hw_import_hf(struct hw_model *model, struct hw_error *err)
{
    struct importer im = {.model = model, .err = err};
    model->format = "Hugging Face safetensors";
    char *path = hw_path_join(model->path, "config.json", err);
    bool ok = path && read_config(&model->config, model->path, path, err) && map_files(&im) &&
              hw_model_alloc_tensors(model, err) &&
              hw_safetensors_open(&im.tensors, model->files, (size_t)model->n_files, err);
    if (ok) {
        ok = map_all(&im);
        hw_safetensors_close(&im.tensors);
    }
    free(path);
    return ok;
}
