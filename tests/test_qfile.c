// SPDX-License-Identifier: Apache-2.0
// Quantized models on disk: the same model gives the same bytes, what is written is read, and every
// damaged file is an error that leaves nothing behind.
#define TEMP_FILE "test_qfile.tmp"
#include "tests/random_model.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

// --- files

struct file {
    uint8_t *data;
    size_t n;
};

static struct file load_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    struct file file = {malloc(1 << 20), 0};
    file.n = fread(file.data, 1, 1 << 20, f);
    fclose(f);
    assert_true(file.n > 8 && file.n < 1 << 20);
    return file;
}

static void save_file(const uint8_t *data, size_t n)
{
    FILE *f = fopen(TEMP_FILE, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static struct file written(const struct hw_qmodel *q)
{
    struct hw_error err = {0};
    if (!hw_qmodel_write(q, TEMP_FILE, &err))
        fail_msg("%s", err.text);
    assert_int_equal(access(TEMP_FILE ".partial", F_OK), -1);
    struct file file = load_file(TEMP_FILE);
    remove(TEMP_FILE);
    return file;
}

static void expect_same(const struct file *a, const struct file *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->data, b->data, a->n);
}

static void test_same_bytes_twice(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct hw_config c = i % 2 ? small_untied() : small_tied;
        struct hw_quantize_options o;
        hw_quantize_defaults(&o);
        o.weight_bits = 8 - i;
        o.widths.code_bits = 2 + i % 3;
        struct hw_qmodel first = quantized(&c, 5, &o);
        o.progress = fopen("/dev/null", "w"); // a report changes nothing
        struct hw_qmodel second = quantized(&c, 5, &o), other = quantized(&c, 6, &o);
        fclose(o.progress);
        struct file a = written(&first), b = written(&second), d = written(&other);
        expect_same(&a, &b);
        assert_int_equal(a.n > d.n ? a.n - d.n < 64 : d.n - a.n < 64, 1); // headers may differ
        assert_true(a.n != d.n || memcmp(a.data, d.data, a.n) != 0);
        free(a.data);
        free(b.data);
        free(d.data);
        hw_qmodel_free(&first);
        hw_qmodel_free(&second);
        hw_qmodel_free(&other);
    }
}

static void expect_same_matrix(const struct hw_qmatrix *a, const struct hw_qmatrix *b,
                               int code_bits)
{
    assert_int_equal(a->n_out, b->n_out);
    assert_int_equal(a->n_in, b->n_in);
    assert_int_equal(a->n_planes, b->n_planes);
    assert_int_equal(a->shift, b->shift);
    size_t n = (size_t)a->n_out * (size_t)a->n_in;
    if (a->n_planes == 0)
        return; // a tied model has no second matrix
    for (int p = 0; p < a->n_planes; p++)
        for (int k = 0; k < 1 << code_bits; k++)
            assert_int_equal(a->levels[p][k], b->levels[p][k]);
    assert_memory_equal(a->codes, b->codes, n * (size_t)a->n_planes);
    assert_memory_equal(a->scale, b->scale, (size_t)a->n_out * sizeof *a->scale);
    assert_memory_equal(a->weight, b->weight, n * sizeof *a->weight);
}

static void expect_same_norm(const struct hw_qnorm *a, const struct hw_qnorm *b, int dim)
{
    assert_int_equal(a->shift, b->shift);
    assert_true(a->eps_ss == b->eps_ss);
    assert_memory_equal(a->gain, b->gain, (size_t)dim * sizeof *a->gain);
}

static void expect_same_layer(const struct hw_qlayer *a, const struct hw_qlayer *b,
                              const struct hw_qmodel *q)
{
    int bits = q->widths.code_bits;
    for (int i = 0; i < HW_N_NORMS; i++)
        if (hw_has(&q->config, hw_norm_row[i].where))
            expect_same_norm(&a->norm[i], &b->norm[i], hw_length(&q->config, hw_norm_row[i].n));
    for (int i = 0; i < HW_N_MATRICES; i++)
        expect_same_matrix(&a->matrix[i], &b->matrix[i], bits);
    for (int i = 0; i < HW_N_BIASES; i++)
        if (hw_has(&q->config, hw_bias_row[i].where))
            assert_memory_equal(a->bias[i], b->bias[i],
                                (size_t)hw_bias_length(&q->config, (enum hw_bias_id)i) *
                                    sizeof *a->bias[i]);
    assert_int_equal(a->score_shift, b->score_shift);
    assert_int_equal(a->att_shift, b->att_shift);
    assert_int_equal(a->hidden_shift, b->hidden_shift);
}

static void expect_same_model(const struct hw_qmodel *a, const struct hw_qmodel *b)
{
    int bits = a->widths.code_bits, half = a->config.head_dim / 2;
    expect_config(&b->config, &a->config);
    assert_memory_equal(&a->widths, &b->widths, sizeof a->widths);
    expect_same_matrix(&a->embed, &b->embed, bits);
    expect_same_matrix(&a->head, &b->head, bits);
    assert_int_equal(a->embed_shift, b->embed_shift);
    expect_same_norm(&a->final_norm, &b->final_norm, a->config.dim);
    assert_true(a->logit_scale == b->logit_scale);
    assert_int_equal(a->rope.lo_bits, b->rope.lo_bits);
    assert_int_equal(a->rope.n_hi, b->rope.n_hi);
    size_t hi = (size_t)(a->rope.n_hi * half) * 2, lo = (size_t)(half << a->rope.lo_bits) * 2;
    assert_memory_equal(a->rope.hi_cos, b->rope.hi_cos, hi);
    assert_memory_equal(a->rope.hi_sin, b->rope.hi_sin, hi);
    assert_memory_equal(a->rope.lo_cos, b->rope.lo_cos, lo);
    assert_memory_equal(a->rope.lo_sin, b->rope.lo_sin, lo);
    for (int l = 0; l < a->config.n_layers; l++)
        expect_same_layer(&a->layers[l], &b->layers[l], a);
}

static void expect_round_trip(const struct hw_qmodel *q)
{
    struct hw_error err = {0};
    struct hw_qmodel back;
    struct file a = written(q);
    save_file(a.data, a.n);
    if (!hw_qmodel_read(&back, TEMP_FILE, &err))
        fail_msg("%s", err.text);
    remove(TEMP_FILE);
    expect_same_model(q, &back);
    struct file b = written(&back);
    expect_same(&a, &b);
    hw_qmodel_free(&back);
    free(a.data);
    free(b.data);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct hw_config c = i % 2 ? small_untied() : small_tied;
        struct hw_quantize_options o;
        hw_quantize_defaults(&o);
        o.weight_bits = 3 + i;
        o.head_bits = 8 - i;
        o.widths = (struct hw_widths){2 + i % 3, 4 + i, 4 + i % 5, 16 + i};
        struct hw_qmodel q = quantized(&c, (uint64_t)i, &o);
        expect_round_trip(&q);
        hw_qmodel_free(&q);
    }
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t shape_seed = seed;
        struct hw_config c = wild_config(&shape_seed);
        struct hw_qmodel q = wild_model(&c, seed);
        expect_round_trip(&q);
        hw_qmodel_free(&q);
    }
}

static void test_write_fails(void **state)
{
    (void)state;
    struct hw_error err = {0};
    struct hw_qmodel q = wild_model(&small_tied, 1);
    assert_false(hw_qmodel_write(&q, "no/such/folder/model", &err));
    assert_true(err.set);
    err = (struct hw_error){0};
    assert_false(hw_qmodel_write(&q, "/dev/full/model", &err));
    assert_true(err.set);
    err = (struct hw_error){0};
    assert_false(hw_qmodel_write(&q, "/dev", &err)); // a folder is in the way of the rename
    assert_true(err.set && access("/dev.partial", F_OK) != 0);
    hw_qmodel_free(&q);
}

// --- damaged files

static void expect_damage_found(const uint8_t *data, size_t n, const char *what)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    memset(&q, 0xAA, sizeof q);
    save_file(data, n);
    bool read = hw_qmodel_read(&q, TEMP_FILE, &err);
    remove(TEMP_FILE);
    if (read || !err.set)
        fail_msg("%s: read without an error", what);
    if (!all_zero(&q, sizeof q))
        fail_msg("%s: refused, but something is left", what);
    if (strncmp(err.text, TEMP_FILE ": ", sizeof TEMP_FILE + 1) != 0)
        fail_msg("%s: expected an error that starts with the file, got \"%s\"", what, err.text);
}

static struct file damage_me(void)
{
    struct hw_config c = small_untied();
    c.sub_norm = true;
    struct hw_qmodel q = wild_model(&c, 11);
    struct file f = written(&q);
    hw_qmodel_free(&q);
    return f;
}

static size_t header_size(const struct file *f)
{
    size_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | f->data[i];
    return n;
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct file f = damage_me();
    int n_cuts = 0;
    for (size_t n = 0; n < f.n; n += n < 64 || n + 64 > f.n ? 1 : HW_SHORT ? 307 : 61) {
        expect_damage_found(f.data, n, "cut");
        n_cuts++;
    }
    f.data[f.n] = 0;
    expect_damage_found(f.data, f.n + 1, "one byte more");
    f.data[f.n + 1] = 0;
    expect_damage_found(f.data, f.n + 2, "two bytes more");
    printf("             cut at %d places\n", n_cuts);
    free(f.data);
}

// Any bit of the header. Some flips give another good file (a digit of a scale): then what was read
// must survive being written and read again. Anything else is an error.
static void test_flip_header_bits(void **state)
{
    (void)state;
    struct file f = damage_me();
    size_t end = 8 + header_size(&f);
    int n_flips = 0, n_good = 0;
    for (size_t bit = 0; bit < end * 8; bit += bit < 512 ? 1 : HW_SHORT ? 37 : 7) {
        struct hw_error err = {0};
        struct hw_qmodel q;
        f.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        save_file(f.data, f.n);
        bool read = hw_qmodel_read(&q, TEMP_FILE, &err);
        remove(TEMP_FILE);
        assert_true(read != err.set);
        if (read)
            expect_round_trip(&q);
        else
            assert_true(all_zero(&q, sizeof q));
        if (read)
            hw_qmodel_free(&q);
        n_flips++;
        n_good += read;
        f.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    printf("             %d bits flipped, %d gave another good file\n", n_flips, n_good);
    assert_true(n_good * 20 < n_flips);
    free(f.data);
}

// The file with another header; *root is consumed.
static void expect_header_refused(const struct file *f, json_t *root, const char *what)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    size_t len = strlen(text), old = header_size(f), n = 8 + len + f->n - 8 - old;
    uint8_t *data = malloc(n);
    for (int i = 0; i < 8; i++)
        data[i] = (uint8_t)(len >> (8 * i));
    memcpy(data + 8, text, len);
    memcpy(data + 8 + len, f->data + 8 + old, f->n - 8 - old);
    expect_damage_found(data, n, what);
    free(data);
    free(text);
    json_decref(root);
}

static json_t *header_of(const struct file *f)
{
    json_t *root = json_loadb((const char *)f->data + 8, header_size(f), 0, NULL);
    assert_non_null(root);
    return root;
}

// Every scalar, one at a time: gone, of another type, no number, out of its range.
static void test_metadata(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",    "x",    "-1",  "-9223372036854775809", "1e400", "nan", "inf", "0x", "1,5", "1 2",
        "--3", "1e30", "-0.5"};
    struct file f = damage_me();
    json_t *good = header_of(&f), *value;
    const char *key;
    int n_keys = 0, n_bad = sizeof bad / sizeof bad[0];
    json_object_foreach(json_object_get(good, "__metadata__"), key, value)
    {
        for (int i = -2; i < n_bad; i++) {
            json_t *root = json_deep_copy(good), *meta = json_object_get(root, "__metadata__");
            if (i == -2)
                json_object_del(meta, key);
            else
                json_object_set_new(meta, key, i < 0 ? json_integer(8) : json_string(bad[i]));
            char what[160];
            snprintf(what, sizeof what, "metadata %s %s", key, i < 0 ? "missing" : bad[i]);
            expect_header_refused(&f, root, what);
        }
        n_keys++;
    }
    printf("             %d scalars, %d ways each\n", n_keys, n_bad + 2);
    json_decref(good);
    free(f.data);
}

// Dimensions that are good numbers and not this file's, and the ends of the ranges.
static void test_dimensions(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } change[] = {
        {"dim", "23"},
        {"dim", "65537"},
        {"hidden_dim", "21"},
        {"hidden_dim", "262145"},
        {"n_layers", "1"},
        {"n_layers", "3"},
        {"n_layers", "1025"},
        {"n_heads", "2"},
        {"n_heads", "3"},
        {"n_heads", "256"},
        {"n_kv_heads", "1"},
        {"n_kv_heads", "3"},
        {"n_kv_heads", "4"},
        {"head_dim", "5"},
        {"head_dim", "8"},
        {"head_dim", "1026"},
        {"vocab_size", "18"},
        {"vocab_size", "1"},
        {"seq_len", "20000"},
        {"seq_len", "524289"},
        {"tied", "1"},
        {"tied", "2"},
        {"code_bits", "1"},
        {"code_bits", "5"},
        {"act_bits", "3"},
        {"act_bits", "13"},
        {"kv_bits", "3"},
        {"kv_bits", "13"},
        {"res_bits", "15"},
        {"res_bits", "25"},
        {"rope_base", "0"},
        {"rope_base", "-10000"},
        {"norm_eps", "0"},
        {"logit_scale", "0"},
        {"eps_ss", "0"},
        {"eps_ss", "4294967296"},
        {"sub_norm", "0"},
        {"sub_norm", "2"},
        {"layers.1.attention.sub_norm.eps_ss", "0"},
        {"eps_ss", "18446744073709551617"},
        {"embed_shift", "14"},
        {"embed_shift", "63"},
        {"output.planes", "0"},
        {"output.planes", "5"},
        {"output.shift", "14"},
        {"output.shift", "63"},
        {"norm.shift", "0"},
        {"norm.shift", "41"},
        {"layers.1.score_shift", "41"},
        {"layers.1.att_shift", "8"},
        {"layers.0.hidden_shift", "0"},
        {"layers.0.hidden_shift", "41"},
        {"format", "hardwire-qmodel-2"},
    };
    struct file f = damage_me();
    json_t *good = header_of(&f);
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
        json_t *root = json_deep_copy(good), *meta = json_object_get(root, "__metadata__");
        assert_non_null(json_object_get(meta, change[i].key));
        json_object_set_new(meta, change[i].key, json_string(change[i].value));
        char what[96];
        snprintf(what, sizeof what, "%s = %s", change[i].key, change[i].value);
        expect_header_refused(&f, root, what);
    }
    json_decref(good);
    free(f.data);
}

// Scalars that must fit each other, in a file with a window and a BOS of its own.
static void test_relations(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value; // NULL: the key is gone
    } change[] = {
        {"bos", "19"},       {"bos", "-1"},     {"window", "21"},
        {"window", "0"},     {"window", NULL},  {"windowed", NULL},
        {"windowed", "012"}, {"windowed", "0"}, {"windowed", "0x"},
    };
    struct hw_config c = small_untied();
    assert_true(c.vocab_size == 19 && c.seq_len == 21 && c.n_layers == 2);
    c.bos = 18;
    c.window = 20;
    c.windowed[1] = true;
    struct hw_qmodel q = wild_model(&c, 12);
    expect_round_trip(&q);
    struct file f = written(&q);
    json_t *good = header_of(&f);
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
        json_t *root = json_deep_copy(good), *meta = json_object_get(root, "__metadata__");
        assert_non_null(json_object_get(meta, change[i].key));
        if (change[i].value)
            json_object_set_new(meta, change[i].key, json_string(change[i].value));
        else
            json_object_del(meta, change[i].key);
        expect_header_refused(&f, root, change[i].key);
    }
    json_decref(good);
    hw_qmodel_free(&q);
    free(f.data);
}

static json_t *offsets(json_int_t from, json_int_t to)
{
    return json_pack("[I,I]", from, to);
}

// Every tensor, one at a time: gone, another type, shape, place.
static void test_tensor_descriptions(void **state)
{
    (void)state;
    enum { WAYS = 8 };
    struct file f = damage_me();
    json_t *good = header_of(&f), *value;
    const char *key;
    int n_tensors = 0;
    json_object_foreach(good, key, value)
    {
        if (strcmp(key, "__metadata__") == 0)
            continue;
        json_t *place = json_object_get(value, "data_offsets");
        json_int_t from = json_integer_value(json_array_get(place, 0));
        json_int_t to = json_integer_value(json_array_get(place, 1));
        for (int i = 0; i < WAYS; i++) {
            json_t *root = json_deep_copy(good), *t = json_object_get(root, key);
            json_t *shape = json_object_get(t, "shape");
            switch (i) {
            case 0:
                json_object_del(root, key);
                break;
            case 1:
                json_object_set_new(t, "dtype", json_string("F32"));
                break;
            case 2:
                json_array_append_new(shape, json_integer(1));
                break;
            case 3:
                json_array_set_new(shape, 0, json_integer(-1));
                break;
            case 4:
                json_object_set_new(t, "data_offsets", offsets(from + 1, to + 1));
                break;
            case 5:
                json_object_set_new(t, "data_offsets", offsets(from, to - 1));
                break;
            case 6:
                json_object_set_new(t, "data_offsets", json_null());
                break;
            case 7:
                json_object_set_new(root, key, json_integer(3));
                break;
            }
            char what[96];
            snprintf(what, sizeof what, "tensor %s, way %d", key, i);
            expect_header_refused(&f, root, what);
        }
        n_tensors++;
    }
    json_t *root = json_deep_copy(good);
    json_object_set_new(root, "extra", json_deep_copy(json_object_get(good, "norm.gain")));
    expect_header_refused(&f, root, "a tensor too many");
    printf("             %d tensors, %d ways each\n", n_tensors, WAYS);
    json_decref(good);
    free(f.data);
}

// First byte in the file of a tensor.
static size_t tensor_at(const struct file *f, const char *name)
{
    json_t *root = header_of(f), *t = json_object_get(root, name);
    json_t *place = json_object_get(t, "data_offsets");
    size_t at = (size_t)json_integer_value(json_array_get(place, 0));
    assert_non_null(t);
    json_decref(root);
    return 8 + header_size(f) + at;
}

// Values that no ROM could hold.
static void test_tensor_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t low, high; // two bytes
    } bad[] = {
        {"output.scale", 0x00, 0x10},         {"layers.0.attention.wq.scale", 0xff, 0xff},
        {"output.levels", 0x80, 0x00},        {"layers.1.feed_forward.down.levels", 0x7f, 0xff},
        {"tok_embeddings.codes", 0x10, 0x00}, {"layers.1.feed_forward.gate_up.codes", 0x00, 0xff},
    };
    struct file f = damage_me();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t at = tensor_at(&f, bad[i].name);
        uint8_t low = f.data[at], high = f.data[at + 1];
        f.data[at] = bad[i].low;
        f.data[at + 1] = bad[i].high;
        expect_damage_found(f.data, f.n, bad[i].name);
        f.data[at] = low;
        f.data[at + 1] = high;
    }
    free(f.data);
}

// Levels that are weights each, and too large together: 100 and 28, where 27 is the most.
static void test_sums(void **state)
{
    (void)state;
    struct hw_qmodel q;
    uint64_t seed = 1;
    for (q = wild_model(&small_tied, seed); q.embed.n_planes < 2;
         q = wild_model(&small_tied, seed)) {
        hw_qmodel_free(&q);
        seed++;
    }
    for (int p = 0; p < q.embed.n_planes; p++) {
        for (int k = 0; k < 1 << q.widths.code_bits; k++)
            q.embed.levels[p][k] = p == 0 ? 100 : 0;
    }
    for (int more = 27; more <= 28; more++) {
        struct hw_error err = {0};
        struct hw_qmodel back;
        q.embed.levels[1][q.embed.codes[q.embed.n_out * q.embed.n_in]] = (int16_t)more;
        struct file f = written(&q);
        save_file(f.data, f.n);
        assert_int_equal(hw_qmodel_map(&back, TEMP_FILE, &err), more == 27);
        assert_true(more == 27 || strstr(err.text, "tok_embeddings.levels: element 0"));
        remove(TEMP_FILE);
        hw_qmodel_free(&back);
        free(f.data);
    }
    hw_qmodel_free(&q);
}

// A model that makes no sense is not written either.
static void test_impossible_heads(void **state)
{
    (void)state;
    static const int heads[][3] = {{4, 2, 5}, {2, 2, 3}, {3, 2, 6}, {2, 2, 6}}; // last: head_dim
    for (int i = 0; i < 4; i++) {
        struct hw_config c = small_tied;
        c.n_heads = heads[i][0];
        c.n_kv_heads = heads[i][1];
        c.head_dim = heads[i][2];
        struct hw_error err = {0};
        struct hw_qmodel q = wild_model(&c, 1);
        bool impossible = heads[i][2] % 2 || heads[i][0] % heads[i][1];
        assert_int_equal(hw_qmodel_write(&q, TEMP_FILE, &err), !impossible);
        assert_int_equal(access(TEMP_FILE, F_OK) == 0, !impossible);
        assert_int_equal(access(TEMP_FILE ".partial", F_OK), -1);
        remove(TEMP_FILE);
        hw_qmodel_free(&q);
    }
}

static void test_not_a_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"no/such/file", "/dev/null", "/dev", "Makefile"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct hw_error err = {0};
        struct hw_qmodel q;
        assert_false(hw_qmodel_read(&q, paths[i], &err));
        assert_true(err.set && all_zero(&q, sizeof q));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_twice),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_write_fails),         cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_flip_header_bits),    cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_dimensions),          cmocka_unit_test(test_relations),
        cmocka_unit_test(test_tensor_descriptions), cmocka_unit_test(test_tensor_values),
        cmocka_unit_test(test_impossible_heads),    cmocka_unit_test(test_sums),
        cmocka_unit_test(test_not_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
