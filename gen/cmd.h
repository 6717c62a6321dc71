// SPDX-License-Identifier: Apache-2.0
// The verbs of the program. Each takes its own argv (argv[0] is the verb) and returns the exit
// status: 0 done, 1 bad input or failed check (already reported), 2 bad usage.
#ifndef HW_CMD_H
#define HW_CMD_H

#include "gen/chip/plan.h"
#include "gen/error.h"

int hw_cmd_inspect(int argc, char **argv);
int hw_cmd_quantize(int argc, char **argv);
int hw_cmd_plan(int argc, char **argv);
int hw_cmd_emit(int argc, char **argv);
int hw_cmd_run(int argc, char **argv);
int hw_cmd_sim(int argc, char **argv);

// What emit, plan and sim are asked for.
struct hw_request {
    struct hw_geometry geometry;
    const char *input, *output, *slice, *templates, *shape, *lane, *target, *fabric;
    int ctx; // a shorter context than the model's, or 0
    int clock_mhz;
    int bits, wide_bits, code_bits; // of weights without a quantized model
    bool icarus, json, quiet, keep;
    bool made_up;   // no quantized model: a shape, or (plan) a checkpoint, with random weights
    char *args[32]; // of the co-simulation, "--name=value"
    int n_args;
};
// Returns -1 to go on, otherwise the exit status.
int hw_parse_request(int argc, char **argv, const char *help, struct hw_request *r);
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

// Prints "hardwire: error: ..." and returns 1.
int hw_report(const struct hw_error *err);
// Prints what is wrong with the arguments of `verb` and returns 2.
int hw_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Parses a decimal integer in low..high; false otherwise.
bool hw_parse_int(const char *text, int low, int high, int *value);
// The same of a decimal number; not a number lies in no range.
bool hw_parse_real(const char *text, double low, double high, double *value);

#endif
