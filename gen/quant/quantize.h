// SPDX-License-Identifier: Apache-2.0
// Float checkpoint to integer machine: calibration, scales, codes.
#ifndef HW_QUANTIZE_H
#define HW_QUANTIZE_H

#include <stdio.h>

#include "gen/qmodel/codebook.h"
#include "gen/read/model.h"
#include "refmodel/qmodel.h"

struct hw_quantize_options {
    struct hw_widths widths; // res_bits 0: chosen, 20 and more where the residual has outliers
    int weight_bits;         // of every matrix, 2..8
    int head_bits;           // of embedding and classifier; 0: as weight_bits
    const struct hw_codebooks *codebooks; // those the checkpoint was trained on: its codes are
                                          // recovered; NULL: weight_bits decides
    bool ternary;    // keep the codes of a natively ternary model's layers (hw_model_is_ternary);
                     // weight_bits is not asked, and head_bits 0 means 8
    double rom_bits; // the most that all ROMs may hold (gen/learn/budget.h): planes are chosen; 0:
                     // not so
    double max_loss; // the most that perplexity may grow, in percent: planes are chosen; 0: not so
    bool nearest;    // round each weight for itself, instead of error-compensated
    int tune_steps;  // after rounding (gen/learn/tune.h); 0: no tuning
    const int *calib_tokens; // calibration text as tokens, its beginning for ranges, all for
                             // tuning; NULL: the model writes its own
    int n_calib_tokens;
    FILE *progress; // a line per tensor and a summary, or NULL
    bool stream;    // leave weights in the checkpoint and codes on the disk, as is done where the
                    // weights take more than 256 MB; the same integers. Not with tune or planes
    const char *output; // streamed codes lie beside it; NULL: they are dropped
};

void hw_quantize_defaults(struct hw_quantize_options *options);

// Fills *q (allocated here, freed by hw_qmodel_free; streamed: without weights).
// Deterministic: the same model and options give the same integers on any machine with IEEE
// doubles. Refuses options out of range, tokens outside the vocabulary, and models whose
// activations are not finite or whose gains or eps have no fixed-point form.
bool hw_quantize(const struct hw_model *model, const struct hw_quantize_options *options,
                 struct hw_qmodel *q, struct hw_error *err);

// Bits of all ROMs of the whole chip, padding to a geometry left out; *weights: of its matrices.
double hw_rom_bits(const struct hw_qmodel *q, double *weights);

#endif
