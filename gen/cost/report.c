// SPDX-License-Identifier: Apache-2.0
// Owns what the report holds. report_page.c writes it as a page.
#include "gen/cost/report.h"

#include <stdlib.h>
#include <string.h>

#include "gen/chip/cycles.h"

struct part { // of the ROM: weights of a kind of matrix, or of a layer
    char name[64];
    double bits, padding;
};

enum { MOST_KINDS = 32 };

static struct part *part_of(struct part *list, int *n, int most, const char *name)
{
    for (int i = 0; i < *n; i++) {
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    }
    struct part *p = &list[*n < most ? (*n)++ : most - 1];
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

static json_t *parts_list(const struct part *list, int n)
{
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, json_pack("{s:s, s:f, s:f}", "name", list[i].name, "bits",
                                               list[i].bits, "padding", list[i].padding));
    return array;
}

// The kind of a tensor, and the layer where it has one.
static const char *kind_of(const char *tensor, int *layer)
{
    int used = 0;
    *layer = -1;
    if (sscanf(tensor, "layers.%d.%n", layer, &used) != 1 || used == 0)
        return tensor;
    const char *dot = strrchr(tensor, '.');
    return dot ? dot + 1 : tensor;
}

static void add_plan(const struct hw_plan *plan, json_t *root)
{
    struct part kind[MOST_KINDS] = {{{0}, 0, 0}};
    int n_layers = plan->model->config.n_layers, n = 0;
    struct part *layer = calloc((size_t)n_layers, sizeof *layer);
    const struct hw_rom *weight = &plan->rom[HW_ROM_WEIGHT];
    for (int i = 0; layer && i < plan->n_ranges; i++) {
        const struct hw_weight_range *r = &plan->range[i];
        int l;
        struct part *p = part_of(kind, &n, MOST_KINDS, kind_of(r->name, &l));
        double all = (double)r->n_words * weight->width;
        double own = (double)r->n_rows * r->n_in * r->n_planes * plan->geometry.code_bits;
        p->bits += own;
        p->padding += all - own;
        if (l >= 0 && l < n_layers) {
            snprintf(layer[l].name, sizeof layer[l].name, "%d", l);
            layer[l].bits += own;
            layer[l].padding += all - own;
        }
    }
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *rom = &plan->rom[i];
        if (i != HW_ROM_WEIGHT)
            part_of(kind, &n, MOST_KINDS, "scales, gains, program")->bits +=
                (double)rom->width * rom->depth;
    }
    json_object_set_new(root, "rom", parts_list(kind, n));
    json_object_set_new(root, "layers", parts_list(layer, layer ? n_layers : 0));
    free(layer);
}

struct kinds {
    struct part list[MOST_KINDS];
    int n;
};

static void add_kind(void *user, const char *kind, double bits, double padding)
{
    struct kinds *k = user;
    struct part *p = part_of(k->list, &k->n, MOST_KINDS, kind);
    p->bits += bits;
    p->padding += padding;
}

static json_t *timeline(const struct hw_plan *plan)
{
    enum { SLICES = 160 };
    static double busy[HW_N_UNITS * SLICES];
    int pos = plan->model->config.seq_len / 2;
    long clocks = hw_cycles_timeline(plan, pos, SLICES, busy);
    json_t *units = json_array();
    for (int u = 0; u < HW_N_UNITS; u++) {
        json_t *shares = json_array();
        double sum = 0.0;
        for (int i = 0; i < SLICES; i++) {
            sum += busy[u * SLICES + i];
            json_array_append_new(shares, json_real(busy[u * SLICES + i]));
        }
        json_array_append_new(units, json_pack("{s:s, s:f, s:o}", "unit", hw_cycle_unit_name(u),
                                               "share", sum / SLICES, "busy", shares));
    }
    return json_pack("{s:i, s:I, s:o}", "position", pos, "clocks", (json_int_t)clocks, "units",
                     units);
}

json_t *hw_report_document(const struct hw_report *r)
{
    json_t *title = json_string(r->title);
    json_t *root = json_object();
    json_object_set_new(root, "title", title ? title : json_string("(not UTF-8)"));
    json_object_set_new(root, "economics", r->economics);
    if (r->plan) {
        add_plan(r->plan, root);
        json_object_set_new(root, "timeline", timeline(r->plan));
    } else {
        struct kinds k = {.n = 0};
        hw_shape_kinds(r->shape, r->bits, r->counted, add_kind, &k);
        json_object_set_new(root, "rom", parts_list(k.list, k.n));
    }
    if (r->sim)
        json_object_set_new(root, "verified", r->sim);
    if (r->measured)
        json_object_set_new(root, "measured", r->measured);
    return root;
}
