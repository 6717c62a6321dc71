// SPDX-License-Identifier: Apache-2.0
// What plan and report share: the economics of a plan, or of a public shape by its name.
#ifndef HW_COST_REQUEST_H
#define HW_COST_REQUEST_H

#include "gen/cmd/request.h"
#include "gen/cost/economics.h"
#include "gen/cost/shapes.h"

// The shape that --shape names, NULL where it is none of hw_shape_at().
const struct hw_shape *hw_cost_shape(const struct hw_request *r);
// Whether the nodes file and the node are there: asked before anything is printed. Without --node
// there is nothing to ask for.
bool hw_cost_check(const struct hw_request *r, struct hw_error *err);
// The load of a plan, or of the named shape where plan is NULL, on r's geometry, which is filled.
bool hw_cost_load(struct hw_request *r, const struct hw_plan *plan, struct hw_load *load,
                  bool *exact, struct hw_error *err);
// The economics as a document, or NULL. Without --users: as many as there are chips.
json_t *hw_cost_document(const struct hw_request *r, struct hw_load *load, struct hw_error *err);
// plan --shape NAME; --shape list; the exit status.
int hw_cost_shape_plan(struct hw_request *r);
// plan --article, plan --calibration; the exit status.
int hw_cost_tables(const struct hw_request *r);

#endif
