// SPDX-License-Identifier: Apache-2.0
// For the importers' tests: a tiny model whose weights are a formula, written to a buffer, and the
// checks that an importer has read every one of them. Each test defines TEMP_FILE first.
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gen/read/model.h"

struct buffer {
    uint8_t bytes[1 << 18];
    size_t n;
};

static inline void put_u32(struct buffer *b, uint32_t v)
{
    assert_true(b->n + 4 <= sizeof b->bytes);
    for (int i = 0; i < 4; i++)
        b->bytes[b->n++] = (uint8_t)(v >> (8 * i));
}

static inline void put_f32(struct buffer *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    put_u32(b, bits);
}

// A weight that says where it belongs, exact in every storage type: k / 64 with k in -127..127.
static inline int weight_code(enum hw_tensor_id id, int layer, int row, int col)
{
    return ((int)id * 37 + layer * 17 + row * 5 + col * 3) % 255 - 127;
}

static inline float weight(enum hw_tensor_id id, int layer, int row, int col)
{
    return (float)weight_code(id, layer, row, col) / 64.0f;
}

static inline void put_tensor(struct buffer *b, const struct hw_config *c, enum hw_tensor_id id,
                              int n_layers)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    for (int layer = 0; layer < n_layers; layer++)
        for (int row = 0; row < rows; row++)
            for (int col = 0; col < cols; col++)
                put_f32(b, weight(id, layer, row, col));
}

// bitllama: -1, 0, 1 by a formula times a factor a tensor, four codes in a byte, the first highest.
static inline int ternary_code(enum hw_tensor_id id, int layer, int row, int col)
{
    return ((int)id + layer + row * 5 + col + row * col) % 3 - 1;
}

static inline float ternary_factor(enum hw_tensor_id id, int layer)
{
    return 1.0f + (float)id / 8.0f + (float)layer / 32.0f;
}

static inline void put_ternary(struct buffer *b, const struct hw_config *c, enum hw_tensor_id id)
{
    static const int stored[] = {3, 0, 1}; // of -1, 0, 1
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    for (int layer = 0; layer < c->n_layers; layer++) {
        put_f32(b, ternary_factor(id, layer));
        for (int i = 0; i < rows * cols; i += 4) {
            int byte = 0;
            for (int k = i; k < i + 4; k++)
                byte = byte << 2 | stored[ternary_code(id, layer, k / cols, k % cols) + 1];
            assert_true(b->n < sizeof b->bytes);
            b->bytes[b->n++] = (uint8_t)byte;
        }
    }
}

static inline void put_bitllama(struct buffer *b, const struct hw_config *c)
{
    static const enum hw_tensor_id order[] = {HW_WQ,     HW_WK,     HW_WV,  HW_WO,
                                              HW_W_GATE, HW_W_DOWN, HW_W_UP};
    const int header[] = {0x616b3432,  1,          c->dim,        c->hidden_dim,
                          c->n_layers, c->n_heads, c->n_kv_heads, c->vocab_size,
                          c->seq_len};
    b->n = 0;
    for (int i = 0; i < 9; i++)
        put_u32(b, (uint32_t)header[i]);
    memset(b->bytes + b->n, 0, 256 - b->n);
    b->bytes[b->n] = 1; // shared_classifier
    b->n = 256;
    put_tensor(b, c, HW_OUTPUT_NORM, 1);
    put_tensor(b, c, HW_TOK_EMBED, 1);
    for (int i = 0; i < 7; i++)
        put_ternary(b, c, order[i]);
}

static const struct hw_config tiny = {
    .dim = 32,
    .hidden_dim = 64,
    .n_layers = 2,
    .n_heads = 8,
    .n_kv_heads = 4,
    .head_dim = 4,
    .vocab_size = 10,
    .seq_len = 3,
    .bos = 1,
    .tied = true,
    .rope_base = 10000.0,
    .norm_eps = 1e-5,
};

static inline struct hw_model *open_bytes(const struct buffer *b, struct hw_error *err)
{
    *err = (struct hw_error){0};
    FILE *f = fopen(TEMP_FILE, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->bytes, 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
    struct hw_model *model = hw_model_open(TEMP_FILE, err);
    remove(TEMP_FILE);
    assert_int_equal(model == NULL, err->set);
    return model;
}

static inline void expect_refused(const struct buffer *b, const char *text)
{
    struct hw_error err;
    assert_null(open_bytes(b, &err));
    if (!strstr(err.text, text) || strncmp(err.text, TEMP_FILE ": ", sizeof TEMP_FILE + 1) != 0)
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
}

static inline void expect_config(const struct hw_config *got, const struct hw_config *want)
{
    assert_int_equal(got->dim, want->dim);
    assert_int_equal(got->hidden_dim, want->hidden_dim);
    assert_int_equal(got->n_layers, want->n_layers);
    assert_int_equal(got->n_heads, want->n_heads);
    assert_int_equal(got->n_kv_heads, want->n_kv_heads);
    assert_int_equal(got->head_dim, want->head_dim);
    assert_int_equal(got->vocab_size, want->vocab_size);
    assert_int_equal(got->seq_len, want->seq_len);
    assert_int_equal(got->bos, want->bos);
    assert_int_equal(got->tied, want->tied);
    assert_int_equal(got->sub_norm, want->sub_norm);
    assert_int_equal(got->qkv_bias, want->qkv_bias);
    assert_int_equal(got->qk_norm, want->qk_norm);
    assert_int_equal(got->window, want->window);
    for (int l = 0; want->window && l < want->n_layers; l++)
        assert_int_equal(got->windowed[l], want->windowed[l]);
    assert_true(got->rope_base == want->rope_base);
    for (int i = 0; i < HW_MAX_SCALED_PAIRS; i++)
        assert_true(got->rope_divisor[i] == want->rope_divisor[i]);
    assert_true(got->norm_eps == want->norm_eps);
}

static inline void expect_every_weight(const struct hw_model *model, const struct hw_config *c)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
            continue;
        int rows, cols;
        float row_data[64];
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        assert_true(cols <= 64);
        int n = id <= HW_OUTPUT_NORM ? 1 : c->n_layers;
        for (int layer = 0; layer < n; layer++)
            for (int row = 0; row < rows; row++) {
                hw_model_row(model, (enum hw_tensor_id)id, layer, row, row_data);
                for (int col = 0; col < cols; col++)
                    assert_true(row_data[col] == weight((enum hw_tensor_id)id, layer, row, col));
            }
    }
}

#endif
