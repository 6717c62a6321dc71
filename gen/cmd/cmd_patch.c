// SPDX-License-Identifier: Apache-2.0
// hardwire patch: another model into a placed design, in seconds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/board/patch.h"
#include "gen/chip/banks.h"
#include "gen/chip/words.h"
#include "gen/cmd/cmd.h"
#include "gen/output.h"
#include "gen/qmodel/memory.h"
#include "gen/uart/uart.h"

enum { N_ROMS = HW_N_ROMS + HW_N_TEXT_TABLES };

struct patch_request {
    struct hw_request design;
    const char *tokenizer;
};

struct words {
    struct hw_patch_rom rom[N_ROMS];
    int n;
};

// All words of a ROM, in memory.
static bool take(struct words *all, const struct hw_plan *plan, const struct hw_rom *rom,
                 int bank_bits, int banks, struct hw_error *err)
{
    struct hw_words words;
    size_t bytes = (size_t)(rom->width + 7) / 8;
    struct hw_patch_rom *to = &all->rom[all->n++];
    *to = (struct hw_patch_rom){rom->name, rom->width, rom->addr_bits, bank_bits, NULL, banks};
    to->data = calloc((size_t)banks << bank_bits, bytes);
    if (!to->data)
        return hw_fail(err, "%s ROM: out of memory", rom->name);
    if (!hw_words_open(&words, plan, rom, err))
        return false;
    for (long w = 0; w < rom->depth; w++)
        memcpy(to->data + (size_t)w * bytes, hw_words_get(&words, w), bytes);
    hw_words_close(&words);
    return true;
}

static bool take_design(struct words *all, const struct hw_plan *plan, struct hw_error *err)
{
    for (int i = 0; i < HW_N_ROMS; i++) {
        struct hw_cut cut = hw_rom_cut(&plan->geometry, &plan->rom[i]);
        if (!take(all, plan, &plan->rom[i], cut.bank_bits, cut.banks, err))
            return false;
    }
    return true;
}

// The tables of the serial line, with the model's own answer to the self-test.
static bool take_text(struct words *all, const struct patch_request *r, const struct hw_plan *plan,
                      struct hw_text_tables *t, struct hw_error *err)
{
    struct hw_known_answer known;
    if (!hw_uart_tables(plan, r->design.input, r->tokenizer, false, t, &known, err))
        return false;
    for (int i = 0; i < HW_N_TEXT_TABLES && !err->set; i++)
        take(all, NULL, &t->rom[i], t->rom[i].addr_bits, 1, err);
    return !err->set;
}

static bool patch_file(struct patch_request *r, const char *base, struct hw_error *err)
{
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_text_tables text = {0};
    struct words all = {.n = 0};
    struct hw_patch_count count;
    if (!hw_prepare(&r->design, &q, &plan, err))
        return false;
    if (take_design(&all, &plan, err) && (!r->tokenizer || take_text(&all, r, &plan, &text, err)) &&
        hw_patch(base, all.rom, all.n, r->design.output, &count, err) && !r->design.quiet)
        printf("%d block RAMs, %ld ROM bits, of which %ld changed\n", count.blocks, count.bits,
               count.differ);
    for (int i = 0; i < all.n; i++)
        free(all.rom[i].data);
    hw_text_tables_free(&text);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return !err->set;
}

static int patch(int argc, char **argv)
{
    struct patch_request r = {0};
    struct hw_operands operands;
    struct hw_error err = {0};
    int status = hw_options_parse(&HW_VERB_PATCH, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 2 || !r.design.fabric || !r.design.output)
        return hw_usage("patch", "expected BASE.config Q.safetensors --fabric DESIGN -o FILE");
    const char *base = operands.at[0];
    struct hw_operands model = {operands.at + 1, 1};
    r.design.slice = "chip";
    status = hw_complete_request(&HW_VERB_PATCH, &model, &r.design);
    if (status >= 0)
        return status;
    if (hw_output_is_input(r.design.output, base))
        return hw_usage("patch", "-o: expected another file than BASE, which further patches need");
    const char *inputs[] = {r.design.input, r.tokenizer, r.design.fabric};
    return hw_output_file_check(r.design.output, inputs, sizeof inputs / sizeof inputs[0], &err) &&
                   patch_file(&r, base, &err)
               ? 0
               : hw_report(&err);
}

static const struct hw_option OPTIONS[] = {
    {"output", 'o', HW_SETS(struct patch_request, design.output), "FILE",
     .help = "the configuration to write, as text; ecppack makes a bitstream of it"},
    {"fabric", 0, HW_SETS(struct patch_request, design.fabric), "DIR",
     .help = "the design that BASE was placed from, made with emit --blank"},
    {"tokenizer", 't', HW_SETS(struct patch_request, tokenizer), "FILE",
     .help = "where BASE has the serial line, made with uart --blank"},
    {"ctx", 0, HW_SETS(struct patch_request, design.ctx), "N", 1, HW_ANY_COUNT,
     .otherwise = "the model's", .help = "a context of N positions"},
    {"quiet", 'q', HW_SETS(struct patch_request, design.quiet), .help = "no summary"},
    {0}};

const struct hw_verb HW_VERB_PATCH = {.name = "patch",
                                      .operands = "BASE.config Q.safetensors -o FILE",
                                      .what = "another model into a placed ECP5 design",
                                      .groups = {{NULL, OPTIONS, 0}},
                                      .run = patch};
