// SPDX-License-Identifier: Apache-2.0
// hardwire layout: the ROMs of a design as macros of an open process, and what differs between two
// such layouts.
#include <stdio.h>
#include <string.h>

#include "gen/cmd/cmd.h"
#include "gen/layout/diff.h"
#include "gen/layout/layout.h"
#include "gen/output.h"
#include "gen/qmodel/memory.h"

struct layout_request {
    struct hw_request design;
    const char *pdk, *macros;
    bool spice, diff;
};

static void report(const struct hw_layout *l)
{
    double area = 0, bits = 0;
    for (int i = 0; i < l->n_macros; i++) {
        const struct hw_macro *m = &l->macro[i];
        area += m->width * 1e-6 * m->height * 1e-6;
        bits += (double)m->array.rows * m->array.cols;
    }
    printf("%d macros, %.0f bits, %.4f mm2: %.2f Mbit/mm2; the array alone %.2f\n", l->n_macros,
           bits, area, bits / area * 1e-6, 1 / hw_array_cell_um2(&l->macro[0].array));
    printf("floorplan %.3f x %.3f mm\n", l->width * 1e-6, l->height * 1e-6);
}

static int write_layout(struct layout_request *r, const struct hw_pdk *pdk, struct hw_error *err)
{
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_layout layout = {0};
    if (!hw_prepare(&r->design, &q, &plan, err))
        return hw_report(err);
    if (hw_layout_make(&layout, &plan, pdk, r->macros, err) &&
        hw_layout_write(&layout, r->design.output, r->spice, err) && !r->design.quiet)
        report(&layout);
    hw_layout_free(&layout);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return err->set ? hw_report(err) : 0;
}

static int diff(const struct layout_request *r, const struct hw_pdk *pdk,
                const struct hw_operands *operands, struct hw_error *err)
{
    struct hw_output_file picture = {0};
    const char *path = r->design.output;
    int n_layers;
    if (operands->n != 2)
        return hw_usage("layout", "--diff: expected two layouts");
    const char *inputs[] = {operands->at[0], operands->at[1]};
    if (path &&
        (!hw_output_file_check(path, inputs, 2, err) || !hw_output_file_open(&picture, path, err)))
        return hw_report(err);
    hw_layout_diff(operands->at[0], operands->at[1], pdk, stdout, picture.stream, &n_layers, err);
    if (path)
        hw_output_file_close(&picture, err);
    return err->set ? hw_report(err) : n_layers > 1;
}

static int layout(int argc, char **argv)
{
    struct layout_request r = {0};
    struct hw_error err = {0};
    struct hw_operands operands;
    int status = hw_options_parse(&HW_VERB_LAYOUT, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    const struct hw_pdk *pdk = hw_pdk_find(r.pdk);
    if (!pdk)
        return hw_usage("layout", "--pdk: expected %s, got '%s'", hw_pdk_names(), r.pdk);
    if (r.diff)
        return diff(&r, pdk, &operands, &err);
    status = hw_complete_request(&HW_VERB_LAYOUT, &operands, &r.design);
    if (status >= 0)
        return status;
    if (!r.design.output)
        return hw_usage("layout", "expected -o DIR");
    return write_layout(&r, pdk, &err);
}

static const struct hw_option LAYOUT_OPTIONS[] = {
    {"output", 'o', HW_SETS(struct layout_request, design.output), "DIR",
     .help = "the layout to write; with --diff: FILE, a picture (SVG) of a corner, what only A "
             "has in red, what only B has in blue"},
    {"pdk", 0, HW_SETS(struct layout_request, pdk), "NAME", .preset = "sky130",
     .help = "the process: sky130, gf180mcuD"},
    {"macros", 0, HW_SETS(struct layout_request, macros), "DIR",
     .help = "the macros of the layout in DIR, which hold this model's words too; only the "
             "code is new"},
    {"spice", 0, HW_SETS(struct layout_request, spice),
     .help = "macros.spice too: every transistor, 50 bytes a bit"},
    {"diff", 0, HW_SETS(struct layout_request, diff),
     .help = "compare two layouts, A and B: layers and shapes that differ; exit status 1 where "
             "more than one layer does"},
    {"quiet", 'q', HW_SETS(struct layout_request, design.quiet), .help = "no summary"},
    {0}};

const struct hw_verb HW_VERB_LAYOUT = {
    .name = "layout",
    .operands = "Q.safetensors -o DIR | --diff A B",
    .what = "GDSII of the ROMs, one layer apart between two models",
    .groups = {{NULL, LAYOUT_OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct layout_request, design.geometry)},
               {NULL, HW_DESIGN_OPTIONS, offsetof(struct layout_request, design)},
               {NULL, HW_SHAPE_OPTIONS, offsetof(struct layout_request, design)}},
    .run = layout};
