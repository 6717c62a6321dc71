// SPDX-License-Identifier: Apache-2.0
// Timing and energy of the macros, for synthesis and timing analysis.
#ifndef HW_LIBERTY_H
#define HW_LIBERTY_H

#include "gen/layout/layout.h"

// macros_tt.lib, macros_ss.lib, macros_ff.lib: Liberty, one file a corner. The numbers are
// interpolated between those of gen/layout/PDK_timing.h by rows (times: rounded up to a power of
// two) and columns; smaller macros have those of the smallest size there.
void hw_liberty_write(struct hw_out *out, const struct hw_layout *layout);

#endif
