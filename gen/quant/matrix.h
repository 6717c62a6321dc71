// SPDX-License-Identifier: Apache-2.0
// One matrix from float to codes: its codebook, a scale a row, rounding.
#ifndef HW_MATRIX_H
#define HW_MATRIX_H

#include "gen/qmodel/rounded.h"
#include "gen/quant/gptq.h"
#include "gen/quant/quantize.h"
#include "gen/quant/spill.h"

// What quantization of a model works with.
struct hw_quantizer {
    const struct hw_quantize_options *o;
    const struct hw_config *c;
    struct hw_float *f;
    struct hw_evaluation how;
    struct hw_calibration *r;
    struct hw_moments moments; // of the layer at hand, where rounding is error-compensated
    struct hw_spill *spill;    // where codes go; NULL: they stay in memory
    int *text, n_text;         // what calibration ran
    struct hw_qmodel *q;
    struct hw_error *err;
    FILE *progress;
    int *bits;                      // [hw_rounded_count] of every matrix
    struct hw_rounded *record;      // [hw_rounded_count] to be filled for tuning, or NULL
    const struct hw_rounded *tuned; // [hw_rounded_count] take codes and scales from here, or NULL
};

// A float matrix with what the quantizer must know of its surroundings.
struct hw_source {
    const char *name;
    int n_out, n_in;
    enum hw_tensor_id tensor;
    int layer;
    bool interleaved;   // rows of HW_W_GATE and HW_W_UP in turn
    double in_unit;     // real value of one step of the input
    double act_unit;    // step of the activations that feed the matrix; in_unit but for the
                        // embedding, whose input is a token
    double out_unit[2]; // of the output; [1] for odd rows of an interleaved matrix
    enum hw_float_tap input;
    int bits;
    int index;            // among the model's matrices, HW_ROUNDED_EMBED...
    const double *weight; // [n_in] importance of each column (mean square of the input)
};

// Allocates *m and fills it; prints its line where progress is asked for.
bool hw_quantize_matrix(const struct hw_quantizer *z, struct hw_source *src, struct hw_qmatrix *m);

#endif
