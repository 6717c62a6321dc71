// SPDX-License-Identifier: Apache-2.0
// Owns error-compensated rounding: second moments, their inverse's Cholesky factor, the row walk.
#include "gen/quant/gptq.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_matrix_input(enum hw_float_tap tap)
{
    return tap == HW_FLOAT_ATTN_NORM || tap == HW_FLOAT_ATTN || tap == HW_FLOAT_FFN_NORM ||
           tap == HW_FLOAT_HIDDEN || tap == HW_FLOAT_FINAL_NORM;
}

void hw_moments_see(void *user, enum hw_float_tap tap, int layer, const float *v, int n)
{
    struct hw_moments *m = user;
    (void)layer;
    if (!m->sum[tap])
        return;
    for (int i = 0; i < n; i++) {
        float x = v[i], *row = m->sum[tap] + (size_t)i * (size_t)n;
        for (int j = 0; j <= i; j++)
            row[j] += x * v[j];
    }
}

bool hw_moments_new(const struct hw_config *c, struct hw_moments *m, struct hw_error *err)
{
    memset(m, 0, sizeof *m);
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        if (!is_matrix_input((enum hw_float_tap)t))
            continue;
        size_t n = (size_t)hw_float_tap_width(c, (enum hw_float_tap)t);
        m->width[t] = (int)n;
        m->sum[t] = calloc(n * n, sizeof *m->sum[t]);
        if (!m->sum[t]) {
            hw_moments_free(m);
            return hw_fail(err, "calibration: out of memory");
        }
    }
    return true;
}

void hw_moments_clear(struct hw_moments *m)
{
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++) {
        if (m->sum[t])
            memset(m->sum[t], 0, (size_t)m->width[t] * (size_t)m->width[t] * sizeof *m->sum[t]);
    }
}

void hw_moments_free(struct hw_moments *m)
{
    for (int t = 0; t < HW_N_FLOAT_TAPS; t++)
        free(m->sum[t]);
    memset(m, 0, sizeof *m);
}

// The lower triangle of a[n][n], symmetric and positive, becomes its Cholesky factor L: a = L L^T.
static void cholesky(double *a, int n)
{
    for (int i = 0; i < n; i++) {
        double *ai = a + (size_t)i * (size_t)n;
        for (int j = 0; j <= i; j++) {
            double *aj = a + (size_t)j * (size_t)n, sum = ai[j];
            for (int k = 0; k < j; k++)
                sum -= ai[k] * aj[k];
            ai[j] = i == j ? sqrt(sum > 1e-300 ? sum : 1e-300) : sum / aj[j];
        }
    }
}

// The lower triangular a becomes its inverse.
static void invert_lower(double *a, int n)
{
    for (int i = 0; i < n; i++) {
        double *ai = a + (size_t)i * (size_t)n, d = 1.0 / ai[i];
        for (int j = 0; j < i; j++) {
            double sum = 0.0;
            for (int k = j; k < i; k++)
                sum += ai[k] * a[(size_t)k * (size_t)n + (size_t)j];
            ai[j] = -sum * d;
        }
        ai[i] = d;
    }
}

struct ranked {
    double weight;
    int column;
};

static int by_weight(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->column - y->column;
}

// order[n]: columns by the weight of their errors, the largest first. False: out of memory.
static bool rank_columns(const double *weight, int n, int *order)
{
    struct ranked *ranked = malloc((size_t)n * sizeof *ranked);
    if (!ranked)
        return false;
    for (int i = 0; i < n; i++)
        ranked[i] = (struct ranked){weight[i], i};
    qsort(ranked, (size_t)n, sizeof *ranked, by_weight);
    for (int i = 0; i < n; i++)
        order[i] = ranked[i].column;
    free(ranked);
    return true;
}

// With H = L L^T taken in reverse order, H^-1 = U^T U where U = L^-1 reversed is upper triangular:
// the factor of the inverse that the method wants, by one factorization.
static void fill_share(struct hw_gptq *g, const float *sum, const double *diagonal)
{
    size_t n = (size_t)g->n;
    double *a = g->share;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            size_t p = (size_t)g->order[n - 1 - i], q = (size_t)g->order[n - 1 - j];
            a[i * n + j] = p == q ? diagonal[p] : (double)sum[p > q ? p * n + q : q * n + p];
        }
    }
    cholesky(a, g->n);
    invert_lower(a, g->n);
    for (size_t i = 0, j = n * n - 1; i < j; i++, j--) { // reverses rows and columns: upper
        double t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
}

bool hw_gptq_new(struct hw_gptq *g, const struct hw_moments *m, enum hw_float_tap tap, double noise,
                 struct hw_error *err)
{
    size_t n = (size_t)m->width[tap];
    const float *sum = m->sum[tap];
    double *diagonal = malloc(n * sizeof *diagonal), mean = 0.0;
    *g = (struct hw_gptq){(int)n, malloc(n * sizeof *g->order), malloc(n * n * sizeof *g->share)};
    if (!diagonal || !g->order || !g->share) {
        free(diagonal);
        hw_gptq_free(g);
        return hw_fail(err, "rounding: out of memory");
    }
    for (size_t i = 0; i < n; i++)
        mean += (double)sum[i * n + i] / (double)n;
    for (size_t i = 0; i < n; i++)
        diagonal[i] = (double)sum[i * n + i] + noise + 0.01 * mean + 1e-30;
    if (rank_columns(diagonal, g->n, g->order))
        fill_share(g, sum, diagonal);
    else
        hw_fail(err, "rounding: out of memory");
    free(diagonal);
    return !err->set;
}

void hw_gptq_free(struct hw_gptq *g)
{
    free(g->order);
    free(g->share);
    memset(g, 0, sizeof *g);
}

double hw_gptq_round(const struct hw_gptq *g, double *row, hw_gptq_nearest *nearest, void *user)
{
    double total = 0.0;
    for (int i = 0; i < g->n; i++) {
        const double *share = g->share + (size_t)i * (size_t)g->n;
        int column = g->order[i];
        double error = (row[column] - nearest(user, column, row[column])) / share[i];
        total += error * error;
        for (int j = i + 1; j < g->n; j++)
            row[g->order[j]] -= error * share[j];
    }
    return total;
}
