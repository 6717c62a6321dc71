// SPDX-License-Identifier: Apache-2.0
// Reads the GDSII that hardwire writes: boxes, texts and references without rotation, to cells that
// came before. Refuses everything else.
#ifndef HW_GDS_READ_H
#define HW_GDS_READ_H

#include <stddef.h>
#include <stdint.h>

#include "gen/error.h"

enum { HW_GDS_NAME = 64 };

struct hw_element {
    enum { HW_GDS_BOX, HW_GDS_TEXT, HW_GDS_REF } kind;
    int layer, datatype, target; // target: index of a cell
    int x, y, n_x, n_y, dx, dy;  // a reference, or the first corner of a box
    int x1, y1;                  // the other corner; of a text: a hash of it
};

struct hw_cell {
    char name[HW_GDS_NAME];
    struct hw_element *element;
    size_t n, room;
    long long shapes; // in it and below, at most 2^27
};

// The last cell is the one at the top.
struct hw_library {
    char path[4200];
    uint8_t *data;
    size_t size, at;
    struct hw_cell *cell;
    size_t n, room;
    struct hw_error *err;
};

// A box, or a text: (x0, y0) its point, x1 a hash of it, y1 0. In nm.
struct hw_shape {
    int layer, datatype, x0, y0, x1, y1;
};

// Reads DIR/rom.gds. hw_library_free also after an error.
bool hw_library_read(struct hw_library *l, const char *dir, struct hw_error *err);
void hw_library_free(struct hw_library *l);
// All shapes of a cell, cell->shapes of them, in the order of their fields; the caller frees them.
// NULL: no memory.
struct hw_shape *hw_library_shapes(const struct hw_library *l, const struct hw_cell *c);
int hw_shape_order(const void *a, const void *b); // of qsort

#endif
