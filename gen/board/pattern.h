// SPDX-License-Identifier: Apache-2.0
// ROMs that hold no model but a pattern, so that `hardwire patch` finds in a finished bitstream
// which bit of which memory is which bit of which ROM.
#ifndef HW_PATTERN_H
#define HW_PATTERN_H

#include "gen/chip/plan.h"

// Bit `bit` of word `word` of the ROM of this name: as good as random.
bool hw_pattern_bit(const char *rom, long word, int bit);

// The ROM's words, as many as its address can name, become the pattern; the old data are freed.
bool hw_pattern_fill(struct hw_rom *rom, struct hw_error *err);

#endif
