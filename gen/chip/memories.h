// SPDX-License-Identifier: Apache-2.0
// Every memory that a design has as an instance: what a foundry's compiler has to make of it.
#ifndef HW_MEMORIES_H
#define HW_MEMORIES_H

#include "gen/chip/plan.h"

// A RAM has a read and a write port (ram.v) or one for both (ram_one.v), and is written `mask` bits
// at a time where mask is less than width; a ROM has a read port. All ports are clocked.
struct hw_memory {
    const char *name; // what it holds
    bool rom;
    bool one_port; // of a RAM: never read and written in one clock
    int depth;     // words
    int width;     // bits of a word
    int mask;      // of a RAM: bits that are written together
    int instances; // of that size: macros of a RAM or ROM, copies of a function's table
};
enum { HW_MOST_MEMORIES = 48 };
enum { HW_DIVIDED_HEADS = 8 };  // whose sums wait (attention.v)
enum { HW_EXP2_SUM_BITS = 15 }; // of e, 0 to 2^15, beside the sign that the value has

// The list, RAMs first; how many.
int hw_memories(const struct hw_plan *plan, struct hw_memory list[HW_MOST_MEMORIES]);

#endif
