// SPDX-License-Identifier: Apache-2.0
// The checkpoint evaluated in float: what quantization starts from and is measured against.
#ifndef HW_FLOAT_MODEL_H
#define HW_FLOAT_MODEL_H

#include "gen/float/layer.h"

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

// A token drawn from softmax(logits[n]), by a 64-bit congruential generator.
int hw_float_sample(const float *logits, int n, uint64_t *seed);

// n tokens, cut into sequences at BOS and at the context's end, through the model layer by layer:
// begin, every layer in order, end. The observer sees what hw_float_forward would show it, in the
// order of layers. `logits`: whether those are computed at the end.
bool hw_float_begin(struct hw_float *f, const int *tokens, int n, struct hw_error *err);
void hw_float_layer(struct hw_float *f, int layer);
bool hw_float_end(struct hw_float *f, bool logits, struct hw_error *err);

#endif
