// SPDX-License-Identifier: Apache-2.0
// Owns the options of the economics, and plans of shapes by name.
#include "gen/cmd/cost_request.h"

#include <stdio.h>
#include <string.h>

#include "gen/cmd/cmd.h"
#include "gen/cmd/home.h"
#include "gen/cost/calibration.h"

const struct hw_option HW_COST_OPTIONS[] = {
    {"node", 0, HW_SETS(struct hw_cost_options, node), "NAME",
     .otherwise = "none; of a named shape 7",
     .help = "130, 28, 16, 7, 5: area, power, yield, masks and dollars on this node"},
    {"nodes", 0, HW_SETS(struct hw_cost_options, nodes), "FILE", .otherwise = "gen/cost/nodes.json",
     .help = "the constants of nodes and servers"},
    {"users", 0, HW_SETS(struct hw_cost_options, users), "N", 1, HW_ANY_COUNT,
     .otherwise = "as many as chips", .help = "users whose KV caches the chips hold"},
    {"volume", 0, HW_SETS(struct hw_cost_options, volume), "N", 1, HW_ANY_COUNT, "1000",
     .help = "sets of chips that are built"},
    {"calibration", 0, HW_SETS(struct hw_cost_options, calibration),
     .help = "published figures beside what is computed for them, and nothing else"},
    {"article", 0, HW_SETS(struct hw_cost_options, article),
     .help = "the article's claims, likewise"},
    {0}};

// Reads the nodes. *path: where they are, r's or `own`, which is filled then.
static bool nodes_of(const struct hw_request *r, struct hw_nodes *nodes, char own[HW_HOME_PATH],
                     const char **path, struct hw_error *err)
{
    *path = r->cost.nodes ? r->cost.nodes : own;
    return (r->cost.nodes || hw_home_path(own, "gen/cost/nodes.json", err)) &&
           hw_nodes_read(nodes, *path, err);
}

const struct hw_shape *hw_cost_shape(const struct hw_request *r)
{
    return r->shape ? hw_shape_find(r->shape) : NULL;
}

bool hw_cost_check(const struct hw_request *r, struct hw_error *err)
{
    struct hw_nodes nodes;
    char own[HW_HOME_PATH];
    const char *path;
    if (!r->cost.node)
        return true;
    if (!nodes_of(r, &nodes, own, &path, err))
        return false;
    bool found = hw_nodes_find(&nodes, r->cost.node, path, err) != NULL;
    hw_nodes_free(&nodes);
    return found;
}

bool hw_cost_load(struct hw_request *r, const struct hw_plan *plan, struct hw_load *load,
                  bool *exact, struct hw_error *err)
{
    enum { CONTEXT = 6144 }; // HC1's
    *exact = true;
    if (plan) {
        hw_load_of_plan(plan, load);
    } else {
        const struct hw_shape *s = hw_cost_shape(r);
        int context = r->ctx ? r->ctx : s->seq_len < CONTEXT ? s->seq_len : CONTEXT;
        struct hw_bits b = {r->bits, r->wide_bits, r->code_bits, 10, 8};
        hw_shape_geometry(s, &b, context, &r->geometry);
        if (!hw_load_of_shape(s, &b, context, &r->geometry, load, exact, err))
            return false;
    }
    load->users = r->cost.users ? r->cost.users : 1;
    load->volume = r->cost.volume;
    return true;
}

// As many users as fill the pipeline of chips.
static double users_of(const struct hw_constants *c, const struct hw_load *load)
{
    double k[HW_N_CONSTANTS], r[HW_N_RESULTS];
    struct hw_load one = *load;
    hw_constants_middle(c, k);
    one.users = 1;
    hw_cost(k, &one, r);
    return r[HW_R_chips];
}

json_t *hw_cost_document(const struct hw_request *r, struct hw_load *load, struct hw_error *err)
{
    struct hw_nodes nodes;
    const struct hw_shape *s = hw_cost_shape(r);
    char own[HW_HOME_PATH];
    const char *path;
    json_t *doc = NULL;
    if (!nodes_of(r, &nodes, own, &path, err))
        return NULL;
    const struct hw_constants *c = hw_nodes_find(&nodes, r->cost.node, path, err);
    if (c && !r->cost.users)
        load->users = users_of(c, load);
    if (c)
        doc = hw_economics(&nodes, c, load, s ? s->name : "");
    if (c && !doc)
        hw_fail(err, "%s: economics: out of memory, or text that is not UTF-8", path);
    hw_nodes_free(&nodes);
    return doc;
}

static int list_shapes(void)
{
    const struct hw_shape *s;
    for (int i = 0; (s = hw_shape_at(i)); i++) {
        double all, used;
        hw_shape_weights(s, &all, &used);
        printf("%-14s %6.2f G weights, %6.2f G a token   %s\n", s->name, all / 1e9, used / 1e9,
               s->source);
    }
    return 0;
}

static void print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
}

int hw_cost_shape_plan(struct hw_request *r)
{
    const struct hw_shape *s = hw_cost_shape(r);
    struct hw_error err = {0};
    struct hw_load load;
    bool exact;
    double all, used;
    if (strcmp(r->shape, "list") == 0)
        return list_shapes();
    if (!s)
        return hw_usage("plan", "--shape: expected numbers or a name of --shape list, got '%s'",
                        r->shape);
    r->cost.node = r->cost.node ? r->cost.node : "7";
    if (!hw_cost_check(r, &err) || !hw_cost_load(r, NULL, &load, &exact, &err))
        return hw_report(&err);
    json_t *doc = hw_cost_document(r, &load, &err);
    if (!doc)
        return hw_report(&err);
    hw_shape_weights(s, &all, &used);
    if (r->json) {
        json_t *root = json_pack("{s:s, s:s, s:b, s:O}", "shape", s->name, "title", s->title,
                                 "exact", exact, "economics", doc);
        print_json(root);
        json_decref(root);
    } else {
        printf("%s: %.2f G weights, %.2f G a token (%s)\n", s->title, all / 1e9, used / 1e9,
               s->source);
        printf("%d and %d bits, context %.0f, clocks a token %.0f to %.0f, %s\n", r->bits,
               r->wide_bits, load.context, load.cycles_first, load.cycles_last,
               exact ? "by the exact cycle model" : "estimated, not counted clock by clock");
        hw_economics_print(doc);
    }
    json_decref(doc);
    return 0;
}

int hw_cost_tables(const struct hw_request *r)
{
    struct hw_nodes nodes;
    struct hw_error err = {0};
    char own[HW_HOME_PATH];
    const char *path;
    if (!nodes_of(r, &nodes, own, &path, &err))
        return hw_report(&err);
    json_t *table =
        r->cost.article ? hw_article(&nodes, path, &err) : hw_calibration(&nodes, path, &err);
    if (table && r->json)
        print_json(table);
    else if (table && r->cost.article)
        hw_article_print(table);
    else if (table)
        hw_calibration_print(table);
    json_decref(table);
    hw_nodes_free(&nodes);
    return err.set ? hw_report(&err) : 0;
}
