// SPDX-License-Identifier: Apache-2.0
// The checkpoint evaluated in float: what quantization starts from and is measured against.
#ifndef HW_FLOAT_MODEL_H
#define HW_FLOAT_MODEL_H

#include "gen/read/model.h"

// Tensors an observer sees, in the order of the computation.
enum hw_float_tap {
    HW_FLOAT_RESIDUAL,    // [dim], after the embedding and after every addition
    HW_FLOAT_ATTN_NORM,   // [dim], normed
    HW_FLOAT_K_ROW,       // [n_kv_heads * head_dim], before the norms of heads, only where qk_norm
    HW_FLOAT_K,           // [n_kv_heads * head_dim], rotated
    HW_FLOAT_Q_ROW,       // [n_heads * head_dim], before the norms of heads, only where qk_norm
    HW_FLOAT_Q,           // [n_heads * head_dim], rotated
    HW_FLOAT_V,           // [n_kv_heads * head_dim]
    HW_FLOAT_ATTN_SIDE,   // [n_heads * head_dim], before its norm, only where sub_norm
    HW_FLOAT_ATTN,        // [n_heads * head_dim], what wo reads
    HW_FLOAT_FFN_NORM,    // [dim], normed
    HW_FLOAT_GATE,        // [hidden_dim]
    HW_FLOAT_UP,          // [hidden_dim]
    HW_FLOAT_HIDDEN_SIDE, // [hidden_dim], before its norm, only where sub_norm
    HW_FLOAT_HIDDEN,      // [hidden_dim], what down reads
    HW_FLOAT_FINAL_NORM,  // [dim], normed
    HW_FLOAT_LOGITS,      // [vocab_size]
    HW_N_FLOAT_TAPS
};

typedef void hw_float_observer(void *user, enum hw_float_tap tap, int layer, const float *v, int n);

struct hw_float; // weights, KV cache of one sequence

// Loads the weights. NULL: out of memory, *err says so.
struct hw_float *hw_float_new(const struct hw_model *model, struct hw_error *err);
// Leaves the matrices in the checkpoint, which must stay open, and reads rows where they are
// needed; sequences of at most `positions` tokens. The same numbers.
struct hw_float *hw_float_stream(const struct hw_model *model, int positions, struct hw_error *err);
void hw_float_free(struct hw_float *f);
void hw_float_observe(struct hw_float *f, hw_float_observer *fn, void *user);

// Rows [rows][cols] of a tensor as loaded; NULL where it was left in the checkpoint, which norms
// never are.
const float *hw_float_tensor(const struct hw_float *f, enum hw_tensor_id id, int layer);
// The same, to be rescaled in place.
float *hw_float_edit(struct hw_float *f, enum hw_tensor_id id, int layer);

// A row of any tensor; buf[cols] may be used for it. Unload: its rows need no memory for now.
const float *hw_float_row(const struct hw_float *f, enum hw_tensor_id id, int layer, int row,
                          float *buf);
void hw_float_unload(const struct hw_float *f, enum hw_tensor_id id, int layer);

// w[r][c] becomes w / t[r], or w * t[c]. Of a matrix left in the checkpoint, each once at most,
// rows first.
bool hw_float_shrink_rows(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                          struct hw_error *err);
bool hw_float_scale_columns(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                            struct hw_error *err);

// One token; positions in order from 0. Logits [vocab_size], valid until the next call. The same
// bits on every machine: IEEE basic operations in a fixed order.
const float *hw_float_forward(struct hw_float *f, int token, int pos);

// n tokens, cut into sequences at BOS and at the context's end, through the model layer by layer:
// begin, every layer in order, end. The observer sees what hw_float_forward would show it, in the
// order of layers. `logits`: whether those are computed at the end.
bool hw_float_begin(struct hw_float *f, const int *tokens, int n, struct hw_error *err);
void hw_float_layer(struct hw_float *f, int layer);
bool hw_float_end(struct hw_float *f, bool logits, struct hw_error *err);

#endif
