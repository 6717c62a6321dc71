// SPDX-License-Identifier: Apache-2.0
// One error, the first, carried by value up to the verb, which reports it.
#ifndef HW_ERROR_H
#define HW_ERROR_H

#include <stdbool.h>

struct hw_error {
    bool set;
    char text[512]; // "file: where: what, expected ..., got ..."
};

// Records the error unless one is already there. Returns false, so that callers can return it.
bool hw_fail(struct hw_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Prints "hardwire: error: ..." and returns 1, the exit status.
int hw_report(const struct hw_error *err);

// One line to standard error about what was decided for a file, as plain text.
void hw_note(const char *format, ...)
#if defined __GNUC__
    __attribute__((format(printf, 1, 2)))
#endif
    ;

#endif
