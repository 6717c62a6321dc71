// SPDX-License-Identifier: Apache-2.0
// Owns tuning: Adam over places, scales, levels and gains, the rounding passed straight through
// (as LSQ and EfficientQAT do), against the float model's distribution.
#include "gen/tune.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gen/tokenizer.h"
#include "refmodel/tables.h"

enum { WINDOW = 256, BATCH = 2, PASSES = 4 };
static const double MOST_BYTES = 2147483648.0;

// How far one step moves, at first; it falls linearly to nothing.
static const double PLACE_RATE = 0.02;  // of the mean distance of two levels
static const double LEVEL_RATE = 0.005; // the same
static const double SCALE_RATE = 0.001; // of the scale
static const double GAIN_RATE = 0.001;  // of the mean gain

// --- a rounded matrix ------------------------------------------------------------------------------

static float *row_of(const struct hw_rounded *r, const struct hw_config *c,
                     const struct hw_params *p, int row)
{
    enum hw_tensor_id id = r->interleaved ? row % 2 ? HW_W_UP : HW_W_GATE : r->tensor;
    return hw_params_at(p, c, id, r->layer) +
           (size_t)(r->interleaved ? row / 2 : row) * (size_t)r->n_in;
}

static double grid_gap(const struct hw_grid *g)
{
    return (double)(g->value[g->n - 1] - g->value[0]) / (g->n - 1);
}

void hw_rounded_weights(const struct hw_rounded *r, const struct hw_config *c, struct hw_params *p)
{
    for (int i = 0; i < r->n_out; i++) {
        const float *place = r->place + (size_t)i * (size_t)r->n_in;
        float *w = row_of(r, c, p, i), scale = (float)r->scale[i];
        for (int k = 0; k < r->n_in; k++)
            w[k] = scale * (float)r->grid.value[hw_grid_nearest(&r->grid, place[k])];
    }
}

// --- text and loss ---------------------------------------------------------------------------------

bool hw_params_from(struct hw_params *p, const struct hw_float *f, const struct hw_config *c,
                    struct hw_error *err)
{
    if (!hw_params_new(p, c, err))
        return false;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = hw_params_size(c, (enum hw_tensor_id)id);
        for (int l = 0; n && l < hw_params_layers(c, (enum hw_tensor_id)id); l++)
            memcpy(hw_params_at(p, c, (enum hw_tensor_id)id, l),
                   hw_float_tensor(f, (enum hw_tensor_id)id, l), n * sizeof(float));
    }
    return true;
}

void hw_own_text(struct hw_float *f, const struct hw_config *c, uint64_t seed, int *tokens, int n)
{
    int length = c->seq_len < WINDOW ? c->seq_len : WINDOW;
    tokens[0] = HW_TOKEN_BOS;
    for (int i = 0; i + 1 < n; i++)
        tokens[i + 1] = hw_sample(hw_float_forward(f, tokens[i], i % length), c->vocab_size, &seed);
}

double hw_divergence(const float *teacher, const float *student, int n, int vocab_size,
                     float *d_logits)
{
    double total = 0.0;
    for (int t = 0; t < n; t++, teacher += vocab_size, student += vocab_size) {
        double sum_t = 0.0, sum_s = 0.0, gap = 0.0;
        float max_t = teacher[0], max_s = student[0];
        for (int i = 1; i < vocab_size; i++) {
            max_t = teacher[i] > max_t ? teacher[i] : max_t;
            max_s = student[i] > max_s ? student[i] : max_s;
        }
        for (int i = 0; i < vocab_size; i++) {
            double p = hw_quick_exp(teacher[i] - max_t), q = hw_quick_exp(student[i] - max_s);
            sum_t += p;
            sum_s += q;
            gap += p * (((double)teacher[i] - max_t) - ((double)student[i] - max_s));
        }
        total += gap / sum_t + hw_log(sum_s) - hw_log(sum_t);
        for (int i = 0; d_logits && i < vocab_size; i++)
            *d_logits++ = (float)(hw_quick_exp(student[i] - max_s) / sum_s -
                                  hw_quick_exp(teacher[i] - max_t) / sum_t);
    }
    return total;
}

// --- Adam ------------------------------------------------------------------------------------------

struct moments { // of one vector of derivatives
    float *mean, *square;
};

struct step {
    double rate;           // of this step, 1 at first
    double mean, square;   // 1 - beta^step
};

static const float KEEP_MEAN = 0.9f, KEEP_SQUARE = 0.98f;

// The direction in which entry i moves, about -1..1.
static double direction(const struct moments *m, size_t i, float d, const struct step *s)
{
    m->mean[i] = KEEP_MEAN * m->mean[i] + (1.0f - KEEP_MEAN) * d;
    m->square[i] = KEEP_SQUARE * m->square[i] + (1.0f - KEEP_SQUARE) * d * d;
    return m->mean[i] / s->mean / (sqrt(m->square[i] / s->square) + 1e-20);
}

struct matrix {
    struct hw_rounded *r;
    struct moments place, scale, level;
    double value[HW_GRID_MAX]; // levels before they are rounded to integers
};

struct tuner {
    const struct hw_config *c;
    struct matrix *matrix;
    int n_matrices;
    struct moments gain[HW_N_TENSORS];
    struct hw_params teacher, student, grad[BATCH];
    struct hw_window *window[BATCH];
    float *d_logits[BATCH];
    const int *tokens[BATCH]; // of the step's windows
    int length;
    double loss[BATCH];
};

static bool is_gain(int id)
{
    return id == HW_OUTPUT_NORM || id == HW_ATTN_NORM || id == HW_FFN_NORM;
}

static bool moments_new(struct moments *m, size_t n, struct hw_error *err)
{
    m->mean = calloc(n, sizeof *m->mean);
    m->square = calloc(n, sizeof *m->square);
    return (m->mean && m->square) || hw_fail(err, "tuning: out of memory");
}

static void moments_free(struct moments *m)
{
    free(m->mean);
    free(m->square);
}

// Levels move as their weights ask and stay ascending integers.
static void move_levels(struct matrix *m, const double *d, const struct step *s)
{
    struct hw_grid *g = &m->r->grid;
    double gap = grid_gap(g);
    for (int k = 0; k < g->n; k++)
        m->value[k] -= LEVEL_RATE * gap * s->rate * direction(&m->level, (size_t)k, (float)d[k], s);
    for (int k = 0; k < g->n; k++) {
        double low = k ? g->value[k - 1] + 1 : -127.0, high = 128.0 - g->n + k;
        double v = floor(m->value[k] + 0.5);
        g->value[k] = (int16_t)(v < low ? low : v > high ? high : v);
    }
}

static void move_matrix(struct tuner *t, struct matrix *m, const struct step *s)
{
    struct hw_rounded *r = m->r;
    const struct hw_grid *g = &r->grid;
    double d_level[HW_GRID_MAX] = {0}, gap = grid_gap(g);
    float low = (float)(g->value[0] - gap / 2), high = (float)(g->value[g->n - 1] + gap / 2);
    for (int i = 0; i < r->n_out; i++) {
        const float *d = row_of(r, t->c, &t->grad[0], i);
        float *place = r->place + (size_t)i * (size_t)r->n_in;
        double d_scale = 0.0;
        for (int k = 0; k < r->n_in; k++) {
            int code = hw_grid_nearest(g, place[k]);
            d_scale += (double)d[k] * g->value[code];
            d_level[code] += d[k] * r->scale[i];
            float to = (float)(place[k] - PLACE_RATE * gap * s->rate *
                                              direction(&m->place, (size_t)i * (size_t)r->n_in +
                                                        (size_t)k, (float)(d[k] * r->scale[i]), s));
            place[k] = to < low ? low : to > high ? high : to;
        }
        r->scale[i] *= 1.0 - SCALE_RATE * s->rate *
                                 direction(&m->scale, (size_t)i, (float)(d_scale * r->scale[i]), s);
    }
    if (!r->even)
        move_levels(m, d_level, s);
}

static void move_gains(struct tuner *t, const struct step *s)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (!is_gain(id))
            continue;
        float *gain = t->student.tensor[id];
        const float *d = t->grad[0].tensor[id];
        size_t n = (size_t)hw_params_layers(t->c, (enum hw_tensor_id)id) * (size_t)t->c->dim;
        double mean = 0.0;
        for (size_t i = 0; i < n; i++)
            mean += fabsf(gain[i]) / (double)n;
        for (size_t i = 0; i < n; i++)
            gain[i] = (float)(gain[i] - GAIN_RATE * mean * s->rate *
                                            direction(&t->gain[id], i, d[i], s));
    }
}

// --- steps -----------------------------------------------------------------------------------------

struct share { // one window of a step, in a thread of its own
    struct tuner *t;
    int i;
};

static void *learn_window(void *arg)
{
    const struct share *share = arg;
    struct tuner *t = share->t;
    int i = share->i, n = t->length, vocab = t->c->vocab_size;
    struct hw_params *grad = &t->grad[i];
    float *target = t->d_logits[i] + (size_t)n * (size_t)vocab;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t size = hw_params_size(t->c, (enum hw_tensor_id)id) *
                      (size_t)hw_params_layers(t->c, (enum hw_tensor_id)id);
        if (size)
            memset(grad->tensor[id], 0, size * sizeof(float));
    }
    memcpy(target, hw_window_forward(t->window[i], &t->teacher, t->tokens[i], n),
           (size_t)n * (size_t)vocab * sizeof *target);
    const float *logits = hw_window_forward(t->window[i], &t->student, t->tokens[i], n);
    t->loss[i] = hw_divergence(target, logits, n, vocab, t->d_logits[i]) / n;
    hw_window_backward(t->window[i], &t->student, t->d_logits[i], grad);
    return NULL;
}

// The windows' derivatives, added in their order.
static double learn(struct tuner *t)
{
    struct share share[BATCH];
    pthread_t thread[BATCH];
    bool started[BATCH] = {false};
    double loss = 0.0;
    for (int i = 0; i < BATCH; i++) {
        share[i] = (struct share){t, i};
        started[i] = i > 0 && pthread_create(&thread[i], NULL, learn_window, &share[i]) == 0;
    }
    for (int i = 0; i < BATCH; i++) {
        if (!started[i])
            learn_window(&share[i]);
    }
    for (int i = 0; i < BATCH; i++) {
        if (started[i])
            pthread_join(thread[i], NULL);
        loss += t->loss[i] / BATCH;
        for (int id = 0; i > 0 && id < HW_N_TENSORS; id++) {
            size_t size = hw_params_size(t->c, (enum hw_tensor_id)id) *
                          (size_t)hw_params_layers(t->c, (enum hw_tensor_id)id);
            for (size_t k = 0; k < size; k++)
                t->grad[0].tensor[id][k] += t->grad[i].tensor[id][k];
        }
    }
    return loss;
}

static void run_steps(struct tuner *t, const int *text, int n_windows, int n_steps, FILE *progress)
{
    double mean = 1.0, square = 1.0, recent = 0.0;
    int every = n_steps / 10 > 0 ? n_steps / 10 : 1;
    for (int i = 0; i < n_steps; i++) {
        for (int m = 0; m < t->n_matrices; m++)
            hw_rounded_weights(t->matrix[m].r, t->c, &t->student);
        for (int b = 0; b < BATCH; b++)
            t->tokens[b] = text + (size_t)((i * BATCH + b) % n_windows) * (size_t)t->length;
        recent += learn(t) / every;
        mean *= KEEP_MEAN;
        square *= KEEP_SQUARE;
        struct step s = {(double)(n_steps - i) / n_steps, 1.0 - mean, 1.0 - square};
        for (int m = 0; m < t->n_matrices; m++)
            move_matrix(t, &t->matrix[m], &s);
        move_gains(t, &s);
        if (progress && (i + 1) % every == 0) {
            fprintf(progress, "tuning: step %d of %d, divergence from float %.5f\n", i + 1, n_steps,
                    recent);
            fflush(progress);
            recent = 0.0;
        }
    }
    for (int m = 0; m < t->n_matrices; m++)
        hw_rounded_weights(t->matrix[m].r, t->c, &t->student);
}

// --- memory ----------------------------------------------------------------------------------------

static bool check_size(const struct hw_config *c, int length, struct hw_error *err)
{
    double bytes = (2.0 + BATCH + 4.0) * hw_params_bytes(c) +
                   BATCH * (hw_window_bytes(c, length) + 8.0 * length * c->vocab_size);
    if (bytes > MOST_BYTES)
        return hw_fail(err, "tuning: expected a model that tunes in %.0f MiB of memory, got one of "
                            "%.0f", MOST_BYTES / 1048576.0, bytes / 1048576.0);
    return true;
}

static bool tuner_new(struct tuner *t, const struct hw_float *f, struct hw_rounded *rounded,
                      struct hw_error *err)
{
    const struct hw_config *c = t->c;
    size_t logits = 2 * (size_t)t->length * (size_t)c->vocab_size;
    if (!hw_params_from(&t->teacher, f, c, err) || !hw_params_from(&t->student, f, c, err))
        return false;
    for (int i = 0; i < BATCH; i++) {
        t->window[i] = hw_window_new(c, t->length, err);
        t->d_logits[i] = malloc(logits * sizeof(float));
        if (!t->window[i] || !hw_params_new(&t->grad[i], c, err) || !t->d_logits[i])
            return hw_fail(err, "tuning: out of memory");
    }
    t->matrix = calloc((size_t)hw_rounded_count(c), sizeof *t->matrix);
    if (!t->matrix)
        return hw_fail(err, "tuning: out of memory");
    for (int i = 0; i < hw_rounded_count(c); i++) {
        struct hw_rounded *r = &rounded[i];
        struct matrix *m = &t->matrix[t->n_matrices];
        if (!r->n_out)
            continue;
        t->n_matrices++;
        m->r = r;
        for (int k = 0; k < r->grid.n; k++)
            m->value[k] = r->grid.value[k];
        if (!moments_new(&m->place, (size_t)r->n_out * (size_t)r->n_in, err) ||
            !moments_new(&m->scale, (size_t)r->n_out, err) ||
            !moments_new(&m->level, HW_GRID_MAX, err))
            return false;
    }
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (is_gain(id) && !moments_new(&t->gain[id], (size_t)c->dim * (size_t)c->n_layers, err))
            return false;
    }
    return true;
}

static void tuner_free(struct tuner *t)
{
    for (int i = 0; i < t->n_matrices; i++) {
        moments_free(&t->matrix[i].place);
        moments_free(&t->matrix[i].scale);
        moments_free(&t->matrix[i].level);
    }
    free(t->matrix);
    for (int id = 0; id < HW_N_TENSORS; id++)
        moments_free(&t->gain[id]);
    for (int i = 0; i < BATCH; i++) {
        hw_window_free(t->window[i]);
        hw_params_free(&t->grad[i]);
        free(t->d_logits[i]);
    }
    hw_params_free(&t->teacher);
    hw_params_free(&t->student);
}

bool hw_tune(struct hw_float *teacher, const struct hw_config *c, int n_tokens,
             struct hw_rounded *rounded, struct hw_params *tuned, FILE *progress,
             struct hw_error *err)
{
    struct tuner t = {.c = c, .length = c->seq_len < WINDOW ? c->seq_len : WINDOW};
    int n_steps = (n_tokens + BATCH * t.length - 1) / (BATCH * t.length);
    int n_windows = (n_steps * BATCH + PASSES - 1) / PASSES;
    memset(tuned, 0, sizeof *tuned);
    if (!check_size(c, t.length, err))
        return false;
    int *text = malloc((size_t)n_windows * (size_t)t.length * sizeof *text);
    if (!text)
        return hw_fail(err, "tuning: out of memory");
    if (tuner_new(&t, teacher, rounded, err)) {
        if (progress)
            fprintf(progress, "tuning: the float model writes %d tokens\n", n_windows * t.length);
        hw_own_text(teacher, c, 2, text, n_windows * t.length);
        run_steps(&t, text, n_windows, n_steps, progress);
        *tuned = t.student;
        memset(&t.student, 0, sizeof t.student);
    }
    tuner_free(&t);
    free(text);
    return !err->set;
}
