// SPDX-License-Identifier: Apache-2.0
// hardwire emit and hardwire plan: a quantized model and a geometry to Verilog, or to an estimate.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "gen/cmd.h"
#include "gen/cycles.h"
#include "gen/emit.h"
#include "gen/qfile.h"

static const char *const GEOMETRY_HELP =
    "      --rows N          lanes a column (32)\n"
    "      --cols N          activations a cycle (8); rows x cols weights a cycle\n"
    "      --vec N           rows drained, and vector elements, a cycle (8)\n"
    "      --att-pos N       KV positions a cycle (16)\n"
    "      --slice NAME      chip, layer:N, matrix:NAME[:first-last], op:NAME:N (chip)\n";

struct request {
    struct hw_geometry geometry;
    const char *input, *output, *slice, *templates;
    int clock_mhz;
};

// Returns -1 to go on, otherwise the exit status.
static int parse(int argc, char **argv, const char *help, struct request *r)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},  {"rows", required_argument, NULL, 'r'},
        {"cols", required_argument, NULL, 'c'},    {"vec", required_argument, NULL, 'v'},
        {"att-pos", required_argument, NULL, 'p'}, {"slice", required_argument, NULL, 's'},
        {"templates", required_argument, NULL, 't'}, {"clock-mhz", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},          {0}};
    *r = (struct request){.slice = "chip", .templates = "rtl_templates", .clock_mhz = 100};
    for (int opt; (opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        int *number = opt == 'r'   ? &r->geometry.rows
                      : opt == 'c' ? &r->geometry.cols
                      : opt == 'v' ? &r->geometry.vec
                      : opt == 'p' ? &r->geometry.att_pos
                      : opt == 'm' ? &r->clock_mhz
                                   : NULL;
        if (number && !hw_parse_int(optarg, 1, 1 << 16, number))
            return hw_usage(argv[0], "expected a positive number, got '%s'", optarg);
        if (opt == 'o')
            r->output = optarg;
        else if (opt == 's')
            r->slice = optarg;
        else if (opt == 't')
            r->templates = optarg;
        else if (opt == 'h')
            return printf("%s%s", help, GEOMETRY_HELP), 0;
        else if (opt == '?')
            return 2;
    }
    if (optind + 1 != argc)
        return hw_usage(argv[0], "expected one quantized model");
    r->input = argv[optind];
    return -1;
}

// Reads the model and lays it out. On success the caller frees plan and q.
static bool prepare(struct request *r, struct hw_qmodel *q, struct hw_plan *plan,
                    struct hw_error *err)
{
    if (!hw_qmodel_read(q, r->input, err))
        return false;
    if (hw_geometry_fit(&r->geometry, q, err) &&
        hw_plan_make(plan, q, &r->geometry, r->slice, err))
        return true;
    hw_qmodel_free(q);
    return false;
}

int hw_cmd_emit(int argc, char **argv)
{
    struct request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = parse(argc, argv,
                       "hardwire emit Q.safetensors -o DIR [options]\n"
                       "      --templates DIR   the hand-written Verilog (rtl_templates)\n", &r);
    if (status >= 0)
        return status;
    if (!r.output)
        return hw_usage("emit", "expected -o DIR");
    if (!prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    hw_emit(&plan, r.slice, r.templates, r.output, &err);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return err.set ? hw_report(&err) : 0;
}

static void print_roms(const struct hw_plan *plan)
{
    long total = 0, weights = 0;
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *rom = &plan->rom[i];
        long bits = (long)rom->width * rom->depth;
        total += bits;
        printf("%-8s ROM  %8d words x %5d bits = %12ld bits\n", rom->name, rom->depth, rom->width,
               bits);
    }
    for (int i = 0; i < plan->n_ranges; i++)
        weights += (long)plan->range[i].n_rows * plan->range[i].n_in;
    printf("ROM in all    %ld bits, %.3f a weight\n", total,
           weights ? (double)total / (double)weights : 0.0);
}

int hw_cmd_plan(int argc, char **argv)
{
    struct request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    int status = parse(argc, argv,
                       "hardwire plan Q.safetensors [options]\n"
                       "      --clock-mhz N     clock at which tokens/s are stated (100)\n", &r);
    if (status >= 0)
        return status;
    if (!prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    const struct hw_geometry *g = &plan.geometry;
    printf("lanes         %d (%d rows x %d columns), %d-bit codes\n", g->rows * g->cols, g->rows,
           g->cols, g->code_bits);
    print_roms(&plan);
    printf("KV SRAM       %ld bits\n", 2L * g->kv_rows * g->ctx * g->head_dim * g->kv_bits);
    for (int pos = 0; pos < q.config.seq_len; pos = pos ? 2 * pos + 1 : 1) {
        struct hw_cycle_count n = hw_cycles(&plan, pos, true);
        printf("position %-5d %8ld cycles, array busy %2ld%%, %.0f tokens/s at %d MHz\n", pos,
               n.token, 100 * n.array_busy / n.token, r.clock_mhz * 1e6 / (double)n.token,
               r.clock_mhz);
    }
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return 0;
}
