// SPDX-License-Identifier: Apache-2.0
// The design in Icarus Verilog: inputs go to sim/tb.v in a file, events come back as lines of text.
// Four-valued, so that what nobody initialised is seen.
#include "sim/dut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const dut_simulator = "Icarus Verilog";

enum { MOST_BYTES = 1 << 16 }; // of a tap: the scores of 26,000 positions

// The file holds, for a chip, a line "token last" a token; for a slice, a line "pos n_words" a step
// and its words after it, in hexadecimal.
static bool write_inputs(const char *path, const struct dut_job *job)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
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
    return fclose(file) == 0;
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

enum dut_result dut_run(const char *design, const struct dut_job *job, dut_event_fn *fn, void *user)
{
    static char line[2 * MOST_BYTES + 256];
    static uint8_t bits[MOST_BYTES], unknown[MOST_BYTES];
    char inputs[4200], command[13000];
    enum dut_result result = DUT_BROKEN;
    snprintf(inputs, sizeof inputs, "%s/sim/inputs.txt", design);
    if (!write_inputs(inputs, job))
        return DUT_BROKEN;
    // in a session of its own, so that Ctrl-C reaches only this program
    snprintf(
        command, sizeof command,
        "exec setsid vvp -n '%s/sim/design.vvp' '+inputs=%s' +steps=%d +stop=%d +max=%d +stalls=%u "
        "+reset_at=%ld +again=%d +taps=%d +hang_after=%ld",
        design, inputs, job->n_steps ? job->n_steps : job->n_tokens, job->stop_token,
        job->max_tokens, (unsigned)job->stall_seed, job->reset_at, job->again, job->taps,
        job->hang_after);
    FILE *pipe = popen(command, "r");
    while (pipe && fgets(line, sizeof line, pipe)) {
        struct dut_event e;
        if (strncmp(line, "FINISHED", 8) == 0) {
            result = DUT_FINISHED;
        } else if (strncmp(line, "HUNG", 4) == 0) {
            result = DUT_HUNG;
        } else if (!parse_event(line, &e, bits, unknown)) {
            fprintf(stderr, "%s", line); // an X where a number must be, or vvp's own words
            result = DUT_BROKEN;
            break;
        } else if (!fn(user, &e)) {
            result = DUT_STOPPED;
            break;
        }
    }
    if (pipe)
        pclose(pipe);
    return result;
}
