// SPDX-License-Identifier: Apache-2.0
// The bit array. A column is a strip of transistors in series between two lines of metal 1, bit
// line and ground; the gates are word lines of poly across all columns. Each node of a strip is
// tied by one mcon to one of the two lines, so a row conducts where the nodes on its two sides
// differ:
//
//     bit of row r = (node r + 1 is on the bit line) XOR (node r is on the bit line)
//
// and any data can be had. Node 0 of every block is on ground. All data is in mcon; everything else
// is a function of rows and columns. docs/mask.md has the drawing.
#ifndef HW_ARRAY_H
#define HW_ARRAY_H

#include "gen/layout/gds.h"

// x = 0 is the left end of the first strap, y = 0 the middle of the lowest row of taps.
struct hw_array {
    const struct hw_pdk *pdk;
    int rows; // multiple of HW_CODE_ROWS
    int cols;
    int cell_w, row_h;   // pitches
    int bit_x, ground_x; // middles of the lines in a column
    int line_w;          // of both
    int tap_y;           // from a row of taps to the first node above, and the last below
    int pad_a, pad_b;    // middles of a strap's pads: of even, of odd rows
    int pad_dx, pad_dy;  // size of a pad of metal 1
    int strap_w;
    int width, height; // height: middle of the lowest to middle of the highest taps
    int bus_y, bus_h;  // the ground bus of metal 1 above
};
enum { HW_CODE_ROWS = 8, HW_ARRAY_NAME = 33 };

struct hw_array hw_array_make(const struct hw_pdk *pdk, int rows, int cols);
int hw_array_col_x(const struct hw_array *a, int col); // left end of a column
int hw_array_strap_x(const struct hw_array *a, int i); // left end of strap i
int hw_array_straps(const struct hw_array *a);
int hw_array_row_y(const struct hw_array *a, int row); // middle of its word line
// The columns and rows alone: what an array of any size tends to, without taps, straps and bus.
double hw_array_cell_um2(const struct hw_array *a);

// What local interconnect must cover at a cut to metal 1.
int hw_array_cut_w(const struct hw_pdk *pdk);
int hw_array_cut_h(const struct hw_pdk *pdk);
// The height of a pad of that width which stands alone, with a contact below it.
int hw_array_pad_h(const struct hw_pdk *pdk);
// Contacts, with their middle at x, y: to local interconnect; from there to metal 1; from metal 1
// up, with the pad of metal 1 but not that of metal 2.
void hw_array_contact(struct hw_out *out, const struct hw_pdk *p, int x, int y);
void hw_array_to_met1(struct hw_out *out, const struct hw_array *a, int x, int y);
void hw_array_from_met1(struct hw_out *out, const struct hw_array *a, int x, int y);
// Cells that all arrays of the process share.
void hw_array_write_parts(struct hw_out *out, const struct hw_pdk *pdk);
// The array without its code, as cell `name`, at most 24 characters.
void hw_array_write(struct hw_out *out, const struct hw_array *a, const char *name);
// The code as cell `name`, mcon alone. bits: [rows][stride] bytes, bit c of a row in byte c / 8.
void hw_array_write_code(struct hw_out *out, const struct hw_array *a, const char *name,
                         const uint8_t *bits, int stride);

#endif
