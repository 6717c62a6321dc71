// SPDX-License-Identifier: Apache-2.0
// llama2.c and bitllama importers against checkpoints written by the test: every row, and every way
// to damage a file.
// Where real checkpoints lie in ../shared/models, their dimensions and a few weights too.
#include <limits.h>
#include <math.h>

#include "gen/read/import.h"
#include "refmodel/arch.h"

#define TEMP_FILE "test_import.tmp"
#include "tests/tiny.h"

static void put_v0(struct buffer *b, const struct hw_config *c)
{
    b->n = 0;
    const int header[] = {c->dim,     c->hidden_dim, c->n_layers,
                          c->n_heads, c->n_kv_heads, c->tied ? c->vocab_size : -c->vocab_size,
                          c->seq_len};
    for (int i = 0; i < 7; i++)
        put_u32(b, (uint32_t)header[i]);
    put_tensor(b, c, HW_TOK_EMBED, 1);
    put_tensor(b, c, HW_ATTN_NORM, c->n_layers);
    put_tensor(b, c, HW_WQ, c->n_layers);
    put_tensor(b, c, HW_WK, c->n_layers);
    put_tensor(b, c, HW_WV, c->n_layers);
    put_tensor(b, c, HW_WO, c->n_layers);
    put_tensor(b, c, HW_FFN_NORM, c->n_layers);
    put_tensor(b, c, HW_W_GATE, c->n_layers);
    put_tensor(b, c, HW_W_DOWN, c->n_layers);
    put_tensor(b, c, HW_W_UP, c->n_layers);
    put_tensor(b, c, HW_OUTPUT_NORM, 1);
    for (int i = 0; i < c->seq_len * c->head_dim; i++)
        put_f32(b, NAN); // freq_cis: never read
    if (!c->tied)
        put_tensor(b, c, HW_OUTPUT, 1);
}

static void test_v0(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    for (int tied = 0; tied < 2; tied++) {
        struct hw_config c = tiny;
        c.tied = tied;
        put_v0(&b, &c);
        struct hw_model *model = open_bytes(&b, &err);
        assert_non_null(model);
        assert_string_equal(hw_model_format(model), "llama2.c v0");
        expect_config(hw_model_config(model), &c);
        expect_every_weight(model, &c);
        hw_model_close(model);
    }
}

static void test_v0_cut_anywhere(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_config c = tiny;
    c.tied = false;
    put_v0(&b, &c);
    size_t whole = b.n;
    for (b.n = 1; b.n < whole; b.n += b.n < 64 || b.n + 16 > whole ? 1 : 1023)
        expect_refused(&b, "more bytes");
    b.n = 0;
    expect_refused(&b, "file size");
    b.n = whole + 1;
    expect_refused(&b, "file size");
    b.n = whole + 4;
    expect_refused(&b, "file size");
}

static void expect_header_refused(int field, int value, const char *text)
{
    static struct buffer b;
    put_v0(&b, &tiny);
    size_t whole = b.n;
    b.n = 4 * (size_t)field;
    put_u32(&b, (uint32_t)value);
    b.n = whole;
    expect_refused(&b, text);
}

static void test_v0_absurd_headers(void **state)
{
    (void)state;
    static const int values[] = {0, -1, -32, INT_MIN, INT_MAX, 1 << 30};
    static const char *const names[] = {"n_heads", "hidden_dim", "n_layers", "n_heads",
                                        "n_kv_heads"};
    for (int field = 0; field < 5; field++)
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
            if (field != 0)
                expect_header_refused(field, values[i], names[field]);
            else
                expect_header_refused(field, values[i], ": llama2.c v0 header: ");
    expect_header_refused(3, 3, "n_heads");    // does not divide dim 32
    expect_header_refused(3, 32, "head_dim");  // of 1 is odd
    expect_header_refused(4, 3, "n_kv_heads"); // does not divide n_heads 8
    expect_header_refused(4, 16, "n_kv_heads");
    expect_header_refused(5, 0, "vocab_size");
    expect_header_refused(5, 1, "vocab_size, expected 2 tokens or more, got 1");
    expect_header_refused(5, INT_MIN, "vocab_size");
    expect_header_refused(5, INT_MAX, "vocab_size");
    expect_header_refused(5, 1 << 20, "more bytes"); // plausible, but not in this file
    expect_header_refused(6, 0, "seq_len");
    expect_header_refused(6, -3, "seq_len");
    expect_header_refused(6, INT_MAX, "seq_len");
    expect_header_refused(6, 1 << 24, "more bytes");
    expect_header_refused(6, 2, "file size");
    expect_header_refused(2, 1024, "more bytes");
}

static void put_header(struct buffer *b, const struct hw_config *c, uint32_t version,
                       uint32_t group_size)
{
    const int header[] = {c->dim,        c->hidden_dim, c->n_layers, c->n_heads,
                          c->n_kv_heads, c->vocab_size, c->seq_len};
    b->n = 0;
    put_u32(b, 0x616b3432);
    put_u32(b, version);
    for (int i = 0; i < 7; i++)
        put_u32(b, (uint32_t)header[i]);
    b->bytes[b->n++] = c->tied;
    put_u32(b, group_size);
    while (b->n < 256)
        b->bytes[b->n++] = 0;
}

// Matrices as int8 with one scale, 1 / 64, for each group.
static void put_groups(struct buffer *b, const struct hw_config *c, enum hw_tensor_id id,
                       int n_layers, int group_size)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    for (int layer = 0; layer < n_layers; layer++) {
        for (int i = 0; i < rows * cols; i++)
            b->bytes[b->n++] = (uint8_t)weight_code(id, layer, i / cols, i % cols);
        for (int i = 0; i < rows * cols / group_size; i++)
            put_f32(b, 1.0f / 64);
    }
}

static void put_v1_or_v2(struct buffer *b, const struct hw_config *c, uint32_t version,
                         int group_size)
{
    static const enum hw_tensor_id matrices[] = {HW_TOK_EMBED, HW_WQ,     HW_WK,   HW_WV,    HW_WO,
                                                 HW_W_GATE,    HW_W_DOWN, HW_W_UP, HW_OUTPUT};
    put_header(b, c, version, (uint32_t)group_size);
    put_tensor(b, c, HW_ATTN_NORM, c->n_layers);
    put_tensor(b, c, HW_FFN_NORM, c->n_layers);
    put_tensor(b, c, HW_OUTPUT_NORM, 1);
    for (int i = 0; i < 8 + !c->tied; i++) {
        int n = matrices[i] <= HW_OUTPUT ? 1 : c->n_layers;
        if (version == 1)
            put_tensor(b, c, matrices[i], n);
        else
            put_groups(b, c, matrices[i], n, group_size);
    }
}

static void test_v1_and_v2(void **state)
{
    (void)state;
    static struct buffer b;
    for (int i = 0; i < 4; i++) {
        struct hw_config c = tiny;
        struct hw_error err;
        c.tied = i % 2;
        put_v1_or_v2(&b, &c, i < 2 ? 1 : 2, 64); // a group is two rows of some matrices
        struct hw_model *model = open_bytes(&b, &err);
        if (!model)
            fail_msg("%s", err.text);
        assert_string_equal(hw_model_format(model), i < 2 ? "llama2.c v1" : "llama2.c v2");
        expect_config(hw_model_config(model), &c);
        expect_every_weight(model, &c);
        hw_model_close(model);
        size_t whole = b.n;
        for (b.n = 8; b.n < whole; b.n += b.n < 300 ? 1 : 997)
            expect_refused(&b, "more bytes");
        b.n = whole + 1;
        expect_refused(&b, "file size");
    }
}

// Each group has its own scale, also where a group ends inside a row.
static void test_v2_scales(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    enum { GROUP = 20 }; // 320 weights, rows of 32
    struct hw_config c = tiny;
    c.hidden_dim = 20;
    put_v1_or_v2(&b, &c, 2, GROUP);
    size_t scales = 256 + (size_t)(2 * 2 + 1) * 32 * 4 + 320;
    size_t whole = b.n;
    b.n = scales;
    for (int i = 0; i < 320 / GROUP; i++)
        put_f32(&b, (float)(i + 1));
    b.n = whole;
    expect_refused(&b, "multiple of group_size 20"); // wq has 1024 weights

    // A model whose every matrix is a multiple of the group.
    c = (struct hw_config){.dim = 20,
                           .hidden_dim = 12,
                           .n_layers = 1,
                           .n_heads = 2,
                           .n_kv_heads = 1,
                           .head_dim = 10,
                           .vocab_size = 4,
                           .seq_len = 2,
                           .tied = true};
    put_v1_or_v2(&b, &c, 2, 8);
    scales = 256 + (size_t)(1 + 1 + 1) * 20 * 4 + 80;
    whole = b.n;
    b.n = scales;
    for (int i = 0; i < 10; i++)
        put_f32(&b, (float)(i + 1));
    b.n = whole;
    struct hw_model *model = open_bytes(&b, &err);
    if (!model)
        fail_msg("%s", err.text);
    for (int row = 0; row < 4; row++) {
        float got[20];
        hw_model_row(model, HW_TOK_EMBED, 0, row, got);
        for (int col = 0; col < 20; col++) {
            int scale = (row * 20 + col) / 8 + 1;
            assert_true(got[col] == (float)(weight_code(HW_TOK_EMBED, 0, row, col) * scale));
        }
    }
    hw_model_close(model);
}

static void test_v1_headers(void **state)
{
    (void)state;
    static struct buffer b;
    put_v1_or_v2(&b, &tiny, 1, 0);
    b.bytes[36] = 2;
    expect_refused(&b, "shared_classifier");
    put_v1_or_v2(&b, &tiny, 1, 0);
    b.bytes[4] = 3;
    expect_refused(&b, "version");
    put_v1_or_v2(&b, &tiny, 2, 64);
    b.bytes[37] = 0;
    expect_refused(&b, "group_size");
    b.bytes[40] = 0x80;
    expect_refused(&b, "group_size");
    put_v1_or_v2(&b, &tiny, 1, 0);
    b.bytes[31] = 0x80; // a negative vocab_size
    expect_refused(&b, "vocab_size");
}

// A norm without weights divides by the length; a matrix is its codes times its factor.
static float bitllama_weight(const struct hw_config *c, enum hw_tensor_id id, int layer, int row,
                             int col)
{
    if (id == HW_TOK_EMBED || id == HW_OUTPUT_NORM)
        return weight(id, layer, row, col);
    if (id == HW_FFN_SUB_NORM)
        return 1.0f / (float)c->hidden_dim;
    if (id == HW_ATTN_NORM || id == HW_FFN_NORM || id == HW_ATTN_SUB_NORM)
        return 1.0f / (float)c->dim;
    return (float)ternary_code(id, layer, row, col) * ternary_factor(id, layer);
}

static void test_bitllama(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    struct hw_config c = tiny;
    c.sub_norm = true;
    put_bitllama(&b, &c);
    struct hw_model *model = open_bytes(&b, &err);
    assert_non_null(model);
    assert_string_equal(hw_model_format(model), "bitllama");
    assert_true(hw_model_is_ternary(model));
    expect_config(hw_model_config(model), &c);
    struct hw_evaluation how = hw_model_evaluation(model);
    assert_true(how.int8_act && how.layer_eps == 0.0);
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols, n = id <= HW_OUTPUT_NORM ? 1 : c.n_layers;
        float row[64];
        if (!hw_tensor_exists(&c, (enum hw_tensor_id)id))
            continue;
        hw_tensor_shape(&c, (enum hw_tensor_id)id, &rows, &cols);
        for (int k = 0; k < n * rows; k++) {
            hw_model_row(model, (enum hw_tensor_id)id, k / rows, k % rows, row);
            for (int col = 0; col < cols; col++)
                assert_true(row[col] ==
                            bitllama_weight(&c, (enum hw_tensor_id)id, k / rows, k % rows, col));
        }
    }
    hw_model_close(model);
}

static void test_bitllama_damaged(void **state)
{
    (void)state;
    static struct buffer b;
    put_bitllama(&b, &tiny);
    size_t whole = b.n, wq = 256 + 4 * (size_t)(tiny.dim * (1 + tiny.vocab_size)) + 4;
    b.bytes[wq + 8 + 1] = 0x20; // row 1 of 8 bytes: 00 10 00 00
    expect_refused(&b, "layers.0.attention.wq row 1 column 5: code, expected 00, 01 or 11, got 10");
    // of another size it is not one of these, and what llama2.c's header says does not fit either
    put_bitllama(&b, &tiny);
    for (b.n = 4; b.n < whole; b.n += b.n < 64 || b.n + 16 > whole ? 1 : 97)
        expect_refused(&b, "more bytes");
    b.n = whole + 1;
    expect_refused(&b, "more bytes");
}

static void test_weights_not_finite(void **state)
{
    (void)state;
    static struct buffer b;
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        put_v0(&b, &tiny);
        size_t whole = b.n;
        b.n = 28 + 4 * (size_t)(3 * tiny.dim + 5); // row 3, column 5 of the embedding
        put_f32(&b, values[i]);
        b.n = whole;
        expect_refused(&b, "tok_embeddings row 3 column 5");
    }
}

static void test_not_a_file(void **state)
{
    (void)state;
    struct hw_error err = {0};
    assert_null(hw_model_open("no/such/file", &err));
    assert_true(err.set);
    err = (struct hw_error){0};
    assert_null(hw_model_open("/dev/null", &err));
    assert_true(err.set);
}

static void test_real_v0(void **state)
{
    (void)state;
    static const struct hw_config stories260k = {
        .dim = 64,
        .hidden_dim = 172,
        .n_layers = 5,
        .n_heads = 8,
        .n_kv_heads = 4,
        .head_dim = 8,
        .vocab_size = 512,
        .seq_len = 512,
        .bos = 1,
        .tied = true,
        .rope_base = 10000.0,
        .norm_eps = 1e-5,
    };
    static const char path[] = "../shared/models/stories260K.bin";
    struct hw_error err = {0};
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("             %s is not here: not run\n", path);
        return;
    }
    fclose(f);
    struct hw_model *model = hw_model_open(path, &err);
    assert_non_null(model);
    expect_config(hw_model_config(model), &stories260k);
    hw_model_close(model);
    printf("             %s: ran\n", path);
}

// Each row of refmodel/arch.h is the float tensor that its column names, gate_up the two in turn.
static void test_tensors_are_the_layers(void **state)
{
    (void)state;
#define MATRIX(member, title, n_out, n_in, tensor, ...)                                            \
    assert_int_equal(HW_MATRIX, hw_tensor_info[HW_##tensor].of);                                   \
    assert_int_equal(HW_MATRIX_##member, hw_tensor_info[HW_##tensor].row);
    HW_LAYER_MATRICES(MATRIX)
    assert_int_equal(HW_MATRIX_gate_up, hw_tensor_info[HW_W_GATE + 1].row);
#define NORM(member, title, n, feature, tensor, region)                                            \
    assert_int_equal(HW_NORM, hw_tensor_info[HW_##tensor].of);                                     \
    assert_int_equal(HW_NORM_##member, hw_tensor_info[HW_##tensor].row);
    HW_LAYER_NORMS(NORM)
#define BIAS(member, title, matrix, feature, tensor)                                               \
    assert_int_equal(HW_BIAS, hw_tensor_info[HW_##tensor].of);                                     \
    assert_int_equal(HW_BIAS_##member, hw_tensor_info[HW_##tensor].row);
    HW_LAYER_BIASES(BIAS)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors_are_the_layers),
        cmocka_unit_test(test_v0),
        cmocka_unit_test(test_v0_cut_anywhere),
        cmocka_unit_test(test_v0_absurd_headers),
        cmocka_unit_test(test_v1_and_v2),
        cmocka_unit_test(test_v2_scales),
        cmocka_unit_test(test_v1_headers),
        cmocka_unit_test(test_bitllama),
        cmocka_unit_test(test_bitllama_damaged),
        cmocka_unit_test(test_weights_not_finite),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_real_v0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
