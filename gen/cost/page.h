// SPDX-License-Identifier: Apache-2.0
// HTML and SVG as text, every foreign word of it escaped.
#ifndef HW_PAGE_H
#define HW_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// Text between tags or in a quoted attribute: & < > " ' and control characters are replaced.
void hw_page_text(FILE *to, const char *text);
// A JSON value as the content of a script element: no < in it.
void hw_page_json(FILE *to, const json_t *value);
// Three digits and a prefix that people read: "1.23 M". Returns `to`.
const char *hw_page_human(char to[32], double x);

// A chart of 420 x 250 units with both axes in figures; logarithmic axes have a tick a decade.
struct hw_chart {
    FILE *to;
    double x0, x1, y0, y1; // of the data; above 0 where logarithmic
    bool log_x, log_y;
};
void hw_chart_open(const struct hw_chart *c, const char *x_title, const char *y_title,
                   const char *what);
// A line through n points in the colour of series number `series` (0..7).
void hw_chart_line(const struct hw_chart *c, const double *x, const double *y, int n, int series);
// A level across the chart, dashed, with its name.
void hw_chart_level(const struct hw_chart *c, double y, const char *name);
void hw_chart_close(const struct hw_chart *c);

// What the page looks like, and what its sliders do.
extern const char HW_PAGE_STYLE[], HW_PAGE_SCRIPT[];

#endif
