// SPDX-License-Identifier: Apache-2.0
// What other tools and people see of the macros.
#ifndef HW_VIEWS_H
#define HW_VIEWS_H

#include "gen/layout/layout.h"

// macros.lef: size, pins and obstructions of every macro.
void hw_views_lef(struct hw_out *out, const struct hw_layout *layout);
// macros.spice: every transistor of every macro, bits included, for comparison with the polygons.
#define HW_SPICE_BEGINS "* ROM macros:"
void hw_views_spice(struct hw_out *out, const struct hw_layout *layout);
// macros.v: behavioural Verilog of every macro, its words inside.
void hw_views_verilog(struct hw_out *out, const struct hw_layout *layout);
// floorplan.svg: the macros to scale.
void hw_views_floorplan(struct hw_out *out, const struct hw_layout *layout);

#endif
