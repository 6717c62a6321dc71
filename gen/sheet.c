// SPDX-License-Identifier: Apache-2.0
// Owns how facts are laid out.
#include "gen/sheet.h"

#include <stdarg.h>
#include <stdio.h>

void hw_sheet_open(struct hw_sheet *s, bool json)
{
    s->root = json ? json_object() : NULL;
}

void hw_sheet_close(struct hw_sheet *s)
{
    if (!s->root)
        return;
    json_dumpf(s->root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(s->root);
    s->root = NULL;
}

void hw_sheet_line(struct hw_sheet *s, const char *name, const char *format, ...)
{
    va_list args;
    if (s->root)
        return;
    if (name)
        printf("%-13s ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void hw_sheet_json(struct hw_sheet *s, const char *name, json_t *value)
{
    if (s->root)
        json_object_set_new(s->root, name, value ? value : json_string("(not UTF-8)"));
    else
        json_decref(value);
}

void hw_sheet_int(struct hw_sheet *s, const char *name, long value)
{
    hw_sheet_line(s, name, "%ld", value);
    hw_sheet_json(s, name, json_integer(value));
}

void hw_sheet_real(struct hw_sheet *s, const char *name, double value)
{
    hw_sheet_line(s, name, "%g", value);
    hw_sheet_json(s, name, json_real(value));
}

void hw_sheet_text(struct hw_sheet *s, const char *name, const char *text)
{
    hw_sheet_line(s, name, "%s", text);
    hw_sheet_json(s, name, json_string(text));
}
