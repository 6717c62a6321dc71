// SPDX-License-Identifier: Apache-2.0
// The cycle model: how many clocks the RTL takes, without simulating any data.
#ifndef HW_CYCLES_H
#define HW_CYCLES_H

#include <stdbool.h>

#include "gen/chip/plan.h"

struct hw_cycle_count {
    long token;      // clocks from one m_token transfer to the next (chip, sink always ready)
    long array_busy; // clocks in which the array takes a weight word
};

// Clocks of one token at position pos (0-based) of plan's program; sample: the token's logits are
// wanted. RECV is fed without gaps. Equal to the RTL's count, clock for clock.
struct hw_cycle_count hw_cycles(const struct hw_plan *plan, int pos, bool sample);

// The units of a timeline.
enum hw_cycle_unit {
    HW_UNIT_EMBED,
    HW_UNIT_NORM,
    HW_UNIT_ARRAY,
    HW_UNIT_DRAIN,
    HW_UNIT_ROTATION, // and KV cache
    HW_UNIT_ATTENTION,
    HW_UNIT_SWIGLU,
    HW_UNIT_ARGMAX,
    HW_N_UNITS
};
const char *hw_cycle_unit_name(enum hw_cycle_unit unit);
// The token of hw_cycles(plan, pos, true) in n equal slices of its clocks: busy[u * n + i] is the
// share of slice i, 0..1, in which unit u holds something. Returns the token's clocks.
long hw_cycles_timeline(const struct hw_plan *plan, int pos, int n, double *busy);

// The group visited last, without and with logits. All positions of a group of att_pos take the
// same time, so that a walk in order of positions walks each group once. All zero: nothing yet.
struct hw_cycles_known {
    int group[2]; // plus one; 0: none
    struct hw_cycle_count count[2];
};
struct hw_cycle_count hw_cycles_next(struct hw_cycles_known *known, const struct hw_plan *plan,
                                     int pos, bool sample);

// ", N tokens/s at M MHz" of a chip that takes so many cycles a token; nothing where no clock is
// given (0): a speed is that of a clock which somebody has placed.
enum { HW_SPEED_TEXT = 64 };
const char *hw_speed_text(char text[HW_SPEED_TEXT], double cycles, int clock_mhz);

#endif
