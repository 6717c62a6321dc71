// SPDX-License-Identifier: Apache-2.0
// Quantized models in memory.
#ifndef HW_QMODEL_MEMORY_H
#define HW_QMODEL_MEMORY_H

#include <stddef.h>

#include "gen/error.h"
#include "refmodel/qmodel.h"

// Allocates every array of *q for q->config and q->widths (planes and shifts are set by the caller
// through hw_qmatrix_alloc, or hw_qmatrix_shape where codes lie elsewhere). All free with
// hw_qmodel_free.
bool hw_qmodel_alloc(struct hw_qmodel *q, struct hw_error *err);
bool hw_qmatrix_alloc(struct hw_qmatrix *m, int n_out, int n_in, int n_planes,
                      struct hw_error *err);
bool hw_qmatrix_shape(struct hw_qmatrix *m, int n_out, int n_in, int n_planes,
                      struct hw_error *err);
void hw_qmatrix_expand(struct hw_qmatrix *m); // weight[] from codes and levels
void hw_qmodel_free(struct hw_qmodel *q);

// The codes of one row of one plane. Unload: a mapped matrix need not stay in memory for now.
void hw_qmatrix_row(const struct hw_qmatrix *m, int plane, int row, uint8_t *codes);
void hw_qmatrix_unload(const struct hw_qmatrix *m);

// Makes the context seq_len, at most the model's, and cuts positions for the rotation's two tables
// at bit lo_bits, 1..19, where a fabric is made so (0: where hw_rope_shape says). The tables
// follow.
bool hw_qmodel_set_context(struct hw_qmodel *q, int seq_len, int lo_bits, struct hw_error *err);

// n elements of `size` bytes, all zero, n = 0 too. NULL: out of memory, *err says so.
void *hw_qmodel_zeros(size_t n, size_t size, struct hw_error *err);

#endif
