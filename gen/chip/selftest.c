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

uint32_t hw_crc32_bits(uint32_t crc, const uint8_t *data, size_t n)
{
    // what four bits in the state become
    static const uint32_t FOUR[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                      0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    size_t whole_bytes = n / 8;
    for (size_t i = 0; i < whole_bytes; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ FOUR[crc & 15];
        crc = crc >> 4 ^ FOUR[crc & 15];
    }
    for (size_t i = 8 * whole_bytes; i < n; i++)
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
