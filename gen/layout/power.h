// SPDX-License-Identifier: Apache-2.0
// The power of a macro: vertical straps in the process's uppermost layer of a macro, in pairs of
// power and ground, over the whole height, and what leads from them down to the wires of metal 2
// at the columns' ends. A flow's power grid meets them from above. A function of the array's size.
#ifndef HW_POWER_H
#define HW_POWER_H

#include "gen/layout/array.h"

enum hw_supply { HW_POWER, HW_GROUND, HW_N_SUPPLIES };

// In the array's coordinates, nm.
struct hw_power {
    const struct hw_array *a;
    int n;      // pairs
    int y0, y1; // of the straps: lower and upper edge of the macro
    int right;  // end of what runs across: the array's, or that of a pair which is wider
};

struct hw_power hw_power_make(const struct hw_array *a);
// The strap of pair i.
struct hw_box hw_power_strap(const struct hw_power *p, int i, enum hw_supply supply);
const char *hw_power_name(enum hw_supply supply); // VPWR, VGND
// Cells that all arrays of the process share.
void hw_power_write_parts(struct hw_out *out, const struct hw_pdk *pdk);
// Into the array's cell.
void hw_power_write(struct hw_out *out, const struct hw_power *p);

#endif
