// SPDX-License-Identifier: Apache-2.0
// The tokenizer in a GGUF file's metadata: "llama" (sentencepiece with scores) and "gpt2"
// (byte-level BPE) with the pre-tokenizers listed below. Refuses other models, and pre-tokenizers
// by name: a guess would give tokens that the model has never seen.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/gguf.h"
#include "gen/text/vocab.h"

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE }; // tokenizer.ggml.token_type

struct reader {
    struct hw_gguf gguf;
    const struct hw_file *file;
    struct hw_tokenizer *tok;
    int n_pieces; // of the file, but no more than the model has tokens
    struct hw_error *err;
};

// Text without a piece becomes this token; 0xFFFFFFFF is written for "none".
static bool read_unknown(const struct reader *r, int *token)
{
    static const char key[] = "tokenizer.ggml.unknown_token_id";
    const struct hw_gguf_pair *p = hw_gguf_find(&r->gguf, key);
    *token = 0;
    if (p && !p->is_array && p->type == HW_GGUF_U32 && hw_load_u32(p->value) == UINT32_MAX)
        *token = -1;
    else if (!hw_gguf_int(&r->gguf, key, token, r->err))
        return false;
    if (*token < -1 || *token >= r->tok->vocab_size)
        return hw_fail(r->err, "%s: key %s: expected a token 0..%d, got %d", r->file->path, key,
                       r->tok->vocab_size - 1, *token);
    return true;
}

static bool read_pieces(const struct reader *r, const struct hw_gguf_pair *tokens,
                        enum hw_spelling spelling)
{
    const struct hw_gguf *g = &r->gguf;
    const struct hw_gguf_pair *types = hw_gguf_find(g, "tokenizer.ggml.token_type");
    if (types && (!types->is_array || types->type != HW_GGUF_I32 || types->count != tokens->count))
        return hw_fail(r->err,
                       "%s: key tokenizer.ggml.token_type: expected %llu i32, got "
                       "something else",
                       r->file->path, (unsigned long long)tokens->count);
    const uint8_t *at = tokens->value;
    for (int i = 0; i < r->n_pieces; i++) {
        struct hw_text text = hw_gguf_next_string(&at);
        struct hw_piece *p = &r->tok->pieces[i];
        uint32_t type = types ? hw_load_u32(types->value + 4 * (size_t)i) : NORMAL;
        p->control = type == CONTROL || type == UNUSED;
        p->literal = type == USER_DEFINED || type == UNKNOWN;
        bool raw = p->control || p->literal; // not spelled as text is
        struct hw_added added = {.token = i};
        if (!hw_vocab_set(r->tok, i, raw ? HW_SPELLING_RAW : spelling, text.bytes, text.len))
            return hw_fail(r->err, "%s: piece %d: expected byte-level text, got \"%.*s\"",
                           r->file->path, i, text.len < 64 ? (int)text.len : 64, text.bytes);
        if (type == USER_DEFINED && !hw_added_new(r->tok, added, r->file->path, r->err))
            return false;
    }
    r->tok->added_longest_first = true;
    hw_added_sort(r->tok);
    return true;
}

static bool read_scores(const struct reader *r, uint64_t n)
{
    const struct hw_gguf_pair *scores =
        hw_gguf_array(&r->gguf, "tokenizer.ggml.scores", HW_GGUF_F32, r->err);
    if (!scores)
        return false;
    if (scores->count != n)
        return hw_fail(r->err, "%s: key tokenizer.ggml.scores: number, expected %llu, got %llu",
                       r->file->path, (unsigned long long)n, (unsigned long long)scores->count);
    for (int i = 0; i < r->n_pieces; i++) {
        r->tok->pieces[i].score = hw_load_f32(scores->value + 4 * (size_t)i);
        if (!isfinite(r->tok->pieces[i].score))
            return hw_fail(r->err,
                           "%s: key tokenizer.ggml.scores: score %d, expected a finite "
                           "number, got %f",
                           r->file->path, i, (double)r->tok->pieces[i].score);
    }
    return true;
}

static bool read_merges(const struct reader *r)
{
    const struct hw_gguf_pair *merges =
        hw_gguf_array(&r->gguf, "tokenizer.ggml.merges", HW_GGUF_STRING, r->err);
    if (!merges || !hw_vocab_alloc_rules(r->tok, merges->count, r->file->path, r->err))
        return false;
    const uint8_t *at = merges->value;
    for (int rank = 0; rank < (int)merges->count; rank++) {
        struct hw_text text = hw_gguf_next_string(&at);
        const char *space = text.len ? memchr(text.bytes + 1, ' ', text.len - 1) : NULL;
        if (!space)
            return hw_fail(r->err,
                           "%s: merge %d: expected two pieces with a space between, got "
                           "one",
                           r->file->path, rank);
        size_t left = (size_t)(space - text.bytes);
        if (!hw_vocab_add_rule(r->tok, rank, r->file->path, HW_SPELLING_BYTE_LEVEL, text.bytes,
                               left, space + 1, text.len - left - 1, r->err))
            return false;
    }
    return true;
}

static bool read_split(const struct reader *r)
{
    struct hw_text pre = {"", 0};
    if (!hw_gguf_string(&r->gguf, "tokenizer.ggml.pre", &pre, r->err))
        return false;
    static const struct { // as llama.cpp has them
        const char *name;
        enum hw_split split;
        bool whole_words, add_bos;
        const char *kind;
    } known[] = {
        {"gpt-2", HW_SPLIT_GPT2, false, false, "byte-level BPE, words of GPT-2"},
        {"smollm", HW_SPLIT_GPT2_DIGITS, false, false, "byte-level BPE, words of SmolLM"},
        {"starcoder", HW_SPLIT_GPT2_DIGITS, false, false, "byte-level BPE, words of StarCoder"},
        {"refact", HW_SPLIT_GPT2_DIGITS, false, false, "byte-level BPE, words of Refact"},
        {"llama-bpe", HW_SPLIT_LLAMA3, true, true, "byte-level BPE, words of Llama 3"},
        {"llama3", HW_SPLIT_LLAMA3, true, true, "byte-level BPE, words of Llama 3"},
        {"llama-v3", HW_SPLIT_LLAMA3, true, true, "byte-level BPE, words of Llama 3"},
        {"qwen2", HW_SPLIT_QWEN2, false, false, "byte-level BPE, words of Qwen2"},
        {"smaug-bpe", HW_SPLIT_LLAMA3, false, false, "byte-level BPE, words of Smaug"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (hw_text_is(pre, known[i].name)) {
            r->tok->split = known[i].split;
            r->tok->whole_words = known[i].whole_words;
            r->tok->kind = known[i].kind;
            r->tok->special.adds_bos = known[i].add_bos;
            return true;
        }
    }
    return hw_fail(r->err,
                   "%s: key tokenizer.ggml.pre: expected gpt-2, smollm, starcoder, refact, "
                   "llama-bpe, llama3, llama-v3, qwen2 or smaug-bpe, got \"%.*s\"",
                   r->file->path, pre.len < 64 ? (int)pre.len : 64, pre.bytes);
}

static bool read_template(const struct reader *r)
{
    struct hw_text text = {NULL, 0};
    if (!hw_gguf_string(&r->gguf, "tokenizer.chat_template", &text, r->err))
        return false;
    return !text.bytes ||
           hw_vocab_set_template(r->tok, text.bytes, text.len, r->file->path, r->err);
}

static bool read_all(struct reader *r, int vocab_size)
{
    const struct hw_gguf *g = &r->gguf;
    struct hw_text model = {"", 0};
    const struct hw_gguf_pair *tokens =
        hw_gguf_array(g, "tokenizer.ggml.tokens", HW_GGUF_STRING, r->err);
    if (!tokens || !hw_gguf_string(g, "tokenizer.ggml.model", &model, r->err))
        return false;
    bool bpe = hw_text_is(model, "gpt2");
    if (!bpe && !hw_text_is(model, "llama"))
        return hw_fail(r->err, "%s: key tokenizer.ggml.model: expected llama or gpt2, got \"%.*s\"",
                       r->file->path, model.len < 64 ? (int)model.len : 64, model.bytes);
    if (tokens->count > HW_FILE_MAX_VOCAB_SIZE)
        return hw_fail(r->err,
                       "%s: key tokenizer.ggml.tokens: number, expected at most %d, got %llu",
                       r->file->path, HW_FILE_MAX_VOCAB_SIZE, (unsigned long long)tokens->count);
    r->n_pieces = (int)tokens->count < vocab_size ? (int)tokens->count : vocab_size;
    size_t text_bytes = 0;
    const uint8_t *at = tokens->value;
    for (uint64_t i = 0; i < tokens->count; i++)
        text_bytes += hw_gguf_next_string(&at).len;
    r->tok = hw_vocab_new(r->file->path, vocab_size, text_bytes, r->err);
    if (!r->tok)
        return false;

    struct hw_tokenizer *tok = r->tok;
    tok->byte_level = bpe;
    tok->space_prefix = !bpe;
    tok->kind = "scored pieces (SPM)";
    tok->n_left_out = (int)tokens->count - r->n_pieces;
    if (!hw_special_of_gguf(g, vocab_size, &tok->special, r->err) ||
        !read_unknown(r, &tok->unknown) ||
        !hw_gguf_bool(g, "tokenizer.ggml.add_space_prefix", &tok->space_prefix, r->err) ||
        !read_pieces(r, tokens, bpe ? HW_SPELLING_BYTE_LEVEL : HW_SPELLING_SPACE_MARK))
        return false;
    tok->special.adds_bos = !bpe;
    if (bpe || tok->unknown < 0)
        tok->unknown = bpe ? -1 : 0;
    return (bpe ? read_split(r) : read_scores(r, tokens->count)) &&
           hw_gguf_bool(g, "tokenizer.ggml.add_bos_token", &tok->special.adds_bos, r->err) &&
           read_template(r) && hw_vocab_index(tok, r->file->path, r->err) &&
           (!bpe || read_merges(r)) && hw_vocab_note_left_out(tok, r->file->path);
}

struct hw_tokenizer *hw_tokenizer_read_gguf(const struct hw_file *file, int vocab_size,
                                            struct hw_error *err)
{
    struct reader r = {.file = file, .err = err};
    if (!hw_gguf_open(&r.gguf, file, err))
        return NULL;
    bool ok = read_all(&r, vocab_size);
    hw_gguf_close(&r.gguf);
    if (ok)
        return r.tok;
    hw_tokenizer_close(r.tok);
    return NULL;
}
