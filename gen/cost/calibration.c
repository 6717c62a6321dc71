// SPDX-License-Identifier: Apache-2.0
// Owns the calibration table. It refuses rows that name no shape, node, constant or result.
#include "gen/cost/calibration.h"

#include <stdio.h>
#include <string.h>

#include "gen/cost/shapes.h"
#include "gen/read/json.h"
#include "refmodel/limits.h"

struct system { // a row of "systems"
    const char *name;
    const struct hw_shape *shape;
    struct hw_bits bits;
    struct hw_geometry geometry;
    int context, position, users;
    double k[HW_N_CONSTANTS];
};

static bool read_numbers(struct system *s, const json_t *row, const char *path,
                         struct hw_error *err)
{
    const struct {
        const char *key;
        int *to, low, high;
    } number[] = {{"bits", &s->bits.bits, HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
                  {"wide_bits", &s->bits.wide_bits, HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
                  {"code_bits", &s->bits.code_bits, HW_MIN_CODE_BITS, HW_MAX_CODE_BITS},
                  {"kv_bits", &s->bits.kv_bits, HW_MIN_KV_BITS, HW_MAX_KV_BITS},
                  {"context", &s->context, 2, HW_MAX_SEQ_LEN},
                  {"position", &s->position, 0, HW_MAX_SEQ_LEN},
                  {"users", &s->users, 1, 1 << 20},
                  {"rows", &s->geometry.rows, 0, HW_MAX_ROWS},
                  {"cols", &s->geometry.cols, 0, HW_MAX_COLS},
                  {"vec", &s->geometry.vec, 0, 1 << 11},
                  {"att_pos", &s->geometry.att_pos, 0, HW_MAX_ATT_POS}};
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
        *number[i].to = -1;
        if (!hw_json_int(row, number[i].key, number[i].to, path, err))
            return false;
        if (*number[i].to < number[i].low || *number[i].to > number[i].high)
            return hw_fail(err, "%.200s: system %.40s: %s: expected %d..%d, got %d", path, s->name,
                           number[i].key, number[i].low, number[i].high, *number[i].to);
    }
    return true;
}

static bool set_constants(struct system *s, json_t *set, const char *path, struct hw_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(set, key, value)
    {
        int id = 0;
        while (id < HW_N_CONSTANTS && strcmp(key, hw_constant_name(id)) != 0)
            id++;
        if (id == HW_N_CONSTANTS || json_number_value(value) <= 0.0)
            return hw_fail(err, "%.200s: system %.40s: set: %.60s: expected a constant above 0",
                           path, s->name, key);
        s->k[id] = json_number_value(value);
    }
    return true;
}

static bool read_system(struct system *s, const json_t *row, const struct hw_nodes *nodes,
                        const char *path, struct hw_error *err)
{
    *s = (struct system){.name = hw_json_string(row, "name"), .bits = {.act_bits = 10}};
    const char *shape = hw_json_string(row, "shape");
    s->shape = hw_shape_find(shape);
    if (!*s->name || !s->shape)
        return hw_fail(err, "%.200s: system %.40s: shape: expected a shape's name, got '%.60s'",
                       path, s->name, shape);
    const struct hw_constants *c = hw_nodes_find(nodes, hw_json_string(row, "node"), path, err);
    if (!c || !read_numbers(s, row, path, err))
        return false;
    hw_constants_middle(c, s->k);
    return set_constants(s, json_object_get(row, "set"), path, err);
}

static bool predict(const struct system *s, double r[HW_N_RESULTS], struct hw_error *err)
{
    struct hw_geometry g = s->geometry;
    struct hw_load load;
    bool exact;
    hw_shape_geometry(s->shape, &s->bits, s->context, &g);
    if (!hw_load_of_shape(s->shape, &s->bits, s->context, &g, &load, &exact, err))
        return false;
    load.users = s->users;
    load.mean_share = (double)s->position / (s->context - 1);
    hw_cost(s->k, &load, r);
    return true;
}

static json_t *figure(const struct system *s, const json_t *f, const double *r, const char *path,
                      struct hw_error *err)
{
    const char *name = hw_json_string(f, "result");
    double published = json_number_value(json_object_get(f, "published"));
    int id = 0;
    while (id < HW_N_RESULTS && strcmp(name, hw_result_name(id)) != 0)
        id++;
    if (id == HW_N_RESULTS || published <= 0.0) {
        hw_fail(err,
                "%.200s: system %.40s: figure '%.60s': expected a result and a published "
                "number above 0",
                path, s->name, name);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:s, s:s, s:s}", "system", s->name, "result", name,
                     "published", published, "predicted", r[id], "ratio", r[id] / published, "role",
                     hw_json_string(f, "role"), "source", hw_json_string(f, "source"), "why",
                     hw_json_string(f, "why"));
}

json_t *hw_calibration(const struct hw_nodes *nodes, const char *path, struct hw_error *err)
{
    json_t *rows = json_array(), *row, *f;
    size_t i, j;
    json_array_foreach(json_object_get(nodes->root, "systems"), i, row)
    {
        struct system s;
        double r[HW_N_RESULTS];
        if (!read_system(&s, row, nodes, path, err) || !predict(&s, r, err))
            break;
        json_array_foreach(json_object_get(row, "figures"), j, f)
            json_array_append_new(rows, figure(&s, f, r, path, err));
    }
    if (!err->set && json_array_size(rows) == 0)
        hw_fail(err, "%.200s: systems: expected at least one with a figure", path);
    if (!err->set)
        return rows;
    json_decref(rows);
    return NULL;
}

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

void hw_calibration_print(const json_t *rows)
{
    size_t i;
    const json_t *x;
    printf("%-20s %-18s %12s %12s %7s  %s\n", "system", "figure", "published", "predicted", "ratio",
           "role");
    json_array_foreach(rows, i, x)
        printf("%-20s %-18s %12.6g %12.6g %7.2f  %s\n", hw_json_string(x, "system"),
               hw_json_string(x, "result"), real(x, "published"), real(x, "predicted"),
               real(x, "ratio"), hw_json_string(x, "role"));
    printf("fitted: a constant was chosen for this row; geometry: lanes were; input: the constant "
           "is this figure;\nbound: an upper bound; test: nothing was chosen for it\n");
    json_array_foreach(rows, i, x)
    {
        double ratio = real(x, "ratio");
        if (ratio > 1.5 || ratio < 1 / 1.5)
            printf("%s, %s: %s\n", hw_json_string(x, "system"), hw_json_string(x, "result"),
                   hw_json_string(x, "why"));
    }
}

// --- the article

static void add(json_t *lines, const char *claim, const char *computed, const char *from)
{
    json_array_append_new(
        lines, json_pack("{s:s, s:s, s:s}", "claim", claim, "computed", computed, "from", from));
}

#define K(name) c->k[HW_K_##name].value
#define SAY(...) snprintf(text, sizeof text, __VA_ARGS__)

// The 8B claims; r: HC1's results.
static void article_8b(json_t *lines, const struct hw_constants *c, const struct hw_server *gpu,
                       const double *r)
{
    char text[400];
    double all, used;
    hw_shape_weights(hw_shape_find("llama-3.1-8b"), &all, &used);
    SAY("%.2f GB of 3-bit weights; %.2f GB with 6-bit embedding, classifier, K and V; %.0f mm2 of "
        "ROM, %.0f of SRAM, %.1f of logic, %.0f of overhead: %.0f mm2",
        all * 3 / 8e9, r[HW_R_rom_mm2] * K(rom_mbit_mm2) / 8e3, r[HW_R_rom_mm2], r[HW_R_sram_mm2],
        r[HW_R_logic_mm2], r[HW_R_overhead_mm2], r[HW_R_silicon_mm2]);
    add(lines, "8 billion parameters, 3 GB, on about 800 mm2", text,
        "rom_mbit_mm2, sram_mbit_mm2, gate_um2, area_overhead (fitted to these 815 mm2)");
    SAY("%.0f tokens/s a user; %.0f times %s's %.0f", r[HW_R_tokens_s_user],
        r[HW_R_tokens_s_user] / gpu->tokens_s_user.value, gpu->name, gpu->tokens_s_user.value);
    add(lines, "two orders of magnitude faster than a GPU", text,
        "cycle model at 1024 x 128 lanes, clock_mhz, servers");
    SAY("%.0f W, %.1f mJ a token", r[HW_R_watts], r[HW_R_mj_token]);
    add(lines, "200 W a card", text,
        "gate_fj, rom_fj_bit, power_factor (fitted to 13.3 mJ a token)");
    SAY("%.1f M USD all layers (%.0f to %.0f M)", K(mask_set_usd) / 1e6,
        c->k[HW_K_mask_set_usd].low / 1e6, c->k[HW_K_mask_set_usd].high / 1e6);
    add(lines, "tens of millions a tapeout", text, "mask_set_usd; engineering is beside it");
    SAY("%.0f of %.0f layers, %.2f M USD of masks, %.0f days", K(personality_layers),
        K(mask_layers), r[HW_R_masks_respin_usd] / 1e6, r[HW_R_respin_days]);
    add(lines, "two mask layers change for another model", text,
        "personality_layers, mask_layers, personality_mask_factor, personality_days");
}

// The claims of 30 chips; r: DeepSeek R1's results, dense: with twice the bits a mm2 of ROM.
static void article_r1(json_t *lines, const struct hw_constants *c, const double *r,
                       const double *dense)
{
    char text[400];
    double own = r[HW_R_masks_respin_usd] / r[HW_R_chips];
    SAY("%.0f chips with one bit a cell; %.0f with two bits a cell", r[HW_R_chips],
        dense[HW_R_chips]);
    add(lines, "DeepSeek R1 on 30 chips", text, "rom_mbit_mm2, reticle_mm2, area_overhead");
    SAY("30 chips: %.0f M USD", 30 * K(mask_set_usd) / 1e6);
    add(lines, "hundreds of millions where every chip has its own masks", text, "mask_set_usd");
    SAY("30 chips: %.0f M USD of masks, %.0f M with engineering",
        (K(mask_set_usd) + 29 * own) / 1e6,
        (K(mask_set_usd) + 29 * own + K(engineering_usd)) / 1e6);
    add(lines, "100 M USD or less with shared masks", text,
        "mask_set_usd, personality_layers, personality_mask_factor, engineering_usd");
    SAY("%.2f USD a million tokens; %.0f M USD a year for 1,000 replicas", r[HW_R_usd_mtok],
        r[HW_R_fleet_usd_year] / 1e6);
    add(lines, "a life of one year", text, "life_years, models_year, utilisation, margin");
}

json_t *hw_article(const struct hw_nodes *nodes, const char *path, struct hw_error *err)
{
    static const char *const NAME[] = {"Taalas HC1", "Taalas, DeepSeek R1"};
    const struct hw_constants *c = hw_nodes_find(nodes, "7", path, err);
    const struct hw_server *gpu = NULL;
    double r[2][HW_N_RESULTS], dense[HW_N_RESULTS];
    bool found[2] = {false, false};
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(nodes->root, "systems"), i, row)
    {
        for (int n = 0; n < 2; n++) {
            struct system s;
            if (strcmp(hw_json_string(row, "name"), NAME[n]) != 0)
                continue;
            found[n] = read_system(&s, row, nodes, path, err) && predict(&s, r[n], err);
            s.k[HW_K_rom_mbit_mm2] *= 2;
            found[n] = found[n] && predict(&s, dense, err);
        }
    }
    for (int n = nodes->n_servers - 1; n >= 0; n--) {
        const struct hw_server *s = &nodes->server[n];
        if (strcmp(s->kind, "gpu") == 0 && strcmp(s->model, "llama-3.1-8b") == 0)
            gpu = s;
    }
    if (!c || !found[0] || !found[1] || !gpu) {
        hw_fail(err, "%.200s: systems: expected '%s', '%s' and a gpu server of llama-3.1-8b", path,
                NAME[0], NAME[1]);
        return NULL;
    }
    json_t *lines = json_array();
    article_8b(lines, c, gpu, r[0]);
    article_r1(lines, c, r[1], dense);
    return lines;
}

void hw_article_print(const json_t *lines)
{
    size_t i;
    const json_t *x;
    json_array_foreach(lines, i, x)
        printf("%s\n    computed: %s\n    from:     %s\n", hw_json_string(x, "claim"),
               hw_json_string(x, "computed"), hw_json_string(x, "from"));
}
