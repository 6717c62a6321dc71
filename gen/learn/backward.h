// SPDX-License-Identifier: Apache-2.0
// A window of tokens through the float model at once, forwards and backwards: what tuning needs. Of
// every family but those with sub_norm. The same bits on every machine: IEEE basic operations in a
// fixed order.
#ifndef HW_BACKWARD_H
#define HW_BACKWARD_H

#include "gen/learn/params.h"

struct hw_window; // every activation of a window

// Bytes that a window of `length` tokens takes.
double hw_window_bytes(const struct hw_config *c, int length);

// length: 1..seq_len. NULL: out of memory.
struct hw_window *hw_window_new(const struct hw_config *c, int length, struct hw_error *err);
void hw_window_free(struct hw_window *w);

// Positions 0..n-1 of a sequence. Returns the logits [n][vocab_size], valid until the next call.
const float *hw_window_forward(struct hw_window *w, const struct hw_params *p, const int *tokens,
                               int n);
// After a forward pass, whose *p has not changed: adds to *grad the gradient of a loss whose
// gradient by the logits is d_logits [n][vocab_size].
void hw_window_backward(struct hw_window *w, const float *d_logits, struct hw_params *grad);

#endif
