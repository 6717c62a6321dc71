// SPDX-License-Identifier: Apache-2.0
// The vocabulary: texts of the pieces and two hash tables, from bytes to piece and from a pair of
// pieces to their join. Of equal pieces the first one counts.
#include "gen/text/vocab.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEMPLATE_BYTES = 1 << 20 };

struct hw_tokenizer *hw_vocab_new(const char *path, int vocab_size, size_t pool_size,
                                  struct hw_error *err)
{
    if (vocab_size < 1 || vocab_size > HW_FILE_MAX_VOCAB_SIZE) {
        hw_fail(err, "%s: open: vocab_size, expected 1..%d, got %d", path, HW_FILE_MAX_VOCAB_SIZE,
                vocab_size);
        return NULL;
    }
    struct hw_tokenizer *tok = calloc(1, sizeof *tok);
    if (tok) {
        tok->pieces = calloc((size_t)vocab_size, sizeof *tok->pieces);
        tok->pool = malloc(pool_size + 1);
        tok->pool_size = pool_size;
    }
    if (!tok || !tok->pieces || !tok->pool) {
        hw_fail(err, "%s: open: out of memory", path);
        hw_tokenizer_close(tok);
        return NULL;
    }
    tok->vocab_size = vocab_size;
    tok->special.bos = tok->special.named_eos = -1;
    for (int i = 0; i < vocab_size; i++)
        tok->pieces[i] = (struct hw_piece){.bytes = tok->pool, .byte = -1};
    return tok;
}

void hw_tokenizer_close(struct hw_tokenizer *tok)
{
    if (!tok)
        return;
    free(tok->added);
    free(tok->pieces);
    free(tok->pool);
    free(tok->slots);
    free(tok->rules);
    free(tok->chat_template);
    free(tok);
}

bool hw_vocab_set_template(struct hw_tokenizer *tok, const char *text, size_t len, const char *path,
                           struct hw_error *err)
{
    if (len > MAX_TEMPLATE_BYTES || memchr(text, 0, len))
        return hw_fail(err,
                       "%s: chat_template: expected at most %d bytes of text, got %zu, or a "
                       "byte of zero",
                       path, MAX_TEMPLATE_BYTES, len);
    char *copy = malloc(len + 1);
    if (!copy)
        return hw_fail(err, "%s: chat_template: out of memory", path);
    memcpy(copy, text, len);
    copy[len] = '\0';
    free(tok->chat_template);
    tok->chat_template = copy;
    return true;
}

static size_t decode_space_marks(const char *text, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        bool mark = len - i >= 3 && memcmp(text + i, "\xE2\x96\x81", 3) == 0;
        out[n++] = mark ? ' ' : text[i];
        i += mark ? 3 : 1;
    }
    return n;
}

// GPT-2 writes printable Latin-1 bytes as themselves, and the other 68 bytes in order as the
// characters from U+0100 on. The byte of a character, or -1.
static int byte_of_character(uint32_t c)
{
    if ((c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF))
        return (int)c;
    if (c >= 0x100 && c <= 0x120)
        return (int)(c - 0x100); // 0x00..0x20
    if (c >= 0x121 && c <= 0x142)
        return (int)(c - 0x121 + 0x7F); // 0x7F..0xA0
    return c == 0x143 ? 0xAD : -1;
}

static ptrdiff_t decode_byte_level(const char *text, size_t len, char *out)
{
    ptrdiff_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t c = (uint8_t)text[i];
        if (c >= 0xC2 && c <= 0xDF && i + 1 < len && ((uint8_t)text[i + 1] & 0xC0) == 0x80)
            c = (c & 0x1F) << 6 | ((uint8_t)text[++i] & 0x3F); // all of them fit two bytes of UTF-8
        else if (c >= 0x80)
            return -1;
        int byte = byte_of_character(c);
        if (byte < 0)
            return -1;
        out[n++] = (char)byte;
    }
    return n;
}

ptrdiff_t hw_vocab_decode(enum hw_spelling spelling, const char *text, size_t len, char *out)
{
    if (spelling == HW_SPELLING_BYTE_LEVEL)
        return decode_byte_level(text, len, out);
    if (spelling == HW_SPELLING_SPACE_MARK)
        return (ptrdiff_t)decode_space_marks(text, len, out);
    memcpy(out, text, len);
    return (ptrdiff_t)len;
}

bool hw_vocab_set(struct hw_tokenizer *tok, int token, enum hw_spelling spelling, const char *text,
                  size_t len)
{
    if (len > tok->pool_size - tok->pool_used)
        return false;
    struct hw_piece *p = &tok->pieces[token];
    ptrdiff_t n = hw_vocab_decode(spelling, text, len, tok->pool + tok->pool_used);
    if (n < 0)
        return false;
    p->bytes = tok->pool + tok->pool_used;
    p->len = (size_t)n;
    tok->pool_used += p->len;
    return true;
}

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
        const struct hw_piece *p = &tok->pieces[tok->slots[slot]];
        if (p->len == len && memcmp(p->bytes, bytes, len) == 0)
            break;
    }
    return slot;
}

int hw_vocab_find(const struct hw_tokenizer *tok, const char *bytes, size_t len)
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
static int byte_of_piece(const struct hw_piece *p)
{
    if (p->len != 6 || memcmp(p->bytes, "<0x", 3) != 0 || p->bytes[5] != '>')
        return -1;
    int high = hex_digit(p->bytes[3]);
    int low = hex_digit(p->bytes[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Table size for n entries: a power of two, at most half full.
static uint32_t table_size(size_t n)
{
    uint32_t size = 2;
    while (size < 2 * n)
        size *= 2;
    return size;
}

bool hw_vocab_index(struct hw_tokenizer *tok, const char *path, struct hw_error *err)
{
    uint32_t n_slots = table_size((size_t)tok->vocab_size);
    tok->slot_mask = n_slots - 1;
    tok->slots = malloc(n_slots * sizeof *tok->slots);
    if (!tok->slots)
        return hw_fail(err, "%s: open: out of memory", path);
    for (uint32_t i = 0; i < n_slots; i++)
        tok->slots[i] = -1;
    for (int b = 0; b < 256; b++) {
        tok->byte_token[b] = tok->unknown;
        tok->byte_text[b] = (char)b;
    }
    for (int i = 0; i < tok->vocab_size; i++) {
        struct hw_piece *p = &tok->pieces[i];
        if (p->len == 0 || p->control || p->literal)
            continue;
        uint32_t slot = find_slot(tok, p->bytes, p->len);
        if (tok->slots[slot] >= 0)
            continue;
        tok->slots[slot] = i;
        p->byte = tok->byte_level ? -1 : byte_of_piece(p);
        if (p->byte >= 0)
            tok->byte_token[p->byte] = i;
        else if (tok->byte_level && p->len == 1)
            tok->byte_token[(uint8_t)p->bytes[0]] = i;
    }
    return true;
}

bool hw_vocab_alloc_rules(struct hw_tokenizer *tok, size_t n, const char *path,
                          struct hw_error *err)
{
    if (n > HW_MAX_MERGES)
        return hw_fail(err, "%s: merges: number, expected at most %d, got %zu", path, HW_MAX_MERGES,
                       n);
    uint32_t size = table_size(n);
    tok->rule_mask = size - 1;
    tok->rules = malloc(size * sizeof *tok->rules);
    if (!tok->rules)
        return hw_fail(err, "%s: merges: out of memory", path);
    for (uint32_t i = 0; i < size; i++)
        tok->rules[i].rank = -1;
    return true;
}

static struct hw_rule *find_rule_slot(const struct hw_tokenizer *tok, int left, int right)
{
    uint32_t hash = ((uint32_t)left * 2654435761u ^ (uint32_t)right) * 2246822519u;
    for (uint32_t slot = hash >> 7 & tok->rule_mask;; slot = (slot + 1) & tok->rule_mask) {
        struct hw_rule *rule = &tok->rules[slot];
        if (rule->rank < 0 || (rule->left == left && rule->right == right))
            return rule;
    }
}

const struct hw_rule *hw_vocab_find_rule(const struct hw_tokenizer *tok, int left, int right)
{
    const struct hw_rule *rule = find_rule_slot(tok, left, right);
    return rule->rank < 0 ? NULL : rule;
}

bool hw_vocab_add_rule(struct hw_tokenizer *tok, int rank, const char *path,
                       enum hw_spelling spelling, const char *left, size_t left_len,
                       const char *right, size_t right_len, struct hw_error *err)
{
    char joint[1024];
    if (left_len > sizeof joint / 2 || right_len > sizeof joint / 2)
        return hw_fail(err,
                       "%s: merge %d: length, expected at most %zu bytes a side, got %zu and "
                       "%zu",
                       path, rank, sizeof joint / 2, left_len, right_len);
    ptrdiff_t a = hw_vocab_decode(spelling, left, left_len, joint);
    ptrdiff_t b = a < 0 ? -1 : hw_vocab_decode(spelling, right, right_len, joint + a);
    if (b < 0)
        return hw_fail(err, "%s: merge %d: expected two pieces, got something else", path, rank);
    int left_token = hw_vocab_find(tok, joint, (size_t)a);
    int right_token = hw_vocab_find(tok, joint + a, (size_t)b);
    int token = hw_vocab_find(tok, joint, (size_t)(a + b));
    bool known = left_token >= 0 && right_token >= 0 && token >= 0;
    if (!known && tok->n_left_out > 0)
        return true; // of pieces that were left out
    if (!known)
        return hw_fail(err,
                       "%s: merge %d: expected two pieces that join to a third, got \"%.*s\" "
                       "and \"%.*s\"",
                       path, rank, (int)left_len, left, (int)right_len, right);
    struct hw_rule *rule = find_rule_slot(tok, left_token, right_token);
    if (rule->rank < 0) // of equal rules the first one counts
        *rule = (struct hw_rule){left_token, right_token, token, rank};
    return true;
}

bool hw_vocab_note_left_out(const struct hw_tokenizer *tok, const char *path)
{
    if (tok->n_left_out > 0)
        hw_note(
            "%s: %d piece%s beyond the model's %d tokens: left out, as the model cannot read %s",
            path, tok->n_left_out, tok->n_left_out == 1 ? "" : "s", tok->vocab_size,
            tok->n_left_out == 1 ? "it" : "them");
    return true;
}
