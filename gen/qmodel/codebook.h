// SPDX-License-Identifier: Apache-2.0
// The codebooks that a checkpoint was trained on (models/train.c --qat --quant-out): a line
// "hardwire-quant 2", then a line a matrix of the quantized model with its levels, ascending:
// "layers.0.attention.wq bits 3 levels -82 -57 ...".
#ifndef HW_CODEBOOK_H
#define HW_CODEBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/error.h"

enum { HW_CODEBOOK_MAX = 256 };

// The levels, integers that a weight can be, ascending. Several planes need equal steps.
struct hw_codebook {
    int n;
    int16_t value[HW_CODEBOOK_MAX]; // -128..127
};

// Index of the value nearest to x, the upper one of two.
int hw_codebook_nearest(const struct hw_codebook *g, double x);

struct hw_codebooks;

// NULL: unreadable, or levels out of order or range, or a count that is not 2^bits, or a matrix
// that comes twice.
struct hw_codebooks *hw_codebooks_open(const char *path, struct hw_error *err);
void hw_codebooks_close(struct hw_codebooks *g);
// NULL where the file has no such matrix.
const struct hw_codebook *hw_codebooks_find(const struct hw_codebooks *g, const char *name);

#endif
