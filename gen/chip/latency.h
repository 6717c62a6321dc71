// SPDX-License-Identifier: Apache-2.0
// The one table of latencies: how many clocks, or registers, each path of the fabric has. It makes
// the numbers of a geometry, fabric/latency.vh, which the templates read (engine.v), the clocks of
// the cycle model (cycles.c) and what --latency takes. More clocks: a faster clock, and more of
// them a token.
#ifndef HW_LATENCY_H
#define HW_LATENCY_H

#include <stddef.h>

#include "gen/error.h"

// X(name, NAME, least, most, usual, meaning). The least are those of the shortest pipeline; with
// the usual ones modules reach 93 to 131 MHz alone on an ECP5 of speed grade 6 (docs/timing.md).
#define HW_LATENCIES(X)                                                                            \
    X(rom, ROM, 1, 4, 2,                                                                           \
      "from an address to the array: the ROM, then registers; 3: one before it")                   \
    X(array, ARRAY, 1, 3, 2,                                                                       \
      "of the array beside its tree; 2: a selected product is registered; 3: its halves before")   \
    X(tree, TREE, 1, 4, 3, "levels of adders from register to register")                           \
    X(compare, COMPARE, 1, 4, 2, "rounds of comparisons from register to register")                \
    X(drain, DRAIN, 3, 6, 4, "from a finished block to its first rows")                            \
    X(table, TABLE, 1, 3, 3, "from an address of a function's table to the interpolated value")    \
    X(square, SQUARE, 1, 2, 1,                                                                     \
      "from a new word of the residual to its squares; 2: a register before their products")       \
    X(norm_scalar, NORM_SCALAR, 3, 5, 4,                                                           \
      "from the sum of squares to 1 / rms, without the table's")                                   \
    X(norm_vector, NORM_VECTOR, 5, 10, 8, "from reading a word to its norm")                       \
    X(angles, ANGLES, 3, 6, 5, "from the address of a pair's rotations to their sum")              \
    X(rope, ROPE, 2, 6, 4, "from rows to their rotation")                                          \
    X(swiglu, SWIGLU, 5, 9, 8, "from rows to gated elements, without the table's")                 \
    X(score, SCORE, 2, 7, 5, "from asking for keys to their scores, without the tree's")           \
    X(weigh, WEIGH, 3, 8, 7, "from reading scores to sums, without the table's and the tree's")    \
    X(recip, RECIP, 2, 4, 4, "from a head's sum to its reciprocal, without the table's")           \
    X(divide, DIVIDE, 2, 5, 4, "from a sum and its reciprocal to an element")                      \
    X(issue, ISSUE, 1, 2, 1,                                                                       \
      "from what an instruction waits for to its issue; 2: it is seen in a register")              \
    X(act, ACT, 1, 2, 1,                                                                           \
      "from elements of a unit to the activations; 2: a register before their memory")

struct hw_latency {
#define HW_LATENCY_FIELD(name, NAME, least, most, usual, meaning) int name; // 0: the usual
    HW_LATENCIES(HW_LATENCY_FIELD)
#undef HW_LATENCY_FIELD
};

struct hw_latency_row {
    const char *name, *verilog, *meaning;
    size_t offset; // of an int in struct hw_latency
    int least, most, usual;
};
enum {
#define HW_LATENCY_COUNT(name, NAME, least, most, usual, meaning) HW_LATENCY_##NAME,
    HW_LATENCIES(HW_LATENCY_COUNT)
#undef HW_LATENCY_COUNT
        HW_N_LATENCIES
};
extern const struct hw_latency_row hw_latency_table[HW_N_LATENCIES];

int hw_latency_get(const struct hw_latency *l, int row);

// The usual wherever it is 0.
void hw_latency_fill(struct hw_latency *l);

// Registers of add_tree.v or max_tree.v over n operands; a tree has two leaves at least.
int hw_tree_stages(int levels, int n);

// NAME=N[,NAME=N...], or `least`, the shortest pipeline, with others behind it. What is not named
// stays.
bool hw_latency_parse(const char *text, struct hw_latency *l, struct hw_error *err);

// The lines of latency.vh, below `head`. The file of the templates has the usual ones.
#define HW_LATENCY_HEAD                                                                            \
    "// SPDX-License-Identifier: Apache-2.0\n"                                                     \
    "// The usual latencies, made from gen/chip/latency.h (make isa); a design has its own.\n"
enum { HW_LATENCY_TEXT = 8192 };
void hw_latency_verilog(const struct hw_latency *l, const char *head, char text[HW_LATENCY_TEXT]);

#endif
