// SPDX-License-Identifier: Apache-2.0
// Tuning after rounding: gradients against differences, the window and the sampler of text against
// the float model one token at a time, and what tuning is for: a divergence that falls.
#define TEMP_FILE "test_tune.tmp"
#include "tests/divergence.h"

#include <stdlib.h>

#include "gen/learn/batch_sampler.h"
#include "gen/learn/simd.h"

static void random_tokens(const struct hw_config *c, int *tokens, int n, uint64_t seed)
{
    for (int i = 0; i < n; i++)
        tokens[i] = random_in(&seed, 0, c->vocab_size - 1);
}

// Shapes that leave a rest in every tile: odd dimensions, three query heads to a kv head, untied.
static struct hw_config odd_shape(void)
{
    struct hw_config c = small_tied;
    c.dim = 30;
    c.head_dim = 10;
    c.n_heads = 3;
    c.n_kv_heads = 1;
    c.hidden_dim = 13;
    c.vocab_size = 23;
    c.seq_len = 43;
    c.bos = 6;
    c.tied = false;
    return c;
}

// The families beside Llama: what each adds, in a shape that leaves a rest in the tiles.
enum { FAMILIES = 4 };
static struct hw_config family(int k)
{
    struct hw_config c = odd_shape();
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.head_dim = 6;
    c.tied = k % 2;
    c.qkv_bias = k == 0 || k == 3;           // Qwen2
    c.qk_norm = k == 1;                      // Qwen3
    c.window = k == 2 ? 5 : k == 3 ? 11 : 0; // Mistral; Qwen2, in one of its layers
    c.windowed[0] = k == 2;
    c.windowed[1] = k >= 2;
    return c;
}

// --- exponentials

static void test_exponentials(void **state)
{
    (void)state;
    float v[7];
    for (double x = -90.0; x < 90.0; x += 0.00731) {
        double sum = 0.0;
        for (int i = 0; i < 7; i++)
            v[i] = (float)(x * (i + 1) / 7.0) + 3.0f;
        float want[7];
        memcpy(want, v, sizeof v);
        float got_sum = hw_exp_row(v, 7, 3.0f, 0.5f);
        for (int i = 0; i < 7; i++) {
            double exact = exp((double)((want[i] - 3.0f) * 0.5f));
            sum += exact;
            if (fabs(v[i] / exact - 1.0) > 3e-7)
                fail_msg("e^%.9g: got %.9g, expected %.9g", (double)(want[i] - 3.0f) * 0.5,
                         (double)v[i], exact);
        }
        assert_true(fabs(got_sum / sum - 1.0) < 1e-6);
    }
    float far[3] = {-1e30f, -500.0f, 500.0f};
    hw_exp_row(far, 3, 0.0f, 1.0f);
    assert_true(far[0] > 0.0f && far[0] < 1e-37f && far[1] == far[0] && far[2] > 1e37f &&
                far[2] < 1e38f);
}

// --- the window

static void expect_same_logits(const struct hw_config *c, uint64_t seed, int n)
{
    struct hw_error err = {0};
    struct hw_params p;
    int tokens[64];
    struct hw_float *f = float_model(c, seed);
    assert_true(hw_params_from(&p, f, c, &err));
    struct hw_window *w = hw_window_new(c, c->seq_len, &err);
    random_tokens(c, tokens, n, seed);
    const float *got = hw_window_forward(w, &p, tokens, n);
    for (int t = 0; t < n; t++) {
        const float *want = hw_float_forward(f, tokens[t], t);
        for (int i = 0; i < c->vocab_size; i++, got++) {
            if (fabsf(*got - want[i]) > 2e-4f)
                fail_msg("position %d, logit %d: got %.7g, expected %.7g", t, i, (double)*got,
                         (double)want[i]);
        }
    }
    hw_window_free(w);
    hw_params_free(&p);
    hw_float_free(f);
}

static void test_window(void **state)
{
    (void)state;
    struct hw_config odd = odd_shape();
    for (uint64_t seed = 1; seed <= 4; seed++) {
        expect_same_logits(&small_tied, seed, small_tied.seq_len);
        expect_same_logits(&small_tied, seed, 5);
        expect_same_logits(&odd, seed, odd.seq_len);
        expect_same_logits(&odd, seed, 1);
    }
    for (int k = 0; k < FAMILIES; k++) {
        struct hw_config c = family(k);
        expect_same_logits(&c, 5, c.seq_len);
        expect_same_logits(&c, 6, 3);
    }
}

// Each sequence as hw_float_sample takes it from the float model, one sequence and token at a time.
static void test_batch_sampler(void **state)
{
    (void)state;
    enum { N = 5, LENGTH = 20, ROUNDS = 2 };
    struct hw_config shape[] = {small_tied, odd_shape(), family(0),
                                family(1),  family(2),   family(3)};
    for (int k = 0; k < 2 + FAMILIES; k++) {
        struct hw_error err = {0};
        struct hw_params p;
        int got[N * LENGTH], token[N];
        uint64_t seed = 7, got_seed = 7;
        size_t vocab = (size_t)shape[k].vocab_size;
        float *logits = malloc(N * LENGTH * vocab * sizeof *logits);
        struct hw_float *f[N];
        for (int s = 0; s < N; s++)
            f[s] = float_model(&shape[k], 3);
        assert_true(hw_params_from(&p, f[0], &shape[k], &err));
        struct hw_batch_sampler *w = hw_batch_sampler_new(&shape[k], &p, N, LENGTH, &err);
        for (int round = 0; round < ROUNDS; round++) {
            hw_batch_sampler_run(w, &got_seed, got, logits);
            for (int pos = 0; pos < LENGTH; pos++) {
                for (int s = 0; s < N; s++) {
                    token[s] = pos ? token[s] : shape[k].bos;
                    assert_int_equal(got[s * LENGTH + pos], token[s]);
                    const float *want = hw_float_forward(f[s], token[s], pos);
                    const float *told = logits + (size_t)(s * LENGTH + pos) * vocab;
                    for (size_t i = 0; i < vocab; i++)
                        assert_true(fabsf(told[i] - want[i]) < 2e-4f);
                    if (pos + 1 < LENGTH)
                        token[s] = hw_float_sample(want, shape[k].vocab_size, &seed);
                }
            }
        }
        free(logits);
        assert_true(seed == got_seed);
        hw_batch_sampler_free(w);
        hw_params_free(&p);
        for (int s = 0; s < N; s++)
            hw_float_free(f[s]);
    }
}

// --- gradients

struct probe { // a loss: the KL divergence of p from fixed logits over fixed tokens
    const struct hw_config *c;
    struct hw_params p;
    struct hw_window *w;
    int tokens[64], n;
    float *teacher, *logits, *work;
};

static double loss(struct probe *b)
{
    size_t bytes = (size_t)(b->n * b->c->vocab_size) * sizeof(float);
    memcpy(b->logits, hw_window_forward(b->w, &b->p, b->tokens, b->n), bytes);
    return hw_kl_divergence(b->teacher, b->logits, b->n, b->c->vocab_size, b->work);
}

// The same divergence by its definition, in double.
static double plain_loss(struct probe *b)
{
    const float *got = hw_window_forward(b->w, &b->p, b->tokens, b->n);
    double total = 0.0;
    int vocab = b->c->vocab_size;
    for (int t = 0; t < b->n; t++) {
        const float *x = b->teacher + t * vocab, *y = got + t * vocab;
        double sum_x = 0.0, sum_y = 0.0;
        for (int i = 0; i < vocab; i++) {
            sum_x += exp((double)x[i]);
            sum_y += exp((double)y[i]);
        }
        for (int i = 0; i < vocab; i++)
            total += exp((double)x[i]) / sum_x *
                     (log(exp((double)x[i]) / sum_x) - log(exp((double)y[i]) / sum_y));
    }
    return total;
}

static void probe_new(struct probe *b, const struct hw_config *c, uint64_t seed, int n)
{
    struct hw_error err = {0};
    struct hw_float *f = float_model(c, seed);
    size_t size = (size_t)(n * c->vocab_size);
    b->c = c;
    b->n = n;
    assert_true(hw_params_from(&b->p, f, c, &err));
    b->w = hw_window_new(c, c->seq_len, &err);
    b->teacher = malloc(size * sizeof(float));
    b->logits = malloc(size * sizeof(float));
    b->work = malloc((size_t)c->vocab_size * sizeof(float));
    random_tokens(c, b->tokens, n, seed);
    for (size_t i = 0; i < size; i++)
        b->teacher[i] = (float)random_normal(&seed);
    hw_float_free(f);
}

static void probe_free(struct probe *b)
{
    hw_params_free(&b->p);
    hw_window_free(b->w);
    free(b->teacher);
    free(b->logits);
    free(b->work);
}

// Along a random direction in one layer of one tensor: gradient against central difference.
static void expect_slope(struct probe *b, const struct hw_params *grad, enum hw_tensor_id id,
                         int layer, uint64_t seed)
{
    size_t n = hw_params_size(b->c, id);
    float *w = hw_params_at(&b->p, b->c, id, layer);
    const float *d = hw_params_at(grad, b->c, id, layer);
    float *kept = malloc(n * sizeof *kept), *along = malloc(n * sizeof *along);
    double slope = 0.0, length = 0.0, side[2];
    const double h = 2e-3;
    memcpy(kept, w, n * sizeof *w);
    for (size_t i = 0; i < n; i++) { // sparse: single entries must show
        along[i] = random_in(&seed, 0, 7) == 0 ? (float)random_normal(&seed) : 0.0f;
        slope += (double)d[i] * along[i];
        length += (double)d[i] * d[i];
    }
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < n; i++)
            w[i] = kept[i] + (float)((k ? h : -h) * along[i]);
        side[k] = plain_loss(b);
    }
    memcpy(w, kept, n * sizeof *w);
    double got = (side[1] - side[0]) / (2.0 * h);
    if (fabs(got - slope) > 0.01 * sqrt(length) + 0.01)
        fail_msg("tensor %d of layer %d: gradient %.6g, difference %.6g", id, layer, slope, got);
    assert_true(length > 1e-4);
    free(kept);
    free(along);
}

static void test_gradients(void **state)
{
    (void)state;
    struct hw_config shape[] = {small_tied, odd_shape(), small_untied(), family(0),
                                family(1),  family(2),   family(3)};
    for (int k = 0; k < 3 + FAMILIES; k++) {
        struct probe b;
        struct hw_params grad;
        struct hw_error err = {0};
        probe_new(&b, &shape[k], (uint64_t)k + 11, k == 1 || k > 2 ? shape[k].seq_len : 17);
        assert_true(hw_params_new(&grad, &shape[k], &err));
        double got = loss(&b), want = plain_loss(&b);
        assert_true(fabs(got / want - 1.0) < 1e-5);
        hw_window_forward(b.w, &b.p, b.tokens, b.n);
        hw_window_backward(b.w, b.logits, &grad);
        for (int id = 0; id < HW_N_TENSORS; id++) {
            if (!hw_tensor_exists(&shape[k], (enum hw_tensor_id)id))
                continue;
            for (int l = 0; l < hw_tensor_layers(&shape[k], (enum hw_tensor_id)id); l++) {
                for (uint64_t seed = 1; seed <= 3; seed++)
                    expect_slope(&b, &grad, (enum hw_tensor_id)id, l, seed);
            }
        }
        hw_params_free(&grad);
        probe_free(&b);
    }
}

// --- tuning

// text: a text of the caller's instead of the float model's.
static void expect_improvement(const struct hw_config *c, int bits, int code_bits, bool text)
{
    struct hw_quantize_options o;
    int tokens[1000];
    hw_quantize_defaults(&o);
    random_tokens(c, tokens, 1000, 17);
    o.calib_tokens = text ? tokens : NULL;
    o.n_calib_tokens = 1000;
    o.weight_bits = bits;
    o.widths.code_bits = code_bits;
    struct hw_qmodel plain = quantized(c, 5, &o);
    o.tune_steps = 60;
    struct hw_qmodel tuned = quantized(c, 5, &o), again = quantized(c, 5, &o);
    double before = divergence_of(&plain, c, 5), after = divergence_of(&tuned, c, 5);
    printf("             %d bits in codes of %d, %s: divergence %.4f, tuned %.4f\n", bits,
           code_bits, c->tied ? "tied" : "untied", before, after);
    assert_true(after < 0.8 * before);
    struct hw_error err = {0};
    assert_true(hw_qmodel_write(&tuned, "build/test_tune.1", &err));
    assert_true(hw_qmodel_write(&again, "build/test_tune.2", &err));
    assert_int_equal(system("cmp build/test_tune.1 build/test_tune.2"), 0);
    hw_qmodel_free(&plain);
    hw_qmodel_free(&tuned);
    hw_qmodel_free(&again);
}

static void test_tuning(void **state)
{
    (void)state;
    struct hw_config odd = odd_shape();
    expect_improvement(&small_tied, 3, 3, false);
    expect_improvement(&small_tied, 4, 2, false); // two planes: even steps
    expect_improvement(&odd, 2, 4, false);
    expect_improvement(&small_tied, 3, 3, true);
    for (int k = 0; k < 3; k++) {
        struct hw_config c = family(k);
        expect_improvement(&c, 3, 3, false);
    }
}

static void test_short_text(void **state)
{
    (void)state;
    struct hw_quantize_options o;
    struct hw_error err = {0};
    struct hw_qmodel q;
    int tokens[20];
    random_tokens(&small_tied, tokens, 20, 1);
    hw_quantize_defaults(&o);
    o.tune_steps = 1;
    o.calib_tokens = tokens;
    o.n_calib_tokens = 20;
    struct hw_model *model = random_checkpoint(&small_tied, 5);
    assert_false(hw_quantize(model, &o, &q, &err));
    assert_string_equal(err.text, "tuning: expected text of at least 21 tokens, got 20");
    hw_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponentials),  cmocka_unit_test(test_window),
        cmocka_unit_test(test_batch_sampler), cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_tuning),        cmocka_unit_test(test_short_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
