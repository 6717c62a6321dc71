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

// What was walked last, without and with logits. All positions of a group of att_pos take the same
// time, so that a walk in order of positions walks each group once. All zero: nothing yet.
struct hw_cycles_known {
    int group[2]; // plus one; 0: none
    struct hw_cycle_count count[2];
};
struct hw_cycle_count hw_cycles_next(struct hw_cycles_known *known, const struct hw_plan *plan,
                                     int pos, bool sample);

#endif
