// SPDX-License-Identifier: Apache-2.0
// The design in Icarus Verilog: inputs go to sim/tb.v in a file, events come back as lines of text.
// Four-valued, so that what nobody initialised is seen.
#include "sim/dut.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const dut_simulator = "Icarus Verilog";

enum { MOST_BYTES = 1 << 16 }; // of a tap: the scores of 26,000 positions

// The file holds, for a chip, a line "token last" a token; for a slice, a line "pos n_words" a step
// and its words after it, in hexadecimal. `path` ends in XXXXXX, which become a name of this run's
// own: others may simulate the same design now.
static bool write_inputs(char *path, const struct dut_job *job)
{
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        fprintf(stderr, "%s: cannot write: %s\n", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(path);
        }
        return false;
    }
    for (int i = 0; i < job->n_tokens; i++)
        fprintf(file, "%d %d\n", job->token[i], i + 1 == job->n_tokens);
    for (int s = 0; s < job->n_steps; s++) {
        const struct dut_step *step = &job->step[s];
        fprintf(file, "%d %d\n", step->pos, step->n_words);
        for (int w = 0; w < step->n_words; w++) {
            for (int i = job->vec - 1; i >= 0; i--)
                fprintf(file, "%06x", (unsigned)step->value[(long)w * job->vec + i] & 0xffffffu);
            fputc('\n', file);
        }
    }
    if (fclose(file) == 0)
        return true;
    fprintf(stderr, "%s: cannot write: %s\n", path, strerror(errno));
    unlink(path);
    return false;
}

// Hexadecimal digits, most significant first, x or z where unknown, to bytes.
static void parse_bits(const char *hex, uint8_t *bits, uint8_t *unknown)
{
    size_t n = strspn(hex, "0123456789abcdefxzXZ");
    memset(bits, 0, MOST_BYTES);
    memset(unknown, 0, MOST_BYTES);
    for (size_t i = 0; i < n && i / 2 < MOST_BYTES; i++) {
        char c = hex[n - 1 - i];
        int shift = i % 2 ? 4 : 0;
        if (c >= '0' && c <= '9')
            bits[i / 2] |= (uint8_t)((c - '0') << shift);
        else if (c >= 'a' && c <= 'f')
            bits[i / 2] |= (uint8_t)((c - 'a' + 10) << shift);
        else
            unknown[i / 2] |= (uint8_t)(15 << shift);
    }
}

// "E kind sub index count value status cycle hex"
static bool parse_event(const char *line, struct dut_event *e, uint8_t *bits, uint8_t *unknown)
{
    int kind, used = 0;
    if (sscanf(line, "E %d %d %d %d %d %d %ld %n", &kind, &e->sub, &e->index, &e->count, &e->value,
               &e->status, &e->cycle, &used) != 7 ||
        kind < 0 || kind >= DUT_N_KINDS)
        return false;
    e->kind = (enum dut_kind)kind;
    e->bits = bits;
    e->unknown = unknown;
    parse_bits(line + used, bits, unknown);
    return true;
}

// What vvp is started with.
struct arguments {
    char text[13][4300];
    char *at[14]; // NULL behind the last
    int n;
};

static void add(struct arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct arguments *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(a->text[a->n], sizeof a->text[a->n], format, args);
    va_end(args);
    a->at[a->n] = a->text[a->n];
    a->at[++a->n] = NULL;
}

static void describe(struct arguments *a, const char *design, const char *inputs,
                     const struct dut_job *job)
{
    a->n = 0;
    add(a, "vvp");
    add(a, "-n");
    add(a, "%s/sim/design.vvp", design);
    add(a, "+inputs=%s", inputs);
    add(a, "+steps=%d", job->n_steps ? job->n_steps : job->n_tokens);
    add(a, "+stop=%d", job->stop_token);
    add(a, "+max=%d", job->max_tokens);
    add(a, "+stalls=%u", (unsigned)job->stall_seed);
    add(a, "+reset_at=%ld", job->reset_at);
    add(a, "+again=%d", job->again);
    add(a, "+taps=%d", job->taps);
    add(a, "+hang_after=%ld", job->hang_after);
    add(a, "+selftest=%d", job->selftest);
}

// Starts a program in a session of its own, so that Ctrl-C reaches only this one. What it prints is
// read from the result; NULL: it cannot be started.
static FILE *start(char *const *argv, pid_t *child)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        return NULL;
    *child = fork();
    if (*child == 0) {
        setsid();
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    FILE *output = *child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!output)
        close(ends[0]);
    return output;
}

// Events until the end of the run, or until the reader has had enough.
static enum dut_result read_events(FILE *output, dut_event_fn *fn, void *user)
{
    static char line[2 * MOST_BYTES + 256];
    static uint8_t bits[MOST_BYTES], unknown[MOST_BYTES];
    enum dut_result result = DUT_BROKEN;
    while (fgets(line, sizeof line, output)) {
        struct dut_event e;
        if (strncmp(line, "FINISHED", 8) == 0) {
            result = DUT_FINISHED;
        } else if (strncmp(line, "HUNG", 4) == 0) {
            result = DUT_HUNG;
        } else if (!parse_event(line, &e, bits, unknown)) {
            fprintf(stderr, "%s", line); // an X where a number must be, or vvp's own words
            return DUT_BROKEN;
        } else if (!fn(user, &e)) {
            return DUT_STOPPED;
        }
    }
    return result;
}

enum dut_result dut_run(const char *design, const struct dut_job *job, dut_event_fn *fn, void *user)
{
    static struct arguments arguments;
    char inputs[4200];
    pid_t child;
    const char *temp = getenv("TMPDIR");
    snprintf(inputs, sizeof inputs, "%s/hardwire-inputs-XXXXXX", temp && *temp ? temp : "/tmp");
    if (!write_inputs(inputs, job))
        return DUT_BROKEN;
    describe(&arguments, design, inputs, job);
    FILE *output = start(arguments.at, &child);
    enum dut_result result = output ? read_events(output, fn, user) : DUT_BROKEN;
    if (output) {
        fclose(output); // vvp ends at its next line
        waitpid(child, NULL, 0);
    }
    unlink(inputs);
    return result;
}
