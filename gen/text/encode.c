// SPDX-License-Identifier: Apache-2.0
// Text to tokens: words start as characters or bytes, then adjacent tokens merge, the best pair
// first (by the score of the joint piece, or by the rank of the merge) and leftmost of equals.
// These are the tokens of llama2.c's encode() and of byte-pair encoding as Hugging Face does it.
// Pairs wait in a heap, so that n bytes take n log n steps instead of n^2.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gen/text/vocab.h"

// A run of text that is one token so far, in a doubly linked list over an array.
struct symbol {
    int token;
    int start, len; // in the text; len 0: merged into its left neighbour
    int prev, next; // -1: none
    bool fixed;     // stands for a raw byte, never merged
};

// A possible merge. Stale when either side has changed since: `len` is their joint length then.
struct merge {
    float score;
    int left, right, len, token;
};

struct encoder {
    const struct hw_tokenizer *tok;
    char *text; // with the space before it
    struct symbol *symbols;
    int n_symbols;
    struct merge *heap;
    int n_merges;
};

static bool before(const struct merge *a, const struct merge *b)
{
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score;
    return a->left < b->left;
}

static void heap_push(struct encoder *e, struct merge m)
{
    int i = e->n_merges++;
    for (; i > 0 && before(&m, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
        e->heap[i] = e->heap[(i - 1) / 2];
    e->heap[i] = m;
}

static struct merge heap_pop(struct encoder *e)
{
    struct merge top = e->heap[0];
    struct merge last = e->heap[--e->n_merges];
    int i = 0;
    for (int child = 1; child < e->n_merges; child = 2 * i + 1) {
        if (child + 1 < e->n_merges && before(&e->heap[child + 1], &e->heap[child]))
            child++;
        if (!before(&e->heap[child], &last))
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = last;
    return top;
}

static void propose(struct encoder *e, int left, int right)
{
    if (left < 0 || right < 0 || e->symbols[left].fixed || e->symbols[right].fixed)
        return;
    const struct symbol *l = &e->symbols[left], *r = &e->symbols[right];
    struct merge m = {0, left, right, l->len + r->len, -1};
    if (e->tok->rules) {
        const struct hw_rule *rule = hw_vocab_find_rule(e->tok, l->token, r->token);
        if (!rule)
            return;
        m.token = rule->token;
        m.score = -(float)rule->rank; // exact: ranks are below 2^22
    } else {
        m.token = hw_vocab_find(e->tok, e->text + l->start, (size_t)m.len);
        if (m.token < 0 || !(e->tok->pieces[m.token].score > -1e10f)) // llama2.c's "no merge"
            return;
        m.score = e->tok->pieces[m.token].score;
    }
    heap_push(e, m);
}

static void apply_merges(struct encoder *e)
{
    for (int i = 0; i + 1 < e->n_symbols; i++)
        propose(e, i, i + 1);
    while (e->n_merges > 0) {
        struct merge m = heap_pop(e);
        struct symbol *left = &e->symbols[m.left];
        struct symbol *right = &e->symbols[m.right];
        if (left->len == 0 || right->len == 0 || left->len + right->len != m.len)
            continue;
        left->token = m.token;
        left->len = m.len;
        left->next = right->next;
        right->len = 0;
        if (left->next >= 0)
            e->symbols[left->next].prev = m.left;
        propose(e, left->prev, m.left);
        propose(e, m.left, left->next);
    }
}

static void add_symbol(struct encoder *e, int token, int start, int len, bool fixed)
{
    int i = e->n_symbols++;
    e->symbols[i] = (struct symbol){token, start, len, i - 1, -1, fixed};
    if (i > 0)
        e->symbols[i - 1].next = i;
}

// One symbol a character; a character without a piece becomes one symbol a byte, or none. As in
// llama2.c a character is any byte with up to three continuation bytes, so that broken UTF-8 passes
// through.
static void split_characters(struct encoder *e, int at, int end)
{
    for (int i = at, n; i < end; i += n) {
        n = 1;
        while (n < 4 && i + n < end && ((uint8_t)e->text[i + n] & 0xC0) == 0x80)
            n++;
        if (e->tok->byte_level)
            n = 1;
        int token = hw_vocab_find(e->tok, e->text + i, (size_t)n);
        if (token >= 0)
            add_symbol(e, token, i, n, false);
        for (int b = 0; token < 0 && b < n; b++) {
            int byte = e->tok->byte_token[(uint8_t)e->text[i + b]];
            if (byte >= 0)
                add_symbol(e, byte, i + b, 1, true);
        }
    }
}

static int encode_words(struct encoder *e, size_t len, int *ids)
{
    int n_ids = 0;
    for (size_t at = 0, end; at < len; at = end) {
        end = hw_next_word(e->tok->split, e->text, at, len);
        int word = e->tok->whole_words ? hw_vocab_find(e->tok, e->text + at, end - at) : -1;
        if (word >= 0) {
            ids[n_ids++] = word;
            continue;
        }
        e->n_symbols = 0;
        split_characters(e, (int)at, (int)end);
        apply_merges(e);
        for (int i = e->n_symbols ? 0 : -1; i >= 0; i = e->symbols[i].next)
            ids[n_ids++] = e->symbols[i].token;
    }
    return n_ids;
}

int hw_tokenizer_encode(const struct hw_tokenizer *tok, const char *text, size_t len, bool bos,
                        int *ids)
{
    int n_bos = bos && tok->special.bos >= 0;
    if (n_bos)
        ids[0] = tok->special.bos;
    int n = hw_tokenizer_encode_part(tok, text, len, false, ids + n_bos);
    return n < 0 ? n : n_bos + n;
}

// Text without added tokens; prefix: a space goes before it.
static int encode_plain(const struct hw_tokenizer *tok, const char *text, size_t len, bool prefix,
                        int *ids)
{
    int n_ids = 0;
    if (len == 0)
        return 0;
    size_t n = len + (prefix && hw_vocab_find(tok, " ", 1) >= 0);
    struct encoder e = {.tok = tok};
    e.text = malloc(n);
    e.symbols = malloc(n * sizeof *e.symbols);
    e.heap = malloc(2 * n * sizeof *e.heap); // n - 1 at first; each merge takes one and adds two
    if (e.text && e.symbols && e.heap) {
        e.text[0] = ' ';
        memcpy(e.text + (n - len), text, len);
        n_ids = encode_words(&e, n, ids);
    } else {
        n_ids = -1;
    }
    free(e.text);
    free(e.symbols);
    free(e.heap);
    return n_ids;
}

// A stretch of text between control tokens, and how far its encoding has come.
struct stretch {
    const struct hw_tokenizer *tok;
    bool after_special; // what comes next follows a token that is no text
    int *ids;
    int n; // -1: out of memory
};

static void put_plain(struct stretch *s, const char *text, size_t len)
{
    const struct hw_tokenizer *tok = s->tok;
    // Sentencepiece puts a space before the text, so that its first word is like any other.
    bool prefix = tok->space_prefix && !tok->prefix_normalizer &&
                  !(tok->prefix_once && s->after_special) &&
                  !(tok->prefix_needed && len > 0 && text[0] == ' ');
    int n = s->n < 0 ? -1 : encode_plain(tok, text, len, prefix, s->ids + s->n);
    s->n = n < 0 ? -1 : s->n + n;
    s->after_special = s->after_special || len > 0;
}

static void put_added(struct stretch *s, int token)
{
    if (s->n >= 0)
        s->ids[s->n++] = token;
    s->after_special = true;
}

// After the normalizer: its space, then tokens that are looked for there.
static void put_normalized(struct stretch *s, const char *text, size_t len)
{
    const struct hw_tokenizer *tok = s->tok;
    struct hw_cut cut;
    size_t at = 0, spaced = tok->prefix_normalizer && hw_vocab_find(tok, " ", 1) >= 0;
    char *copy = len && spaced ? malloc(len + 1) : NULL;
    if (len && spaced && !copy)
        s->n = -1;
    if (copy) {
        copy[0] = ' ';
        memcpy(copy + 1, text, len);
        text = copy;
        len++;
    }
    for (; s->n >= 0 && hw_added_find(tok, true, text, len, at, &cut); at = cut.end) {
        put_plain(s, text + at, cut.begin - at);
        put_added(s, cut.token);
    }
    if (s->n >= 0)
        put_plain(s, text + at, len - at);
    free(copy);
}

static void put_leftmost(struct stretch *s, const char *text, size_t len)
{
    struct hw_cut cut;
    size_t at = 0;
    for (; s->n >= 0 && hw_added_find(s->tok, false, text, len, at, &cut); at = cut.end) {
        put_normalized(s, text + at, cut.begin - at);
        put_added(s, cut.token);
    }
    if (s->n >= 0)
        put_normalized(s, text + at, len - at);
}

// The i-th added token and those after it, which are no longer.
static void put_longest(struct stretch *s, int i, const char *text, size_t len)
{
    struct hw_cut cut;
    size_t at = 0;
    while (i < s->tok->n_added && !hw_added_find_one(s->tok, i, text, len, 0, &cut))
        i++;
    if (i == s->tok->n_added) {
        put_plain(s, text, len);
        return;
    }
    for (; s->n >= 0 && hw_added_find_one(s->tok, i, text, len, at, &cut); at = cut.end) {
        put_longest(s, i + 1, text + at, cut.begin - at);
        put_added(s, cut.token);
    }
    put_longest(s, i + 1, text + at, len - at);
}

int hw_tokenizer_encode_part(const struct hw_tokenizer *tok, const char *text, size_t len,
                             bool after_special, int *ids)
{
    struct stretch s = {.tok = tok, .after_special = after_special, .ids = ids};
    if (len > INT_MAX / 8)
        return -1;
    if (tok->added_longest_first)
        put_longest(&s, 0, text, len);
    else
        put_leftmost(&s, text, len);
    return s.n;
}

size_t hw_tokenizer_room(size_t len)
{
    return 2 * len + 3;
}
