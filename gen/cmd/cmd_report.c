// SPDX-License-Identifier: Apache-2.0
// hardwire report: the plan and economics of a model, a public shape or an emitted design as one
// page and one JSON document.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/manifest.h"
#include "gen/cmd/cmd.h"
#include "gen/cmd/cost_request.h"
#include "gen/cost/report.h"
#include "gen/output.h"
#include "gen/qmodel/memory.h"
#include "gen/qmodel/synthetic.h"
#include "gen/read/cursor.h"
#include "gen/read/json.h"

struct report_request {
    struct hw_request design; // first: hw_parse_request fills it
    const char *json, *sim, *measured, *title;
};

// --- an emitted design

// Planes of a tensor by the manifest's list; 0: not there.
static int planes_of(const json_t *tensors, const char *name)
{
    size_t i;
    const json_t *t;
    json_array_foreach(tensors, i, t)
    {
        if (strcmp(hw_json_string(t, "tensor"), name) == 0)
            return (int)json_integer_value(json_object_get(t, "planes"));
    }
    return 0;
}

// Gives every matrix of *q the planes that the manifest says, by a first layout that names them.
static bool take_planes(const json_t *tensors, struct hw_qmodel *q, const struct hw_geometry *g,
                        const char *dir, struct hw_error *err)
{
    struct hw_geometry fit = *g;
    struct hw_plan plan;
    if (!hw_geometry_fit(&fit, q, err) || !hw_plan_make(&plan, q, &fit, "chip", err))
        return false;
    for (int i = 0; i < plan.n_ranges && !err->set; i++) {
        int planes = planes_of(tensors, plan.range[i].name);
        if (planes < 1 || planes > HW_MAX_PLANES)
            hw_fail(err, "%.200s/manifest.json: %s: expected 1..%d planes, got %d", dir,
                    plan.range[i].name, HW_MAX_PLANES, planes);
        else
            ((struct hw_qmatrix *)(uintptr_t)plan.range[i].m)->n_planes = planes;
    }
    hw_plan_free(&plan);
    return !err->set;
}

// The plan of the design in `dir`, with random weights of its precision.
static bool plan_of_design(const char *dir, struct hw_qmodel *q, struct hw_plan *plan,
                           struct hw_error *err)
{
    struct hw_manifest m = {0};
    char path[4200];
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    json_t *root = NULL;
    if (!hw_manifest_read(&m, dir, err) || !(root = hw_json_read(path, err))) {
        hw_manifest_free(&m);
        return false;
    }
    const struct hw_geometry *g = &m.geometry;
    struct hw_config c = m.model;
    c.rope_base = 10000.0;
    c.norm_eps = 1e-5;
    struct hw_widths widths = {g->code_bits, g->act_bits, g->kv_bits, g->res_bits};
    const json_t *tensors = json_object_get(root, "weights");
    struct hw_geometry shape = {.rows = g->rows,
                                .tile_rows = g->tile_rows,
                                .cols = g->cols,
                                .vec = g->vec,
                                .att_pos = g->att_pos,
                                .lane = g->lane,
                                .latency = g->latency,
                                .bank_bytes = g->bank_bytes,
                                .macro_words = g->macro_words,
                                .macro_bits = g->macro_bits,
                                .ram_words = g->ram_words,
                                .ram_bits = g->ram_bits};
    bool ok = hw_qmodel_synthetic(&c, &widths, g->code_bits, g->code_bits, q, err);
    if (ok && !(take_planes(tensors, q, &shape, dir, err) && hw_geometry_fit(&shape, q, err) &&
                hw_plan_make(plan, q, &shape, "chip", err))) {
        hw_qmodel_free(q);
        ok = false;
    }
    json_decref(root);
    hw_manifest_free(&m);
    return ok;
}

// --- the report

static bool read_objects(const struct report_request *q, struct hw_report *report,
                         struct hw_error *err)
{
    if (q->sim)
        report->sim = hw_json_read(q->sim, err);
    if (q->measured && !err->set)
        report->measured = hw_json_read(q->measured, err);
    return !err->set;
}

static bool write_all(const struct report_request *q, const json_t *doc, struct hw_error *err)
{
    struct hw_output_file file;
    if (hw_output_file_open(&file, q->design.output, err)) {
        hw_report_page(file.stream, doc);
        hw_output_file_close(&file, err);
    }
    if (q->json && !err->set && hw_output_file_open(&file, q->json, err)) {
        json_dumpf(doc, file.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        fputc('\n', file.stream);
        hw_output_file_close(&file, err);
    }
    return !err->set;
}

// What follows once there is a plan, or a named shape (plan NULL).
static bool make(struct report_request *q, const struct hw_plan *plan, struct hw_error *err)
{
    struct hw_request *r = &q->design;
    const struct hw_shape *s = hw_cost_shape(r);
    const char *slash = r->input ? strrchr(r->input, '/') : NULL;
    const char *file = slash && slash[1] ? slash + 1 : r->input;
    const struct hw_bits bits = {r->bits, r->wide_bits, r->code_bits, 10, 8};
    struct hw_report report = {.title = q->title ? q->title
                                        : s      ? s->title
                                        : file   ? file
                                                 : r->shape,
                               .plan = plan,
                               .shape = s,
                               .bits = &bits,
                               .counted = &r->geometry};
    struct hw_qmodel model;
    struct hw_plan own;
    struct hw_load load;
    bool exact, ok = hw_cost_load(r, plan, &load, &exact, err);
    bool laid_out = ok && !plan && exact;
    if (laid_out)
        ok = hw_shape_plan(s, &bits, (int)load.context, &r->geometry, &model, &own, err);
    report.plan = laid_out && ok ? &own : plan;
    ok = ok && read_objects(q, &report, err);
    report.economics = ok ? hw_cost_document(r, &load, err) : NULL;
    if (report.economics) {
        json_t *doc = hw_report_document(&report);
        ok = write_all(q, doc, err);
        json_decref(doc);
    } else {
        json_decref(report.sim);
        json_decref(report.measured);
    }
    if (laid_out && report.plan == &own) {
        hw_plan_free(&own);
        hw_qmodel_free(&model);
    }
    return !err->set;
}

static bool is_design(const char *path)
{
    char manifest[4200];
    snprintf(manifest, sizeof manifest, "%s/manifest.json", path ? path : "");
    return path && hw_path_exists(manifest);
}

static bool of_model(struct report_request *q, struct hw_error *err)
{
    struct hw_request *r = &q->design;
    struct hw_qmodel model;
    struct hw_plan plan;
    if (!(is_design(r->input) ? plan_of_design(r->input, &model, &plan, err)
                              : hw_prepare(r, &model, &plan, err)))
        return false;
    bool ok = make(q, &plan, err);
    hw_plan_free(&plan);
    hw_qmodel_free(&model);
    return ok;
}

static bool check_outputs(const struct report_request *q, struct hw_error *err)
{
    const struct hw_request *r = &q->design;
    const char *inputs[] = {r->input, r->fabric, r->cost.nodes, q->sim, q->measured};
    size_t n = sizeof inputs / sizeof inputs[0];
    if (q->json && hw_output_same(r->output, q->json))
        return hw_fail(err, "%s: --json: expected another name than -o, got %s", q->json,
                       r->output);
    return hw_output_file_check(r->output, inputs, n, err) &&
           (!q->json || hw_output_file_check(q->json, inputs, n, err));
}

static int report(int argc, char **argv)
{
    struct report_request q = {.json = NULL};
    struct hw_request *r = &q.design;
    struct hw_error err = {0};
    int status = hw_parse_request(&HW_VERB_REPORT, argc, argv, r);
    if (status >= 0)
        return status;
    if (!r->output)
        return hw_usage("report", "expected -o FILE");
    bool named = hw_shape_is_named(r);
    if (named && !hw_cost_shape(r))
        return hw_usage("report",
                        "--shape: expected numbers or a name of plan --shape list, got '%s'",
                        r->shape);
    r->cost.node = r->cost.node ? r->cost.node : "7";
    if (!check_outputs(&q, &err) || !hw_cost_check(r, &err))
        return hw_report(&err);
    (void)(named ? make(&q, NULL, &err) : of_model(&q, &err));
    return err.set ? hw_report(&err) : 0;
}

static const struct hw_option OPTIONS[] = {
    {"output", 'o', HW_SETS(struct report_request, design.output), "FILE",
     .help = "the page, HTML"},
    {"json", 0, HW_SETS(struct report_request, json), "FILE",
     .help = "what the page shows, as JSON"},
    {"sim", 0, HW_SETS(struct report_request, sim), "FILE",
     .help = "the summary of hardwire sim --json: what was verified"},
    {"measured", 0, HW_SETS(struct report_request, measured), "FILE",
     .help = "names and numbers to show: fidelity, timing, placement"},
    {"title", 0, HW_SETS(struct report_request, title), "TEXT", .otherwise = "the model's file",
     .help = "of the page"},
    {0}};

const struct hw_verb HW_VERB_REPORT = {
    .name = "report",
    .operands = "Q.safetensors|MODEL|DIR -o FILE",
    .what = "a page: area, ROM bits, clocks, cost",
    .about = "  MODEL: not quantized yet, its weights are made up (--bits: 8). DIR: an emitted "
             "design.\n",
    .groups = {{NULL, OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct hw_request, geometry)},
               {NULL, HW_DESIGN_OPTIONS, 0},
               {NULL, HW_SHAPE_OPTIONS, 0},
               {NULL, HW_COST_OPTIONS, offsetof(struct hw_request, cost)}},
    .run = report};
