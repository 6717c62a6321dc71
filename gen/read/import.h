// SPDX-License-Identifier: Apache-2.0
// Between model.c and the importers: what an opened checkpoint is, and who fills it in.
// An importer describes where each tensor lies; the weights stay in the mapping and are converted
// row by row when they are read, so that a 16 GB file costs no memory.
#ifndef HW_IMPORT_H
#define HW_IMPORT_H

#include <pthread.h>

#include "gen/read/cursor.h"
#include "gen/read/model.h"

// Names as in ggml.
enum hw_dtype {
    HW_F32,
    HW_F16,
    HW_BF16,
    HW_I8,
    HW_Q8_0,
    HW_Q4_0,
    HW_Q4_1,
    HW_Q5_0,
    HW_Q5_1, // blocks of 32
    HW_Q4_K,
    HW_Q5_K,
    HW_Q6_K, // blocks of 256
    HW_TQ1_0,
    HW_TQ2_0,   // ternary, blocks of 256
    HW_TERNARY, // ternary, four in a byte (bitllama)
    HW_N_DTYPES
};

struct hw_tensor {
    const uint8_t *data; // first row, inside one of the mappings; NULL: all elements are `constant`
    float constant;
    size_t row_bytes;
    enum hw_dtype dtype;
    // Rows of each head are stored as all first, then all second elements of the RoPE pairs
    // ("rotate half"), and reading puts them back next to each other.
    bool rotate_half;
    const uint8_t *scales; // f32 factor of every group_size elements, or NULL
    int group_size;        // 0: one factor for the whole tensor
};

// Of llama2.c's files, which say nothing of tokens; every one that is known has them so.
enum { HW_LLAMA2C_BOS = 1, HW_LLAMA2C_EOS = 2 };

// The first weight read that no model has.
struct hw_damage {
    pthread_mutex_t lock;
    bool found;
    enum hw_tensor_id id;
    int layer, row, col;
    float value;
};

struct hw_model {
    struct hw_config config;
    char *path;         // as opened
    const char *format; // a literal
    struct hw_file *files;
    int n_files;
    struct hw_tensor *tensors; // [HW_N_TENSORS][n_layers]; global tensors use layer 0
    struct hw_damage *damage;
    bool bitnet; // norms inside layers have no epsilon, matrices read 8-bit activations
};

// What a float tensor is: a row of arch.h, which has its name, shape and feature, or global; and
// its names in formats. Those of layers' tensors come behind "layers.N.", "blk.N.",
// "model.layers.N."; NULL: not in such files.
struct hw_tensor_info {
    const char *gguf, *hf;
    enum { HW_GLOBAL, HW_MATRIX, HW_NORM, HW_BIAS } of;
    int row;          // enum hw_matrix_id, hw_norm_id or hw_bias_id
    bool rotated;     // rows of heads, which formats order in two ways
    const char *half; // of gate_up: the name of this half
    const char *name; // global: what a row says else
    enum hw_length rows, cols;
    enum hw_feature where;
};
extern const struct hw_tensor_info hw_tensor_info[HW_N_TENSORS];

// Names as in Meta's checkpoints: "layers.3.attention.wq". Returns buf.
enum { HW_TENSOR_NAME_SIZE = 64 };
const char *hw_tensor_name(enum hw_tensor_id id, int layer, char buf[HW_TENSOR_NAME_SIZE]);
bool hw_tensor_is_global(enum hw_tensor_id id);
struct hw_tensor *hw_model_tensor(const struct hw_model *model, enum hw_tensor_id id, int layer);

// Attention of the layers that windowed[] names sees the last `window` positions. None does where
// the context is no longer than that. False: a window that is no number of positions.
bool hw_config_set_window(struct hw_config *c, int window, const char *file, const char *where,
                          struct hw_error *err);

// Caps and divisibility of a configuration. `where` names the place in the file.
bool hw_config_check(const struct hw_config *c, const char *file, const char *where,
                     struct hw_error *err);

// Sets the divisor of a pair's rotation, which is scaled: every pair needs one. Refuses those
// outside 1..HW_MAX_ROPE_DIVISOR, and heads of more than HW_MAX_SCALED_PAIRS pairs.
bool hw_config_scale_rope(struct hw_config *c, int pair, double divisor, const char *file,
                          const char *where, struct hw_error *err);

// Allocates model->tensors for model->config, which has been checked.
bool hw_model_alloc_tensors(struct hw_model *model, struct hw_error *err);

// Whether the classifier of an untied model is the embedding once more, as some writers store it.
bool hw_model_output_is_embedding(const struct hw_model *model);

// Each fills in config, format and tensors. The first three take a model whose files[0] is mapped,
// the last one whose path is a folder.
bool hw_import_llama2c(struct hw_model *model, struct hw_error *err);
bool hw_import_bitllama(struct hw_model *model, struct hw_error *err);
bool hw_import_gguf(struct hw_model *model, struct hw_error *err);
bool hw_import_hf(struct hw_model *model, struct hw_error *err);

// The name of a tensor type in GGUF files, whether it can be read or not; NULL: unknown.
const char *hw_ggml_type_name(uint32_t ggml_type);

// Whether a file is what its header would make it as a bitllama checkpoint, byte for byte.
bool hw_is_bitllama(const struct hw_file *file);

// gen/read/dequant.c. Elements of one block, of which a row is a multiple; bytes of a row of n
// elements; n elements at src to dst.
const char *hw_dtype_name(enum hw_dtype dtype);
int hw_dtype_block(enum hw_dtype dtype);
size_t hw_dtype_row_bytes(enum hw_dtype dtype, int n);
void hw_dequant_row(enum hw_dtype dtype, const uint8_t *src, int n, float *dst);

#endif
