// SPDX-License-Identifier: Apache-2.0
// The result of the self-test as C computes it: the known check value of CRC-32, every bit of every
// ROM, swaps of words and of ROMs, words beyond the model's, two models.
#define TEMP_FILE "build/test_selftest.tmp"
#include "tests/random_model.h"

#include <stdlib.h>
#include <string.h>

#include "gen/chip/selftest.h"
#include "gen/chip/words.h"
#include "gen/qmodel/synthetic.h"

static void check_value(void **state)
{
    (void)state;
    const uint8_t *digits = (const uint8_t *)"123456789";
    assert_int_equal(~hw_crc32_bits(UINT32_MAX, digits, 72), 0xcbf43926);
    for (size_t cut = 0; cut <= 72; cut++) { // in two parts, where the cut is within a byte, too
        uint8_t rest[10] = {0};
        for (size_t i = cut; i < 72; i++)
            rest[(i - cut) / 8] |= (uint8_t)((digits[i / 8] >> i % 8 & 1) << (i - cut) % 8);
        uint32_t crc = hw_crc32_bits(UINT32_MAX, digits, cut);
        assert_int_equal(~hw_crc32_bits(crc, rest, 72 - cut), 0xcbf43926);
    }
}

struct design {
    struct hw_qmodel q;
    struct hw_plan plan;
};

static void open_design(struct design *d, const char *shape, int rows, int cols, int vec)
{
    static const struct hw_widths widths = {3, 8, 8, 20};
    struct hw_geometry g = {.rows = rows, .cols = cols, .vec = vec, .att_pos = 4, .selftest = 1};
    struct hw_error err = {0};
    struct hw_config c;
    if (!hw_parse_shape(shape, &c, &err) || !hw_qmodel_synthetic(&c, &widths, 3, 3, &d->q, &err) ||
        !hw_geometry_fit(&g, &d->q, &err) || !hw_plan_make(&d->plan, &d->q, &g, "chip", &err))
        fail_msg("%s", err.text);
    // the weight ROM's words, packed, so that they can be damaged as the others
    struct hw_rom *weight = &d->plan.rom[HW_ROM_WEIGHT];
    size_t bytes = ((size_t)weight->width + 7) / 8;
    uint8_t *data = malloc((size_t)weight->depth * bytes);
    struct hw_words words;
    assert_non_null(data);
    assert_true(hw_words_open(&words, &d->plan, weight, &err));
    for (int w = 0; w < weight->depth; w++)
        memcpy(data + (size_t)w * bytes, hw_words_get(&words, w), bytes);
    hw_words_close(&words);
    weight->data = data;
}

static void close_design(struct design *d)
{
    hw_plan_free(&d->plan);
    hw_qmodel_free(&d->q);
}

static struct hw_selftest expected(const struct design *d)
{
    struct hw_selftest s;
    struct hw_error err = {0};
    if (!hw_selftest_expect(&d->plan, &d->plan.geometry, &s, &err))
        fail_msg("%s", err.text);
    return s;
}

static void every_bit(void **state)
{
    (void)state;
    struct design d;
    open_design(&d, "8,12,1,2,1,14,8", 4, 4, 4);
    uint32_t whole = expected(&d).crc;
    long flips = 0;
    for (int i = 0; i < HW_N_ROMS; i++) {
        struct hw_rom *rom = &d.plan.rom[i];
        size_t bytes = ((size_t)rom->width + 7) / 8;
        for (int w = 0; w < rom->depth; w++) {
            for (int b = 0; b < rom->width; b++, flips++) {
                uint8_t *at = rom->data + (size_t)w * bytes + b / 8;
                *at ^= (uint8_t)(1 << b % 8);
                assert_int_not_equal(expected(&d).crc, whole);
                *at ^= (uint8_t)(1 << b % 8);
            }
        }
    }
    assert_true(flips > 4000);
    close_design(&d);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

static void every_swap(void **state)
{
    (void)state;
    struct design d;
    open_design(&d, "8,12,1,2,1,14,8", 4, 4, 4);
    uint32_t whole = expected(&d).crc;
    long swaps = 0;
    for (int i = 0; i < HW_N_ROMS; i++) {
        struct hw_rom *rom = &d.plan.rom[i];
        size_t bytes = ((size_t)rom->width + 7) / 8;
        for (int w = 1; w < rom->depth; w++) {
            for (int v = 0; v < w; v++) {
                uint8_t *a = rom->data + (size_t)w * bytes, *b = rom->data + (size_t)v * bytes;
                if (memcmp(a, b, bytes) == 0)
                    continue;
                swap(a, b, bytes);
                assert_int_not_equal(expected(&d).crc, whole);
                swap(a, b, bytes);
                swaps++;
            }
        }
    }
    assert_true(swaps > 500);
    // two ROMs of one width and depth change places
    struct hw_rom *hi = &d.plan.rom[HW_ROM_ROPE_HI], *lo = &d.plan.rom[HW_ROM_ROPE_LO];
    assert_int_equal(hi->width, lo->width);
    int depth = hi->depth < lo->depth ? hi->depth : lo->depth;
    swap(hi->data, lo->data, 4 * (size_t)depth);
    assert_int_not_equal(expected(&d).crc, whole);
    close_design(&d);
}

// A larger fabric: more addresses, whose words are zero, so another result and more clocks.
static void a_larger_fabric(void **state)
{
    (void)state;
    struct design d;
    open_design(&d, "8,12,1,2,1,14,8", 4, 4, 4);
    struct hw_selftest own = expected(&d), larger;
    struct hw_geometry g = d.plan.geometry;
    struct hw_error err = {0};
    g.scale_addr_bits++;
    assert_true(hw_selftest_expect(&d.plan, &g, &larger, &err));
    assert_int_not_equal(larger.crc, own.crc);
    long long words = 1LL << d.plan.rom[HW_ROM_SCALE].addr_bits;
    assert_int_equal(larger.clocks - own.clocks, words * (12 + g.latency.rom));
    close_design(&d);
}

static void two_models(void **state)
{
    (void)state;
    struct design a, b;
    open_design(&a, "8,12,1,2,1,14,8", 4, 4, 4);
    open_design(&b, "8,12,1,2,1,13,8", 4, 4, 4); // a token less: one row of codes and one scale
    assert_int_equal(expected(&a).clocks, expected(&b).clocks);
    assert_int_not_equal(expected(&a).crc, expected(&b).crc);
    close_design(&a);
    close_design(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_value), cmocka_unit_test(every_bit),
        cmocka_unit_test(every_swap),  cmocka_unit_test(a_larger_fabric),
        cmocka_unit_test(two_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
