// SPDX-License-Identifier: Apache-2.0
// What emit, plan and sim are asked for: a model and a geometry, from the command line.
#ifndef HW_REQUEST_H
#define HW_REQUEST_H

#include "gen/chip/geometry.h"
#include "gen/cmd/cosim_options.h"
#include "gen/cmd/cost_options.h"
#include "gen/cmd/home.h"

struct hw_request {
    struct hw_geometry geometry;
    const char *input, *output, *slice, *templates, *shape, *lane, *target, *fabric, *latency,
        *rom_macro, *ram_macro, *selftest, *bus, *tokenizer, *board;
    int ctx; // a shorter context than the model's, or 0
    int clock_mhz;
    int bits, wide_bits, code_bits; // of weights without a quantized model
    bool icarus, json, quiet, keep, blank;
    bool made_up; // no quantized model: a shape, or (plan) a checkpoint, with random weights
    struct hw_ask ask;
    struct hw_cosim_options cosim;
    struct hw_cost_options cost;
    char home[HW_HOME_PATH]; // where templates points if none are given
};
extern const struct hw_option HW_GEOMETRY_OPTIONS[]; // of struct hw_geometry
extern const struct hw_option HW_DESIGN_OPTIONS[];   // of struct hw_request: emit, plan, sim
extern const struct hw_option HW_SHAPE_OPTIONS[];    // of struct hw_request: emit, plan

// Whether --shape names a public shape (gen/cost/shapes.h) and does not give its numbers.
bool hw_shape_is_named(const struct hw_request *r);
// Reads the arguments of emit, plan or sim. Returns -1 to go on, otherwise the exit status.
int hw_parse_request(const struct hw_verb *verb, int argc, char **argv, struct hw_request *r);
// The second half of that, for a verb whose own request holds *r, set to what the options say.
int hw_complete_request(const struct hw_verb *verb, const struct hw_operands *operands,
                        struct hw_request *r);
#endif
