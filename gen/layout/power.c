// SPDX-License-Identifier: Apache-2.0
// Owns the geometry of the straps. From below: a rail of metal 2 (power, ground; for the ground bus
// of metal 1 above the array a plate of metal 2), in every level but the last a band across the
// array, in the last one the straps.
#include "gen/layout/power.h"

#include "gen/chip/bits.h"

#include "gen/layout/decoder.h"
#include "gen/layout/sense.h"

// What runs across the array for a supply: the height of its metal 2, and of the bands above.
struct band {
    enum hw_supply supply;
    int rail0, rail1;
    int y0, y1;
};
enum { N_BANDS = 3 };

static int pair_w(const struct hw_pdk *p)
{
    return 2 * p->power.strap_w + p->power.strap_gap;
}

struct hw_power hw_power_make(const struct hw_array *a)
{
    const struct hw_pdk *p = a->pdk;
    int below = hw_decoder_make(a).bottom, sense = hw_sense_make(a).bottom;
    return (struct hw_power){.a = a,
                             .n = (a->cols + p->power.cols - 1) / p->power.cols,
                             .y0 = below < sense ? below : sense,
                             .y1 = a->bus_y + a->bus_h + p->margin,
                             .right = hw_most(a->width, pair_w(p))};
}

// Each pair stands in the middle of its part of the array.
struct hw_box hw_power_strap(const struct hw_power *p, int i, enum hw_supply supply)
{
    const struct hw_pdk *k = p->a->pdk;
    int middle = (int)((long)p->right * (2 * i + 1) / (2 * p->n));
    int x = (middle - pair_w(k) / 2) / k->grid * k->grid;
    x += supply == HW_GROUND ? k->power.strap_w + k->power.strap_gap : 0;
    return (struct hw_box){x, p->y0, x + k->power.strap_w, p->y1};
}

const char *hw_power_name(enum hw_supply supply)
{
    return supply == HW_POWER ? "VPWR" : "VGND";
}

// Bands of the columns' ends lie between the two rails: PRE_N runs above that of power, and below
// that of ground the macro may end.
static struct band band_of(const struct hw_array *a, enum hw_supply supply, int middle)
{
    int half = a->pdk->sense.rail_h / 2, h = a->pdk->power.band_h;
    int low = middle - half, high = middle + half;
    return (struct band){supply, low, high, supply == HW_POWER ? high - h : low,
                         supply == HW_POWER ? high : low + h};
}

static void bands(const struct hw_array *a, struct band to[N_BANDS])
{
    const struct hw_sense s = hw_sense_make(a);
    int bus = a->bus_y, top = bus + a->bus_h;
    to[0] = band_of(a, HW_POWER, s.power_rail);
    to[1] = band_of(a, HW_GROUND, s.ground_rail);
    to[2] = (struct band){HW_GROUND, bus, top, bus, top};
}

// --- cuts

// How many cuts fit a length, and at what distance.
static int fit(const struct hw_level *l, int length)
{
    int n = (length - 2 * l->beyond + l->cut_space) / (l->cut_w + l->cut_space);
    return n > 0 ? n : 1;
}

// Cuts all over a box.
static void fill(struct hw_out *out, const struct hw_level *l, int grid, const char *cell,
                 struct hw_box b)
{
    int step = l->cut_w + l->cut_space, n_x = fit(l, b.x1 - b.x0), n_y = fit(l, b.y1 - b.y0);
    int x = (b.x0 + b.x1 - (n_x - 1) * step) / 2, y = (b.y0 + b.y1 - (n_y - 1) * step) / 2;
    hw_gds_array(out, cell, x / grid * grid, y / grid * grid, n_x, n_y, step, step);
}

// A row of cuts, one a column, at height y.
static void row(struct hw_out *out, const struct hw_array *a, const char *cell, int y)
{
    hw_gds_array(out, cell, a->cell_w, y, (a->width - a->cell_w) / a->cell_w, 1, a->cell_w,
                 a->row_h);
}

static const char *const CUT[] = {"hw_cut_via", "hw_cut_up1", "hw_cut_up2"};

void hw_power_write_parts(struct hw_out *out, const struct hw_pdk *p)
{
    hw_gds_cell(out, CUT[0]);
    hw_gds_box(out, p->via, hw_box_at(0, 0, p->via_w, p->via_w));
    hw_gds_cell_end(out);
    for (int i = 0; i < p->power.n_levels; i++) {
        const struct hw_level *l = &p->power.level[i];
        hw_gds_cell(out, CUT[i + 1]);
        hw_gds_box(out, l->cut, hw_box_at(0, 0, l->cut_w, l->cut_w));
        hw_gds_cell_end(out);
    }
}

// --- across the array, and up

// Rows of cuts along a wire: in its middle, or where there is room two.
static void rows(struct hw_out *out, const struct hw_array *a, const char *cell, int y0, int y1)
{
    int middle = (y0 + y1) / 2, apart = (y1 - y0) / 4 / a->pdk->grid * a->pdk->grid;
    if (y1 - y0 < a->bus_h) {
        row(out, a, cell, middle);
        return;
    }
    row(out, a, cell, middle - apart);
    row(out, a, cell, middle + apart);
}

static void write_band(struct hw_out *out, const struct hw_power *p, const struct band *b)
{
    const struct hw_array *a = p->a;
    const struct hw_power_lengths *k = &a->pdk->power;
    int low = b->rail0, high = b->rail1; // of the metal below
    hw_gds_box(out, a->pdk->met2, (struct hw_box){0, low, p->right, high});
    if (b->rail0 == a->bus_y)
        rows(out, a, CUT[0], low, high);
    for (int i = 0; i + 1 < k->n_levels; i++) {
        hw_gds_box(out, k->level[i].metal, (struct hw_box){0, b->y0, p->right, b->y1});
        rows(out, a, CUT[i + 1], low, high);
        low = b->y0;
        high = b->y1;
    }
    for (int i = 0; i < p->n; i++) {
        const struct hw_box strap = hw_power_strap(p, i, b->supply);
        fill(out, &k->level[k->n_levels - 1], a->pdk->grid, CUT[k->n_levels],
             (struct hw_box){strap.x0, low, strap.x1, high});
    }
}

void hw_power_write(struct hw_out *out, const struct hw_power *p)
{
    const struct hw_power_lengths *k = &p->a->pdk->power;
    struct band across[N_BANDS];
    bands(p->a, across);
    for (int i = 0; i < N_BANDS; i++)
        write_band(out, p, &across[i]);
    for (int i = 0; i < p->n; i++) {
        for (int s = 0; s < HW_N_SUPPLIES; s++)
            hw_gds_box(out, k->level[k->n_levels - 1].metal,
                       hw_power_strap(p, i, (enum hw_supply)s));
    }
}
