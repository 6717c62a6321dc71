// SPDX-License-Identifier: Apache-2.0
// The linear congruential generator of Knuth's MMIX (The Art of Computer Programming 2, 3.3.4): the
// random numbers of samplers and of random operands. Low bits repeat soon, so users take high ones.
#ifndef HW_LCG_H
#define HW_LCG_H

#include <stdint.h>

// The next state, which *state becomes.
static inline uint64_t hw_lcg_next(uint64_t *state)
{
    return *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
}

// A number of 53 bits in [0, 1).
static inline double hw_lcg_uniform(uint64_t *state)
{
    return (double)(hw_lcg_next(state) >> 11) / 9007199254740992.0;
}

#endif
