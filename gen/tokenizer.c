// SPDX-License-Identifier: Apache-2.0
// Scored-piece tokenizers: vocabulary, encoding by merges, decoding. Reads llama2.c files and
// refuses those that are cut short, go on after the last piece, or hold impossible lengths.
//
// Encoding gives the tokens of llama2.c's encode(): start from single characters, then merge the
// adjacent pair whose joint piece scores best (leftmost of equals) until no pair is a piece. Here
// the pairs wait in a heap, so that a text of n bytes takes n log n steps instead of n^2.
#include "gen/tokenizer.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/cursor.h"

enum {
    MAX_VOCAB_SIZE = 1 << 20,
    MAX_PIECE_LENGTH = 1 << 16,
    UNKNOWN = 0, // token of a character that has neither a piece nor byte pieces
};

struct piece {
    const char *bytes; // in the mapped file
    uint32_t len;
    float score;
    int byte; // 0..255 where the piece reads "<0xHH>", else -1
};

struct hw_tokenizer {
    struct hw_file file;
    int vocab_size;
    struct piece *pieces;
    int *slots; // open-addressing hash table from bytes to token, -1: free
    uint32_t slot_mask;
    int byte_token[256];
    char byte_text[256];
};

static uint32_t hash_bytes(const char *bytes, size_t len)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
    return hash;
}

// The slot that holds this piece, or the free one where it belongs.
static uint32_t find_slot(const struct hw_tokenizer *tok, const char *bytes, size_t len)
{
    uint32_t slot = hash_bytes(bytes, len) & tok->slot_mask;
    for (; tok->slots[slot] >= 0; slot = (slot + 1) & tok->slot_mask) {
        const struct piece *p = &tok->pieces[tok->slots[slot]];
        if (p->len == len && memcmp(p->bytes, bytes, len) == 0)
            break;
    }
    return slot;
}

static int lookup(const struct hw_tokenizer *tok, const char *bytes, size_t len)
{
    return tok->slots[find_slot(tok, bytes, len)];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// The byte that a piece "<0xHH>" stands for, or -1.
static int byte_of_piece(const char *bytes, size_t len)
{
    if (len != 6 || memcmp(bytes, "<0x", 3) != 0 || bytes[5] != '>')
        return -1;
    int high = hex_digit(bytes[3]);
    int low = hex_digit(bytes[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool read_pieces(struct hw_tokenizer *tok, struct hw_error *err)
{
    struct hw_cursor c = hw_cursor_over(&tok->file, err);
    uint32_t max_len = hw_cursor_u32(&c, "max_token_length");
    if (!err->set && (max_len < 1 || max_len > MAX_PIECE_LENGTH))
        hw_fail(err, "%s: header: max_token_length, expected 1..%d, got %lu", c.file,
                MAX_PIECE_LENGTH, (unsigned long)max_len);
    for (int i = 0; i < tok->vocab_size && !err->set; i++) {
        struct piece *p = &tok->pieces[i];
        p->score = hw_cursor_f32(&c, "score of a piece");
        p->len = hw_cursor_u32(&c, "length of a piece");
        if (!err->set && p->len > max_len)
            hw_fail(err, "%s: piece %d: length, expected 0..%lu, got %lu", c.file, i,
                    (unsigned long)max_len, (unsigned long)p->len);
        if (!err->set && !isfinite(p->score))
            hw_fail(err, "%s: piece %d: score, expected a finite number, got %f", c.file, i,
                    (double)p->score);
        p->bytes = (const char *)hw_cursor_take(&c, p->len, "bytes of a piece");
    }
    if (!err->set && c.pos != c.size)
        hw_fail(err, "%s: end: file size, expected %zu bytes for %d pieces, got %zu", c.file, c.pos,
                tok->vocab_size, c.size);
    return !err->set;
}

static bool index_pieces(struct hw_tokenizer *tok, struct hw_error *err)
{
    uint32_t n_slots = 2;
    while (n_slots < 2 * (uint32_t)tok->vocab_size)
        n_slots *= 2;
    tok->slot_mask = n_slots - 1;
    tok->slots = malloc(n_slots * sizeof *tok->slots);
    if (!tok->slots)
        return hw_fail(err, "%s: open: out of memory", tok->file.path);
    memset(tok->slots, 0xff, n_slots * sizeof *tok->slots);
    for (int b = 0; b < 256; b++) {
        tok->byte_token[b] = UNKNOWN;
        tok->byte_text[b] = (char)b;
    }
    for (int i = 0; i < tok->vocab_size; i++) {
        struct piece *p = &tok->pieces[i];
        uint32_t slot = find_slot(tok, p->bytes, p->len);
        if (tok->slots[slot] < 0) // of equal pieces the first one counts
            tok->slots[slot] = i;
        p->byte = byte_of_piece(p->bytes, p->len);
        if (p->byte >= 0 && tok->slots[slot] == i)
            tok->byte_token[p->byte] = i;
    }
    return true;
}

struct hw_tokenizer *hw_tokenizer_open(const char *path, int vocab_size, struct hw_error *err)
{
    if (vocab_size < 1 || vocab_size > MAX_VOCAB_SIZE) {
        hw_fail(err, "%s: open: vocab_size, expected 1..%d, got %d", path, MAX_VOCAB_SIZE,
                vocab_size);
        return NULL;
    }
    struct hw_tokenizer *tok = calloc(1, sizeof *tok);
    if (tok) {
        tok->vocab_size = vocab_size;
        tok->pieces = calloc((size_t)vocab_size, sizeof *tok->pieces);
    }
    if (!tok || !tok->pieces)
        hw_fail(err, "%s: open: out of memory", path);
    else if (hw_file_map(&tok->file, path, err) && read_pieces(tok, err) && index_pieces(tok, err))
        return tok;
    hw_tokenizer_close(tok);
    return NULL;
}

void hw_tokenizer_close(struct hw_tokenizer *tok)
{
    if (!tok)
        return;
    hw_file_unmap(&tok->file);
    free(tok->pieces);
    free(tok->slots);
    free(tok);
}

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
    char *text;
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
    int len = e->symbols[left].len + e->symbols[right].len;
    int token = lookup(e->tok, e->text + e->symbols[left].start, (size_t)len);
    if (token < 0 || !(e->tok->pieces[token].score > -1e10f)) // llama2.c's "no merge" score
        return;
    heap_push(e, (struct merge){e->tok->pieces[token].score, left, right, len, token});
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

// One symbol a character; a character without a piece becomes one symbol a byte. As in llama2.c a
// character is any byte with up to three continuation bytes, so that broken UTF-8 passes through.
static void split_characters(struct encoder *e, int len)
{
    for (int i = 0, n; i < len; i += n) {
        n = 1;
        while (n < 4 && i + n < len && ((uint8_t)e->text[i + n] & 0xC0) == 0x80)
            n++;
        int token = lookup(e->tok, e->text + i, (size_t)n);
        if (token >= 0)
            add_symbol(e, token, i, n, false);
        for (int b = 0; token < 0 && b < n; b++)
            add_symbol(e, e->tok->byte_token[(uint8_t)e->text[i + b]], i + b, 1, true);
    }
}

int hw_tokenizer_encode(const struct hw_tokenizer *tok, const char *text, size_t len, bool bos,
                        int *ids)
{
    int n_ids = 0;
    if (bos)
        ids[n_ids++] = HW_TOKEN_BOS;
    if (len == 0)
        return n_ids;
    if (len > INT_MAX / 4)
        return -1;

    // Sentencepiece puts a space before the text, so that its first word is like any other.
    size_t n = len + (lookup(tok, " ", 1) >= 0);
    struct encoder e = {.tok = tok};
    e.text = malloc(n);
    e.symbols = malloc(n * sizeof *e.symbols);
    e.heap = malloc(2 * n * sizeof *e.heap); // n - 1 at first; each merge takes one and adds two
    if (e.text && e.symbols && e.heap) {
        e.text[0] = ' ';
        memcpy(e.text + (n - len), text, len);
        split_characters(&e, (int)n);
        apply_merges(&e);
        for (int i = 0; i >= 0; i = e.symbols[i].next)
            ids[n_ids++] = e.symbols[i].token;
    } else {
        n_ids = -1;
    }
    free(e.text);
    free(e.symbols);
    free(e.heap);
    return n_ids;
}

const char *hw_tokenizer_piece(const struct hw_tokenizer *tok, int previous, int token,
                               size_t *len)
{
    *len = 0;
    if (token < 0 || token >= tok->vocab_size)
        return "";
    const struct piece *p = &tok->pieces[token];
    *len = p->len;
    if (p->byte >= 0) {
        *len = 1;
        return &tok->byte_text[p->byte];
    }
    if (previous == HW_TOKEN_BOS && p->len > 0 && p->bytes[0] == ' ') {
        *len = p->len - 1;
        return p->bytes + 1;
    }
    return p->bytes;
}
