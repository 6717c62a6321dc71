// SPDX-License-Identifier: Apache-2.0
// Owns the folder of the serial line, and the answer that its self-test expects.
#include "gen/uart/uart.h"

#include <string.h>

#include "gen/board/pattern.h"
#include "gen/chip/banks.h"
#include "gen/output.h"
#include "gen/qmodel/file.h"
#include "gen/uart/tables.h"
#include "refmodel/ref.h"

static const char *const TEMPLATES[] = {
    "uart/console.v", "bus/skid.v",      "uart/text_decode.v", "uart/text_encode.v",
    "uart/uart_rx.v", "uart/uart_top.v", "uart/uart_tx.v"};
enum { N_TEMPLATES = sizeof TEMPLATES / sizeof TEMPLATES[0] };

static const char *file_name(int template)
{
    return strrchr(TEMPLATES[template], '/') + 1;
}

// --- self-test

// One answer more; the same is in console.v.
static uint32_t add_up(uint32_t signature, int id_bits, int token, int status)
{
    uint32_t fed = (uint32_t)status << id_bits | (uint32_t)token;
    return (signature << 1) ^ (signature >> 31 ? 0x04c11db7u : 0) ^ fed;
}

static bool know_answer(const struct hw_qmodel *q, const struct hw_text_tables *t,
                        struct hw_known_answer *known, struct hw_error *err)
{
    enum { MORE, STOP, LIMIT };
    int most = q->config.seq_len < HW_UART_KNOWN ? q->config.seq_len : HW_UART_KNOWN;
    int token = t->bos, status = MORE;
    struct hw_ref *ref = hw_ref_new(q);
    if (!ref)
        return hw_fail(err, "self-test: out of memory");
    *known = (struct hw_known_answer){most, 0};
    for (int pos = 0; status == MORE; pos++) {
        token = hw_ref_argmax(hw_ref_forward(ref, token, pos, true), q->config.vocab_size);
        status = token == t->stop ? STOP : pos + 1 == most ? LIMIT : MORE;
        known->signature = add_up(known->signature, t->id_bits, token, status);
    }
    hw_ref_free(ref);
    return true;
}

// --- files

static void write_constants(struct hw_out *out, const char *folder, const struct hw_text_tables *t,
                            int vocab_size, const struct hw_known_answer *known)
{
    const struct {
        const char *name;
        unsigned value;
    } define[] = {
        {"VOCAB", (unsigned)vocab_size},
        {"ID_W", (unsigned)t->id_bits},
        {"RANK_W", (unsigned)t->rank_bits},
        {"LEN_W", (unsigned)t->len_bits},
        {"CHARS", (unsigned)t->n_chars},
        {"CHAR_ADDR_W", (unsigned)t->rom[HW_TEXT_CHARS].addr_bits},
        {"MERGE_ADDR_W", (unsigned)t->rom[HW_TEXT_MERGES].addr_bits},
        {"PIECE_ADDR_W", (unsigned)t->rom[HW_TEXT_PIECES].addr_bits},
        {"POOL_ADDR_W", (unsigned)t->rom[HW_TEXT_POOL].addr_bits},
        {"BOS", (unsigned)t->bos},
        {"PREFIX", t->prefix},
        {"STOP", (unsigned)t->stop},
        {"HAS_END", t->end >= 0},
        {"END", t->end >= 0 ? (unsigned)t->end : 0},
        {"KNOWN", (unsigned)known->n},
    };
    char path[96];
    snprintf(path, sizeof path, "%stext.vh", folder);
    hw_out_open_verilog(out, path);
    hw_out_print(out, "// A tokenizer and the answer of a self-test, for console.v and below.\n");
    for (size_t i = 0; i < sizeof define / sizeof define[0]; i++)
        if (strcmp(define[i].name, "PREFIX") == 0 || strcmp(define[i].name, "HAS_END") == 0)
            hw_out_print(out, "`define HW_TEXT_%s 1'b%u\n", define[i].name, define[i].value);
        else
            hw_out_print(out, "`define HW_TEXT_%s 32'd%u\n", define[i].name, define[i].value);
    hw_out_close(out);
}

static void write_filelist(struct hw_out *out)
{
    int n = out->n_files;
    hw_out_open(out, "filelist.f");
    hw_out_print(out, "+incdir+.\n");
    for (int i = 0; i < n; i++)
        if (!strstr(out->file[i].path, ".vh"))
            hw_out_print(out, "%s\n", out->file[i].path);
    hw_out_close(out);
}

void hw_uart_files(struct hw_out *out, const char *folder, const struct hw_text_tables *t,
                   const char *templates, int vocab_size, const struct hw_known_answer *known)
{
    write_constants(out, folder, t, vocab_size, known);
    for (int i = 0; i < N_TEMPLATES; i++) {
        char from[4096], to[96];
        snprintf(from, sizeof from, "%s/%s", templates, TEMPLATES[i]);
        snprintf(to, sizeof to, "%s%s", folder, file_name(i));
        hw_out_copy(out, from, to);
    }
    for (int i = 0; i < HW_N_TEXT_TABLES; i++) {
        char to[96];
        snprintf(to, sizeof to, "%s%s.v", folder, t->rom[i].name);
        hw_write_table(out, to, t->rom[i].name, &t->rom[i]);
    }
}

// What such a folder may hold: these very names.
static bool owns(void *user, const char *path, bool is_folder)
{
    static const char *const OTHERS[] = {"text.vh",         "filelist.f",       "text_byte_rom.v",
                                         "text_char_rom.v", "text_merge_rom.v", "text_piece_rom.v",
                                         "text_pool_rom.v"};
    (void)user;
    for (size_t i = 0; !is_folder && i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        if (strcmp(path, OTHERS[i]) == 0)
            return true;
    for (int i = 0; !is_folder && i < N_TEMPLATES; i++)
        if (strcmp(path, file_name(i)) == 0)
            return true;
    return false;
}

static bool replaceable(const char *name, struct hw_error *err)
{
    static const struct hw_output_kind LINE = {
        "serial line", "text.vh",
        "// SPDX-License-Identifier: LicenseRef-hardwire-output\n// Generated by hardwire "};
    return hw_output_dir_replaceable(name, &LINE, owns, NULL, err);
}

static bool write_folder(const struct hw_text_tables *t, const char *templates, int vocab_size,
                         const struct hw_known_answer *known, const char *path,
                         struct hw_error *err)
{
    struct hw_output_dir dir;
    if (!hw_output_dir_name(&dir, path, err) || !replaceable(dir.name, err) ||
        !hw_output_dir_open(&dir, owns, NULL, err))
        return false;
    struct hw_out out = {.dir = dir.temp, .err = err};
    hw_uart_files(&out, "", t, templates, vocab_size, known);
    write_filelist(&out);
    if (!err->set && replaceable(dir.name, err))
        hw_output_dir_commit(&dir, owns, NULL, err);
    hw_out_free(&out);
    hw_output_dir_close(&dir, owns, NULL);
    return !err->set;
}

static bool make_tables(const struct hw_qmodel *q, const struct hw_tokenizer *tok,
                        const char *tokenizer, bool blank, struct hw_text_tables *t,
                        struct hw_known_answer *known, struct hw_error *err)
{
    if (!hw_text_tables_make(t, tok, tokenizer, err))
        return false;
    if (know_answer(q, t, known, err))
        hw_text_tables_expect(t, known->signature);
    for (int i = 0; blank && i < HW_N_TEXT_TABLES && !err->set; i++)
        hw_pattern_fill(&t->rom[i], err);
    if (err->set)
        hw_text_tables_free(t);
    return !err->set;
}

bool hw_uart_tables(const struct hw_plan *plan, const char *model, const char *tokenizer,
                    bool blank, struct hw_text_tables *t, struct hw_known_answer *known,
                    struct hw_error *err)
{
    struct hw_qmodel q;
    const struct hw_config *c = &plan->model->config;
    struct hw_tokenizer *tok = hw_tokenizer_open(tokenizer, c->vocab_size, err);
    if (tok && hw_qmodel_read(&q, model, err)) {
        if (hw_qmodel_set_context(&q, c->seq_len, plan->geometry.rope_lo_bits, err))
            make_tables(&q, tok, tokenizer, blank, t, known, err);
        hw_qmodel_free(&q);
    }
    hw_tokenizer_close(tok);
    return !err->set;
}

bool hw_uart_write(const struct hw_qmodel *q, const struct hw_tokenizer *tok, const char *tokenizer,
                   const char *templates, const char *dir, bool blank,
                   struct hw_known_answer *known, struct hw_error *err)
{
    struct hw_text_tables t;
    if (!make_tables(q, tok, tokenizer, blank, &t, known, err))
        return false;
    write_folder(&t, templates, q->config.vocab_size, known, dir, err);
    hw_text_tables_free(&t);
    return !err->set;
}
