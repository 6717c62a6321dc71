// SPDX-License-Identifier: Apache-2.0
// hardwire sim: emits a design, compiles it with a simulator, runs it against the reference.
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/cmd.h"

// The directory with sim/ and rtl_templates/: two above this program, or HARDWIRE_HOME.
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

// Runs a program and waits; its exit status, or -1. Ctrl-C is the program's to answer.
static int call(char *const argv[])
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    bool failed = child < 0 || waitpid(child, &status, 0) < 0;
    signal(SIGINT, before);
    if (failed)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool plain(const char *path, struct hw_error *err)
{
    static const char *const signs = "._-+/@%=,~";
    for (const char *p = path; *p; p++) {
        if (!isalnum((unsigned char)*p) && (unsigned char)*p < 0x80 && !strchr(signs, *p))
            return hw_fail(err,
                           "%s: a path that cannot be simulated: expected letters, digits and "
                           "%s, got '%c'",
                           path, signs, *p);
    }
    return true;
}

bool hw_simulate_paths(const char *design, struct hw_error *err)
{
    char here[4096];
    if (*design != '/' && (!getcwd(here, sizeof here) || !plain(here, err)))
        return hw_fail(err, "%s: cannot tell where it is", design);
    return plain(design, err) && plain(hw_home(), err);
}

int hw_simulate(const struct hw_sim_request *r, struct hw_error *err)
{
    enum { MOST = 40 };
    char build[4200], cosim[4200];
    snprintf(build, sizeof build, "%s/sim/build", hw_home());
    if (r->icarus)
        snprintf(cosim, sizeof cosim, "%s/build/cosim-icarus", hw_home());
    else
        snprintf(cosim, sizeof cosim, "%s/sim/cosim", r->design);
    char *const compile[] = {build, (char *)(uintptr_t)r->design,
                             r->icarus ? "icarus" : "verilator", NULL};
    fprintf(stderr, "compiling %s with %s\n", r->design, r->icarus ? "Icarus" : "Verilator");
    int compiled = call(compile);
    if (compiled == 128 + SIGINT)
        return compiled;
    if (compiled != 0) {
        hw_fail(err, "%s: the design does not compile", r->design);
        return 1;
    }
    char *run[MOST] = {cosim, (char *)(uintptr_t)r->design, "-m", (char *)(uintptr_t)r->model};
    int n = 4;
    for (int i = 0; i < r->n_args && n + 1 < MOST; i++)
        run[n++] = r->args[i];
    int status = call(run);
    if (status == 127 || status < 0)
        hw_fail(err, "%s: cannot be run", cosim);
    return status;
}
