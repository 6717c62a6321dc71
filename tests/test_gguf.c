// SPDX-License-Identifier: Apache-2.0
// GGUF importer: every storage type against the values of ggml's own Python package, a tiny model
// in four types, and every way to damage its file. Real files: tests/formats.sh.
#include <math.h>
#include <stdlib.h>

#define TEMP_FILE "test_gguf.tmp"
#include "gen/read/import.h"
#include "tests/tiny.h"

// FNV-1a of the floats that gguf.quants.dequantize (Python package gguf) makes of three blocks of
// pseudo-random bytes with the half-precision scales set to 0x2E66 and 0xA123. F16 and BF16: of
// every seventh bit pattern below 0x7C00.
static const struct {
    enum hw_dtype dtype;
    int n_scales, scale_at[2];
    uint32_t hash;
} oracle[] = {
    {HW_F16, 0, {0, 0}, 0x905357e8u},    {HW_BF16, 0, {0, 0}, 0x059c7922u},
    {HW_Q8_0, 1, {0, 0}, 0x21f09dd4u},   {HW_Q4_0, 1, {0, 0}, 0x35729643u},
    {HW_Q4_1, 2, {0, 2}, 0x57dec2eeu},   {HW_Q5_0, 1, {0, 0}, 0xbfee5cc5u},
    {HW_Q5_1, 2, {0, 2}, 0xd4b7b4a7u},   {HW_Q4_K, 2, {0, 2}, 0xab972489u},
    {HW_Q5_K, 2, {0, 2}, 0x631d4e55u},   {HW_Q6_K, 1, {208, 0}, 0xb9268169u},
    {HW_TQ1_0, 1, {52, 0}, 0x733abc9du}, {HW_TQ2_0, 1, {64, 0}, 0xc9dbb9f4u},
};

static void test_dequantization(void **state)
{
    (void)state;
    static const uint8_t scales[2][2] = {{0x66, 0x2E}, {0x23, 0xA1}};
    static uint8_t src[16384];
    static float dst[8192];
    for (size_t t = 0; t < sizeof oracle / sizeof oracle[0]; t++) {
        enum hw_dtype dtype = oracle[t].dtype;
        int n = oracle[t].n_scales ? 3 * hw_dtype_block(dtype) : 4535;
        size_t block_bytes = hw_dtype_row_bytes(dtype, hw_dtype_block(dtype));
        uint32_t random = 1;
        for (size_t i = 0; i < hw_dtype_row_bytes(dtype, n); i++) {
            random = random * 1664525u + 1013904223u;
            src[i] = (uint8_t)(random >> 24);
            if (oracle[t].n_scales == 0)
                src[i] = (uint8_t)((i / 2 * 7) >> (i % 2 * 8));
        }
        for (size_t block = 0; block < 3; block++)
            for (int i = 0; i < oracle[t].n_scales; i++)
                memcpy(src + block * block_bytes + oracle[t].scale_at[i], scales[i], 2);
        hw_dequant_row(dtype, src, n, dst);
        uint32_t hash = 2166136261u;
        for (int i = 0; i < n; i++) {
            float value = dst[i] + 0.0f; // minus zero to zero
            uint32_t bits;
            memcpy(&bits, &value, 4);
            for (int b = 0; b < 4; b++)
                hash = (hash ^ (bits >> (8 * b) & 255)) * 16777619u;
        }
        if (hash != oracle[t].hash)
            fail_msg("%s: hash %08lx", hw_dtype_name(dtype), (unsigned long)hash);
    }
}

static void test_half_precision(void **state)
{
    (void)state;
    static const struct {
        uint16_t half;
        float value;
    } cases[] = {
        {0x0000, 0.0f},     {0x3C00, 1.0f},      {0xC000, -2.0f},           {0x7BFF, 65504.0f},
        {0x0001, 0x1p-24f}, {0x8001, -0x1p-24f}, {0x03FF, 1023 * 0x1p-24f}, {0x0400, 0x1p-14f},
        {0x7C00, INFINITY}, {0xFC00, -INFINITY}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t src[2] = {(uint8_t)cases[i].half, (uint8_t)(cases[i].half >> 8)};
        float value;
        hw_dequant_row(HW_F16, src, 1, &value);
        assert_true(value == cases[i].value);
    }
    float nan;
    hw_dequant_row(HW_F16, (const uint8_t[2]){0x01, 0x7C}, 1, &nan);
    assert_true(isnan(nan));
}

static void put_u16(struct buffer *b, uint32_t v)
{
    b->bytes[b->n++] = (uint8_t)v;
    b->bytes[b->n++] = (uint8_t)(v >> 8);
}

static void put_u64(struct buffer *b, uint64_t v)
{
    put_u32(b, (uint32_t)v);
    put_u32(b, (uint32_t)(v >> 32));
}

static void put_string(struct buffer *b, const char *text)
{
    put_u64(b, strlen(text));
    for (; *text; text++)
        b->bytes[b->n++] = (uint8_t)*text;
}

enum { U32 = 4, F32_VALUE = 6, BOOL = 7, STRING = 8 };

static void put_int_key(struct buffer *b, const char *key, int value)
{
    put_string(b, key);
    put_u32(b, U32);
    put_u32(b, (uint32_t)value);
}

static void put_float_key(struct buffer *b, const char *key, float value)
{
    put_string(b, key);
    put_u32(b, F32_VALUE);
    put_f32(b, value);
}

static void put_string_key(struct buffer *b, const char *key, const char *value)
{
    put_string(b, key);
    put_u32(b, STRING);
    put_string(b, value);
}

enum { F32 = 0, F16 = 1, Q8_0 = 8, BF16 = 30 };

static const char *const names[HW_N_TENSORS] = {
    "token_embd", "output",      "output_norm", "attn_norm", "attn_q", "attn_k",
    "attn_v",     "attn_output", "ffn_norm",    "ffn_gate",  "ffn_up", "ffn_down",
};

// Half precision of k / 64, k in -127..127.
static uint32_t half_of(int k)
{
    uint32_t sign = k < 0 ? 0x8000u : 0;
    uint32_t mantissa = (uint32_t)abs(k), exponent = 25 - 6;
    if (mantissa == 0)
        return 0;
    for (; mantissa < 1024; exponent--)
        mantissa *= 2;
    return sign | exponent << 10 | (mantissa & 1023);
}

static void put_row(struct buffer *b, int type, enum hw_tensor_id id, int layer, int row, int cols)
{
    for (int col = 0; col < cols; col++) {
        int code = weight_code(id, layer, row, col);
        float value = weight(id, layer, row, col);
        uint32_t bits;
        memcpy(&bits, &value, 4);
        if (type == F32)
            put_u32(b, bits);
        else if (type == BF16)
            put_u16(b, bits >> 16);
        else if (type == F16)
            put_u16(b, half_of(code));
        else if (col % 32 == 0)
            put_u16(b, 0x2400); // Q8_0: block scale 1/64
        if (type == Q8_0)
            b->bytes[b->n++] = (uint8_t)code;
    }
}

static size_t row_bytes(int type, int cols)
{
    size_t n = (size_t)cols;
    return type == F32 ? 4 * n : type == Q8_0 ? n / 32 * 34 : 2 * n;
}

static void pad(struct buffer *b)
{
    while (b->n % 32 != 0)
        b->bytes[b->n++] = 0;
}

enum { FACTOR = 2 }; // key llama.rope.scaling.factor, beside the tensor of factors

static void put_factors(struct buffer *b, const struct hw_config *c, uint64_t offset, bool data)
{
    int half = c->head_dim / 2;
    for (int i = 0; data && i < half; i++)
        put_f32(b, (float)(c->rope_divisor[i] / FACTOR));
    if (data)
        return;
    put_string(b, "rope_freqs.weight");
    put_u32(b, 1);
    put_u64(b, (uint64_t)half);
    put_u32(b, F32);
    put_u64(b, offset);
}

// Walks over all tensors: with `data` their contents, else their descriptions.
static void put_tensors(struct buffer *b, const struct hw_config *c, int matrix_type, bool data)
{
    uint64_t offset = 0;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        bool global = id <= HW_OUTPUT_NORM;
        for (int layer = 0; layer < (global ? 1 : c->n_layers); layer++) {
            int rows, cols;
            char name[64];
            if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
                continue;
            hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
            int type = rows == 1 ? F32 : matrix_type;
            if (data) {
                for (int row = 0; row < rows; row++)
                    put_row(b, type, (enum hw_tensor_id)id, layer, row, cols);
                pad(b);
                continue;
            }
            snprintf(name, sizeof name, "blk.%d.%s.weight", layer, names[id]);
            if (global)
                snprintf(name, sizeof name, "%s.weight", names[id]);
            put_string(b, name);
            put_u32(b, rows == 1 ? 1 : 2);
            put_u64(b, (uint64_t)cols);
            if (rows > 1)
                put_u64(b, (uint64_t)rows);
            put_u32(b, (uint32_t)type);
            put_u64(b, offset);
            offset += ((uint64_t)rows * row_bytes(type, cols) + 31) / 32 * 32;
        }
    }
    if (c->rope_divisor[0] > 0.0)
        put_factors(b, c, offset, data);
}

// One key more in put_gguf, where there is a name: a float, or a flag.
static struct {
    const char *key;
    bool is_flag;
    float value;
} extra;

static void put_extra(struct buffer *b)
{
    if (!extra.is_flag) {
        put_float_key(b, extra.key, extra.value);
        return;
    }
    put_string(b, extra.key);
    put_u32(b, BOOL);
    b->bytes[b->n++] = extra.value > 0.0f;
}

// Returns the length of the header.
static size_t put_gguf(struct buffer *b, const struct hw_config *c, int matrix_type)
{
    b->n = 0;
    put_u32(b, 0x46554747);
    put_u32(b, 3);
    bool scaled = c->rope_divisor[0] > 0.0;
    put_u64(b, (uint64_t)(2 + !c->tied + 9 * c->n_layers + scaled));
    put_u64(b, (uint64_t)(12 + scaled + (extra.key != NULL)));
    put_string_key(b, "general.architecture", "llama");
    put_int_key(b, "general.alignment", 32);
    put_int_key(b, "llama.context_length", c->seq_len);
    put_int_key(b, "tokenizer.ggml.bos_token_id", c->bos);
    put_int_key(b, "llama.embedding_length", c->dim);
    put_int_key(b, "llama.feed_forward_length", c->hidden_dim);
    put_int_key(b, "llama.attention.head_count", c->n_heads);
    put_int_key(b, "llama.attention.head_count_kv", c->n_kv_heads);
    put_int_key(b, "llama.block_count", c->n_layers);
    put_int_key(b, "llama.rope.dimension_count", c->head_dim);
    put_float_key(b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    put_float_key(b, "llama.rope.freq_base", 10000.0f);
    if (scaled)
        put_float_key(b, "llama.rope.scaling.factor", FACTOR);
    if (extra.key)
        put_extra(b);
    put_tensors(b, c, matrix_type, false);
    size_t header = b->n;
    pad(b);
    put_tensors(b, c, matrix_type, true);
    return header;
}

static void test_every_weight(void **state)
{
    (void)state;
    static struct buffer b;
    static const int types[] = {F32, F16, BF16, Q8_0};
    for (size_t i = 0; i < 8; i++) {
        struct hw_config c = tiny;
        struct hw_error err;
        c.tied = i % 2;
        c.bos = (int)i;
        put_gguf(&b, &c, types[i / 2]);
        struct hw_model *model = open_bytes(&b, &err);
        if (!model)
            fail_msg("%s", err.text);
        assert_string_equal(hw_model_format(model), "GGUF v3");
        expect_config(hw_model_config(model), &c);
        expect_every_weight(model, &c);
        hw_model_close(model);
    }
}

// The first byte after `text` in the file.
static uint8_t *after(struct buffer *b, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= b->n; i++)
        if (memcmp(b->bytes + i, text, len) == 0)
            return b->bytes + i + len;
    fail_msg("no %s in the file", text);
    return NULL;
}

static void test_scaled_rope(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_config c = tiny;
    struct hw_error err;
    c.rope_divisor[0] = 2.0;
    c.rope_divisor[1] = 16.5;
    put_gguf(&b, &c, F32);
    struct hw_model *model = open_bytes(&b, &err);
    if (!model)
        fail_msg("%s", err.text);
    expect_config(hw_model_config(model), &c);
    expect_every_weight(model, &c);
    hw_model_close(model);

    b.n -= 4;
    expect_refused(&b, "rope_freqs.weight: data, expected");
    c.rope_divisor[1] = 0.5; // faster than plain
    put_gguf(&b, &c, F32);
    expect_refused(&b, "RoPE factor of pair 1");
    put_gguf(&b, &c, F32);
    for (int pair = 0; pair < 2; pair++) { // the factors end the file
        static const float bad[] = {0.0f, -1.0f, NAN, INFINITY};
        for (int i = 0; i < 4; i++) {
            c.rope_divisor[1] = 2.0;
            put_gguf(&b, &c, F32);
            memcpy(b.bytes + b.n - 8 + 4 * pair, &bad[i], 4);
            expect_refused(&b, pair ? "RoPE factor of pair 1" : "RoPE factor of pair 0");
        }
    }
    after(&b, "rope_freqs.weight")[4] = 3;
    expect_refused(&b, "expected F32 [2]");
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    static struct buffer b;
    size_t header = put_gguf(&b, &tiny, F32);
    size_t whole = b.n;
    for (b.n = 4; b.n < whole; b.n += b.n < header ? 3 : 997)
        expect_refused(&b, "expected");
    b.n = whole - 1;
    expect_refused(&b, "data, expected");
}

static void store_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

// Eight bytes at `skip` after `place` become `value`.
static void expect_patch_refused(const char *place, size_t skip, uint64_t value, const char *text)
{
    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    store_u64(after(&b, place) + skip, value);
    expect_refused(&b, text);
}

static void expect_int_refused(const char *key, uint32_t value, const char *text)
{
    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    uint8_t *p = after(&b, key) + 4;
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
    expect_refused(&b, text);
}

// The architecture's value becomes the head of an array.
static void expect_array_refused(uint32_t type, uint64_t count, const char *text)
{
    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    uint8_t *at = after(&b, "general.architecture");
    store_u64(at, 9 | (uint64_t)type << 32);
    store_u64(at + 8, count);
    expect_refused(&b, text);
}

static void test_damaged_header(void **state)
{
    (void)state;
    expect_patch_refused("GGUF", 4, UINT64_MAX, "counts");
    expect_patch_refused("GGUF", 4, UINT64_C(1) << 60, "counts");
    expect_patch_refused("GGUF", 12, UINT64_MAX, "counts");
    expect_patch_refused("GGUF", 20, UINT64_MAX, "length of a key");
    expect_patch_refused("GGUF", 20, 0, "length of a key");
    expect_patch_refused("general.architecture", 0, 0x000000ffu, "type");
    expect_patch_refused("general.architecture", 4, UINT64_MAX, "string");
    expect_patch_refused("token_embd.weight", 0, 5, "number of dimensions");
    expect_patch_refused("token_embd.weight", 0, 0, "number of dimensions");
    expect_patch_refused("token_embd.weight", 4, 0, "dimension 0");
    expect_patch_refused("token_embd.weight", 4, UINT64_MAX, "dimension 0");
    expect_patch_refused("token_embd.weight", 4, 33, "shape");
    expect_patch_refused("token_embd.weight", 12, UINT64_C(1) << 58, "dimension 1");
    expect_patch_refused("token_embd.weight", 12, UINT64_C(1) << 40, "absurd");
    expect_patch_refused("token_embd.weight", 24, 16, "multiple of 32");
    expect_patch_refused("token_embd.weight", 24, UINT64_MAX - 31, "multiple of 32");
    expect_patch_refused("blk.1.ffn_down.weight", 24, 0, "ends"); // over another tensor
    static const uint64_t half = UINT64_C(1) << 63;
    expect_patch_refused("GGUF", 4, half, "counts");
    expect_patch_refused("GGUF", 12, half, "counts");
    expect_patch_refused("GGUF", 20, half, "length of a key");
    expect_patch_refused("general.architecture", 4, half, "string");
    expect_patch_refused("token_embd.weight", 4, half, "dimension 0");
    expect_patch_refused("token_embd.weight", 12, half, "dimension 1");
    expect_patch_refused("token_embd.weight", 24, half, "multiple of 32");
    // a string's type becomes an array of 2^63 bytes, of as many strings, of arrays
    expect_array_refused(0, half, "number of u8s");
    expect_array_refused(8, half, "number of strings");
    expect_array_refused(8, UINT64_MAX, "number of strings");
    expect_array_refused(9, 1, "no array of arrays");
    expect_int_refused("general.alignment", 0, "power of two");
    expect_int_refused("general.alignment", 24, "power of two");
    expect_int_refused("general.alignment", 1u << 31, "expected");
    expect_int_refused("llama.block_count", 0, "n_layers");
    expect_int_refused("llama.block_count", 1, "left out");
    expect_int_refused("llama.block_count", 3, "blk.2.attn_norm.weight");
    expect_int_refused("llama.block_count", 1u << 30, "n_layers");
    expect_int_refused("llama.embedding_length", 64, "head_dim 8, got 4");
    expect_int_refused("llama.attention.head_count", 0, "n_heads");
    expect_int_refused("llama.attention.head_count_kv", 3, "n_kv_heads");
    expect_int_refused("llama.rope.dimension_count", 2, "rope.dimension_count");
    expect_int_refused("llama.attention.layer_norm_rms_epsilon", 0x7fc00000, "finite");
    expect_int_refused("llama.rope.freq_base", 0, "RoPE base");
}

// Renames a part of a key or a name, to one of the same length.
static void expect_rename_refused(const char *from, const char *to, const char *text)
{
    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(after(&b, from) - strlen(from), to, strlen(to));
    expect_refused(&b, text);
}

static void test_other_contents(void **state)
{
    (void)state;
    expect_rename_refused("GGUF\003", "GGUF\001", "version");
    expect_rename_refused("GGUF\003", "GGUF\x04", "version");
    expect_rename_refused("llama.context_length", "llama.context_lengt_",
                          "key llama.context_length: expected a number, got nothing");
    expect_rename_refused("llama.context_length", "llama.context\x01length", "printable");
    expect_rename_refused("llama.context_length", "llama.context\xE9length", "printable");
    expect_rename_refused("blk.0.attn_q.weight", "blk.0.attn_q.w\xFFight", "printable");
    expect_rename_refused("llama.context_length", "llama.rope.freq_base", "twice");
    expect_rename_refused(
        "attention.layer_norm_rms_epsilon", "attention.layer_norm_rms_epsilox",
        "key llama.attention.layer_norm_rms_epsilon: expected a number, got nothing");
    expect_rename_refused("blk.0.attn_q.weight", "blk.1.attn_q.weight", "twice");
    expect_rename_refused("blk.0.attn_q.weight", "blk.0.attn_q.we_ght", "got nothing");

    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    memcpy(after(&b, "general.architecture") + 12, "gemma", 5);
    expect_refused(&b, "expected llama, qwen2 or qwen3, got gemma");
    put_gguf(&b, &tiny, F32);
    memcpy(after(&b, "general.architecture") + 12, "\x1B[\xC3\xA9\xFF", 5); // shown as text only
    expect_refused(&b, "expected llama, qwen2 or qwen3, got ?[\xC3\xA9?");
    put_gguf(&b, &tiny, F32);
    after(&b, "blk.0.attn_q.weight")[20] = 23; // the type of a tensor of two dimensions
    expect_refused(&b, "IQ4_XS");
    after(&b, "blk.0.attn_q.weight")[20] = 12;
    expect_refused(&b, "multiple of 256 for Q4_K");
    after(&b, "blk.0.attn_q.weight")[20] = 200;
    expect_refused(&b, "type 200");
}

// Keys that change the formula of a layer: refused by name, except with values that change nothing.
static void test_formula(void **state)
{
    (void)state;
    static struct buffer b;
    const float head = 1.0f / sqrtf((float)tiny.head_dim);
    const struct {
        const char *key;
        bool is_flag;
        float neutral[2], other[2];
    } keys[] = {
        {"llama.attention.causal", true, {1, 1}, {0, 0}},
        {"llama.use_parallel_residual", true, {0, 0}, {1, 1}},
        {"llama.attention.clamp_kqv", false, {0, 0}, {8, 1}},
        {"llama.attention.max_alibi_bias", false, {0, 0}, {8, 1}},
        {"llama.attn_logit_softcapping", false, {0, 0}, {50, 1}},
        {"llama.final_logit_softcapping", false, {0, 0}, {30, 1}},
        {"llama.logit_scale", false, {0, 1}, {0.0625f, 8}},
        {"llama.embedding_scale", false, {0, 1}, {12, -1}},
        {"llama.residual_scale", false, {0, 1}, {0.22f, 1.001f}},
        {"llama.rope.scaling.attn_factor", false, {1, 1}, {1.19f, 0}},
        {"llama.attention.scale", false, {0, head}, {0.015625f, 1}},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (int k = 0; k < 2; k++) {
            struct hw_error err;
            char text[80];
            extra.key = keys[i].key;
            extra.is_flag = keys[i].is_flag;
            extra.value = keys[i].neutral[k];
            put_gguf(&b, &tiny, F32);
            struct hw_model *model = open_bytes(&b, &err);
            if (!model)
                fail_msg("%s", err.text);
            hw_model_close(model);
            extra.value = keys[i].other[k];
            put_gguf(&b, &tiny, F32);
            snprintf(text, sizeof text, "key %s: expected ", keys[i].key);
            expect_refused(&b, text);
        }
    }
    extra.key = NULL;
}

// Behind the last tensor: nothing, its padding, and not a byte more.
static void test_bytes_behind(void **state)
{
    (void)state;
    static struct buffer b;
    put_gguf(&b, &tiny, F32);
    while (b.n % 32 != 0)
        b.bytes[b.n++] = 0;
    struct hw_error err;
    struct hw_model *model = open_bytes(&b, &err);
    if (!model)
        fail_msg("%s", err.text);
    hw_model_close(model);
    b.bytes[b.n++] = 0;
    expect_refused(&b, "end: file size, expected ");
    for (int i = 0; i < 5000; i++)
        b.bytes[b.n++] = (uint8_t)i;
    expect_refused(&b, "what follows the last tensor is no part of the model");
}

static void test_random_damage(void **state)
{
    (void)state;
    static struct buffer b;
    uint32_t random = 7;
    int opened = 0;
    for (int round = 0; round < 600; round++) {
        size_t header = put_gguf(&b, &tiny, Q8_0);
        for (int i = 0; i < 1 + round % 3; i++) {
            random = random * 1664525u + 1013904223u;
            b.bytes[random % header] ^= (uint8_t)(1u << (random >> 29));
        }
        struct hw_error err;
        struct hw_model *model = open_bytes(&b, &err);
        opened += model != NULL;
        hw_model_close(model);
    }
    printf("             damaged headers: 600, of which opened: %d\n", opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dequantization), cmocka_unit_test(test_half_precision),
        cmocka_unit_test(test_every_weight),   cmocka_unit_test(test_scaled_rope),
        cmocka_unit_test(test_cut_anywhere),   cmocka_unit_test(test_damaged_header),
        cmocka_unit_test(test_other_contents), cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_bytes_behind),   cmocka_unit_test(test_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
