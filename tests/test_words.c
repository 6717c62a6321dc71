// SPDX-License-Identifier: Apache-2.0
// Words of the weight ROM made on demand, against the layout said once more, a bit at a time; a
// model made on the fly against the same model in a file, and both as Verilog.
#define TEMP_FILE "build/test_words.tmp"
#include "tests/random_model.h"

#include <stdlib.h>
#include <unistd.h>

#include "gen/chip/emit.h"
#include "gen/chip/words.h"
#include "gen/qmodel/synthetic.h"

#define TEMP_DIR "build/test_words"
#define TEMPLATES "rtl_templates"

static const struct hw_widths WIDTHS[] = {{2, 8, 8, 20}, {3, 8, 8, 20}, {4, 8, 8, 20}};

static void make(struct hw_qmodel *q, const char *shape, int width, int bits, int wide_bits)
{
    struct hw_error err = {0};
    struct hw_config c;
    if (!hw_parse_shape(shape, &c, &err) ||
        !hw_qmodel_synthetic(&c, &WIDTHS[width], bits, wide_bits, q, &err))
        fail_msg("%s", err.text);
}

// --- codes

// The rule of gen/qmodel/synthetic.h, a code at a time.
static void test_synthetic_codes(void **state)
{
    (void)state;
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    for (int width = 0; width < 3; width++) {
        struct hw_qmodel q;
        make(&q, "24,37,2,3,1,45,16,untied", width, 4, 6);
        const struct hw_qmatrix *m[] = {&q.embed, &q.layers[1].wv, &q.layers[1].down, &q.head};
        const int place[] = {0, 1 + 6 + 2, 1 + 6 + 5, 1 + 12};
        for (int i = 0; i < 4; i++) {
            uint8_t codes[64];
            int steps = (m[i]->n_in + 15) / 16;
            for (int k = 0; k < m[i]->n_planes * m[i]->n_out * m[i]->n_in; k++) {
                int row = k / m[i]->n_in, column = k % m[i]->n_in; // row: of all planes
                uint64_t seed = (uint64_t)(q.widths.code_bits + 8 * (1 + place[i])) +
                                (uint64_t)(row * steps + column / 16) * golden;
                uint64_t want = random_bits(&seed) >> (column % 16 * 4);
                hw_qmatrix_row(m[i], row / m[i]->n_out, row % m[i]->n_out, codes);
                assert_int_equal(codes[column], want & ((1u << q.widths.code_bits) - 1));
            }
        }
        hw_qmodel_free(&q);
    }
}

// --- words

static int code_at(const struct hw_qmatrix *m, int plane, int row, int column)
{
    uint8_t codes[512];
    assert_true(m->n_in <= 512);
    hw_qmatrix_row(m, plane, row, codes);
    return codes[column];
}

// Word `at` by the headers of rtl_templates/msa_array.v and matvec.v: one 0 or 1 a bit.
static void word_by_bit(const struct hw_plan *plan, long at, uint8_t *bits)
{
    const struct hw_geometry *g = &plan->geometry;
    for (int i = 0; i < g->rows * g->cols * g->code_bits; i++)
        bits[i] = 0;
    for (int k = 0; k < plan->n_ranges; k++) {
        const struct hw_weight_range *r = &plan->range[k];
        int chunks = (r->n_in + g->cols - 1) / g->cols;
        long in = at - r->first, block = in / chunks / r->n_planes;
        int chunk = (int)(in % chunks), plane = (int)(in / chunks % r->n_planes);
        if (in < 0 || in >= r->n_words)
            continue;
        for (int lane = 0; lane < g->rows * g->cols; lane++) {
            int row = (int)block * g->rows + lane / g->cols;
            int column = chunk * g->cols + lane % g->cols;
            if (row >= r->n_rows || column >= r->n_in)
                continue;
            int code = code_at(r->m, plane, r->first_row + row, column);
            for (int b = 0; b < g->code_bits; b++)
                bits[lane * g->code_bits + b] = code >> b & 1;
        }
    }
}

static void compare_word(struct hw_words *words, const struct hw_plan *plan, long at)
{
    uint8_t bits[4096];
    int width = plan->rom[HW_ROM_WEIGHT].width;
    const uint8_t *word = hw_words_get(words, at);
    word_by_bit(plan, at, bits);
    for (int i = 0; i < width; i++) {
        if ((word[i / 8] >> (i % 8) & 1) != bits[i])
            fail_msg("word %ld of %d: bit %d: expected %d", at, plan->rom[HW_ROM_WEIGHT].depth, i,
                     bits[i]);
    }
}

static void compare_words(const struct hw_qmodel *q, struct hw_geometry g, const char *slice)
{
    struct hw_error err = {0};
    struct hw_plan plan;
    struct hw_words words;
    if (!hw_geometry_fit(&g, q, &err) || !hw_plan_make(&plan, q, &g, slice, &err) ||
        !hw_words_open(&words, &plan, &plan.rom[HW_ROM_WEIGHT], &err))
        fail_msg("%s", err.text);
    long depth = plan.rom[HW_ROM_WEIGHT].depth;
    assert_true(depth > 0);
    for (long at = 0; at < depth; at++)
        compare_word(&words, &plan, at);
    uint64_t seed = 5;
    for (int i = 0; i < 200; i++) // in no order
        compare_word(&words, &plan, random_in(&seed, 0, (int)depth - 1));
    hw_words_close(&words);
    hw_plan_free(&plan);
}

static void test_words(void **state)
{
    (void)state;
    const struct hw_geometry g[] = {{.rows = 4, .cols = 4, .vec = 4, .att_pos = 4},
                                    {.rows = 16, .cols = 8, .vec = 8, .att_pos = 4},
                                    {.rows = 8, .cols = 32, .vec = 4, .att_pos = 4}};
    for (int width = 0; width < 3; width++) {
        for (size_t i = 0; i < sizeof g / sizeof g[0]; i++) {
            struct hw_qmodel q;
            make(&q, "24,37,2,3,1,45,16,untied", width, 4, 6);
            compare_words(&q, g[i], "chip");
            compare_words(&q, g[i], "matrix:layers.1.feed_forward.gate_up:3-58");
            hw_qmodel_free(&q);
        }
    }
}

// --- files

// Codes in memory instead of on demand.
static void materialize(struct hw_qmatrix *m)
{
    size_t n_in = (size_t)m->n_in, n = (size_t)m->n_planes * (size_t)m->n_out;
    if (n == 0)
        return;
    uint8_t *codes = malloc(n * n_in);
    assert_non_null(codes);
    for (size_t i = 0; i < n; i++)
        hw_qmatrix_row(m, (int)(i / (size_t)m->n_out), (int)(i % (size_t)m->n_out),
                       codes + i * n_in);
    m->codes = codes;
}

static void materialize_model(struct hw_qmodel *q)
{
    materialize(&q->embed);
    materialize(&q->head);
    for (int l = 0; l < q->config.n_layers; l++) {
        struct hw_qlayer *y = &q->layers[l];
        struct hw_qmatrix *m[] = {&y->wk, &y->wq, &y->wv, &y->wo, &y->gate_up, &y->down};
        y->hidden_shift = 1; // the least that a file may say
        for (int i = 0; i < HW_N_MATRICES; i++)
            materialize(m[i]);
    }
}

static void emit(const struct hw_qmodel *q, int bank_bytes, const char *dir, struct hw_error *err)
{
    struct hw_geometry g = {
        .rows = 16, .cols = 8, .vec = 4, .att_pos = 4, .bank_bytes = bank_bytes};
    struct hw_plan plan;
    if (hw_geometry_fit(&g, q, err) && hw_plan_make(&plan, q, &g, "chip", err)) {
        hw_emit(&plan, "chip", NULL, TEMPLATES, dir, HW_EMIT_REPLACE, NULL, err);
        hw_plan_free(&plan);
    }
}

// One manifest holds the hash of every other file.
static long manifest(const char *dir, char *text, size_t room)
{
    char path[256];
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, room, file);
    assert_true(n > 0 && n < room);
    fclose(file);
    return (long)n;
}

static void test_file_and_shape(void **state)
{
    (void)state;
    static char text[2][1 << 20];
    for (int width = 0; width < 3; width++) {
        struct hw_error err = {0};
        struct hw_qmodel q, made, read;
        long n[2];
        make(&made, "32,40,2,4,2,300,16", width, 3, 6);
        make(&q, "32,40,2,4,2,300,16", width, 3, 6);
        materialize_model(&q);
        for (int l = 0; l < made.config.n_layers; l++)
            made.layers[l].hidden_shift = 1;
        if (!hw_qmodel_write(&q, TEMP_FILE, &err) || !hw_qmodel_map(&read, TEMP_FILE, &err))
            fail_msg("%s", err.text);
        assert_null(read.embed.weight);
        emit(&made, 0, TEMP_DIR "-a", &err);
        emit(&read, 0, TEMP_DIR "-b", &err);
        if (err.set)
            fail_msg("%s", err.text);
        for (int i = 0; i < 2; i++)
            n[i] = manifest(i ? TEMP_DIR "-b" : TEMP_DIR "-a", text[i], sizeof text[i]);
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(text[0], text[1], (size_t)n[0]);
        hw_qmodel_free(&q);
        hw_qmodel_free(&made);
        hw_qmodel_free(&read);
        remove(TEMP_FILE);
    }
}

// Megabytes of files that are in memory, as mappings of this process (Linux).
static long resident_mb(void)
{
    long size, resident, shared;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld %ld", &size, &resident, &shared), 3);
    fclose(file);
    return shared * sysconf(_SC_PAGESIZE) >> 20;
}

// 50 MB of codes pass through, checked and packed, and never more than 34 MB of them are in memory.
static void test_file_is_not_kept(void **state)
{
    (void)state;
    struct hw_error err = {0};
    struct hw_qmodel q;
    make(&q, "256,256,1,4,4,196608,16", 2, 4, 4);
    materialize_model(&q);
    if (!hw_qmodel_write(&q, TEMP_FILE, &err))
        fail_msg("%s", err.text);
    hw_qmodel_free(&q);
    long before = resident_mb(), most = 0;
    struct hw_geometry g = {.rows = 64, .cols = 16};
    struct hw_plan plan;
    struct hw_words words;
    if (!hw_qmodel_map(&q, TEMP_FILE, &err))
        fail_msg("%s", err.text);
    assert_in_range(resident_mb(), 0, (size_t)before + 4);
    if (!hw_geometry_fit(&g, &q, &err) || !hw_plan_make(&plan, &q, &g, "chip", &err) ||
        !hw_words_open(&words, &plan, &plan.rom[HW_ROM_WEIGHT], &err))
        fail_msg("%s", err.text);
    for (long at = 0; at < plan.rom[HW_ROM_WEIGHT].depth; at++) {
        hw_words_get(&words, at);
        if (at % 256 == 0 && resident_mb() > most)
            most = resident_mb();
    }
    assert_in_range(most, (size_t)before + 8, (size_t)before + 34); // it was read from the mapping
    hw_words_close(&words);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    remove(TEMP_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synthetic_codes),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_file_and_shape),
        cmocka_unit_test(test_file_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
