// SPDX-License-Identifier: Apache-2.0
// Added tokens that are not control tokens: found in text before it is cut into words, as Hugging
// Face's tokenizers (leftmost, of those the longest) and llama.cpp (the longest first) find them.
#include <stdlib.h>
#include <string.h>

#include "gen/text/vocab.h"

bool hw_added_new(struct hw_tokenizer *tok, struct hw_added added, const char *path,
                  struct hw_error *err)
{
    struct hw_added *grown = realloc(tok->added, ((size_t)tok->n_added + 1) * sizeof *grown);
    if (!grown)
        return hw_fail(err, "%s: out of memory", path);
    tok->added = grown;
    tok->added[tok->n_added++] = added;
    return true;
}

static int longer(const void *a, const void *b)
{
    const struct hw_added *x = a, *y = b;
    return x->len != y->len ? (x->len < y->len) - (x->len > y->len)
                            : (x->token > y->token) - (x->token < y->token);
}

void hw_added_sort(struct hw_tokenizer *tok)
{
    for (int i = 0; i < tok->n_added; i++)
        tok->added[i].len = tok->pieces[tok->added[i].token].len;
    if (tok->n_added > 0)
        qsort(tok->added, (size_t)tok->n_added, sizeof *tok->added, longer);
    for (int i = 0; i < tok->n_added; i++)
        if (tok->added[i].len > 0)
            tok->added_first[(uint8_t)tok->pieces[tok->added[i].token].bytes[0]] = true;
}

// --- neighbours

// Start of the character that ends at `end`; end > 0.
static size_t character_before(const char *text, size_t end)
{
    size_t at = end - 1;
    while (at > 0 && end - at < 4 && ((uint8_t)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static bool is_word(const char *text, size_t at, size_t len)
{
    size_t n;
    enum hw_char_class class = hw_next_char(text, at, len, &n);
    return class == HW_CHAR_LETTER || class == HW_CHAR_NUMBER || text[at] == '_';
}

static bool stands_alone(const char *text, size_t begin, size_t end, size_t len)
{
    return !(begin > 0 && is_word(text, character_before(text, begin), len)) &&
           !(end < len && is_word(text, end, len));
}

// marked: U+0020 is U+2581 by now, which is no space.
static bool is_space(const char *text, size_t at, size_t len, bool marked, size_t *n)
{
    return hw_next_char(text, at, len, n) == HW_CHAR_SPACE && !(marked && text[at] == ' ');
}

static size_t skip_spaces(const char *text, size_t at, size_t len, bool marked)
{
    size_t n;
    while (at < len && is_space(text, at, len, marked, &n))
        at += n;
    return at;
}

static size_t skip_spaces_back(const char *text, size_t at, size_t least, bool marked)
{
    size_t n;
    while (at > least) {
        size_t before = character_before(text, at);
        if (before < least || !is_space(text, before, at, marked, &n))
            break;
        at = before;
    }
    return at;
}

// --- search

// Whether a token's text, after a space where the normalizer puts one, is what is at `at`.
static size_t length_at(const struct hw_tokenizer *tok, const struct hw_added *a, const char *text,
                        size_t at, size_t len)
{
    bool spaced = a->normalized && tok->prefix_normalizer;
    size_t n = a->len + spaced;
    if (n > len - at || (spaced && text[at] != ' ') || a->len == 0)
        return 0;
    return memcmp(text + at + spaced, tok->pieces[a->token].bytes, a->len) == 0 ? n : 0;
}

// The longest token at `at`, *n its length; NULL: none.
static const struct hw_added *longest(const struct hw_tokenizer *tok, bool normalized,
                                      const char *text, size_t at, size_t len, size_t *n)
{
    bool spaced = normalized && tok->prefix_normalizer;
    if (!spaced && !tok->added_first[(uint8_t)text[at]])
        return NULL;
    for (int i = 0; i < tok->n_added; i++) {
        const struct hw_added *a = &tok->added[i];
        if (a->normalized == normalized && (*n = length_at(tok, a, text, at, len)) > 0)
            return a;
    }
    return NULL;
}

bool hw_added_find(const struct hw_tokenizer *tok, bool normalized, const char *text, size_t len,
                   size_t from, struct hw_cut *cut)
{
    bool marked = normalized && tok->marks_spaces;
    for (size_t at = from, n; at < len; at++) {
        const struct hw_added *a = longest(tok, normalized, text, at, len, &n);
        if (!a)
            continue;
        if (a->single_word && !stands_alone(text, at, at + n, len)) {
            at += n - 1;
            continue;
        }
        cut->token = a->token;
        cut->begin = a->lstrip ? skip_spaces_back(text, at, from, marked) : at;
        cut->end = a->rstrip ? skip_spaces(text, at + n, len, marked) : at + n;
        return true;
    }
    return false;
}

bool hw_added_find_one(const struct hw_tokenizer *tok, int i, const char *text, size_t len,
                       size_t from, struct hw_cut *cut)
{
    const struct hw_added *a = &tok->added[i];
    for (size_t at = from; a->len > 0 && at + a->len <= len; at++) {
        const char *first =
            memchr(text + at, tok->pieces[a->token].bytes[0], len - at - a->len + 1);
        if (!first)
            return false;
        at = (size_t)(first - text);
        if (length_at(tok, a, text, at, len) > 0) {
            *cut = (struct hw_cut){at, at + a->len, a->token};
            return true;
        }
    }
    return false;
}
