// SPDX-License-Identifier: Apache-2.0
// The verbs of the program. The exit status of each: 0 done, 1 bad input or failed check (already
// reported), 2 bad usage.
#ifndef HW_CMD_H
#define HW_CMD_H

#include "gen/chip/plan.h"
#include "gen/cosim_options.h"
#include "gen/error.h"

extern const struct hw_verb HW_VERB_INSPECT, HW_VERB_QUANTIZE, HW_VERB_PLAN, HW_VERB_EMIT,
    HW_VERB_RUN, HW_VERB_SIM;

// What emit, plan and sim are asked for.
struct hw_request {
    struct hw_geometry geometry;
    const char *input, *output, *slice, *templates, *shape, *lane, *target, *fabric;
    int ctx; // a shorter context than the model's, or 0
    int clock_mhz;
    int bits, wide_bits, code_bits; // of weights without a quantized model
    bool icarus, json, quiet, keep;
    bool made_up; // no quantized model: a shape, or (plan) a checkpoint, with random weights
    struct hw_ask ask;
    struct hw_cosim_options cosim;
    char home[4200]; // where templates points if none are given
};
extern const struct hw_option HW_GEOMETRY_OPTIONS[]; // of struct hw_geometry
extern const struct hw_option HW_DESIGN_OPTIONS[];   // of struct hw_request: emit, plan, sim
extern const struct hw_option HW_SHAPE_OPTIONS[];    // of struct hw_request: emit, plan

// Reads the arguments of emit, plan or sim. Returns -1 to go on, otherwise the exit status.
int hw_parse_request(const struct hw_verb *verb, int argc, char **argv, struct hw_request *r);
// Reads the model and lays it out. On success the caller frees plan and q.
bool hw_prepare(struct hw_request *r, struct hw_qmodel *q, struct hw_plan *plan,
                struct hw_error *err);

// The directory that holds sim/ and rtl_templates/.
const char *hw_home(void);

struct hw_sim_request {
    const char *design, *model; // emitted directory, quantized model
    bool icarus;
    char **args; // [n_args] for the co-simulation
    int n_args;
};
// Whether make and the shell can take the design's path and that of this program's folder: no
// space, quote or other sign of theirs.
bool hw_simulate_paths(const char *design, struct hw_error *err);
// Compiles the design and runs it against the reference; the exit status of that.
int hw_simulate(const struct hw_sim_request *request, struct hw_error *err);

#endif
