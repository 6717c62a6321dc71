// SPDX-License-Identifier: Apache-2.0
// Owns calibration: which text, and what is kept of the activations.
#include "gen/float/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "refmodel/tables.h"

int hw_float_tap_width(const struct hw_config *c, enum hw_float_tap tap)
{
    switch (tap) {
    case HW_FLOAT_K_ROW:
    case HW_FLOAT_K:
    case HW_FLOAT_V:
        return c->n_kv_heads * c->head_dim;
    case HW_FLOAT_Q_ROW:
    case HW_FLOAT_Q:
    case HW_FLOAT_ATTN:
    case HW_FLOAT_ATTN_SIDE:
        return c->n_heads * c->head_dim;
    case HW_FLOAT_GATE:
    case HW_FLOAT_UP:
    case HW_FLOAT_HIDDEN:
    case HW_FLOAT_HIDDEN_SIDE:
        return c->hidden_dim;
    case HW_FLOAT_LOGITS:
        return c->vocab_size;
    default:
        return c->dim;
    }
}

float *hw_calibration_peak(const struct hw_calibration *r, enum hw_float_tap tap, int layer)
{
    return r->peak[tap] + (size_t)layer * (size_t)r->width[tap];
}

double *hw_calibration_square(const struct hw_calibration *r, enum hw_float_tap tap, int layer)
{
    return r->square[tap] + (size_t)layer * (size_t)r->width[tap];
}

double hw_calibration_max(const struct hw_calibration *r, enum hw_float_tap tap, int layer)
{
    const float *peak = hw_calibration_peak(r, tap, layer);
    double max = 0.0;
    for (int i = 0; i < r->width[tap]; i++)
        max = peak[i] > max ? peak[i] : max;
    return max;
}

static void observe(void *user, enum hw_float_tap tap, int layer, const float *v, int n)
{
    struct hw_calibration *r = user;
    float *peak = hw_calibration_peak(r, tap, layer);
    double *square = hw_calibration_square(r, tap, layer), sum = 0.0;
    for (int i = 0; i < n; i++) {
        peak[i] = fabsf(v[i]) > peak[i] ? fabsf(v[i]) : peak[i];
        square[i] += (double)v[i] * v[i];
        sum += (double)v[i] * v[i];
    }
    if (tap == HW_FLOAT_RESIDUAL && sum > 0.0)
        r->residual_inverse += sqrt(n / sum);
}

// The model's own text.
static void write_text(struct hw_float *f, const struct hw_config *c, int n_tokens, int *ran)
{
    int token = c->bos, pos = 0;
    uint64_t seed = 1;
    for (int i = 0; i < n_tokens; i++) {
        if (pos == c->seq_len || token == c->bos)
            pos = 0;
        if (ran)
            ran[i] = token;
        const float *logits = hw_float_forward(f, token, pos++);
        token = pos == c->seq_len ? c->bos : hw_float_sample(logits, c->vocab_size, &seed);
    }
}

static bool run_text(struct hw_float *f, const struct hw_config *c, const int *tokens, int n,
                     int *ran, struct hw_error *err)
{
    if (!hw_float_begin(f, tokens, n, err))
        return false;
    for (int l = 0; l < c->n_layers; l++)
        hw_float_layer(f, l);
    if (ran)
        memcpy(ran, tokens, (size_t)n * sizeof *ran);
    return hw_float_end(f, true, err);
}

static bool check_tokens(const struct hw_config *c, const int *tokens, int n, struct hw_error *err)
{
    if (n < 1)
        return hw_fail(err, "calibration: expected at least one token, got %d", n);
    for (int i = 0; tokens && i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= c->vocab_size)
            return hw_fail(err, "calibration: token %d: expected 0..%d, got %d", i,
                           c->vocab_size - 1, tokens[i]);
    }
    return true;
}

static size_t range_size(const struct hw_calibration *r, int tap)
{
    bool outside = tap == HW_FLOAT_FINAL_NORM || tap == HW_FLOAT_LOGITS;
    return (outside ? 1 : (size_t)r->n_layers) * (size_t)r->width[tap];
}

static bool check_finite(const struct hw_calibration *r, struct hw_error *err)
{
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        for (size_t i = 0; i < range_size(r, t); i++) {
            if (!isfinite(r->square[t][i]) || !(r->peak[t][i] < 1e18f))
                return hw_fail(err,
                               "calibration: layer %d: an activation is not finite, or 1e18 "
                               "or more: the checkpoint's weights are not those of a model",
                               (int)(i / (size_t)r->width[t]));
        }
    }
    return true;
}

bool hw_calibrate(struct hw_float *f, const struct hw_config *c, const int *tokens, int n_tokens,
                  int *ran, struct hw_calibration *r, struct hw_error *err)
{
    memset(r, 0, sizeof *r);
    if (!check_tokens(c, tokens, n_tokens, err))
        return false;
    r->n_layers = c->n_layers;
    r->n_seen = n_tokens;
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        r->width[t] = hw_float_tap_width(c, (enum hw_float_tap)t);
        r->peak[t] = calloc(range_size(r, t), sizeof *r->peak[t]);
        r->square[t] = calloc(range_size(r, t), sizeof *r->square[t]);
        if (!r->peak[t] || !r->square[t]) {
            hw_calibration_free(r);
            return hw_fail(err, "calibration: out of memory");
        }
    }
    hw_float_observe(f, observe, r);
    bool ok = true;
    if (tokens)
        ok = run_text(f, c, tokens, n_tokens, ran, err);
    else
        write_text(f, c, n_tokens, ran);
    hw_float_observe(f, NULL, NULL);
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        for (size_t i = 0; i < range_size(r, t); i++)
            r->square[t][i] /= n_tokens;
    }
    r->residual_inverse /= (1.0 + 2.0 * c->n_layers) * n_tokens;
    if (!ok || !check_finite(r, err)) {
        hw_calibration_free(r);
        return false;
    }
    return true;
}

void hw_calibration_free(struct hw_calibration *r)
{
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        free(r->peak[t]);
        free(r->square[t]);
    }
    memset(r, 0, sizeof *r);
}
