// SPDX-License-Identifier: Apache-2.0
// The report: one HTML page that needs no network, and the document that it shows.
#ifndef HW_REPORT_H
#define HW_REPORT_H

#include "gen/cost/economics.h"
#include "gen/cost/shapes.h"

struct hw_report {
    const char *title;                 // any text: it is escaped
    json_t *economics;                 // hw_economics(); taken over
    const struct hw_plan *plan;        // NULL: a shape that is counted
    const struct hw_shape *shape;      // where plan is NULL
    const struct hw_bits *bits;        // likewise
    const struct hw_geometry *counted; // likewise
    json_t *sim;                       // the summary of `hardwire sim --json`, or NULL; taken over
    json_t *measured;                  // an object of names and numbers, or NULL; taken over
};

// An object: title, economics, rom (bits by kind), layers (bits by layer), timeline (busy shares by
// unit), verified, measured. The caller drops it; NULL: out of memory, or text that is not UTF-8.
json_t *hw_report_document(const struct hw_report *report);
// The page of that document.
void hw_report_page(FILE *to, const json_t *document);

#endif
