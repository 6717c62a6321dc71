// SPDX-License-Identifier: Apache-2.0
// hardwire emit and sim: a quantized model and a geometry to Verilog, or to a simulated chip that
// is compared with the reference. Owns the options that plan shares.
#include <getopt.h>
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

static const char *const GEOMETRY_HELP =
    "      --rows N          lanes a column (32)\n"
    "      --cols N          activations a cycle (8); rows x cols weights a cycle\n"
    "      --vec N           rows drained, and vector elements, a cycle (8)\n"
    "      --att-pos N       KV positions a cycle (16)\n"
    "      --lane KIND       select or multiply: what a lane does with a code (see --target)\n"
    "      --target NAME     sim, ice40, ecp5, xilinx, osu018: the lane that is smaller there "
    "(sim)\n"
    "      --fabric DIR      in place of these: the fabric of the design in DIR, whose capacities "
    "hold\n"
    "                        the model; only the constants are new\n"
    "      --bank-bytes N    most bytes of a ROM bank (524288)\n"
    "      --ctx N           a context of N positions (the model's)\n"
    "      --slice NAME      chip, layer:N, matrix:NAME[:first-last], op:NAME:N (chip)\n";

// Of emit and plan.
static const char *const SHAPE_HELP =
    "      --shape D,H,L,N,K,V,C[,untied]  no model: dim, hidden, layers, heads, kv heads, vocab,\n"
    "                        context, with random weights\n"
    "      --bits N --code-bits N  of these (4, 4)\n"
    "      --wide-bits N     of embedding, classifier, wk, wv (as --bits)\n";

static const char *const SIM_HELP =
    "hardwire sim Q.safetensors -t TOKENIZER -o DIR [options]\n"
    "  Emits DIR (kept where it is this very design), compiles it, runs it beside the\n"
    "  reference and compares every tensor. Ctrl-C stops after the token at hand.\n"
    "  -t, --tokenizer FILE  of the model: llama2.c, GGUF, tokenizer.json or its folder\n"
    "  -p, --prompt TEXT     what the story begins with (nothing), or what the chat is asked\n"
    "  -n, --count N         tokens to generate, in each turn of a chat (256); steps of a slice\n"
    "      --chat            with the tokenizer's chat template; without -p, line by line\n"
    "      --system TEXT, --messages FILE, --template NAME   as of hardwire run\n"
    "      --icarus          Icarus Verilog instead of Verilator: slow, but sees X\n"
    "      --stalls SEED     pause the streams at random\n"
    "      --reset-at N      reset once, at clock N, and begin again\n"
    "      --repeat N        tell the same prompt N more times, without a reset\n"
    "      --random SEED     slice: random operands instead of captured ones\n"
    "      --no-taps         compare tokens only\n"
    "      --quiet           no story\n"
    "      --json FILE       the summary as JSON\n"
    "      --clock MHZ       clock at which tokens/s are stated (100)\n";

enum { PASS_ON = 256 }; // options of the co-simulation, handed on as they are

// False where there are too many.
static bool pass_on(struct hw_request *r, const char *name, const char *value)
{
    size_t size = strlen(name) + (value ? strlen(value) : 0) + 4;
    char *arg = r->n_args < (int)(sizeof r->args / sizeof r->args[0]) ? malloc(size) : NULL;
    if (!arg)
        return false;
    snprintf(arg, size, value ? "--%s=%s" : "--%s", name, value);
    r->args[r->n_args++] = arg;
    return true;
}

// Which verb takes an option.
enum { EMIT = 1, PLAN = 2, SIM = 4, ALL = 7 };

static const struct verb_option {
    int verbs;
    struct option option;
} OPTIONS[] = {
    {ALL, {"rows", required_argument, NULL, 'r'}},
    {ALL, {"cols", required_argument, NULL, 'c'}},
    {ALL, {"vec", required_argument, NULL, 'v'}},
    {ALL, {"att-pos", required_argument, NULL, 'P'}},
    {ALL, {"lane", required_argument, NULL, 'L'}},
    {ALL, {"target", required_argument, NULL, 'G'}},
    {ALL, {"fabric", required_argument, NULL, 'F'}},
    {ALL, {"bank-bytes", required_argument, NULL, 'B'}},
    {ALL, {"ctx", required_argument, NULL, 'x'}},
    {ALL, {"slice", required_argument, NULL, 's'}},
    {ALL, {"help", no_argument, NULL, 'h'}},
    {EMIT | PLAN, {"shape", required_argument, NULL, 'S'}},
    {EMIT | PLAN, {"bits", required_argument, NULL, 'b'}},
    {EMIT | PLAN, {"code-bits", required_argument, NULL, 'C'}},
    {EMIT | PLAN, {"wide-bits", required_argument, NULL, 'w'}},
    {EMIT | SIM, {"output", required_argument, NULL, 'o'}},
    {EMIT | SIM, {"templates", required_argument, NULL, 'T'}},
    {EMIT, {"keep", no_argument, NULL, 'k'}},
    {EMIT, {"quiet", no_argument, NULL, 'q'}},
    {PLAN, {"json", no_argument, NULL, 'j'}},
    {PLAN, {"clock", required_argument, NULL, 'm'}},
    {PLAN, {"clock-mhz", required_argument, NULL, 'm'}},
    {SIM, {"icarus", no_argument, NULL, 'i'}},
    {SIM, {"tokenizer", required_argument, NULL, 't'}},
    {SIM, {"prompt", required_argument, NULL, 'p'}},
    {SIM, {"count", required_argument, NULL, 'n'}},
    {SIM, {"random", required_argument, NULL, PASS_ON}},
    {SIM, {"stalls", required_argument, NULL, PASS_ON}},
    {SIM, {"reset-at", required_argument, NULL, PASS_ON}},
    {SIM, {"repeat", required_argument, NULL, PASS_ON}},
    {SIM, {"json", required_argument, NULL, PASS_ON}},
    {SIM, {"clock", required_argument, NULL, 'M'}},
    {SIM, {"clock-mhz", required_argument, NULL, 'M'}},
    {SIM, {"no-taps", no_argument, NULL, PASS_ON}},
    {SIM, {"quiet", no_argument, NULL, PASS_ON}},
    {SIM, {"chat", no_argument, NULL, PASS_ON}},
    {SIM, {"system", required_argument, NULL, PASS_ON}},
    {SIM, {"messages", required_argument, NULL, PASS_ON}},
    {SIM, {"template", required_argument, NULL, PASS_ON}},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof OPTIONS[0] };

// The number or the text that an option sets, or NULL.
static int *number_of(struct hw_request *r, int opt)
{
    return opt == 'r'   ? &r->geometry.rows
           : opt == 'c' ? &r->geometry.cols
           : opt == 'v' ? &r->geometry.vec
           : opt == 'P' ? &r->geometry.att_pos
           : opt == 'B' ? &r->geometry.bank_bytes
           : opt == 'm' ? &r->clock_mhz
           : opt == 'b' ? &r->bits
           : opt == 'C' ? &r->code_bits
           : opt == 'w' ? &r->wide_bits
           : opt == 'x' ? &r->ctx
                        : NULL;
}

static const char **text_of(struct hw_request *r, int opt)
{
    return opt == 'o'   ? &r->output
           : opt == 's' ? &r->slice
           : opt == 'S' ? &r->shape
           : opt == 'L' ? &r->lane
           : opt == 'G' ? &r->target
           : opt == 'F' ? &r->fabric
           : opt == 'T' ? &r->templates
                        : NULL;
}

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
    if (r->bits < 2 || r->bits > 8 || r->wide_bits < 2 || r->wide_bits > 8 || r->code_bits < 2 ||
        r->code_bits > 4)
        return hw_usage(verb, "expected 2..8 bits in codes of 2..4, got %d and %d in %d", r->bits,
                        r->wide_bits, r->code_bits);
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

int hw_parse_request(int argc, char **argv, const char *help, struct hw_request *r)
{
    const char *name = argv[0];
    const int verb = strcmp(name, "plan") == 0 ? PLAN : strcmp(name, "emit") == 0 ? EMIT : SIM;
    const char *letters = verb == PLAN ? "h" : verb == EMIT ? "o:h" : "o:t:p:n:h";
    struct option options[N_OPTIONS + 1] = {0};
    static char templates[4200];
    for (int i = 0, n = 0; i < N_OPTIONS; i++) {
        if (OPTIONS[i].verbs & verb)
            options[n++] = OPTIONS[i].option;
    }
    snprintf(templates, sizeof templates, "%s/rtl_templates", hw_home());
    *r = (struct hw_request){.slice = "chip", .templates = templates, .clock_mhz = 100};
    for (int opt, at; (opt = getopt_long(argc, argv, letters, options, &at)) != -1;) {
        int *number = number_of(r, opt);
        const char **text = text_of(r, opt);
        const char *passed = opt == 't'       ? "tokenizer"
                             : opt == 'p'     ? "prompt"
                             : opt == 'n'     ? "count"
                             : opt == 'M'     ? "clock-mhz"
                             : opt == PASS_ON ? options[at].name
                                              : NULL;
        if (number && !hw_parse_int(optarg, 1, 1 << 24, number))
            return hw_usage(name, "--%s: expected a number in 1..%d, got '%s'", options[at].name,
                            1 << 24, optarg);
        if (text)
            *text = optarg;
        if (passed && !pass_on(r, passed, optarg))
            return hw_usage(name, "expected fewer options for the simulation");
        r->icarus = r->icarus || opt == 'i';
        r->quiet = r->quiet || opt == 'q';
        r->json = r->json || opt == 'j';
        r->keep = r->keep || opt == 'k';
        if (opt == 'h')
            return printf("%s%s%s", help, GEOMETRY_HELP, verb == SIM ? "" : SHAPE_HELP), 0;
        if (opt == '?')
            return 2;
    }
    if (optind + !r->shape != argc)
        return hw_usage(name, r->shape ? "expected no model beside --shape"
                                       : "expected one quantized model");
    r->input = r->shape ? NULL : argv[optind];
    r->made_up = r->shape || (verb == PLAN && !hw_is_safetensors(r->input));
    return check_request(name, r);
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

int hw_cmd_emit(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status =
        hw_parse_request(argc, argv,
                         "hardwire emit Q.safetensors -o DIR [options]\n"
                         "      --templates DIR   the hand-written Verilog (rtl_templates)\n"
                         "      --keep            leave DIR where it is this very design\n"
                         "      --quiet           no size and no progress\n",
                         &r);
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

static int simulate(struct hw_request *r)
{
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = 0;
    if (!hw_simulate_paths(r->output, &err) || !hw_prepare(r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r->slice, r->templates, r->output, HW_EMIT_KEEP, NULL, &err);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    const struct hw_sim_request sim = {r->output, r->input, r->icarus, r->args, r->n_args};
    if (!err.set)
        status = hw_simulate(&sim, &err);
    return err.set ? hw_report(&err) : status;
}

int hw_cmd_sim(int argc, char **argv)
{
    struct hw_request r;
    int status = hw_parse_request(argc, argv, SIM_HELP, &r);
    if (status < 0)
        status = r.output ? simulate(&r) : hw_usage("sim", "expected -o DIR");
    for (int i = 0; i < r.n_args; i++)
        free(r.args[i]);
    return status;
}
