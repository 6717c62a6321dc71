// SPDX-License-Identifier: Apache-2.0
// A quantized model of given dimensions with random integers: to plan and emit what is not at hand.
#ifndef HW_SYNTHETIC_H
#define HW_SYNTHETIC_H

#include "gen/error.h"
#include "refmodel/qmodel.h"

// "dim,hidden_dim,n_layers,n_heads,n_kv_heads,vocab_size,seq_len", tied. False: no such shape.
bool hw_parse_shape(const char *text, struct hw_config *c, struct hw_error *err);

// Fills *q (freed by hw_qmodel_free): uniform codes from a fixed seed, constant scales and gains.
bool hw_qmodel_synthetic(const struct hw_config *c, const struct hw_widths *widths, int bits,
                         struct hw_qmodel *q, struct hw_error *err);

#endif
