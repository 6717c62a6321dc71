// SPDX-License-Identifier: Apache-2.0
// The serial line that speaks text, as a folder beside a design: the templates of
// rtl_templates/uart, a tokenizer's tables, text.vh and filelist.f.
#ifndef HW_UART_H
#define HW_UART_H

#include "gen/chip/verilog.h"
#include "gen/error.h"
#include "gen/text/tokenizer.h"
#include "gen/uart/tables.h"
#include "refmodel/qmodel.h"

enum { HW_UART_KNOWN = 32 }; // tokens of the self-test, where the context has room for them

// What the chip answers to BOS alone, as console.v adds it up.
struct hw_known_answer {
    int n;
    uint32_t signature;
};

// The tables for a plan, the signature in them, and that answer; blank: with what `hardwire patch`
// finds their bits by in place of all of it. model: the file of the plan's model, which is read
// once more, with the weights, as the self-test runs it. On success the caller frees *t.
bool hw_uart_tables(const struct hw_plan *plan, const char *model, const char *tokenizer,
                    bool blank, struct hw_text_tables *t, struct hw_known_answer *known,
                    struct hw_error *err);

// The files of the line, but for a list: `folder` is "" or ends with a slash. templates: the folder
// that holds uart/.
void hw_uart_files(struct hw_out *out, const char *folder, const struct hw_text_tables *t,
                   const char *templates, int vocab_size, const struct hw_known_answer *known);

// templates: the folder of the hand-written Verilog. tokenizer: its path, for errors. The folder
// `dir` appears complete or not at all; what is there already is replaced where it is such a
// folder.
bool hw_uart_write(const struct hw_qmodel *q, const struct hw_tokenizer *tok, const char *tokenizer,
                   const char *templates, const char *dir, bool blank,
                   struct hw_known_answer *known, struct hw_error *err);

#endif
