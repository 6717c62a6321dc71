// SPDX-License-Identifier: Apache-2.0
// Owns the two programs behind hardwire sim: what compiles a design, and the co-simulation.
#include "gen/cmd/simulate.h"

#include <ctype.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/cmd/home.h"

// Runs a program and waits; its exit status, or -1. Ctrl-C is the program's to answer: it is held
// from before there is a child until this program ignores it, so that none ends the parent alone.
static int call(const char *const *argv)
{
    int status;
    sigset_t interrupt, mask;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    fflush(NULL);
    sigprocmask(SIG_BLOCK, &interrupt, &mask);
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
        execvp(argv[0], (char *const *)(uintptr_t)argv); // which changes none of them
        _exit(127);
    }
    sigaction(SIGINT, &ignore, &before);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    bool failed = child < 0 || waitpid(child, &status, 0) < 0;
    sigaction(SIGINT, &before, NULL);
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
    char here[4096], home[HW_HOME_PATH];
    if (*design != '/' && (!getcwd(here, sizeof here) || !plain(here, err)))
        return hw_fail(err, "%s: cannot tell where it is", design);
    return plain(design, err) && hw_home_path(home, "sim/build", err) && plain(home, err);
}

static int compile(const struct hw_sim_request *r, struct hw_error *err)
{
    char build[HW_HOME_PATH];
    if (!hw_home_path(build, "sim/build", err))
        return 1;
    const char *const argv[] = {build, r->design, r->icarus ? "icarus" : "verilator", NULL};
    fprintf(stderr, "compiling %s with %s\n", r->design, r->icarus ? "Icarus" : "Verilator");
    return call(argv);
}

// One program takes every design in Icarus; with Verilator a design is a program.
static int run(const struct hw_sim_request *r, struct hw_error *err)
{
    char cosim[HW_HOME_PATH];
    const char *argv[HW_MOST_SIM_ARGS + 5] = {cosim, r->design, "-m", r->model};
    if (r->icarus && !hw_home_path(cosim, "build/cosim-icarus", err))
        return 1;
    if (!r->icarus)
        snprintf(cosim, sizeof cosim, "%s/sim/cosim", r->design);
    for (int i = 0; i < r->n_args; i++)
        argv[4 + i] = r->args[i];
    int status = call(argv);
    if (status == 127 || status < 0)
        hw_fail(err, "%s: cannot be run", cosim);
    return status;
}

int hw_simulate(const struct hw_sim_request *r, struct hw_error *err)
{
    int compiled = compile(r, err);
    if (compiled == 128 + SIGINT)
        return compiled;
    if (compiled != 0) {
        hw_fail(err, "%s: the design does not compile", r->design);
        return 1;
    }
    return run(r, err);
}
