// SPDX-License-Identifier: Apache-2.0
#include "sim/monitor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refmodel/ops.h"

// The places a design writes to; each has its own order.
enum stream {
    RESIDUAL,
    SIDE,
    REGION_X,
    REGION_A,
    REGION_H,
    KEYS,
    VALUES,
    QUERIES,
    SCORES,
    LOGITS,
    N_STREAMS
};

enum { SHOWN = 8 }; // mismatches printed

struct tensor {
    int tap, layer, head, first, n;
    size_t at; // in the pool
};

struct queue {
    struct tensor *tensor;
    int n, room, head;
    int done; // elements of the head tensor seen
};

struct hw_monitor {
    struct hw_geometry geometry; // sub_norm decides what attention and SwiGLU write to
    struct queue queue[N_STREAMS];
    int32_t *pool; // the values of one token
    size_t used, room;
    long compared[HW_N_MONITORED], mismatches;
    int pos;
};

static const char *const stream_name[N_STREAMS] = {
    "residual", "side buffer", "activations X", "activations A", "activations H",
    "keys",     "values",      "queries",       "scores",        "logits",
};

static enum stream stream_of(const struct hw_geometry *g, int tap)
{
    switch (tap) {
    case HW_TAP_EMBED:
    case HW_TAP_ATTN_RES:
    case HW_TAP_FFN_RES:
        return RESIDUAL;
    case HW_TAP_ATTN_NORM:
    case HW_TAP_FFN_NORM:
    case HW_TAP_FINAL_NORM:
        return REGION_X;
    case HW_TAP_ATTN:
        return g->sub_norm ? SIDE : REGION_A;
    case HW_TAP_HIDDEN:
        return g->sub_norm ? SIDE : REGION_H;
    case HW_TAP_ATTN_SUB_NORM:
        return REGION_A;
    case HW_TAP_FFN_SUB_NORM:
        return REGION_H;
    case HW_TAP_K:
        return KEYS;
    case HW_TAP_V:
        return VALUES;
    case HW_TAP_Q:
        return QUERIES;
    case HW_TAP_SCORE:
        return SCORES;
    default:
        return LOGITS;
    }
}

struct hw_monitor *hw_monitor_new(const struct hw_geometry *g)
{
    struct hw_monitor *m = calloc(1, sizeof *m);
    if (m)
        m->geometry = *g;
    return m;
}

void hw_monitor_free(struct hw_monitor *m)
{
    if (!m)
        return;
    for (int s = 0; s < N_STREAMS; s++)
        free(m->queue[s].tensor);
    free(m->pool);
    free(m);
}

void hw_monitor_fail(struct hw_monitor *m, long cycle, const char *format, ...)
{
    va_list args;
    if (m->mismatches++ >= SHOWN)
        return;
    fprintf(stderr, "MISMATCH position %d, cycle %ld: ", m->pos, cycle);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(m->mismatches == SHOWN ? "\n(further ones are only counted)\n" : "\n", stderr);
}

// --- what must come

static void *grown(void *p, size_t bytes)
{
    void *q = realloc(p, bytes);
    if (!q) {
        fputs("cosim: out of memory\n", stderr);
        abort();
    }
    return q;
}

static void enqueue(struct hw_monitor *m, enum stream s, struct tensor t, const int32_t *v)
{
    struct queue *q = &m->queue[s];
    if (q->n == q->room) {
        q->room = 2 * q->room + 16;
        q->tensor = grown(q->tensor, (size_t)q->room * sizeof *q->tensor);
    }
    while (m->used + (size_t)t.n > m->room) {
        m->room = 2 * m->room + 4096;
        m->pool = grown(m->pool, m->room * sizeof *m->pool);
    }
    t.at = m->used;
    memcpy(m->pool + m->used, v, (size_t)t.n * sizeof *v);
    m->used += (size_t)t.n;
    q->tensor[q->n++] = t;
}

void hw_monitor_expect(struct hw_monitor *m, int tap, int layer, int head, int first,
                       const int32_t *v, int n)
{
    enqueue(m, stream_of(&m->geometry, tap), (struct tensor){tap, layer, head, first, n, 0}, v);
}

void hw_monitor_expect_region(struct hw_monitor *m, enum hw_region region, const int32_t *v, int n)
{
    static const enum hw_tap tap[] = {HW_TAP_ATTN_NORM, HW_TAP_ATTN, HW_TAP_HIDDEN};
    enqueue(m, (enum stream)(REGION_X + (int)region),
            (struct tensor){(int)tap[region], 0, 0, 0, n, 0}, v);
}

void hw_monitor_reset(struct hw_monitor *m)
{
    for (int s = 0; s < N_STREAMS; s++)
        m->queue[s].n = m->queue[s].head = m->queue[s].done = 0;
    m->used = 0;
}

// "layer 3 score, head 2, index 17"
static void describe(const struct tensor *t, int element, char *to, size_t size)
{
    const char *name = t->tap == HW_TAP_ROWS ? "matrix row" : hw_tap_name[t->tap];
    bool in_layer = t->tap != HW_TAP_EMBED && t->tap != HW_TAP_FINAL_NORM &&
                    t->tap != HW_TAP_LOGITS && t->tap != HW_TAP_ROWS;
    int n = in_layer ? snprintf(to, size, "layer %d ", t->layer) : 0;
    if (t->tap == HW_TAP_SCORE)
        snprintf(to + n, size - (size_t)n, "%s, head %d, index %d", name, t->head,
                 t->first + element);
    else
        snprintf(to + n, size - (size_t)n, "%s, index %d", name, t->first + element);
}

void hw_monitor_next(struct hw_monitor *m, int pos)
{
    for (int s = 0; s < N_STREAMS; s++) {
        struct queue *q = &m->queue[s];
        if (q->head < q->n) {
            char where[96];
            describe(&q->tensor[q->head], q->done, where, sizeof where);
            hw_monitor_fail(m, -1, "%s: never written", where);
        }
    }
    hw_monitor_reset(m);
    m->pos = pos;
}

// --- what comes

static int32_t field(const uint8_t *bits, int lsb, int width)
{
    uint64_t v = 0;
    for (int byte = lsb / 8, shift = 0; byte <= (lsb + width - 1) / 8; byte++, shift += 8)
        v |= (uint64_t)bits[byte] << shift;
    v = v >> (lsb % 8) & ((UINT64_C(1) << width) - 1);
    uint64_t sign = UINT64_C(1) << (width - 1);
    return (int32_t)((int64_t)(v ^ sign) - (int64_t)sign);
}

static void compare(struct hw_monitor *m, enum stream s, const struct dut_event *e, int index,
                    int count, int width)
{
    struct queue *q = &m->queue[s];
    char where[96];
    if (q->head == q->n) {
        hw_monitor_fail(m, e->cycle, "%s: written at index %d, nothing expected", stream_name[s],
                        index);
        return;
    }
    const struct tensor *t = &q->tensor[q->head];
    if (index != q->done || (s == SCORES && e->sub != t->head)) {
        describe(t, q->done, where, sizeof where);
        hw_monitor_fail(m, e->cycle, "%s: the design writes head %d, index %d", where, e->sub,
                        index);
        return;
    }
    for (int i = 0; i < count && q->done < t->n; i++, q->done++) {
        int32_t want = m->pool[t->at + (size_t)q->done];
        m->compared[t->tap]++;
        if (e->unknown && field(e->unknown, i * width, width) != 0) {
            describe(t, q->done, where, sizeof where);
            hw_monitor_fail(m, e->cycle, "%s: X, reference %d", where, want);
        } else if (field(e->bits, i * width, width) != want) {
            describe(t, q->done, where, sizeof where);
            hw_monitor_fail(m, e->cycle, "%s: design %d, reference %d", where,
                            field(e->bits, i * width, width), want);
        }
    }
    if (q->done == t->n) {
        q->head++;
        q->done = 0;
    }
}

void hw_monitor_event(struct hw_monitor *m, const struct dut_event *e)
{
    const struct hw_geometry *g = &m->geometry;
    switch (e->kind) {
    case DUT_RES:
        compare(m, RESIDUAL, e, e->index, g->vec, g->res_bits);
        break;
    case DUT_SIDE:
        compare(m, SIDE, e, e->index, g->vec, g->res_bits);
        break;
    case DUT_ACT:
        compare(m, (enum stream)(REGION_X + e->sub), e, e->index, e->count, g->act_bits);
        break;
    case DUT_KV:
        compare(m, e->sub ? VALUES : KEYS, e, e->index, g->vec, g->kv_bits);
        break;
    case DUT_Q:
        compare(m, QUERIES, e, e->index, g->vec, HW_Q_BITS);
        break;
    case DUT_SCORE:
        compare(m, SCORES, e, e->index, g->att_pos, HW_SCORE_BITS);
        break;
    case DUT_LOGIT:
        compare(m, LOGITS, e, e->index, g->vec, HW_ROW_BITS);
        break;
    default:
        break;
    }
}

long hw_monitor_mismatches(const struct hw_monitor *m)
{
    return m->mismatches;
}

long hw_monitor_compared(const struct hw_monitor *m, int tap)
{
    long sum = 0;
    for (int t = 0; t < HW_N_MONITORED; t++)
        sum += tap < 0 || t == tap ? m->compared[t] : 0;
    return sum;
}
