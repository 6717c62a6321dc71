// SPDX-License-Identifier: Apache-2.0
// Owns the format of the nodes file. It refuses a constant that is missing, unknown, not positive,
// out of order or without a source: file: where: what.
#include "gen/cost/nodes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gen/read/json.h"

#define CONSTANT_NAME(name) #name,
static const char *const NAME[] = {HW_NODE_CONSTANTS(CONSTANT_NAME)
                                       HW_COMMON_CONSTANTS(CONSTANT_NAME)};
enum { FIRST_COMMON = HW_K_gates_lane_2 };

const char *hw_constant_name(int id)
{
    return NAME[id];
}

void hw_constants_middle(const struct hw_constants *c, double k[HW_N_CONSTANTS])
{
    for (int i = 0; i < HW_N_CONSTANTS; i++)
        k[i] = c->k[i].value;
}

struct context { // for messages
    const char *path, *part, *name;
};

static bool refuse(const struct context *p, const char *key, const char *what, struct hw_error *err)
{
    return hw_fail(err, "%.200s: %s %.40s: %.60s: %s", p->path, p->part, p->name, key, what);
}

static bool read_range(const json_t *object, const char *key, const struct context *p,
                       struct hw_range_of *r, struct hw_error *err)
{
    const json_t *range = json_object_get(object, key);
    if (!range)
        return refuse(p, key, "expected this constant, got none", err);
    if (!json_is_object(range))
        return refuse(p, key, "expected an object of low, value, high and source", err);
    const char *const part[] = {"low", "value", "high"};
    double *const to[] = {&r->low, &r->value, &r->high};
    for (int i = 0; i < 3; i++) {
        const json_t *number = json_object_get(range, part[i]);
        if (!json_is_number(number))
            return hw_fail(err, "%.200s: %s %.40s: %.60s: %s: expected a number", p->path, p->part,
                           p->name, key, part[i]);
        *to[i] = json_number_value(number);
        if (!isfinite(*to[i]) || *to[i] <= 0.0 || *to[i] > 1e15)
            return hw_fail(err, "%.200s: %s %.40s: %.60s: %s: expected above 0 to 1e15, got %g",
                           p->path, p->part, p->name, key, part[i], *to[i]);
    }
    if (r->low > r->value || r->value > r->high)
        return hw_fail(err, "%.200s: %s %.40s: %.60s: expected low <= value <= high, got %g %g %g",
                       p->path, p->part, p->name, key, r->low, r->value, r->high);
    r->source = json_string_value(json_object_get(range, "source"));
    if (!r->source || !*r->source)
        return refuse(p, key, "source: expected a text", err);
    return json_object_size(range) == 4 ||
           refuse(p, key, "expected low, value, high and source alone", err);
}

// Constants first..last-1 of an object, which may have no other key but `extra`.
static bool read_constants(const json_t *object, int first, int last, const char *extra,
                           const struct context *p, struct hw_range_of *k, struct hw_error *err)
{
    if (!json_is_object(object))
        return refuse(p, "-", "expected an object", err);
    for (int i = first; i < last; i++) {
        if (!read_range(object, NAME[i], p, &k[i], err))
            return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool known = strcmp(key, extra) == 0;
        for (int i = first; i < last && !known; i++)
            known = strcmp(key, NAME[i]) == 0;
        if (!known)
            return refuse(p, key, "expected no such constant", err);
    }
    return true;
}

static bool read_node(struct hw_constants *c, const char *name, const json_t *object,
                      const struct hw_range_of *common, const char *path, struct hw_error *err)
{
    const struct context p = {path, "node", name};
    c->node = name;
    memcpy(c->k, common, sizeof c->k);
    if (!read_constants(object, 0, FIRST_COMMON, "title", &p, c->k, err))
        return false;
    c->title = json_string_value(json_object_get(object, "title"));
    if (!c->title)
        return refuse(&p, "title", "expected a text", err);
    const struct hw_range_of *k = c->k;
    return k[HW_K_personality_layers].value <= k[HW_K_mask_layers].value ||
           refuse(&p, "personality_layers", "expected at most mask_layers", err);
}

static bool read_server(struct hw_server *s, const json_t *object, const char *path,
                        struct hw_error *err)
{
    const char **const text[] = {&s->name, &s->kind, &s->model};
    const char *const key[] = {"name", "kind", "model"};
    struct context p = {path, "server", "?"};
    for (int i = 0; i < 3; i++) {
        *text[i] = json_string_value(json_object_get(object, key[i]));
        if (!*text[i])
            return refuse(&p, key[i], "expected a text", err);
        p.name = s->name;
    }
    return read_range(object, "tokens_s_user", &p, &s->tokens_s_user, err) &&
           read_range(object, "tokens_s", &p, &s->tokens_s, err) &&
           read_range(object, "price_usd", &p, &s->price_usd, err) &&
           read_range(object, "watts", &p, &s->watts, err);
}

static bool read_all(struct hw_nodes *nodes, const char *path, struct hw_error *err)
{
    const struct context common = {path, "common", "constants"};
    struct hw_range_of k[HW_N_CONSTANTS] = {{0}};
    const char *format = hw_json_string(nodes->root, "format"), *name;
    if (strcmp(format, "hardwire nodes 1") != 0)
        return hw_fail(err, "%.200s: format: expected 'hardwire nodes 1', got '%.60s'", path,
                       format);
    if (!read_constants(json_object_get(nodes->root, "common"), FIRST_COMMON, HW_N_CONSTANTS, "",
                        &common, k, err))
        return false;
    json_t *list = json_object_get(nodes->root, "nodes"), *value;
    if (json_object_size(list) < 1 || json_object_size(list) > HW_MAX_NODES)
        return hw_fail(err, "%.200s: nodes: expected an object of 1..%d, got %zu", path,
                       HW_MAX_NODES, json_object_size(list));
    json_object_foreach(list, name, value)
    {
        if (!read_node(&nodes->node[nodes->n++], name, value, k, path, err))
            return false;
    }
    size_t i;
    list = json_object_get(nodes->root, "servers");
    if (!json_is_array(list) || json_array_size(list) > HW_MAX_SERVERS)
        return hw_fail(err, "%.200s: servers: expected a list of at most %d", path, HW_MAX_SERVERS);
    json_array_foreach(list, i, value)
    {
        if (!read_server(&nodes->server[nodes->n_servers++], value, path, err))
            return false;
    }
    return true;
}

bool hw_nodes_read(struct hw_nodes *nodes, const char *path, struct hw_error *err)
{
    *nodes = (struct hw_nodes){.root = hw_json_read(path, err)};
    if (!nodes->root)
        return false;
    if (read_all(nodes, path, err))
        return true;
    hw_nodes_free(nodes);
    return false;
}

void hw_nodes_free(struct hw_nodes *nodes)
{
    json_decref(nodes->root);
    *nodes = (struct hw_nodes){0};
}

const struct hw_constants *hw_nodes_find(const struct hw_nodes *nodes, const char *name,
                                         const char *path, struct hw_error *err)
{
    char names[200] = "";
    for (int i = 0; i < nodes->n; i++) {
        if (strcmp(nodes->node[i].node, name) == 0)
            return &nodes->node[i];
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%.20s", i ? ", " : "", nodes->node[i].node);
    }
    hw_fail(err, "%.200s: nodes: expected one of %s, got '%.60s'", path, names, name);
    return NULL;
}
