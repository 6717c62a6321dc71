// SPDX-License-Identifier: Apache-2.0
// What differs between the polygons of two layouts.
#ifndef HW_LAYOUT_DIFF_H
#define HW_LAYOUT_DIFF_H

#include <stdio.h>

#include "gen/error.h"
#include "gen/layout/pdk.h"

// Flattens every macro of A/rom.gds and B/rom.gds and prints, for each layer of each macro, how
// many shapes only one of them has. *n_layers: layers that differ anywhere. False, and nothing
// about layers, where the macros are not the same, or a file is none that hardwire writes.
// picture: not NULL gets the corner of the first macro, as SVG.
bool hw_layout_diff(const char *a, const char *b, const struct hw_pdk *pdk, FILE *to, FILE *picture,
                    int *n_layers, struct hw_error *err);

#endif
