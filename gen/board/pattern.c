// SPDX-License-Identifier: Apache-2.0
// Owns the pattern: a hash of name, word and bit.
#include "gen/board/pattern.h"

#include <stdlib.h>

#include "gen/chip/bits.h"
#include "gen/mix.h"

static uint64_t mix(uint64_t x)
{
    return hw_mix(x + HW_MIX_STEP);
}

bool hw_pattern_bit(const char *rom, long word, int bit)
{
    uint64_t seed = 0;
    for (; *rom; rom++)
        seed = mix(seed ^ (uint8_t)*rom);
    return mix(mix(seed ^ (uint64_t)word) ^ (uint64_t)bit) & 1;
}

bool hw_pattern_fill(struct hw_rom *rom, struct hw_error *err)
{
    long depth = 1L << rom->addr_bits;
    size_t bytes = (size_t)(rom->width + 7) / 8;
    uint8_t *data = calloc((size_t)depth, bytes);
    if (!data)
        return hw_fail(err, "%s ROM: out of memory", rom->name);
    for (long w = 0; w < depth; w++)
        for (int b = 0; b < rom->width; b++)
            hw_put_bits(data + (size_t)w * bytes, b, 1, hw_pattern_bit(rom->name, w, b));
    free(rom->data);
    rom->data = data;
    rom->depth = (int)depth;
    return true;
}
