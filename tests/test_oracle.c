// SPDX-License-Identifier: Apache-2.0
// refmodel/ against tests/oracle.c: every value of every tap, over whole contexts, for random
// checkpoints that hw_quantize quantized, for random integer models, and for the real models.
#include <stdlib.h>

#define TEMP_FILE "test_oracle.tmp"
#include "tests/random_model.h"

#include "gen/quant/quantize.h"
#include "refmodel/ref.h"
#include "tests/oracle.h"

// One model under comparison, and what was compared so far.
struct comparison {
    const char *name;
    int token, pos;
    const struct oracle_tap *tap; // of this token
    int n_taps, next;
    bool whole_token; // taps must come in order, from the first to the last
    long n_values;
};

// Values of each tap over a whole test, so that a test of nothing but zeros does not pass.
static long seen[HW_N_TAPS], inside[HW_N_TAPS];

static void expect_values(const struct comparison *m, const struct oracle_tap *t,
                          const int32_t *value, int n)
{
    if (n != t->n)
        fail_msg("%s: pos %d token %d: %s layer %d head %d: %d values in refmodel, %d in oracle",
                 m->name, m->pos, m->token, hw_tap_name[t->tap], t->layer, t->head, n, t->n);
    for (int i = 0; i < n; i++)
        if (value[i] != t->value[i])
            fail_msg("%s: pos %d token %d: %s layer %d head %d index %d: refmodel %d, oracle %lld",
                     m->name, m->pos, m->token, hw_tap_name[t->tap], t->layer, t->head, i, value[i],
                     (long long)t->value[i]);
}

static void count_values(const struct oracle_tap *t)
{
    int64_t low = 0, high = 0;
    for (int i = 0; i < t->n; i++) {
        low = t->value[i] < low ? t->value[i] : low;
        high = t->value[i] > high ? t->value[i] : high;
    }
    for (int i = 0; i < t->n; i++) {
        seen[t->tap]++;
        inside[t->tap] += t->value[i] != 0 && t->value[i] != low && t->value[i] != high;
    }
}

static void compare(void *user, enum hw_tap tap, int layer, int head, const int32_t *value, int n)
{
    struct comparison *m = user;
    const struct oracle_tap *t = &m->tap[m->next];
    if (m->next >= m->n_taps || t->tap != tap || t->layer != layer || t->head != head)
        fail_msg("%s: pos %d: tap %d is %s layer %d head %d in refmodel, not in oracle", m->name,
                 m->pos, m->next, hw_tap_name[tap], layer, head);
    expect_values(m, t, value, n);
    count_values(t);
    m->next++;
    m->n_values += n;
}

// One token through both; the logits are refmodel's.
static const int32_t *compare_token(struct comparison *m, struct hw_ref *ref, struct oracle *o,
                                    int token, int pos)
{
    m->token = token;
    m->pos = pos;
    m->tap = oracle_forward(o, token, pos, &m->n_taps);
    m->next = 0;
    const int32_t *logits = hw_ref_forward(ref, token, pos, 1);
    if (m->next != m->n_taps)
        fail_msg("%s: pos %d: %d taps in refmodel, %d in oracle", m->name, pos, m->next, m->n_taps);
    expect_values(m, &m->tap[m->n_taps - 1], logits, m->tap[m->n_taps - 1].n);
    return logits;
}

// n_tokens random tokens; the number of values compared.
static long compare_random(const char *name, const struct hw_qmodel *q, int n_tokens, uint64_t seed)
{
    struct comparison m = {.name = name};
    struct hw_ref *ref = hw_ref_new(q);
    struct oracle *o = oracle_new(q);
    assert_non_null(ref);
    hw_ref_tap(ref, compare, &m);
    for (int pos = 0; pos < n_tokens; pos++)
        compare_token(&m, ref, o, random_in(&seed, 0, q->config.vocab_size - 1), pos);
    oracle_free(o);
    hw_ref_free(ref);
    return m.n_values;
}

static void clear_counts(void)
{
    memset(seen, 0, sizeof seen);
    memset(inside, 0, sizeof inside);
}

// At least an eighth of every tap's values are neither zero nor the ends of their tensor.
static void expect_busy_taps(void)
{
    for (int t = 0; t < HW_N_TAPS; t++)
        if (inside[t] * 8 < seen[t])
            fail_msg("%s: only %ld of %ld values lie inside their range", hw_tap_name[t], inside[t],
                     seen[t]);
}

// --- quantized checkpoints

struct recipe {
    struct hw_config c;
    struct hw_widths w;
    int weight_bits, head_bits;
};

// dim, hidden_dim, n_layers, n_heads, n_kv_heads, head_dim, vocab_size, seq_len, tied
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, .rope_base = 10000.0, .norm_eps = 1e-5                                        \
    }
static const struct recipe recipes[] = {
    {SHAPE(32, 64, 2, 8, 4, 4, 20, 24, true), {4, 8, 8, 20}, 8, 0},
    {SHAPE(24, 40, 1, 2, 1, 12, 31, 33, false), {4, 8, 8, 20}, 4, 8},
    {SHAPE(16, 44, 3, 8, 8, 2, 12, 16, true), {2, 8, 8, 16}, 8, 0},
    {SHAPE(36, 20, 2, 6, 2, 6, 40, 17, false), {3, 4, 4, 24}, 6, 0},
    {SHAPE(20, 33, 2, 2, 2, 10, 9, 40, true), {4, 12, 8, 24}, 3, 8},
    {SHAPE(32, 48, 1, 4, 1, 8, 17, 9, true), {2, 6, 5, 18}, 2, 4},
    {SHAPE(12, 7, 4, 3, 3, 4, 5, 65, false), {3, 10, 7, 22}, 5, 7},
    {SHAPE(64, 64, 1, 4, 4, 16, 64, 1, false), {2, 5, 6, 17}, 7, 2},
    {SHAPE(4, 3, 1, 1, 1, 4, 2, 128, true), {4, 8, 8, 20}, 4, 0},
};

static void test_quantized(void **state)
{
    (void)state;
    enum { N = sizeof recipes / sizeof recipes[0] };
    long n_values = 0;
    clear_counts();
    for (int i = 0; i < N; i++) {
        struct hw_quantize_options options;
        struct hw_error err = {0};
        struct hw_qmodel q;
        char name[32];
        snprintf(name, sizeof name, "checkpoint %d", i);
        hw_quantize_defaults(&options);
        options.widths = recipes[i].w;
        options.weight_bits = recipes[i].weight_bits;
        options.head_bits = recipes[i].head_bits;
        struct hw_model *model = random_checkpoint(&recipes[i].c, (uint64_t)i + 1);
        if (!hw_quantize(model, &options, &q, &err))
            fail_msg("%s: %s", name, err.text);
        n_values += compare_random(name, &q, recipes[i].c.seq_len, (uint64_t)i);
        hw_qmodel_free(&q);
        hw_model_close(model);
    }
    expect_busy_taps();
    printf("             %d checkpoints, %ld values\n", N, n_values);
}

// --- integer models

static void test_wild(void **state)
{
    (void)state;
    enum { N = HW_SHORT ? 30 : 150 };
    long n_values = 0;
    clear_counts();
    for (uint64_t seed = 1; seed <= N; seed++) {
        uint64_t shape_seed = seed;
        struct hw_config c = wild_config(&shape_seed);
        struct hw_qmodel q = wild_model(&c, seed);
        char name[32];
        snprintf(name, sizeof name, "wild seed %d", (int)seed);
        n_values += compare_random(name, &q, c.seq_len, seed);
        hw_qmodel_free(&q);
    }
    expect_busy_taps();
    printf("             %d wild models, %ld values\n", N, n_values);
}

// Products over more than one chunk of hw_matvec's 32-bit sums, with every weight and activation
// at the end of its range.
static void test_longest_sums(void **state)
{
    (void)state;
    struct hw_config c = {.dim = 2,
                          .hidden_dim = 9000,
                          .n_layers = 1,
                          .n_heads = 1,
                          .n_kv_heads = 1,
                          .head_dim = 2,
                          .vocab_size = 2,
                          .seq_len = 2,
                          .tied = true,
                          .rope_base = 10000.0,
                          .norm_eps = 1e-5};
    for (int sign = 0; sign < 2; sign++) {
        struct hw_qmodel q = wild_model(&c, 7);
        struct hw_qmatrix *down = &q.layers[0].down;
        q.widths.act_bits = 12;
        q.layers[0].hidden_shift = 1; // nearly every activation saturates
        memset(down->levels, 0, sizeof down->levels);
        memset(down->codes, 0, (size_t)down->n_planes * 2 * 9000);
        down->levels[0][0] = (int16_t)(sign ? -128 : 127);
        down->shift = 30;
        down->scale[0] = down->scale[1] = 0xfff;
        hw_qmatrix_expand(down);
        compare_random("longest sums", &q, 2, 1);
        hw_qmodel_free(&q);
    }
}

// --- the other ways into refmodel

static void compare_layer(void *user, enum hw_tap tap, int layer, int head, const int32_t *value,
                          int n)
{
    struct comparison *m = user;
    for (m->next = 0; m->next < m->n_taps; m->next++) {
        const struct oracle_tap *t = &m->tap[m->next];
        if (t->tap == tap && t->layer == layer && t->head == head) {
            expect_values(m, t, value, n);
            m->n_values += n;
            return;
        }
    }
    fail_msg("%s: unexpected tap %s of layer %d", m->name, hw_tap_name[tap], layer);
}

static const struct oracle_tap *find_tap(const struct comparison *m, enum hw_tap tap, int layer)
{
    int i = 0;
    while (m->tap[i].tap != tap || m->tap[i].layer != layer)
        i++;
    return &m->tap[i];
}

// Each layer alone, on the residual that the oracle's previous layer left.
static void test_layer_alone(void **state)
{
    (void)state;
    struct hw_config c = {.dim = 18,
                          .hidden_dim = 11,
                          .n_layers = 3,
                          .n_heads = 4,
                          .n_kv_heads = 2,
                          .head_dim = 6,
                          .vocab_size = 8,
                          .seq_len = 12,
                          .tied = false,
                          .rope_base = 10000.0,
                          .norm_eps = 1e-5};
    struct hw_qmodel q = wild_model(&c, 3);
    struct comparison m = {.name = "layer alone"};
    struct hw_ref *ref = hw_ref_new(&q);
    struct oracle *o = oracle_new(&q);
    hw_ref_tap(ref, compare_layer, &m);
    for (m.pos = 0; m.pos < c.seq_len; m.pos++) {
        m.token = m.pos % c.vocab_size;
        m.tap = oracle_forward(o, m.token, m.pos, &m.n_taps);
        for (int l = 0; l < c.n_layers; l++) {
            const struct oracle_tap *from =
                l ? find_tap(&m, HW_TAP_FFN_RES, l - 1) : find_tap(&m, HW_TAP_EMBED, 0);
            int32_t x[64];
            for (int i = 0; i < c.dim; i++)
                x[i] = (int32_t)from->value[i];
            long before = m.n_values;
            hw_ref_layer(ref, l, x, m.pos);
            int heads = c.n_heads * c.head_dim, kv = c.n_kv_heads * c.head_dim;
            assert_int_equal(m.n_values - before, 4 * c.dim + 2 * heads + 2 * kv + c.hidden_dim +
                                                      c.n_heads * (m.pos + 1));
        }
    }
    oracle_free(o);
    hw_ref_free(ref);
    hw_qmodel_free(&q);
}

// Tokens whose logits nobody wants, and starting over, change nothing.
static void test_prefill_and_restart(void **state)
{
    (void)state;
    struct hw_config c = {.dim = 10,
                          .hidden_dim = 21,
                          .n_layers = 2,
                          .n_heads = 2,
                          .n_kv_heads = 1,
                          .head_dim = 8,
                          .vocab_size = 30,
                          .seq_len = 8,
                          .tied = true,
                          .rope_base = 10000.0,
                          .norm_eps = 1e-5};
    struct hw_qmodel q = wild_model(&c, 5);
    struct hw_ref *ref = hw_ref_new(&q);
    for (int round = 0; round < 2; round++) {
        struct comparison m = {.name = "prefill"};
        struct oracle *o = oracle_new(&q);
        hw_ref_tap(ref, NULL, NULL);
        for (int pos = 0; pos < c.seq_len - 1; pos++) {
            int n;
            oracle_forward(o, pos + round, pos, &n);
            assert_null(hw_ref_forward(ref, pos + round, pos, 0));
        }
        hw_ref_tap(ref, compare, &m);
        compare_token(&m, ref, o, 29, c.seq_len - 1);
        assert_true(m.n_values > 0);
        oracle_free(o);
    }
    hw_ref_free(ref);
    hw_qmodel_free(&q);
}

static void test_argmax(void **state)
{
    (void)state;
    assert_int_equal(hw_ref_argmax((int32_t[]){-5}, 1), 0);
    assert_int_equal(hw_ref_argmax((int32_t[]){-5, -4, -4}, 3), 1);
    assert_int_equal(hw_ref_argmax((int32_t[]){7, 7, 7}, 3), 0);
    assert_int_equal(hw_ref_argmax((int32_t[]){INT32_MIN, INT32_MIN, INT32_MAX}, 3), 2);
}

// --- real models

// Text that the model writes itself from BOS.
static void compare_text(const char *path, int n_tokens)
{
    struct hw_error err = {0};
    struct hw_quantize_options options;
    struct hw_qmodel q;
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("             %s is not here: not run\n", path);
        return;
    }
    fclose(file);
    hw_quantize_defaults(&options);
    options.nearest = HW_SHORT;
    struct hw_model *model = hw_model_open(path, &err);
    if (!model || !hw_quantize(model, &options, &q, &err))
        fail_msg("%s", err.text);
    hw_model_close(model);
    struct comparison m = {.name = path};
    struct hw_ref *ref = hw_ref_new(&q);
    struct oracle *o = oracle_new(&q);
    hw_ref_tap(ref, compare, &m);
    clear_counts();
    for (int pos = 0, token = 1; pos < n_tokens; pos++) {
        const int32_t *logits = compare_token(&m, ref, o, token, pos);
        token = hw_ref_argmax(logits, q.config.vocab_size);
    }
    expect_busy_taps();
    printf("             %s: %d tokens, %ld values\n", path, n_tokens, m.n_values);
    oracle_free(o);
    hw_ref_free(ref);
    hw_qmodel_free(&q);
}

static void test_story(void **state)
{
    (void)state;
    compare_text("models/story.bin", HW_SHORT ? 8 : 64);
}

static void test_stories260k(void **state)
{
    (void)state;
    compare_text("../shared/models/stories260K.bin", HW_SHORT ? 8 : 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantized),
        cmocka_unit_test(test_wild),
        cmocka_unit_test(test_longest_sums),
        cmocka_unit_test(test_layer_alone),
        cmocka_unit_test(test_prefill_and_restart),
        cmocka_unit_test(test_argmax),
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_stories260k),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
