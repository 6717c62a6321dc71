// SPDX-License-Identifier: Apache-2.0
// The mixing function of SplitMix64 (Steele, Lea and Flood, 2014): neighbours in, as good as random
// numbers out. A state that grows by HW_MIX_STEP, mixed, is the generator.
#ifndef HW_MIX_H
#define HW_MIX_H

#include <stdint.h>

#define HW_MIX_STEP UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t hw_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#endif
