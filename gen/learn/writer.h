// SPDX-License-Identifier: Apache-2.0
// The float model writes text for its own quantization, many sequences side by side.
#ifndef HW_WRITER_H
#define HW_WRITER_H

#include <stdint.h>

#include "gen/learn/backward.h"

struct hw_writer; // keys and values of every sequence

// n sequences of `length` tokens at once.
struct hw_writer *hw_writer_new(const struct hw_config *c, const struct hw_params *p, int n,
                                int length, struct hw_error *err);
void hw_writer_free(struct hw_writer *w);
double hw_writer_bytes(const struct hw_config *c, int n, int length);

// tokens[n][length]: each begins with BOS and goes on with samples of the model's distribution;
// *seed moves on. A story may end and the next begin anywhere. logits [n][length][vocab_size]: what
// the model predicts after each token. The same on every machine.
void hw_writer_write(struct hw_writer *w, uint64_t *seed, int *tokens, float *logits);

#endif
