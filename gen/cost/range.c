// SPDX-License-Identifier: Apache-2.0
// Owns ranges of results: draws from the constants' ranges, and one constant at a time.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "gen/cost/cost.h"
#include "gen/mix.h"

static double uniform(uint64_t *state) // splitmix64, in [0, 1)
{
    *state += HW_MIX_STEP;
    return (double)(hw_mix(*state) >> 11) * 0x1p-53;
}

static double triangle(const struct hw_range_of *c, double u)
{
    double width = c->high - c->low, left = c->value - c->low, right = c->high - c->value;
    if (width <= 0.0)
        return c->value;
    return u < left / width ? c->low + sqrt(u * width * left)
                            : c->high - sqrt((1.0 - u) * width * right);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void hw_cost_ranges(const struct hw_constants *c, const struct hw_load *load,
                    struct hw_result_range r[HW_N_RESULTS])
{
    static const double SHARE = 0.05;
    double k[HW_N_CONSTANTS], one[HW_N_RESULTS];
    double(*draw)[HW_DRAWS] = malloc(sizeof *draw * HW_N_RESULTS);
    uint64_t state = 1;
    hw_constants_middle(c, k);
    hw_cost(k, load, one);
    for (int i = 0; i < HW_N_RESULTS; i++)
        r[i] = (struct hw_result_range){one[i], one[i], one[i]};
    for (int n = 0; draw && n < HW_DRAWS; n++) {
        for (int i = 0; i < HW_N_CONSTANTS; i++)
            k[i] = triangle(&c->k[i], uniform(&state));
        hw_cost(k, load, one);
        for (int i = 0; i < HW_N_RESULTS; i++)
            draw[i][n] = one[i];
    }
    for (int i = 0; draw && i < HW_N_RESULTS; i++) {
        qsort(draw[i], HW_DRAWS, sizeof draw[i][0], compare);
        r[i].low = fmin(r[i].value, draw[i][(int)(SHARE * HW_DRAWS)]);
        r[i].high = fmax(r[i].value, draw[i][(int)((1.0 - SHARE) * HW_DRAWS)]);
    }
    free(draw);
}

static double ratio(const struct hw_swing *s)
{
    return s->high > s->low ? s->high / s->low : s->low / s->high;
}

static int by_ratio(const void *a, const void *b)
{
    const struct hw_swing *x = a, *y = b;
    double rx = ratio(x), ry = ratio(y);
    if (rx < ry || rx > ry)
        return rx < ry ? 1 : -1;
    return (x->constant > y->constant) - (x->constant < y->constant);
}

int hw_cost_swings(const struct hw_constants *c, const struct hw_load *load, int result, int n,
                   struct hw_swing *swing)
{
    struct hw_swing all[HW_N_CONSTANTS];
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    int found = 0;
    hw_constants_middle(c, k);
    for (int i = 0; i < HW_N_CONSTANTS; i++) {
        struct hw_swing s = {.constant = i};
        k[i] = c->k[i].low;
        hw_cost(k, load, r);
        s.low = r[result];
        k[i] = c->k[i].high;
        hw_cost(k, load, r);
        s.high = r[result];
        k[i] = c->k[i].value;
        if (ratio(&s) > 1.0 + 1e-9)
            all[found++] = s;
    }
    qsort(all, (size_t)found, sizeof all[0], by_ratio);
    for (int i = 0; i < found && i < n; i++)
        swing[i] = all[i];
    return found < n ? found : n;
}
