// SPDX-License-Identifier: Apache-2.0
// Owns the first-error-wins rule.
#include "gen/error.h"

#include <stdarg.h>
#include <stdio.h>

bool hw_fail(struct hw_error *err, const char *format, ...)
{
    if (err->set)
        return false;
    err->set = true;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}
