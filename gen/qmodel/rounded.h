// SPDX-License-Identifier: Apache-2.0
// A matrix as the quantizer rounds it, in real numbers and in the rows' order of the ROM:
// weight [r][c] is scale[r] * the codebook's value nearest to normalized[r][c].
#ifndef HW_ROUNDED_H
#define HW_ROUNDED_H

#include "gen/qmodel/codebook.h"
#include "gen/read/model.h"

struct hw_rounded {
    enum hw_tensor_id tensor;
    int layer, n_out, n_in;
    bool interleaved; // rows of HW_W_GATE and HW_W_UP in turn
    bool even;        // the codebook's steps must stay equal: several planes
    struct hw_codebook codebook;
    double *scale;     // [n_out]
    float *normalized; // [n_out][n_in], weight / scale before rounding
};

// Embedding, classifier (where untied, else empty), then the matrices of each layer (arch.h).
enum { HW_ROUNDED_EMBED, HW_ROUNDED_HEAD, HW_ROUNDED_LAYERS };

static inline int hw_rounded_count(const struct hw_config *c)
{
    return HW_ROUNDED_LAYERS + HW_N_MATRICES * c->n_layers;
}

#endif
