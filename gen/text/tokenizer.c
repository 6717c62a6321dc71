// SPDX-License-Identifier: Apache-2.0
// Opening of tokenizers, by content, and decoding. Reads llama2.c files itself and refuses those
// that are cut short, go on after the last piece, or hold impossible lengths.
#include "gen/text/tokenizer.h"

#include <math.h>
#include <string.h>

#include "gen/read/cursor.h"
#include "gen/read/gguf.h"
#include "gen/read/import.h"
#include "gen/read/kind.h"
#include "gen/text/vocab.h"

enum { MAX_PIECE_LENGTH = 1 << 16 };

static bool read_pieces(struct hw_tokenizer *tok, const struct hw_file *file, struct hw_error *err)
{
    struct hw_cursor c = hw_cursor_over(file, err);
    uint32_t max_len = hw_cursor_u32(&c, "max_token_length");
    if (!err->set && (max_len < 1 || max_len > MAX_PIECE_LENGTH))
        hw_fail(err, "%s: header: max_token_length, expected 1..%d, got %lu", c.file,
                MAX_PIECE_LENGTH, (unsigned long)max_len);
    for (int i = 0; i < tok->vocab_size && !err->set; i++) {
        float score = hw_cursor_f32(&c, "score of a piece");
        uint32_t len = hw_cursor_u32(&c, "length of a piece");
        if (!err->set && len > max_len)
            hw_fail(err, "%s: piece %d: length, expected 0..%lu, got %lu", c.file, i,
                    (unsigned long)max_len, (unsigned long)len);
        if (!err->set && !isfinite(score))
            hw_fail(err, "%s: piece %d: score, expected a finite number, got %f", c.file, i,
                    (double)score);
        const uint8_t *bytes = hw_cursor_take(&c, len, "bytes of a piece");
        if (bytes)
            hw_vocab_set(tok, i, HW_SPELLING_RAW, (const char *)bytes, len);
        tok->pieces[i].score = score;
    }
    if (!err->set && c.pos != c.size)
        hw_fail(err, "%s: end: file size, expected %zu bytes for %d pieces, got %zu", c.file, c.pos,
                tok->vocab_size, c.size);
    return !err->set;
}

static struct hw_tokenizer *read_llama2c(const struct hw_file *file, int vocab_size,
                                         struct hw_error *err)
{
    struct hw_tokenizer *tok = hw_vocab_new(file->path, vocab_size, file->size, err);
    if (!tok)
        return NULL;
    tok->special = (struct hw_special){.bos = vocab_size > HW_LLAMA2C_BOS ? HW_LLAMA2C_BOS : -1,
                                       .named_eos = -1};
    if (vocab_size > HW_LLAMA2C_EOS)
        tok->special.ends[tok->special.n_ends++] = HW_LLAMA2C_EOS;
    if (vocab_size > HW_LLAMA2C_BOS) // llama2.c's stories end where the next one begins
        tok->special.ends[tok->special.n_ends++] = HW_LLAMA2C_BOS;
    tok->space_prefix = true;
    tok->special.adds_bos = true;
    tok->kind = "llama2.c, scored pieces";
    if (read_pieces(tok, file, err) && hw_vocab_index(tok, file->path, err))
        return tok;
    hw_tokenizer_close(tok);
    return NULL;
}

// A file without a sign of its own is llama2.c's, unless it has that of something else.
static struct hw_tokenizer *read_other(const struct hw_file *file, int vocab_size,
                                       struct hw_error *err)
{
    char words[HW_FOREIGN_WORDS_SIZE];
    const char *foreign = hw_foreign_bytes(file->data, file->size, words);
    if (!foreign)
        return read_llama2c(file, vocab_size, err);
    hw_fail(err, "%s: expected a tokenizer (llama2.c, GGUF, tokenizer.json or its folder), got %s",
            file->path, foreign);
    return NULL;
}

struct hw_tokenizer *hw_tokenizer_open(const char *path, int vocab_size, struct hw_error *err)
{
    struct hw_file file;
    struct hw_tokenizer *tok;
    if (hw_path_is_directory(path))
        return hw_tokenizer_read_folder(path, vocab_size, err);
    if (!hw_file_map(&file, path, err))
        return NULL;
    if (hw_is_gguf(&file))
        tok = hw_tokenizer_read_gguf(&file, vocab_size, err);
    else if (file.size > 4 && file.data[0] == '{' && hw_load_u32(file.data) > MAX_PIECE_LENGTH)
        tok = hw_tokenizer_read_json(&file, vocab_size, err);
    else
        tok = read_other(&file, vocab_size, err);
    hw_file_unmap(&file);
    return tok;
}

int hw_tokenizer_bos(const struct hw_tokenizer *tok)
{
    return tok->special.bos;
}

int hw_tokenizer_eos(const struct hw_tokenizer *tok)
{
    return tok->special.n_ends > 0 ? tok->special.ends[0] : -1;
}

int hw_tokenizer_template_eos(const struct hw_tokenizer *tok)
{
    return tok->special.named_eos >= 0 ? tok->special.named_eos : hw_tokenizer_eos(tok);
}

int hw_tokenizer_end(const struct hw_tokenizer *tok, int i)
{
    return i < tok->special.n_ends ? tok->special.ends[i] : -1;
}

bool hw_tokenizer_is_end(const struct hw_tokenizer *tok, int token)
{
    for (int i = 0; i < tok->special.n_ends; i++)
        if (tok->special.ends[i] == token)
            return true;
    return false;
}

int hw_tokenizer_size(const struct hw_tokenizer *tok)
{
    return tok->vocab_size;
}

bool hw_tokenizer_adds_bos(const struct hw_tokenizer *tok)
{
    return tok->special.adds_bos && tok->special.bos >= 0;
}

const char *hw_tokenizer_kind(const struct hw_tokenizer *tok)
{
    return tok->kind;
}

const char *hw_tokenizer_template(const struct hw_tokenizer *tok)
{
    return tok->chat_template;
}

int hw_tokenizer_special(const struct hw_tokenizer *tok, const char *name)
{
    size_t len = strlen(name);
    for (int i = 0; i < tok->vocab_size; i++) {
        const struct hw_piece *p = &tok->pieces[i];
        if ((p->control || p->literal) && p->len == len && memcmp(p->bytes, name, len) == 0)
            return i;
    }
    return -1;
}

const char *hw_tokenizer_piece(const struct hw_tokenizer *tok, int previous, int token, size_t *len)
{
    *len = 0;
    if (token < 0 || token >= tok->vocab_size)
        return "";
    const struct hw_piece *p = &tok->pieces[token];
    if (p->control)
        return "";
    *len = p->len;
    if (p->byte >= 0) {
        *len = 1;
        return &tok->byte_text[p->byte];
    }
    if (tok->space_prefix && previous == tok->special.bos && p->len > 0 && p->bytes[0] == ' ') {
        *len = p->len - 1;
        return p->bytes + 1;
    }
    return p->bytes;
}
