// SPDX-License-Identifier: Apache-2.0
// A picture of polygons, as SVG.
#ifndef HW_PICTURE_H
#define HW_PICTURE_H

#include <stdio.h>

#include "gen/layout/gds_read.h"
#include "gen/layout/pdk.h"

// A corner of a macro in two layouts (sorted shapes), where the code begins: *a, and on the layer
// of the code what only a has in red, what only b has in blue.
void hw_picture_corner(FILE *to, const struct hw_pdk *pdk, const struct hw_shape *a, long long n_a,
                       const struct hw_shape *b, long long n_b);

#endif
