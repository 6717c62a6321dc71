// SPDX-License-Identifier: Apache-2.0
// Owns the geometry of the columns' ends. From the array down: charging transistors, n-well taps,
// p-transistors of even and of odd columns, n-transistors of both, taps of the substrate.
//
// In metal 1 a column has two tracks. That of the bit line carries ground below the last gate of
// its inverter; that of ground carries power below the array, and the output below the inverter's
// p-transistor.
#include "gen/layout/sense.h"

#include "gen/chip/bits.h"

static int tap_h(const struct hw_array *a)
{
    return a->row_h - a->pdk->local_space;
}

static int poly_pad_w(const struct hw_pdk *p)
{
    return p->contact_w + 2 * p->poly_contact_side;
}

static int contact_step(const struct hw_pdk *p) // between the middles of two contacts
{
    return p->contact_w + p->contact_space;
}

// How far an implant of p keeps from the middle of a contact of poly; 0 where it may lie over it.
static int implant_hole(const struct hw_pdk *p)
{
    return p->poly_contact_psdm > 0 ? p->contact_w / 2 + p->poly_contact_psdm : 0;
}

struct hw_sense hw_sense_make(const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    struct hw_sense s = {.rail_h = p->sense.rail_h, .output_w = p->met1_w};
    int end = p->contact_w / 2 + p->diff_contact, tap = tap_h(a);
    s.strip_x0 = a->bit_x + p->contact_w / 2 +
                 hw_most(p->poly_contact_psdm + p->implant_diff, p->poly_contact_diff);
    s.strip_x1 = 2 * a->cell_w + a->bit_x - poly_pad_w(p) / 2 - p->poly_space - p->poly_end;
    s.node_h = hw_most(p->contact_w + 2 * p->met1_mcon_side, hw_array_cut_h(p));
    s.node_dy = hw_most((hw_array_pad_h(p) + s.node_h) / 2 + p->local_space,
                        p->mcon_w + 2 * p->met1_mcon_end + p->met_space);
    s.diff_end = s.node_dy + end;
    s.well_top = -(tap / 2 + p->well_tap);
    s.bit_node = s.well_top - p->well_pdiff - end;
    s.pre_gate = s.bit_node - a->row_h / 2;
    s.power_node = s.bit_node - a->row_h;
    s.well_tap = s.power_node - end - p->tap_space - tap / 2;
    s.power_rail = (s.power_node + s.well_tap) / 2 / p->grid * p->grid;
    s.p_row[0] = s.well_tap - tap / 2 - p->tap_space - s.diff_end;
    s.p_row[1] = s.p_row[0] - 2 * s.diff_end - p->diff_space;
    s.well_bottom = s.p_row[1] - s.diff_end - p->well_pdiff;
    s.n_row[0] = s.well_bottom - p->well_ndiff - s.diff_end;
    s.n_row[1] = s.n_row[0] - 2 * s.diff_end - p->diff_space;
    s.ground_tap = s.n_row[1] - s.diff_end - p->tap_space - tap / 2;
    s.ground_rail = s.ground_tap - p->sense.rail_down;
    s.bottom = s.ground_rail - p->sense.bottom_down;
    return s;
}

static void track(struct hw_out *out, const struct hw_array *a, int x, int bottom, int top)
{
    int half = a->pdk->met1_w / 2;
    hw_gds_box(out, a->pdk->met1, (struct hw_box){x - half, bottom, x + half, top});
}

// A transistor of an inverter, its gate on the bit line's track.
static void write_transistor(struct hw_out *out, const struct hw_array *a, const struct hw_sense *s,
                             int y)
{
    const struct hw_pdk *p = a->pdk;
    int first = s->strip_x0 + p->diff_contact + p->contact_w / 2, half = p->poly_w / 2;
    hw_gds_box(out, p->diff,
               (struct hw_box){s->strip_x0, y - s->diff_end, s->strip_x1, y + s->diff_end});
    for (int side = -1; side <= 1; side += 2) {
        hw_array_contact(out, p, first, y + side * s->node_dy);
        hw_array_contact(out, p, first + contact_step(p), y + side * s->node_dy);
    }
    hw_gds_box(out, p->poly,
               (struct hw_box){a->bit_x, y - half, s->strip_x1 + p->poly_end, y + half});
    hw_gds_box(out, p->poly,
               hw_box_at(a->bit_x, y, poly_pad_w(p), p->contact_w + 2 * p->poly_contact_end));
    hw_array_contact(out, p, a->bit_x, y);
    int npc = p->contact_w + 2 * p->npc_contact;
    hw_gds_box(out, p->npc, hw_box_at(a->bit_x, y, npc, npc));
    hw_gds_box(out, p->local, hw_box_at(a->bit_x, y, hw_array_cut_w(p), hw_array_pad_h(p)));
    hw_array_to_met1(out, a, a->bit_x, y);
}

// The drain's local interconnect, from its contacts to the output's track.
static void write_drain(struct hw_out *out, const struct hw_array *a, const struct hw_sense *s,
                        int y)
{
    const struct hw_pdk *p = a->pdk;
    int first = s->strip_x0 + p->diff_contact, last = first + contact_step(p) + p->contact_w;
    int tie = a->ground_x - p->mcon_w / 2 - 10, end = first - p->local_contact;
    hw_gds_box(out, p->local,
               (struct hw_box){tie < end ? tie : end, y - s->node_h / 2, last + p->local_contact,
                               y + s->node_h / 2});
    hw_array_to_met1(out, a, a->ground_x, y);
}

static void write_charger(struct hw_out *out, const struct hw_array *a, const struct hw_sense *s)
{
    const struct hw_pdk *p = a->pdk;
    int end = p->contact_w / 2 + p->diff_contact, left = (a->cell_w - p->device_w) / 2;
    hw_gds_box(out, p->diff,
               (struct hw_box){left, s->power_node - end, left + p->device_w, s->bit_node + end});
    hw_gds_ref(out, "hw_node", 0, s->bit_node);
    hw_gds_ref(out, "hw_node", 0, s->power_node);
    hw_array_contact(out, p, a->cell_w / 2, s->well_tap);
    hw_array_contact(out, p, a->cell_w / 2, s->ground_tap);
    hw_array_to_met1(out, a, a->bit_x, s->bit_node);
}

// An even or an odd column's end, with its tracks.
static void write_end(struct hw_out *out, const struct hw_array *a, const struct hw_sense *s,
                      int odd)
{
    const struct hw_pdk *p = a->pdk;
    int end = p->mcon_w / 2 + p->met1_mcon_end, bit = a->bit_x, other = a->ground_x;
    hw_gds_cell(out, odd ? "hw_sense_odd" : "hw_sense_even");
    write_charger(out, a, s);
    write_transistor(out, a, s, s->p_row[odd]);
    write_transistor(out, a, s, s->n_row[odd]);
    write_drain(out, a, s, s->p_row[odd] - s->node_dy);
    write_drain(out, a, s, s->n_row[odd] + s->node_dy);
    // the bit line, and ground below it
    track(out, a, bit, s->n_row[odd], -end);
    for (int row = odd; row < 2; row++)
        hw_array_to_met1(out, a, bit, s->n_row[row] - s->node_dy);
    hw_array_to_met1(out, a, bit, s->ground_tap);
    hw_array_from_met1(out, a, bit, s->ground_rail);
    track(out, a, bit, s->ground_rail, s->n_row[odd] - s->node_dy);
    // power, and the output below it
    hw_array_to_met1(out, a, other, s->power_node);
    hw_array_to_met1(out, a, other, s->well_tap);
    hw_array_from_met1(out, a, other, s->power_rail);
    for (int row = 0; row <= odd; row++)
        hw_array_to_met1(out, a, other, s->p_row[row] + s->node_dy);
    track(out, a, other, s->p_row[odd] + s->node_dy, s->power_node);
    track(out, a, other, s->bottom, s->p_row[odd] - s->node_dy);
    int hole = implant_hole(p);
    if (hole > 0)
        hw_gds_box(out, p->psdm,
                   (struct hw_box){s->strip_x0 - p->implant_diff, s->p_row[odd] - hole,
                                   s->strip_x1 + p->implant_diff, s->p_row[odd] + hole});
    hw_gds_cell_end(out);
}

void hw_sense_write_parts(struct hw_out *out, const struct hw_array *a)
{
    const struct hw_sense s = hw_sense_make(a);
    write_end(out, a, &s, 0);
    write_end(out, a, &s, 1);
}

// --- across the array

static void across(struct hw_out *out, const struct hw_array *a, struct hw_layer layer, int bottom,
                   int top, int beyond)
{
    hw_gds_box(out, layer, (struct hw_box){-beyond, bottom, a->width + beyond, top});
}

static void band(struct hw_out *out, const struct hw_array *a, struct hw_layer layer, int y, int h)
{
    across(out, a, layer, y - h / 2, y + h / 2, 0);
}

// Implant of the p-transistors: everywhere but at the contacts of their gates, from which it keeps
// its distance.
static void write_implants(struct hw_out *out, const struct hw_array *a, const struct hw_sense *s)
{
    const struct hw_pdk *p = a->pdk;
    int half = (tap_h(a) + p->tap_space) / 2, hole = implant_hole(p);
    int beyond = p->implant_diff, well = s->well_tap - half;
    for (int c = 0; c < a->cols; c += p->strap_cols) { // not at the contacts of PRE_N
        int last = c + p->strap_cols < a->cols ? c + p->strap_cols : a->cols;
        int left = (a->cell_w - p->device_w) / 2 - beyond;
        hw_gds_box(out, p->psdm,
                   (struct hw_box){hw_array_col_x(a, c) + left, s->well_tap + half,
                                   hw_array_col_x(a, last - 1) + a->cell_w - left, -half});
    }
    across(out, a, p->nsdm, well, s->well_tap + half, beyond);
    across(out, a, p->psdm, s->p_row[0] + hole, well, beyond);
    across(out, a, p->psdm, s->p_row[1] + hole, s->p_row[0] - hole, beyond);
    across(out, a, p->psdm, s->p_row[1] - s->diff_end - p->implant_diff, s->p_row[1] - hole,
           beyond);
    across(out, a, p->nsdm, s->ground_tap + half, s->n_row[0] + s->diff_end + p->implant_diff,
           beyond);
    across(out, a, p->psdm, s->ground_tap - half, s->ground_tap + half, beyond);
}

void hw_sense_write_across(struct hw_out *out, const struct hw_array *a, const char *word_line)
{
    const struct hw_pdk *p = a->pdk;
    const struct hw_sense s = hw_sense_make(a);
    int tap = tap_h(a), npc = p->contact_w + 2 * p->npc_contact;
    for (int c = 0; c < a->cols; c += p->strap_cols) {
        int n = a->cols - c < p->strap_cols ? a->cols - c : p->strap_cols;
        hw_gds_array(out, "hw_sense_even", hw_array_col_x(a, c), 0, (n + 1) / 2, 1, 2 * a->cell_w,
                     a->row_h);
        if (n > 1)
            hw_gds_array(out, "hw_sense_odd", hw_array_col_x(a, c) + a->cell_w, 0, n / 2, 1,
                         2 * a->cell_w, a->row_h);
    }
    hw_gds_ref(out, word_line, 0, s.pre_gate);
    for (int i = 0; i < hw_array_straps(a); i++) {
        int x = hw_array_strap_x(a, i) + a->pad_a;
        hw_gds_ref(out, "hw_pad", x, s.pre_gate);
        hw_gds_box(out, p->npc, hw_box_at(x, s.pre_gate, npc, npc));
    }
    band(out, a, p->local, s.well_tap, tap);
    band(out, a, p->tap, s.well_tap, tap);
    for (int row = 0; row < 2; row++) {
        band(out, a, p->local, s.p_row[row] + s.node_dy, s.node_h);
        band(out, a, p->local, s.n_row[row] - s.node_dy, s.node_h);
    }
    band(out, a, p->local, s.ground_tap, tap);
    band(out, a, p->tap, s.ground_tap, tap);
    band(out, a, p->met2, s.power_rail, s.rail_h);
    band(out, a, p->met2, s.ground_rail, s.rail_h);
    across(out, a, p->well, s.well_bottom, s.well_top, p->well_pdiff);
    write_implants(out, a, &s);
}
