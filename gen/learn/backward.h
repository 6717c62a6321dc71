// SPDX-License-Identifier: Apache-2.0
// A window of tokens through the float model at once, forwards and backwards: what tuning needs. Of
// every family but those with sub_norm. The same bits on every machine: IEEE basic operations in a
// fixed order.
#ifndef HW_BACKWARD_H
#define HW_BACKWARD_H

#include "gen/read/model.h"

// A float for every weight of a model (or its gradient): [n_layers][rows][cols] of each tensor.
struct hw_params {
    float *tensor[HW_N_TENSORS]; // HW_OUTPUT is NULL where tied
};

size_t hw_params_size(const struct hw_config *c, enum hw_tensor_id id); // of one layer, in floats
int hw_params_layers(const struct hw_config *c, enum hw_tensor_id id);
bool hw_params_new(struct hw_params *p, const struct hw_config *c, struct hw_error *err);
void hw_params_free(struct hw_params *p);
void hw_params_clear(struct hw_params *p, const struct hw_config *c);
void hw_params_add(struct hw_params *sum, const struct hw_params *p, const struct hw_config *c);
float *hw_params_at(const struct hw_params *p, const struct hw_config *c, enum hw_tensor_id id,
                    int layer);

struct hw_window; // every activation of a window

// Bytes that a window of `length` tokens takes, and one set of parameters.
double hw_window_bytes(const struct hw_config *c, int length);
double hw_params_bytes(const struct hw_config *c);

// length: 1..seq_len. NULL: out of memory.
struct hw_window *hw_window_new(const struct hw_config *c, int length, struct hw_error *err);
void hw_window_free(struct hw_window *w);

// Positions 0..n-1 of a sequence. Returns the logits [n][vocab_size], valid until the next call.
const float *hw_window_forward(struct hw_window *w, const struct hw_params *p, const int *tokens,
                               int n);
// After a forward pass with the same *p: adds to *grad the gradient of a loss whose gradient
// by the logits is d_logits [n][vocab_size].
void hw_window_backward(struct hw_window *w, const struct hw_params *p, const float *d_logits,
                        struct hw_params *grad);

#endif
