// SPDX-License-Identifier: Apache-2.0
#include "gen/text/sampler.h"

#include <stdlib.h>

#include "gen/lcg.h"
#include "refmodel/ref.h"
#include "refmodel/tables.h"

struct hw_candidate {
    double weight;
    int token;
};

static int likelier_first(const void *a, const void *b)
{
    const struct hw_candidate *x = a, *y = b;
    int order = (x->weight < y->weight) - (x->weight > y->weight);
    return order ? order : (x->token > y->token) - (x->token < y->token);
}

int hw_sampler_draw(struct hw_sampler *s, const int32_t *logits, int n)
{
    int best = hw_ref_argmax(logits, n), kept = 0;
    if (!(s->temperature > 0.0))
        return best;
    if (!s->order)
        s->order = malloc((size_t)n * sizeof *s->order);
    if (!s->order)
        return -1;
    double sum = 0.0, share = 0.0;
    for (int i = 0; i < n; i++) {
        double below = (logits[i] - logits[best]) * s->logit_scale / s->temperature;
        s->order[i] = (struct hw_candidate){below > -600.0 ? hw_exp(below) : 0.0, i};
        sum += s->order[i].weight;
    }
    qsort(s->order, (size_t)n, sizeof *s->order, likelier_first);
    while (kept < n && (kept == 0 || share < s->top_p * sum))
        share += s->order[kept++].weight;
    double at = hw_lcg_uniform(&s->seed) * share;
    for (int i = 0; i < kept; i++) {
        at -= s->order[i].weight;
        if (at < 0.0)
            return s->order[i].token;
    }
    return s->order[kept - 1].token;
}

void hw_sampler_free(struct hw_sampler *s)
{
    free(s->order);
    s->order = NULL;
}
