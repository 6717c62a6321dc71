// SPDX-License-Identifier: Apache-2.0
// A tokenizer as tables for hardware: what rtl_templates/uart looks up. Their words are described
// in text_encode.v and text_decode.v.
#ifndef HW_UART_TABLES_H
#define HW_UART_TABLES_H

#include "gen/chip/plan.h"
#include "gen/text/tokenizer.h"

enum hw_text_table {
    HW_TEXT_BYTES,  // a character of one byte
    HW_TEXT_CHARS,  // characters of many bytes
    HW_TEXT_MERGES, // pairs of neighbours that are a piece
    HW_TEXT_PIECES, // tokens and messages: length, address of the first byte
    HW_TEXT_POOL,   // their bytes
    HW_N_TEXT_TABLES
};

struct hw_text_tables {
    struct hw_rom rom[HW_N_TEXT_TABLES];
    int id_bits;   // of a token
    int rank_bits; // of a merge's rank; all ones: no merge
    int len_bits;  // of the length of a piece or message
    int n_chars;   // words of HW_TEXT_CHARS
    int n_merges;
    int signature_at; // of its text in HW_TEXT_POOL
    bool prefix;      // a space goes before a line
    int bos;          // token
    int stop, end;    // tokens that end a story; end: another one, or -1
};

// The text that console.v expects its signature from: eight characters, four bits each.
enum { HW_SIGNATURE_TEXT = 8 };

// An error: a tokenizer that the hardware does not have. It has scored pieces with BOS that merge
// across the whole line, behind a space or not; no added tokens, at most two tokens that end.
bool hw_text_tables_make(struct hw_text_tables *t, const struct hw_tokenizer *tok, const char *path,
                         struct hw_error *err);
// Sets the signature that the self-test expects.
void hw_text_tables_expect(struct hw_text_tables *t, uint32_t signature);
void hw_text_tables_free(struct hw_text_tables *t);

#endif
