// SPDX-License-Identifier: Apache-2.0
// Owns the pictures.
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
                     "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                     x, y, w, h, x + w / 2, y + h / 2, m->name);
    }
    hw_out_print(out, "</svg>\n");
    hw_out_close(out);
}
