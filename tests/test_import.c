// SPDX-License-Identifier: Apache-2.0
// llama2.c importer against checkpoints written by the test: every row, and every way to
// damage a file.
// Where real checkpoints lie in ../shared/models, their dimensions and a few weights too.
#include <limits.h>
#include <math.h>

#define TEMP_FILE "test_import.tmp"
#include "tests/tiny.h"

static void put_v0(struct buffer *b, const struct hw_config *c)
{
    b->n = 0;
    const int header[] = {c->dim,        c->hidden_dim, c->n_layers, c->n_heads,
                          c->n_kv_heads, c->tied ? c->vocab_size : -c->vocab_size, c->seq_len};
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
        .dim = 64, .hidden_dim = 172, .n_layers = 5, .n_heads = 8, .n_kv_heads = 4, .head_dim = 8,
        .vocab_size = 512, .seq_len = 512, .tied = true, .rope_base = 10000.0, .norm_eps = 1e-5,
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v0),
        cmocka_unit_test(test_v0_cut_anywhere),
        cmocka_unit_test(test_v0_absurd_headers),
        cmocka_unit_test(test_weights_not_finite),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_real_v0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
