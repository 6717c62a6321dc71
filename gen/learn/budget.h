// SPDX-License-Identifier: Apache-2.0
// Which matrix deserves how many planes: the KL divergence from the float model that each costs
// when it alone is rounded, measured over text that the float model writes, against its ROM bits.
#ifndef HW_BUDGET_H
#define HW_BUDGET_H

#include <stdio.h>

#include "gen/float/float_model.h"
#include "gen/learn/backward.h"
#include "gen/qmodel/rounded.h"

enum { HW_MAX_WIDTHS = 4 }; // 1..4 planes

struct hw_budget {
    const struct hw_config *c;
    int code_bits, n_widths;                   // width k is (k + 1) * code_bits bits, at most 8
    struct hw_rounded *rounded[HW_MAX_WIDTHS]; // [hw_rounded_count] every matrix at every width
    double *loss;    // [hw_rounded_count][HW_MAX_WIDTHS] KL divergence a token
    int *planes;     // [hw_rounded_count] the choice
    double together; // KL divergence of all matrices as chosen, rounded at once
};

// Rows, level tables and codes of a matrix.
double hw_matrix_rom_bits(int n_out, int n_in, int planes, int code_bits);
// Gains, rotation, program: what no choice changes. Padding to a geometry is not counted.
double hw_other_rom_bits(const struct hw_config *c);

// Measures b->loss and chooses b->planes (both allocated by the caller). rom_bits: the most that
// matrices and all else may take, or 0; max_loss: the most that perplexity may grow, in percent, at
// the fewest bits, or 0. False where no choice will do, or memory is short.
bool hw_budget_choose(struct hw_budget *b, const struct hw_float *f, double rom_bits,
                      double max_loss, FILE *progress, struct hw_error *err);

#endif
