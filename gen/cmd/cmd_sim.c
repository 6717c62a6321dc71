// SPDX-License-Identifier: Apache-2.0
// hardwire sim: a quantized model and a geometry to a simulated chip that is compared with the
// reference.
#include <stdio.h>
#include <stdlib.h>

#include "gen/chip/emit.h"
#include "gen/cmd/cmd.h"
#include "gen/cmd/simulate.h"
#include "gen/output.h"
#include "gen/qmodel/memory.h"

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
    char *args[HW_MOST_SIM_ARGS];
    int n = hand_on(r, args, sizeof args / sizeof args[0], err), status = 0;
    char design[HW_OUTPUT_PATH + 2]; // no option of other programs, where it begins as one
    snprintf(design, sizeof design, "%s%s", *r->output == '-' ? "./" : "", r->output);
    const struct hw_sim_request sim = {design, r->input, r->icarus, args, n};
    if (!err->set)
        status = hw_simulate(&sim, err);
    for (int i = 0; i < n; i++)
        free(args[i]);
    return status;
}

static bool check_json(const struct hw_request *r, struct hw_error *err)
{
    const char *inputs[] = {r->input, r->cosim.tokenizer, r->ask.messages};
    return hw_cosim_json_check(&r->cosim, r->output, err) &&
           (!r->cosim.json ||
            hw_output_file_check(r->cosim.json, inputs, sizeof inputs / sizeof inputs[0], err));
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
    if (!hw_simulate_paths(r.output, &err) || !check_json(&r, &err) ||
        !hw_prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r.slice, NULL, r.templates, r.output, HW_EMIT_KEEP, NULL, &err);
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
