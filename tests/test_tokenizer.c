// SPDX-License-Identifier: Apache-2.0
// The tokenizer against a vocabulary written by the test, against a plain quadratic encoder, and
// against damaged files. Where real vocabularies lie in ../shared/models, round trips over those.
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gen/read/cursor.h"
#include "gen/text/tokenizer.h"
#include "gen/text/vocab.h"

#define TEMP_FILE "test_tokenizer.tmp"

struct buffer {
    uint8_t bytes[65536];
    size_t n;
};

static void put(struct buffer *b, const void *bytes, size_t n)
{
    assert_true(n <= sizeof b->bytes - b->n);
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

static void put_u32(struct buffer *b, uint32_t v)
{
    const uint8_t p[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put(b, p, 4);
}

static void put_f32(struct buffer *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    put_u32(b, bits);
}

static void put_piece(struct buffer *b, const char *text, float score)
{
    put_f32(b, score);
    put_u32(b, (uint32_t)strlen(text));
    put(b, text, strlen(text));
}

// Three control pieces, 256 bytes, then words.
static const char *const words[] = {" ", "a", "b", "c", "é", "ab", "bc", "abc", " a", "aa", "aaa"};
static const float word_scores[] = {-1, -2, -3, -4, -5, -6, -6, -7, -5.5f, -8, -9};
enum { N_WORDS = sizeof words / sizeof words[0], VOCAB_SIZE = 259 + N_WORDS };
enum { BOS = 1, SPACE = 259, A, B, C, E_ACUTE, AB, BC, ABC, SPACE_A, AA, AAA };

static void put_vocabulary(struct buffer *b)
{
    b->n = 0;
    put_u32(b, 8);
    put_piece(b, "<unk>", 0);
    put_piece(b, "\n<s>\n", 0);
    put_piece(b, "\n</s>\n", 0);
    for (unsigned i = 0; i < 256; i++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", i);
        put_piece(b, text, 0);
    }
    for (int i = 0; i < N_WORDS; i++)
        put_piece(b, words[i], word_scores[i]);
}

static void write_file(const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(TEMP_FILE, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static struct hw_tokenizer *open_bytes(const struct buffer *b, int vocab_size, struct hw_error *err)
{
    *err = (struct hw_error){0};
    write_file(b->bytes, b->n);
    struct hw_tokenizer *tok = hw_tokenizer_open(TEMP_FILE, vocab_size, err);
    remove(TEMP_FILE);
    assert_int_equal(tok == NULL, err->set);
    return tok;
}

static struct hw_tokenizer *open_vocabulary(void)
{
    static struct buffer b;
    struct hw_error err;
    put_vocabulary(&b);
    struct hw_tokenizer *tok = open_bytes(&b, VOCAB_SIZE, &err);
    assert_non_null(tok);
    return tok;
}

static void expect_ids(const char *text, size_t len, bool bos, const int *want, int n_want)
{
    struct hw_tokenizer *tok = open_vocabulary();
    int *ids = malloc((len + 2) * sizeof *ids);
    assert_int_equal(hw_tokenizer_encode(tok, text, len, bos, ids), n_want);
    for (int i = 0; i < n_want; i++)
        assert_int_equal(ids[i], want[i]);
    free(ids);
    hw_tokenizer_close(tok);
}

#define EXPECT(text, bos, ...)                                                                     \
    expect_ids(text, sizeof(text) - 1, bos, (const int[]){__VA_ARGS__},                            \
               (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

static void test_encode(void **state)
{
    (void)state;
    EXPECT("", true, BOS);
    EXPECT("a", true, BOS, SPACE_A);
    EXPECT("b", false, SPACE, B);
    EXPECT("babc", false, SPACE, B, ABC); // "ab" and "bc" score the same: leftmost first
    EXPECT("bcabb", false, SPACE, BC, AB, B);
    EXPECT("baaaaa", false, SPACE, B, AA, AAA); // aa aa a: only the last two join
    EXPECT("é", false, SPACE, E_ACUTE);
    EXPECT("\xE2\x82\xAC", false, SPACE, 3 + 0xE2, 3 + 0x82, 3 + 0xAC); // no piece: bytes, plus 3
    EXPECT("b\x80\x80\x80\x80", false, SPACE, 3 + 'b', 3 + 0x80, 3 + 0x80, 3 + 0x80, 3 + 0x80);
    EXPECT("b\0b", false, SPACE, B, 3, B);
}

static void test_piece(void **state)
{
    (void)state;
    struct hw_tokenizer *tok = open_vocabulary();
    size_t len;
    assert_memory_equal(hw_tokenizer_piece(tok, BOS, SPACE_A, &len), "a", 1);
    assert_int_equal(len, 1);
    assert_memory_equal(hw_tokenizer_piece(tok, A, SPACE_A, &len), " a", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(hw_tokenizer_piece(tok, A, 3 + 0, &len), "\0", 1);
    assert_int_equal(len, 1);
    assert_memory_equal(hw_tokenizer_piece(tok, A, 3 + 0xE2, &len), "\xE2", 1);
    hw_tokenizer_piece(tok, A, -1, &len);
    assert_int_equal(len, 0);
    hw_tokenizer_piece(tok, A, VOCAB_SIZE, &len);
    assert_int_equal(len, 0);
    hw_tokenizer_close(tok);
}

static int word_of(const char *text, size_t len)
{
    for (int i = 0; i < N_WORDS; i++)
        if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
            return i;
    return -1;
}

// llama2.c's loop, literally, on ASCII text over the alphabet of `words`.
static int encode_plainly(const char *text, int *ids)
{
    size_t end[256]; // of each token, in the text
    size_t n = strlen(text), n_ids = n;
    for (size_t i = 0; i < n; i++)
        end[i] = i + 1;
    for (;;) {
        float best = -1e10f;
        size_t best_at = n;
        for (size_t i = 0; i + 1 < n_ids; i++) {
            size_t start = i ? end[i - 1] : 0;
            int w = word_of(text + start, end[i + 1] - start);
            if (w >= 0 && word_scores[w] > best) {
                best = word_scores[w];
                best_at = i;
            }
        }
        if (best_at == n)
            break;
        memmove(&end[best_at], &end[best_at + 1], (n_ids - best_at - 1) * sizeof end[0]);
        n_ids--;
    }
    for (size_t i = 0; i < n_ids; i++) {
        size_t start = i ? end[i - 1] : 0;
        ids[i] = 259 + word_of(text + start, end[i] - start);
    }
    return (int)n_ids;
}

static void test_heap_against_plain_loop(void **state)
{
    (void)state;
    struct hw_tokenizer *tok = open_vocabulary();
    uint32_t seed = 1;
    int compared = 0;
    for (int round = 0; round < 3000; round++) {
        char text[200] = " ";
        int want[200], got[202];
        size_t n = 1 + (size_t)round % 190;
        for (size_t i = 1; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = "aaaabbc "[seed >> 29];
        }
        int n_want = encode_plainly(text, want);
        int n_got = hw_tokenizer_encode(tok, text + 1, n - 1, false, got);
        if (n == 1)
            continue; // no text, no space before it
        assert_int_equal(n_got, n_want);
        for (int i = 0; i < n_want; i++)
            assert_int_equal(got[i], want[i]);
        compared += n_want;
    }
    printf("             tokens compared with the quadratic encoder: %d\n", compared);
    hw_tokenizer_close(tok);
}

static void expect_refused(const struct buffer *b, int vocab_size, const char *text)
{
    struct hw_error err;
    struct hw_tokenizer *tok = open_bytes(b, vocab_size, &err);
    assert_null(tok);
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
}

static void test_damaged_files(void **state)
{
    (void)state;
    static struct buffer b;
    put_vocabulary(&b);
    size_t whole = b.n;
    for (b.n = 1; b.n < whole; b.n += b.n < 64 || b.n + 64 > whole ? 1 : 37)
        expect_refused(&b, VOCAB_SIZE, "more bytes");
    b.n = 0;
    expect_refused(&b, VOCAB_SIZE, "file size");
    b.n = whole + 1;
    expect_refused(&b, VOCAB_SIZE, "file size");
    b.n = whole;
    expect_refused(&b, VOCAB_SIZE - 1, "file size");
    expect_refused(&b, VOCAB_SIZE + 1, "more bytes");
    expect_refused(&b, 0, "vocab_size");
    expect_refused(&b, -5, "vocab_size");
    expect_refused(&b, INT32_MAX, "vocab_size");

    memset(b.bytes, 0xff, 4);
    expect_refused(&b, VOCAB_SIZE, "max_token_length");
    memset(b.bytes, 0, 4);
    expect_refused(&b, VOCAB_SIZE, "max_token_length");
    put_vocabulary(&b);
    memset(b.bytes + 4, 0xff, 4);
    expect_refused(&b, VOCAB_SIZE, "score");
    put_vocabulary(&b);
    b.bytes[11] = 0x80; // a negative length
    expect_refused(&b, VOCAB_SIZE, "length");

    struct hw_error err = {0};
    assert_null(hw_tokenizer_open("no/such/file", 5, &err));
    assert_true(err.set);
    err = (struct hw_error){0};
    assert_null(hw_tokenizer_open(".", 5, &err));
    assert_true(err.set);
}

static void test_equal_pieces_and_no_bytes(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    b.n = 0;
    put_u32(&b, 5);
    put_piece(&b, "<unk>", 0);
    put_piece(&b, "x", 0);
    put_piece(&b, "x", 1);
    put_piece(&b, "", 1);
    struct hw_tokenizer *tok = open_bytes(&b, 4, &err);
    assert_non_null(tok);
    int ids[6];
    assert_int_equal(hw_tokenizer_encode(tok, "x?x", 3, false, ids), 3);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 0);
    assert_int_equal(ids[2], 1);
    hw_tokenizer_close(tok);
}

static void put_u64(struct buffer *b, uint64_t v)
{
    put_u32(b, (uint32_t)v);
    put_u32(b, (uint32_t)(v >> 32));
}

static void put_string(struct buffer *b, const char *text)
{
    put_u64(b, strlen(text));
    put(b, text, strlen(text));
}

enum { GGUF_U32 = 4, GGUF_I32 = 5, GGUF_F32 = 6, GGUF_STRING = 8, GGUF_ARRAY = 9 };

static void put_array(struct buffer *b, const char *key, uint32_t type, uint64_t n)
{
    put_string(b, key);
    put_u32(b, GGUF_ARRAY);
    put_u32(b, type);
    put_u64(b, n);
}

static void put_string_key(struct buffer *b, const char *key, const char *value)
{
    put_string(b, key);
    put_u32(b, GGUF_STRING);
    put_string(b, value);
}

static void put_int_key(struct buffer *b, const char *key, uint32_t value)
{
    put_string(b, key);
    put_u32(b, GGUF_U32);
    put_u32(b, value);
}

static void put_gguf_header(struct buffer *b, uint64_t n_keys)
{
    b->n = 0;
    put(b, "GGUF", 4);
    put_u32(b, 3);
    put_u64(b, 0);
    put_u64(b, n_keys);
}

// The same words as above, so the same tokens.
static void test_gguf_with_scores(void **state)
{
    (void)state;
    static struct buffer b;
    put_gguf_header(&b, 6);
    put_string_key(&b, "tokenizer.ggml.model", "llama");
    put_int_key(&b, "tokenizer.ggml.bos_token_id", 1);
    put_int_key(&b, "tokenizer.ggml.eos_token_id", UINT32_MAX);
    put_array(&b, "tokenizer.ggml.tokens", GGUF_STRING, VOCAB_SIZE);
    for (int i = 0; i < VOCAB_SIZE; i++) {
        char text[16];
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)(i - 3));
        if (i >= SPACE) // a space is spelled U+2581
            snprintf(text, sizeof text, "%s%s", words[i - SPACE][0] == ' ' ? "\xE2\x96\x81" : "",
                     words[i - SPACE] + (words[i - SPACE][0] == ' '));
        put_string(&b, i == 0 ? "<unk>" : i == 1 ? "<s>" : i == 2 ? "</s>" : text);
    }
    put_array(&b, "tokenizer.ggml.scores", GGUF_F32, VOCAB_SIZE);
    for (int i = 0; i < VOCAB_SIZE; i++)
        put_f32(&b, i < SPACE ? 0 : word_scores[i - SPACE]);
    put_array(&b, "tokenizer.ggml.token_type", GGUF_I32, VOCAB_SIZE);
    for (int i = 0; i < VOCAB_SIZE; i++)
        put_u32(&b, i == 0 ? 2 : i < 3 ? 3 : i < SPACE ? 6 : 1);

    struct hw_error err;
    struct hw_tokenizer *a = open_vocabulary(), *g = open_bytes(&b, VOCAB_SIZE, &err);
    if (!g)
        fail_msg("%s", err.text);
    static const char text[] = "abc a\xE2\x82\xAC caaaaab  bc";
    int ids_a[64], ids_g[64];
    int n = hw_tokenizer_encode(a, text, sizeof text - 1, true, ids_a);
    assert_int_equal(hw_tokenizer_encode(g, text, sizeof text - 1, true, ids_g), n);
    assert_memory_equal(ids_a, ids_g, (size_t)n * sizeof ids_a[0]);
    assert_int_equal(hw_tokenizer_bos(g), 1);
    assert_int_equal(hw_tokenizer_eos(g), -1);
    size_t len;
    hw_tokenizer_piece(g, 1, 2, &len);
    assert_int_equal(len, 0); // a control token is no text
    hw_tokenizer_close(a);
    hw_tokenizer_close(g);
    // a model of fewer tokens cannot see the last piece, "aaa"
    g = open_bytes(&b, VOCAB_SIZE - 1, &err);
    assert_non_null(g);
    assert_int_equal(hw_tokenizer_encode(g, "caaa", 4, false, ids_g),
                     n = hw_tokenizer_encode(g, "caa", 3, false, ids_a) + 1);
    assert_int_equal(ids_g[n - 1], A);
    hw_tokenizer_close(g);
    expect_refused(&b, 1, "bos_token_id: expected a token 0..0, got 1");
    size_t whole = b.n;
    for (b.n = 5; b.n < whole; b.n += 61)
        expect_refused(&b, VOCAB_SIZE, "expected");
}

// U+0120 is GPT-2's space, U+010A its line feed.
static const char *const bpe_pieces[] = {"<end>",   "a",  "b",        "\u0120", "1",  "\u010A",
                                         "\u0120a", "ab", "\u0120ab", "\u00E9", "bab"};
static const char *const bpe_merges[] = {"\u0120 a", "a b", "\u0120a b", "b ab"};
enum { N_BPE_PIECES = 11, N_BPE_MERGES = 4 };

static void put_bpe(struct buffer *b, const char *pre, const char *const merges[N_BPE_MERGES])
{
    put_gguf_header(b, 5);
    put_string_key(b, "tokenizer.ggml.model", "gpt2");
    put_string_key(b, "tokenizer.ggml.pre", pre);
    put_array(b, "tokenizer.ggml.tokens", GGUF_STRING, N_BPE_PIECES);
    for (int i = 0; i < N_BPE_PIECES; i++)
        put_string(b, bpe_pieces[i]);
    put_array(b, "tokenizer.ggml.token_type", GGUF_I32, N_BPE_PIECES);
    for (int i = 0; i < N_BPE_PIECES; i++)
        put_u32(b, i == 0 ? 3 : 1);
    put_array(b, "tokenizer.ggml.merges", GGUF_STRING, N_BPE_MERGES);
    for (int i = 0; i < N_BPE_MERGES; i++)
        put_string(b, merges[i]);
}

static void test_gguf_with_merges(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    put_bpe(&b, "smollm", bpe_merges);
    struct hw_tokenizer *tok = open_bytes(&b, N_BPE_PIECES, &err);
    if (!tok)
        fail_msg("%s", err.text);
    // "ab" and " ab" by the lower rank first: " a" before "ab", so " ab" is " a" + "b".
    // "<end>" is text, its characters no pieces: left out, and "a" and "b" around one of them
    // merge.
    static const char text[] = "ab ab\n 1 1bab\xE9?<end>aeb";
    static const int want[] = {7, 8, 5, 3, 4, 3, 4, 10, 9, 7};
    int ids[64];
    int n = hw_tokenizer_encode(tok, text, sizeof text - 1, true, ids); // no BOS here
    assert_int_equal(n, sizeof want / sizeof want[0]);
    assert_memory_equal(ids, want, sizeof want);
    size_t len;
    assert_memory_equal(hw_tokenizer_piece(tok, -1, 9, &len), "\xE9", 1);
    assert_memory_equal(hw_tokenizer_piece(tok, -1, 8, &len), " ab", 3);
    assert_int_equal(len, 3);
    hw_tokenizer_close(tok);

    static const char *const no_space[] = {"ab", "a b", "a b", "a b"};
    static const char *const no_join[] = {"a b", "b b", "a b", "a b"};
    static const char *const no_byte[] = {"a b", "a \u2581", "a b", "a b"};
    static const char *const no_utf8[] = {"a b", "a \xE9\xFF", "a b", "a b"};
    put_bpe(&b, "smollm", no_utf8);
    expect_refused(&b, N_BPE_PIECES, "merge 1");
    put_bpe(&b, "smollm", bpe_merges);
    size_t at = 0;
    while (memcmp(b.bytes + at, "\u0120ab", 4) != 0)
        at++;
    memcpy(b.bytes + at, "\xFF\xFE", 2); // no UTF-8
    expect_refused(&b, N_BPE_PIECES, "piece 8");
    put_bpe(&b, "smollm", no_space);
    expect_refused(&b, N_BPE_PIECES, "merge 0");
    put_bpe(&b, "smollm", no_join);
    expect_refused(&b, N_BPE_PIECES, "merge 1");
    put_bpe(&b, "smollm", no_byte);
    expect_refused(&b, N_BPE_PIECES, "merge 1");
    put_bpe(&b, "falcon", bpe_merges);
    expect_refused(&b, N_BPE_PIECES, "or smaug-bpe, got \"falcon\"");
}

// Llama 3's tokenizer takes a word that is a piece as it is; "bab" here, which no merge makes.
static void test_whole_words(void **state)
{
    (void)state;
    static struct buffer b;
    static const char *const no_bab[] = {"\u0120 a", "a b", "\u0120a b", "a b"};
    static const char text[] = "bab ab";
    static const struct {
        const char *pre;
        int n, ids[3];
    } cases[] = {{"llama-bpe", 2, {10, 8}}, {"smaug-bpe", 3, {2, 7, 8}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hw_error err;
        int ids[16];
        put_bpe(&b, cases[i].pre, no_bab);
        struct hw_tokenizer *tok = open_bytes(&b, N_BPE_PIECES, &err);
        if (!tok)
            fail_msg("%s", err.text);
        assert_int_equal(hw_tokenizer_encode(tok, text, sizeof text - 1, false, ids), cases[i].n);
        assert_memory_equal(ids, cases[i].ids, (size_t)cases[i].n * sizeof ids[0]);
        hw_tokenizer_close(tok);
    }
}

// A bar ends each word. Agrees with the tokenizers package on these.
static void expect_words(enum hw_split split, const char *barred)
{
    char text[256];
    size_t n = 0, at = 0;
    for (const char *p = barred; *p; p++)
        if (*p != '|')
            text[n++] = *p;
    for (const char *p = barred; *p;) {
        const char *bar = strchr(p, '|');
        size_t end = at + (bar ? (size_t)(bar - p) : strlen(p));
        if (hw_next_word(split, text, at, n) != end)
            fail_msg("%s: byte %zu", barred, at);
        at = end;
        p = bar ? bar + 1 : "";
    }
}

static void test_words(void **state)
{
    (void)state;
    expect_words(HW_SPLIT_GPT2, "I|'ve| 12345|  | x|!?| '|S|'s");
    expect_words(HW_SPLIT_GPT2, "a|\t|b| \n|\n|c| d|   ");
    expect_words(HW_SPLIT_GPT2, "\u00e9t\u00e9|\u00a0|\u6f22\u5b57|\u00bd|\xff\xfe|x");
    expect_words(HW_SPLIT_GPT2_DIGITS, "I|'ve| |1|2|   |3|4|!|  | x|5");
    expect_words(HW_SPLIT_GPT2_DIGITS, "a|\u00bd| |\u0663|b");
    expect_words(HW_SPLIT_LLAMA3, "I|'VE| been|,| | |123|45|\n\n| x");
    expect_words(HW_SPLIT_LLAMA3, "HELLO|'ll| | '|Sam|'S|\r\n\r\n| | end| ");
    expect_words(HW_SPLIT_LLAMA3, "!?\n\n|\t|\tfoo|--|bar| (|b|)a|\u00a0z| \u0301|e");
    expect_words(HW_SPLIT_LLAMA3, "   \n  \n| | x| |1|a|2| |\u00bd\u2460\u0663|\u0664");
    expect_words(HW_SPLIT_LLAMA3, " \r| x|\t\n|y| it|'\u017f|   ");
    expect_words(HW_SPLIT_QWEN2, "I|'VE| been|,| | |1|2|3|4|5|\n\n| x| |\u00bd|\u2460");
}

static void round_trip(const char *path, int vocab_size, const char *text_path)
{
    struct hw_error err = {0};
    struct hw_file file;
    if (!hw_file_map(&file, text_path, &err)) {
        printf("             %s is not here: not run\n", text_path);
        return;
    }
    struct hw_tokenizer *tok = hw_tokenizer_open(path, vocab_size, &err);
    if (!tok) {
        printf("             %s is not here: not run\n", path);
        hw_file_unmap(&file);
        return;
    }
    size_t n = file.size < 400000 ? file.size : 400000;
    int *ids = malloc((n + 2) * sizeof *ids);
    int n_ids = hw_tokenizer_encode(tok, (const char *)file.data, n, true, ids);
    assert_true(n_ids > 1);
    size_t pos = 0, unknown = 0;
    for (int i = 1; i < n_ids; i++) {
        size_t len;
        const char *piece = hw_tokenizer_piece(tok, ids[i - 1], ids[i], &len);
        unknown += ids[i] == 0;
        if (unknown)
            continue;
        assert_true(len <= n - pos);
        assert_memory_equal(piece, file.data + pos, len);
        pos += len;
    }
    assert_true(unknown || pos == n);
    printf("             %s: %zu bytes, %d tokens, %zu unknown\n", path, n, n_ids, unknown);
    free(ids);
    hw_tokenizer_close(tok);
    hw_file_unmap(&file);
}

static void test_real_vocabularies(void **state)
{
    (void)state;
    round_trip("../shared/models/tok512.bin", 512, "../shared/text/tinystories_valid.txt");
    round_trip("../shared/models/stories260K.gguf", 512, "../shared/text/tinystories_valid.txt");
    round_trip("../shared/models/tok105.bin", 105, "../shared/text/tinystories_valid.txt");
}

// What the tokenizers package makes of text with added tokens, as tests/make_added_tokens.py wrote
// it.
static void test_added_tokens(void **state)
{
    (void)state;
    json_t *fixture, *one, *all = json_load_file("tests/added_tokens.json", 0, NULL);
    size_t i, k, compared = 0;
    assert_non_null(all);
    json_array_foreach(all, i, fixture)
    {
        struct hw_error err = {0};
        int vocab_size = (int)json_integer_value(json_object_get(fixture, "vocab_size"));
        assert_int_equal(json_dump_file(json_object_get(fixture, "tokenizer"), TEMP_FILE, 0), 0);
        struct hw_tokenizer *tok = hw_tokenizer_open(TEMP_FILE, vocab_size, &err);
        remove(TEMP_FILE);
        if (!tok)
            fail_msg("fixture %zu: %s", i, err.text);
        json_array_foreach(json_object_get(fixture, "cases"), k, one)
        {
            const char *text = json_string_value(json_array_get(one, 0));
            const json_t *want = json_array_get(one, 1);
            int ids[256];
            assert_true(hw_tokenizer_room(strlen(text)) <= 256);
            int n = hw_tokenizer_encode_part(tok, text, strlen(text), false, ids);
            bool same = n == (int)json_array_size(want);
            for (int t = 0; same && t < n; t++)
                same = ids[t] == json_integer_value(json_array_get(want, (size_t)t));
            if (!same)
                fail_msg("fixture %zu: \"%s\": other tokens", i, text);
            compared += (size_t)n;
        }
        hw_tokenizer_close(tok);
    }
    json_decref(all);
    printf("             tokens compared with the tokenizers package: %zu\n", compared);
    assert_true(compared > 1000);
}

// llama.cpp cuts out the longest user-defined token first, wherever it is.
static void test_user_defined(void **state)
{
    (void)state;
    static struct buffer b;
    static const char *const pieces[] = {"a", "b", "c", "d", "ab", "bcd", "abcde"};
    static const int type[] = {1, 1, 1, 1, 4, 4, 3};
    put_gguf_header(&b, 5);
    put_string_key(&b, "tokenizer.ggml.model", "gpt2");
    put_string_key(&b, "tokenizer.ggml.pre", "gpt-2");
    put_array(&b, "tokenizer.ggml.tokens", GGUF_STRING, 7);
    for (int i = 0; i < 7; i++)
        put_string(&b, pieces[i]);
    put_array(&b, "tokenizer.ggml.token_type", GGUF_I32, 7);
    for (int i = 0; i < 7; i++)
        put_u32(&b, (uint32_t)type[i]);
    put_array(&b, "tokenizer.ggml.merges", GGUF_STRING, 0);
    struct hw_error err;
    int ids[32];
    struct hw_tokenizer *tok = open_bytes(&b, 7, &err);
    if (!tok)
        fail_msg("%s", err.text);
    static const int want[] = {4, 0, 5, 4, 2};
    assert_int_equal(hw_tokenizer_encode(tok, "ababcdabc", 9, false, ids), 5);
    assert_memory_equal(ids, want, sizeof want);
    assert_int_equal(hw_tokenizer_encode(tok, "abcde", 5, false, ids),
                     2); // the control token is text
    assert_int_equal(ids[0], 0);
    hw_tokenizer_close(tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_piece),
        cmocka_unit_test(test_heap_against_plain_loop),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_equal_pieces_and_no_bytes),
        cmocka_unit_test(test_gguf_with_scores),
        cmocka_unit_test(test_gguf_with_merges),
        cmocka_unit_test(test_whole_words),
        cmocka_unit_test(test_added_tokens),
        cmocka_unit_test(test_user_defined),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_real_vocabularies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
