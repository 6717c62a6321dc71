// SPDX-License-Identifier: Apache-2.0
// Scoring: the text's tokens, and perplexity and agreement against a plain loop over both models.
#define TEMP_FILE "test_score.tmp"
#include "tests/random_model.h"

#include <stdlib.h>

#include "gen/quant/score.h"
#include "refmodel/ref.h"

static const struct hw_config *const shape = &small_tied;

static void expect_score(const struct hw_qmodel *q, const struct hw_model *checkpoint,
                         const int *tokens, int n, int threads)
{
    struct hw_error err = {0};
    struct hw_score s;
    struct hw_ref *ref = hw_ref_new(q);
    struct hw_float *f = hw_float_new(checkpoint, &err);
    double nll = 0.0, float_nll = 0.0;
    int agreed = 0, vocab = shape->vocab_size;
    struct hw_position each[300];
    for (int i = 0; i + 1 < n; i++) {
        const int32_t *a = hw_ref_forward(ref, tokens[i], i % shape->seq_len, 1);
        const float *b = hw_float_forward(f, tokens[i], i % shape->seq_len);
        double sum_a = 0.0, sum_b = 0.0;
        int best_a = 0, best_b = 0;
        for (int k = vocab - 1; k >= 0; k--) {
            sum_a += exp(a[k] * q->logit_scale);
            sum_b += exp((double)b[k]);
            best_a = a[k] >= a[best_a] ? k : best_a;
            best_b = b[k] >= b[best_b] ? k : best_b;
        }
        nll += log(sum_a) - a[tokens[i + 1]] * q->logit_scale;
        float_nll += log(sum_b) - (double)b[tokens[i + 1]];
        agreed += best_a == best_b;
    }
    if (!hw_score(q, checkpoint, tokens, n, threads, each, &s, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.scored, n - 1);
    assert_int_equal(s.agreed, agreed);
    assert_true(fabs(s.nll - nll / (n - 1)) < 1e-9);
    assert_true(fabs(s.float_nll - float_nll / (n - 1)) < 1e-9);
    assert_true(agreed > 0 && agreed < n - 1);
    for (int i = 0; i + 1 < n; i++) {
        assert_int_equal(each[i].next, tokens[i + 1]);
        agreed -= each[i].likeliest == each[i].float_likeliest;
        nll -= each[i].nll;
        float_nll -= each[i].float_nll;
    }
    assert_true(agreed == 0 && fabs(nll) < 1e-6 && fabs(float_nll) < 1e-6);
    hw_float_free(f);
    hw_ref_free(ref);
}

static void test_score(void **state)
{
    (void)state;
    struct hw_quantize_options o;
    struct hw_error err = {0};
    struct hw_score s;
    int tokens[300];
    uint64_t seed = 5;
    for (int i = 0; i < 300; i++)
        tokens[i] = random_in(&seed, 0, shape->vocab_size - 1);
    hw_quantize_defaults(&o);
    o.weight_bits = 3;
    struct hw_qmodel q = quantized(shape, 9, &o);
    struct hw_model *checkpoint = random_checkpoint(shape, 9);
    expect_score(&q, checkpoint, tokens, 300, 1);
    expect_score(&q, checkpoint, tokens, 300, 3);
    expect_score(&q, checkpoint, tokens, 21, 2);  // one window, and none for the second thread
    expect_score(&q, checkpoint, tokens, 64, 64); // a window of one position
    assert_true(hw_score(&q, NULL, tokens, 300, 2, NULL, &s, &err));
    assert_true(s.float_nll == 0.0 && s.agreed == 0 && s.nll > 0.0);
    hw_model_close(checkpoint);

    struct hw_config other = *shape;
    other.vocab_size++;
    checkpoint = random_checkpoint(&other, 9);
    assert_false(hw_score(&q, checkpoint, tokens, 300, 2, NULL, &s, &err));
    assert_non_null(strstr(err.text, "expected 19 tokens and a context of 21, got 20 and 21"));
    hw_model_close(checkpoint);
    hw_qmodel_free(&q);
}

static void expect_tokens(const char *text, int most, const int *want, int n_want)
{
    struct hw_error err = {0};
    struct hw_tokenizer *tok = hw_tokenizer_open("models/tokenizer.bin", 512, &err);
    FILE *file = fopen(TEMP_FILE, "wb");
    int n = 0;
    assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
    int *got = hw_score_text(TEMP_FILE, tok, most, &n, &err);
    remove(TEMP_FILE);
    hw_tokenizer_close(tok);
    assert_int_equal(n, n_want);
    assert_memory_equal(got, want, (size_t)n * sizeof *want);
    free(got);
}

static void test_text(void **state)
{
    (void)state;
    struct hw_error err = {0};
    struct hw_tokenizer *tok = hw_tokenizer_open("models/tokenizer.bin", 512, &err);
    int want[64], n = hw_tokenizer_encode(tok, "Once upon", 9, true, want), first = n;
    n += hw_tokenizer_encode(tok, "a cat", 5, true, want + n);
    hw_tokenizer_close(tok);
    assert_int_equal(want[first], 1);
    expect_tokens("Once upon\n<|endoftext|>\n a cat", 0, want, n);
    expect_tokens("\n<|endoftext|>Once upon \n <|endoftext|>a cat\n\n<|endoftext|>\n", 0, want, n);
    expect_tokens("Once upon<|endoftext|>a cat", first + 1, want, first + 1);
    assert_null(hw_score_text("build/none", NULL, 0, &n, &err));
    assert_non_null(strstr(err.text, "build/none: open: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_score), cmocka_unit_test(test_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
