// SPDX-License-Identifier: Apache-2.0
// A design of ours, compiled with a simulator and run beside the reference.
#ifndef HW_SIMULATE_H
#define HW_SIMULATE_H

#include <stdbool.h>

#include "gen/error.h"

enum { HW_MOST_SIM_ARGS = 32 };

struct hw_sim_request {
    const char *design, *model; // emitted directory, quantized model
    bool icarus;
    char **args; // [n_args] for the co-simulation
    int n_args;  // up to HW_MOST_SIM_ARGS
};
// Whether make and the shell can take the design's path and that of this program's folder: no
// space, quote or other sign of theirs.
bool hw_simulate_paths(const char *design, struct hw_error *err);
// Compiles the design and runs it against the reference; the exit status of that.
int hw_simulate(const struct hw_sim_request *request, struct hw_error *err);

#endif
