// SPDX-License-Identifier: Apache-2.0
// Text to token ids and back. Reads llama2.c tokenizer files, the tokenizers inside GGUF files, and
// tokenizer.json (alone or in its folder): scored pieces with byte fallback, and BPE. The names of
// control tokens in a text are text; other added tokens are found in it.
#ifndef HW_TOKENIZER_H
#define HW_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/error.h"

struct hw_tokenizer; // opaque

// Reads `vocab_size` pieces (format found by content). Returns NULL and fills *err on bad input.
struct hw_tokenizer *hw_tokenizer_open(const char *path, int vocab_size, struct hw_error *err);
void hw_tokenizer_close(struct hw_tokenizer *tok);

int hw_tokenizer_bos(const struct hw_tokenizer *tok); // -1 where there is none
int hw_tokenizer_eos(const struct hw_tokenizer *tok); // the first of the tokens that end a text
int hw_tokenizer_template_eos(const struct hw_tokenizer *tok); // eos_token in chat templates
int hw_tokenizer_end(const struct hw_tokenizer *tok, int i);   // from 0 on; -1 after the last
bool hw_tokenizer_is_end(const struct hw_tokenizer *tok, int token);
int hw_tokenizer_size(const struct hw_tokenizer *tok);
bool hw_tokenizer_adds_bos(const struct hw_tokenizer *tok);    // encoders of its kind put BOS first
const char *hw_tokenizer_kind(const struct hw_tokenizer *tok); // for people
const char *hw_tokenizer_template(const struct hw_tokenizer *tok); // of chats, in Jinja, or NULL

// The control or user-defined token of this name. -1: none.
int hw_tokenizer_special(const struct hw_tokenizer *tok, const char *name);

// Tokens that `len` bytes of text can have, BOS included.
size_t hw_tokenizer_room(size_t len);

// Encodes text (UTF-8, `len` bytes) and returns the number of tokens; at most
// hw_tokenizer_room(len) are written to ids (with bos: BOS first). Added tokens that are not
// control tokens are found in it. A character without a piece falls back to bytes, and where the
// vocabulary has no byte pieces to its unknown token; byte-level BPE without one leaves it out.
// Returns -1 when out of memory, or where len is above 256 MiB.
int hw_tokenizer_encode(const struct hw_tokenizer *tok, const char *text, size_t len, bool bos,
                        int *ids);

// The same for text inside a sequence, without BOS. after_special: a control token precedes it.
int hw_tokenizer_encode_part(const struct hw_tokenizer *tok, const char *text, size_t len,
                             bool after_special, int *ids);

// The bytes of `token` after `previous` (a leading space goes after BOS). Not NUL-terminated text:
// *len says how many bytes. Valid until the tokenizer is closed.
const char *hw_tokenizer_piece(const struct hw_tokenizer *tok, int previous, int token,
                               size_t *len);

#endif
