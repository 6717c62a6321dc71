// SPDX-License-Identifier: Apache-2.0
// Owns the pictures.
#include "gen/layout/picture.h"

#include <limits.h>
#include <stdlib.h>

#include "gen/layout/views.h"

void hw_views_floorplan(struct hw_out *out, const struct hw_layout *l)
{
    double scale = 1000.0 / (l->width > l->height ? l->width : l->height);
    hw_out_open(out, "floorplan.svg");
    hw_out_print(out,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                 "font-family=\"sans-serif\" font-size=\"13\" text-anchor=\"middle\">\n"
                 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                 l->width * scale, l->height * scale);
    for (int i = 0; i < l->n_macros; i++) {
        const struct hw_macro *m = &l->macro[i];
        double x = m->x * scale, y = (l->height - m->y - m->height) * scale;
        double w = m->width * scale, h = m->height * scale;
        hw_out_print(out,
                     "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                     "fill=\"#cfe3f5\" stroke=\"#1d4f7c\"/>\n"
                     "<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>\n",
                     x, y, w, h, x + w / 2, y + h / 2, w < 120 ? " font-size=\"7\"" : "", m->name);
    }
    hw_out_print(out, "</svg>\n");
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
