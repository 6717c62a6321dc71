// SPDX-License-Identifier: Apache-2.0
// Owns the geometry of the row decoder. Drivers of eight rows stand side by side in a row of cells
// as high as the eight rows, the cell of their group to the left of them; below the array stand a
// row of low cells, one under each column of drivers, and a row of buffers:
//
//     lines | group | taps | 8 drivers | taps | array       one such row for every eight rows
//           |       | taps | 8 low     | taps |
//           |       | taps | buffers   | taps | PRE_N
//
// A cell is one strip of n- and one of p-diffusion under k gates of the NAND and f of the inverter.
// Metal 2 runs horizontally: word lines, inputs of groups and low cells, outputs of buffers. Metal
// 1 runs vertically: the lines of addresses, the columns' L, trunks of power and ground.
#include "gen/layout/decoder.h"

#include "gen/chip/bits.h"

// --- dimensions

static int to_grid(const struct hw_pdk *p, int length)
{
    return (length + p->grid - 1) / p->grid * p->grid;
}

static int contact_end(const struct hw_pdk *p) // from a contact's middle to its diffusion's end
{
    return p->contact_w / 2 + p->diff_contact;
}

static int
pad_h(const struct hw_pdk *p) // poly along the gate, and local interconnect, at a contact
{
    return hw_most(p->contact_w + 2 * p->poly_contact_side, hw_array_pad_h(p));
}

static int pad_w(const struct hw_pdk *p)
{
    return p->contact_w + 2 * p->poly_contact_end;
}

int hw_decoder_bits(int rows)
{
    int bits = HW_LOW_BITS;
    while (1 << bits < rows)
        bits++;
    return bits;
}

static void make_cell(struct hw_decoder *d)
{
    const struct hw_pdk *p = d->a->pdk;
    int half = p->contact_w / 2, implant = p->implant_diff + p->poly_contact_psdm;
    int wire = p->local_w / 2;
    d->pitch = to_grid(
        p, hw_most(pad_w(p) + p->poly_space, p->poly_w + p->contact_w + 2 * p->contact_gate));
    d->first_dx = p->local_space + (p->local_w + hw_array_cut_w(p)) / 2 - d->pitch / 2;
    d->input_y = p->decoder.n_w + hw_most(p->poly_contact_diff + half, p->poly_diff + pad_h(p) / 2);
    d->inner_y = d->input_y + pad_h(p) / 2 + p->local_space + wire;
    d->below_y = -hw_most(hw_most(p->poly_contact_diff + half, p->poly_diff + pad_h(p) / 2),
                          p->local_space + hw_array_cut_h(p) / 2);
    d->p_y = d->inner_y +
             hw_most(half + hw_most(implant, p->poly_contact_diff), p->poly_diff + pad_h(p) / 2);
    d->top = d->p_y + p->decoder.p_w;
    d->n_node = p->decoder.n_w - contact_end(p);
    d->p_node = d->p_y + p->decoder.pull_node;
    d->tap = p->decoder.tap;
    d->cell_dx = to_grid(p, 4 * d->pitch + d->first_dx + 2 * contact_end(p) + p->diff_space);
}

struct hw_decoder hw_decoder_make(const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    struct hw_decoder d = {.a = a, .bits = hw_decoder_bits(a->rows)};
    d.groups = a->rows / HW_CODE_ROWS;
    make_cell(&d);
    int end = contact_end(p), tap = d.tap / 2 + p->tap_space, inputs = d.bits - HW_LOW_BITS + 1;
    d.tap_x[1] = -p->well_space - 2 * p->well_pdiff - d.tap / 2;
    d.pre_x = p->decoder.pre_x;
    d.driver_x = d.tap_x[1] - tap - end - 4 * d.pitch - 7 * d.cell_dx - p->decoder.trunk_clear;
    d.tap_x[0] = d.driver_x - d.first_dx - end - tap;
    d.group_x = d.tap_x[0] - tap - end - (inputs + 2) * d.pitch;
    d.buffer_x = d.driver_x + d.pitch; // clear of the trunk
    d.line_dx = a->pad_dx + p->met_space;
    d.line_x = d.group_x - 250; // pads of line and gate keep their space
    d.left = d.line_x - 2 * d.bits * d.line_dx - a->pad_dx / 2;
    d.low_y = p->decoder.low_y;
    d.link_y = d.low_y + d.top + p->decoder.link_up;
    d.track_dy = a->row_h;
    d.buffer_y =
        d.low_y - p->decoder.tracks_end - p->decoder.tracks_up - (2 * d.bits + 2) * d.track_dy;
    d.track_y = d.buffer_y + p->decoder.tracks_up;
    d.bar_h = p->decoder.bar_h;
    d.power_y = a->height + p->decoder.bar_up;
    d.ground_y = d.power_y + d.bar_h + p->decoder.bar_gap;
    d.bottom = d.buffer_y - p->decoder.below_buffers;
    return d;
}

// Metal 1 to metal 2.
static void via(struct hw_out *out, const struct hw_array *a, int x, int y)
{
    const struct hw_pdk *p = a->pdk;
    hw_array_from_met1(out, a, x, y);
    hw_gds_box(out, p->met2,
               hw_box_at(x, y, p->via_w + 2 * p->met_via_end, p->via_w + 2 * p->met_via_side));
}

static void wire_up(struct hw_out *out, const struct hw_array *a, int x, int y0, int y1, int w)
{
    int low = y0 < y1 ? y0 : y1;
    hw_gds_box(out, a->pdk->met1, (struct hw_box){x - w / 2, low, x + w / 2, y0 + y1 - low});
}

static void wire_across(struct hw_out *out, const struct hw_array *a, int y, int x0, int x1)
{
    int left = x0 < x1 ? x0 : x1, half = a->pdk->met2_w / 2;
    hw_gds_box(out, a->pdk->met2, (struct hw_box){left, y - half, x0 + x1 - left, y + half});
}

// Local interconnect of a node, straight up or down.
static void local_up(struct hw_out *out, const struct hw_pdk *p, int x, int y0, int y1)
{
    hw_gds_box(out, p->local, (struct hw_box){x - p->local_w / 2, y0, x + p->local_w / 2, y1});
}

// --- a cell

static int node_x(const struct hw_decoder *d, int i)
{
    return i == 0 ? -d->first_dx : i * d->pitch;
}

static int gate_x(const struct hw_decoder *d, int i)
{
    return d->pitch / 2 + i * d->pitch;
}

static void write_gate(struct hw_out *out, const struct hw_decoder *d, int i, int contact_y)
{
    const struct hw_pdk *p = d->a->pdk;
    int x = gate_x(d, i), half = p->poly_w / 2;
    hw_gds_box(out, p->poly,
               (struct hw_box){x - half, contact_y < 0 ? contact_y : -p->poly_end, x + half,
                               d->top + p->poly_end});
    hw_gds_box(out, p->poly, hw_box_at(x, contact_y, pad_w(p), pad_h(p)));
    hw_array_contact(out, p, x, contact_y);
    if (contact_y > 0) // a group's wire is there below
        hw_gds_box(out, p->local, hw_box_at(x, contact_y, hw_array_cut_w(p), pad_h(p)));
}

// The node between two transistors, of the NAND's output, of the output, or of a rail.
enum node { INNER, RAIL, OUT };

static void write_nodes(struct hw_out *out, const struct hw_decoder *d, int i, enum node n,
                        enum node p_kind)
{
    const struct hw_pdk *p = d->a->pdk;
    int x = node_x(d, i), half = pad_h(p) / 2;
    if (n == RAIL) {
        hw_array_contact(out, p, x, d->n_node - d->pitch / 2);
        local_up(out, p, x, 0, d->n_node - d->pitch / 2 + half);
    } else if (n == OUT) {
        hw_array_contact(out, p, x, d->n_node);
        hw_gds_box(out, p->local, hw_box_at(x, d->n_node, hw_array_cut_w(p), 2 * half));
    }
    if (p_kind == RAIL) {
        hw_array_contact(out, p, x, d->top - p->decoder.pull_node);
        local_up(out, p, x, d->top - p->decoder.pull_node - half, d->top);
    } else {
        hw_array_contact(out, p, x, d->p_node);
        if (p_kind == OUT)
            hw_gds_box(out, p->local, hw_box_at(x, d->p_node, hw_array_cut_w(p), 2 * half));
        else
            local_up(out, p, x, d->inner_y, d->p_node + half);
    }
}

// The inverter's gates, joined at their contact, and what leads to it from the NAND.
static void write_inverter(struct hw_out *out, const struct hw_decoder *d, int k, int f)
{
    const struct hw_pdk *p = d->a->pdk;
    int x = (gate_x(d, k) + gate_x(d, k + f - 1)) / 2, half = p->poly_w / 2;
    for (int i = k; i < k + f; i++)
        hw_gds_box(out, p->poly,
                   (struct hw_box){gate_x(d, i) - half, -p->poly_end, gate_x(d, i) + half,
                                   d->top + p->poly_end});
    hw_gds_box(out, p->poly,
               hw_box_at(x, d->inner_y, hw_most(pad_w(p), (f - 1) * d->pitch), pad_h(p)));
    hw_array_contact(out, p, x, d->inner_y);
    hw_gds_box(out, p->local,
               (struct hw_box){node_x(d, 0) - p->local_w / 2, d->inner_y - p->local_w / 2,
                               x + p->contact_w / 2 + p->local_contact,
                               d->inner_y + p->local_w / 2});
    hw_array_contact(out, p, node_x(d, 0), d->n_node); // the NAND's output, below
    local_up(out, p, node_x(d, 0), d->n_node - pad_h(p) / 2, d->inner_y);
}

// A NAND of k inputs and an inverter of f gates, without wires of metal. below: the last input's
// contact lies below the cell.
static void write_cell(struct hw_out *out, const struct hw_decoder *d, const char *name, int k,
                       int f, bool below)
{
    const struct hw_pdk *p = d->a->pdk;
    int x0 = node_x(d, 0) - contact_end(p), x1 = node_x(d, k + f) + contact_end(p);
    int npc = p->contact_w / 2 + p->npc_contact;
    hw_gds_cell(out, name);
    hw_gds_box(out, p->diff, (struct hw_box){x0, 0, x1, p->decoder.n_w});
    hw_gds_box(out, p->diff, (struct hw_box){x0, d->p_y, x1, d->top});
    hw_gds_box(out, p->npc, (struct hw_box){x0, d->input_y - npc, x1, d->inner_y + npc});
    for (int i = 0; i <= k; i++)
        write_nodes(out, d, i, i == k ? RAIL : INNER, (k - i) % 2 ? INNER : RAIL);
    for (int i = 1; i <= f; i++)
        write_nodes(out, d, k + i, i % 2 ? OUT : RAIL, i % 2 ? OUT : RAIL);
    for (int i = 0; i < k; i++)
        write_gate(out, d, i, below && i == k - 1 ? d->below_y : d->input_y);
    write_inverter(out, d, k, f);
    hw_array_to_met1(out, d->a, node_x(d, k + 1), d->n_node);
    hw_array_to_met1(out, d->a, node_x(d, k + 1), d->p_node);
    wire_up(out, d->a, node_x(d, k + 1), d->n_node, d->p_node, d->a->line_w);
    hw_gds_cell_end(out);
}

void hw_decoder_write_parts(struct hw_out *out, const struct hw_pdk *pdk)
{
    const struct hw_array any = hw_array_make(pdk, HW_CODE_ROWS, 1);
    const struct hw_decoder d = hw_decoder_make(&any);
    write_cell(out, &d, "hw_buffer", 1, 1, false);
    write_cell(out, &d, "hw_buffer_clk", 1, 2, false);
    write_cell(out, &d, "hw_low", HW_LOW_BITS, 1, false);
    write_cell(out, &d, "hw_driver", 2, 2, true);
}

void hw_decoder_write_cell(struct hw_out *out, const struct hw_decoder *d, const char *name)
{
    write_cell(out, d, name, d->bits - HW_LOW_BITS + 1, 2, false);
}

// --- rows of cells

// Implants of the cells with diffusion from x0 to x1.
static void write_implants(struct hw_out *out, const struct hw_decoder *d, int x0, int x1, int y)
{
    const struct hw_pdk *p = d->a->pdk;
    int beyond = p->implant_diff;
    hw_gds_box(out, p->nsdm,
               (struct hw_box){x0 - beyond, y - beyond, x1 + beyond, y + p->decoder.n_w + beyond});
    hw_gds_box(out, p->psdm,
               (struct hw_box){x0 - beyond, y + d->p_y - beyond, x1 + beyond, y + d->top + beyond});
}

// What a row of cells shares: well, rails, implants, and the taps at both columns. left: of the
// cells before the first column of taps, or of that column.
static void write_row(struct hw_out *out, const struct hw_decoder *d, int left, int y, int rail)
{
    const struct hw_pdk *p = d->a->pdk;
    int gap = d->tap / 2 + p->tap_space, rail_h = p->decoder.rail_h, in = p->decoder.tap_contact,
        beyond = p->implant_diff;
    int well_x1 = d->tap_x[1] + d->tap / 2, end = d->tap_x[0] - d->bar_h;
    int x0 = left < end ? left : end, x1 = d->tap_x[1] + d->bar_h;
    if (left < d->tap_x[0] - gap)
        write_implants(out, d, left, d->tap_x[0] - gap, y);
    write_implants(out, d, d->tap_x[0] + gap, d->tap_x[1] - gap, y);
    hw_gds_box(out, p->well,
               (struct hw_box){left - p->well_pdiff, y + d->p_y - p->well_pdiff,
                               well_x1 + p->well_pdiff, y + d->top + p->well_pdiff});
    hw_gds_box(out, p->local, (struct hw_box){x0, y - rail, x1, y + rail_h});
    hw_gds_box(out, p->local, (struct hw_box){x0, y + d->top - rail_h, x1, y + d->top + rail});
    for (int i = 0; i < 2; i++) {
        const struct hw_box low = {d->tap_x[i] - d->tap / 2, y, d->tap_x[i] + d->tap / 2,
                                   y + d->tap};
        const struct hw_box high = {low.x0, y + d->top - d->tap, low.x1, y + d->top};
        const int at[2] = {y + in, y + d->top - in};
        hw_gds_box(out, p->tap, low);
        hw_gds_box(out, p->tap, high);
        hw_gds_box(
            out, p->psdm,
            (struct hw_box){low.x0 - beyond, low.y0 - beyond, low.x1 + beyond, low.y1 + beyond});
        hw_gds_box(out, p->nsdm,
                   (struct hw_box){high.x0 - beyond, high.y0 - beyond, high.x1 + beyond,
                                   high.y1 + beyond});
        local_up(out, p, d->tap_x[i], y, at[0] + pad_h(p) / 2);
        local_up(out, p, d->tap_x[i], at[1] - pad_h(p) / 2, y + d->top);
        for (int k = 0; k < 2; k++)
            hw_array_contact(out, p, d->tap_x[i], at[k]);
        hw_array_to_met1(out, d->a, d->tap_x[i] + p->decoder.trunk_dx, y + rail_h / 2);
        hw_array_to_met1(out, d->a, d->tap_x[i] - p->decoder.trunk_dx, y + d->top - rail_h / 2);
    }
}

static int group_y(const struct hw_decoder *d, int group)
{
    const struct hw_pdk *p = d->a->pdk;
    return hw_array_row_y(d->a, group * HW_CODE_ROWS) - d->a->row_h / 2 + p->decoder.group_up;
}

// Which line carries a bit of an address with a value; EN is line 0.
static int line_of(const struct hw_decoder *d, int bit, int value)
{
    return bit == d->bits ? 0 : 1 + 2 * bit + !value;
}

static int line_x(const struct hw_decoder *d, int line)
{
    return d->line_x - line * d->line_dx;
}

// From an input's contact to a wire of metal 2 at height `to`.
static void write_input(struct hw_out *out, const struct hw_decoder *d, int x, int y, int to)
{
    hw_array_to_met1(out, d->a, x, y);
    wire_up(out, d->a, x, y, to, d->a->line_w);
    via(out, d->a, x, to);
}

// Eight drivers and the cell of their group.
static void write_group(struct hw_out *out, const struct hw_decoder *d, const char *cell, int group)
{
    const struct hw_array *a = d->a;
    const struct hw_pdk *p = a->pdk;
    int y = group_y(d, group), k = d->bits - HW_LOW_BITS + 1, last = d->driver_x + 7 * d->cell_dx;
    write_row(out, d, d->group_x - d->first_dx - contact_end(p), y, 0);
    hw_gds_ref(out, cell, d->group_x, y);
    for (int i = 0; i < k; i++) {
        int bit = HW_LOW_BITS + i, to = hw_array_row_y(a, group * HW_CODE_ROWS + i);
        int from = line_x(d, line_of(d, bit, group >> i & 1)), x = d->group_x + gate_x(d, i);
        write_input(out, d, x, y + d->input_y, to);
        via(out, a, from, to);
        wire_across(out, a, to, from, x);
    }
    int x = d->group_x + node_x(d, k + 1), half = p->local_w / 2, below = y + d->below_y;
    int end = p->contact_w / 2 + p->local_contact, npc = p->contact_w / 2 + p->npc_contact,
        b = gate_x(d, 1);
    wire_up(out, a, x, below, y + d->n_node, a->line_w);
    hw_array_to_met1(out, a, x, below);
    hw_gds_box(out, p->local,
               (struct hw_box){x - half, below - half, last + b + end, below + half});
    hw_gds_box(out, p->npc,
               (struct hw_box){d->driver_x + b - npc, below - npc, last + b + npc, below + npc});
    hw_gds_array(out, "hw_driver", d->driver_x, y, HW_CODE_ROWS, 1, d->cell_dx, a->row_h);
    for (int j = 0; j < HW_CODE_ROWS; j++) {
        int column = d->driver_x + j * d->cell_dx, at = column + node_x(d, 3);
        int wl = hw_array_row_y(a, group * HW_CODE_ROWS + j);
        hw_array_to_met1(out, a, column + gate_x(d, 0), y + d->input_y);
        wire_up(out, a, at, y + d->n_node, wl, a->line_w);
        via(out, a, at, wl);
        wire_across(out, a, wl, at, 0);
    }
}

// Low cells, one below each column of drivers, and the columns' wires.
static void write_low(struct hw_out *out, const struct hw_decoder *d)
{
    const struct hw_array *a = d->a;
    const struct hw_pdk *p = a->pdk;
    int top = group_y(d, d->groups - 1) + d->input_y;
    write_row(out, d, d->tap_x[0] - d->tap / 2, d->low_y, p->decoder.wide_rail);
    hw_gds_array(out, "hw_low", d->driver_x, d->low_y, HW_CODE_ROWS, 1, d->cell_dx, a->row_h);
    for (int line = 1; line <= 2 * HW_LOW_BITS; line++) {
        int y = d->low_y + p->decoder.low_track + (line - 1) * d->track_dy;
        int last = d->driver_x + 7 * d->cell_dx + gate_x(d, HW_LOW_BITS - 1);
        via(out, a, line_x(d, line), y);
        wire_across(out, a, y, line_x(d, line), last);
    }
    for (int j = 0; j < HW_CODE_ROWS; j++) {
        int x = d->driver_x + j * d->cell_dx, from = x + node_x(d, HW_LOW_BITS + 1);
        for (int i = 0; i < HW_LOW_BITS; i++) {
            int line = line_of(d, i, j >> i & 1);
            write_input(out, d, x + gate_x(d, i), d->low_y + d->input_y,
                        d->low_y + p->decoder.low_track + (line - 1) * d->track_dy);
        }
        int half = a->line_w / 2, to = x + gate_x(d, 0);
        wire_up(out, a, from, d->low_y + d->n_node, d->link_y, a->line_w);
        hw_gds_box(out, a->pdk->met1,
                   (struct hw_box){to - half, d->link_y - half, from + half, d->link_y + half});
        wire_up(out, a, to, d->link_y, top, a->line_w);
    }
}

// --- buffers

// Buffers 0 .. bits - 1 of A, then that of EN and that of PRE_N.
static int buffer_x(const struct hw_decoder *d, int i)
{
    const struct hw_pdk *p = d->a->pdk;
    int dx = to_grid(p, 2 * d->pitch + d->first_dx + 2 * contact_end(p) + p->diff_space);
    return d->buffer_x + i * dx + (i > d->bits ? d->pitch : 0);
}

int hw_decoder_pin_x(const struct hw_decoder *d, int i)
{
    return buffer_x(d, i) + gate_x(d, 0);
}

// From a buffer's node at (x, y) to its track, and from there to the line x1, which leads up to y1.
static void write_track(struct hw_out *out, const struct hw_decoder *d, int track, int x, int y,
                        int x1, int y1)
{
    const struct hw_array *a = d->a;
    int at = d->track_y + track * d->track_dy;
    wire_up(out, a, x, y, at, a->line_w);
    via(out, a, x, at);
    wire_across(out, a, at, x, x1);
    via(out, a, x1, at);
    wire_up(out, a, x1, at, y1, a->pdk->met1_w);
}

// How far up a line leads.
static int line_top(const struct hw_decoder *d, int line)
{
    const struct hw_pdk *p = d->a->pdk;
    if (line >= 1 && line <= 2 * HW_LOW_BITS)
        return d->low_y + p->decoder.low_track + (line - 1) * d->track_dy;
    return hw_array_row_y(d->a, d->a->rows - 1);
}

static void write_buffers(struct hw_out *out, const struct hw_decoder *d, int pre_gate)
{
    const struct hw_array *a = d->a;
    const struct hw_pdk *p = a->pdk;
    int y = d->buffer_y, p_up = y + d->p_node - p->decoder.nand_down;
    write_row(out, d, d->tap_x[0] - d->tap / 2, y, p->decoder.wide_rail);
    for (int i = 0; i < d->bits + 2; i++) {
        int x = buffer_x(d, i), address = i < d->bits;
        hw_gds_ref(out, address ? "hw_buffer" : "hw_buffer_clk", x, y);
        hw_array_to_met1(out, a, x + gate_x(d, 0), y + d->input_y);
        wire_up(out, a, x + gate_x(d, 0), d->bottom, y + d->input_y, a->line_w);
        int line = line_of(d, i, 1), track = i <= d->bits ? line : 2 * d->bits + 1;
        write_track(out, d, track, x + node_x(d, 2), y + d->p_node,
                    i <= d->bits ? line_x(d, line) : d->pre_x,
                    i <= d->bits ? line_top(d, line) : pre_gate);
        if (!address)
            continue;
        hw_array_to_met1(out, a, x + node_x(d, 0), p_up); // the NAND's output is the complement
        write_track(out, d, line + 1, x + node_x(d, 0), p_up, line_x(d, line + 1),
                    line_top(d, line + 1));
    }
    int clk[2] = {hw_decoder_pin_x(d, d->bits), hw_decoder_pin_x(d, d->bits + 1)};
    int half = a->line_w / 2;
    hw_gds_box(out, p->met1,
               (struct hw_box){clk[0] - half, d->bottom, clk[1] + half, d->bottom + a->line_w});
    via(out, a, d->pre_x, pre_gate);
    wire_across(out, a, pre_gate, d->pre_x, 0);
}

// --- power

// A trunk of metal 1 and its cuts to a wire of metal 2 at each height.
static void write_cuts(struct hw_out *out, const struct hw_decoder *d, int x, int y, int rows)
{
    const struct hw_pdk *p = d->a->pdk;
    int step = p->via_w + p->via_space;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < rows; k++)
            hw_gds_box(out, p->via,
                       hw_box_at(x - step / 2 + i * step, y - (rows - 1) * step / 2 + k * step,
                                 p->via_w, p->via_w));
    }
}

static void write_power(struct hw_out *out, const struct hw_decoder *d, int power_rail,
                        int ground_rail, int rail_h)
{
    const struct hw_array *a = d->a;
    const struct hw_pdk *p = a->pdk;
    int w = d->bar_h, half = w / 2, beyond = half + p->decoder.beyond_cut;
    int rail = ground_rail - rail_h / 2, low = rail < d->buffer_y ? rail : d->buffer_y;
    int vdd = d->tap_x[1] - p->decoder.trunk_dx, gnd = d->tap_x[1] + p->decoder.trunk_dx;
    for (int i = 0; i < 2; i++) {
        wire_up(out, a, d->tap_x[i] - p->decoder.trunk_dx, low, d->power_y + beyond, w);
        wire_up(out, a, d->tap_x[i] + p->decoder.trunk_dx, low, d->ground_y + beyond, w);
        write_cuts(out, d, d->tap_x[i] - p->decoder.trunk_dx, d->power_y, 2);
        write_cuts(out, d, d->tap_x[i] + p->decoder.trunk_dx, d->ground_y, 2);
    }
    hw_gds_box(out, p->met2,
               (struct hw_box){d->left, d->power_y - half, vdd + beyond, d->power_y + half});
    hw_gds_box(out, p->met2,
               (struct hw_box){d->tap_x[0] + p->decoder.trunk_dx - beyond, d->ground_y - half,
                               gnd + beyond, d->ground_y + half});
    hw_gds_box(out, p->met1, (struct hw_box){gnd - half, a->bus_y, 0, a->bus_y + a->bus_h});
    write_cuts(out, d, vdd, power_rail, 1);
    write_cuts(out, d, gnd, ground_rail, 1);
    hw_gds_box(out, p->met2,
               (struct hw_box){vdd - beyond, power_rail - rail_h / 2, 0, power_rail + rail_h / 2});
    hw_gds_box(
        out, p->met2,
        (struct hw_box){gnd - beyond, ground_rail - rail_h / 2, 0, ground_rail + rail_h / 2});
}

void hw_decoder_write(struct hw_out *out, const struct hw_decoder *d, const char *cell)
{
    const struct hw_sense s = hw_sense_make(d->a);
    for (int g = 0; g < d->groups; g++)
        write_group(out, d, cell, g);
    write_low(out, d);
    write_buffers(out, d, s.pre_gate);
    write_power(out, d, s.power_rail, s.ground_rail, s.rail_h);
}

// --- names

static void name_net(struct hw_out *out, struct hw_layer layer, int x, int y, const char *net,
                     int i)
{
    char text[32];
    snprintf(text, sizeof text, i < 0 ? "%s" : "%s[%d]", net, i);
    hw_gds_text(out, layer, x, y, text);
}

void hw_decoder_write_names(struct hw_out *out, const struct hw_decoder *d, int x, int y)
{
    const struct hw_pdk *p = d->a->pdk;
    int nand_x = x + node_x(d, 0), inner = y + d->inner_y, pre = hw_sense_make(d->a).pre_gate;
    for (int i = 0; i < d->bits + 2; i++) {
        int at = nand_x + buffer_x(d, i), to = y + d->buffer_y + d->inner_y;
        name_net(out, p->local_label, at, to,
                 i < d->bits    ? "AN"
                 : i == d->bits ? "ENB"
                                : "PREB",
                 i < d->bits ? i : -1);
        if (i <= d->bits)
            name_net(out, p->met1_label, x + line_x(d, line_of(d, i, 1)),
                     y + d->track_y + line_of(d, i, 1) * d->track_dy, i < d->bits ? "AP" : "EN",
                     i < d->bits ? i : -1);
    }
    name_net(out, p->met2_label, x - 100, y + pre, "PRE_N", -1);
    for (int j = 0; j < HW_CODE_ROWS; j++) {
        int cell = d->driver_x + j * d->cell_dx;
        name_net(out, p->local_label, nand_x + cell, inner + d->low_y, "LB", j);
        name_net(out, p->met1_label, x + cell + gate_x(d, 0), y + d->link_y, "L", j);
    }
    for (int g = 0; g < d->groups; g++) {
        int at = group_y(d, g);
        name_net(out, p->local_label, nand_x + d->group_x, inner + at, "GB", g);
        name_net(out, p->local_label, x + d->driver_x + gate_x(d, 1), y + at + d->below_y, "G", g);
        for (int j = 0; j < HW_CODE_ROWS; j++) {
            int row = g * HW_CODE_ROWS + j;
            name_net(out, p->local_label, nand_x + d->driver_x + j * d->cell_dx, inner + at, "WB",
                     row);
            name_net(out, p->met2_label, x - 100, y + hw_array_row_y(d->a, row), "WL", row);
        }
    }
}
