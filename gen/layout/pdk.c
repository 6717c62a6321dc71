// SPDX-License-Identifier: Apache-2.0
// Owns the processes. sky130: layers and rules as in the SkyWater SKY130 PDK's "Layers" and
// "Periphery rules"; the rule's name stands beside its number.
#include "gen/layout/pdk.h"

#include <stddef.h>
#include <string.h>

static const struct hw_pdk PDK[] = {{
    .name = "sky130",
    .well = {64, 20},
    .diff = {65, 20},
    .tap = {65, 44},
    .poly = {66, 20},
    .nsdm = {93, 44},
    .psdm = {94, 20},
    .npc = {95, 20},
    .contact = {66, 44}, // licon1
    .local = {67, 20},   // li1
    .mcon = {67, 44},
    .met1 = {68, 20},
    .via = {68, 44},
    .met2 = {69, 20},
    .local_label = {67, 5},
    .met1_label = {68, 5},
    .met2_label = {69, 5},
    .met1_pin = {68, 16},
    .met2_pin = {69, 16},
    .boundary = {235, 4}, // prBoundary
    .nfet = "sky130_fd_pr__nfet_01v8",
    .pfet = "sky130_fd_pr__pfet_01v8",
    .grid = 5,
    .diff_space = 270,        // difftap.3
    .poly_w = 150,            // poly.1a
    .poly_space = 210,        // poly.2
    .contact_w = 170,         // licon.1
    .contact_gate = 55,       // licon.11
    .diff_contact = 60,       // licon.5c
    .poly_contact_side = 80,  // licon.8a
    .poly_contact_end = 50,   // licon.8
    .poly_contact_diff = 190, // licon.14
    .poly_contact_psdm = 110, // psd.3, licon.9
    .poly_end = 130,          // poly.8
    .well_pdiff = 180,        // difftap.8
    .well_ndiff = 340,        // difftap.9
    .well_tap = 200,          // 130 at least, difftap.11
    .well_space = 1270,       // nwell.2a
    .npc_contact = 100,       // licon.15
    .implant_diff = 125,      // nsd.5a, psd.5a; 130 from the other implant's diffusion, nsd.7
    .local_space = 170,       // li.3
    .local_contact = 80,      // li.5
    .local_area = 56100,      // li.6
    .mcon_w = 170,            // ct.1
    .met_space = 140,         // m1.2, m2.2
    .met1_mcon_side = 30,     // m1.4
    .met1_mcon_end = 60,      // m1.5
    .via_w = 150,             // via.1a
    .via_space = 170,         // via.2
    .met_via_side = 55,       // via.4a, m2.4
    .met_via_end = 85,        // via.5a, m2.5
    .met1_w = 140,            // m1.1
    .met2_w = 140,            // m2.1
    .met1_area = 83000,       // m1.6
    .met2_area = 67600,       // m2.6
    .device_w = 470,          // 420 at least, difftap.2; 470 fills the column's pitch
    .decoder_n = 650,         // what fits eight rows' height
    .decoder_p = 950,
    .tap_rows = 64, // no gate further than 15 um from a tap, LU.2
    .strap_cols = 128,
}};
enum { N_PDK = sizeof PDK / sizeof PDK[0] };

const struct hw_pdk *hw_pdk_find(const char *name)
{
    for (int i = 0; i < N_PDK; i++) {
        if (strcmp(PDK[i].name, name) == 0)
            return &PDK[i];
    }
    return NULL;
}

const char *hw_pdk_names(void)
{
    return "sky130";
}
