// SPDX-License-Identifier: Apache-2.0
// Owns the geometry of the bit array. Every length is made of the rules in *pdk.
#include "gen/layout/array.h"

#include <math.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/layout/decoder.h"
#include "gen/layout/power.h"

// --- dimensions

static int to_grid(const struct hw_pdk *p, double length)
{
    return (int)ceil(length / p->grid - 1e-9) * p->grid;
}

static int local_h(const struct hw_pdk *p, int row_h) // of a node's pad
{
    return row_h - p->local_space;
}

static int poly_pad_w(const struct hw_pdk *p)
{
    return p->contact_w + 2 * p->poly_contact_side;
}

static int poly_pad_h(const struct hw_pdk *p)
{
    return p->contact_w + 2 * p->poly_contact_end;
}

static int row_pitch(const struct hw_pdk *p)
{
    int gates = p->poly_w + hw_most(p->poly_space, p->contact_w + 2 * p->contact_gate);
    int pads = (poly_pad_h(p) + p->poly_w) / 2 + p->poly_space; // a pad and the next word line
    int straps = (p->via_w + 2 * p->met_via_side + p->met2_w) / 2 + p->met_space;
    return to_grid(p, hw_most(gates, hw_most(pads, straps)));
}

static int pad_local_h(const struct hw_pdk *p)
{
    return p->contact_w + 2 * p->local_contact;
}

static int pad_local_w(const struct hw_pdk *p)
{
    return to_grid(p, fmax(p->contact_w, (double)p->local_area / pad_local_h(p)) / 2) * 2;
}

// Two pads of width w, one dy higher, keep their space from corner to corner: the step along x.
static int corner_step(const struct hw_pdk *p, int space, int w, int dy)
{
    return w + (dy < space ? to_grid(p, sqrt((double)space * space - (double)dy * dy)) : 0);
}

// From a pad to one a row higher, of poly, of local interconnect and of metal 1.
static int pad_step(const struct hw_pdk *p, int row_h, int pad_dx)
{
    int poly = corner_step(p, p->poly_space, poly_pad_w(p), row_h - poly_pad_h(p));
    int local = corner_step(p, p->local_space, pad_local_w(p), row_h - pad_local_h(p));
    return hw_most(hw_most(poly, local), pad_dx + p->met_space);
}

int hw_array_cut_w(const struct hw_pdk *p)
{
    return hw_most(p->contact_w, p->mcon_w + 2 * p->local_mcon_side);
}

int hw_array_cut_h(const struct hw_pdk *p)
{
    return p->mcon_w + 2 * p->local_mcon_end;
}

int hw_array_pad_h(const struct hw_pdk *p)
{
    int cuts = hw_most(p->contact_w + 2 * p->local_contact, hw_array_cut_h(p));
    int area = 2 * to_grid(p, (double)p->local_area / hw_array_cut_w(p) / 2);
    return hw_most(cuts, area);
}

struct hw_array hw_array_make(const struct hw_pdk *p, int rows, int cols)
{
    struct hw_array a = {.pdk = p, .rows = rows, .cols = cols};
    a.line_w = p->mcon_w + 2 * p->met1_mcon_side;
    a.cell_w = to_grid(p, hw_most(p->device_w + p->diff_space, 2 * (a.line_w + p->met_space)));
    a.row_h = row_pitch(p);
    a.bit_x = a.cell_w / 4;
    a.ground_x = a.cell_w - a.bit_x;
    int tap_h = local_h(p, a.row_h);
    a.tap_y = tap_h / 2 + p->tap_space + p->contact_w / 2 + p->diff_contact;
    int margin = a.bit_x - a.line_w / 2; // of the lines in a column
    a.pad_dx = p->via_w + 2 * p->met_via_side;
    a.pad_dy = hw_most(p->via_w + 2 * p->met_via_end, p->mcon_w + 2 * p->met1_mcon_end);
    a.pad_dy = to_grid(p, fmax(a.pad_dy, (double)p->met1_area / a.pad_dx));
    a.pad_a = hw_most(p->met_space - margin + a.pad_dx / 2, (p->local_space + pad_local_w(p)) / 2);
    a.pad_b = a.pad_a + pad_step(p, a.row_h, a.pad_dx);
    a.strap_w = a.pad_b + a.pad_a;
    int blocks = (rows + p->tap_rows - 1) / p->tap_rows;
    int straps = (cols + p->strap_cols - 1) / p->strap_cols + 1;
    a.width = cols * a.cell_w + straps * a.strap_w;
    a.height = rows * a.row_h + 2 * blocks * a.tap_y;
    a.bus_y = a.height + p->mcon_w / 2 + p->met1_mcon_end + p->met_space;
    a.bus_h = 2000; // 3000 and more are wide metal, with rules of its own
    return a;
}

int hw_array_col_x(const struct hw_array *a, int col)
{
    return (col / a->pdk->strap_cols + 1) * a->strap_w + col * a->cell_w;
}

static int block_y(const struct hw_array *a, int block) // the middle of the taps below
{
    return block * (2 * a->tap_y + a->pdk->tap_rows * a->row_h);
}

// The node below a row.
static int node_y(const struct hw_array *a, int row)
{
    int block = row / a->pdk->tap_rows;
    return block_y(a, block) + a->tap_y + (row - block * a->pdk->tap_rows) * a->row_h;
}

int hw_array_row_y(const struct hw_array *a, int row)
{
    return node_y(a, row) + a->row_h / 2;
}

double hw_array_cell_um2(const struct hw_array *a)
{
    return a->cell_w * 1e-3 * a->row_h * 1e-3;
}

// --- shared cells

// Origin: the left end of the column, the middle of the node.
static void write_node(struct hw_out *out, const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    int w = a->cell_w - p->local_space, h = local_h(p, a->row_h);
    hw_gds_cell(out, "hw_node");
    hw_gds_box(out, p->contact, hw_box_at(a->cell_w / 2, 0, p->contact_w, p->contact_w));
    hw_gds_box(out, p->local, hw_box_at(a->cell_w / 2, 0, w, h));
    hw_gds_cell_end(out);
}

static void write_mcon(struct hw_out *out, const struct hw_pdk *p, int x, int y)
{
    hw_gds_box(out, p->mcon, hw_box_at(x, y, p->mcon_w, p->mcon_w));
}

// A column's piece of a row of taps: the substrate, held at ground.
static void write_tap(struct hw_out *out, const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    int h = local_h(p, a->row_h);
    hw_gds_cell(out, "hw_tap");
    hw_gds_box(out, p->contact, hw_box_at(a->cell_w / 2, 0, p->contact_w, p->contact_w));
    write_mcon(out, p, a->ground_x, 0);
    hw_gds_box(out, p->tap, (struct hw_box){0, -h / 2, a->cell_w, h / 2});
    hw_gds_box(out, p->local, (struct hw_box){0, -h / 2, a->cell_w, h / 2});
    hw_gds_cell_end(out);
    hw_gds_cell(out, "hw_tap_strap");
    hw_gds_box(out, p->tap, (struct hw_box){0, -h / 2, a->strap_w, h / 2});
    hw_gds_box(out, p->local, (struct hw_box){0, -h / 2, a->strap_w, h / 2});
    hw_gds_cell_end(out);
}

// From a word line of poly up to metal 2. Origin: the middle.
static void write_pad(struct hw_out *out, const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    hw_gds_cell(out, "hw_pad");
    hw_gds_box(out, p->poly, hw_box_at(0, 0, poly_pad_w(p), poly_pad_h(p)));
    hw_gds_box(out, p->contact, hw_box_at(0, 0, p->contact_w, p->contact_w));
    hw_gds_box(out, p->local, hw_box_at(0, 0, pad_local_w(p), pad_local_h(p)));
    write_mcon(out, p, 0, 0);
    hw_gds_box(out, p->met1, hw_box_at(0, 0, a->pad_dx, a->pad_dy));
    hw_gds_box(out, p->via, hw_box_at(0, 0, p->via_w, p->via_w));
    hw_gds_box(out, p->met2,
               hw_box_at(0, 0, p->via_w + 2 * p->met_via_end, p->via_w + 2 * p->met_via_side));
    hw_gds_cell_end(out);
}

// Ties of HW_CODE_ROWS nodes, one cell for every combination. Origin: the left end of the column,
// the lowest node.
static void write_codes(struct hw_out *out, const struct hw_array *a)
{
    for (int code = 0; code < 1 << HW_CODE_ROWS; code++) {
        char name[HW_ARRAY_NAME];
        snprintf(name, sizeof name, "hw_code_%02x", code);
        hw_gds_cell(out, name);
        for (int i = 0; i < HW_CODE_ROWS; i++)
            write_mcon(out, a->pdk, code >> i & 1 ? a->bit_x : a->ground_x, i * a->row_h);
        hw_gds_cell_end(out);
    }
}

void hw_array_contact(struct hw_out *out, const struct hw_pdk *p, int x, int y)
{
    hw_gds_box(out, p->contact, hw_box_at(x, y, p->contact_w, p->contact_w));
}

void hw_array_to_met1(struct hw_out *out, const struct hw_array *a, int x, int y)
{
    const struct hw_pdk *p = a->pdk;
    hw_gds_box(out, p->mcon, hw_box_at(x, y, p->mcon_w, p->mcon_w));
    if (p->local_mcon_end > 0)
        hw_gds_box(out, p->local, hw_box_at(x, y, hw_array_cut_w(p), hw_array_cut_h(p)));
    hw_gds_box(out, p->met1, hw_box_at(x, y, a->line_w, p->mcon_w + 2 * p->met1_mcon_end));
}

void hw_array_from_met1(struct hw_out *out, const struct hw_array *a, int x, int y)
{
    const struct hw_pdk *p = a->pdk;
    hw_gds_box(out, p->via, hw_box_at(x, y, p->via_w, p->via_w));
    hw_gds_box(out, p->met1, hw_box_at(x, y, a->pad_dx, a->pad_dy));
}

void hw_array_write_parts(struct hw_out *out, const struct hw_pdk *pdk)
{
    struct hw_array a = hw_array_make(pdk, HW_CODE_ROWS, 1);
    write_node(out, &a);
    write_tap(out, &a);
    write_pad(out, &a);
    hw_sense_write_parts(out, &a);
    hw_power_write_parts(out, pdk);
    write_codes(out, &a);
}

// --- an array

// A column's strip in a block of `rows` rows. Origin: the left end, the middle of node 0.
static void write_column(struct hw_out *out, const struct hw_array *a, const char *name, int rows)
{
    const struct hw_pdk *p = a->pdk;
    int end = p->contact_w / 2 + p->diff_contact, left = (a->cell_w - p->device_w) / 2;
    hw_gds_cell(out, name);
    hw_gds_box(out, p->diff,
               (struct hw_box){left, -end, left + p->device_w, rows * a->row_h + end});
    hw_gds_array(out, "hw_node", 0, 0, 1, rows + 1, a->cell_w, a->row_h);
    write_mcon(out, p, a->ground_x, 0);
    hw_gds_cell_end(out);
}

// A word line and the wire of metal 2 that straps it. Origin: the middle of its left end.
static void write_word_line(struct hw_out *out, const struct hw_array *a, const char *name)
{
    const struct hw_pdk *p = a->pdk;
    int end = a->pad_a - poly_pad_w(p) / 2;
    hw_gds_cell(out, name);
    hw_gds_box(out, p->poly, (struct hw_box){end, -p->poly_w / 2, a->width - end, p->poly_w / 2});
    hw_gds_box(out, p->met2, (struct hw_box){0, -p->met2_w / 2, a->width, p->met2_w / 2});
    hw_gds_cell_end(out);
}

// Bit line and ground of a column over the whole height.
static void write_lines(struct hw_out *out, const struct hw_array *a, const char *name)
{
    const struct hw_pdk *p = a->pdk;
    int end = p->mcon_w / 2 + p->met1_mcon_end, half = a->line_w / 2;
    hw_gds_cell(out, name);
    hw_gds_box(out, p->met1,
               (struct hw_box){a->bit_x - half, -end, a->bit_x + half, a->height + end});
    hw_gds_box(out, p->met1,
               (struct hw_box){a->ground_x - half, -end, a->ground_x + half, a->bus_y});
    hw_gds_cell_end(out);
}

// Copies of a column's cell across the array, between the straps.
static void write_columns(struct hw_out *out, const struct hw_array *a, const char *name, int y)
{
    for (int c = 0; c < a->cols; c += a->pdk->strap_cols) {
        int n = a->cols - c < a->pdk->strap_cols ? a->cols - c : a->pdk->strap_cols;
        hw_gds_array(out, name, hw_array_col_x(a, c), y, n, 1, a->cell_w, a->row_h);
    }
}

// Left ends of the straps: before every strap_cols columns, and after the last column.
int hw_array_strap_x(const struct hw_array *a, int i)
{
    int c = i * a->pdk->strap_cols;
    return c < a->cols ? hw_array_col_x(a, c) - a->strap_w : a->width - a->strap_w;
}

int hw_array_straps(const struct hw_array *a)
{
    return (a->cols + a->pdk->strap_cols - 1) / a->pdk->strap_cols + 1;
}

static void write_taps(struct hw_out *out, const struct hw_array *a, int y)
{
    const struct hw_pdk *p = a->pdk;
    int half = (local_h(p, a->row_h) + p->tap_space) / 2; // the implants meet halfway
    write_columns(out, a, "hw_tap", y);
    for (int i = 0; i < hw_array_straps(a); i++)
        hw_gds_ref(out, "hw_tap_strap", hw_array_strap_x(a, i), y);
    hw_gds_box(out, p->psdm,
               (struct hw_box){-p->implant_diff, y - half, a->width + p->implant_diff, y + half});
}

// Rows [first, first + rows) between two rows of taps.
static void write_block(struct hw_out *out, const struct hw_array *a, const char *name, int first,
                        int rows)
{
    const struct hw_pdk *p = a->pdk;
    char part[HW_ARRAY_NAME];
    int tap = (local_h(p, a->row_h) + p->tap_space) / 2, y = node_y(a, first);
    int npc = p->contact_w / 2 + p->npc_contact;
    snprintf(part, sizeof part, "%s_c%d", name, rows);
    write_columns(out, a, part, y);
    snprintf(part, sizeof part, "%s_w", name);
    hw_gds_array(out, part, 0, y + a->row_h / 2, 1, rows, a->width, a->row_h);
    for (int i = 0; i < hw_array_straps(a); i++) {
        int x = hw_array_strap_x(a, i), low = y + a->row_h / 2;
        hw_gds_array(out, "hw_pad", x + a->pad_a, low, 1, rows / 2, a->strap_w, 2 * a->row_h);
        hw_gds_array(out, "hw_pad", x + a->pad_b, low + a->row_h, 1, rows / 2, a->strap_w,
                     2 * a->row_h);
        hw_gds_box(out, p->npc,
                   (struct hw_box){x + a->pad_a - npc, low - npc, x + a->pad_b + npc,
                                   low + (rows - 1) * a->row_h + npc});
    }
    hw_gds_box(out, p->nsdm,
               (struct hw_box){-p->implant_diff, y - a->tap_y + tap, a->width + p->implant_diff,
                               y + rows * a->row_h + a->tap_y - tap});
}

void hw_array_write(struct hw_out *out, const struct hw_array *a, const char *name)
{
    const struct hw_pdk *p = a->pdk;
    char part[HW_ARRAY_NAME];
    int rest = a->rows % p->tap_rows;
    snprintf(part, sizeof part, "%s_w", name);
    write_word_line(out, a, part);
    snprintf(part, sizeof part, "%s_l", name);
    write_lines(out, a, part);
    for (int i = 0; i < 2; i++) {
        int rows = i == 0 ? p->tap_rows : rest;
        if (rows == 0 || rows > a->rows)
            continue;
        snprintf(part, sizeof part, "%s_c%d", name, rows);
        write_column(out, a, part, rows);
    }
    const struct hw_decoder d = hw_decoder_make(a);
    snprintf(part, sizeof part, "%s_g", name);
    hw_decoder_write_cell(out, &d, part);
    hw_gds_cell(out, name);
    for (int first = 0; first < a->rows; first += p->tap_rows) {
        int rows = a->rows - first < p->tap_rows ? a->rows - first : p->tap_rows;
        write_block(out, a, name, first, rows);
        write_taps(out, a, node_y(a, first) - a->tap_y);
    }
    write_taps(out, a, a->height);
    snprintf(part, sizeof part, "%s_l", name);
    write_columns(out, a, part, 0);
    snprintf(part, sizeof part, "%s_w", name);
    hw_sense_write_across(out, a, part);
    snprintf(part, sizeof part, "%s_g", name);
    hw_decoder_write(out, &d, part);
    hw_gds_box(out, p->met1, (struct hw_box){0, a->bus_y, a->width, a->bus_y + a->bus_h});
    const struct hw_power power = hw_power_make(a);
    hw_power_write(out, &power);
    hw_gds_cell_end(out);
}

// --- code

void hw_array_write_code(struct hw_out *out, const struct hw_array *a, const char *name,
                         const uint8_t *bits, int stride)
{
    hw_gds_cell(out, name);
    for (int c = 0; c < a->cols; c++) {
        int node = 0, code = 0; // 1: on the bit line
        for (int r = 0; r < a->rows; r++) {
            if (r % a->pdk->tap_rows == 0)
                node = 0;
            node ^= bits[(size_t)r * (size_t)stride + (size_t)c / 8] >> (c & 7) & 1;
            code |= node << r % HW_CODE_ROWS;
            if (r % HW_CODE_ROWS < HW_CODE_ROWS - 1)
                continue;
            char part[HW_ARRAY_NAME];
            snprintf(part, sizeof part, "hw_code_%02x", code);
            hw_gds_ref(out, part, hw_array_col_x(a, c), node_y(a, r - HW_CODE_ROWS + 1) + a->row_h);
            code = 0;
        }
    }
    hw_gds_cell_end(out);
}
