// SPDX-License-Identifier: Apache-2.0
// Owns what the tables of a tokenizer hold. Merges by score become merges by rank: equal scores
// have equal ranks, so that the leftmost of equals is the first here, too.
#include "gen/uart/tables.h"

#include <stdlib.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/text/vocab.h"

// Behind the vocabulary, in this order: by statuses of chip.v, then what console.v says by itself.
static const char *const MESSAGES[] = {"", // MORE: never said
                                       "",
                                       "\n[limit]",
                                       "\n[the context is full]",
                                       "\n[the prompt is too long]",
                                       "\n[not a token of this model]",
                                       "\n[stopped]",
                                       "\n> ",
                                       "\nself-test: failed, this chip is not what was built\n",
                                       "\nself-test: passed",
                                       "@@@@@@@@"}; // the signature, set later
enum { N_MESSAGES = sizeof MESSAGES / sizeof MESSAGES[0], MOST_IDS = 1 << 16 };

// --- words

static bool table_new(struct hw_text_tables *t, enum hw_text_table which, const char *name,
                      int width, int depth, struct hw_error *err)
{
    struct hw_rom *rom = &t->rom[which];
    int addr_bits = hw_log2_up(depth > 1 ? depth : 2);
    *rom = (struct hw_rom){name, width, addr_bits, depth, NULL, 0};
    rom->data = calloc((size_t)depth, (size_t)(width + 7) / 8);
    return rom->data || hw_fail(err, "%s: out of memory", name);
}

static void put(struct hw_rom *rom, int word, long lsb, int width, uint64_t value)
{
    hw_put_bits(rom->data + (size_t)word * ((size_t)(rom->width + 7) / 8), lsb, width, value);
}

// --- bytes and characters

static bool make_bytes(struct hw_text_tables *t, const struct hw_tokenizer *tok,
                       struct hw_error *err)
{
    int w = t->id_bits;
    if (!table_new(t, HW_TEXT_BYTES, "text_byte_rom", 2 * w + 2, 256, err))
        return false;
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        int piece = hw_vocab_find(tok, &byte, 1), raw = tok->byte_token[b];
        if (raw >= 0) {
            put(&t->rom[HW_TEXT_BYTES], b, 0, w, (uint64_t)raw);
            put(&t->rom[HW_TEXT_BYTES], b, w, 1, 1);
        }
        if (piece >= 0) {
            put(&t->rom[HW_TEXT_BYTES], b, w + 1, w, (uint64_t)piece);
            put(&t->rom[HW_TEXT_BYTES], b, 2L * w + 1, 1, 1);
        }
    }
    return true;
}

// A piece that is one character as split_characters() of encode.c cuts them, of two bytes or more.
static bool is_wide_char(const struct hw_tokenizer *tok, int token)
{
    const struct hw_piece *p = &tok->pieces[token];
    if (p->len < 2 || p->len > 4 || hw_vocab_find(tok, p->bytes, p->len) != token)
        return false;
    for (size_t i = 1; i < p->len; i++)
        if (((uint8_t)p->bytes[i] & 0xC0) != 0x80)
            return false;
    return true;
}

static bool make_chars(struct hw_text_tables *t, const struct hw_tokenizer *tok,
                       struct hw_error *err)
{
    int n = 0;
    for (int i = 0; i < tok->vocab_size; i++)
        n += is_wide_char(tok, i);
    t->n_chars = n > 0 ? n : 1; // a word of zeros is no character
    if (!table_new(t, HW_TEXT_CHARS, "text_char_rom", t->id_bits + 32, t->n_chars, err))
        return false;
    for (int i = 0, word = 0; i < tok->vocab_size; i++) {
        if (!is_wide_char(tok, i))
            continue;
        for (size_t b = 0; b < tok->pieces[i].len; b++)
            put(&t->rom[HW_TEXT_CHARS], word, 8 * (long)b, 8, (uint8_t)tok->pieces[i].bytes[b]);
        put(&t->rom[HW_TEXT_CHARS], word++, 32, t->id_bits, (uint64_t)i);
    }
    return true;
}

// --- merges

struct pair {
    int left, right, token;
    int rank;
    float score;
};

static int by_score(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return x->score < y->score ? 1 : x->score > y->score ? -1 : 0;
}

static int by_key(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return x->left != y->left ? (x->left > y->left) - (x->left < y->left)
                              : (x->right > y->right) - (x->right < y->right);
}

// All ways to cut the pieces in two pieces; pairs: [*n], the caller frees.
static struct pair *find_pairs(const struct hw_tokenizer *tok, int *n, struct hw_error *err)
{
    size_t room = 1;
    for (int i = 0; i < tok->vocab_size; i++)
        room += tok->pieces[i].len;
    struct pair *pairs = calloc(room, sizeof *pairs);
    *n = 0;
    if (!pairs) {
        hw_fail(err, "merges: out of memory");
        return NULL;
    }
    for (int i = 0; i < tok->vocab_size; i++) {
        const struct hw_piece *p = &tok->pieces[i];
        if (!(p->score > -1e10f) || p->len < 2 || hw_vocab_find(tok, p->bytes, p->len) != i)
            continue;
        for (size_t cut = 1; cut < p->len; cut++) {
            int left = hw_vocab_find(tok, p->bytes, cut);
            int right = hw_vocab_find(tok, p->bytes + cut, p->len - cut);
            if (left >= 0 && right >= 0)
                pairs[(*n)++] = (struct pair){left, right, i, 0, p->score};
        }
    }
    return pairs;
}

static bool make_merges(struct hw_text_tables *t, const struct hw_tokenizer *tok,
                        struct hw_error *err)
{
    int n, w = t->id_bits, rank = 0;
    struct pair *pairs = find_pairs(tok, &n, err);
    if (!pairs)
        return false;
    qsort(pairs, (size_t)n, sizeof *pairs, by_score);
    for (int i = 0; i < n; i++)
        pairs[i].rank = i > 0 && pairs[i].score < pairs[i - 1].score ? ++rank : rank;
    qsort(pairs, (size_t)n, sizeof *pairs, by_key);
    t->n_merges = n;
    t->rank_bits = hw_log2_up(rank + 2 > 2 ? rank + 2 : 2);
    int depth = 1 << hw_log2_up(n + 1 > 2 ? n + 1 : 2); // the last word is no merge
    struct hw_rom *rom = &t->rom[HW_TEXT_MERGES];
    bool ok = table_new(t, HW_TEXT_MERGES, "text_merge_rom", 3 * w + t->rank_bits, depth, err);
    for (int i = 0; ok && i < depth; i++) {
        const struct pair *p = i < n ? &pairs[i] : NULL;
        put(rom, i, 0, w, p ? (uint64_t)p->token : 0);
        put(rom, i, w, t->rank_bits, p ? (uint64_t)p->rank : UINT64_MAX);
        put(rom, i, (long)w + t->rank_bits, w, p ? (uint64_t)p->right : UINT64_MAX);
        put(rom, i, 2L * w + t->rank_bits, w, p ? (uint64_t)p->left : UINT64_MAX);
    }
    free(pairs);
    return ok;
}

// --- pieces

static const char *text_of(const struct hw_tokenizer *tok, int id, size_t *len)
{
    if (id < tok->vocab_size)
        return hw_tokenizer_piece(tok, -1, id, len);
    *len = strlen(MESSAGES[id - tok->vocab_size]);
    return MESSAGES[id - tok->vocab_size];
}

static bool make_pieces(struct hw_text_tables *t, const struct hw_tokenizer *tok,
                        struct hw_error *err)
{
    int n = tok->vocab_size + N_MESSAGES, at = 0;
    size_t len, longest = 1, total = 2;
    for (int i = 0; i < n; i++) {
        text_of(tok, i, &len);
        longest = len > longest ? len : longest;
        total += len;
    }
    t->len_bits = hw_log2_up((long)longest + 1);
    int pool_bits = hw_log2_up((long)total);
    if (!table_new(t, HW_TEXT_POOL, "text_pool_rom", 8, (int)total, err) ||
        !table_new(t, HW_TEXT_PIECES, "text_piece_rom", t->len_bits + pool_bits, n, err))
        return false;
    for (int i = 0; i < n; i++) {
        const char *bytes = text_of(tok, i, &len);
        put(&t->rom[HW_TEXT_PIECES], i, 0, pool_bits, (uint64_t)at);
        put(&t->rom[HW_TEXT_PIECES], i, pool_bits, t->len_bits, len);
        t->signature_at = at;
        for (size_t b = 0; b < len; b++)
            put(&t->rom[HW_TEXT_POOL], at++, 0, 8, (uint8_t)bytes[b]);
    }
    return true;
}

void hw_text_tables_expect(struct hw_text_tables *t, uint32_t signature)
{
    for (int i = 0; i < HW_SIGNATURE_TEXT; i++)
        t->rom[HW_TEXT_POOL].data[t->signature_at + i] =
            (uint8_t)('@' + (signature >> (28 - 4 * i) & 15));
}

// --- all

static bool check(const struct hw_tokenizer *tok, const char *path, struct hw_error *err)
{
    const char *found = tok->rules                    ? "ranked merges"
                        : tok->split != HW_SPLIT_NONE ? "text cut into words"
                        : tok->n_added > 0            ? "added tokens"
                        : tok->prefix_needed          ? "a space only where the text has none"
                        : tok->prefix_normalizer      ? "a normalizer"
                        : tok->whole_words            ? "words that are pieces"
                        : tok->special.bos < 0        ? "no BOS"
                        : tok->special.n_ends < 1     ? "no token that ends a text"
                        : tok->special.n_ends > 2     ? "more than two tokens that end a text"
                        : tok->vocab_size > MOST_IDS - N_MESSAGES ? "a larger vocabulary"
                                                                  : NULL;
    return !found || hw_fail(err,
                             "%s: tokenizer, expected scored pieces as llama2.c has them, which "
                             "is what the hardware speaks, got %s",
                             path, found);
}

bool hw_text_tables_make(struct hw_text_tables *t, const struct hw_tokenizer *tok, const char *path,
                         struct hw_error *err)
{
    *t = (struct hw_text_tables){.bos = hw_tokenizer_bos(tok), .end = -1};
    if (!check(tok, path, err))
        return false;
    t->id_bits = hw_log2_up(tok->vocab_size > 2 ? tok->vocab_size : 2);
    t->prefix = tok->space_prefix && hw_vocab_find(tok, " ", 1) >= 0;
    // the chip stops by itself where hardwire sim has it stop (gen/text/session.c)
    t->stop = hw_tokenizer_is_end(tok, t->bos) ? t->bos : hw_tokenizer_eos(tok);
    for (int i = 0; hw_tokenizer_end(tok, i) >= 0; i++)
        if (hw_tokenizer_end(tok, i) != t->stop)
            t->end = hw_tokenizer_end(tok, i);
    if (make_bytes(t, tok, err) && make_chars(t, tok, err) && make_merges(t, tok, err) &&
        make_pieces(t, tok, err))
        return true;
    hw_text_tables_free(t);
    return false;
}

void hw_text_tables_free(struct hw_text_tables *t)
{
    for (int i = 0; i < HW_N_TEXT_TABLES; i++) {
        free(t->rom[i].data);
        t->rom[i].data = NULL;
    }
}
