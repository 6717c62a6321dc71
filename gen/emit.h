// SPDX-License-Identifier: Apache-2.0
// Writes a plan as a directory: fabric/ (a function of the geometry alone), personality/ (ROMs),
// manifest.json. The directory appears complete or not at all.
#ifndef HW_EMIT_H
#define HW_EMIT_H

#include "gen/plan.h"

struct hw_emit_options {
    const char *templates; // directory of the hand-written Verilog
    const char *top;       // "chip" or "slice"
};

bool hw_emit(const struct hw_plan *plan, const struct hw_emit_options *options, const char *dir,
             struct hw_error *err);

#endif
