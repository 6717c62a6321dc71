// SPDX-License-Identifier: Apache-2.0
// Ranges of the float model's tensors over calibration text.
#ifndef HW_CALIBRATE_H
#define HW_CALIBRATE_H

#include "gen/float_model.h"

struct hw_ranges {
    int n_layers;
    // Largest magnitude, [HW_N_FLOAT_TAPS][n_layers] (layer 0 for tensors outside layers).
    float *max[HW_N_FLOAT_TAPS];
    // Mean square by channel of what the matrices read: ATTN_IN, ATTN, FFN_IN, HIDDEN, HEAD_IN;
    // [n_layers][width], NULL for other tensors.
    double *square[HW_N_FLOAT_TAPS];
};

// Runs the tokens (cut into sequences at BOS and at the context's end). tokens NULL: the model
// writes its own text from BOS, n_tokens of it, by sampling with a fixed seed.
bool hw_calibrate(struct hw_float *f, const struct hw_config *c, const int *tokens, int n_tokens,
                  struct hw_ranges *ranges, struct hw_error *err);
void hw_ranges_free(struct hw_ranges *ranges);

#endif
