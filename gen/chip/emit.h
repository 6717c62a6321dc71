// SPDX-License-Identifier: Apache-2.0
// Writes a plan as a directory: fabric/ (a function of the geometry alone), personality/ (ROMs),
// filelist.f, manifest.json. The directory appears complete or not at all; an older one is complete
// until then, and is DIR.old for the moment between.
#ifndef HW_EMIT_H
#define HW_EMIT_H

#include <stdio.h>

#include "gen/chip/plan.h"
#include "gen/chip/verilog.h"

// What stands around a whole chip, in the folder bus/.
struct hw_wrapper {
    const char *name, *top; // of the bus; the module that a flow builds
    void (*write)(struct hw_out *out, const struct hw_plan *plan, const char *templates,
                  const void *data);
    const void *data;
};

enum hw_emit_mode {
    HW_EMIT_REPLACE, // an older output at `dir` goes
    HW_EMIT_KEEP,    // it stays where it is the one this would write; an error: it was, but files
                     // have changed
};

// slice: the plan's name, for the manifest. wrapper: NULL, or what stands around the chip.
// templates: directory of the hand-written Verilog. progress: not NULL is told the size before
// anything is written, and how far a long output has come. An error: anything at `dir` that is not
// an output; anything at DIR.old; a disk without room; SIGINT, SIGTERM, SIGHUP.
bool hw_emit(const struct hw_plan *plan, const char *slice, const struct hw_wrapper *wrapper,
             const char *templates, const char *dir, enum hw_emit_mode mode, FILE *progress,
             struct hw_error *err);

#endif
