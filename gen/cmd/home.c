// SPDX-License-Identifier: Apache-2.0
// Owns where this program's own files are looked for.
#include "gen/cmd/home.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *hw_home(void)
{
    static char path[4096];
    const char *home = getenv("HARDWIRE_HOME");
    if (home && *home)
        return home;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return ".";
    path[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (!slash)
            return ".";
        *slash = '\0';
    }
    return path;
}
