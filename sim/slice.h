// SPDX-License-Identifier: Apache-2.0
// What goes into a slice and what must come out of it: operands captured from the reference while
// it reads a text, or random ones biased to the edges of their ranges. Knows the names of slices,
// not the programs the planner makes of them.
#ifndef HW_SLICE_H
#define HW_SLICE_H

#include "gen/error.h"
#include "sim/dut.h"
#include "sim/monitor.h"

struct hw_slice_run {
    struct dut_step *step; // [n_steps]
    int n_steps;
    // private: what the steps must produce, queued step by step
    struct hw_slice_output *output;
    int n_outputs, room;
    int *first; // [n_steps] the step's first output
    int *best;  // [n_steps] index of the largest logit, or -1
};

// tokens [n_tokens]: the text; one step a token. seed != 0: random operands instead, and the tokens
// are not looked at. False where the name is unknown or memory runs out.
bool hw_slice_prepare(struct hw_slice_run *run, const struct hw_qmodel *q, const char *name,
                      int vec, const int *tokens, int n_tokens, uint32_t seed,
                      struct hw_error *err);
void hw_slice_free(struct hw_slice_run *run);

// Queues the outputs of step `step`.
void hw_slice_expect(const struct hw_slice_run *run, int step, struct hw_monitor *m);

#endif
