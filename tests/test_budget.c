// SPDX-License-Identifier: Apache-2.0
// ROM bits as the planner lays them out, and planes chosen under a budget: it is kept, and what it
// buys is better than the same planes for every matrix.
#define TEMP_FILE "test_budget.tmp"
#include "tests/divergence.h"

#include "gen/chip/plan.h"
#include "gen/learn/budget.h"

// Every dimension a multiple of rows and columns: no padding.
static const struct hw_config even = {
    .dim = 32,
    .hidden_dim = 48,
    .n_layers = 2,
    .n_heads = 4,
    .n_kv_heads = 2,
    .head_dim = 8,
    .vocab_size = 32,
    .seq_len = 32,
    .bos = 1,
    .tied = true,
    .rope_base = 10000.0,
    .norm_eps = 1e-5,
};

static struct hw_quantize_options defaults(int bits, int code_bits)
{
    struct hw_quantize_options o;
    hw_quantize_defaults(&o);
    o.weight_bits = bits;
    o.widths.code_bits = code_bits;
    o.widths.act_bits = 12;
    return o;
}

static double bits_of(const struct hw_qmodel *q)
{
    double weights;
    return hw_rom_bits(q, &weights);
}

static void expect_planned_bits(const struct hw_config *c, int bits, int head_bits, int code_bits)
{
    struct hw_quantize_options o = defaults(bits, code_bits);
    struct hw_geometry g = {.rows = 16, .cols = 4, .vec = 4, .att_pos = 4};
    struct hw_error err = {0};
    struct hw_plan plan;
    double total = 0.0, weights;
    o.head_bits = head_bits;
    struct hw_qmodel q = quantized(c, 3, &o);
    if (!hw_geometry_fit(&g, &q, &err) || !hw_plan_make(&plan, &q, &g, "chip", &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < HW_N_ROMS; i++)
        total += (double)plan.rom[i].width * plan.rom[i].depth;
    double got = hw_rom_bits(&q, &weights);
    if (got != total)
        fail_msg("got %.0f bits of ROM, expected %.0f", got, total);
    assert_true(weights ==
                32.0 * 32 * (c->tied ? 1 : 2) + 2.0 * (32 * (32 + 32 + 16 + 16) + 3 * 32 * 48));
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
}

static void test_rom_bits(void **state)
{
    (void)state;
    struct hw_config untied = even;
    untied.tied = false;
    expect_planned_bits(&even, 4, 0, 4);
    expect_planned_bits(&even, 3, 6, 3);
    expect_planned_bits(&untied, 8, 4, 2);
}

static int widest(const struct hw_qmodel *q, bool narrowest)
{
    int most = q->embed.n_planes;
    for (int l = 0; l < q->config.n_layers; l++) {
        const struct hw_qlayer *y = &q->layers[l];
        const int n[] = {y->wk.n_planes, y->wq.n_planes,      y->wv.n_planes,
                         y->wo.n_planes, y->gate_up.n_planes, y->down.n_planes};
        for (size_t i = 0; i < sizeof n / sizeof n[0]; i++)
            most = (narrowest ? n[i] < most : n[i] > most) ? n[i] : most;
    }
    return most;
}

// As many bits as `planes` for all take: spent by measure they buy more.
static void expect_better(const struct hw_config *c, int code_bits, int planes, uint64_t seed)
{
    struct hw_quantize_options o = defaults(planes * code_bits, code_bits);
    struct hw_qmodel same = quantized(c, seed, &o);
    o.rom_bits = bits_of(&same);
    struct hw_qmodel chosen = quantized(c, seed, &o);
    double before = divergence_of(&same, c, seed), after = divergence_of(&chosen, c, seed);
    printf("             %d planes of %d bits for all: divergence %.4f; chosen, %d to %d: %.4f\n",
           planes, code_bits, before, widest(&chosen, true), widest(&chosen, false), after);
    assert_true(bits_of(&chosen) <= o.rom_bits && bits_of(&chosen) > 0.9 * o.rom_bits);
    assert_true(widest(&chosen, true) < widest(&chosen, false));
    assert_true(after < before);
    hw_qmodel_free(&same);
    hw_qmodel_free(&chosen);
}

static void test_bits_well_spent(void **state)
{
    (void)state;
    expect_better(&even, 2, 2, 5);
    expect_better(&even, 2, 3, 5);
    struct hw_config untied = even;
    untied.tied = false;
    expect_better(&untied, 2, 2, 6);
}

// The weights lose about what was asked for; what 8-bit weights lose is due to rounded activations.
static void test_max_loss(void **state)
{
    (void)state;
    struct hw_quantize_options o = defaults(8, 2);
    struct hw_qmodel q = quantized(&even, 5, &o);
    double last = bits_of(&q), floor = divergence_of(&q, &even, 5);
    static const double loss[] = {1.0, 8.0, 40.0};
    hw_qmodel_free(&q);
    for (int i = 0; i < 3; i++) {
        o.max_loss = loss[i];
        q = quantized(&even, 5, &o);
        double got = 100.0 * (exp(divergence_of(&q, &even, 5) - floor) - 1.0);
        printf("             %.0f%% asked: %.2f%% lost with %.0f bits\n", loss[i], got,
               bits_of(&q));
        assert_true(bits_of(&q) < last);
        assert_true(got < 2.0 * loss[i] && got > loss[i] / 3.0);
        last = bits_of(&q);
        hw_qmodel_free(&q);
    }
}

static void expect_refused_options(const struct hw_quantize_options *o, const char *text)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    struct hw_model *model = random_checkpoint(&even, 5);
    assert_false(hw_quantize(model, o, &q, &err));
    assert_true(all_zero(&q, sizeof q));
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
    hw_model_close(model);
}

static void test_refused(void **state)
{
    (void)state;
    struct hw_quantize_options o = defaults(4, 4);
    o.rom_bits = 1000.0;
    expect_refused_options(&o, "rom-bits: expected at least");
    o.max_loss = 1.0;
    expect_refused_options(&o, "rom-bits or max-loss, got both");
    o.rom_bits = 0.0;
    o.max_loss = 1e-6;
    expect_refused_options(&o, "max-loss: expected at least");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rom_bits),
        cmocka_unit_test(test_bits_well_spent),
        cmocka_unit_test(test_max_loss),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
