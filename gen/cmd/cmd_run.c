// SPDX-License-Identifier: Apache-2.0
// hardwire run: the integer reference tells a story or chats, or is scored over a text.
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen/chip/cycles.h"
#include "gen/cmd/cmd.h"
#include "gen/interrupt.h"
#include "gen/output.h"
#include "gen/qmodel/file.h"
#include "gen/quant/score.h"
#include "gen/text/sampler.h"
#include "gen/text/session.h"
#include "refmodel/ref.h"

struct request {
    const char *model, *tokenizer, *score, *float_model, *each;
    struct hw_ask ask;
    struct hw_sampler sampler;
    struct hw_geometry geometry;
    int count, most, threads, clock_mhz, seed;
    bool quiet;
};

// --- text

struct generator {
    const struct request *o;
    const struct hw_qmodel *q;
    struct hw_ref *ref;
    struct hw_sampler sampler;
    int *known, n_known;   // tokens whose K and V the reference holds, by position
    long *visits[2];       // runs of each position: without and with logits, as a chip runs every
                           // turn from position 0
    long made;             // tokens
    enum hw_ending ending; // of the last turn
    bool chat;
};

// How many of the first n - 1 tokens the reference holds already. They are counted as visits.
static int reuse(struct generator *g, const int *ids, int n)
{
    int common = 0;
    while (common < g->n_known && common < n - 1 && g->known[common] == ids[common])
        g->visits[0][common++]++;
    return common;
}

static const int32_t *forward(struct generator *g, int token, int pos, bool sample)
{
    const int32_t *logits = hw_ref_forward(g->ref, token, pos, sample);
    g->known[pos] = token;
    g->n_known = pos + 1;
    g->visits[sample][pos]++;
    return logits;
}

// After `made` tokens of this turn, the last of which came out at `pos`.
static enum hw_ending ending_after(const struct generator *g, const struct hw_session *s, int token,
                                   int pos, int made)
{
    return hw_session_ends(s, token)         ? HW_END_TEXT
           : pos + 1 == g->q->config.seq_len ? HW_END_CONTEXT
           : made == g->o->count             ? HW_END_LIMIT
                                             : HW_END_NONE;
}

// The tokens of a turn but the last, which is run with logits. Returns it, its position in *pos.
static int run_prompt(struct generator *g, const int *ids, int n, int *pos)
{
    for (*pos = reuse(g, ids, n); *pos + 1 < n && !hw_stop; ++*pos)
        forward(g, ids[*pos], *pos, false);
    return ids[*pos];
}

// One turn: what of it the reference does not hold yet, then what the model says.
static void generate_turn(struct generator *g, struct hw_session *s, const int *ids, int n,
                          struct hw_error *err)
{
    int pos, token = run_prompt(g, ids, n, &pos);
    g->ending = HW_END_NONE;
    for (int made = 1; g->ending == HW_END_NONE && !err->set && !hw_stop; made++, pos++) {
        const int32_t *logits = forward(g, token, pos, true);
        token = hw_sampler_draw(&g->sampler, logits, g->q->config.vocab_size);
        if (token < 0) {
            hw_fail(err, "sampling: out of memory");
            break;
        }
        g->made++;
        g->ending = ending_after(g, s, token, pos, made);
        if (g->ending != HW_END_TEXT)
            hw_session_say(s, token, err);
    }
    if (g->ending == HW_END_NONE)
        g->ending = HW_END_INTERRUPTED;
    hw_session_end_turn(s, err);
}

// What a chip of this geometry would have taken.
static void print_speed(const struct generator *t, double seconds)
{
    struct hw_error err = {0};
    struct hw_geometry g = t->o->geometry;
    struct hw_plan plan;
    struct hw_cycles_known visited = {0};
    double cycles = 0.0;
    long positions = 0, end = 0;
    fprintf(stderr, "--- %s; %ld tokens", hw_ending_words(t->ending, t->chat), t->made);
    if (!hw_geometry_fit(&g, t->q, &err) || !hw_plan_make(&plan, t->q, &g, "chip", &err)) {
        fprintf(stderr, "; no such chip: %s\n", err.text);
        return;
    }
    for (int pos = 0; pos < t->q->config.seq_len; pos++) {
        for (int sample = 0; sample < 2; sample++) {
            if (t->visits[sample][pos] == 0)
                continue;
            cycles += (double)t->visits[sample][pos] *
                      (double)hw_cycles_next(&visited, &plan, pos, sample).token;
            positions += t->visits[sample][pos];
            end = pos;
        }
    }
    hw_plan_free(&plan);
    if (positions == 0) {
        fputc('\n', stderr);
        return;
    }
    cycles /= (double)positions;
    char speed[HW_SPEED_TEXT];
    fprintf(
        stderr,
        "; chip of %d x %d lanes: %.0f cycles/token over positions 0-%ld%s; here %.1f tokens/s of "
        "one core\n",
        g.rows, g.cols, cycles, end, hw_speed_text(speed, cycles, t->o->clock_mhz),
        (double)positions / seconds);
}

static bool generator_new(struct generator *g, const struct request *o, const struct hw_qmodel *q,
                          struct hw_error *err)
{
    size_t n_positions = (size_t)q->config.seq_len;
    *g = (struct generator){
        .o = o, .q = q, .ref = hw_ref_new(q), .sampler = o->sampler, .chat = o->ask.chat};
    g->sampler.logit_scale = q->logit_scale;
    g->known = malloc(n_positions * sizeof *g->known);
    g->visits[0] = calloc(n_positions, sizeof *g->visits[0]);
    g->visits[1] = calloc(n_positions, sizeof *g->visits[1]);
    return (g->ref && g->known && g->visits[0] && g->visits[1]) ||
           hw_fail(err, "%s: out of memory", o->model);
}

static void generator_free(struct generator *g)
{
    hw_sampler_free(&g->sampler);
    hw_ref_free(g->ref);
    free(g->known);
    free(g->visits[0]);
    free(g->visits[1]);
}

// All turns. Returns the seconds of CPU that the reference took.
static double generate_turns(struct generator *g, struct hw_session *s, struct hw_error *err)
{
    int *ids, n;
    clock_t busy = 0;
    while (!hw_stop && hw_session_next(s, g->q->config.seq_len, &ids, &n, err)) {
        clock_t begin = clock();
        generate_turn(g, s, ids, n, err);
        busy += clock() - begin;
        free(ids);
    }
    return (double)(busy + 1) / CLOCKS_PER_SEC;
}

static int generate(const struct request *o, const struct hw_qmodel *q,
                    const struct hw_tokenizer *tok)
{
    struct hw_error err = {0};
    struct hw_session s;
    struct generator g;
    if (generator_new(&g, o, q, &err) && hw_session_open(&s, &o->ask, tok, stdout, &err)) {
        hw_catch_interrupts();
        double seconds = generate_turns(&g, &s, &err);
        hw_session_close(&s);
        if (!err.set && !o->quiet)
            print_speed(&g, seconds);
    }
    generator_free(&g);
    return err.set ? hw_report(&err) : hw_stop ? HW_EXIT_INTERRUPTED : 0;
}

// --- perplexity

static bool write_each(const char *path, const int *tokens, int n, const struct hw_position *each,
                       bool checkpoint, struct hw_error *err)
{
    struct hw_output_file file;
    if (!hw_output_file_open(&file, path, err))
        return false;
    for (int i = 0; i + 1 < n; i++) {
        fprintf(file.stream, "%d %d %.6f %d", tokens[i], each[i].next, each[i].nll,
                each[i].likeliest);
        if (checkpoint)
            fprintf(file.stream, " %.6f %d", each[i].float_nll, each[i].float_likeliest);
        fputc('\n', file.stream);
    }
    return hw_output_file_close(&file, err);
}

static int score(const struct request *r, const struct hw_qmodel *q, const struct hw_tokenizer *tok)
{
    struct hw_error err = {0};
    struct hw_score s;
    struct hw_model *checkpoint = r->float_model ? hw_model_open(r->float_model, &err) : NULL;
    if (checkpoint &&
        hw_model_config(checkpoint)->seq_len > q->config.seq_len) // a shorter context was baked
        hw_model_set_context(checkpoint, q->config.seq_len, &err);
    int n = 0, *tokens = err.set ? NULL : hw_score_text(r->score, tok, r->most, &n, &err);
    struct hw_position *each = r->each && tokens ? calloc((size_t)n, sizeof *each) : NULL;
    if (r->each && tokens && !each)
        hw_fail(&err, "scoring: out of memory");
    if (tokens && !err.set && hw_score(q, checkpoint, tokens, n, r->threads, each, &s, &err) &&
        (!each || write_each(r->each, tokens, n, each, checkpoint, &err))) {
        printf("tokens %d scored %ld nll %.5f perplexity %.4f\n", n, s.scored, s.nll, exp(s.nll));
        if (checkpoint)
            printf("float nll %.5f perplexity %.4f top-1 agreement %.2f%%, %ld of %ld\n",
                   s.float_nll, exp(s.float_nll), 100.0 * (double)s.agreed / (double)s.scored,
                   s.agreed, s.scored);
    }
    free(tokens);
    free(each);
    hw_model_close(checkpoint);
    return err.set ? hw_report(&err) : 0;
}

static bool check_output(const struct request *r, struct hw_error *err)
{
    const char *inputs[] = {r->model, r->tokenizer, r->score, r->float_model};
    return !r->each || hw_output_file_check(r->each, inputs, sizeof inputs / sizeof inputs[0], err);
}

static int run(const struct request *r)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    int status;
    if (!check_output(r, &err) || !hw_qmodel_read(&q, r->model, &err))
        return hw_report(&err);
    struct hw_tokenizer *tok = hw_tokenizer_open(r->tokenizer, q.config.vocab_size, &err);
    if (!tok)
        status = hw_report(&err);
    else if (r->score)
        status = score(r, &q, tok);
    else
        status = generate(r, &q, tok);
    hw_tokenizer_close(tok);
    hw_qmodel_free(&q);
    return status;
}

static int run_verb(int argc, char **argv)
{
    struct request r = {0};
    struct hw_operands operands;
    int status = hw_options_parse(&HW_VERB_RUN, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 1 || !r.tokenizer)
        return hw_usage("run", "expected one quantized model and -t TOKENIZER");
    if ((r.float_model || r.each || r.most) && !r.score)
        return hw_usage("run", "--float, --each, --tokens: expected --perplexity TEXT with it");
    r.model = operands.at[0];
    r.sampler.seed = (uint64_t)r.seed;
    return run(&r);
}

static const struct hw_option OPTIONS[] = {
    {"tokenizer", 't', HW_SETS(struct request, tokenizer), "FILE",
     .help = "llama2.c tokenizer, GGUF file, tokenizer.json or its folder"},
    {"count", 'n', HW_SETS(struct request, count), "N", 1, HW_ANY_COUNT, "256",
     .help = "tokens to generate, in each turn of a chat"},
    {"temperature", 0, HW_SETS(struct request, sampler.temperature), "X", 0, 100, "0",
     .help = "draw tokens instead of taking the likeliest, which is what chips do"},
    {"top-p", 0, HW_SETS(struct request, sampler.top_p), "X", 1e-9, 1, "1",
     .help = "among the likeliest that hold this share"},
    {"seed", 0, HW_SETS(struct request, seed), "N", 0, INT_MAX, "1", .help = "of the drawing"},
    {"clock", 0, HW_SETS(struct request, clock_mhz), "MHZ", 1, HW_ANY_COUNT,
     .help = "clock of the chip: its tokens/s are printed at the end, too"},
    {"clock-mhz", 0, HW_SETS(struct request, clock_mhz), "MHZ", 1, HW_ANY_COUNT},
    {"quiet", 'q', HW_SETS(struct request, quiet), .help = "nothing at the end"},
    {0}};

static const struct hw_option SCORE_OPTIONS[] = {
    {"perplexity", 0, HW_SETS(struct request, score), "FILE",
     .help = "score FILE instead: documents end with <|endoftext|>, each begins with BOS, windows "
             "of the context, every position counts"},
    {"tokens", 0, HW_SETS(struct request, most), "N", 2, HW_ANY_COUNT, .otherwise = "all",
     .help = "score at most N tokens"},
    {"float", 0, HW_SETS(struct request, float_model), "MODEL",
     .help = "score the checkpoint in float too: how often both say the same"},
    {"each", 0, HW_SETS(struct request, each), "FILE",
     .help = "also a line a position into FILE: token, what came next, its nll and the likeliest "
             "token, of the machine and (--float) in float"},
    {"threads", 0, HW_SETS(struct request, threads), "N", 1, 64, "2", .help = "for scoring"},
    {0}};

const struct hw_verb HW_VERB_RUN = {
    .name = "run",
    .operands = "Q.safetensors -t TOKENIZER",
    .what = "text or perplexity from the integer reference",
    .after = "Ctrl-C stops after the token at hand; exit status 130.\n",
    .groups = {{NULL, HW_ASK_OPTIONS, offsetof(struct request, ask)},
               {NULL, OPTIONS, 0},
               {"  of the chip whose speed is printed:", HW_GEOMETRY_OPTIONS,
                offsetof(struct request, geometry)},
               {"  scoring:", SCORE_OPTIONS, 0}},
    .run = run_verb};
