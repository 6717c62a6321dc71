// SPDX-License-Identifier: Apache-2.0
// The tokens that begin and end texts, as a checkpoint's files name them: for the model, whose
// calibration begins with one, and for its tokenizer.
#ifndef HW_SPECIAL_H
#define HW_SPECIAL_H

#include "gen/read/gguf.h"
#include "gen/read/json.h"

enum { HW_MAX_ENDS = 32 };

struct hw_special {
    int bos;               // -1: none
    bool adds_bos;         // encoders put it before a text
    int ends[HW_MAX_ENDS]; // each ends a text or an answer; the first one is EOS
    int n_ends;
    int named_eos; // eos_token of tokenizer_config.json, which templates write; -1: none
};

// A text's first token where there is nothing else: BOS, else EOS, else token 0.
int hw_special_first(const struct hw_special *s);

// Of a Hugging Face folder. What goes before a text: the post-processor of tokenizer.json, then
// bos_token_id of generation_config.json and config.json, then bos_token of tokenizer_config.json.
// What ends one: eos_token_id of generation_config.json, of config.json, then eos_token. Where a
// config.json is there and nothing says so: LlamaConfig's defaults, 1 and 2, but null there is
// none. Files may be absent. Refuses tokens outside the vocabulary. tokenizer: tokenizer.json, for
// a tokenizer, and there is a line to standard error where two sources contradict each other; NULL:
// for a model, which does without it where it is damaged.
bool hw_special_of_folder(const char *folder, const json_t *tokenizer, int vocab_size,
                          struct hw_special *s, struct hw_error *err);

// Of a GGUF file: BOS, EOS, and the ends of turn and message. adds_bos is the kind of tokenizer's.
bool hw_special_of_gguf(const struct hw_gguf *g, int vocab_size, struct hw_special *s,
                        struct hw_error *err);

#endif
