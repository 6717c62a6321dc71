// SPDX-License-Identifier: Apache-2.0
// A matrix as the quantizer rounds it, in real numbers and in the rows' order of the ROM:
// weight [r][c] is scale[r] * the grid's value nearest to place[r][c].
#ifndef HW_ROUNDED_H
#define HW_ROUNDED_H

#include "gen/quant/grids.h"
#include "gen/read/model.h"

struct hw_rounded {
    enum hw_tensor_id tensor;
    int layer, n_out, n_in;
    bool interleaved; // rows of HW_W_GATE and HW_W_UP in turn
    bool even;        // the grid's steps must stay equal: several planes
    struct hw_grid grid;
    double *scale; // [n_out]
    float *place;  // [n_out][n_in], where the weight lies among the levels
};

// Embedding, classifier (where untied, else empty), then the matrices of each layer (arch.h).
enum { HW_ROUNDED_EMBED, HW_ROUNDED_HEAD, HW_ROUNDED_LAYERS };

static inline int hw_rounded_count(const struct hw_config *c)
{
    return HW_ROUNDED_LAYERS + HW_N_MATRICES * c->n_layers;
}

#endif
