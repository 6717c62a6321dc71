// SPDX-License-Identifier: Apache-2.0
// What the float model's tensors look like over calibration text, channel by channel.
#ifndef HW_CALIBRATE_H
#define HW_CALIBRATE_H

#include "gen/float/float_model.h"

struct hw_calibration {
    int n_layers, n_seen;            // n_seen: tokens observed
    int width[HW_N_FLOAT_TAPS];      // channels of a tap
    float *peak[HW_N_FLOAT_TAPS];    // [n_layers][width] largest magnitude
    double *square[HW_N_FLOAT_TAPS]; // [n_layers][width] mean square
    double residual_inverse; // mean of 1 / root mean square, over residual vectors; times one step
                             // of the residual it is the relative rounding error
};                           // HW_FLOAT_FINAL_NORM and HW_FLOAT_LOGITS: one layer

int hw_float_tap_width(const struct hw_config *c, enum hw_float_tap tap);

// Runs the tokens (cut into sequences at BOS and at the context's end) and fills *ranges. tokens
// NULL: the model writes its own text from BOS, n_tokens of it, by sampling with a fixed seed.
// ran[n_tokens], unless NULL, receives what was run.
bool hw_calibrate(struct hw_float *f, const struct hw_config *c, const int *tokens, int n_tokens,
                  int *ran, struct hw_calibration *ranges, struct hw_error *err);
void hw_calibration_free(struct hw_calibration *ranges);

// One layer's channels (layer 0 for tensors outside layers), and their largest magnitude.
float *hw_calibration_peak(const struct hw_calibration *ranges, enum hw_float_tap tap, int layer);
double *hw_calibration_square(const struct hw_calibration *ranges, enum hw_float_tap tap,
                              int layer);
double hw_calibration_max(const struct hw_calibration *ranges, enum hw_float_tap tap, int layer);

#endif
