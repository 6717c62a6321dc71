// SPDX-License-Identifier: Apache-2.0
// The ROMs of a plan as macros of a process: which words and bits each macro holds, where it lies,
// and the folder of files that describes them.
#ifndef HW_LAYOUT_H
#define HW_LAYOUT_H

#include <stdio.h>

#include "gen/chip/plan.h"
#include "gen/layout/decoder.h"
#include "gen/layout/power.h"

// A macro reads one word a cycle, all its bits at once: rows are words, columns are bits. Pins:
// CLK, A[i], outputs D[c], VPWR, VGND. While CLK is low the bit lines are charged and D is 0; while
// it is high D becomes the word of A, which must not change then. Beyond the last row D is 0.
enum { HW_MACRO_MAX_ROWS = 256, HW_MACRO_MAX_COLS = 512 };

struct hw_macro {
    char name[24];  // ROM_rNN_cNN
    int rom;        // HW_ROM_...
    int tile;       // of the array, whose weights it holds; 0 in other ROMs
    int first_word; // of row 0
    int first_bit;  // of column 0
    struct hw_array array;
    int x, y;    // of its lower left corner in the floorplan, nm
    int array_x; // of the array's origin
    int array_y;
    int width, height; // nm
};

struct hw_layout {
    const struct hw_pdk *pdk;
    const struct hw_plan *plan;
    int words[HW_N_ROMS]; // that the macros of a ROM hold; at least its depth
    struct hw_macro *macro;
    int n_macros;
    int width, height; // of the floorplan, nm
};

// like: a folder that hw_layout_write has made, whose macros are taken, or NULL. An error: a ROM of
// the plan has another width there, or more words than the macros hold.
bool hw_layout_make(struct hw_layout *layout, const struct hw_plan *plan, const struct hw_pdk *pdk,
                    const char *like, struct hw_error *err);
void hw_layout_free(struct hw_layout *layout);

// Writes the folder: rom.gds, macros.lef, macros.v, macros_CORNER.lib, layout.json,
// floorplan.svg and, if asked for, macros.spice. An older layout at `path` is replaced, nothing
// else is.
bool hw_layout_write(const struct hw_layout *layout, const char *path, bool spice,
                     struct hw_error *err);

#endif
