// SPDX-License-Identifier: Apache-2.0
// Owns tuning: Adam over normalized weights, scales, codebooks, gains and biases, the rounding
// passed straight through (as LSQ and EfficientQAT do), against the float model's distribution.
#include "gen/learn/tune.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gen/learn/batch_sampler.h"
#include "gen/learn/simd.h"
#include "refmodel/tables.h"

enum { WINDOW = 512, THREADS = 2, PER_THREAD = 1, AHEAD = 8 };
static const double MOST_BYTES = 2147483648.0;

// How far one step moves, at first; it falls linearly to nothing.
static const double WEIGHT_RATE = 0.004; // of the mean step between levels
static const double LEVEL_RATE = 0.005;  // the same
static const double SCALE_RATE = 0.001;  // of the scale
static const double VECTOR_RATE = 0.001; // of the mean magnitude

// --- a rounded matrix

static float *row_of(const struct hw_rounded *r, const struct hw_config *c,
                     const struct hw_params *p, int row)
{
    enum hw_tensor_id id = r->interleaved ? row % 2 ? HW_W_UP : HW_W_GATE : r->tensor;
    return hw_params_at(p, c, id, r->layer) +
           (size_t)(r->interleaved ? row / 2 : row) * (size_t)r->n_in;
}

static double mean_step(const struct hw_codebook *g)
{
    return (double)(g->value[g->n - 1] - g->value[0]) / (g->n - 1);
}

void hw_rounded_weights(const struct hw_rounded *r, const struct hw_config *c, struct hw_params *p)
{
    for (int i = 0; i < r->n_out; i++) {
        const float *normalized = r->normalized + (size_t)i * (size_t)r->n_in;
        float *w = row_of(r, c, p, i), scale = (float)r->scale[i];
        for (int k = 0; k < r->n_in; k++)
            w[k] =
                scale * (float)r->codebook.value[hw_codebook_nearest(&r->codebook, normalized[k])];
    }
}

// --- text and loss

double hw_kl_divergence(const float *teacher, float *student, int n, int vocab_size, float *work)
{
    double total = 0.0;
    for (int t = 0; t < n; t++, teacher += vocab_size, student += vocab_size) {
        float max_t = hw_row_max(teacher, vocab_size), max_s = hw_row_max(student, vocab_size);
        double gap = 0.0;
        memcpy(work, teacher, (size_t)vocab_size * sizeof *work);
        float sum_t = hw_exp_row(work, vocab_size, max_t, 1.0f);
        for (int i = 0; i < vocab_size; i++)
            gap += (double)work[i] * ((teacher[i] - max_t) - (student[i] - max_s));
        float sum_s = hw_exp_row(student, vocab_size, max_s, 1.0f);
        for (int i = 0; i < vocab_size; i++)
            student[i] = student[i] / sum_s - work[i] / sum_t;
        total += gap / (double)sum_t + hw_log(sum_s) - hw_log(sum_t);
    }
    return total;
}

// --- Adam

struct moments { // of one vector of gradients
    float *mean, *square;
};

struct step {
    double rate;         // of this step, 1 at first
    double mean, square; // 1 - beta^step
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
    struct moments normalized, scale, level;
    double value[HW_CODEBOOK_MAX]; // levels of the codebook before they are rounded to integers
};

struct tuner {
    const struct hw_config *c;
    struct matrix *matrix;
    int n_matrices;
    struct moments vector[HW_N_TENSORS]; // where is_vector
    struct hw_params teacher, student;
    struct worker {
        const struct tuner *t;
        struct hw_batch_sampler *sampler;
        struct hw_window *window;
        struct hw_params grad;
        uint64_t seed;
        int *tokens;   // [AHEAD][length] text written ahead
        float *target; // [AHEAD][length][vocab_size] the float model's logits; [length].. of a text
        float *logits; // [length][vocab_size] the rounded model's, then the loss's gradient
        float *work;   // [vocab_size]
        double loss;   // of the step
        int next;      // window of *tokens, AHEAD: to be written; of a text: its window
    } worker[THREADS];
    int length;
    const int *text; // [n_windows][length], or NULL
    int n_windows;
};

// Gains of norms and biases: vectors that the chip holds in 16 bits, not rounded to codes.
static bool is_vector(const struct hw_config *c, int id)
{
    enum hw_tensor_id tensor = (enum hw_tensor_id)id;
    return hw_tensor_exists(c, tensor) && !hw_tensor_is_matrix(tensor);
}

static size_t vector_size(const struct hw_config *c, int id) // of all layers
{
    return hw_params_size(c, (enum hw_tensor_id)id) *
           (size_t)hw_tensor_layers(c, (enum hw_tensor_id)id);
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
static void move_codebook(struct matrix *m, const double *d, const struct step *s)
{
    struct hw_codebook *g = &m->r->codebook;
    double gap = mean_step(g);
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
    const struct hw_codebook *g = &r->codebook;
    double d_level[HW_CODEBOOK_MAX] = {0}, gap = mean_step(g);
    float low = (float)(g->value[0] - gap / 2), high = (float)(g->value[g->n - 1] + gap / 2);
    for (int i = 0; i < r->n_out; i++) {
        const float *d = row_of(r, t->c, &t->worker[0].grad, i);
        float *normalized = r->normalized + (size_t)i * (size_t)r->n_in;
        double d_scale = 0.0;
        for (int k = 0; k < r->n_in; k++) {
            int code = hw_codebook_nearest(g, normalized[k]);
            d_scale += (double)d[k] * g->value[code];
            d_level[code] += d[k] * r->scale[i];
            float to =
                (float)(normalized[k] - WEIGHT_RATE * gap * s->rate *
                                            direction(&m->normalized,
                                                      (size_t)i * (size_t)r->n_in + (size_t)k,
                                                      (float)(d[k] * r->scale[i]), s));
            normalized[k] = to < low ? low : to > high ? high : to;
        }
        r->scale[i] *= 1.0 - SCALE_RATE * s->rate *
                                 direction(&m->scale, (size_t)i, (float)(d_scale * r->scale[i]), s);
    }
    if (!r->even)
        move_codebook(m, d_level, s);
}

static void move_vectors(struct tuner *t, const struct step *s)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (!is_vector(t->c, id))
            continue;
        float *v = t->student.tensor[id];
        const float *d = t->worker[0].grad.tensor[id];
        size_t n = vector_size(t->c, id);
        double mean = 0.0;
        for (size_t i = 0; i < n; i++)
            mean += fabsf(v[i]) / (double)n;
        for (size_t i = 0; i < n; i++)
            v[i] = (float)(v[i] -
                           VECTOR_RATE * mean * s->rate * direction(&t->vector[id], i, d[i], s));
    }
}

// --- steps

// The next window's tokens and what the float model makes of them.
static const int *next_window(struct worker *y, const float **target)
{
    const struct tuner *t = y->t;
    size_t size = (size_t)t->length * (size_t)t->c->vocab_size;
    *target = y->target;
    if (t->text) {
        const int *tokens = t->text + (size_t)(y->next % t->n_windows) * (size_t)t->length;
        y->next = (y->next + THREADS) % (t->n_windows * THREADS);
        memcpy(y->target, hw_window_forward(y->window, &t->teacher, tokens, t->length),
               size * sizeof *y->target);
        return tokens;
    }
    if (y->next == AHEAD) {
        hw_batch_sampler_run(y->sampler, &y->seed, y->tokens, y->target);
        y->next = 0;
    }
    *target += (size_t)y->next * size;
    return y->tokens + y->next++ * t->length;
}

// One thread's part of a step: the gradients of its windows.
static void *learn_share(void *arg)
{
    struct worker *y = arg;
    const struct tuner *t = y->t;
    int n = t->length, vocab = t->c->vocab_size;
    hw_params_clear(&y->grad, t->c);
    y->loss = 0.0;
    for (int i = 0; i < PER_THREAD; i++) {
        const float *target;
        const int *tokens = next_window(y, &target);
        memcpy(y->logits, hw_window_forward(y->window, &t->student, tokens, n),
               (size_t)n * (size_t)vocab * sizeof *y->logits);
        y->loss += hw_kl_divergence(target, y->logits, n, vocab, y->work) / (n * PER_THREAD);
        hw_window_backward(y->window, y->logits, &y->grad);
    }
    return NULL;
}

// The threads' gradients, added in their order.
static double learn(struct tuner *t)
{
    pthread_t thread[THREADS];
    bool started[THREADS] = {false};
    double loss = 0.0;
    for (int i = 1; i < THREADS; i++)
        started[i] = pthread_create(&thread[i], NULL, learn_share, &t->worker[i]) == 0;
    for (int i = 0; i < THREADS; i++) {
        if (started[i])
            pthread_join(thread[i], NULL);
        else
            learn_share(&t->worker[i]);
        loss += t->worker[i].loss / THREADS;
        if (i > 0)
            hw_params_add(&t->worker[0].grad, &t->worker[i].grad, t->c);
    }
    return loss;
}

static void round_all(struct tuner *t)
{
    for (int m = 0; m < t->n_matrices; m++)
        hw_rounded_weights(t->matrix[m].r, t->c, &t->student);
}

static void run_steps(struct tuner *t, int n_steps, FILE *progress)
{
    double mean = 1.0, square = 1.0, recent = 0.0;
    int every = n_steps / 10 > 0 ? n_steps / 10 : 1;
    for (int i = 0; i < n_steps; i++) {
        round_all(t);
        recent += learn(t) / every;
        mean *= KEEP_MEAN;
        square *= KEEP_SQUARE;
        struct step s = {(double)(n_steps - i) / n_steps, 1.0 - mean, 1.0 - square};
        for (int m = 0; m < t->n_matrices; m++)
            move_matrix(t, &t->matrix[m], &s);
        move_vectors(t, &s);
        if (progress && (i + 1) % every == 0) {
            fprintf(progress, "tuning: step %d of %d, KL divergence from float %.5f\n", i + 1,
                    n_steps, recent);
            fflush(progress);
            recent = 0.0;
        }
    }
    round_all(t);
}

// --- memory

static bool check_size(const struct hw_config *c, int length, struct hw_error *err)
{
    double bytes =
        (2.0 + THREADS + 4.0) * hw_params_bytes(c) +
        THREADS * (hw_window_bytes(c, length) + hw_batch_sampler_bytes(c, AHEAD, length) +
                   4.0 * (AHEAD + 1) * length * c->vocab_size);
    if (bytes > MOST_BYTES)
        return hw_fail(err,
                       "tuning: expected a model that tunes in %.0f MiB of memory, got one of "
                       "%.0f",
                       MOST_BYTES / 1048576.0, bytes / 1048576.0);
    return true;
}

static bool worker_new(struct worker *y, const struct tuner *t, int i, struct hw_error *err)
{
    size_t vocab = (size_t)t->c->vocab_size, length = (size_t)t->length;
    y->t = t;
    y->seed = (uint64_t)i + 2;
    y->next = t->text ? i : AHEAD;
    y->tokens = malloc(AHEAD * length * sizeof *y->tokens);
    y->target = malloc((t->text ? 1 : AHEAD) * length * vocab * sizeof *y->target);
    y->logits = malloc(length * vocab * sizeof *y->logits);
    y->work = malloc(vocab * sizeof *y->work);
    if (!y->tokens || !y->target || !y->logits || !y->work)
        return hw_fail(err, "tuning: out of memory");
    y->window = hw_window_new(t->c, t->length, err);
    if (!t->text)
        y->sampler = hw_batch_sampler_new(t->c, &t->teacher, AHEAD, t->length, err);
    return hw_params_new(&y->grad, t->c, err) && !err->set;
}

static bool tuner_new(struct tuner *t, const struct hw_float *f, struct hw_rounded *rounded,
                      struct hw_error *err)
{
    const struct hw_config *c = t->c;
    if (!hw_params_from(&t->teacher, f, c, err) || !hw_params_from(&t->student, f, c, err))
        return false;
    for (int i = 0; i < THREADS; i++) {
        if (!worker_new(&t->worker[i], t, i, err))
            return false;
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
        for (int k = 0; k < r->codebook.n; k++)
            m->value[k] = r->codebook.value[k];
        if (!moments_new(&m->normalized, (size_t)r->n_out * (size_t)r->n_in, err) ||
            !moments_new(&m->scale, (size_t)r->n_out, err) ||
            !moments_new(&m->level, HW_CODEBOOK_MAX, err))
            return false;
    }
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (is_vector(c, id) && !moments_new(&t->vector[id], vector_size(c, id), err))
            return false;
    }
    return true;
}

static void tuner_free(struct tuner *t)
{
    for (int i = 0; i < t->n_matrices; i++) {
        moments_free(&t->matrix[i].normalized);
        moments_free(&t->matrix[i].scale);
        moments_free(&t->matrix[i].level);
    }
    free(t->matrix);
    for (int id = 0; id < HW_N_TENSORS; id++)
        moments_free(&t->vector[id]);
    for (int i = 0; i < THREADS; i++) {
        struct worker *y = &t->worker[i];
        hw_batch_sampler_free(y->sampler);
        hw_window_free(y->window);
        hw_params_free(&y->grad);
        free(y->tokens);
        free(y->target);
        free(y->logits);
        free(y->work);
    }
    hw_params_free(&t->teacher);
    hw_params_free(&t->student);
}

bool hw_tune(struct hw_float *teacher, const struct hw_config *c, int n_steps, const int *text,
             int n_text, struct hw_rounded *rounded, struct hw_params *tuned, FILE *progress,
             struct hw_error *err)
{
    struct tuner t = {.c = c, .text = text, .length = c->seq_len < WINDOW ? c->seq_len : WINDOW};
    memset(tuned, 0, sizeof *tuned);
    if (text && n_text < t.length)
        return hw_fail(err, "tuning: expected text of at least %d tokens, got %d", t.length,
                       n_text);
    t.n_windows = n_text / t.length;
    if (!check_size(c, t.length, err))
        return false;
    if (tuner_new(&t, teacher, rounded, err)) {
        run_steps(&t, n_steps, progress);
        *tuned = t.student;
        memset(&t.student, 0, sizeof t.student);
    }
    tuner_free(&t);
    return !err->set;
}
