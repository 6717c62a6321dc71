// SPDX-License-Identifier: Apache-2.0
// hardwire emit and sim: a quantized model and a geometry to Verilog, or to a simulated chip that is
// compared with the reference. Owns the options that plan shares.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/emit.h"
#include "gen/cmd.h"
#include "gen/quant/qfile.h"
#include "gen/quant/synthetic.h"
#include "gen/read/model.h"
#include "gen/read/safetensors.h"

static const char *const GEOMETRY_HELP =
    "      --rows N          lanes a column (32)\n"
    "      --cols N          activations a cycle (8); rows x cols weights a cycle\n"
    "      --vec N           rows drained, and vector elements, a cycle (8)\n"
    "      --att-pos N       KV positions a cycle (16)\n"
    "      --lane KIND       select or multiply: what a lane does with a code (see --target)\n"
    "      --target NAME     sim, ice40, ecp5, xilinx, osu018: the lane that is smaller there (sim)\n"
    "      --bank-bytes N    most bytes of a ROM bank (524288)\n"
    "      --ctx N           a context of N positions (the model's)\n"
    "      --shape D,H,L,N,K,V,C[,untied]  no model: dim, hidden, layers, heads, kv heads, vocab,\n"
    "                        context, with random weights\n"
    "      --bits N --code-bits N  of these (4, 4)\n"
    "      --wide-bits N     of embedding, classifier, wk, wv (as --bits)\n"
    "      --slice NAME      chip, layer:N, matrix:NAME[:first-last], op:NAME:N (chip)\n";

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

static void pass_on(struct hw_request *r, const char *name, const char *value)
{
    size_t size = strlen(name) + (value ? strlen(value) : 0) + 4;
    char *arg = malloc(size);
    if (!arg || r->n_args == (int)(sizeof r->args / sizeof r->args[0])) {
        free(arg);
        return;
    }
    snprintf(arg, size, value ? "--%s=%s" : "--%s", name, value);
    r->args[r->n_args++] = arg;
}

int hw_parse_request(int argc, char **argv, const char *help, struct hw_request *r)
{
    const bool plan = strcmp(argv[0], "plan") == 0; // says what it finds instead of a simulation
    const struct option options[] = {
        {"output", required_argument, NULL, 'o'},     {"rows", required_argument, NULL, 'r'},
        {"cols", required_argument, NULL, 'c'},       {"vec", required_argument, NULL, 'v'},
        {"att-pos", required_argument, NULL, 'P'},    {"slice", required_argument, NULL, 's'},
        {"lane", required_argument, NULL, 'L'},       {"target", required_argument, NULL, 'G'},
        {"templates", required_argument, NULL, 'T'},  {"clock-mhz", required_argument, NULL, 'm'},
        {"icarus", no_argument, NULL, 'i'},           {"tokenizer", required_argument, NULL, 't'},
        {"prompt", required_argument, NULL, 'p'},     {"count", required_argument, NULL, 'n'},
        {"random", required_argument, NULL, PASS_ON}, {"stalls", required_argument, NULL, PASS_ON},
        {"reset-at", required_argument, NULL, PASS_ON}, {"repeat", required_argument, NULL, PASS_ON},
        {"json", plan ? no_argument : required_argument, NULL, plan ? 'j' : PASS_ON},
        {"clock", required_argument, NULL, 'm'},
        {"no-taps", no_argument, NULL, PASS_ON},      {"quiet", no_argument, NULL, PASS_ON},
        {"chat", no_argument, NULL, PASS_ON},         {"system", required_argument, NULL, PASS_ON},
        {"messages", required_argument, NULL, PASS_ON},
        {"template", required_argument, NULL, PASS_ON},
        {"shape", required_argument, NULL, 'S'},      {"bits", required_argument, NULL, 'b'},
        {"ctx", required_argument, NULL, 'x'},        {"code-bits", required_argument, NULL, 'C'},
        {"wide-bits", required_argument, NULL, 'w'},  {"bank-bytes", required_argument, NULL, 'B'},
        {"keep", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {0}};
    static char templates[4200];
    snprintf(templates, sizeof templates, "%s/rtl_templates", hw_home());
    *r = (struct hw_request){.slice = "chip", .templates = templates, .clock_mhz = 100,
                             .code_bits = 4, .checkpoints = plan};
    for (int opt, at; (opt = getopt_long(argc, argv, "o:t:p:n:h", options, &at)) != -1;) {
        int *number = opt == 'r'   ? &r->geometry.rows
                      : opt == 'c' ? &r->geometry.cols
                      : opt == 'v' ? &r->geometry.vec
                      : opt == 'P' ? &r->geometry.att_pos
                      : opt == 'm' ? &r->clock_mhz
                      : opt == 'b' ? &r->bits
                      : opt == 'C' ? &r->code_bits
                      : opt == 'w' ? &r->wide_bits
                      : opt == 'B' ? &r->geometry.bank_bytes
                      : opt == 'x' ? &r->ctx
                                   : NULL;
        const char **text = opt == 'o'   ? &r->output
                            : opt == 's' ? &r->slice
                            : opt == 'S' ? &r->shape
                            : opt == 'L' ? &r->lane
                            : opt == 'G' ? &r->target
                            : opt == 'T' ? &r->templates
                                         : NULL;
        const char *passed = opt == 't'       ? "tokenizer"
                             : opt == 'p'     ? "prompt"
                             : opt == 'n'     ? "count"
                             : opt == 'm'     ? "clock-mhz"
                             : opt == PASS_ON ? options[at].name
                                              : NULL;
        if (number && !hw_parse_int(optarg, 1, 1 << 24, number))
            return hw_usage(argv[0], "expected a positive number, got '%s'", optarg);
        if (text)
            *text = optarg;
        if (passed)
            pass_on(r, passed, optarg);
        r->icarus = r->icarus || opt == 'i';
        r->quiet = r->quiet || (opt == PASS_ON && strcmp(options[at].name, "quiet") == 0);
        r->json = r->json || opt == 'j';
        r->keep = r->keep || opt == 'k';
        if (opt == 'h')
            return printf("%s%s", help, GEOMETRY_HELP), 0;
        if (opt == '?')
            return 2;
    }
    if (optind + !r->shape != argc)
        return hw_usage(argv[0], r->shape ? "expected no model beside --shape"
                                          : "expected one quantized model");
    r->bits = r->bits ? r->bits : r->shape ? 4 : 8;
    r->wide_bits = r->wide_bits ? r->wide_bits : r->bits;
    if (r->bits < 2 || r->bits > 8 || r->wide_bits < 2 || r->wide_bits > 8 || r->code_bits < 2 ||
        r->code_bits > 4)
        return hw_usage(argv[0], "expected 2..8 bits in codes of 2..4, got %d and %d in %d",
                        r->bits, r->wide_bits, r->code_bits);
    if (r->lane && !hw_lane_parse(r->lane, &r->geometry.lane))
        return hw_usage(argv[0], "expected --lane select or multiply, got '%s'", r->lane);
    if (r->target && !hw_target_parse(r->target, &r->geometry.target))
        return hw_usage(argv[0], "expected --target sim, ice40, ecp5, xilinx or osu018, got '%s'",
                        r->target);
    r->input = r->shape ? NULL : argv[optind];
    return -1;
}

static bool load(const struct hw_request *r, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_widths widths = {r->code_bits, 10, 10, 20};
    struct hw_config c;
    if (!r->shape && (!r->checkpoints || hw_is_safetensors(r->input)))
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
    if (!load(r, q, err))
        return false;
    if ((!r->ctx || hw_qmodel_set_context(q, r->ctx, err)) &&
        hw_geometry_fit(&r->geometry, q, err) &&
        hw_plan_make(plan, q, &r->geometry, r->slice, err))
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
    int status = hw_parse_request(argc, argv,
                                  "hardwire emit Q.safetensors -o DIR [options]\n"
                                  "      --templates DIR   the hand-written Verilog (rtl_templates)\n"
                                  "      --keep            leave DIR where it is this very design\n"
                                  "      --quiet           no size and no progress\n", &r);
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

int hw_cmd_sim(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = hw_parse_request(argc, argv, SIM_HELP, &r);
    if (status >= 0)
        return status;
    if (!r.output || r.shape)
        return hw_usage("sim", "expected -o DIR and a model");
    if (!hw_prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r.slice, r.templates, r.output, HW_EMIT_KEEP, NULL, &err);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    const struct hw_sim_request sim = {r.output, r.input, r.icarus, r.args, r.n_args};
    if (!err.set)
        status = hw_simulate(&sim, &err);
    for (int i = 0; i < r.n_args; i++)
        free(r.args[i]);
    return err.set ? hw_report(&err) : status;
}
