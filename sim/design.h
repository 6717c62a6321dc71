// SPDX-License-Identifier: Apache-2.0
// An emitted directory as its manifest describes it, planned again from the model.
#ifndef HW_DESIGN_H
#define HW_DESIGN_H

#include "gen/chip/manifest.h"
#include "gen/chip/plan.h"

struct hw_design {
    struct hw_manifest manifest;
    struct hw_geometry geometry; // the shape and widths; capacities are those fitted to the model
    struct hw_plan plan;
};

// Reads dir/manifest.json, gives the model the context that the design was made with, where that is
// shorter, splits its positions into high and low bits as the fabric's RoPE ROMs do, and plans the
// same design again. False where there is no manifest, or where it is of another model.
bool hw_design_open(struct hw_design *d, const char *dir, struct hw_qmodel *q,
                    struct hw_error *err);
void hw_design_close(struct hw_design *d);

#endif
