// SPDX-License-Identifier: Apache-2.0
// Owns where this program's own files are looked for.
#include "gen/cmd/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Cuts the last name off a path. False: it has none.
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

bool hw_home_path(char path[HW_HOME_PATH], const char *below, struct hw_error *err)
{
    char program[4096];
    const char *home = getenv("HARDWIRE_HOME");
    if (!home || !*home) {
        ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
        program[n > 0 ? n : 0] = '\0';
        home = go_up(program) && go_up(program) ? program : ".";
    }
    int n = snprintf(path, HW_HOME_PATH, "%s/%s", home, below);
    return (n >= 0 && n < HW_HOME_PATH) ||
           hw_fail(err, "HARDWIRE_HOME: expected a path below %d bytes, got %d", HW_HOME_PATH, n);
}
