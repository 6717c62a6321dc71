// SPDX-License-Identifier: Apache-2.0
// Published figures of hardwired systems beside what the model computes for them. Systems and
// figures are rows of the nodes file; a few constants are fitted to rows marked so, the rest test.
#ifndef HW_CALIBRATION_H
#define HW_CALIBRATION_H

#include <jansson.h>

#include "gen/cost/nodes.h"

// A list of objects: system, result, published, predicted, ratio (predicted over published), role
// ("fitted", "geometry", "input", "bound", "test"), source, why. NULL: a row of the file is wrong.
json_t *hw_calibration(const struct hw_nodes *nodes, const char *path, struct hw_error *err);
void hw_calibration_print(const json_t *rows);

// The article's claims, each with what is computed and from which constants: claim, published,
// computed, from.
json_t *hw_article(const struct hw_nodes *nodes, const char *path, struct hw_error *err);
void hw_article_print(const json_t *lines);

#endif
