// SPDX-License-Identifier: Apache-2.0
// How a matrix becomes codes, chosen once for each: rounded to the nearest level of the codebook,
// rounded with the errors compensated (GPTQ), found again where weights are levels already (trained
// on them, or natively ternary), or taken from tuning.
#ifndef HW_ROUNDER_H
#define HW_ROUNDER_H

#include "gen/quant/matrix.h"

// The codes of one row, plane 0 first.
struct hw_row_codes {
    uint8_t *at;
    size_t stride; // from plane to plane
    int n_planes, code_bits;
};
void hw_put_code(const struct hw_row_codes *codes, int column, int k);

// A matrix on its way to codes.
struct hw_rounding {
    const struct hw_quantizer *z;
    struct hw_source *src;
    struct hw_codebook codebook;
    const struct hw_gptq *gptq; // or NULL
    struct hw_row_codes codes;  // of the row at hand
    struct hw_rounded *record;  // where scales and normalized weights go, or NULL
    double *row;                // [n_in] scratch
};

struct hw_rounder {
    bool compensated; // y->gptq is needed
    bool fits;        // the codebook may be fitted to the weights (where one plane holds it)
    // Sets y->codebook, and src->bits where the codebook decides them.
    bool (*codebook)(struct hw_rounding *y);
    // An estimate of row r's real scale, to choose the base shift that all rows share.
    double (*estimate)(const struct hw_rounding *y, int r, const float *w);
    // The scale word of row r under that shift; the real scale of its codes in *scale.
    uint16_t (*scale)(const struct hw_rounding *y, int r, const float *w, int shift, double *scale);
    // Fills y->codes with row r. Returns the squared error of its product over calibration text.
    double (*row)(struct hw_rounding *y, int r, const float *w, double scale);
};

const struct hw_rounder *hw_rounder_of(const struct hw_quantizer *z, const struct hw_source *src);

#endif
