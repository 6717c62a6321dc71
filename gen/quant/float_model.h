// SPDX-License-Identifier: Apache-2.0
// The checkpoint evaluated in float: what quantization starts from and is measured against.
#ifndef HW_FLOAT_MODEL_H
#define HW_FLOAT_MODEL_H

#include "gen/read/model.h"

// Tensors an observer sees, in the order of the computation.
enum hw_float_tap {
    HW_FLOAT_RESIDUAL,   // [dim], after the embedding and after every addition
    HW_FLOAT_ATTN_IN,    // [dim], normed
    HW_FLOAT_K,          // [n_kv_heads * head_dim], rotated
    HW_FLOAT_Q,          // [n_heads * head_dim], rotated
    HW_FLOAT_V,          // [n_kv_heads * head_dim]
    HW_FLOAT_ATTN_SIDE,  // [n_heads * head_dim], before its norm, only where sub_norm
    HW_FLOAT_ATTN,       // [n_heads * head_dim], what wo reads
    HW_FLOAT_FFN_IN,     // [dim], normed
    HW_FLOAT_GATE,       // [hidden_dim]
    HW_FLOAT_UP,         // [hidden_dim]
    HW_FLOAT_HIDDEN_SIDE, // [hidden_dim], before its norm, only where sub_norm
    HW_FLOAT_HIDDEN,     // [hidden_dim], what down reads
    HW_FLOAT_HEAD_IN,    // [dim], normed
    HW_FLOAT_LOGITS,     // [vocab_size]
    HW_N_FLOAT_TAPS
};

typedef void hw_float_observer(void *user, enum hw_float_tap tap, int layer, const float *v, int n);

struct hw_float; // weights in memory, KV cache of one sequence

// Loads the weights. NULL: out of memory, *err says so.
struct hw_float *hw_float_new(const struct hw_model *model, struct hw_error *err);
void hw_float_free(struct hw_float *f);
void hw_float_observe(struct hw_float *f, hw_float_observer *fn, void *user);

// Rows [rows][cols] of a tensor as loaded.
const float *hw_float_tensor(const struct hw_float *f, enum hw_tensor_id id, int layer);
// The same, to be rescaled in place.
float *hw_float_edit(struct hw_float *f, enum hw_tensor_id id, int layer);

// One token; positions in order from 0. Logits [vocab_size], valid until the next call. The same
// bits on every machine: IEEE basic operations in a fixed order.
const float *hw_float_forward(struct hw_float *f, int token, int pos);

#endif
