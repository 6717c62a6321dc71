// SPDX-License-Identifier: Apache-2.0
// Owns the first-error-wins rule. What a file says about itself reaches a terminal only as text.
#include "gen/error.h"

#include <stdarg.h>
#include <stdio.h>

// Bytes of the UTF-8 character at p, 0 where there is none; overlong forms count as characters.
static int character(const unsigned char *p)
{
    int n = p[0] < 0x80                   ? 1
            : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
            : p[0] >= 0xE0 && p[0] < 0xF0 ? 3
            : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                          : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) // also the end of the text
            return 0;
    return n;
}

// Control characters, of which terminals make commands, and broken UTF-8 become question marks.
static void make_plain(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p;) {
        int n = character(p);
        if (n == 0 || p[0] < 0x20 || p[0] == 0x7F || (p[0] == 0xC2 && p[1] < 0xA0)) {
            *p = '?';
            n = 1;
        }
        p += n;
    }
}

bool hw_fail(struct hw_error *err, const char *format, ...)
{
    if (err->set)
        return false;
    err->set = true;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    make_plain(err->text);
    return false;
}

int hw_report(const struct hw_error *err)
{
    fprintf(stderr, "hardwire: error: %s\n", err->text);
    return 1;
}

void hw_note(const char *format, ...)
{
    char text[sizeof((struct hw_error *)0)->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_plain(text);
    fprintf(stderr, "hardwire: %s\n", text);
}
