// SPDX-License-Identifier: Apache-2.0
// hardwire uart: the serial line that speaks text, for a board.
#include <stdio.h>

#include "gen/cmd/cmd.h"
#include "gen/cmd/home.h"
#include "gen/qmodel/file.h"
#include "gen/uart/uart.h"

struct request {
    const char *tokenizer, *output, *templates;
    bool quiet, blank;
    int ctx;
};

static bool write_uart(const struct request *r, const struct hw_qmodel *q, struct hw_error *err)
{
    char home[HW_HOME_PATH];
    struct hw_known_answer known;
    struct hw_tokenizer *tok = hw_tokenizer_open(r->tokenizer, q->config.vocab_size, err);
    if (!tok)
        return false;
    const char *templates = r->templates ? r->templates : home;
    if ((r->templates || hw_home_path(home, "rtl_templates", err)) &&
        hw_uart_write(q, tok, r->tokenizer, templates, r->output, r->blank, &known, err) &&
        !r->quiet)
        printf("self-test: %d tokens after BOS, signature %08lx\n", known.n,
               (unsigned long)known.signature);
    hw_tokenizer_close(tok);
    return !err->set;
}

static int uart(int argc, char **argv)
{
    struct request r = {0};
    struct hw_operands operands;
    struct hw_error err = {0};
    struct hw_qmodel q;
    int status = hw_options_parse(&HW_VERB_UART, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 1 || !r.tokenizer || !r.output)
        return hw_usage("uart", "expected one quantized model, -t TOKENIZER and -o DIR");
    if (!hw_qmodel_read(&q, operands.at[0], &err))
        return hw_report(&err);
    if (r.ctx == 0 || hw_qmodel_set_context(&q, r.ctx, 0, &err))
        write_uart(&r, &q, &err);
    hw_qmodel_free(&q);
    return err.set ? hw_report(&err) : 0;
}

static const struct hw_option OPTIONS[] = {
    {"output", 'o', HW_SETS(struct request, output), "DIR", .help = "the folder to write"},
    {"tokenizer", 't', HW_SETS(struct request, tokenizer), "FILE",
     .help = "scored pieces: of llama2.c, or of a GGUF file"},
    {"ctx", 0, HW_SETS(struct request, ctx), "N", 1, HW_ANY_COUNT, .otherwise = "the model's",
     .help = "the context that the design was made with"},
    {"templates", 0, HW_SETS(struct request, templates), "DIR", .otherwise = "rtl_templates",
     .help = "the hand-written Verilog"},
    {"blank", 0, HW_SETS(struct request, blank),
     .help = "tables hold no tokenizer, but what `hardwire patch` finds their bits by"},
    {"quiet", 'q', HW_SETS(struct request, quiet), .help = "no summary"},
    {0}};

const struct hw_verb HW_VERB_UART = {.name = "uart",
                                     .operands = "Q.safetensors -t TOKENIZER -o DIR",
                                     .what = "a serial line that speaks text, for a board",
                                     .groups = {{NULL, OPTIONS, 0}},
                                     .run = uart};
