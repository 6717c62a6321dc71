// SPDX-License-Identifier: Apache-2.0
// The geometry as manifest.json has it, and how a model is put on a fabric that exists: with its
// geometry, capacities and all, the fabric comes out byte for byte and only constants are new.
#ifndef HW_FABRIC_H
#define HW_FABRIC_H

#include <jansson.h>

#include "gen/chip/plan.h"

// A new object. NULL: out of memory.
json_t *hw_fabric_json(const struct hw_geometry *g);
// The geometry of an emitted design, from its manifest.json.
bool hw_fabric_read(struct hw_geometry *g, const char *design, struct hw_error *err);
// *g, fitted to a model (hw_geometry_fit), becomes the fabric's. An error: what the fabric is made
// for differs (lanes, widths, dimension of heads), or a capacity is less than the model needs.
bool hw_fabric_take(struct hw_geometry *g, const struct hw_geometry *fabric, struct hw_error *err);

#endif
