// SPDX-License-Identifier: Apache-2.0
// Exact rescaling of channels between neighbouring tensors, so that one step per tensor fits all
// its channels: what a norm, V, K or the FFN up rows lose by t, the matrix that reads them gains.
// The float function stays the same; the integers lose less.
#ifndef HW_BALANCE_H
#define HW_BALANCE_H

#include "gen/float/calibrate.h"
#include "gen/quant/quantize.h"

// Rescales the weights of *f in place and *ranges with them. The scale of each channel comes from
// a search over SmoothQuant's family t = peak(activation)^a / peak(weight)^b (Xiao et al. 2022)
// for the least predicted error of the rounded product.
bool hw_balance(struct hw_float *f, const struct hw_config *c, const struct hw_quantize_options *o,
                struct hw_calibration *ranges, struct hw_error *err);

#endif
