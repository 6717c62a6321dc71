// SPDX-License-Identifier: Apache-2.0
// Owns calibration: which text, and what is remembered of the activations.
#include "gen/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/tokenizer.h"
#include "refmodel/tables.h"

static int square_width(const struct hw_config *c, int tap)
{
    switch (tap) {
    case HW_FLOAT_ATTN_IN:
    case HW_FLOAT_FFN_IN:
    case HW_FLOAT_HEAD_IN:
        return c->dim;
    case HW_FLOAT_ATTN:
        return c->n_heads * c->head_dim;
    case HW_FLOAT_HIDDEN:
        return c->hidden_dim;
    default:
        return 0;
    }
}

static void observe(void *user, enum hw_float_tap tap, int layer, const float *v, int n)
{
    struct hw_ranges *r = user;
    float *max = &r->max[tap][layer];
    for (int i = 0; i < n; i++)
        *max = fabsf(v[i]) > *max ? fabsf(v[i]) : *max;
    if (r->square[tap]) {
        double *square = r->square[tap] + (size_t)layer * (size_t)n;
        for (int i = 0; i < n; i++)
            square[i] += (double)v[i] * v[i];
    }
}

// A sample of the distribution softmax(logits), by a 64-bit congruential generator.
static int sample(const float *logits, int n, uint64_t *seed)
{
    double sum = 0.0, max = logits[0];
    for (int i = 1; i < n; i++)
        max = logits[i] > max ? logits[i] : max;
    for (int i = 0; i < n; i++)
        sum += hw_exp(logits[i] - max);
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    double at = (double)(*seed >> 11) / 9007199254740992.0 * sum;
    for (int i = 0; i < n; i++) {
        at -= hw_exp(logits[i] - max);
        if (at < 0.0)
            return i;
    }
    return n - 1;
}

bool hw_calibrate(struct hw_float *f, const struct hw_config *c, const int *tokens, int n_tokens,
                  struct hw_ranges *r, struct hw_error *err)
{
    memset(r, 0, sizeof *r);
    r->n_layers = c->n_layers;
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        size_t width = (size_t)square_width(c, t);
        r->max[t] = calloc((size_t)c->n_layers, sizeof *r->max[t]);
        r->square[t] = width ? calloc((size_t)c->n_layers * width, sizeof(double)) : NULL;
        if (!r->max[t] || (width && !r->square[t])) {
            hw_ranges_free(r);
            return hw_fail(err, "calibration: out of memory");
        }
    }
    hw_float_observe(f, observe, r);
    int token = HW_TOKEN_BOS, pos = 0;
    uint64_t seed = 1;
    for (int i = 0; i < n_tokens; i++) {
        if (tokens)
            token = tokens[i];
        if (pos == c->seq_len || (token == HW_TOKEN_BOS && pos > 0))
            pos = 0;
        const float *logits = hw_float_forward(f, token, pos++);
        if (!tokens)
            token = pos == c->seq_len ? HW_TOKEN_BOS : sample(logits, c->vocab_size, &seed);
    }
    hw_float_observe(f, NULL, NULL);
    return true;
}

void hw_ranges_free(struct hw_ranges *r)
{
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        free(r->max[t]);
        free(r->square[t]);
    }
    memset(r, 0, sizeof *r);
}
