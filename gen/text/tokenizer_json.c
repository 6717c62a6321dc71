// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of Hugging Face folders: BPE, byte level (GPT-2's words, digits apart or not, or
// Llama 3's) or on characters with byte fallback. Refuses other models, normalizers and
// pre-tokenizers by name: a guess would give tokens that the model has never seen.
#include <stdlib.h>
#include <string.h>

#include "gen/read/json.h"
#include "gen/text/vocab.h"

static const char space_mark[] = "\xE2\x96\x81";
static const char llama3_words[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char qwen2_words[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

struct reader {
    const char *path;
    const json_t *root, *model;
    struct hw_tokenizer *tok;
    enum hw_spelling spelling;
    struct hw_error *err;
};

static bool type_is(const json_t *object, const char *type)
{
    return strcmp(hw_json_string(object, "type"), type) == 0;
}

static bool flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

// The members of a Sequence, or the object itself; NULL after the last one.
static const json_t *step(const json_t *object, const char *list, size_t i)
{
    if (!object || json_is_null(object))
        return NULL;
    if (type_is(object, "Sequence"))
        return json_array_get(json_object_get(object, list), i);
    return i == 0 ? object : NULL;
}

static bool read_pre_tokenizer(struct reader *r)
{
    const json_t *all = json_object_get(r->root, "pre_tokenizer"), *one;
    bool digits = false, llama3 = false, qwen2 = false;
    for (size_t i = 0; (one = step(all, "pretokenizers", i)) != NULL; i++) {
        const char *scheme = hw_json_string(one, "prepend_scheme");
        const json_t *use_regex = json_object_get(one, "use_regex");
        const char *regex = hw_json_string(json_object_get(one, "pattern"), "Regex");
        if (type_is(one, "Digits") && flag(one, "individual_digits")) {
            digits = true;
        } else if (type_is(one, "Split") &&
                   (strcmp(regex, llama3_words) == 0 || strcmp(regex, qwen2_words) == 0) &&
                   strcmp(hw_json_string(one, "behavior"), "Isolated") == 0 &&
                   !flag(one, "invert")) {
            llama3 = true;
            qwen2 = strcmp(regex, qwen2_words) == 0;
        } else if (type_is(one, "ByteLevel") && !flag(one, "add_prefix_space") &&
                   (llama3 ? json_is_false(use_regex) : !use_regex || json_is_true(use_regex))) {
            r->tok->byte_level = true;
        } else if (type_is(one, "Metaspace") && json_is_false(json_object_get(one, "split"))) {
            r->tok->space_prefix = strcmp(scheme, "never") != 0;
            r->tok->prefix_once = strcmp(scheme, "first") == 0;
            r->tok->prefix_needed = true;
        } else {
            return hw_fail(r->err,
                           "%s: pre_tokenizer: expected ByteLevel without prefix space, "
                           "Digits one by one, Llama 3's or Qwen2's Split, or Metaspace without "
                           "split, got "
                           "\"%.32s\"",
                           r->path, hw_json_string(one, "type"));
        }
    }
    if (((digits || llama3) && !r->tok->byte_level) || (digits && llama3))
        return hw_fail(r->err,
                       "%s: pre_tokenizer: expected ByteLevel after Digits or Split, got "
                       "something else",
                       r->path);
    r->tok->split = !r->tok->byte_level ? HW_SPLIT_NONE
                    : qwen2             ? HW_SPLIT_QWEN2
                    : llama3            ? HW_SPLIT_LLAMA3
                    : digits            ? HW_SPLIT_GPT2_DIGITS
                                        : HW_SPLIT_GPT2;
    r->tok->kind = !r->tok->byte_level ? "BPE on characters"
                   : qwen2             ? "byte-level BPE, words of Qwen2"
                   : llama3            ? "byte-level BPE, words of Llama 3"
                   : digits            ? "byte-level BPE, words of SmolLM"
                                       : "byte-level BPE, words of GPT-2";
    r->spelling = r->tok->byte_level ? HW_SPELLING_BYTE_LEVEL : HW_SPELLING_SPACE_MARK;
    return true;
}

static bool read_normalizer(struct reader *r)
{
    const json_t *all = json_object_get(r->root, "normalizer"), *one;
    for (size_t i = 0; (one = step(all, "normalizers", i)) != NULL; i++) {
        bool mark_spaces =
            type_is(one, "Replace") && strcmp(hw_json_string(one, "content"), space_mark) == 0 &&
            strcmp(hw_json_string(json_object_get(one, "pattern"), "String"), " ") == 0;
        if (type_is(one, "Prepend") && strcmp(hw_json_string(one, "prepend"), space_mark) == 0)
            r->tok->space_prefix = r->tok->prefix_normalizer = true;
        else if (mark_spaces)
            r->tok->marks_spaces = true;
        else if (type_is(one, "NFC"))
            hw_note("%s: normalizer NFC: text is taken as it is, and expected in that form",
                    r->path);
        else
            return hw_fail(r->err,
                           "%s: normalizer: expected none, NFC, or spaces to U+2581, got "
                           "\"%.32s\"",
                           r->path, hw_json_string(one, "type"));
    }
    return true;
}

// Sets a piece. *token is -1 for one beyond the model's vocabulary, which is left out.
static bool set_piece(struct reader *r, const json_t *id, const char *text, size_t len,
                      enum hw_spelling spelling, int *token)
{
    json_int_t value = json_integer_value(id);
    *token = -1;
    if (!json_is_integer(id) || value < 0 || value > HW_FILE_MAX_VOCAB_SIZE)
        return hw_fail(r->err, "%s: piece \"%.32s\": id, expected 0..%d, got something else",
                       r->path, text, HW_FILE_MAX_VOCAB_SIZE);
    if (value >= r->tok->vocab_size) {
        r->tok->n_left_out++;
        return true;
    }
    *token = (int)value;
    if (r->tok->pieces[*token].len > 0)
        return hw_fail(r->err, "%s: piece \"%.32s\": id, expected one piece with it, got two",
                       r->path, text);
    if (!hw_vocab_set(r->tok, *token, spelling, text, len))
        return hw_fail(r->err, "%s: piece \"%.32s\": expected byte-level text, got other text",
                       r->path, text);
    return true;
}

// Added tokens are in the vocabulary too, in plain spelling, or only in their own list.
static bool read_added(struct reader *r)
{
    size_t i;
    json_t *added;
    json_array_foreach(json_object_get(r->root, "added_tokens"), i, added)
    {
        const char *text = hw_json_string(added, "content");
        const json_t *id = json_object_get(added, "id");
        int token;
        if (!set_piece(r, id, text, strlen(text), HW_SPELLING_RAW, &token))
            return false;
        if (token < 0)
            continue;
        struct hw_piece *p = &r->tok->pieces[token];
        p->control = flag(added, "special");
        p->literal = !p->control;
        const struct hw_added found = {.token = token,
                                       .lstrip = flag(added, "lstrip"),
                                       .rstrip = flag(added, "rstrip"),
                                       .single_word = flag(added, "single_word"),
                                       .normalized = flag(added, "normalized")};
        if (p->literal && !hw_added_new(r->tok, found, r->path, r->err))
            return false;
    }
    hw_added_sort(r->tok);
    return true;
}

static bool is_added(const struct reader *r, const json_t *id)
{
    json_int_t token = json_integer_value(id);
    return json_is_integer(id) && token >= 0 && token < r->tok->vocab_size &&
           (r->tok->pieces[token].control || r->tok->pieces[token].literal);
}

static bool read_pieces(struct reader *r)
{
    const char *text;
    json_t *id;
    int token;
    if (!read_added(r))
        return false;
    json_object_foreach((json_t *)(uintptr_t)json_object_get(r->model, "vocab"), text, id)
    {
        if (!is_added(r, id) && !set_piece(r, id, text, strlen(text), r->spelling, &token))
            return false;
    }
    r->tok->unknown = r->tok->byte_level ? -1 : 0;
    const char *unknown = hw_json_string(r->model, "unk_token");
    const json_t *unknown_id = json_object_get(json_object_get(r->model, "vocab"), unknown);
    if (json_is_integer(unknown_id) && json_integer_value(unknown_id) < r->tok->vocab_size)
        r->tok->unknown = (int)json_integer_value(unknown_id);
    return true;
}

// A merge is "left right", or in newer files ["left", "right"].
static bool read_merge(struct reader *r, int rank, const json_t *merge)
{
    const char *left = json_string_value(json_is_array(merge) ? json_array_get(merge, 0) : merge);
    const char *right = json_string_value(json_array_get(merge, 1));
    size_t left_len = left ? strlen(left) : 0;
    if (left && json_is_string(merge)) {
        const char *space = left_len ? strchr(left + 1, ' ') : NULL;
        if (space) {
            left_len = (size_t)(space - left);
            right = space + 1;
        }
    }
    if (!left || !right)
        return hw_fail(r->err, "%s: merge %d: expected two pieces, got something else", r->path,
                       rank);
    return hw_vocab_add_rule(r->tok, rank, r->path, r->spelling, left, left_len, right,
                             strlen(right), r->err);
}

static bool read_merges(struct reader *r)
{
    const json_t *merges = json_object_get(r->model, "merges");
    size_t rank;
    json_t *merge;
    if (!json_is_array(merges))
        return hw_fail(r->err, "%s: key model.merges: expected an array, got none", r->path);
    if (!hw_vocab_alloc_rules(r->tok, json_array_size(merges), r->path, r->err))
        return false;
    json_array_foreach(merges, rank, merge)
    {
        if (!read_merge(r, (int)rank, merge))
            return false;
    }
    return true;
}

static bool read_all(struct reader *r)
{
    const char *type = hw_json_string(r->model, "type");
    if (*type && strcmp(type, "BPE") != 0)
        return hw_fail(r->err, "%s: key model.type: expected BPE, got \"%.32s\"", r->path, type);
    static const char *const refused[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        if (*hw_json_string(r->model, refused[i]))
            return hw_fail(r->err, "%s: key model.%s: expected none, got \"%.32s\"", r->path,
                           refused[i], hw_json_string(r->model, refused[i]));
    r->tok->whole_words = flag(r->model, "ignore_merges");
    if (!read_pre_tokenizer(r) || !read_normalizer(r))
        return false;
    if (!r->tok->byte_level && !flag(r->model, "byte_fallback"))
        return hw_fail(r->err,
                       "%s: key model.byte_fallback: expected true, or a byte-level "
                       "tokenizer, got neither",
                       r->path);
    return read_pieces(r) && hw_vocab_index(r->tok, r->path, r->err) && read_merges(r) &&
           hw_vocab_note_left_out(r->tok, r->path);
}

// The file's folder says which tokens begin and end texts.
static bool read_special(const struct reader *r)
{
    const char *name = strrchr(r->path, '/');
    char *folder = name ? strndup(r->path, (size_t)(name - r->path) + 1) : strdup(".");
    if (!folder)
        return hw_fail(r->err, "%s: out of memory", r->path);
    if (name && name > r->path)
        folder[name - r->path] = '\0';
    bool ok = hw_special_of_folder(folder, r->root, r->tok->vocab_size, &r->tok->special, r->err);
    free(folder);
    return ok;
}

struct hw_tokenizer *hw_tokenizer_read_json(const struct hw_file *file, int vocab_size,
                                            struct hw_error *err)
{
    json_t *root = hw_json_parse(file->path, file->data, file->size, err);
    struct reader r = {.path = file->path, .root = root, .err = err};
    r.model = json_object_get(root, "model");
    if (root) // no text gets longer by decoding, and added tokens come at most twice
        r.tok = hw_vocab_new(file->path, vocab_size, file->size, err);
    bool ok = r.tok && read_all(&r) && read_special(&r);
    json_decref(root);
    if (ok)
        return r.tok;
    hw_tokenizer_close(r.tok);
    return NULL;
}

static bool set_template(struct hw_tokenizer *tok, const char *text, const char *path,
                         struct hw_error *err)
{
    return hw_vocab_set_template(tok, text, strlen(text), path, err);
}

// Of tokenizer_config.json: one template, or a list of named ones.
static bool read_config(struct hw_tokenizer *tok, const char *path, struct hw_error *err)
{
    json_t *root = hw_json_read(path, err), *one;
    const json_t *template = json_object_get(root, "chat_template");
    size_t i;
    bool ok = root != NULL;
    if (ok && json_is_string(template))
        ok = set_template(tok, json_string_value(template), path, err);
    json_array_foreach(template, i, one)
    {
        if (ok && strcmp(hw_json_string(one, "name"), "default") == 0)
            ok = set_template(tok, hw_json_string(one, "template"), path, err);
    }
    json_decref(root);
    return ok;
}

// The chat template, where the folder has one: newer folders keep it in a file of its own.
static bool read_template(struct hw_tokenizer *tok, const char *folder, struct hw_error *err)
{
    char *config = hw_path_join(folder, "tokenizer_config.json", err);
    char *jinja = hw_path_join(folder, "chat_template.jinja", err);
    struct hw_file file = {0};
    bool ok = config && jinja && (!hw_path_exists(config) || read_config(tok, config, err));
    if (ok && hw_path_exists(jinja))
        ok = hw_file_map(&file, jinja, err) &&
             hw_vocab_set_template(tok, (const char *)file.data, file.size, jinja, err);
    hw_file_unmap(&file);
    free(config);
    free(jinja);
    return ok;
}

struct hw_tokenizer *hw_tokenizer_read_folder(const char *folder, int vocab_size,
                                              struct hw_error *err)
{
    struct hw_tokenizer *tok = NULL;
    struct hw_file file = {0};
    char *vocab_path = hw_path_join(folder, "tokenizer.json", err);
    if (vocab_path && hw_file_map(&file, vocab_path, err))
        tok = hw_tokenizer_read_json(&file, vocab_size, err);
    hw_file_unmap(&file);
    bool ok = tok && read_template(tok, folder, err);
    free(vocab_path);
    if (ok)
        return tok;
    hw_tokenizer_close(tok);
    return NULL;
}
