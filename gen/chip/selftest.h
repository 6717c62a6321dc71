// SPDX-License-Identifier: Apache-2.0
// What the self-test of a chip must answer (rtl_templates/selftest.v): the CRC-32 of every word of
// every ROM, and how long that takes.
#ifndef HW_SELFTEST_H
#define HW_SELFTEST_H

#include "gen/chip/plan.h"

struct hw_selftest {
    uint32_t crc;
    long long clocks; // from the chip's s_selftest to selftest_done, if no sequence is under way
};

// The model of `plan` on a fabric of geometry `g`, whose ROMs may reach further than the plan's:
// words beyond the plan's are zero. A word is `width` bits, bit 0 first, and zeros up to a multiple
// of vec. Reads all words once. False: out of memory.
bool hw_selftest_expect(const struct hw_plan *plan, const struct hw_geometry *g,
                        struct hw_selftest *to, struct hw_error *err);

// Folds n bits into a CRC-32 (that of zlib, without its complements), the lowest bit of the first
// byte first; bits at n and beyond are not looked at.
uint32_t hw_crc32_bits(uint32_t crc, const uint8_t *data, size_t n);

#endif
