// SPDX-License-Identifier: Apache-2.0
// The lists of a design's sources, one for each kind of tool: filelist.f (Verilator, Icarus, most
// others), hardwire.core (FuseSoC, CAPI2), hardwire.ys (Yosys), hardwire.tcl (Vivado).
#ifndef HW_FILELIST_H
#define HW_FILELIST_H

#include "gen/chip/verilog.h"

// Writes all of them; every .v and .vh file of *out is in each. top: the module that a flow builds.
// bus: whether there is a folder bus/.
void hw_filelist_write(struct hw_out *out, const char *top, bool bus);

// Whether a path relative to the design is one of them.
bool hw_filelist_is(const char *path);

#endif
