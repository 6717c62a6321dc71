// SPDX-License-Identifier: Apache-2.0
// The float model writes text for its own quantization, many sequences side by side.
#ifndef HW_BATCH_SAMPLER_H
#define HW_BATCH_SAMPLER_H

#include <stdint.h>

#include "gen/learn/backward.h"

struct hw_batch_sampler; // keys and values of every sequence

// n sequences of `length` tokens at once.
struct hw_batch_sampler *hw_batch_sampler_new(const struct hw_config *c, const struct hw_params *p,
                                              int n, int length, struct hw_error *err);
void hw_batch_sampler_free(struct hw_batch_sampler *w);
double hw_batch_sampler_bytes(const struct hw_config *c, int n, int length);

// tokens[n][length]: each begins with BOS and goes on with samples of the model's distribution;
// *seed moves on. A story may end and the next begin anywhere. logits [n][length][vocab_size]: what
// the model predicts after each token. The same on every machine.
void hw_batch_sampler_run(struct hw_batch_sampler *w, uint64_t *seed, int *tokens, float *logits);

#endif
