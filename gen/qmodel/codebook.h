// SPDX-License-Identifier: Apache-2.0
// The integer levels that a checkpoint was trained on (models/train.c --qat --quant-out): a line
// "hardwire-quant 1", then a line a tensor, "l00.wq bits 3 levels -82 -57 ...".
#ifndef HW_CODEBOOK_H
#define HW_CODEBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/error.h"

enum { HW_CODEBOOK_MAX = 256 };

// The integers a weight can be, ascending. Several planes need equal steps.
struct hw_codebook {
    int n;
    int16_t value[HW_CODEBOOK_MAX]; // -128..127
};

// Index of the value nearest to x, the upper one of two.
int hw_codebook_nearest(const struct hw_codebook *g, double x);

struct hw_codebooks;

// NULL: unreadable, or levels out of order or range, or a count that is not 2^bits, or a tensor
// that comes twice.
struct hw_codebooks *hw_codebooks_open(const char *path, struct hw_error *err);
void hw_codebooks_close(struct hw_codebooks *g);
// NULL where the file has no such tensor.
const struct hw_codebook *hw_codebooks_find(const struct hw_codebooks *g, const char *name);

#endif
