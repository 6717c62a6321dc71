// SPDX-License-Identifier: Apache-2.0
// Owns the pictures.
#include "gen/layout/picture.h"

#include <limits.h>
#include <stdlib.h>

#include "gen/chip/bits.h"
#include "gen/layout/views.h"

// --- the floorplan

enum { FRAME = 24, FOOT = 40, LONG_SIDE = 1000 }; // pixels
enum { SCALE_BAR_NM = 100000 };

struct view {
    double scale;  // pixels a nm
    double bottom; // of the floorplan, in pixels from above
};

// A box of the floorplan, nm.
static void plan_box(struct hw_out *out, const struct view *v, struct hw_box b, const char *style)
{
    hw_out_print(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n",
                 FRAME + b.x0 * v->scale, v->bottom - b.y1 * v->scale, (b.x1 - b.x0) * v->scale,
                 (b.y1 - b.y0) * v->scale, style);
}

// The straps of its power: two lines a pair.
static void plan_straps(struct hw_out *out, const struct view *v, const struct hw_macro *m)
{
    const struct hw_power p = hw_power_make(&m->array);
    for (int i = 0; i < p.n * HW_N_SUPPLIES; i++) {
        struct hw_box b =
            hw_power_strap(&p, i / HW_N_SUPPLIES, (enum hw_supply)(i % HW_N_SUPPLIES));
        int x = m->x + m->array_x, y = m->y + m->array_y;
        plan_box(out, v, (struct hw_box){x + b.x0, y + b.y0, x + b.x1, y + b.y1},
                 i % HW_N_SUPPLIES == HW_POWER ? "fill=\"#b01818\"" : "fill=\"#222\"");
    }
}

// Its outline, its array, its straps, and over them the name and the size, as large as they fit.
static void plan_macro(struct hw_out *out, const struct view *v, const struct hw_macro *m)
{
    static const char *const COLOUR[] = {"#3d6fb4", "#c2703d", "#5b9a5b", "#a14f7f",
                                         "#8a7a3a", "#3f8f95", "#7a5fb0", "#b04a4a"};
    const struct hw_array *a = &m->array;
    char style[64];
    int x = m->x + m->array_x, y = m->y + m->array_y;
    snprintf(style, sizeof style, "fill=\"%s\" fill-opacity=\"0.18\" stroke=\"%s\"",
             COLOUR[m->rom % 8], COLOUR[m->rom % 8]);
    plan_box(out, v, (struct hw_box){m->x, m->y, m->x + m->width, m->y + m->height}, style);
    snprintf(style, sizeof style, "fill=\"%s\" fill-opacity=\"0.55\"", COLOUR[m->rom % 8]);
    plan_box(out, v, (struct hw_box){x, y, x + a->width, y + a->height}, style);
    plan_straps(out, v, m);
    double w = m->width * v->scale, font = w / 9 < 15 ? w / 9 : 15;
    double at = FRAME + m->x * v->scale + w / 2,
           to = v->bottom - (m->y + m->height / 2.0) * v->scale;
    hw_out_print(out,
                 "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%s</text>\n"
                 "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%d x %d</text>\n",
                 at, to, font, m->name, at, to + 1.3 * font, 0.85 * font, a->rows, a->cols);
}

// A line around the weights of each tile, where there are several.
static void plan_tiles(struct hw_out *out, const struct view *v, const struct hw_layout *l)
{
    const struct hw_geometry *g = &l->plan->geometry;
    for (int t = 0; g->tile_rows < g->rows && t < g->rows / g->tile_rows; t++) {
        struct hw_box b = {l->width, l->height, 0, 0};
        for (int i = 0; i < l->n_macros; i++) {
            const struct hw_macro *m = &l->macro[i];
            if (m->rom != HW_ROM_WEIGHT || m->tile != t)
                continue;
            b.x0 = m->x < b.x0 ? m->x : b.x0;
            b.y0 = m->y < b.y0 ? m->y : b.y0;
            b.x1 = hw_most(m->x + m->width, b.x1);
            b.y1 = hw_most(m->y + m->height, b.y1);
        }
        plan_box(out, v, b, "fill=\"none\" stroke=\"#333\" stroke-width=\"2\"");
    }
}

void hw_views_floorplan(struct hw_out *out, const struct hw_layout *l)
{
    struct view v = {(double)LONG_SIDE / (l->width > l->height ? l->width : l->height), 0};
    v.bottom = FRAME + l->height * v.scale;
    double bits = 0;
    for (int i = 0; i < l->n_macros; i++)
        bits += (double)l->macro[i].array.rows * l->macro[i].array.cols;
    hw_out_open(out, "floorplan.svg");
    hw_out_print(out,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                 "font-family=\"sans-serif\" text-anchor=\"middle\">\n"
                 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                 l->width * v.scale + 2 * FRAME, v.bottom + FOOT);
    for (int i = 0; i < l->n_macros; i++)
        plan_macro(out, &v, &l->macro[i]);
    plan_tiles(out, &v, l);
    double y = v.bottom + FOOT / 2.0, bar = SCALE_BAR_NM * v.scale;
    hw_out_print(out,
                 "<path d=\"M%d %.1fv8h%.1fv-8\" fill=\"none\" stroke=\"#333\"/>\n"
                 "<text x=\"%.1f\" y=\"%.1f\" font-size=\"13\" text-anchor=\"start\">"
                 "100 um; %s, %d macros, %.0f bits (dark); lines: power</text>\n</svg>\n",
                 FRAME, y, bar, FRAME + bar + 10, y + 8, l->pdk->name, l->n_macros, bits);
    hw_out_close(out);
}

// --- a corner of a macro

enum { VIEW_W = 6600, VIEW_H = 5200, BESIDE = 1600, BELOW = 1800, PIXEL_NM = 8 }; // nm; nm a pixel

static bool in_view(const struct hw_shape *s)
{
    return s->x0 < VIEW_W && s->x1 > 0 && s->y0 < VIEW_H && s->y1 > 0;
}

static struct hw_shape moved_by(struct hw_shape s, int x, int y)
{
    s.x0 -= x;
    s.x1 -= x;
    s.y0 -= y;
    s.y1 -= y;
    return s;
}

static bool on(const struct hw_shape *s, struct hw_layer layer)
{
    return s->layer == layer.layer && s->datatype == layer.datatype;
}

static double pixel(int nm, int most)
{
    return (double)(nm < 0 ? 0 : nm > most ? most : nm) / PIXEL_NM;
}

static void draw(FILE *to, const struct hw_shape *s)
{
    double x0 = pixel(s->x0, VIEW_W), x1 = pixel(s->x1, VIEW_W);
    double y0 = pixel(s->y0, VIEW_H), y1 = pixel(s->y1, VIEW_H);
    fprintf(to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", x0,
            (double)VIEW_H / PIXEL_NM - y1, x1 - x0, y1 - y0);
}

// Shapes of a layer of s[n] as one group; not in `without` (sorted, n_without; NULL: none).
static void draw_layer(FILE *to, int x, int y, const struct hw_shape *s, long long n,
                       struct hw_layer layer, const struct hw_shape *without, long long n_without,
                       const char *style)
{
    fprintf(to, "<g %s>\n", style);
    for (long long i = 0; i < n; i++) {
        const struct hw_shape moved = moved_by(s[i], x, y);
        if (on(&s[i], layer) && in_view(&moved) &&
            !(without &&
              bsearch(&s[i], without, (size_t)n_without, sizeof *without, hw_shape_order)))
            draw(to, &moved);
    }
    fprintf(to, "</g>\n");
}

// The lower left corner of what differs on `layer`: of all of it, if nothing does.
static void corner_of(const struct hw_shape *a, long long n_a, const struct hw_shape *b,
                      long long n_b, struct hw_layer layer, int *x, int *y)
{
    *x = *y = INT_MAX;
    for (int all = 0; all < 2 && *x == INT_MAX; all++) {
        for (long long i = 0; i < n_a; i++) {
            if (!on(&a[i], layer) ||
                (!all && bsearch(&a[i], b, (size_t)n_b, sizeof *b, hw_shape_order)))
                continue;
            *x = a[i].x0 < *x ? a[i].x0 : *x;
            *y = a[i].y0 < *y ? a[i].y0 : *y;
        }
    }
}

void hw_picture_corner(FILE *to, const struct hw_pdk *p, const struct hw_shape *a, long long n_a,
                       const struct hw_shape *b, long long n_b)
{
    const struct {
        struct hw_layer layer;
        const char *style;
    } below[] = {{p->diff, "fill=\"#7fc47f\""},
                 {p->tap, "fill=\"#b9a26a\""},
                 {p->poly, "fill=\"#e0503c\" fill-opacity=\"0.75\""},
                 {p->local, "fill=\"#8a6fb0\" fill-opacity=\"0.45\""},
                 {p->met1, "fill=\"#3f7fd0\" fill-opacity=\"0.4\""},
                 {p->met2, "fill=\"#d89a2b\" fill-opacity=\"0.4\""}};
    int x, y;
    corner_of(a, n_a, b, n_b, p->mcon, &x, &y);
    x -= BESIDE;
    y -= BELOW;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            VIEW_W / PIXEL_NM, VIEW_H / PIXEL_NM);
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        draw_layer(to, x, y, a, n_a, below[i].layer, NULL, 0, below[i].style);
    draw_layer(to, x, y, a, n_a, p->mcon, NULL, 0, "fill=\"#222\"");
    draw_layer(to, x, y, a, n_a, p->mcon, b, n_b, "fill=\"#e00000\" stroke=\"#fff\"");
    draw_layer(to, x, y, b, n_b, p->mcon, a, n_a, "fill=\"#0030e0\" stroke=\"#fff\"");
    fprintf(to, "</svg>\n");
}
