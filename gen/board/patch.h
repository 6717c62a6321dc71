// SPDX-License-Identifier: Apache-2.0
// New words for the ROMs of a placed ECP5 design, without placing it again. The design was made
// with a pattern in its ROMs (gen/board/pattern.h); its configuration as text, as nextpnr writes it
// and ecppack reads it, holds the contents of every block RAM, in which the pattern's columns are
// found.
#ifndef HW_PATCH_H
#define HW_PATCH_H

#include "gen/chip/plan.h"

// A ROM of the design and its new words, as many as its banks hold; zero where the model has none.
struct hw_patch_rom {
    const char *name;
    int width, addr_bits;
    int bank_bits; // of an address within one bank; a block RAM is in one bank
    uint8_t *data; // words of (width + 7) / 8 bytes
    int banks;
};

struct hw_patch_count {
    int blocks;  // block RAMs that hold ROM bits
    long bits;   // ROM bits written
    long differ; // of them, those that the pattern had otherwise
};

// Reads `base`, writes `output` by the rules of gen/output.h. An error: a file that is no
// configuration; a ROM bit that no block RAM holds, as where a tool put a ROM into logic, or where
// the base was made with another geometry or tokenizer.
bool hw_patch(const char *base, const struct hw_patch_rom *roms, int n_roms, const char *output,
              struct hw_patch_count *count, struct hw_error *err);

#endif
