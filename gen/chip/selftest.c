// SPDX-License-Identifier: Apache-2.0
// Owns what the self-test of a chip answers: the order of ROMs, words and bits of selftest.v.
#include "gen/chip/selftest.h"

#include <stdlib.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/chip/words.h"

enum { START_CLOCKS = 3 }; // the request, the start, and the last bits' way into the result

static uint32_t fold(uint32_t crc, unsigned bit)
{
    return crc >> 1 ^ ((crc ^ bit) & 1 ? UINT32_C(0xedb88320) : 0);
}

static void make_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = fold(table[i], 0);
    }
}

uint32_t hw_crc32_bits(uint32_t crc, const uint8_t *data, size_t n)
{
    uint32_t table[256];
    size_t bytes = n / 8;
    if (bytes)
        make_table(table);
    for (size_t i = 0; i < bytes; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    for (size_t i = 8 * bytes; i < n; i++)
        crc = fold(crc, data[i / 8] >> i % 8 & 1);
    return crc;
}

static int whole(int bits, int vec)
{
    return (bits + vec - 1) / vec * vec;
}

// One ROM of 2^addr_bits words: those of the plan, then zeros.
static bool fold_rom(const struct hw_plan *plan, const struct hw_rom *rom, int addr_bits, int vec,
                     uint32_t *crc, struct hw_error *err)
{
    struct hw_words words;
    int bits = whole(rom->width, vec);
    size_t bytes = ((size_t)rom->width + 7) / 8;
    uint8_t *padded = calloc(((size_t)bits + 7) / 8, 1);
    if (!padded)
        return hw_fail(err, "%s ROM: out of memory", rom->name);
    bool ready = hw_words_open(&words, plan, rom, err);
    for (long w = 0; ready && w < 1L << addr_bits; w++) {
        if (w < rom->depth)
            memcpy(padded, hw_words_get(&words, w), bytes);
        else if (w == rom->depth)
            memset(padded, 0, bytes);
        *crc = hw_crc32_bits(*crc, padded, (size_t)bits);
    }
    if (ready)
        hw_words_close(&words);
    free(padded);
    return ready;
}

bool hw_selftest_expect(const struct hw_plan *plan, const struct hw_geometry *g,
                        struct hw_selftest *to, struct hw_error *err)
{
    int half_bits = hw_log2_up(g->head_dim / 2);
    const int addr_bits[HW_N_ROMS] = {
        [HW_ROM_WEIGHT] = g->weight_addr_bits,
        [HW_ROM_SCALE] = g->scale_addr_bits,
        [HW_ROM_LEVEL] = g->level_addr_bits,
        [HW_ROM_GAIN] = g->gain_addr_bits,
        [HW_ROM_ROPE_HI] = g->rope_hi_bits + half_bits,
        [HW_ROM_ROPE_LO] = g->rope_lo_bits + half_bits,
        [HW_ROM_PROGRAM] = g->prog_addr_bits,
    };
    uint32_t crc = UINT32_MAX;
    to->clocks = START_CLOCKS;
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *rom = &plan->rom[i];
        if (!fold_rom(plan, rom, addr_bits[i], g->vec, &crc, err))
            return false;
        int pieces = whole(rom->width, g->vec) / g->vec;
        to->clocks += (long long)(g->latency.rom + pieces) << addr_bits[i];
    }
    to->crc = ~crc;
    return true;
}
