// SPDX-License-Identifier: Apache-2.0
// GDSII stream files: writes cells of boxes, texts and references. Coordinates in nm, the database
// unit. The same calls give the same bytes: no date, no name of a host.
#ifndef HW_GDS_H
#define HW_GDS_H

#include "gen/chip/verilog.h"
#include "gen/layout/pdk.h"

struct hw_box {
    int x0, y0, x1, y1; // x0 < x1, y0 < y1
};

// By its middle; w and h even.
struct hw_box hw_box_at(int x, int y, int w, int h);

// A file of *out, from open to close. Cells are referred to after they have been written.
void hw_gds_open(struct hw_out *out, const char *path, const char *library);
void hw_gds_close(struct hw_out *out);
// Names: letters, digits, _; at most 32 characters.
void hw_gds_cell(struct hw_out *out, const char *name);
void hw_gds_cell_end(struct hw_out *out);
// Nothing where the process has no such layer.
void hw_gds_box(struct hw_out *out, struct hw_layer layer, struct hw_box box);
void hw_gds_text(struct hw_out *out, struct hw_layer layer, int x, int y, const char *text);
void hw_gds_ref(struct hw_out *out, const char *cell, int x, int y);
// n_x by n_y copies, 1..32767 each, dx and dy apart.
void hw_gds_array(struct hw_out *out, const char *cell, int x, int y, int n_x, int n_y, int dx,
                  int dy);

#endif
