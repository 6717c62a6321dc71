// SPDX-License-Identifier: Apache-2.0
// What a co-simulation is asked for: options that `hardwire sim` takes and hands on to the program
// that holds the simulated design.
#ifndef HW_COSIM_OPTIONS_H
#define HW_COSIM_OPTIONS_H

#include "gen/options.h"
#include "gen/text/session.h"

struct hw_cosim_options {
    const char *tokenizer, *json;
    int count;     // tokens a turn, or steps of a slice
    int clock_mhz; // at which tokens/s are stated; 0: they are not
    int random;    // seed of a slice's operands; 0: captured from the reference
    int stalls;    // seed of pauses of the streams; 0: none
    int reset_at;  // clock of a reset; 0: none
    int repeat;    // further times that the same prompt is sent
    bool no_taps, quiet;
};

// Whether the summary, where one is asked for, goes outside of the design.
bool hw_cosim_json_check(const struct hw_cosim_options *o, const char *design,
                         struct hw_error *err);

extern const struct hw_option HW_ASK_OPTIONS[];   // of struct hw_ask
extern const struct hw_option HW_COSIM_OPTIONS[]; // of struct hw_cosim_options

#endif
