// SPDX-License-Identifier: Apache-2.0
// What the ROM generator knows of a process: layers and rules. The generator has no number of a
// process of its own, so a second process is a second row of the table in pdk.c.
#ifndef HW_PDK_H
#define HW_PDK_H

#include <stdint.h>

struct hw_corner; // gen/layout/timing.h

// Of GDSII; layer -1: the process has none, nothing is drawn.
struct hw_layer {
    int16_t layer, datatype;
};

// No rule gives these lengths, nm: what keeps wires and cells of a decoder apart in every size.
struct hw_decoder_lengths {
    int n_w, p_w;      // widths of transistors
    int rail_h;        // power and ground in local interconnect, inside a cell
    int pull_node;     // middle of a p-node's contact, from the strip's edge
    int tap;           // width and height
    int tap_contact;   // its contact's middle, from the strip's outer edge
    int trunk_dx;      // trunks of power and ground, left and right of the taps
    int trunk_clear;   // more than taps need between them and the last low cell
    int wide_rail;     // how far rails of rows below the array go beyond the strips
    int group_up;      // the first strip of a group, above the lower edge of its lowest row
    int low_y;         // row of low cells
    int low_track;     // its lowest wire of metal 2, above the strip's lower edge
    int link_up;       // from the strip's upper edge to the wire that leads to the column
    int nand_down;     // a buffer's NAND leaves its p-nodes this far below their contacts
    int tracks_up;     // the lowest track of the buffers, above their strip's lower edge
    int tracks_end;    // the highest track, below the low cells
    int bar_h;         // bars of power, and the width of trunks
    int bar_up;        // the bar of power, above the array
    int bar_gap;       // between bars
    int beyond_cut;    // metal beyond what its cuts need
    int below_buffers; // to the pins
    int pre_x;         // wire of PRE_N
};

// And below the columns.
struct hw_sense_lengths {
    int rail_h;      // metal 2 of power and ground
    int rail_down;   // that of ground, below the taps
    int bottom_down; // where the outputs leave, below that
};

// A metal above metal 2, and the cuts that lead up to it.
struct hw_level {
    struct hw_layer cut, metal;
    const char *lef;
    int cut_w, cut_space;
    int beyond; // metal below and above beyond a cut
    int space;  // of the metal
};

// The straps of a macro's power. No rule gives these lengths but the levels', nm.
struct hw_power_lengths {
    struct hw_level level[2]; // the last one's metal is that of the straps
    int n_levels;
    struct hw_layer pin, label; // of the straps
    int strap_w, strap_gap;     // of a pair
    int band_h;                 // of what runs across in the levels before
    int cols;                   // columns a pair serves, at most
};

// Lengths in nm, each a multiple of `grid`. An enclosure of (side, end) is that on two opposite
// sides and on the other two.
struct hw_pdk {
    const char *name;
    struct hw_layer well, diff, tap, poly, nsdm, psdm, npc, contact, local, mcon, met1, via, met2;
    struct hw_layer local_label, met1_label, met2_label, met1_pin, boundary;
    const char *lef_local, *lef_met1, *lef_met2; // names of layers in LEF
    const char *nfet, *pfet; // SPICE models, called as subcircuits: drain gate source bulk
    int grid;
    int diff_space;
    int tap_space; // of diffusion to a tap; the implants meet halfway
    int poly_w, poly_space;
    int poly_diff; // poly to diffusion
    int contact_w; // diffusion or poly to local interconnect
    int contact_space;
    int contact_gate;      // its space to a gate
    int diff_contact;      // diffusion beyond it at the end of a strip
    int poly_contact_side; // poly beyond it, along the word line
    int poly_contact_end;  // and across
    int poly_contact_diff; // from it to diffusion
    int poly_contact_psdm; // from it to the implant of p; 0: that may lie over it
    int poly_end;          // a gate beyond its diffusion
    int well_pdiff;        // n-well beyond its diffusion
    int well_ndiff;        // space to other diffusion
    int well_tap;          // and to taps of the substrate
    int well_space;
    int npc_contact;     // the poly contact's marker beyond it
    int implant_diff;    // an implant beyond its diffusion
    int local_w;         // of wires of local interconnect
    int local_space;     // between them
    int local_contact;   // beyond a contact on two opposite sides
    int local_area;      // least area, nm^2
    int mcon_w;          // local interconnect to metal 1: the personality
    int local_mcon_side; // local interconnect beyond it, where that must be
    int local_mcon_end;
    int met_space;      // metal 1 and 2
    int met1_mcon_side; // metal 1 beyond mcon
    int met1_mcon_end;
    int via_w; // metal 1 to metal 2
    int via_space;
    int met_via_side; // metal 1 and 2 beyond it
    int met_via_end;
    int met1_w, met2_w;       // least widths
    int met1_area, met2_area; // least areas, nm^2
    int device_w;             // width of a bit's transistor; its length is poly_w
    int margin;               // of a macro around its array
    struct hw_decoder_lengths decoder;
    struct hw_sense_lengths sense;
    struct hw_power_lengths power;
    int tap_rows;                   // rows between two taps, by the rule for latch-up
    int strap_cols;                 // columns between two contacts of a word line
    const struct hw_corner *timing; // [HW_N_CORNERS]
};

// NULL: no such process.
const struct hw_pdk *hw_pdk_find(const char *name);
// Names, one space between.
const char *hw_pdk_names(void);

#endif
