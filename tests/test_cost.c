// SPDX-License-Identifier: Apache-2.0
// The cost model: yield and dies against values computed otherwise, results that move the way they
// must, ranges in order, the nodes file's refusals, shapes against published sizes, and counted
// clocks against the exact cycle model.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gen/cost/calibration.h"
#include "gen/cost/cost.h"
#include "gen/cost/economics.h"
#include "gen/cost/shapes.h"

#define NODES "gen/cost/nodes.json"
#define TEMP "build/test_cost.tmp.json"

static struct hw_nodes nodes;

static const struct hw_constants *node(const char *name)
{
    struct hw_error err = {0};
    const struct hw_constants *c = hw_nodes_find(&nodes, name, NODES, &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static struct hw_load load_of(const char *name, int context, bool *exact)
{
    const struct hw_bits b = {3, 6, 3, 10, 8};
    const struct hw_shape *s = hw_shape_find(name);
    struct hw_geometry g = {0};
    struct hw_error err = {0};
    struct hw_load load;
    hw_shape_geometry(s, &b, context, &g);
    if (!hw_load_of_shape(s, &b, context, &g, &load, exact, &err))
        fail_msg("%s", err.text);
    return load;
}

static void near(double got, double expected, double share)
{
    if (!(fabs(got - expected) <= share * fabs(expected)))
        fail_msg("got %.9g, expected %.9g within %g", got, expected, share);
}

// --- yield

static void test_yield(void **state)
{
    near(hw_yield(815, 0.11, 3), 1.0 / (1.298833333 * 1.298833333 * 1.298833333), 1e-6);
    near(hw_yield(100, 0.1, 1), 1.0 / 1.1, 1e-12);  // Seeds
    near(hw_yield(100, 0.5, 1e9), exp(-0.5), 1e-6); // without clustering: Poisson
    assert_true(hw_yield(0, 0.1, 3) == 1.0);
}

// Every cell of a fine grid of positions, corner by corner: slow and simple.
static int dies_by_corners(double radius, double side, double x, double y)
{
    int n = 0;
    for (int i = -60; i < 60; i++) {
        for (int j = -60; j < 60; j++) {
            bool whole = true;
            for (int corner = 0; corner < 4; corner++) {
                double cx = x + side * (i + corner % 2), cy = y + side * (j + corner / 2);
                whole = whole && cx * cx + cy * cy <= radius * radius * (1 + 1e-12);
            }
            n += whole;
        }
    }
    return n;
}

static void test_dies(void **state)
{
    static const double side[] = {5.1, 8.3, 12.0, 16.5, 21.0, 28.65};
    for (size_t i = 0; i < sizeof side / sizeof side[0]; i++) {
        int best = 0;
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < 4; b++) {
                int n = dies_by_corners(147, side[i], side[i] * a / 4, side[i] * b / 4);
                best = n > best ? n : best;
            }
        }
        double got = hw_dies_per_wafer(300, 3, side[i]);
        assert_int_equal((int)got, best);
        // The usual estimate: area over area, less the circumference's share.
        double a = side[i] * side[i], d = 294;
        near(got, 3.14159265 * d * d / 4 / a - 3.14159265 * d / sqrt(2 * a), 0.15);
    }
    assert_true(hw_dies_per_wafer(300, 3, 300) == 0.0);
    assert_true(hw_dies_per_wafer(200, 3, 10) < hw_dies_per_wafer(300, 3, 10));
}

// --- results

static double result(const double *k, const struct hw_load *load, int id)
{
    double r[HW_N_RESULTS];
    hw_cost(k, load, r);
    return r[id];
}

static void test_sums(void **state)
{
    bool exact;
    struct hw_load load = load_of("llama-3.1-8b", 6144, &exact);
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    hw_constants_middle(node("7"), k);
    hw_cost(k, &load, r);
    assert_true(exact);
    near(r[HW_R_rom_mm2] + r[HW_R_sram_mm2] + r[HW_R_logic_mm2] + r[HW_R_overhead_mm2],
         r[HW_R_silicon_mm2], 1e-12);
    near(r[HW_R_die_mm2] * r[HW_R_chips], r[HW_R_silicon_mm2], 1e-12);
    near(r[HW_R_mj_token] * r[HW_R_tokens_s] / 1e3, r[HW_R_watts], 1e-12);
    // By hand: 8.03 G weights, 3 bits, 6 of embedding, classifier, wk, wv, at 57.8 Mbit/mm2.
    near(r[HW_R_rom_mm2], (8.03 * 3 + (2 * 0.5253 + 0.2684) * 3) * 1e3 / 57.8, 0.01);
    // 32 layers, 8 heads of 128, K and V of 8 bits at 29.2 Mbit/mm2.
    near(hw_cost_context_mm2(k, &load, 6144),
         32 * 2 * 8 * 128 * 8 * 6144.0 / 29.2e6 * (1 + k[HW_K_area_overhead]), 1e-9);
    for (int i = 0; i < HW_N_RESULTS; i++)
        assert_true(r[i] > 0.0 && isfinite(r[i]));
}

static void test_masks(void **state)
{
    bool exact;
    struct hw_load load = load_of("deepseek-r1", 4096, &exact);
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    hw_constants_middle(node("7"), k);
    k[HW_K_mask_set_usd] = 10e6;
    k[HW_K_mask_layers] = 100;
    k[HW_K_personality_layers] = 2;
    k[HW_K_personality_mask_factor] = 1.5;
    hw_cost(k, &load, r);
    assert_false(exact);
    near(r[HW_R_masks_own_usd], 10e6 * r[HW_R_chips], 1e-12);
    near(r[HW_R_masks_shared_usd], 10e6 + 0.3e6 * (r[HW_R_chips] - 1), 1e-12);
    near(r[HW_R_masks_respin_usd], 0.3e6 * r[HW_R_chips], 1e-12);
    assert_true(r[HW_R_chips] > 20 && r[HW_R_die_mm2] <= k[HW_K_reticle_mm2] * (1 + 1e-9));
}

// What a constant does to a result: +1 raises it (or leaves it), -1 lowers it.
static void test_monotonic(void **state)
{
    static const struct {
        int constant, result, sign;
    } rule[] = {
        {HW_K_rom_mbit_mm2, HW_R_rom_mm2, -1},
        {HW_K_sram_mbit_mm2, HW_R_sram_mm2, -1},
        {HW_K_gate_um2, HW_R_logic_mm2, 1},
        {HW_K_area_overhead, HW_R_silicon_mm2, 1},
        {HW_K_defects_cm2, HW_R_yield, -1},
        {HW_K_defects_cm2, HW_R_usd_mtok, 1},
        {HW_K_wafer_usd, HW_R_die_usd, 1},
        {HW_K_clock_mhz, HW_R_tokens_s, 1},
        {HW_K_power_factor, HW_R_watts, 1},
        {HW_K_rom_fj_bit, HW_R_mj_token, 1},
        {HW_K_leak_mw_mm2, HW_R_watts, 1},
        {HW_K_mask_set_usd, HW_R_nre_usd, 1},
        {HW_K_utilisation, HW_R_usd_mtok, -1},
        {HW_K_models_year, HW_R_usd_mtok, 1},
        {HW_K_margin, HW_R_replica_usd, 1},
        {HW_K_usd_kwh, HW_R_usd_mtok, 1},
        {HW_K_reticle_mm2, HW_R_chips, -1},
        {HW_K_link_us, HW_R_tokens_s_user, -1},
        {HW_K_mask_layers, HW_R_masks_respin_usd, -1},
    };
    bool exact;
    double k[HW_N_CONSTANTS];
    for (int n = 0; n < nodes.n; n++) {
        const struct hw_constants *c = &nodes.node[n];
        const char *shape = n < 2 ? "smollm2-135m" : n == 2 ? "llama-3.2-1b" : "deepseek-r1";
        struct hw_load load = load_of(shape, 4096, &exact);
        for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++) {
            hw_constants_middle(c, k);
            k[rule[i].constant] = c->k[rule[i].constant].low;
            double low = result(k, &load, rule[i].result);
            k[rule[i].constant] = c->k[rule[i].constant].high;
            double high = result(k, &load, rule[i].result);
            if (rule[i].sign * (high - low) < 0.0)
                fail_msg("node %s: %s moves %s from %g to %g", c->node,
                         hw_constant_name(rule[i].constant), hw_result_name(rule[i].result), low,
                         high);
        }
    }
}

static void test_load_monotonic(void **state)
{
    bool exact;
    struct hw_load load = load_of("llama-3.1-8b", 6144, &exact), more = load;
    double k[HW_N_CONSTANTS];
    hw_constants_middle(node("7"), k);
    more.context *= 2;
    assert_true(result(k, &more, HW_R_sram_mm2) > result(k, &load, HW_R_sram_mm2));
    more = load;
    more.volume *= 10;
    assert_true(result(k, &more, HW_R_usd_mtok) < result(k, &load, HW_R_usd_mtok));
    near(result(k, &more, HW_R_marginal_usd_mtok), result(k, &load, HW_R_marginal_usd_mtok), 1e-12);
    assert_true(hw_cost_speed(k, &load, 6143, 1) < hw_cost_speed(k, &load, 0, 1));
    near(hw_cost_speed(k, &load, 6143, 1), k[HW_K_clock_mhz] * 1e6 / load.cycles_last, 1e-12);
    assert_true(result(k, &load, HW_R_die_usd) > 0);
}

// A window of 4,096 positions: no more SRAM and no more clocks beyond it.
static void test_window(void **state)
{
    bool exact;
    double k[HW_N_CONSTANTS];
    struct hw_load at = load_of("mistral-7b", 4096, &exact),
                   twice = load_of("mistral-7b", 8192, &exact);
    struct hw_load half = load_of("gpt-oss-120b", 4096, &exact);
    hw_constants_middle(node("7"), k);
    near(hw_kv_bits(&at, 4096), 4096.0 * 32 * 2 * 8 * 128 * 8, 1e-12);
    near(hw_kv_bits(&twice, 8192), hw_kv_bits(&at, 4096), 1e-12);
    near(hw_cost_context_mm2(k, &twice, 8192), hw_cost_context_mm2(k, &twice, 4096), 1e-12);
    near(hw_cost_speed(k, &twice, 8191, 1), hw_cost_speed(k, &twice, 4095, 1), 1e-12);
    assert_true(hw_cost_speed(k, &twice, 4095, 1) < 0.95 * hw_cost_speed(k, &twice, 1023, 1));
    // Every other layer of gpt-oss keeps 128 positions.
    near(hw_kv_bits(&half, 4096), (4096.0 + 128) * 18 * 2 * 8 * 64 * 8, 1e-12);
}

static void test_ranges(void **state)
{
    static const char *const shape[] = {"llama-3.2-1b", "llama-3.1-8b", "deepseek-r1"};
    bool exact;
    for (int n = 0; n < nodes.n; n++) {
        for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++) {
            struct hw_load load = load_of(shape[s], 4096, &exact);
            struct hw_result_range r[HW_N_RESULTS], again[HW_N_RESULTS];
            hw_cost_ranges(&nodes.node[n], &load, r);
            hw_cost_ranges(&nodes.node[n], &load, again);
            assert_memory_equal(r, again, sizeof r);
            for (int i = 0; i < HW_N_RESULTS; i++) {
                if (!(r[i].low <= r[i].value && r[i].value <= r[i].high && r[i].low > 0.0))
                    fail_msg("%s: %g %g %g", hw_result_name(i), r[i].low, r[i].value, r[i].high);
            }
            assert_true(r[HW_R_usd_mtok].high > 1.5 * r[HW_R_usd_mtok].low);
        }
    }
}

static void test_swings(void **state)
{
    bool exact;
    struct hw_load load = load_of("llama-3.1-8b", 6144, &exact);
    struct hw_swing s[HW_N_CONSTANTS];
    int n = hw_cost_swings(node("7"), &load, HW_R_usd_mtok, HW_N_CONSTANTS, s);
    assert_true(n > 10 && n < HW_N_CONSTANTS);
    for (int i = 0; i < n; i++) {
        double k[HW_N_CONSTANTS];
        hw_constants_middle(node("7"), k);
        k[s[i].constant] = node("7")->k[s[i].constant].high;
        near(result(k, &load, HW_R_usd_mtok), s[i].high, 1e-12);
    }
    assert_int_equal(s[0].constant, HW_K_utilisation);
}

// --- against servers

static void test_break_even(void **state)
{
    bool exact;
    struct hw_load load = load_of("llama-3.1-8b", 6144, &exact);
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    int even = 0;
    hw_constants_middle(node("7"), k);
    near(hw_server_usd_mtok(k, 400e3, 1e-9, 1e5),
         400e3 / k[HW_K_server_life_years] / (1e5 * k[HW_K_utilisation] * 8766 * 3600 / 1e6), 1e-9);
    for (int i = 0; i < nodes.n_servers; i++) {
        struct hw_comparison x;
        hw_cost(k, &load, r);
        hw_compare(node("7"), r, &nodes.server[i], &x);
        assert_true(x.low <= x.usd_mtok && x.usd_mtok <= x.high);
        if (!isfinite(x.break_even_replicas))
            continue;
        struct hw_load at = load;
        at.volume = x.break_even_replicas;
        near(result(k, &at, HW_R_usd_mtok), x.usd_mtok, 1e-9);
        even++;
    }
    assert_true(even > 0);
}

// --- shapes

static void test_shape_sizes(void **state)
{
    static const struct {
        const char *name;
        double all, used; // published, in units of 1e9; 0: not
    } published[] = {{"llama-3.1-8b", 8.03, 0},    {"llama-3.1-70b", 70.55, 0},
                     {"llama-3.2-1b", 1.236, 0},   {"llama-3.2-3b", 3.21, 0},
                     {"qwen2.5-7b", 7.62, 0},      {"qwen3-8b", 8.19, 0},
                     {"qwen3-30b-a3b", 30.5, 3.3}, {"gpt-oss-120b", 116.8, 5.1},
                     {"smollm2-135m", 0.1345, 0},  {"deepseek-r1", 671, 37}};
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        double all, used;
        hw_shape_weights(hw_shape_find(published[i].name), &all, &used);
        near(all / 1e9, published[i].all, 0.005);
        if (published[i].used > 0)
            near(used / 1e9, published[i].used, 0.09);
    }
    assert_null(hw_shape_find("llama"));
}

static void test_counted(void **state)
{
    static const char *const name[] = {"llama-3.1-8b",  "llama-3.2-1b", "llama-3.2-3b",
                                       "llama-3.1-70b", "qwen2.5-7b",   "qwen3-8b",
                                       "mistral-7b"};
    const int context = 8192; // beyond Mistral's window
    const struct hw_bits b = {3, 6, 3, 10, 8};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        const struct hw_shape *s = hw_shape_find(name[i]);
        bool is_exact;
        struct hw_load exact = load_of(name[i], context, &is_exact), counted;
        struct hw_geometry g = {0};
        hw_shape_geometry(s, &b, context, &g);
        hw_load_counted(s, &b, context, &g, &counted);
        assert_true(is_exact);
        near(counted.busy, exact.busy, 0.01);
        near(counted.rom_bits, exact.rom_bits, 0.01);
        near(counted.cycles_first, exact.cycles_first, 0.08);
        near(counted.cycles_last, exact.cycles_last, 0.08);
        near(counted.weights, exact.weights, 1e-12);
        near(counted.kv_bits_position, exact.kv_bits_position, 1e-12);
        near(hw_kv_bits(&counted, context), hw_kv_bits(&exact, context), 1e-12);
    }
}

// --- calibration

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void test_calibration(void **state)
{
    struct hw_error err = {0};
    json_t *rows = hw_calibration(&nodes, NODES, &err), *x;
    int fitted = 0, tests = 0;
    size_t i;
    if (!rows)
        fail_msg("%s", err.text);
    json_array_foreach(rows, i, x)
    {
        double ratio = json_real_value(json_object_get(x, "ratio"));
        bool far = ratio > 1.5 || ratio < 1 / 1.5;
        near(json_real_value(json_object_get(x, "predicted")),
             ratio * json_real_value(json_object_get(x, "published")), 1e-12);
        if (strcmp(text_of(x, "role"), "fitted") == 0) {
            near(ratio, 1.0, 0.02);
            fitted++;
        }
        tests += strcmp(text_of(x, "role"), "test") == 0;
        if (far && strlen(text_of(x, "why")) < 20)
            fail_msg("%s, %s: ratio %g without a reason", text_of(x, "system"),
                     text_of(x, "result"), ratio);
        assert_true(strlen(text_of(x, "source")) > 10);
    }
    assert_int_equal(fitted, 2);
    assert_true(tests >= 10);
    json_decref(rows);
}

static void test_article(void **state)
{
    struct hw_error err = {0};
    json_t *lines = hw_article(&nodes, NODES, &err), *x;
    size_t i;
    if (!lines)
        fail_msg("%s", err.text);
    assert_true(json_array_size(lines) >= 9);
    json_array_foreach(lines, i, x)
        assert_true(strlen(text_of(x, "computed")) > 5 && strlen(text_of(x, "from")) > 5);
    json_decref(lines);
}

// --- the nodes file

// NODES with the first `from` replaced by `to`, read: must be refused with `what` in the message.
static void refused(const char *from, const char *to, const char *what)
{
    static char text[1 << 16], changed[1 << 16];
    FILE *file = fopen(NODES, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    char *at = strstr(text, from);
    assert_non_null(at);
    int before = (int)(at - text);
    snprintf(changed, sizeof changed, "%.*s%s%s", before, text, to, at + strlen(from));
    file = fopen(TEMP, "w");
    assert_non_null(file);
    fputs(changed, file);
    fclose(file);
    struct hw_nodes other;
    struct hw_error err = {0};
    assert_false(hw_nodes_read(&other, TEMP, &err));
    if (!strstr(err.text, what) || strncmp(err.text, TEMP ": ", strlen(TEMP) + 2) != 0)
        fail_msg("got '%s', expected '%s: ... %s'", err.text, TEMP, what);
    remove(TEMP);
}

static void test_refusals(void **state)
{
    refused("hardwire nodes 1", "hardwire nodes 2", "format: expected");
    refused("\"rom_mbit_mm2\"", "\"rom_mbit_mm\"", "rom_mbit_mm2: expected this constant");
    refused("\"title\"", "\"colour\": 1, \"title\"", "colour: expected no such constant");
    refused("\"low\": ", "\"low\": -", "low: expected above 0");
    refused("\"low\": ", "\"low\": 99", "expected low <= value <= high");
    refused("\"value\": ", "\"value\": \"x\", \"worth\": ", "value: expected a number");
    refused("\"source\": \"", "\"source\": \"\", \"origin\": \"", "source: expected a text");
    refused("\"servers\": [", "\"servers\": 3, \"x\": [", "servers: expected a list");
    refused("\"kind\"", "\"sort\"", "kind: expected a text");
    struct hw_error err = {0};
    assert_null(hw_nodes_find(&nodes, "6", NODES, &err));
    assert_non_null(strstr(err.text, "expected one of 130, 28, 16, 7, 5, got '6'"));
}

static int open_nodes(void **state)
{
    struct hw_error err = {0};
    if (hw_nodes_read(&nodes, NODES, &err))
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static int close_nodes(void **state)
{
    hw_nodes_free(&nodes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yield),       cmocka_unit_test(test_dies),
        cmocka_unit_test(test_sums),        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_monotonic),   cmocka_unit_test(test_load_monotonic),
        cmocka_unit_test(test_window),      cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_swings),      cmocka_unit_test(test_break_even),
        cmocka_unit_test(test_shape_sizes), cmocka_unit_test(test_counted),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_article),
    };
    return cmocka_run_group_tests(tests, open_nodes, close_nodes);
}
