// SPDX-License-Identifier: Apache-2.0
// Hugging Face folders written by the test: every weight in two storage types, whole and in two
// shards, tokenizer.json, and ways to damage each of the files.
#define _POSIX_C_SOURCE 200809L // mkdir, rmdir

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_FILE "test_hf.tmp"
#include "gen/text/tokenizer.h"
#include "tests/tiny.h"

#define CONFIG TEMP_FILE "/config.json"
#define WEIGHTS TEMP_FILE "/model.safetensors"
#define INDEX TEMP_FILE "/model.safetensors.index.json"
#define SHARD_1 TEMP_FILE "/model-1.safetensors"
#define SHARD_2 TEMP_FILE "/model-2.safetensors"
#define TOKENIZER TEMP_FILE "/tokenizer.json"
#define GENERATION TEMP_FILE "/generation_config.json"
#define TOKENIZER_CONFIG TEMP_FILE "/tokenizer_config.json"

static const char good_config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 32, \"intermediate_size\": 64,\n"
    " \"num_hidden_layers\": 2, \"num_attention_heads\": 8, \"num_key_value_heads\": 4,\n"
    " \"vocab_size\": 10, \"max_position_embeddings\": 3, \"tie_word_embeddings\": true,\n"
    " \"rms_norm_eps\": 1e-05, \"rope_theta\": 10000.0, \"rope_scaling\": null,\n"
    " \"hidden_act\": \"silu\", \"attention_bias\": false, \"head_dim\": null,\n"
    " \"bos_token_id\": 0, \"eos_token_id\": [9, 0]}\n";

static void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static void remove_all(void)
{
    static const char *const files[] = {CONFIG,  WEIGHTS,   INDEX,      SHARD_1,
                                        SHARD_2, TOKENIZER, GENERATION, TOKENIZER_CONFIG};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        remove(files[i]);
}

static const char *const names[HW_N_TENSORS] = {
    "model.embed_tokens",       "lm_head",          "model.norm",       "input_layernorm",
    "self_attn.q_proj",         "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "post_attention_layernorm", "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj",
};

// The row of the interleaved order that a folder stores as row `row` of Q and K.
static int interleaved_row(enum hw_tensor_id id, int row)
{
    int half = tiny.head_dim / 2, in_head = row % tiny.head_dim;
    if (id != HW_WQ && id != HW_WK)
        return row;
    return row - in_head + in_head % half * 2 + in_head / half;
}

// Tensors first..last-1 of the list of all as a safetensors file, BF16 or F32.
static void put_tensors(struct buffer *b, const struct hw_config *c, bool bf16, int first, int last)
{
    static struct buffer data;
    static char header[8192];
    size_t len = 0;
    int index = 0;
    data.n = 0;
    header[len++] = '{';
    for (int id = 0; id < HW_N_TENSORS; id++)
        for (int layer = 0; layer < (id <= HW_OUTPUT_NORM ? 1 : tiny.n_layers); layer++) {
            int rows, cols;
            if (!hw_tensor_exists(c, (enum hw_tensor_id)id) || index++ < first || index > last)
                continue;
            hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
            size_t begin = data.n;
            for (int row = 0; row < rows; row++)
                for (int col = 0; col < cols; col++) {
                    put_f32(&data, weight((enum hw_tensor_id)id, layer,
                                          interleaved_row((enum hw_tensor_id)id, row), col));
                    if (bf16) { // the upper half of the float alone
                        memmove(data.bytes + data.n - 4, data.bytes + data.n - 2, 2);
                        data.n -= 2;
                    }
                }
            char layer_name[32] = "", shape[32];
            if (id > HW_OUTPUT_NORM)
                snprintf(layer_name, sizeof layer_name, "model.layers.%d.", layer);
            snprintf(shape, sizeof shape, "%d,%d", rows, cols);
            const char *shown = rows == 1 ? strchr(shape, ',') + 1 : shape;
            len += (size_t)snprintf(header + len, sizeof header - len,
                                    "%s\"%s%s.weight\":{\"dtype\":\"%s\",\"shape\":[%s],"
                                    "\"data_offsets\":[%zu,%zu]}",
                                    len > 1 ? "," : "", layer_name, names[id],
                                    bf16 ? "BF16" : "F32", shown, begin, data.n);
        }
    header[len++] = '}';
    b->n = 0;
    put_u32(b, (uint32_t)len);
    put_u32(b, 0);
    memcpy(b->bytes + b->n, header, len);
    b->n += len;
    memcpy(b->bytes + b->n, data.bytes, data.n);
    b->n += data.n;
}

static void put_safetensors(struct buffer *b, bool bf16, int first, int last)
{
    put_tensors(b, &tiny, bf16, first, last);
}

static void put_all(struct buffer *b, const struct hw_config *c)
{
    put_tensors(b, c, false, 0, 100);
}

static void expect_all(void)
{
    struct hw_error err = {0};
    struct hw_model *model = hw_model_open(TEMP_FILE, &err);
    if (!model)
        fail_msg("%s", err.text);
    struct hw_config want = tiny;
    want.bos = 0;
    expect_config(hw_model_config(model), &want);
    expect_every_weight(model, &tiny);
    hw_model_close(model);
}

static void expect_model_refused(const char *text)
{
    struct hw_error err = {0};
    struct hw_model *model = hw_model_open(TEMP_FILE, &err);
    assert_null(model);
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
}

static void test_every_weight(void **state)
{
    (void)state;
    static struct buffer b;
    write_text(CONFIG, good_config);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        put_safetensors(&b, bf16, 0, 100);
        write_bytes(WEIGHTS, b.bytes, b.n);
        expect_all();
    }
    remove_all();
}

static void test_shards(void **state)
{
    (void)state;
    static struct buffer b;
    write_text(CONFIG, good_config);
    put_safetensors(&b, false, 0, 7);
    write_bytes(SHARD_1, b.bytes, b.n);
    put_safetensors(&b, true, 7, 100);
    write_bytes(SHARD_2, b.bytes, b.n);
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model-2.safetensors\", "
                      "\"b\": \"model-1.safetensors\", \"c\": \"model-2.safetensors\"}}");
    expect_all();
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model-2.safetensors\"}}");
    expect_model_refused("got nothing");
    write_text(INDEX, "{\"weight_map\": {\"a\": \"../model-2.safetensors\"}}");
    expect_model_refused("of this folder");
    write_text(INDEX, "{\"weight_map\": {}}");
    expect_model_refused("got none");
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model-3.safetensors\"}}");
    expect_model_refused("model-3.safetensors: open");
    put_safetensors(&b, true, 6, 100); // one tensor in both shards
    write_bytes(SHARD_2, b.bytes, b.n);
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model-2.safetensors\", "
                      "\"b\": \"model-1.safetensors\"}}");
    expect_model_refused("got it again");
    remove_all();
}

// Replaces the first `from` in b by `to`, of the same length.
static void replace(uint8_t *bytes, size_t n, const char *from, const char *to)
{
    size_t len = strlen(from);
    assert_int_equal(len, strlen(to));
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(bytes + i, from, len) == 0) {
            memcpy(bytes + i, to, len);
            return;
        }
    fail_msg("no %s", from);
}

static void expect_weights_refused(const char *from, const char *to, const char *text)
{
    static struct buffer b;
    put_safetensors(&b, false, 0, 100);
    replace(b.bytes, b.n, from, to);
    write_bytes(WEIGHTS, b.bytes, b.n);
    expect_model_refused(text);
}

static void test_damaged_weights(void **state)
{
    (void)state;
    static struct buffer b;
    write_text(CONFIG, good_config);
    expect_model_refused("model.safetensors: open");
    expect_weights_refused("\"F32\"", "\"F64\"", "dtype, expected");
    expect_weights_refused("[10,32]", "[10,31]", "shape, expected");
    expect_weights_refused("[10,32]", "[320,1]", "shape, expected");
    expect_weights_refused("[10,32]", "[-1,32]", "shape, expected");
    expect_weights_refused("[10,32]", "[1,3,2]", "shape, expected");
    expect_weights_refused("[0,1280]", "[0,1284]", "data_offsets");
    expect_weights_refused("[0,1280]", "[4,1280]", "data_offsets");
    expect_weights_refused("[0,1280]", "[9,1   ]", "data_offsets");
    expect_weights_refused("[0,1280]", "[-4,280]", "data_offsets");
    expect_weights_refused("model.layers.1.mlp.up_proj", "model.layers.0.mlp.up_proj", "JSON");
    expect_weights_refused("model.layers.1.mlp.up_proj", "model.layers.2.mlp.up_proj",
                           "got nothing");
    expect_weights_refused("model.norm", "model\\norm", "printable");
    expect_weights_refused("{\"model", "[\"model", "JSON");

    put_safetensors(&b, false, 0, 100);
    size_t whole = b.n;
    for (b.n = 1; b.n < whole; b.n += b.n < 16 ? 1 : 4099) {
        write_bytes(WEIGHTS, b.bytes, b.n);
        expect_model_refused("expected");
    }
    b.n = whole + 1;
    write_bytes(WEIGHTS, b.bytes, b.n);
    expect_model_refused("file size");
    memset(b.bytes, 0xff, 8);
    write_bytes(WEIGHTS, b.bytes, whole);
    expect_model_refused("header: length");
    remove_all();
}

static void expect_config_refused(const char *from, const char *to, const char *text)
{
    static struct buffer b;
    char config[sizeof good_config];
    memcpy(config, good_config, sizeof config);
    replace((uint8_t *)config, sizeof config - 1, from, to);
    write_text(CONFIG, config);
    put_safetensors(&b, false, 0, 100);
    write_bytes(WEIGHTS, b.bytes, b.n);
    expect_model_refused(text);
}

static void test_other_configs(void **state)
{
    (void)state;
    expect_model_refused("config.json");
    expect_config_refused("\"llama\"", "\"gemma\"",
                          "expected llama, mistral, qwen2 or qwen3, got \"gemma\"");
    expect_config_refused("\"silu\"", "\"gelu\"", "hidden_act");
    expect_config_refused("_bias\": false", "_bias\": true ",
                          "key attention_bias: expected false, got true");
    expect_config_refused("\"attention_bias\": false", "\"mlp_bias\": true       ",
                          "key mlp_bias: expected false, got true");
    expect_config_refused("\"bos_token_id\": 0", "\"bos_token_id\":10", "a token 0..9");
    expect_config_refused("\"rope_scaling\": null,", "\"rope_scaling\": 1e99,",
                          "expected an object");
    expect_config_refused("hidden_size\": 32", "hidden_size\": 31", "expected");
    expect_config_refused("hidden_size\": 32", "hidden_size\": \"\"", "integer");
    expect_config_refused("hidden_size\": 32", "hidden_size\": -1", "dim");
    expect_config_refused("layers\": 2", "layers\": 1", "more layers");
    expect_config_refused("layers\": 2", "layers\": 3", "got nothing");
    expect_config_refused("head_dim\": null", "head_dim\": 3   ", "head_dim");
    expect_config_refused("embeddings\": true", "embeddings\": null", "lm_head.weight");
    expect_config_refused("\"vocab_size\": 10", "\"hidden_size\":10", "JSON");
    expect_config_refused("}", "]", "JSON");
    remove_all();
}

// The model with `scaling` in place of null.
static struct hw_model *open_scaled(const char *scaling, struct hw_error *err)
{
    static struct buffer b;
    char config[sizeof good_config + 256];
    const char *null = strstr(good_config, "_scaling\": null") + 11;
    snprintf(config, sizeof config, "%.*s%s%s", (int)(null - good_config), good_config, scaling,
             null + 4);
    write_text(CONFIG, config);
    put_safetensors(&b, false, 0, 100);
    write_bytes(WEIGHTS, b.bytes, b.n);
    return hw_model_open(TEMP_FILE, err);
}

static void expect_divisors(const char *scaling, double first, double second)
{
    struct hw_error err = {0};
    struct hw_model *model = open_scaled(scaling, &err);
    if (!model)
        fail_msg("%s", err.text);
    const struct hw_config *c = hw_model_config(model);
    assert_float_equal(c->rope_divisor[0], first, 1e-12);
    assert_float_equal(c->rope_divisor[1], second, 1e-12);
    hw_model_close(model);
}

static void expect_scaling_refused(const char *scaling, const char *text)
{
    struct hw_error err = {0};
    assert_null(open_scaled(scaling, &err));
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
}

// The values for llama3 are those of transformers' formula (_compute_llama3_parameters).
static void test_scaled_rope(void **state)
{
    (void)state;
    static const char llama3[] = "{\"rope_type\": \"llama3\", \"factor\": 8, "
                                 "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, "
                                 "\"original_max_position_embeddings\": 1024}";
    expect_divisors("null", 0.0, 0.0);
    expect_divisors("{\"rope_type\": \"default\"}", 0.0, 0.0);
    expect_divisors("{}", 0.0, 0.0);
    expect_divisors("{\"rope_theta\": 10000.0, \"rope_type\": null, \"type\": null}", 0.0, 0.0);
    expect_divisors("null, \"rope_parameters\": {\"rope_theta\": 10000.0}", 0.0, 0.0);
    expect_divisors("null, \"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 3}", 3.0,
                    3.0);
    expect_divisors("null, \"rope_parameters\": {\"a\": {\"type\": \"linear\", \"factor\": 3}, "
                    "\"b\": {\"type\": \"linear\", \"factor\": 3}}",
                    3.0, 3.0);
    expect_scaling_refused("null, \"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1e6}, "
                           "\"sliding_attention\": {\"rope_theta\": 1e4}}",
                           "one for full_attention and another for sliding_attention");
    expect_scaling_refused("{\"type\": \"linear\", \"factor\": 2}, \"rope_parameters\": "
                           "{\"type\": \"linear\", \"factor\": 3}",
                           "expected the same scaling");
    expect_scaling_refused("{\"rope_type\": 5}", "rope_type, expected text, got 5");
    expect_scaling_refused("7", "rope_scaling: expected an object, got 7");
    expect_scaling_refused("[\"0123456789\", \"0123456789\", \"0123456789\", \"0123456789\"]",
                           "got [\"0123456789\",\"0123456789\",\"0123456789\",\"012...");
    expect_scaling_refused("\"0123456789012345678901234567890123456789012345678901234567890123\"",
                           "got \"0123456789012345678901234567890123456789012...");
    expect_scaling_refused("{\"partial_rotary_factor\": 0.5}", "partial_rotary_factor: expected 1");
    expect_divisors("{\"type\": \"linear\", \"factor\": 2.5}", 2.5, 2.5);
    expect_divisors(llama3, 1.0, 3.2396418468652604);
    expect_scaling_refused("{\"type\": \"linear\"}", "factor, expected 1..1e+06, got 0");
    expect_scaling_refused("{\"type\": \"llama3\", \"factor\": 8}", "low_freq_factor");
    expect_scaling_refused("{\"type\": \"yarn\", \"factor\": 8}", "got \"yarn\"");
    remove_all();
}

// Keys that nobody asks for may hold numbers beyond every type, and strings what looks like them;
// asked for, a number that no double holds is refused.
static void test_wide_numbers(void **state)
{
    (void)state;
    expect_divisors(
        "null, \"a\": 1000000000000000019884624838656, \"b\": [-1e999, 2e308, NaN],"
        "\"c\": -Infinity, \"d\": Infinity, \"e\": \"\\\"1000000000000000019884624838656\"",
        0.0, 0.0);
    expect_divisors("{\"type\": \"linear\", \"factor\": 2, \"x\": 99999999999999999999}", 2.0, 2.0);
    expect_scaling_refused("{\"type\": \"linear\", \"factor\": 1e999}",
                           "factor: expected a number, got \"1e999\"");
    expect_scaling_refused("{\"type\": \"linear\", \"factor\": Infinity}",
                           "factor: expected a number, got \"Infinity\"");
    expect_scaling_refused("{\"type\": \"linear\", \"factor\": -Infinity}",
                           "factor: expected a number, got \"-Infinity\"");
    expect_scaling_refused("{\"a\": [NaN,NaN,NaN,-1e400], \"type\": \"linear\", \"factor\": NaN}",
                           "factor: expected a number, got \"NaN\"");
    expect_scaling_refused("{\"type\": \"linear\", \"factor\": 100000000000000000000000000000}",
                           "got 1e+29");
    expect_scaling_refused("null, \"a\": 12345678901234567890123-", "JSON");
    expect_scaling_refused("null, \"a\": --Infinity", "JSON");
    remove_all();
}

// A tied model with a classifier in the file: dropped where it is the embedding once more, else
// kept.
static void test_second_classifier(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_config untied = tiny;
    untied.tied = false;
    for (int same = 0; same < 2; same++) {
        struct hw_error err = {0};
        put_all(&b, &untied);
        uint8_t *data = b.bytes + 8 + b.bytes[0] + 256 * b.bytes[1]; // the embedding, then lm_head
        size_t n = 4 * (size_t)(tiny.vocab_size * tiny.dim);
        if (same)
            memcpy(data + n, data, n);
        write_text(CONFIG, good_config);
        write_bytes(WEIGHTS, b.bytes, b.n);
        struct hw_model *model = hw_model_open(TEMP_FILE, &err);
        if (!model)
            fail_msg("%s", err.text);
        assert_int_equal(hw_model_config(model)->tied, same);
        if (!same)
            expect_every_weight(model, &untied);
        hw_model_close(model);
    }
    remove_all();
}

static const char good_tokenizer[] =
    "{\"added_tokens\": [{\"id\": 0, \"content\": \"<end>\", \"special\": true}],\n"
    " \"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n"
    "  {\"type\": \"Digits\", \"individual_digits\": true},\n"
    "  {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": true}]},\n"
    " \"model\": {\"type\": \"BPE\", \"vocab\": {\"<end>\": 0, \"a\": 1, \"b\": 2,\n"
    "  \"\\u0120\": 3, \"1\": 4, \"\\u010A\": 5, \"\\u0120a\": 6, \"ab\": 7,\n"
    "  \"\\u0120ab\": 8, \"\\u00E9\": 9},\n"
    " \"merges\": [\"\\u0120 a\", [\"a\", \"b\"], \"\\u0120a b\"]}}\n";

static void test_tokenizer(void **state)
{
    (void)state;
    write_text(CONFIG, good_config);
    write_text(TOKENIZER, good_tokenizer);
    struct hw_error err = {0};
    struct hw_tokenizer *tok = hw_tokenizer_open(TEMP_FILE, 10, &err);
    if (!tok)
        fail_msg("%s", err.text);
    assert_int_equal(hw_tokenizer_bos(tok), 0);
    assert_int_equal(hw_tokenizer_eos(tok), 9);
    static const char text[] = "ab ab\n 11\xE9";
    static const int want[] = {0, 7, 8, 5, 3, 4, 4, 9};
    int ids[32];
    assert_int_equal(hw_tokenizer_encode(tok, text, sizeof text - 1, true, ids), 8);
    assert_memory_equal(ids, want, sizeof want);
    size_t len;
    assert_memory_equal(hw_tokenizer_piece(tok, 0, 8, &len), " ab", 3);
    hw_tokenizer_piece(tok, 8, 0, &len);
    assert_int_equal(len, 0);
    hw_tokenizer_close(tok);
    remove_all();
}

// A tokenizer whose control tokens are 0, 8 and 9; the post-processor puts `before` before a text.
static void write_special(const char *before)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{\"added_tokens\": [{\"id\": 0, \"content\": \"<end>\", \"special\": true},"
             "{\"id\": 8, \"content\": \"<s>\", \"special\": true},"
             "{\"id\": 9, \"content\": \"<turn>\", \"special\": true}],\n"
             " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false},\n"
             " \"post_processor\": %s,"
             " \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": []}}\n",
             before);
    write_text(TOKENIZER, json);
}

#define BEFORE(token)                                                                              \
    "{\"type\": \"TemplateProcessing\", \"single\": [" token                                       \
    "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}]}"
#define NAMED(token) "{\"SpecialToken\": {\"id\": \"" token "\", \"type_id\": 0}},"

// Each file's words, NULL: there is no such file; what follows of them. Ends: -1 after the last.
static const struct special_case {
    const char *before, *generation, *config, *tokenizer_config;
    int bos, adds_bos, ends[4];
} special_cases[] = {
    {"null", NULL, "", NULL, 1, 0, {2, -1}}, // LlamaConfig's defaults
    {"null", NULL, NULL, NULL, -1, 0, {-1}},
    {BEFORE(NAMED("<s>")), NULL, NULL, NULL, 8, 1, {-1}},
    {BEFORE(NAMED("<s>")), NULL, "", NULL, 8, 1, {2, -1}},
    {"{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, " BEFORE(
         NAMED("<s>")) "]}",
     NULL,
     ", \"bos_token_id\": 1",
     NULL,
     8,
     1,
     {2, -1}},
    {BEFORE(""), NULL, ", \"bos_token_id\": 8, \"eos_token_id\": null", NULL, 8, 0, {-1}},
    {"null",
     "{\"bos_token_id\": 9, \"eos_token_id\": [0, 9, 0]}",
     ", \"bos_token_id\": null, \"eos_token_id\": 0",
     NULL,
     9,
     0,
     {0, 9, -1}},
    {"null", "{}", ", \"eos_token_id\": [9, 0]", NULL, 1, 0, {9, 0, -1}},
    {"null", NULL, ", \"bos_token_id\": null", "{\"bos_token\": \"<s>\"}", 8, 0, {2, -1}},
    {"null",
     NULL,
     NULL,
     "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"<turn>\", "
     "\"add_bos_token\": true}",
     8,
     1,
     {9, -1}},
    {BEFORE(NAMED("<s>")),
     NULL,
     "",
     "{\"add_bos_token\": false, \"eos_token\": null}",
     8,
     0,
     {2, -1}},
};

static void test_special_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof special_cases / sizeof special_cases[0]; i++) {
        const struct special_case *c = &special_cases[i];
        struct hw_error err = {0};
        char config[256];
        write_special(c->before);
        snprintf(config, sizeof config, "{\"model_type\": \"llama\"%s}",
                 c->config ? c->config : "");
        if (c->config)
            write_text(CONFIG, config);
        if (c->generation)
            write_text(GENERATION, c->generation);
        if (c->tokenizer_config)
            write_text(TOKENIZER_CONFIG, c->tokenizer_config);
        for (int folder = 0; folder < 2; folder++) {
            struct hw_tokenizer *tok = hw_tokenizer_open(folder ? TEMP_FILE : TOKENIZER, 10, &err);
            if (!tok)
                fail_msg("case %zu: %s", i, err.text);
            if (hw_tokenizer_bos(tok) != c->bos)
                fail_msg("case %zu: BOS %d, expected %d", i, hw_tokenizer_bos(tok), c->bos);
            assert_int_equal(hw_tokenizer_adds_bos(tok), c->adds_bos);
            for (int k = 0; k == 0 || c->ends[k - 1] >= 0; k++) {
                assert_int_equal(hw_tokenizer_end(tok, k), c->ends[k]);
                assert_int_equal(hw_tokenizer_is_end(tok, c->ends[k]), c->ends[k] >= 0);
            }
            hw_tokenizer_close(tok);
        }
        remove_all();
    }
    static const char *const refused[][2] = {
        {BEFORE(NAMED("<s>") NAMED("<end>")), "at most one token before a text, got 2"},
        {BEFORE(NAMED("<none>")), "post_processor: expected a token 0..9"},
    };
    for (int i = 0; i < 2; i++) {
        struct hw_error err = {0};
        write_special(refused[i][0]);
        assert_null(hw_tokenizer_open(TOKENIZER, 10, &err));
        if (!strstr(err.text, refused[i][1]))
            fail_msg("expected \"%s\" in \"%s\"", refused[i][1], err.text);
    }
    remove_all();
}

// Pieces that the model has no row for are left out, and merges of them; BOS and EOS must not be.
static void test_fewer_rows(void **state)
{
    (void)state;
    struct hw_error err = {0};
    int ids[16];
    static const int want[] = {7, 6, 2};
    write_text(TOKENIZER, good_tokenizer);
    struct hw_tokenizer *tok = hw_tokenizer_open(TOKENIZER, 8, &err);
    if (!tok)
        fail_msg("%s", err.text);
    assert_int_equal(hw_tokenizer_size(tok), 8);
    assert_int_equal(hw_tokenizer_encode(tok, "ab ab", 5, false, ids), 3); // not 7, 8
    assert_memory_equal(ids, want, sizeof want);
    hw_tokenizer_close(tok);
    write_text(CONFIG, good_config); // EOS 9
    assert_null(hw_tokenizer_open(TEMP_FILE, 8, &err));
    assert_non_null(strstr(err.text, "config.json: eos_token_id: expected a token 0..7, got 9"));
    remove_all();
}

static const char llama3_tokenizer[] =
    "{\"added_tokens\": [{\"id\": 0, \"content\": \"<end>\", \"special\": true}],\n"
    " \"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n"
    "  {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
    "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"
    " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\n"
    "   \"behavior\": \"Isolated\", \"invert\": false},\n"
    "  {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}]},\n"
    " \"model\": {\"type\": \"BPE\", \"ignore_merges\": true, \"vocab\": {\"<end>\": 0, \"a\": 1,\n"
    "  \"b\": 2, \"1\": 3, \"11\": 4, \"aba\": 5, \"ab\": 6, \"\\u0120\": 7, \"-\": 8, \"-a\": "
    "9},\n"
    " \"merges\": [\"a b\", \"1 1\", \"- a\"]}}\n";

// "aba" is a piece that no merge makes, numbers go by three, and a mark goes with the word after
// it, where "ab" comes before "-a". The tokenizers package says the same of this file.
static void test_llama3_tokenizer(void **state)
{
    (void)state;
    static const char text[] = "aba1111-ab";
    static const int merged[] = {5, 4, 3, 3, 8, 6}, alone[] = {6, 1, 4, 3, 3, 8, 6};
    char json[sizeof llama3_tokenizer];
    int ids[32];
    for (int whole = 1; whole >= 0; whole--) {
        struct hw_error err = {0};
        memcpy(json, llama3_tokenizer, sizeof json);
        if (!whole)
            replace((uint8_t *)json, sizeof json - 1, "merges\": true", "merges\":false");
        write_text(TOKENIZER, json);
        struct hw_tokenizer *tok = hw_tokenizer_open(TOKENIZER, 10, &err);
        if (!tok)
            fail_msg("%s", err.text);
        assert_int_equal(hw_tokenizer_encode(tok, text, sizeof text - 1, false, ids), 7 - whole);
        assert_memory_equal(ids, whole ? merged : alone, (size_t)(7 - whole) * sizeof ids[0]);
        hw_tokenizer_close(tok);
    }
    remove_all();
}

static void expect_tokenizer_refused(const char *text)
{
    struct hw_error err = {0};
    assert_null(hw_tokenizer_open(TOKENIZER, 10, &err));
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
}

static void expect_tokenizer_change_refused(const char *from, const char *to, const char *text)
{
    char json[sizeof good_tokenizer];
    memcpy(json, good_tokenizer, sizeof json);
    replace((uint8_t *)json, sizeof json - 1, from, to);
    write_text(TOKENIZER, json);
    expect_tokenizer_refused(text);
}

static void test_other_tokenizers(void **state)
{
    (void)state;
    expect_tokenizer_change_refused("\"Digits\"", "\"Splits\"", "pre_tokenizer");
    expect_tokenizer_change_refused("space\": false", "space\": true ", "pre_tokenizer");
    expect_tokenizer_change_refused("izer\": null", "izer\":{  } ", "normalizer");
    expect_tokenizer_change_refused("\"BPE\"", "\"WPE\"", "expected BPE");
    expect_tokenizer_change_refused("\"b\": 2", "\"b\": 1", "got two");
    expect_tokenizer_change_refused("\"b\": 2", "\"b\":-1", "id, expected 0..");
    expect_tokenizer_change_refused("\"ab\": 7", "\"  \": 7", "byte-level");
    expect_tokenizer_change_refused("\"a\", \"b\"", "\"a\",  7 ", "merge 1");
    expect_tokenizer_change_refused("\"a\", \"b\"", "\"b\", \"b\"", "merge 1");
    expect_tokenizer_change_refused("merges", "wedges", "merges");
    expect_tokenizer_change_refused("}}\n", "}] ", "JSON");
    remove_all();
}

// Writes `text` cut after every byte, and a good file again: each time `refused` must find an
// error.
static void cut_anywhere(const char *path, const char *text, void (*refused)(const char *))
{
    size_t n = strlen(text) - 1; // the line end may go
    for (size_t i = 1; i < n; i++) {
        write_bytes(path, text, i);
        refused(TEMP_FILE);
    }
    write_text(path, text);
}

// Every JSON file: cut, not UTF-8, nested without end, with numbers beyond 2^63.
static void test_hostile_json(void **state)
{
    (void)state;
    static const char index[] = "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}\n";
    static const struct {
        const char *path, *text;
        void (*refused)(const char *);
        const char *beyond; // the words for numbers beyond every type where they are asked for
    } files[] = {{CONFIG, good_config, expect_model_refused, "hidden_size: expected an integer"},
                 {INDEX, index, expect_model_refused, "weight_map: expected file names"},
                 {TOKENIZER, good_tokenizer, expect_tokenizer_refused, "key model"}};
    static char deep[100000];
    static struct buffer b;
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"a\":", 5);
    put_safetensors(&b, false, 0, 100);
    write_bytes(SHARD_1, b.bytes, b.n);
    write_text(CONFIG, good_config);
    for (int i = 0; i < 3; i++) {
        cut_anywhere(files[i].path, files[i].text, files[i].refused);
        char copy[sizeof good_tokenizer + sizeof good_config];
        strcpy(copy, files[i].text);
        *strchr(copy, 'a') = '\xE9';
        write_text(files[i].path, copy);
        files[i].refused("unable to decode byte 0xe9");
        write_text(files[i].path, deep);
        files[i].refused("JSON");
        write_text(files[i].path, "{\"model_type\": \"llama\", \"hidden_size\": "
                                  "9223372036854775808, \"weight_map\": 1e999, \"model\": NaN}");
        files[i].refused(files[i].beyond);
        write_text(files[i].path, files[i].text);
    }
    replace(b.bytes, b.n, "[0,1280]", "[0,1e19]");
    write_bytes(SHARD_1, b.bytes, b.n);
    expect_model_refused("data_offsets");
    put_safetensors(&b, false, 0, 100);
    replace(b.bytes, b.n, "embed_tokens", "embed_tok\xE9ns");
    write_bytes(SHARD_1, b.bytes, b.n);
    expect_model_refused("unable to decode byte 0xe9");
    remove_all();
}

// Tensors that share bytes; an index that names itself or a folder; links in a circle.
static void test_overlaps_and_cycles(void **state)
{
    (void)state;
    static struct buffer b;
    write_text(CONFIG, good_config);
    put_safetensors(&b, false, 0, 100);
    replace(b.bytes, b.n, "[1280,1408]", "[1152,1280]");
    write_bytes(WEIGHTS, b.bytes, b.n);
    expect_model_refused("data_offsets, expected to start at");
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model.safetensors.index.json\"}}");
    expect_model_refused("index.json: expected a safetensors file, got a JSON file");
    write_text(INDEX, "{\"weight_map\": {\"a\": \".\"}}");
    expect_model_refused("of this folder");
    remove_all();
    write_text(CONFIG, good_config);
    assert_int_equal(symlink("model-2.safetensors", SHARD_1), 0);
    assert_int_equal(symlink("model-1.safetensors", SHARD_2), 0);
    write_text(INDEX, "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}");
    expect_model_refused("model-1.safetensors: open");
    remove_all();
    write_bytes(CONFIG, "", 0);
    expect_model_refused(
        "config.json: open: file size, expected 1 byte or more, got an empty file");
    remove_all();
    assert_int_equal(symlink("config.json", CONFIG), 0);
    expect_model_refused("config.json");
    remove_all();
}

static int make_folder(void **state)
{
    (void)state;
    return mkdir(TEMP_FILE, 0700) != 0 && errno != EEXIST; // a run cut short leaves it
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all();
    return rmdir(TEMP_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_weight),     cmocka_unit_test(test_shards),
        cmocka_unit_test(test_damaged_weights),  cmocka_unit_test(test_other_configs),
        cmocka_unit_test(test_scaled_rope),      cmocka_unit_test(test_tokenizer),
        cmocka_unit_test(test_llama3_tokenizer), cmocka_unit_test(test_other_tokenizers),
        cmocka_unit_test(test_wide_numbers),     cmocka_unit_test(test_second_classifier),
        cmocka_unit_test(test_special_tokens),   cmocka_unit_test(test_fewer_rows),
        cmocka_unit_test(test_hostile_json),     cmocka_unit_test(test_overlaps_and_cycles),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
