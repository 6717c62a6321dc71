// SPDX-License-Identifier: Apache-2.0
// Owns which file is believed about BOS and EOS.
#include "gen/read/special.h"

#include <stdlib.h>
#include <string.h>

enum { LLAMA_BOS = 1, LLAMA_EOS = 2 }; // of transformers' LlamaConfig

// What one source says: a set of tokens, n -1 where it says nothing.
struct source {
    const char *what;
    int token[HW_MAX_ENDS], n;
};

struct reader {
    const char *folder;
    int vocab_size;
    bool notes;                                     // sources that disagree are printed
    json_t *generation, *config, *tokenizer_config; // NULL: no such file
    const json_t *tokenizer;                        // likewise
    struct hw_error *err;
};

int hw_special_first(const struct hw_special *s)
{
    return s->bos >= 0 ? s->bos : s->n_ends > 0 ? s->ends[0] : 0;
}

static bool has(const int *token, int n, int one)
{
    for (int i = 0; i < n; i++)
        if (token[i] == one)
            return true;
    return false;
}

static bool add(const struct reader *r, struct source *s, const json_t *id)
{
    char shown[HW_JSON_SHOWN];
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || value >= r->vocab_size)
        return hw_fail(r->err, "%s: %s: expected a token 0..%d, got %s", r->folder, s->what,
                       r->vocab_size - 1, hw_json_show(id, shown));
    if (s->n == HW_MAX_ENDS)
        return hw_fail(r->err, "%s: %s: expected at most %d tokens, got more", r->folder, s->what,
                       HW_MAX_ENDS);
    if (!has(s->token, s->n, (int)value))
        s->token[s->n++] = (int)value;
    return true;
}

// A token id, or a list of them. Null says nothing.
static bool read_ids(const struct reader *r, const json_t *root, const char *key, const char *what,
                     struct source *s)
{
    const json_t *value = json_object_get(root, key), *one;
    size_t i;
    *s = (struct source){.what = what, .n = -1};
    if (!value || json_is_null(value))
        return true;
    s->n = 0;
    if (!json_is_array(value))
        return add(r, s, value);
    json_array_foreach(value, i, one)
    {
        if (!add(r, s, one))
            return false;
    }
    return true;
}

// The id of a token with this text in tokenizer.json, or NULL.
static const json_t *id_of(const struct reader *r, const char *text)
{
    const json_t *one, *added = json_object_get(r->tokenizer, "added_tokens");
    size_t i;
    json_array_foreach(added, i, one)
    {
        if (strcmp(hw_json_string(one, "content"), text) == 0)
            return json_object_get(one, "id");
    }
    return json_object_get(json_object_get(json_object_get(r->tokenizer, "model"), "vocab"), text);
}

// bos_token or eos_token of tokenizer_config.json, a text or an object that holds it.
static bool read_named(const struct reader *r, const char *key, const char *what, struct source *s)
{
    const json_t *value = json_object_get(r->tokenizer_config, key);
    const char *text =
        json_is_string(value) ? json_string_value(value) : hw_json_string(value, "content");
    const json_t *id = *text ? id_of(r, text) : NULL;
    *s = (struct source){.what = what, .n = id ? 0 : -1};
    return !id || add(r, s, id);
}

// The members of a Sequence of post-processors, or the one there is; NULL after the last.
static const json_t *processor(const json_t *all, size_t i)
{
    if (strcmp(hw_json_string(all, "type"), "Sequence") == 0)
        return json_array_get(json_object_get(all, "processors"), i);
    return i == 0 && json_is_object(all) ? all : NULL;
}

// What the template of a single text puts before it.
static bool read_template(const struct reader *r, const json_t *one, struct source *s)
{
    const json_t *item, *id, *single = json_object_get(one, "single");
    const json_t *all = json_object_get(one, "special_tokens");
    size_t i, k;
    s->n = 0;
    json_array_foreach(single, i, item)
    {
        const json_t *token = json_object_get(item, "SpecialToken");
        if (!token)
            break; // the text
        const char *name = hw_json_string(token, "id");
        const json_t *ids = json_object_get(json_object_get(all, name), "ids");
        if (!json_is_array(ids) && !add(r, s, id_of(r, name)))
            return false;
        json_array_foreach(ids, k, id)
        {
            if (!add(r, s, id))
                return false;
        }
    }
    return s->n <= 1 || hw_fail(r->err, "%s: %s: expected at most one token before a text, got %d",
                                r->folder, s->what, s->n);
}

static bool read_processor(const struct reader *r, struct source *s)
{
    const json_t *one, *all = json_object_get(r->tokenizer, "post_processor");
    *s = (struct source){.what = "tokenizer.json: post_processor", .n = -1};
    for (size_t i = 0; (one = processor(all, i)) != NULL; i++)
        if (strcmp(hw_json_string(one, "type"), "TemplateProcessing") == 0 &&
            !read_template(r, one, s))
            return false;
    return true;
}

// The first of n sources that says something, or NULL. A note is printed where one after it says
// what it does not.
static const struct source *choose(const struct reader *r, const struct source *s, int n)
{
    const struct source *chosen = NULL;
    for (int i = 0; i < n; i++) {
        if (s[i].n < 0)
            continue;
        if (!chosen) {
            chosen = &s[i];
            continue;
        }
        for (int k = 0; k < s[i].n && r->notes; k++) {
            if (has(chosen->token, chosen->n, s[i].token[k]))
                continue;
            if (chosen->n > 0)
                hw_note("%s: %s is %d, but %s is %d: the former counts", r->folder, chosen->what,
                        chosen->token[0], s[i].what, s[i].token[k]);
            else
                hw_note("%s: %s is none, but %s is %d: the former counts", r->folder, chosen->what,
                        s[i].what, s[i].token[k]);
            break;
        }
    }
    return chosen;
}

static bool find_bos(const struct reader *r, struct hw_special *s)
{
    struct source from[4];
    if (!read_processor(r, &from[0]) ||
        !read_ids(r, r->generation, "bos_token_id", "generation_config.json: bos_token_id",
                  &from[1]) ||
        !read_ids(r, r->config, "bos_token_id", "config.json: bos_token_id", &from[2]) ||
        !read_named(r, "bos_token", "tokenizer_config.json: bos_token", &from[3]))
        return false;
    s->adds_bos = from[0].n == 1;
    // a post-processor that puts nothing before a text does not say that there is no BOS
    const struct source *chosen = s->adds_bos ? choose(r, from, 4) : choose(r, from + 1, 3);
    if (chosen || json_is_null(json_object_get(r->config, "bos_token_id")))
        s->bos = chosen && chosen->n > 0 ? chosen->token[0] : -1;
    return !r->tokenizer_config || hw_json_bool(r->tokenizer_config, "add_bos_token", &s->adds_bos,
                                                "tokenizer_config.json", r->err);
}

static bool find_ends(const struct reader *r, struct hw_special *s)
{
    struct source from[3];
    if (!read_ids(r, r->generation, "eos_token_id", "generation_config.json: eos_token_id",
                  &from[0]) ||
        !read_ids(r, r->config, "eos_token_id", "config.json: eos_token_id", &from[1]) ||
        !read_named(r, "eos_token", "tokenizer_config.json: eos_token", &from[2]))
        return false;
    s->named_eos = from[2].n > 0 ? from[2].token[0] : -1;
    const struct source *chosen = choose(r, from, 3);
    if (json_is_null(json_object_get(r->config, "eos_token_id")))
        s->n_ends = 0; // in place of the default
    if (chosen) {
        s->n_ends = chosen->n;
        memcpy(s->ends, chosen->token, (size_t)chosen->n * sizeof *s->ends);
    }
    return true;
}

// A file of the folder, *root NULL where there is none.
static bool open_file(const struct reader *r, const char *name, json_t **root)
{
    char *path = hw_path_join(r->folder, name, r->err);
    *root = path && hw_path_exists(path) ? hw_json_read(path, r->err) : NULL;
    free(path);
    return !r->err->set;
}

// tokenizer.json for a model's sake, which can do without.
static json_t *open_tokenizer(const struct reader *r)
{
    struct hw_error err = {0};
    struct reader own = *r;
    json_t *root;
    own.err = &err;
    if (!open_file(&own, "tokenizer.json", &root))
        hw_note("%s: which token is BOS is taken from the folder's other files", err.text);
    return root;
}

bool hw_special_of_folder(const char *folder, const json_t *tokenizer, int vocab_size,
                          struct hw_special *s, struct hw_error *err)
{
    struct reader r = {
        .folder = folder, .vocab_size = vocab_size, .notes = tokenizer != NULL, .err = err};
    json_t *own = tokenizer ? NULL : open_tokenizer(&r);
    *s = (struct hw_special){.bos = -1, .named_eos = -1};
    r.tokenizer = tokenizer ? tokenizer : own;
    bool ok = open_file(&r, "generation_config.json", &r.generation) &&
              open_file(&r, "config.json", &r.config) &&
              open_file(&r, "tokenizer_config.json", &r.tokenizer_config);
    if (ok && r.config && LLAMA_EOS < vocab_size)
        *s = (struct hw_special){
            .bos = LLAMA_BOS, .ends = {LLAMA_EOS}, .n_ends = 1, .named_eos = -1};
    ok = ok && find_bos(&r, s) && find_ends(&r, s);
    json_decref(r.generation);
    json_decref(r.config);
    json_decref(r.tokenizer_config);
    json_decref(own);
    return ok;
}

// --- GGUF

// A key absent: *token stays. 0xFFFFFFFF is written for "none".
static bool read_key(const struct hw_gguf *g, const char *key, int vocab_size, int *token,
                     struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    if (p && !p->is_array && p->type == HW_GGUF_U32 && hw_load_u32(p->value) == UINT32_MAX)
        *token = -1;
    else if (!hw_gguf_int(g, key, token, err))
        return false;
    if (*token < -1 || *token >= vocab_size)
        return hw_fail(err, "%s: key %s: expected a token 0..%d, got %d", g->file->path, key,
                       vocab_size - 1, *token);
    return true;
}

bool hw_special_of_gguf(const struct hw_gguf *g, int vocab_size, struct hw_special *s,
                        struct hw_error *err)
{
    static const char *const keys[] = {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                                       "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    struct hw_text model = {"", 0};
    if (!hw_gguf_string(g, "tokenizer.ggml.model", &model, err))
        return false;
    bool spm = hw_text_is(model, "llama"); // whose defaults are sentencepiece's
    int token[] = {spm && LLAMA_BOS < vocab_size ? LLAMA_BOS : -1,
                   spm && LLAMA_EOS < vocab_size ? LLAMA_EOS : -1, -1, -1};
    *s = (struct hw_special){.bos = -1, .named_eos = -1};
    for (int i = 0; i < 4; i++) {
        if (!read_key(g, keys[i], vocab_size, &token[i], err))
            return false;
        if (i > 0 && token[i] >= 0 && !has(s->ends, s->n_ends, token[i]))
            s->ends[s->n_ends++] = token[i];
    }
    s->bos = token[0];
    return true;
}
