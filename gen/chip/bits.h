// SPDX-License-Identifier: Apache-2.0
// Fields in words of ROMs, which are little endian in bytes, and what sizes are made of.
#ifndef HW_BITS_H
#define HW_BITS_H

#include <stdint.h>

// Sets bits [lsb + width - 1 : lsb] of a word, zero before, to the low bits of value; width 1..64.
static inline void hw_put_bits(uint8_t *word, long lsb, int width, uint64_t value)
{
    for (int i = 0; i < width; i++) {
        if (value >> i & 1)
            word[(lsb + i) >> 3] |= (uint8_t)(1u << ((lsb + i) & 7));
    }
}

// The least b with 2^b >= n, n >= 1: bits of an address of n words, levels of a tree of n leaves.
static inline int hw_log2_up(long n)
{
    int b = 0;
    while (1L << b < n)
        b++;
    return b;
}

// The larger of two.
static inline int hw_most(int a, int b)
{
    return a > b ? a : b;
}

#endif
