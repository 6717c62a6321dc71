// SPDX-License-Identifier: Apache-2.0
// The row decoder of a macro, left of its array: from the pins CLK and A to the word lines and to
// PRE_N. Every gate is a NAND of k inputs and the inverter behind it, static CMOS:
//
//     buffer i    AP[i] = A[i], AN[i] = its NAND, EN and PRE_N = CLK
//     low j       L[j]  = A[2:0] is j, of AP and AN
//     group g     G[g]  = A[bits-1:3] is g, and EN
//     driver r    WL[r] = L[r % 8] and G[r / 8]
//
// While CLK is low no word line is high and PRE_N charges the bit lines; while it is high, the one
// of A is. An address beyond the last row chooses none. A function of rows alone.
#ifndef HW_DECODER_H
#define HW_DECODER_H

#include "gen/layout/array.h"
#include "gen/layout/sense.h"

enum { HW_LOW_BITS = 3 };

// Coordinates of the array, nm: the decoder's x are below 0. A cell's origin is node 0 of its
// diffusions and the lower edge of its n-diffusion.
struct hw_decoder {
    const struct hw_array *a;
    int bits, groups; // rows <= 2^bits, bits >= 3; groups of 8 rows
    // of every cell
    int pitch;            // of gates
    int first_dx;         // node 0 stands this further left
    int input_y, inner_y; // middles of the gates' contacts: inputs, inverter
    int below_y;          // and of a driver's input from its group
    int p_y, top;         // lower and upper edge of the p-diffusion
    int n_node, p_node;   // middles of the outputs' contacts
    int cell_dx;          // between two drivers
    int tap;              // width and height of a tap
    // places
    int left;                        // of everything
    int group_x, driver_x, buffer_x; // of the first
    int tap_x[2];                    // middles of the two columns of taps and trunks
    int pre_x;                       // of the wire of PRE_N
    int low_y, buffer_y;             // of rows of cells below the array
    int link_y;                      // from a low cell's output to its column
    int track_y, track_dy;           // wires of metal 2 above the buffers
    int line_x, line_dx;             // wires of metal 1 to the groups: the first is the rightmost
    int power_y, ground_y, bar_h;    // bars of metal 2 above the array
    int bottom;
};

struct hw_decoder hw_decoder_make(const struct hw_array *a);
int hw_decoder_bits(int rows);
// Middles of the pins: A[i] for i < bits, CLK for i = bits. They leave below.
int hw_decoder_pin_x(const struct hw_decoder *d, int i);
// Cells that all decoders of the process share.
void hw_decoder_write_parts(struct hw_out *out, const struct hw_pdk *pdk);
// The cell of a group, then the decoder into the array's cell.
void hw_decoder_write_cell(struct hw_out *out, const struct hw_decoder *d, const char *name);
void hw_decoder_write(struct hw_out *out, const struct hw_decoder *d, const char *cell);
// Names of inner nets, no pins, for whoever extracts nets: into a cell whose array lies at (x, y).
void hw_decoder_write_names(struct hw_out *out, const struct hw_decoder *d, int x, int y);

#endif
