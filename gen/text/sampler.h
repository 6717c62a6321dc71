// SPDX-License-Identifier: Apache-2.0
// The next token: the likeliest, or drawn. The same seed draws the same tokens on every machine.
#ifndef HW_SAMPLER_H
#define HW_SAMPLER_H

#include <stdint.h>

struct hw_sampler {
    double temperature;         // 0: the likeliest token, as the chip does
    double top_p;               // draw among the fewest tokens that hold this share, 0 < top_p <= 1
    uint64_t seed;              // changes with every draw
    double logit_scale;         // one logit unit
    struct hw_candidate *order; // room for them, made at the first draw
};

// -1: out of memory.
int hw_sampler_draw(struct hw_sampler *s, const int32_t *logits, int n);
void hw_sampler_free(struct hw_sampler *s);

#endif
