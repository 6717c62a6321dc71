// SPDX-License-Identifier: Apache-2.0
// What the ROM generator knows of a process: layers and rules. The generator has no number of a
// process of its own, so a second process is a second row of the table in pdk.c.
#ifndef HW_PDK_H
#define HW_PDK_H

#include <stdint.h>

struct hw_layer {
    int16_t layer, datatype; // of GDSII
};

// Lengths in nm, each a multiple of `grid`. An enclosure of (side, end) is that on two opposite
// sides and on the other two.
struct hw_pdk {
    const char *name;
    struct hw_layer well, diff, tap, poly, nsdm, psdm, npc, contact, local, mcon, met1, via, met2;
    struct hw_layer local_label, met1_label, met2_label, met1_pin, met2_pin, boundary;
    const char *nfet, *pfet; // SPICE models, called as subcircuits: drain gate source bulk
    int grid;
    int diff_space, poly_w, poly_space;
    int contact_w;         // diffusion or poly to local interconnect
    int contact_gate;      // its space to a gate
    int diff_contact;      // diffusion beyond it at the end of a strip
    int poly_contact_side; // poly beyond it, along the word line
    int poly_contact_end;  // and across
    int poly_contact_diff; // from it to diffusion
    int poly_contact_psdm; // from it to the implant of p
    int poly_end;          // a gate beyond its diffusion
    int well_pdiff;        // n-well beyond its diffusion
    int well_ndiff;        // space to other diffusion
    int well_tap;          // and to taps of the substrate
    int well_space;
    int npc_contact;    // the poly contact's marker beyond it
    int implant_diff;   // an implant beyond its diffusion
    int local_space;    // of the local interconnect
    int local_contact;  // beyond a contact on two opposite sides
    int local_area;     // least area, nm^2
    int mcon_w;         // local interconnect to metal 1: the personality
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
    int decoder_n, decoder_p; // widths of the decoder's transistors
    int tap_rows;             // rows between two taps, by the rule for latch-up
    int strap_cols;           // columns between two contacts of a word line
};

// NULL: no such process.
const struct hw_pdk *hw_pdk_find(const char *name);
// Names, one space between.
const char *hw_pdk_names(void);

#endif
