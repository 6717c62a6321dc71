// SPDX-License-Identifier: Apache-2.0
// hw_patch on configurations written here: columns of ROMs at every width of a block RAM.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/board/patch.h"
#include "gen/board/pattern.h"

#define BASE "build/test_patch.base"
#define OUT "build/test_patch.out"
enum { ROWS = 2048, BLOCKS = 6 };

static uint16_t block[BLOCKS][ROWS];

// Sets bit `lane` of word `word` of a block RAM of `width` bits a word.
static void poke(int b, int width, int word, int lane, bool value)
{
    int rows_a_word = width / 9;
    int row = rows_a_word ? word * rows_a_word + lane / 9 : word / (8 / width);
    int bit = rows_a_word ? lane % 9 : word % (8 / width) * width + lane;
    block[b][row] = (uint16_t)((block[b][row] & ~(1 << bit)) | value << bit);
}

static bool peek(uint16_t rows[ROWS], int width, int word, int lane)
{
    int rows_a_word = width / 9;
    int row = rows_a_word ? word * rows_a_word + lane / 9 : word / (8 / width);
    int bit = rows_a_word ? lane % 9 : word % (8 / width) * width + lane;
    return rows[row] >> bit & 1;
}

// One column of a ROM: `n` words from `start` of bit `bit`, in lane `lane` of block RAM `b`.
struct place {
    const char *rom;
    int bit, start, n, b, width, lane;
};

static const struct place PLACES[] = {
    {"alpha", 0, 0, 512, 0, 36, 17},   {"alpha", 1, 0, 512, 0, 36, 35},
    {"alpha", 2, 0, 512, 0, 36, 0},    {"alpha", 0, 512, 512, 1, 18, 3}, // 1024 words, half used
    {"alpha", 1, 512, 512, 1, 18, 12}, {"alpha", 2, 512, 512, 1, 18, 9},
    {"beta", 0, 0, 2048, 2, 9, 8},     {"beta", 1, 0, 2048, 2, 9, 0},
    {"gamma", 0, 0, 16384, 3, 1, 0},   {"delta", 0, 0, 32, 4, 4, 2},
};
enum { N_PLACES = sizeof PLACES / sizeof PLACES[0] };

static uint8_t alpha[1024], beta[2048], gamma_words[16384], delta[32];
static const struct hw_patch_rom ROMS[] = {{"alpha", 3, 10, 9, alpha, 2}, // two banks
                                           {"beta", 2, 11, 11, beta, 1},
                                           {"gamma", 1, 14, 14, gamma_words, 1},
                                           {"delta", 1, 5, 5, delta, 1}};
enum { N_ROMS = sizeof ROMS / sizeof ROMS[0] };

static const struct hw_patch_rom *rom_of(const char *name)
{
    for (int i = 0; i < N_ROMS; i++)
        if (strcmp(ROMS[i].name, name) == 0)
            return &ROMS[i];
    return NULL;
}

static void write_base(const char *path, int left_out)
{
    memset(block, 0, sizeof block);
    for (int i = 0; i < ROWS; i++)
        block[5][i] = (uint16_t)(i & 0x1ff); // of no ROM
    for (int i = 0; i < N_PLACES; i++)
        for (int w = 0; w < PLACES[i].n && i != left_out; w++)
            poke(PLACES[i].b, PLACES[i].width, w, PLACES[i].lane,
                 hw_pattern_bit(PLACES[i].rom, PLACES[i].start + w, PLACES[i].bit));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, ".device LFE5U-85F\n\n.tile A\narc: X Y\n\n");
    for (int b = 0; b < BLOCKS; b++) {
        fprintf(f, ".bram_init %d\n", b + 2);
        for (int i = 0; i < ROWS; i++)
            fprintf(f, "%03x%c", block[b][i], i % 8 == 7 ? '\n' : ' ');
        fputc('\n', f);
    }
    fclose(f);
}

static void fill_roms(void)
{
    uint32_t x = 1;
    for (int i = 0; i < N_ROMS; i++)
        for (int w = 0; w < 1 << ROMS[i].addr_bits; w++) {
            x = x * 1664525u + 1013904223u;
            ROMS[i].data[w] = (uint8_t)(x >> 24 & ((1u << ROMS[i].width) - 1));
        }
}

static void read_out(uint16_t got[BLOCKS][ROWS])
{
    char line[256];
    FILE *f = fopen(OUT, "r");
    assert_non_null(f);
    for (int b = 0; b < BLOCKS; b++) {
        do
            assert_non_null(fgets(line, sizeof line, f));
        while (strncmp(line, ".bram_init", 10) != 0);
        for (int i = 0; i < ROWS; i++) {
            unsigned value;
            assert_int_equal(fscanf(f, "%x", &value), 1);
            got[b][i] = (uint16_t)value;
        }
    }
    fclose(f);
}

static void test_every_width(void **state)
{
    static uint16_t got[BLOCKS][ROWS];
    struct hw_error err = {0};
    struct hw_patch_count count;
    (void)state;
    write_base(BASE, -1);
    fill_roms();
    if (!hw_patch(BASE, ROMS, N_ROMS, OUT, &count, &err))
        fail_msg("%s", err.text);
    read_out(got);
    assert_int_equal(count.blocks, 5);
    assert_int_equal(count.bits, 6 * 512 + 2 * 2048 + 16384 + 32);
    // what is expected, from the base and the places
    long differ = 0;
    for (int i = 0; i < N_PLACES; i++) {
        const struct place *p = &PLACES[i];
        for (int w = 0; w < p->n; w++) {
            bool value = rom_of(p->rom)->data[p->start + w] >> p->bit & 1;
            differ += value != hw_pattern_bit(p->rom, p->start + w, p->bit);
            assert_int_equal(peek(got[p->b], p->width, w, p->lane), value);
            poke(p->b, p->width, w, p->lane, value);
        }
    }
    assert_int_equal(count.differ, differ);
    assert_memory_equal(got, block, sizeof block); // and nothing else has changed
}

static void expect_refusal(const char *words)
{
    struct hw_error err = {0};
    struct hw_patch_count count;
    remove(OUT);
    assert_false(hw_patch(BASE, ROMS, N_ROMS, OUT, &count, &err));
    if (!strstr(err.text, words))
        fail_msg("expected '%s' in: %s", words, err.text);
    assert_null(fopen(OUT, "r"));
}

static void test_bit_that_is_nowhere(void **state)
{
    (void)state;
    for (int i = 0; i < N_PLACES; i++) {
        write_base(BASE, i);
        expect_refusal("found it in none");
    }
}

static void test_damaged(void **state)
{
    (void)state;
    FILE *f = fopen(BASE, "w");
    assert_non_null(f);
    fprintf(f, ".device LFE5U-85F\n");
    fclose(f);
    expect_refusal("expected a configuration");
    f = fopen(BASE, "w");
    fprintf(f, ".bram_init 2\n000 1ff xyz\n");
    fclose(f);
    expect_refusal("expected 2048 words");
    f = fopen(BASE, "w");
    fprintf(f, ".bram_init 2");
    fclose(f);
    expect_refusal("expected 2048 words");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_width),
                                       cmocka_unit_test(test_bit_that_is_nowhere),
                                       cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
