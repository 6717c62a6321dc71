// SPDX-License-Identifier: Apache-2.0
// Writes a plan as a directory: fabric/ (a function of the geometry alone), personality/ (ROMs),
// filelist.f, manifest.json. The directory appears complete or not at all.
#ifndef HW_EMIT_H
#define HW_EMIT_H

#include "gen/plan.h"

// slice: the plan's name, for the manifest. templates: directory of the hand-written Verilog.
// An older output at `dir` is replaced; anything else there is an error.
bool hw_emit(const struct hw_plan *plan, const char *slice, const char *templates, const char *dir,
             struct hw_error *err);

#endif
