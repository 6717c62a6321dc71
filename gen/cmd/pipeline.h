// SPDX-License-Identifier: Apache-2.0
// From a request to a plan, the way of emit, plan and sim.
#ifndef HW_PIPELINE_H
#define HW_PIPELINE_H

#include "gen/chip/plan.h"
#include "gen/cmd/request.h"

// Reads the model or makes one up, cuts its context, fits the geometry (or takes that of --fabric)
// and lays the model out. r->geometry becomes the one that is fit. On success the caller frees plan
// and q; on failure there is nothing to free.
bool hw_prepare(struct hw_request *r, struct hw_qmodel *q, struct hw_plan *plan,
                struct hw_error *err);

#endif
