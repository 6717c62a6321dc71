// SPDX-License-Identifier: Apache-2.0
// How far the integer machine's predictions lie from the float model's, for tests.
#ifndef TESTS_DIVERGENCE_H
#define TESTS_DIVERGENCE_H

#include "tests/random_model.h"

#include <stdlib.h>

#include "gen/float/calibrate.h"
#include "gen/learn/tune.h"
#include "gen/text/tokenizer.h"
#include "refmodel/ref.h"

static inline struct hw_float *float_model(const struct hw_config *c, uint64_t seed)
{
    struct hw_error err = {0};
    struct hw_model *model = random_checkpoint(c, seed);
    struct hw_float *f = hw_float_new(model, &err);
    hw_model_close(model);
    assert_non_null(f);
    return f;
}

// Mean divergence of the integer machine from the float model over the float model's own text.
static inline double divergence_of(const struct hw_qmodel *q, const struct hw_config *c,
                                   uint64_t seed)
{
    struct hw_float *f = float_model(c, seed);
    struct hw_ref *ref = hw_ref_new(q);
    int vocab = c->vocab_size, length = c->seq_len, n = 20 * length;
    float *got = malloc((size_t)vocab * sizeof *got), *work = malloc((size_t)vocab * sizeof *work);
    uint64_t text = 99;
    double total = 0.0;
    for (int i = 0, token = c->bos; i < n; i++) {
        const float *want = hw_float_forward(f, token, i % length);
        const int32_t *logits = hw_ref_forward(ref, token, i % length, 1);
        for (int k = 0; k < vocab; k++)
            got[k] = (float)(logits[k] * q->logit_scale);
        total += hw_kl_divergence(want, got, 1, vocab, work) / n;
        token = (i + 1) % length ? hw_float_sample(want, vocab, &text) : c->bos;
    }
    free(got);
    free(work);
    hw_ref_free(ref);
    hw_float_free(f);
    return total;
}

#endif
