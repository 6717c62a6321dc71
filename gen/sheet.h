// SPDX-License-Identifier: Apache-2.0
// A sheet of named facts on stdout: lines for people as they come, or one JSON object at the end.
#ifndef HW_SHEET_H
#define HW_SHEET_H

#include <jansson.h>

#include "gen/error.h"

struct hw_sheet {
    json_t *root; // NULL: lines
};

void hw_sheet_open(struct hw_sheet *s, bool json);
// Prints the object of a JSON sheet.
void hw_sheet_close(struct hw_sheet *s);

// A fact under one name in both forms.
void hw_sheet_int(struct hw_sheet *s, const char *name, long value);
void hw_sheet_real(struct hw_sheet *s, const char *name, double value);
void hw_sheet_text(struct hw_sheet *s, const char *name, const char *text);

// What only people read, under `name` (NULL: none).
void hw_sheet_line(struct hw_sheet *s, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// What only machines read; takes over the value's reference. NULL: text that is not UTF-8.
void hw_sheet_json(struct hw_sheet *s, const char *name, json_t *value);

#endif
