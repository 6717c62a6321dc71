// SPDX-License-Identifier: Apache-2.0
// Owns the processes. sky130: layers and rules as in the SkyWater SKY130 PDK's "Layers" and
// "Periphery rules"; gf180mcuD: those of its KLayout deck (GlobalFoundries' "DRM"), 3.3 V. The
// rule's name stands beside its number.
#include "gen/layout/pdk.h"

#include <stddef.h>
#include <string.h>

#include "gen/layout/timing.h"

static const struct hw_corner SKY130_TIMING[HW_N_CORNERS] = {
#include "gen/layout/sky130_timing.h"
};
static const struct hw_corner GF180MCU_TIMING[HW_N_CORNERS] = {
#include "gen/layout/gf180mcuD_timing.h"
};

static const struct hw_pdk SKY130 = {
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
    .boundary = {235, 4}, // prBoundary
    .lef_local = "li1",
    .lef_met1 = "met1",
    .lef_met2 = "met2",
    .nfet = "sky130_fd_pr__nfet_01v8",
    .pfet = "sky130_fd_pr__pfet_01v8",
    .grid = 5,
    .diff_space = 270, // difftap.3
    .tap_space = 270,
    .poly_w = 150,            // poly.1a
    .poly_space = 210,        // poly.2
    .poly_diff = 75,          // poly.4
    .contact_w = 170,         // licon.1
    .contact_space = 170,     // licon.2
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
    .local_w = 170,           // li.1
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
    .margin = 400,
    .decoder = {.n_w = 650, // what fits eight rows' height
                .p_w = 950,
                .rail_h = 170,
                .pull_node = 250,
                .tap = 600,
                .tap_contact = 300,
                .trunk_dx = 400,
                .trunk_clear = 300,
                .wide_rail = 400,
                .group_up = 600,
                .low_y = -2600,
                .low_track = 200,
                .link_up = 285,
                .nand_down = 150,
                .tracks_up = 1900,
                .tracks_end = 300,
                .bar_h = 600,
                .bar_up = 700,
                .bar_gap = 300,
                .beyond_cut = 50,
                .below_buffers = 1000,
                .pre_x = -600},
    .sense = {.rail_h = 400, .rail_down = 450, .bottom_down = 400},
    .power = {.level = {{.cut = {69, 44}, // via2
                         .metal = {70, 20},
                         .lef = "met3",
                         .cut_w = 200,     // via2.1a
                         .cut_space = 200, // via2.2
                         .beyond = 100,    // 85, via2.5; 65, m3.4
                         .space = 300},    // m3.2
                        {.cut = {70, 44},  // via3
                         .metal = {71, 20},
                         .lef = "met4",
                         .cut_w = 200,     // via3.1
                         .cut_space = 200, // via3.2
                         .beyond = 100,    // 90, via3.5; 65, m4.3
                         .space = 300}},   // m4.2
              .n_levels = 2,
              .pin = {71, 16},
              .label = {71, 5},
              .strap_w = 1600,
              .strap_gap = 800,
              .band_h = 2000, // 3000 and more are wide metal
              .cols = 64},
    .tap_rows = 64, // no gate further than 15 um from a tap, LU.2
    .strap_cols = 128,
    .timing = SKY130_TIMING,
};

// No local interconnect: metal 1, via 1, metal 2, via 2, metal 3 stand for it, mcon, metal 1, via,
// metal 2. Transistors of 3.3 V. A tap is diffusion with the other implant.
static const struct hw_pdk GF180MCU = {
    .name = "gf180mcuD",
    .well = {21, 0},
    .diff = {22, 0}, // COMP
    .tap = {22, 0},
    .poly = {30, 0},
    .nsdm = {32, 0},
    .psdm = {31, 0},
    .npc = {-1, -1},
    .contact = {33, 0},
    .local = {34, 0}, // metal 1
    .mcon = {35, 0},  // via 1
    .met1 = {36, 0},  // metal 2
    .via = {38, 0},   // via 2
    .met2 = {42, 0},  // metal 3
    .local_label = {34, 10},
    .met1_label = {36, 10},
    .met2_label = {42, 10},
    .met1_pin = {-1, -1},
    .boundary = {0, 0}, // PR_bndry
    .lef_local = "Metal1",
    .lef_met1 = "Metal2",
    .lef_met2 = "Metal3",
    .nfet = "nfet_03v3",
    .pfet = "pfet_03v3",
    .grid = 5,
    .diff_space = 280,        // DF.3a
    .tap_space = 460,         // twice the implant
    .poly_w = 280,            // PL.2
    .poly_space = 240,        // PL.3a
    .poly_diff = 100,         // PL.5a
    .contact_w = 220,         // CO.1
    .contact_space = 250,     // CO.2a
    .contact_gate = 150,      // CO.7
    .diff_contact = 70,       // CO.4
    .poly_contact_side = 70,  // CO.3
    .poly_contact_end = 70,   // CO.3
    .poly_contact_diff = 170, // CO.8
    .poly_end = 220,          // PL.4
    .well_pdiff = 430,        // DF.4c
    .well_ndiff = 430,        // DF.16
    .well_tap = 120,          // DF.17
    .well_space = 1400,       // NW.2b
    .implant_diff = 230,      // NP.5a, PP.5a
    .local_w = 230,           // M1.1
    .local_space = 230,       // M1.2a
    .local_contact = 60,      // CO.6a
    .local_area = 144400,     // M1.3
    .mcon_w = 260,            // V1.1
    .local_mcon_side = 10,    // V1.3a, 0 at least
    .local_mcon_end = 60,     // V1.3c, V1.3d
    .met_space = 280,         // M2.2a, M3.2a
    .met1_mcon_side = 10,     // V1.4a
    .met1_mcon_end = 60,      // V1.4b, V1.4c
    .via_w = 260,             // V2.1
    .via_space = 260,         // V2.2a
    .met_via_side = 10,       // V2.3b, V2.4a
    .met_via_end = 60,        // V2.3c, V2.4b
    .met1_w = 280,            // M2.1
    .met2_w = 280,            // M3.1
    .met1_area = 144400,      // M2.3
    .met2_area = 144400,      // M3.3
    .device_w = 840,          // 220 at least, DF.2a; 840 fills the column's pitch
    .margin = 500,            // the well's 430
    .decoder = {.n_w = 1600,
                .p_w = 2300,
                .rail_h = 400,
                .pull_node = 250,
                .tap = 800,
                .tap_contact = 300,
                .trunk_dx = 600,
                .trunk_clear = 450,
                .wide_rail = 400,
                .group_up = 900,
                .low_y = -6000,
                .low_track = 200,
                .link_up = 285,
                .nand_down = 50,
                .tracks_up = 2800,
                .tracks_end = 300,
                .bar_h = 900,
                .bar_up = 700,
                .bar_gap = 300,
                .beyond_cut = 50,
                .below_buffers = 1000,
                .pre_x = -600},
    .sense = {.rail_h = 400, .rail_down = 450, .bottom_down = 400},
    .power = {.level = {{.cut = {40, 0}, // via 3
                         .metal = {46, 0},
                         .lef = "Metal4",
                         .cut_w = 260,     // V3.1
                         .cut_space = 360, // V3.2b
                         .beyond = 70,     // 60, V3.3d, V3.4c
                         .space = 280}},   // M4.2a
              .n_levels = 1,
              .pin = {-1, -1},
              .label = {46, 10},
              .strap_w = 1600,
              .strap_gap = 800,
              .cols = 32},
    .tap_rows = 40, // none further than 20 um from a tap, DF.14
    .strap_cols = 128,
    .timing = GF180MCU_TIMING,
};

static const struct hw_pdk *const PDK[] = {&SKY130, &GF180MCU};
enum { N_PDK = sizeof PDK / sizeof PDK[0] };

const struct hw_pdk *hw_pdk_find(const char *name)
{
    for (int i = 0; i < N_PDK; i++) {
        if (strcmp(PDK[i]->name, name) == 0)
            return PDK[i];
    }
    return NULL;
}

const char *hw_pdk_names(void)
{
    return "sky130 or gf180mcuD";
}
