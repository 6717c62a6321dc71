// SPDX-License-Identifier: Apache-2.0
// hardwire emit and sim: a quantized model and a geometry to Verilog, or to a simulated chip that
// is compared with the reference. Owns the options that plan shares.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/emit.h"
#include "gen/chip/manifest.h"
#include "gen/cmd.h"
#include "gen/qmodel/file.h"
#include "gen/qmodel/synthetic.h"
#include "gen/read/model.h"
#include "gen/read/safetensors.h"

const struct hw_option HW_GEOMETRY_OPTIONS[] = {
    {"rows", 0, HW_SETS(struct hw_geometry, rows), "N", 1, HW_ANY_COUNT, .otherwise = "32",
     .help = "lanes a column"},
    {"cols", 0, HW_SETS(struct hw_geometry, cols), "N", 1, HW_ANY_COUNT, .otherwise = "8",
     .help = "activations a cycle; rows x cols weights a cycle"},
    {"vec", 0, HW_SETS(struct hw_geometry, vec), "N", 1, HW_ANY_COUNT, .otherwise = "8",
     .help = "rows drained, and vector elements, a cycle"},
    {"att-pos", 0, HW_SETS(struct hw_geometry, att_pos), "N", 1, HW_ANY_COUNT, .otherwise = "16",
     .help = "KV positions a cycle"},
    {0}};

const struct hw_option HW_DESIGN_OPTIONS[] = {
    {"lane", 0, HW_SETS(struct hw_request, lane), "KIND", .otherwise = "see --target",
     .help = "select or multiply: what a lane does with a code"},
    {"target", 0, HW_SETS(struct hw_request, target), "NAME", .otherwise = "sim",
     .help = "sim, ice40, ecp5, xilinx, osu018: the lane that is smaller there"},
    {"fabric", 0, HW_SETS(struct hw_request, fabric), "DIR",
     .help = "in place of --rows and so on: the fabric of the design in DIR, whose "
             "capacities hold the model; only the constants are new"},
    {"bank-bytes", 0, HW_SETS(struct hw_request, geometry.bank_bytes), "N", 1, HW_ANY_COUNT,
     .otherwise = "524288", .help = "most bytes of a ROM bank"},
    {"ctx", 0, HW_SETS(struct hw_request, ctx), "N", 1, HW_ANY_COUNT, .otherwise = "the model's",
     .help = "a context of N positions"},
    {"slice", 0, HW_SETS(struct hw_request, slice), "NAME", .preset = "chip",
     .help = "chip, layer:N, matrix:NAME[:first-last], op:NAME:N"},
    {0}};

const struct hw_option HW_SHAPE_OPTIONS[] = {
    {"shape", 0, HW_SETS(struct hw_request, shape), "D,H,L,N,K,V,C[,untied]",
     .help = "no model: dim, hidden, layers, heads, kv heads, vocab, context, with random weights"},
    {"bits", 0, HW_SETS(struct hw_request, bits), "N", 2, 8,
     .otherwise = "4; plan of a checkpoint: 8", .help = "of these weights"},
    {"code-bits", 0, HW_SETS(struct hw_request, code_bits), "N", 2, 4, .otherwise = "4",
     .help = "of a ROM code"},
    {"wide-bits", 0, HW_SETS(struct hw_request, wide_bits), "N", 2, 8, .otherwise = "as --bits",
     .help = "of embedding, classifier, wk, wv"},
    {0}};

// What follows from the options together; -1 to go on, otherwise the exit status.
static int check_request(const char *verb, struct hw_request *r)
{
    if (!r->made_up && (r->bits || r->wide_bits || r->code_bits))
        return hw_usage(verb,
                        "--bits, --code-bits, --wide-bits: expected a model without quantized "
                        "weights, got %s",
                        r->input);
    r->bits = r->bits ? r->bits : r->shape ? 4 : 8;
    r->wide_bits = r->wide_bits ? r->wide_bits : r->bits;
    r->code_bits = r->code_bits ? r->code_bits : 4;
    const struct hw_geometry *g = &r->geometry;
    if (r->fabric &&
        (g->rows || g->cols || g->vec || g->att_pos || g->bank_bytes || r->lane || r->target))
        return hw_usage(verb,
                        "--fabric: expected no --rows, --cols, --vec, --att-pos, --lane, --target "
                        "or --bank-bytes beside it");
    if (r->lane && !hw_lane_parse(r->lane, &r->geometry.lane))
        return hw_usage(verb, "expected --lane select or multiply, got '%s'", r->lane);
    if (r->target && !hw_target_parse(r->target, &r->geometry.target))
        return hw_usage(verb, "expected --target sim, ice40, ecp5, xilinx or osu018, got '%s'",
                        r->target);
    return -1;
}

int hw_parse_request(const struct hw_verb *verb, int argc, char **argv, struct hw_request *r)
{
    struct hw_operands operands;
    *r = (struct hw_request){0};
    int status = hw_options_parse(verb, argc, argv, r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != !r->shape)
        return hw_usage(verb->name, r->shape ? "expected no model beside --shape"
                                             : "expected one quantized model");
    if (!r->templates) {
        snprintf(r->home, sizeof r->home, "%s/rtl_templates", hw_home());
        r->templates = r->home;
    }
    r->input = r->shape ? NULL : operands.at[0];
    r->made_up = r->shape || (verb == &HW_VERB_PLAN && !hw_is_safetensors(r->input));
    return check_request(verb->name, r);
}

static bool load(const struct hw_request *r, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_widths widths = {r->code_bits, 10, 10, 20};
    struct hw_config c;
    if (!r->made_up)
        return hw_qmodel_map(q, r->input, err);
    if (r->shape && !hw_parse_shape(r->shape, &c, err))
        return false;
    if (!r->shape) {
        struct hw_model *model = hw_model_open(r->input, err);
        if (!model)
            return false;
        c = *hw_model_config(model);
        hw_model_close(model);
    }
    return hw_qmodel_synthetic(&c, &widths, r->bits, r->wide_bits, q, err);
}

bool hw_prepare(struct hw_request *r, struct hw_qmodel *q, struct hw_plan *plan,
                struct hw_error *err)
{
    struct hw_manifest made = {0}; // whose fabric is taken
    const struct hw_geometry *fabric = &made.geometry;
    if ((r->fabric && !hw_manifest_read(&made, r->fabric, err)) || !load(r, q, err)) {
        hw_manifest_free(&made);
        return false;
    }
    if (r->fabric)
        r->geometry = *fabric;
    bool ok = hw_qmodel_set_context(q, r->ctx ? r->ctx : q->config.seq_len,
                                    r->fabric ? fabric->rope_lo_bits : 0, err) &&
              hw_geometry_fit(&r->geometry, q, err) &&
              (!r->fabric || hw_fabric_take(&r->geometry, fabric, err)) &&
              hw_plan_make(plan, q, &r->geometry, r->slice, err);
    hw_manifest_free(&made);
    if (ok)
        return true;
    hw_qmodel_free(q);
    return false;
}

static int emit(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = hw_parse_request(&HW_VERB_EMIT, argc, argv, &r);
    if (status >= 0)
        return status;
    if (!r.output)
        return hw_usage("emit", "expected -o DIR");
    if (!hw_prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r.slice, r.templates, r.output, r.keep ? HW_EMIT_KEEP : HW_EMIT_REPLACE,
            r.quiet ? NULL : stderr, &err);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return err.set ? hw_report(&err) : 0;
}

static const struct hw_option EMIT_OPTIONS[] = {
    {"output", 'o', HW_SETS(struct hw_request, output), "DIR", .help = "the design to write"},
    {"templates", 0, HW_SETS(struct hw_request, templates), "DIR", .otherwise = "rtl_templates",
     .help = "the hand-written Verilog"},
    {"keep", 0, HW_SETS(struct hw_request, keep), .help = "leave DIR where it is this very design"},
    {"quiet", 'q', HW_SETS(struct hw_request, quiet), .help = "no size and no progress"},
    {0}};

const struct hw_verb HW_VERB_EMIT = {
    .name = "emit",
    .operands = "Q.safetensors -o DIR",
    .what = "Verilog: fabric and personality",
    .groups = {{NULL, EMIT_OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct hw_request, geometry)},
               {NULL, HW_DESIGN_OPTIONS, 0},
               {NULL, HW_SHAPE_OPTIONS, 0}},
    .run = emit};

// --- sim

static const struct hw_option_group HANDED_ON[] = {
    {NULL, HW_ASK_OPTIONS, offsetof(struct hw_request, ask)},
    {NULL, HW_COSIM_OPTIONS, offsetof(struct hw_request, cosim)}};

// The options of the co-simulation, as arguments for it. Returns their number.
static int hand_on(const struct hw_request *r, char **args, int room, struct hw_error *err)
{
    int n = 0;
    for (size_t g = 0; g < sizeof HANDED_ON / sizeof HANDED_ON[0]; g++) {
        int more = hw_options_write(&HANDED_ON[g], r, args + n, room - n);
        if (more < 0)
            hw_fail(err, "sim: out of memory");
        n += more < 0 ? 0 : more;
    }
    return n;
}

static int simulate(const struct hw_request *r, struct hw_error *err)
{
    char *args[32];
    int n = hand_on(r, args, sizeof args / sizeof args[0], err), status = 0;
    const struct hw_sim_request sim = {r->output, r->input, r->icarus, args, n};
    if (!err->set)
        status = hw_simulate(&sim, err);
    for (int i = 0; i < n; i++)
        free(args[i]);
    return status;
}

static int sim(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = hw_parse_request(&HW_VERB_SIM, argc, argv, &r);
    if (status >= 0)
        return status;
    if (!r.output)
        return hw_usage("sim", "expected -o DIR");
    if (!hw_simulate_paths(r.output, &err) || !hw_prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r.slice, r.templates, r.output, HW_EMIT_KEEP, NULL, &err);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    status = err.set ? 1 : simulate(&r, &err);
    return err.set ? hw_report(&err) : status;
}

static const struct hw_option SIM_OPTIONS[] = {
    {"output", 'o', HW_SETS(struct hw_request, output), "DIR",
     .help = "the design to write, or to keep where it is this very one"},
    {"icarus", 0, HW_SETS(struct hw_request, icarus),
     .help = "Icarus Verilog instead of Verilator: slow, but sees X"},
    {"templates", 0, HW_SETS(struct hw_request, templates), "DIR", .otherwise = "rtl_templates",
     .help = "the hand-written Verilog"},
    {0}};

const struct hw_verb HW_VERB_SIM = {
    .name = "sim",
    .operands = "Q.safetensors -t TOK -o DIR",
    .what = "the chip in a simulator, beside the reference",
    .about = "  Emits DIR (kept where it is this very design), compiles it, runs it beside the\n"
             "  reference and compares every tensor. Ctrl-C stops after the token at hand.\n",
    .groups = {{NULL, HW_ASK_OPTIONS, offsetof(struct hw_request, ask)},
               {NULL, HW_COSIM_OPTIONS, offsetof(struct hw_request, cosim)},
               {NULL, SIM_OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct hw_request, geometry)},
               {NULL, HW_DESIGN_OPTIONS, 0}},
    .run = sim};
