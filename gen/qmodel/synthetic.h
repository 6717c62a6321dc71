// SPDX-License-Identifier: Apache-2.0
// A quantized model of given dimensions with random integers: to plan and emit what is not at hand.
#ifndef HW_SYNTHETIC_H
#define HW_SYNTHETIC_H

#include "gen/error.h"
#include "refmodel/arch.h"
#include "refmodel/qmodel.h"

// "dim,hidden_dim,n_layers,n_heads,n_kv_heads,vocab_size,seq_len", tied; or with ",untied" behind
// it. False: no such shape.
bool hw_parse_shape(const char *text, struct hw_config *c, struct hw_error *err);

// Fills *q (freed by hw_qmodel_free): constant scales and gains, codes that hw_synthetic_row makes
// when they are asked for. The embedding, the classifier, wk and wv have wide_bits, the others
// bits.
bool hw_synthetic_is_wide(enum hw_matrix_id id);
bool hw_qmodel_synthetic(const struct hw_config *c, const struct hw_widths *widths, int bits,
                         int wide_bits, struct hw_qmodel *q, struct hw_error *err);

// A row of a synthetic matrix. With S = ceil(n_in / 16), the codes of columns 16 k to 16 k + 15 are
// the nibbles, lowest first, each cut to code_bits, of h(seed + ((plane * n_out + row) * S + k + 1)
// * G) mod 2^64; h and G are those of splitmix64. seed: code_bits + 8 * (1 + the matrix's index in
// the weight ROM).
void hw_synthetic_row(const struct hw_qmatrix *m, int plane, int row, uint8_t *codes);

#endif
