// SPDX-License-Identifier: Apache-2.0
// Inside the tokenizer: the vocabulary that readers fill in and the encoder uses.
#ifndef HW_VOCAB_H
#define HW_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "gen/read/special.h"
#include "gen/text/tokenizer.h"
#include "refmodel/limits.h"

enum { HW_MAX_MERGES = 1 << 22 };

// How text is cut into words, across which nothing merges.
enum hw_split {
    HW_SPLIT_NONE,        // the whole text is one word (sentencepiece)
    HW_SPLIT_GPT2,        // GPT-2's regular expression
    HW_SPLIT_GPT2_DIGITS, // the same between digits, each of which is a word ("smollm")
    HW_SPLIT_LLAMA3,      // Llama 3's regular expression
    HW_SPLIT_QWEN2,       // the same, a digit a word
};

struct hw_piece {
    const char *bytes; // in the pool
    size_t len;
    float score;
    int byte;     // 0..255 where the piece reads "<0xHH>", else -1
    bool control; // never found in text, decoded to nothing
    bool literal; // user-defined: no merge makes it, decoded as it is
};

// A token that is found in text as it is spelled, before the text is cut into words.
struct hw_added {
    int token;
    bool lstrip, rstrip; // spaces before or after it belong to it
    bool single_word;    // not within a word
    bool normalized;     // looked for after the normalizer, as Hugging Face calls it
    size_t len;          // of its bytes
};

// left and right join to token; the lowest rank goes first.
struct hw_rule {
    int left, right, token, rank; // rank -1: a free slot
};

struct hw_tokenizer {
    int vocab_size;
    struct hw_piece *pieces;
    char *pool;
    size_t pool_used, pool_size;
    int *slots; // open-addressing hash table from bytes to token, -1: free
    uint32_t slot_mask;
    struct hw_rule *rules; // the same from (left, right); NULL: merge by scores
    uint32_t rule_mask;
    bool byte_level;        // words start as single bytes, not as characters
    bool whole_words;       // a word that is a piece is one token, whatever the merges say
    bool space_prefix;      // a space goes before the text, and is dropped from the first word
    bool prefix_once;       // not before what follows a control token
    bool prefix_needed;     // nor before text that begins with a space
    bool prefix_normalizer; // the normalizer puts it there, before added tokens are looked for
    bool marks_spaces;      // the normalizer makes spaces U+2581
    struct hw_added *added; // [n_added], the longest first
    int n_added;
    bool added_first[256];    // bytes that one of them begins with
    bool added_longest_first; // the longest token that the text holds is cut out first (llama.cpp);
                              // else the leftmost (Hugging Face)
    const char *kind;         // for people: a literal
    char *chat_template;      // in Jinja, or NULL
    enum hw_split split;
    struct hw_special special; // tokens that begin and end texts
    int n_left_out;            // pieces of the file beyond the model's vocabulary
    int unknown; // token of a character that has neither a piece nor byte pieces; -1: it is left
                 // out, and what stood around it may merge (byte-level BPE, as in `tokenizers`)
    int byte_token[256]; // unknown where there is none
    char byte_text[256];
};

// A vocabulary of empty pieces with room for pool_size bytes of text.
struct hw_tokenizer *hw_vocab_new(const char *path, int vocab_size, size_t pool_size,
                                  struct hw_error *err);
// Texts in files: as they are, with U+2581 for a space, or with GPT-2's characters for bytes.
enum hw_spelling { HW_SPELLING_RAW, HW_SPELLING_SPACE_MARK, HW_SPELLING_BYTE_LEVEL };
// Decodes to at most len bytes at out and returns their number, or -1 for text that the spelling
// does not have.
ptrdiff_t hw_vocab_decode(enum hw_spelling spelling, const char *text, size_t len, char *out);
// Sets the bytes of a piece, decoded. False where the spelling does not have it.
bool hw_vocab_set(struct hw_tokenizer *tok, int token, enum hw_spelling spelling, const char *text,
                  size_t len);

// Copies a chat template. Refuses bytes of zero and more than 1 MiB.
bool hw_vocab_set_template(struct hw_tokenizer *tok, const char *text, size_t len, const char *path,
                           struct hw_error *err);

// After all pieces are set: makes them findable.
bool hw_vocab_index(struct hw_tokenizer *tok, const char *path, struct hw_error *err);
int hw_vocab_find(const struct hw_tokenizer *tok, const char *bytes, size_t len); // or -1

// A line to standard error where pieces were left out. Returns true.
bool hw_vocab_note_left_out(const struct hw_tokenizer *tok, const char *path);

// Then, for a tokenizer with ranked merges, room for n rules, and each of them by its two texts.
bool hw_vocab_alloc_rules(struct hw_tokenizer *tok, size_t n, const char *path,
                          struct hw_error *err);
bool hw_vocab_add_rule(struct hw_tokenizer *tok, int rank, const char *path,
                       enum hw_spelling spelling, const char *left, size_t left_len,
                       const char *right, size_t right_len, struct hw_error *err);
const struct hw_rule *hw_vocab_find_rule(const struct hw_tokenizer *tok, int left, int right);

// gen/text/added.c. Adds one, whose piece has been set; sorts them when all are there.
bool hw_added_new(struct hw_tokenizer *tok, struct hw_added added, const char *path,
                  struct hw_error *err);
void hw_added_sort(struct hw_tokenizer *tok);
struct hw_cut {
    size_t begin, end;
    int token;
};
// The next added token at or after `from`, of those that are normalized or of the others.
bool hw_added_find(const struct hw_tokenizer *tok, bool normalized, const char *text, size_t len,
                   size_t from, struct hw_cut *cut);
// The same of the i-th one alone.
bool hw_added_find_one(const struct hw_tokenizer *tok, int i, const char *text, size_t len,
                       size_t from, struct hw_cut *cut);

// End of the word that starts at `at`; at < len.
size_t hw_next_word(enum hw_split split, const char *text, size_t at, size_t len);

enum hw_char_class { HW_CHAR_OTHER, HW_CHAR_LETTER, HW_CHAR_NUMBER, HW_CHAR_SPACE };
enum hw_char_class hw_char_class(uint32_t code_point); // gen/text/unicode.c
// Class and length of the character at `at`; at < len.
enum hw_char_class hw_next_char(const char *text, size_t at, size_t len, size_t *n);

// Readers. Each takes a mapped file whose kind is known.
struct hw_file;
struct hw_tokenizer *hw_tokenizer_read_gguf(const struct hw_file *file, int vocab_size,
                                            struct hw_error *err);
struct hw_tokenizer *hw_tokenizer_read_json(const struct hw_file *file, int vocab_size,
                                            struct hw_error *err);
// tokenizer.json with the control tokens of config.json.
struct hw_tokenizer *hw_tokenizer_read_folder(const char *folder, int vocab_size,
                                              struct hw_error *err);

#endif
