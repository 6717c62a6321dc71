// SPDX-License-Identifier: Apache-2.0
// The real value of one step of every tensor of a layer, and the shifts between them: what
// calibration decides before anything is rounded. Pure functions.
#ifndef HW_UNITS_H
#define HW_UNITS_H

#include "gen/float/calibrate.h"

// The unit in which `max` reaches the end of `bits` bits, with a little headroom.
double hw_unit_for(double max, int bits);

// The unit of a residual of `bits` bits: calibration's largest value reaches a quarter.
double hw_residual_unit(const struct hw_calibration *calibration, int bits);
double hw_residual_max(const struct hw_calibration *calibration);

struct hw_layer_units {
    double residual;
    double attn_norm, ffn_norm; // of the activations that the matrices behind these norms read
    double k_row, q_row, v;     // of the rows of K, Q and V as the array leaves them
    double k, q;                // behind the norms of heads, before the rotation
    double attn;                // of attention's result
    double wo_in, down_in;      // of what wo and down read: behind the sub-norms, where there are
    double up, hidden;          // of the up rows, of SwiGLU's result
    int score_shift, att_shift, hidden_shift;
};

struct hw_layer_units hw_layer_units(const struct hw_config *c, const struct hw_widths *w,
                                     const struct hw_calibration *calibration, int layer,
                                     double residual);

#endif
