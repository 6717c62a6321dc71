// SPDX-License-Identifier: Apache-2.0
// The economics of one model on one node as a document: what `plan --json` prints, what the text is
// printed from, and what the report shows. There is no second place that computes these numbers.
#ifndef HW_ECONOMICS_H
#define HW_ECONOMICS_H

#include <jansson.h>

#include "gen/cost/cost.h"

// model: the name of its shape, or "": servers that run another model are marked.
// An object: node, load, results (low, value, high), context (positions, mm2, tokens/s), swings,
// servers, volumes (dollars a million tokens by replicas, for every node), constants with sources.
// The caller drops it; NULL: out of memory.
json_t *hw_economics(const struct hw_nodes *nodes, const struct hw_constants *c,
                     const struct hw_load *load, const char *model);
// The same as lines for people.
void hw_economics_print(const json_t *economics);

#endif
