// SPDX-License-Identifier: Apache-2.0
// Owns the choice of planes: sensitivity of every matrix, then planes where a bit buys most.
#include "gen/learn/budget.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/geometry.h"
#include "gen/chip/isa.h"
#include "gen/learn/batch_sampler.h"
#include "gen/learn/tune.h"
#include "refmodel/tables.h"

enum { LENGTH = 256, TOKENS = 2048 };

struct meter { // KL divergence of parameters from the float model's, over fixed text
    const struct hw_config *c;
    struct hw_params teacher, student;
    struct hw_window *window;
    int n, length, *tokens; // [n][length]
    float *target;          // [n][length][vocab_size]
    float *logits, *work;
};

double hw_matrix_rom_bits(int n_out, int n_in, int planes, int code_bits)
{
    return (double)planes * ((double)n_out * n_in * code_bits + (8 << code_bits)) + 12.0 * n_out;
}

double hw_other_rom_bits(const struct hw_config *c)
{
    int lo_bits, n_hi;
    hw_rope_shape(c->seq_len, &lo_bits, &n_hi);
    double gains = (double)(c->n_layers * hw_layer_gains(c) + c->dim);
    double words = (double)hw_program_words(c);
    return 16.0 * gains + 16.0 * c->head_dim * (n_hi + (1 << lo_bits)) + HW_INSN_BITS * words;
}

// --- measuring

static bool meter_new(struct meter *m, const struct hw_config *c, const struct hw_float *f,
                      struct hw_error *err)
{
    *m = (struct meter){.c = c, .length = c->seq_len < LENGTH ? c->seq_len : LENGTH};
    m->n = TOKENS / m->length;
    size_t n = (size_t)m->n * (size_t)m->length, one = (size_t)m->length * (size_t)c->vocab_size;
    uint64_t seed = 1000;
    if (!hw_params_from(&m->teacher, f, c, err) || !hw_params_from(&m->student, f, c, err))
        return false;
    m->window = hw_window_new(c, m->length, err);
    m->tokens = malloc(n * sizeof *m->tokens);
    m->target = malloc((size_t)m->n * one * sizeof *m->target);
    m->logits = malloc(one * sizeof *m->logits);
    m->work = malloc((size_t)c->vocab_size * sizeof *m->work);
    struct hw_batch_sampler *w = hw_batch_sampler_new(c, &m->teacher, m->n, m->length, err);
    if (!w || !m->window || !m->tokens || !m->target || !m->logits || !m->work) {
        hw_batch_sampler_free(w);
        return hw_fail(err, "budget: out of memory");
    }
    hw_batch_sampler_run(w, &seed, m->tokens, m->target);
    hw_batch_sampler_free(w);
    return true;
}

static void meter_free(struct meter *m)
{
    hw_params_free(&m->teacher);
    hw_params_free(&m->student);
    hw_window_free(m->window);
    free(m->tokens);
    free(m->target);
    free(m->logits);
    free(m->work);
}

static double measure(struct meter *m)
{
    size_t one = (size_t)m->length * (size_t)m->c->vocab_size;
    double total = 0.0;
    for (int i = 0; i < m->n; i++) {
        memcpy(m->logits,
               hw_window_forward(m->window, &m->student, m->tokens + i * m->length, m->length),
               one * sizeof *m->logits);
        total += hw_kl_divergence(m->target + (size_t)i * one, m->logits, m->length,
                                  m->c->vocab_size, m->work);
    }
    return total / (m->n * m->length);
}

static void restore(struct meter *m)
{
    hw_params_clear(&m->student, m->c);
    hw_params_add(&m->student, &m->teacher, m->c);
}

static double measure_choice(const struct hw_budget *b, struct meter *m)
{
    for (int i = 0; i < hw_rounded_count(b->c); i++) {
        if (b->rounded[0][i].n_out)
            hw_rounded_weights(&b->rounded[b->planes[i] - 1][i], b->c, &m->student);
    }
    double loss = measure(m);
    restore(m);
    return loss;
}

static void measure_each(const struct hw_budget *b, struct meter *m, FILE *progress)
{
    int n = hw_rounded_count(b->c);
    for (int i = 0; i < n; i++) {
        for (int k = 0; b->rounded[0][i].n_out && k < b->n_widths; k++) {
            hw_rounded_weights(&b->rounded[k][i], b->c, &m->student);
            b->loss[i * HW_MAX_WIDTHS + k] = measure(m);
            restore(m);
        }
        if (progress && (i + 1) % ((n + 9) / 10) == 0)
            fprintf(progress, "budget: measured %d of %d matrices\n", i + 1, n);
    }
}

// --- choosing

static double bits_of(const struct hw_budget *b, int i, int planes)
{
    const struct hw_rounded *r = &b->rounded[0][i];
    return r->n_out ? hw_matrix_rom_bits(r->n_out, r->n_in, planes, b->code_bits) : 0.0;
}

static double total_bits(const struct hw_budget *b)
{
    double total = hw_other_rom_bits(b->c);
    for (int i = 0; i < hw_rounded_count(b->c); i++)
        total += bits_of(b, i, b->planes[i]);
    return total;
}

// Gives a matrix the planes that buy most for each bit, where `most` bits in all are not exceeded.
// Several planes at once are weighed too. False where nothing fits or helps.
static bool widen(struct hw_budget *b, double most)
{
    double best = 0.0, now = total_bits(b);
    int matrix = -1, planes = 0;
    for (int i = 0; i < hw_rounded_count(b->c); i++) {
        const double *loss = b->loss + i * HW_MAX_WIDTHS;
        for (int p = b->planes[i] + 1; b->rounded[0][i].n_out && p <= b->n_widths; p++) {
            double more = bits_of(b, i, p) - bits_of(b, i, b->planes[i]);
            double gain = (loss[b->planes[i] - 1] - loss[p - 1]) / more;
            if (now + more <= most && gain > best) {
                best = gain;
                matrix = i;
                planes = p;
            }
        }
    }
    if (matrix >= 0)
        b->planes[matrix] = planes;
    return matrix >= 0;
}

static void narrowest(struct hw_budget *b)
{
    for (int i = 0; i < hw_rounded_count(b->c); i++)
        b->planes[i] = 1;
}

static bool spend(struct hw_budget *b, double rom_bits, struct hw_error *err)
{
    narrowest(b);
    if (total_bits(b) > rom_bits)
        return hw_fail(err,
                       "quantize: rom-bits: expected at least %.0f, a plane of %d bits for "
                       "every matrix, got %.0f",
                       total_bits(b), b->code_bits, rom_bits);
    while (widen(b, rom_bits))
        ;
    return true;
}

// Binary search for the smallest number of upgrades, the most worthwhile first, whose total loss is
// within max_loss.
static bool reach(struct hw_budget *b, struct meter *m, double max_loss, struct hw_error *err)
{
    double limit = hw_log(1.0 + max_loss / 100.0), loss;
    int low = -1, high = 0; // steps: too few, enough
    narrowest(b);
    while (widen(b, INFINITY))
        high++;
    loss = measure_choice(b, m);
    if (loss > limit)
        return hw_fail(err,
                       "quantize: max-loss: expected at least %.3g percent, what %d-bit "
                       "weights lose, got %.3g",
                       100.0 * (hw_exp(loss) - 1.0), b->n_widths * b->code_bits, max_loss);
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        narrowest(b);
        for (int i = 0; i < middle; i++)
            widen(b, INFINITY);
        if (measure_choice(b, m) > limit)
            low = middle;
        else
            high = middle;
    }
    narrowest(b);
    for (int i = 0; i < high; i++)
        widen(b, INFINITY);
    return true;
}

bool hw_budget_choose(struct hw_budget *b, const struct hw_float *f, double rom_bits,
                      double max_loss, FILE *progress, struct hw_error *err)
{
    struct meter m;
    if (meter_new(&m, b->c, f, err)) {
        measure_each(b, &m, progress);
        if (rom_bits > 0.0 ? spend(b, rom_bits, err) : reach(b, &m, max_loss, err))
            b->together = measure_choice(b, &m);
    }
    meter_free(&m);
    return !err->set;
}
