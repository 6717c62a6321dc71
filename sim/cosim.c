// SPDX-License-Identifier: Apache-2.0
// The design against the reference: one run, every tap, every token. Linked with one of the
// simulators (dut.h). Exit status 0: everything equal.
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gen/chip/cycles.h"
#include "gen/chip/selftest.h"
#include "gen/cmd/cosim_options.h"
#include "gen/interrupt.h"
#include "gen/output.h"
#include "gen/qmodel/file.h"
#include "gen/text/session.h"
#include "sim/design.h"
#include "sim/dut.h"
#include "sim/monitor.h"
#include "sim/slice.h"

struct options {
    const char *design, *model;
    struct hw_ask ask;
    struct hw_cosim_options run;
    bool any_length;
};

enum { MORE, STOP, LIMIT, FULL, TOO_LONG }; // statuses of a token (chip.v)

struct run {
    const struct options *o;
    struct hw_qmodel q;
    struct hw_tokenizer *tok;
    struct hw_design design;
    struct hw_monitor *monitor;
    struct hw_slice_run slice;
    struct hw_session session;
    struct hw_error *err;

    // the sequence as the reference sees it
    struct hw_ref *ref;
    int *prompt, n_prompt; // of this turn
    int pos;               // of the token that runs, -1: none yet
    int token;             // it
    int next;              // what must follow
    long made, made_now;   // tokens that left the design; of this telling of the prompt

    // cycles between one start and the next
    long last_start, cycles, cycle_tokens, cycle_mismatches;
    struct hw_cycles_known visited;
    struct hw_cycle_count predicted;
    struct hw_selftest selftest; // what it must answer
    long self_tests;             // that have ended
    int status;                  // of the last token
    bool ended; // at a token that ends the text, but is not the one that the chip stops at
};

// --- chip

static void expect_tap(void *user, enum hw_tap tap, int layer, int head, const int32_t *v, int n)
{
    hw_monitor_expect(user, (int)tap, layer, head, 0, v, n);
}

static void count_cycles(struct run *r, const struct dut_event *e)
{
    if (r->o->run.stalls || r->pos < 0)
        return;
    long took = e->cycle - r->last_start;
    r->cycles += took;
    r->cycle_tokens++;
    if (took == r->predicted.token)
        return;
    if (r->cycle_mismatches++ == 0)
        fprintf(stderr, "position %d took %ld cycles, the cycle model says %ld\n", r->pos, took,
                r->predicted.token);
}

static void start_token(struct run *r, const struct dut_event *e)
{
    bool prompt = r->pos + 1 < r->n_prompt;
    count_cycles(r, e);
    hw_monitor_next(r->monitor, r->pos + 1);
    r->token = prompt ? r->prompt[r->pos + 1] : r->next;
    r->pos++;
    if (e->value != r->token || e->index != r->pos)
        hw_monitor_fail(r->monitor, e->cycle,
                        "the design starts token %d at position %d, expected token %d", e->value,
                        e->index, r->token);
    bool sample = r->pos + 1 >= r->n_prompt;
    const int32_t *logits = hw_ref_forward(r->ref, r->token, r->pos, sample);
    if (sample)
        r->next = hw_ref_argmax(logits, r->q.config.vocab_size);
    r->last_start = e->cycle;
    r->predicted = hw_cycles_next(&r->visited, &r->design.plan, r->pos, sample);
}

static void take_token(struct run *r, const struct dut_event *e)
{
    bool too_long = r->n_prompt > r->q.config.seq_len;
    r->status = e->status;
    if (e->count != r->n_prompt)
        hw_monitor_fail(r->monitor, e->cycle, "the design answers after %d of %d prompt tokens",
                        e->count, r->n_prompt);
    if (e->status == (too_long ? TOO_LONG : FULL)) {
        if (r->pos + 1 < r->q.config.seq_len)
            hw_monitor_fail(r->monitor, e->cycle, "context full too early");
        return;
    }
    r->made++;
    r->made_now++;
    int status = e->value == r->session.stop ? STOP : r->made_now == r->o->run.count ? LIMIT : MORE;
    if (e->status != status)
        hw_monitor_fail(r->monitor, e->cycle, "token %ld has status %d, expected %d", r->made_now,
                        e->status, status);
    if (e->value != r->next)
        hw_monitor_fail(r->monitor, e->cycle, "the design says token %d, the reference %d",
                        e->value, r->next);
    if (!hw_session_ends(&r->session, e->value))
        hw_session_say(&r->session, e->value, r->err);
    else
        r->ended = status == MORE;
}

static void start_over(struct run *r)
{
    hw_monitor_reset(r->monitor);
    r->pos = -1;
    r->made = r->made_now = 0;
}

// The prompt comes again: what has been said is checked to its end, and stays counted.
static void tell_again(struct run *r)
{
    hw_monitor_next(r->monitor, r->pos);
    r->pos = -1;
    r->made_now = 0;
}

// From its first clock after a reset, whatever the streams do.
static void check_selftest(struct run *r, const struct dut_event *e)
{
    r->self_tests++;
    if ((uint32_t)e->value != r->selftest.crc)
        hw_monitor_fail(r->monitor, e->cycle, "the self-test answers %08x, expected %08x",
                        (unsigned)e->value, (unsigned)r->selftest.crc);
    if (e->count != r->selftest.clocks)
        hw_monitor_fail(r->monitor, e->cycle, "the self-test took %d clocks, expected %lld",
                        e->count, r->selftest.clocks);
}

// Ctrl-C stops between two tokens, so that what has been made is compared to its end.
static bool chip_event(void *user, const struct dut_event *e)
{
    struct run *r = user;
    if (hw_stop && e->kind == DUT_START)
        return false;
    switch (e->kind) {
    case DUT_RESET:
        start_over(r);
        break;
    case DUT_START:
        start_token(r, e);
        break;
    case DUT_TOKEN:
        take_token(r, e);
        break;
    case DUT_AGAIN:
        tell_again(r);
        r->session.previous = r->prompt[r->n_prompt - 1];
        break;
    case DUT_SELFTEST:
        check_selftest(r, e);
        break;
    case DUT_DONE:
        break;
    default:
        hw_monitor_event(r->monitor, e);
    }
    return !((hw_stop || r->ended) && e->kind == DUT_TOKEN);
}

// Generous: streams may pause, and a wrong design may merely be slow.
static long hang_after(const struct run *r)
{
    return 10000 + (long)r->selftest.clocks +
           8 * hw_cycles(&r->design.plan, r->q.config.seq_len - 1, true).token;
}

static enum dut_result run_turn(struct run *r)
{
    const struct options *o = r->o;
    struct dut_job job = {.token = r->prompt,
                          .n_tokens = r->n_prompt,
                          .stop_token = r->session.stop,
                          .max_tokens = o->run.count,
                          .vec = r->design.geometry.vec,
                          .stall_seed = (uint32_t)o->run.stalls,
                          .reset_at = o->run.reset_at,
                          .again = o->run.repeat,
                          .taps = !o->run.no_taps,
                          .selftest = r->design.manifest.geometry.selftest != 0,
                          .hang_after = hang_after(r)};
    tell_again(r);
    r->ended = false;
    enum dut_result result = dut_run(o->design, &job, chip_event, r);
    if (result == DUT_FINISHED || (result == DUT_STOPPED && r->made_now > 0))
        hw_monitor_next(r->monitor, r->pos);
    if (job.selftest && result == DUT_FINISHED && r->self_tests == 0)
        hw_monitor_fail(r->monitor, -1, "the self-test has not ended");
    return r->ended && result == DUT_STOPPED ? DUT_FINISHED : result;
}

// A story, or the turns of a chat, each a run of the chip from its reset on.
static enum dut_result run_chip(struct run *r)
{
    const struct options *o = r->o;
    enum dut_result result = DUT_STOPPED;
    if (!hw_session_open(&r->session, &o->ask, r->tok, o->run.quiet ? NULL : stdout, r->err))
        return DUT_BROKEN;
    if (!o->run.no_taps)
        hw_ref_tap(r->ref, expect_tap, r->monitor);
    int room = o->any_length ? INT_MAX : r->q.config.seq_len;
    while (!hw_stop && hw_session_next(&r->session, room, &r->prompt, &r->n_prompt, r->err)) {
        result = run_turn(r);
        hw_session_end_turn(&r->session, r->err);
        free(r->prompt);
        r->prompt = NULL;
        if (result != DUT_FINISHED || r->err->set)
            break;
    }
    hw_session_close(&r->session);
    return r->err->set ? DUT_BROKEN : result;
}

// --- slice

static bool slice_event(void *user, const struct dut_event *e)
{
    struct run *r = user;
    int best;
    switch (e->kind) {
    case DUT_RESET:
        start_over(r);
        break;
    case DUT_START:
        r->pos++;
        hw_monitor_next(r->monitor, r->pos);
        if (r->pos < r->slice.n_steps)
            hw_slice_expect(&r->slice, r->pos, r->monitor);
        break;
    case DUT_DONE:
        best = r->pos >= 0 && r->pos < r->slice.n_steps ? r->slice.best[r->pos] : -1;
        if (best >= 0 && best != e->value)
            hw_monitor_fail(r->monitor, e->cycle, "largest row: design %d, reference %d", e->value,
                            best);
        r->made++;
        break;
    default:
        hw_monitor_event(r->monitor, e);
    }
    return !hw_stop;
}

// The text whose activations drive a slice: the prompt, then what the model says.
static void make_text(struct run *r, int *tokens, int n)
{
    const char *prompt = r->o->ask.prompt ? r->o->ask.prompt : "";
    size_t len = strlen(prompt);
    int *ids = r->tok ? malloc(hw_tokenizer_room(len) * sizeof *ids) : NULL;
    int n_ids = ids ? hw_tokenizer_encode(r->tok, prompt, len, true, ids) : 0;
    tokens[0] = r->q.config.bos;
    for (int i = 0; i < n; i++) {
        if (i < n_ids)
            tokens[i] = ids[i];
        const int32_t *logits = hw_ref_forward(r->ref, tokens[i], i, 1);
        if (i + 1 < n)
            tokens[i + 1] = hw_ref_argmax(logits, r->q.config.vocab_size);
    }
    free(ids);
}

static enum dut_result run_slice(struct run *r, struct hw_error *err)
{
    const struct options *o = r->o;
    int n = o->run.count < r->q.config.seq_len ? o->run.count : r->q.config.seq_len;
    int *tokens = malloc((size_t)n * sizeof *tokens);
    struct dut_job job = {.vec = r->design.geometry.vec,
                          .stall_seed = (uint32_t)o->run.stalls,
                          .reset_at = o->run.reset_at,
                          .taps = true,
                          .hang_after = hang_after(r)};
    if (!tokens)
        return DUT_BROKEN;
    if (!o->run.random)
        make_text(r, tokens, n);
    if (!hw_slice_prepare(&r->slice, &r->q, r->design.manifest.slice, job.vec, tokens, n,
                          (uint32_t)o->run.random, err)) {
        free(tokens);
        return DUT_BROKEN;
    }
    job.step = r->slice.step;
    job.n_steps = r->slice.n_steps;
    enum dut_result result = dut_run(o->design, &job, slice_event, r);
    if (result == DUT_FINISHED)
        hw_monitor_next(r->monitor, r->pos);
    if (result == DUT_FINISHED && r->made != r->slice.n_steps)
        hw_monitor_fail(r->monitor, -1, "%ld of %d steps finished", r->made, r->slice.n_steps);
    hw_slice_free(&r->slice);
    free(tokens);
    return result;
}

// --- summary

// Seconds of CPU, so that other work on the machine does not count.
static double now(void)
{
    struct rusage self, children; // Icarus is a child
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return (double)(self.ru_utime.tv_sec + children.ru_utime.tv_sec) +
           1e-6 * (double)(self.ru_utime.tv_usec + children.ru_utime.tv_usec);
}

static const char *end_of(const struct run *r)
{
    if (hw_stop)
        return hw_ending_words(HW_END_INTERRUPTED, false);
    switch (r->ended ? STOP : r->status) {
    case MORE:
        return "cut off";
    case STOP:
        return hw_ending_words(HW_END_TEXT, false);
    case LIMIT:
        return hw_ending_words(HW_END_LIMIT, false);
    case FULL:
        return hw_ending_words(HW_END_CONTEXT, false);
    case TOO_LONG:
        return "the prompt is longer than the context";
    default:
        return "a status that is not expected";
    }
}

static void summarize(const struct run *r, bool chip, double seconds)
{
    const struct hw_geometry *g = &r->design.geometry;
    long compared = hw_monitor_compared(r->monitor, -1), wrong = hw_monitor_mismatches(r->monitor);
    printf("--- %s, %s: %d x %d lanes, %d-bit codes, %s\n", r->design.manifest.slice, dut_simulator,
           g->rows, g->cols, g->code_bits, chip ? end_of(r) : "steps done");
    printf("%ld %s%s; %ld tensor values compared with the reference, %ld different\n", r->made,
           chip ? "tokens" : "steps", r->o->run.stalls ? " under random stalls" : "", compared,
           wrong);
    for (int t = 0; t < HW_N_MONITORED; t++) {
        long n = hw_monitor_compared(r->monitor, t);
        if (n)
            printf("  %-10s %10ld\n", t < HW_N_TAPS ? hw_tap_name[t] : "rows", n);
    }
    if (r->self_tests)
        printf("self-test: expected CRC-32 %08x of every ROM word in %lld clocks, run %ld time%s\n",
               (unsigned)r->selftest.crc, r->selftest.clocks, r->self_tests,
               r->self_tests == 1 ? "" : "s");
    if (chip && r->cycle_tokens) {
        double per_token = (double)r->cycles / (double)r->cycle_tokens;
        double rate = (double)(r->cycle_tokens + 1) / seconds;
        char speed[HW_SPEED_TEXT];
        printf("%.0f cycles/token over positions 0-%ld, the cycle model off in %ld of them%s\n",
               per_token, r->cycle_tokens - 1, r->cycle_mismatches,
               hw_speed_text(speed, per_token, r->o->run.clock_mhz));
        printf("simulated at %.*f tokens/s of one core\n", rate < 10.0 ? 2 : 0, rate);
    }
}

static void write_json(const struct run *r, double seconds, struct hw_error *err)
{
    double per_token = r->cycle_tokens ? (double)r->cycles / (double)r->cycle_tokens : 0.0;
    json_t *root = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:f}", "slice", r->design.manifest.slice,
        "simulator", dut_simulator, "tokens", (json_int_t)r->made, "values_compared",
        (json_int_t)hw_monitor_compared(r->monitor, -1), "mismatches",
        (json_int_t)hw_monitor_mismatches(r->monitor), "cycles_per_token", per_token,
        "cycle_positions", (json_int_t)r->cycle_tokens, "cycle_mismatches",
        (json_int_t)r->cycle_mismatches, "seconds", seconds);
    struct hw_output_file file;
    if (!root)
        hw_fail(err, "%s: out of memory", r->o->run.json);
    else if (hw_output_file_open(&file, r->o->run.json, err)) {
        json_dumpf(root, file.stream, JSON_INDENT(2));
        hw_output_file_close(&file, err);
    }
    json_decref(root);
}

// --- main

static bool prepare(struct run *r, struct hw_error *err)
{
    const struct options *o = r->o;
    if (!hw_qmodel_read(&r->q, o->model, err))
        return false;
    if (!hw_design_open(&r->design, o->design, &r->q, err))
        return false;
    if (o->run.tokenizer)
        r->tok = hw_tokenizer_open(o->run.tokenizer, r->q.config.vocab_size, err);
    else if (strcmp(r->design.manifest.slice, "chip") == 0)
        hw_fail(err, "a chip needs -t TOKENIZER");
    const struct hw_geometry *made = &r->design.manifest.geometry;
    if (!err->set && made->selftest)
        hw_selftest_expect(&r->design.plan, made, &r->selftest, err);
    r->monitor = hw_monitor_new(&r->design.geometry);
    r->ref = hw_ref_new(&r->q);
    r->pos = -1;
    if (!r->monitor || !r->ref)
        hw_fail(err, "out of memory");
    return !err->set;
}

static int cosim(const struct options *o)
{
    struct hw_error err = {0};
    struct run r = {.o = o, .err = &err};
    enum dut_result result = DUT_BROKEN;
    double start = 0.0, seconds = 0.0;
    bool ready = hw_cosim_json_check(&o->run, o->design, &err) && prepare(&r, &err);
    int tampered = ready ? hw_manifest_tampered(&r.design.manifest, o->design) : 0;
    bool chip = strcmp(r.design.manifest.slice, "chip") == 0;
    if (ready) {
        start = now();
        result = chip ? run_chip(&r) : run_slice(&r, &err);
        seconds = now() - start;
    }
    if (!err.set && result != DUT_BROKEN)
        summarize(&r, chip, seconds);
    if (!err.set && o->run.json)
        write_json(&r, seconds, &err);
    if (result == DUT_HUNG)
        hw_fail(&err, "%s: the design hangs at position %d", o->design, r.pos);
    if (result == DUT_BROKEN)
        hw_fail(&err, "%s: the simulation could not run", o->design);
    if (tampered > 0)
        hw_fail(&err, "%s: %d file%s changed since generation", o->design, tampered,
                tampered == 1 ? "" : "s");
    if (r.monitor && hw_monitor_mismatches(r.monitor))
        hw_fail(&err, "%s: the design differs from the reference", o->design);
    if (r.cycle_mismatches)
        hw_fail(&err, "%s: the cycle model is wrong", o->design);
    if (err.set)
        fprintf(stderr, "cosim: error: %s\n", err.text);
    hw_ref_free(r.ref);
    hw_monitor_free(r.monitor);
    hw_design_close(&r.design);
    hw_tokenizer_close(r.tok);
    hw_qmodel_free(&r.q);
    return err.set ? 1 : hw_stop ? HW_EXIT_INTERRUPTED : 0;
}

static const struct hw_option OPTIONS[] = {
    {"model", 'm', HW_SETS(struct options, model), "FILE", .help = "the quantized model"},
    {"any-length", 0, HW_SETS(struct options, any_length),
     .help = "send a prompt that no context holds, too: the chip must say so"},
    {0}};

static const struct hw_verb VERB = {
    .name = "cosim",
    .alone = true,
    .operands = "DESIGN -m Q.safetensors [-t TOKENIZER]",
    .groups = {{NULL, OPTIONS, 0},
               {NULL, HW_ASK_OPTIONS, offsetof(struct options, ask)},
               {NULL, HW_COSIM_OPTIONS, offsetof(struct options, run)}},
};

int main(int argc, char **argv)
{
    struct options o = {0};
    struct hw_operands operands;
    int status = hw_options_parse(&VERB, argc, argv, &o, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 1 || !o.model) {
        fputs("cosim: expected one design and -m Q.safetensors (try: cosim --help)\n", stderr);
        return 2;
    }
    o.design = operands.at[0];
    hw_catch_interrupts();
    status = cosim(&o);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "cosim: standard output: cannot write\n");
    return status ? status : 1;
}
