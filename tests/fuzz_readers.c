// SPDX-License-Identifier: Apache-2.0
// A fuzz target for every file reader: compiled with -DTARGET=llama2c, gguf, ... Any bytes are the
// file. What a reader refuses has a message, and what it accepts must work to the end: every row
// be read, text be encoded and decoded, integers run.
#include <stdlib.h>
#include <string.h>

#include "gen/chip/manifest.h"
#include "gen/qmodel/codebook.h"
#include "gen/qmodel/file.h"
#include "gen/qmodel/synthetic.h"
#include "gen/read/model.h"
#include "gen/text/tokenizer.h"
#include "refmodel/ref.h"
#include "sim/design.h"
#include "tests/fuzz.h"

// A reader says why it fails, and only then.
static void judge(bool ok, const struct hw_error *err)
{
    if (ok == err->set || (err->set && !err->text[0]))
        abort();
}

// --- checkpoints

static void open_model(const char *path)
{
    struct hw_error err = {0};
    struct hw_model *model = hw_model_open(path, &err); // has read every row
    judge(model != NULL, &err);
    hw_model_close(model);
}

static void llama2c(const uint8_t *data, size_t size)
{
    if (size >= 4 && memcmp(data, "GGUF", 4) == 0)
        return; // another reader's
    fuzz_file("model", data, size);
    open_model(FUZZ_FOLDER "/model");
}

static void gguf(const uint8_t *data, size_t size)
{
    fuzz_file("model", data, size);
    if (size >= 4 && memcmp(data, "GGUF", 4) == 0)
        open_model(FUZZ_FOLDER "/model");
}

// The lengths of all parts but the last, 16 bits each, then the parts. A part beyond the end is
// cut.
static void split(const uint8_t *data, size_t size, int n, const uint8_t **part, size_t *len)
{
    size_t at = 2 * (size_t)(n - 1);
    for (int i = 0; i < n; i++) {
        size_t left = size > at ? size - at : 0;
        size_t want = i < n - 1 && size >= 2 * (size_t)n
                          ? (size_t)(data[2 * i] | data[2 * i + 1] << 8)
                          : left;
        len[i] = want < left ? want : left;
        part[i] = data + (left ? at : size);
        at += len[i];
    }
}

// A Hugging Face folder: configuration, index (none where it is empty), one shard, and what every
// other name says.
static void folder(const uint8_t *data, size_t size)
{
    const uint8_t *part[4];
    size_t len[4];
    split(data, size, 4, part, len);
    fuzz_file("config.json", part[0], len[0]);
    if (len[1] > 0)
        fuzz_file("model.safetensors.index.json", part[1], len[1]);
    fuzz_file("model.safetensors", part[2], len[2]);
    fuzz_file("2.safetensors", part[3], len[3]);
    open_model(FUZZ_FOLDER);
}

// --- tokenizers

enum { VOCAB_SIZE = 16 };

static void open_tokenizer(const char *path, const uint8_t *text, size_t len)
{
    struct hw_error err = {0};
    struct hw_tokenizer *tok = hw_tokenizer_open(path, VOCAB_SIZE, &err);
    judge(tok != NULL, &err);
    if (!tok)
        return;
    size_t room = hw_tokenizer_room(len);
    int *ids = malloc(room * sizeof *ids); // the sanitizer watches the bound
    int n = ids ? hw_tokenizer_encode(tok, (const char *)text, len, true, ids) : 0;
    if (n < 0 || (size_t)n > room)
        abort();
    for (int i = 0; i < n; i++) {
        size_t bytes, sum = 0;
        if (ids[i] < 0 || ids[i] >= VOCAB_SIZE)
            abort();
        const char *piece = hw_tokenizer_piece(tok, i ? ids[i - 1] : -1, ids[i], &bytes);
        for (size_t b = 0; b < bytes; b++)
            sum += (uint8_t)piece[b];
        if (sum > bytes * 255)
            abort();
    }
    free(ids);
    hw_tokenizer_close(tok);
}

static void any_tokenizer(const uint8_t *data, size_t size)
{
    size_t tail = size < 32 ? size : 32; // the text: the file's own end
    fuzz_file("tokenizer", data, size);
    open_tokenizer(FUZZ_FOLDER "/tokenizer", data + size - tail, tail);
}

static void tokenizer_bin(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] != '{' && data[0] != 'G')
        any_tokenizer(data, size);
}

static void tokenizer_gguf(const uint8_t *data, size_t size)
{
    if (size >= 4 && memcmp(data, "GGUF", 4) == 0)
        any_tokenizer(data, size);
}

// A folder: config.json and tokenizer.json, the latter also alone.
static void tokenizer_json(const uint8_t *data, size_t size)
{
    static const uint8_t text[] = "a b<s> 12\xC3\xA9\xE2\x96\x81\xFF";
    const uint8_t *part[2];
    size_t len[2];
    split(data, size, 2, part, len);
    fuzz_file("config.json", part[0], len[0]);
    fuzz_file("tokenizer.json", part[1], len[1]);
    open_tokenizer(len[0] ? FUZZ_FOLDER : FUZZ_FOLDER "/tokenizer.json", text, sizeof text - 1);
}

// --- what the program itself writes

static void quantized(const uint8_t *data, size_t size)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    fuzz_file("q", data, size);
    bool ok = hw_qmodel_read(&q, FUZZ_FOLDER "/q", &err);
    judge(ok, &err);
    struct hw_ref *ref = ok && q.config.seq_len <= 64 ? hw_ref_new(&q) : NULL;
    if (ref)
        hw_ref_forward(ref, q.config.vocab_size - 1, 0, true);
    hw_ref_free(ref);
    hw_qmodel_free(&q);
}

static void levels(const uint8_t *data, size_t size)
{
    struct hw_error err = {0};
    fuzz_file("levels", data, size);
    struct hw_codebooks *g = hw_codebooks_open(FUZZ_FOLDER "/levels", &err);
    judge(g != NULL, &err);
    const struct hw_codebook *grid = g ? hw_codebooks_find(g, "l00.wq") : NULL;
    for (int i = 1; grid && i < grid->n; i++)
        if (grid->value[i] <= grid->value[i - 1])
            abort();
    hw_codebooks_close(g);
}

// A design's manifest, of a model of fixed dimensions; every other file reads "x".
static void manifest(const uint8_t *data, size_t size)
{
    struct hw_qmodel q; // opening a design cuts its context
    struct hw_error err = {0};
    struct hw_design design;
    struct hw_config c;
    const struct hw_widths w = {.code_bits = 4, .act_bits = 8, .kv_bits = 8, .res_bits = 20};
    if (!hw_parse_shape("8,8,1,2,1,8,8", &c, &err) || !hw_qmodel_synthetic(&c, &w, 4, 4, &q, &err))
        abort();
    fuzz_file("manifest.json", data, size);
    fuzz_other_files((const uint8_t *)"x", 1);
    bool ok = hw_design_open(&design, FUZZ_FOLDER, &q, &err);
    judge(ok, &err);
    if (ok)
        hw_design_close(&design);
    err = (struct hw_error){0};
    struct hw_manifest m;
    struct hw_geometry g;
    struct hw_plan plan;
    ok = hw_manifest_read(&m, FUZZ_FOLDER, &err);
    judge(ok, &err);
    if (ok) {
        hw_manifest_tampered(&m, FUZZ_FOLDER);
        g = m.geometry;
        ok = hw_geometry_fit(&g, &q, &err) && hw_fabric_take(&g, &m.geometry, &err) &&
             hw_plan_make(&plan, &q, &g, "chip", &err);
        judge(ok, &err);
        if (ok)
            hw_plan_free(&plan);
        hw_manifest_free(&m);
    }
    hw_qmodel_free(&q);
}

typedef void target(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static target *const all[] = {llama2c,        gguf,      folder, tokenizer_bin, tokenizer_json,
                                  tokenizer_gguf, quantized, levels, manifest};
    (void)all; // each is used in one of the programs
    fuzz_no_files();
    TARGET(data, size);
    return 0;
}
