// SPDX-License-Identifier: Apache-2.0
// An emitted directory as its manifest describes it.
#ifndef HW_DESIGN_H
#define HW_DESIGN_H

#include "gen/chip/plan.h"
#include "gen/error.h"

struct hw_design {
    char slice[96];
    struct hw_geometry geometry; // the shape and widths; capacities are those fitted to the model
    struct hw_plan plan;
};

// Reads dir/manifest.json and plans the same design again from the model. False where there is
// no manifest, or where it is of another model.
bool hw_design_open(struct hw_design *d, const char *dir, const struct hw_qmodel *q,
                    struct hw_error *err);
// Gives the model the context that the design was made with, where that is shorter, and its
// rotation tables the fabric's cut.
bool hw_design_set_context(const char *dir, struct hw_qmodel *q, struct hw_error *err);
void hw_design_close(struct hw_design *d);

// Number of files that are not what was generated (SHA-256); each is named on stderr. -1: the
// manifest cannot be read.
int hw_design_tampered(const char *dir, struct hw_error *err);

#endif
