// SPDX-License-Identifier: Apache-2.0
// A float checkpoint, memory-mapped: shapes and a way to read any row of any tensor as float.
// Formats differ only behind this header. Rows are [n_out][n_in], RoPE pairs interleaved.
#ifndef HW_MODEL_H
#define HW_MODEL_H

#include <stddef.h>

#include "gen/error.h"
#include "refmodel/qmodel.h"

enum hw_tensor_id {
    HW_TOK_EMBED,     // [vocab_size][dim]
    HW_OUTPUT,        // [vocab_size][dim], only when not tied
    HW_OUTPUT_NORM,   // [1][dim]
    HW_ATTN_NORM,     // per layer [1][dim]
    HW_WQ,            // per layer [n_heads * head_dim][dim]
    HW_WK,            // per layer [n_kv_heads * head_dim][dim]
    HW_WV,            // per layer [n_kv_heads * head_dim][dim]
    HW_WO,            // per layer [dim][n_heads * head_dim]
    HW_FFN_NORM,      // per layer [1][dim]
    HW_W_GATE,        // per layer [hidden_dim][dim]   (llama2.c w1)
    HW_W_UP,          // per layer [hidden_dim][dim]   (llama2.c w3)
    HW_W_DOWN,        // per layer [dim][hidden_dim]   (llama2.c w2)
    HW_ATTN_SUB_NORM, // per layer [1][n_heads * head_dim], only where sub_norm
    HW_FFN_SUB_NORM,  // per layer [1][hidden_dim], only where sub_norm
    HW_BQ,            // per layer [n_heads * head_dim][1], only where qkv_bias
    HW_BK,            // per layer [n_kv_heads * head_dim][1], only where qkv_bias
    HW_BV,            // per layer [n_kv_heads * head_dim][1], only where qkv_bias
    HW_Q_NORM,        // per layer [head_dim][1], only where qk_norm
    HW_K_NORM,        // per layer [head_dim][1], only where qk_norm
    HW_N_TENSORS
};

// What attention takes of a layer's normed input: a matrix, and where a family has them (the
// others' tensors do not exist) a bias, then a norm over each head, then the rotation.
enum { HW_N_PROJECTIONS = 3 };
extern const struct hw_projection {
    enum hw_tensor_id matrix, bias, norm; // norm: HW_N_TENSORS, none in any family
    bool rotated;
} hw_projection[HW_N_PROJECTIONS]; // queries, keys, values

struct hw_model; // opaque

// Opens a checkpoint, a file or a Hugging Face folder (format found by content). Returns NULL
// and fills *err on bad input.
struct hw_model *hw_model_open(const char *path, struct hw_error *err);
void hw_model_close(struct hw_model *model);
const struct hw_config *hw_model_config(const struct hw_model *model);
const char *hw_model_format(const struct hw_model *model); // "llama2.c v0", "GGUF v3", ...

// Makes the context shorter than the checkpoint's.
bool hw_model_set_context(struct hw_model *model, int seq_len, struct hw_error *err);

// Texts begin with this token, as a tokenizer says, whatever the checkpoint does.
bool hw_model_set_bos(struct hw_model *model, int token, struct hw_error *err);

// Whether the tensor is a matrix, not a vector of gains or biases.
bool hw_tensor_is_matrix(enum hw_tensor_id id);

// Whether a model of this configuration has the tensor.
bool hw_tensor_exists(const struct hw_config *c, enum hw_tensor_id id);

// How many of the tensor a model has, if any: one, or one a layer.
int hw_tensor_layers(const struct hw_config *c, enum hw_tensor_id id);

// Whose rows make the logits.
enum hw_tensor_id hw_classifier_tensor(const struct hw_config *c);

// Natively ternary: every matrix of every layer is stored as -1, 0, +1 times one factor a row, so
// that 2 bits a weight lose nothing. Embedding and classifier are not asked.
bool hw_model_is_ternary(const struct hw_model *model);

// How the model's authors evaluate it, where that is not what the Llama paper says.
struct hw_evaluation {
    double layer_eps; // epsilon of the norms inside layers
    bool int8_act;    // what a layer's matrix reads is first rounded to 8 bits, its largest
                      // magnitude becoming 127
};
struct hw_evaluation hw_model_evaluation(const struct hw_model *model);

// Shape of a tensor, the same for every layer.
void hw_tensor_shape(const struct hw_config *c, enum hw_tensor_id id, int *rows, int *cols);

// Weights of a larger magnitude, or none that is a number, are damage: checkpoints' are below 1e5.
#define HW_MAX_WEIGHT 1e7f

// Copies row `row` of tensor `id` of layer `layer` (0 for global ones) to dst[cols]. Damaged
// weights are read as 0 and remembered.
void hw_model_row(const struct hw_model *model, enum hw_tensor_id id, int layer, int row,
                  float *dst);

// Whether no row that was read has been damaged; an error names the first weight that is.
bool hw_model_sound(const struct hw_model *model, struct hw_error *err);

// The tensor's bytes in the file need not stay in memory for now.
void hw_model_unload(const struct hw_model *model, enum hw_tensor_id id, int layer);

#endif
