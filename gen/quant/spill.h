// SPDX-License-Identifier: Apache-2.0
// Codes of a quantized model on their way to its file: a row at a time into a file without a name
// in the folder of the output, so that they need no memory.
#ifndef HW_SPILL_H
#define HW_SPILL_H

#include "gen/error.h"
#include "refmodel/qmodel.h"

struct hw_spill;

// beside: the output; NULL: codes are dropped, which is enough to count bits.
struct hw_spill *hw_spill_new(const char *beside, struct hw_error *err);
void hw_spill_free(struct hw_spill *s);

// Room for the codes of *m, whose shape is set, and then its rows in any order,
// codes[n_planes][n_in]; one matrix after the other.
bool hw_spill_matrix(struct hw_spill *s, struct hw_qmatrix *m, struct hw_error *err);
bool hw_spill_row(struct hw_spill *s, int row, const uint8_t *codes, struct hw_error *err);

// Every matrix gets its codes, mapped; *q owns the mapping.
bool hw_spill_finish(struct hw_spill *s, struct hw_qmodel *q, struct hw_error *err);

#endif
