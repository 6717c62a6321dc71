// SPDX-License-Identifier: Apache-2.0
// Tuning after rounding: scales, codebooks, gains, biases and codes follow the gradient of
// the KL divergence from the float model, over text that the float model writes for itself.
#ifndef HW_TUNE_H
#define HW_TUNE_H

#include <stdio.h>

#include "gen/float/calibrate.h"
#include "gen/learn/backward.h"
#include "gen/qmodel/rounded.h"

// n_steps: of two windows each of text[n_text], over again where it is short; NULL: the float model
// writes. Changes rounded[hw_rounded_count]; *tuned receives the model they
// amount to (freed by hw_params_free). A line of progress now and then. Refuses what needs more
// than 2 GiB. The same bits on every machine, however many threads can be started.
bool hw_tune(struct hw_float *teacher, const struct hw_config *c, int n_steps, const int *text,
             int n_text, struct hw_rounded *rounded, struct hw_params *tuned, FILE *progress,
             struct hw_error *err);

// The weights a rounded matrix stands for.
void hw_rounded_weights(const struct hw_rounded *r, const struct hw_config *c, struct hw_params *p);

// Sum over n positions of the KL divergence of softmax(student) from softmax(teacher), logits
// [n][vocab_size]; student becomes its gradient by the student's logits. work: [vocab_size].
double hw_kl_divergence(const float *teacher, float *student, int n, int vocab_size, float *work);

#endif
