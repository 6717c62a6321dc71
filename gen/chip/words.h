// SPDX-License-Identifier: Apache-2.0
// The words of a plan's ROMs, made when they are asked for.
#ifndef HW_WORDS_H
#define HW_WORDS_H

#include "gen/chip/plan.h"

// Reads words of a ROM one after the other (plan: NULL where the ROM has data). The weight ROM's
// are packed here, one row block and plane of codes in memory at a time.
struct hw_words {
    const struct hw_plan *plan;
    const struct hw_rom *rom;
    int range, block; // of the word read last; block counts row blocks times planes
    uint8_t *codes;   // [rows][padded n_in] of that block: codes, zero where the matrix ends
    size_t loaded;    // bytes of codes read since pages were given back
    uint8_t *lanes;   // [rows * cols] codes of one word
    uint8_t *word;
};
bool hw_words_open(struct hw_words *w, const struct hw_plan *plan, const struct hw_rom *rom,
                   struct hw_error *err);
// The bytes of word `at`, below the ROM's depth; valid until the next call. Sequential
// access is fast; random access packs a row block again.
const uint8_t *hw_words_get(struct hw_words *w, long at);
void hw_words_close(struct hw_words *w);

#endif
