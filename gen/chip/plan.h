// SPDX-License-Identifier: Apache-2.0
// From a quantized model and a geometry to a plan: the program, the small ROMs, and the layout of
// the weight ROM, whose words are made from the model's codes when they are asked for. The plan is
// what the emitter writes and what the cycle model walks.
#ifndef HW_PLAN_H
#define HW_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "gen/chip/geometry.h"
#include "gen/chip/isa.h"
#include "gen/error.h"
#include "refmodel/qmodel.h"

struct hw_rom {       // one word is `width` bits, little endian in (width + 7) / 8 bytes
    const char *name; // "weight", "scale", "level", "gain", "rope_hi", "rope_lo", "program"
    int width, addr_bits;
    int depth;     // words used
    uint8_t *data; // NULL: the weight ROM, see hw_words
    long capacity; // words that its banks must hold; 0: all that addr_bits reach
};

enum {
    HW_ROM_WEIGHT,
    HW_ROM_SCALE,
    HW_ROM_LEVEL,
    HW_ROM_GAIN,
    HW_ROM_ROPE_HI,
    HW_ROM_ROPE_LO,
    HW_ROM_PROGRAM,
    HW_N_ROMS
};

// What a range of the weight ROM holds: n_rows rows of a matrix from first_row.
struct hw_weight_range {
    char name[64]; // tensor name
    int first, n_words, n_rows, n_in, n_planes;
    const struct hw_qmatrix *m;
    int first_row;
};

// The region that a matrix of a layer reads.
enum hw_region hw_matrix_region(enum hw_matrix_id matrix);

struct hw_plan {
    const struct hw_qmodel *model;
    struct hw_geometry geometry;
    struct hw_insn *program;
    int n_insns;
    struct hw_rom rom[HW_N_ROMS];
    struct hw_weight_range *range; // [n_ranges], in the order of their addresses
    int n_ranges;
};

// A slice is a program over part of the model; the whole chip is the slice "chip".
//   layer:3                                     one layer; the residual comes by RECV
//   matrix:layers.3.attention.wq[:first-last]   its input comes by RECV, rows leave as logits do
//   op:rmsnorm:3  op:attention:3  op:swiglu:3  op:argmax    the operand comes by RECV
// Lays out the ROMs and the program of a slice. False where the model does not fit the geometry;
// *plan holds nothing then, and *q is the caller's still.
bool hw_plan_make(struct hw_plan *plan, const struct hw_qmodel *q, const struct hw_geometry *g,
                  const char *slice, struct hw_error *err);
void hw_plan_free(struct hw_plan *plan);

#endif
