// SPDX-License-Identifier: Apache-2.0
// What stands below the columns of an array: for each, a transistor that charges the bit line while
// PRE_N is low, and an inverter from the bit line to the output. A column is narrower than an
// inverter, so those of even and of odd columns stand in two rows.
#ifndef HW_SENSE_H
#define HW_SENSE_H

#include "gen/layout/array.h"

// Heights in the array's coordinates, all below 0. A "row" is that of an inverter's transistors.
struct hw_sense {
    int well_top, well_bottom;          // of the n-well
    int bit_node, pre_gate, power_node; // of the charging transistors
    int well_tap, ground_tap;           // middles of rows of taps
    int power_rail, ground_rail;        // middles of wires of metal 2, both rail_h high
    int rail_h;
    int p_row[2], n_row[2]; // middles of the gates, even and odd columns
    int bottom;             // where the outputs leave
    int strip_x0, strip_x1; // an inverter's diffusion, from the column's left end
    int node_dy;            // from its gate to its contacts
    int node_h;             // height of local interconnect there
    int diff_end;           // from its gate to the end of the diffusion
    int output_w;           // width of the wires that leave
};

struct hw_sense hw_sense_make(const struct hw_array *a);
// Cells that all arrays of the process share.
void hw_sense_write_parts(struct hw_out *out, const struct hw_array *a);
// What runs across the array: into the array's cell. word_line: the cell of a word line.
void hw_sense_write_across(struct hw_out *out, const struct hw_array *a, const char *word_line);

#endif
