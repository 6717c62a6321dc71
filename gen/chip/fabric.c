// SPDX-License-Identifier: Apache-2.0
// Owns the names of a geometry's numbers, and which of them a model may fill only in part.
#include "gen/chip/fabric.h"

#include <stddef.h>
#include <stdio.h>

enum use { SAME, CAPACITY };

static const struct {
    const char *name;
    size_t at; // of an int in struct hw_geometry
    int least, most;
    enum use use;
} FIELD[] = {
#define NUMBER(name, least, most, use)                                                             \
    {                                                                                              \
#name, offsetof(struct hw_geometry, name), least, most, use                                \
    }
    NUMBER(rows, 4, 1 << 16, SAME),
    NUMBER(cols, 4, 1 << 16, SAME),
    NUMBER(vec, 4, 1 << 16, SAME),
    NUMBER(att_pos, 4, 1 << 16, SAME),
    NUMBER(code_bits, 2, 4, SAME),
    NUMBER(head_dim, 4, 1024, SAME),
    NUMBER(act_bits, 4, 12, SAME),
    NUMBER(kv_bits, 4, 12, SAME),
    NUMBER(res_bits, 16, 24, SAME),
    NUMBER(sub_norm, 0, 1, SAME),
    NUMBER(bank_bytes, 0, HW_BANK_BYTES, SAME),
    NUMBER(rope_lo_bits, 1, 19, SAME), // where a position is cut in two
    NUMBER(rope_hi_bits, 1, 30, CAPACITY),
    NUMBER(acc_bits, 24, 40, CAPACITY),
    NUMBER(ctx, 8, 1 << 20, CAPACITY),
    NUMBER(max_dim, 4, 1 << 20, CAPACITY),
    NUMBER(max_q_dim, 4, 1 << 20, CAPACITY),
    NUMBER(max_hidden, 4, 1 << 20, CAPACITY),
    NUMBER(max_kv_dim, 4, 1 << 20, CAPACITY),
    NUMBER(kv_rows, 2, 1 << 20, CAPACITY),
    NUMBER(weight_addr_bits, 1, 30, CAPACITY),
    NUMBER(scale_addr_bits, 1, 30, CAPACITY),
    NUMBER(gain_addr_bits, 1, 30, CAPACITY),
    NUMBER(level_addr_bits, 1, 30, CAPACITY),
    NUMBER(prog_addr_bits, 1, 30, CAPACITY),
    NUMBER(token_bits, 1, 30, CAPACITY),
#undef NUMBER
};
enum { N_FIELDS = sizeof FIELD / sizeof FIELD[0] };

static int number(const struct hw_geometry *g, int field)
{
    return *(const int *)((const char *)g + FIELD[field].at);
}

json_t *hw_fabric_json(const struct hw_geometry *g)
{
    json_t *object = json_object();
    for (int i = 0; i < N_FIELDS; i++)
        json_object_set_new(object, FIELD[i].name, json_integer(number(g, i)));
    json_object_set_new(object, "lane", json_string(hw_lane_name(g->lane)));
    return object;
}

bool hw_fabric_read(struct hw_geometry *g, const char *design, struct hw_error *err)
{
    char path[4300];
    json_error_t where;
    *g = (struct hw_geometry){0};
    snprintf(path, sizeof path, "%s/manifest.json", design);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return hw_fail(err, "%s: line %d: %s", path, where.line, where.text);
    const json_t *object = json_object_get(root, "geometry");
    for (int i = 0; i < N_FIELDS && !err->set; i++) {
        const json_t *value = json_object_get(object, FIELD[i].name);
        json_int_t n = json_integer_value(value);
        if (!json_is_integer(value) || n < FIELD[i].least || n > FIELD[i].most)
            hw_fail(err, "%s: geometry: %s, expected a number in %d..%d", path, FIELD[i].name,
                    FIELD[i].least, FIELD[i].most);
        else
            *(int *)((char *)g + FIELD[i].at) = (int)n;
    }
    const char *lane = json_string_value(json_object_get(object, "lane"));
    if (!err->set && (!lane || !hw_lane_parse(lane, &g->lane)))
        hw_fail(err, "%s: geometry: lane, expected select or multiply", path);
    json_decref(root);
    return !err->set;
}

bool hw_fabric_take(struct hw_geometry *g, const struct hw_geometry *fabric, struct hw_error *err)
{
    if (g->lane != fabric->lane)
        return hw_fail(err, "fabric: lane, expected %s, got %s", hw_lane_name(fabric->lane),
                       hw_lane_name(g->lane));
    for (int i = 0; i < N_FIELDS; i++) {
        int has = number(fabric, i), needs = number(g, i);
        if (FIELD[i].use == SAME ? needs != has : needs > has)
            return hw_fail(err, "fabric: %s, expected %s%d, got a model that takes %d",
                           FIELD[i].name, FIELD[i].use == SAME ? "" : "at most ", has, needs);
    }
    *g = *fabric;
    return true;
}
