// SPDX-License-Identifier: Apache-2.0
// Owns the document of the economics and how it reads as text.
#include "gen/cost/economics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static json_t *number(double x) // JSON has no infinity: null
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *range(double low, double value, double high)
{
    return json_pack("{s:o, s:o, s:o}", "low", number(low), "value", number(value), "high",
                     number(high));
}

static json_t *load_object(const struct hw_load *l)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
                     "s:f, s:f, s:f}",
                     "weights", l->weights, "active_weights", l->active_weights, "rom_bits",
                     l->rom_bits + l->other_rom_bits, "rom_bits_token", l->rom_bits_token, "rows",
                     l->rows, "cols", l->cols, "attention_lanes", l->att, "context", l->context,
                     "cycles_first", l->cycles_first, "cycles_last", l->cycles_last, "array_busy",
                     l->busy, "kv_bits_position", l->kv_bits_position, "window", l->window,
                     "kv_bits_windowed", l->kv_bits_windowed, "layers", (double)l->layers,
                     "hop_bits", l->hop_bits, "users", l->users, "replicas", l->volume);
}

static json_t *results_object(const struct hw_constants *c, const struct hw_load *load)
{
    struct hw_result_range r[HW_N_RESULTS];
    json_t *object = json_object();
    hw_cost_ranges(c, load, r);
    for (int i = 0; i < HW_N_RESULTS; i++)
        json_object_set_new(object, hw_result_name(i), range(r[i].low, r[i].value, r[i].high));
    return object;
}

// A context of so many positions: its SRAM, and the speed at its end.
static json_t *context_list(const double *k, const struct hw_load *load, double chips)
{
    static const int POSITIONS[] = {256, 1024, 2048, 4096, 6144, 8192, 16384, 32768, 65536, 131072};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof POSITIONS / sizeof POSITIONS[0]; i++) {
        double n = POSITIONS[i];
        json_array_append_new(list, json_pack("{s:f, s:f, s:f}", "positions", n, "kv_mm2_user",
                                              hw_cost_context_mm2(k, load, n), "tokens_s_user",
                                              hw_cost_speed(k, load, n - 1.0, chips)));
    }
    return list;
}

// So many users on the chips: what it takes, and what it gives.
static json_t *user_list(const double *k, const struct hw_load *load)
{
    json_t *list = json_array();
    for (int users = 1; users <= 1024; users *= 2) {
        struct hw_load at = *load;
        double r[HW_N_RESULTS];
        at.users = users;
        hw_cost(k, &at, r);
        json_array_append_new(list,
                              json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "users", users, "chips",
                                        r[HW_R_chips], "silicon_mm2", r[HW_R_silicon_mm2],
                                        "tokens_s_user", r[HW_R_tokens_s_user], "tokens_s",
                                        r[HW_R_tokens_s], "usd_mtok", r[HW_R_usd_mtok]));
    }
    return list;
}

static json_t *swing_list(const struct hw_constants *c, const struct hw_load *load)
{
    enum { MOST = 10 };
    struct hw_swing swing[MOST];
    json_t *list = json_array();
    int n = hw_cost_swings(c, load, HW_R_usd_mtok, MOST, swing);
    for (int i = 0; i < n; i++) {
        const struct hw_range_of *k = &c->k[swing[i].constant];
        json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:f, s:f}", "constant",
                                              hw_constant_name(swing[i].constant), "low", k->low,
                                              "high", k->high, "usd_mtok_at_low", swing[i].low,
                                              "usd_mtok_at_high", swing[i].high));
    }
    return list;
}

static json_t *server_list(const struct hw_nodes *nodes, const struct hw_constants *c,
                           const double *r, const char *model)
{
    json_t *list = json_array();
    for (int i = 0; i < nodes->n_servers; i++) {
        struct hw_comparison x;
        hw_compare(c, r, &nodes->server[i], &x);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:b, s:f, s:f, s:o, s:o, s:o, s:f}", "name",
                            x.server->name, "kind", x.server->kind, "model", x.server->model,
                            "same_model", strcmp(x.server->model, model) == 0, "tokens_s_user",
                            x.server->tokens_s_user.value, "tokens_s", x.server->tokens_s.value,
                            "usd_mtok", range(x.low, x.usd_mtok, x.high), "break_even_replicas",
                            number(x.break_even_replicas), "break_even_mtok",
                            number(x.break_even_mtok), "speed_ratio", x.speed));
    }
    return list;
}

static json_t *volume_list(const struct hw_nodes *nodes, const struct hw_load *load)
{
    json_t *list = json_array();
    for (int i = 0; i < nodes->n; i++) {
        double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
        json_t *points = json_array();
        hw_constants_middle(&nodes->node[i], k);
        for (int step = 0; step <= 24; step++) {
            struct hw_load at = *load;
            at.volume = pow(10.0, step / 4.0);
            hw_cost(k, &at, r);
            json_array_append_new(points, json_pack("{s:f, s:f, s:f}", "replicas", at.volume,
                                                    "usd_mtok", r[HW_R_usd_mtok], "mtok_year",
                                                    r[HW_R_tokens_life] * at.volume));
        }
        double life = fmin(k[HW_K_life_years], 1.0 / k[HW_K_models_year]);
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "node",
                      nodes->node[i].node, "title", nodes->node[i].title, "chips", r[HW_R_chips],
                      "nre_usd", r[HW_R_nre_usd], "respin_usd", r[HW_R_respin_usd], "cards_usd",
                      r[HW_R_cards_usd], "server_usd", r[HW_R_server_usd], "power_usd_year",
                      r[HW_R_power_usd_year], "mtok_year", r[HW_R_tokens_life] / life, "life_years",
                      life, "server_life_years", k[HW_K_server_life_years], "tokens_s_user",
                      r[HW_R_tokens_s_user], "points", points));
    }
    return list;
}

static json_t *constants_object(const struct hw_constants *c)
{
    json_t *object = json_object();
    for (int i = 0; i < HW_N_CONSTANTS; i++) {
        json_t *one = range(c->k[i].low, c->k[i].value, c->k[i].high);
        json_object_set_new(one, "source", json_string(c->k[i].source));
        json_object_set_new(object, hw_constant_name(i), one);
    }
    return object;
}

json_t *hw_economics(const struct hw_nodes *nodes, const struct hw_constants *c,
                     const struct hw_load *load, const char *model)
{
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    hw_constants_middle(c, k);
    hw_cost(k, load, r);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node", c->node, "title",
                     c->title, "load", load_object(load), "results", results_object(c, load),
                     "contexts", context_list(k, load, r[HW_R_chips]), "users", user_list(k, load),
                     "sensitivity", swing_list(c, load), "servers", server_list(nodes, c, r, model),
                     "volumes", volume_list(nodes, load), "constants", constants_object(c));
}

// --- as text

static double part(const json_t *results, const char *name, const char *which)
{
    return json_number_value(json_object_get(json_object_get(results, name), which));
}

// A number of 3 digits with the prefix that people read: 1.23 M.
static const char *human(char *to, size_t size, double x)
{
    static const struct {
        double from, by;
        const char *prefix;
    } scale[] = {
        {1e12, 1e12, " T"}, {1e9, 1e9, " G"}, {1e6, 1e6, " M"}, {1e4, 1e3, " k"}, {0, 1, ""}};
    int i = 0;
    while (fabs(x) < scale[i].from)
        i++;
    double v = x / scale[i].by;
    int digits = fabs(v) >= 100 ? 0 : fabs(v) >= 10 ? 1 : 2;
    if (v != 0.0 && fabs(v) < 0.1)
        snprintf(to, size, "%.2g%s", v, scale[i].prefix);
    else
        snprintf(to, size, "%.*f%s", digits, v, scale[i].prefix);
    return to;
}

static void print_result(const json_t *results, const char *label, const char *name,
                         const char *unit)
{
    char v[32], low[32], high[32];
    printf("  %-34s %10s %-14s (%s to %s)\n", label,
           human(v, sizeof v, part(results, name, "value")), unit,
           human(low, sizeof low, part(results, name, "low")),
           human(high, sizeof high, part(results, name, "high")));
}

static const struct {
    const char *label, *name, *unit; // name NULL: a heading
} LINES[] = {
    {"area", NULL, NULL},
    {"ROM", "rom_mm2", "mm2"},
    {"SRAM (KV cache, buffers)", "sram_mm2", "mm2"},
    {"logic", "logic_mm2", "mm2"},
    {"overhead", "overhead_mm2", "mm2"},
    {"in all", "silicon_mm2", "mm2"},
    {"chips at the reticle's limit", "chips", ""},
    {"one die", "die_mm2", "mm2"},
    {"yield and dollars of silicon", NULL, NULL},
    {"dies a wafer", "dies_per_wafer", ""},
    {"yield", "yield", ""},
    {"a good die, packaged", "die_usd", "USD"},
    {"speed and power", NULL, NULL},
    {"clock", "clock_mhz", "MHz"},
    {"tokens/s a user, mean position", "tokens_s_user", ""},
    {"at the end of the context", "tokens_s_user_last", ""},
    {"tokens/s of a replica", "tokens_s", ""},
    {"energy a token", "mj_token", "mJ"},
    {"power of a replica", "watts", "W"},
    {"power of a chip", "watts_chip", "W"},
    {"masks", NULL, NULL},
    {"a full set", "mask_set_usd", "USD"},
    {"every chip with its own set", "masks_own_usd", "USD"},
    {"one set, personality layers each", "masks_shared_usd", "USD"},
    {"another model: masks", "masks_respin_usd", "USD"},
    {"another model: days", "respin_days", "days"},
    {"another model: in all", "respin_usd", "USD"},
    {"first model: NRE", "nre_usd", "USD"},
    {"total cost of ownership", NULL, NULL},
    {"a replica's cards and host", "replica_usd", "USD"},
    {"a million tokens, without NRE", "marginal_usd_mtok", "USD"},
    {"a million tokens", "usd_mtok", "USD"},
    {"all replicas, a year", "fleet_usd_year", "USD"},
};

static void print_servers(const json_t *economics)
{
    size_t i;
    const json_t *s;
    char cost[32], even[32], tokens[32];
    bool any = false;
    json_array_foreach(json_object_get(economics, "servers"), i, s) any =
        any || json_is_true(json_object_get(s, "same_model"));
    printf("compared, USD a million tokens at the same utilisation%s\n",
           any ? "" : "; none of these runs this model");
    json_array_foreach(json_object_get(economics, "servers"), i, s)
    {
        if (any && !json_is_true(json_object_get(s, "same_model")))
            continue;
        const json_t *never = json_object_get(s, "break_even_replicas");
        printf("  %-16s %-14s %8s, one user %5.0f tokens/s (here %.1f times that); ",
               json_string_value(json_object_get(s, "name")),
               json_string_value(json_object_get(s, "model")),
               human(cost, sizeof cost, part(s, "usd_mtok", "value")),
               json_number_value(json_object_get(s, "tokens_s_user")),
               json_number_value(json_object_get(s, "speed_ratio")));
        if (json_is_null(never))
            printf("dearer here at any volume\n");
        else
            printf("break-even at %s replicas, %s tokens in their life\n",
                   human(even, sizeof even, json_number_value(never)),
                   human(tokens, sizeof tokens,
                         1e6 * json_number_value(json_object_get(s, "break_even_mtok"))));
    }
}

void hw_economics_print(const json_t *economics)
{
    const json_t *results = json_object_get(economics, "results"), *x;
    const json_t *load = json_object_get(economics, "load");
    size_t i;
    printf(
        "node %s, %.0f x %.0f lanes a chip, %.0f users, %.0f replicas; 5%% to 95%% in brackets\n",
        json_string_value(json_object_get(economics, "title")),
        json_number_value(json_object_get(load, "rows")),
        json_number_value(json_object_get(load, "cols")),
        json_number_value(json_object_get(load, "users")),
        json_number_value(json_object_get(load, "replicas")));
    double chips = part(results, "chips", "value");
    if (chips > 1)
        printf(
            "cut in the order of its %.0f layers, %.2f of them a chip; %.0f bits a token pass from "
            "chip to chip\n",
            json_number_value(json_object_get(load, "layers")),
            json_number_value(json_object_get(load, "layers")) / chips,
            json_number_value(json_object_get(load, "hop_bits")));
    for (i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        if (LINES[i].name)
            print_result(results, LINES[i].label, LINES[i].name, LINES[i].unit);
        else
            printf("%s\n", LINES[i].label);
    }
    printf("context: positions, mm2 of KV cache a user, tokens/s at its end\n");
    json_array_foreach(json_object_get(economics, "contexts"), i, x)
        printf("  %8.0f %10.2f %10.0f\n", json_number_value(json_object_get(x, "positions")),
               json_number_value(json_object_get(x, "kv_mm2_user")),
               json_number_value(json_object_get(x, "tokens_s_user")));
    print_servers(economics);
    printf("what moves USD a million tokens most\n");
    json_array_foreach(json_object_get(economics, "sensitivity"), i, x)
    {
        char a[32], b[32];
        printf("  %-24s %10g to %-10g %8s to %s\n",
               json_string_value(json_object_get(x, "constant")),
               json_number_value(json_object_get(x, "low")),
               json_number_value(json_object_get(x, "high")),
               human(a, sizeof a, json_number_value(json_object_get(x, "usd_mtok_at_low"))),
               human(b, sizeof b, json_number_value(json_object_get(x, "usd_mtok_at_high"))));
    }
}
