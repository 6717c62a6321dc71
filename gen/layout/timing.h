// SPDX-License-Identifier: Apache-2.0
// Times and energies of macros of a process, as tests/layout_characterize.py has them simulated.
#ifndef HW_TIMING_H
#define HW_TIMING_H

enum hw_timed {
    HW_ACCESS,
    HW_FALL,
    HW_RISE_SLEW,
    HW_FALL_SLEW,
    HW_CHARGE,
    HW_SETUP,
    HW_ENERGY_0,
    HW_ENERGY_1,
    HW_LEAK_0,
    HW_LEAK_1,
    HW_N_TIMED
};
enum {
    HW_N_LOADED = HW_FALL_SLEW + 1, // those that a load makes longer
    HW_SLOW_SETUP = HW_N_LOADED,    // and with it those that a slew does
    HW_N_SLOWED
};
enum { HW_TIMED_ROWS = 3, HW_TIMED_COLS = 3, HW_N_CORNERS = 3 };

struct hw_corner {
    const char *name;
    double volt;
    int celsius;
    double per_pf[HW_N_LOADED]; // what HW_ACCESS .. HW_FALL_SLEW grow by, ns a pF
    double per_ns[HW_N_SLOWED]; // and by the slew of CLK; setup by that of A
    double a_ff, clk_ff;        // of the pins
    double at[HW_TIMED_ROWS * HW_TIMED_COLS][HW_N_TIMED];
};

#endif
