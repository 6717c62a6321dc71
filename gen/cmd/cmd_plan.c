// SPDX-License-Identifier: Apache-2.0
// hardwire plan: what a chip will need and how fast it will be, before anything is built. Cycles
// are the exact cycle model's; what simulating it takes is an estimate.
#include <stdio.h>

#include "gen/board/boards.h"
#include "gen/chip/cycles.h"
#include "gen/chip/estimate.h"
#include "gen/cmd/cmd.h"
#include "gen/cmd/cost_request.h"
#include "gen/cmd/home.h"
#include "gen/qmodel/memory.h"
#include "gen/sheet.h"

static void print_roms(struct hw_sheet *s, const struct hw_plan *plan)
{
    long total = 0, weights = 0;
    json_t *roms = json_object();
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *rom = &plan->rom[i];
        long bits = (long)rom->width * rom->depth;
        total += bits;
        hw_sheet_line(s, NULL, "%-8s ROM  %8d words x %5d bits = %12ld bits", rom->name, rom->depth,
                      rom->width, bits);
        json_object_set_new(roms, rom->name, json_integer(bits));
    }
    for (int i = 0; i < plan->n_ranges; i++)
        weights += (long)plan->range[i].n_rows * plan->range[i].n_in;
    double each = weights ? (double)total / (double)weights : 0.0;
    hw_sheet_line(s, "ROM in all", "%ld bits, %.3f a weight", total, each);
    hw_sheet_json(s, "roms", roms);
    hw_sheet_json(s, "rom_bits", json_integer(total));
    hw_sheet_json(s, "rom_bits_per_weight", json_real(each));
    hw_sheet_json(s, "weights", json_integer(weights));
}

static void print_sram(struct hw_sheet *s, const struct hw_geometry *g)
{
    struct hw_sram sram = hw_sram(g);
    hw_sheet_line(s, "SRAM", "%ld bits of KV cache, %ld of buffers, %ld in all", sram.kv,
                  sram.buffers, sram.kv + sram.buffers);
    hw_sheet_json(s, "kv_bits", json_integer(sram.kv));
    hw_sheet_json(s, "buffer_bits", json_integer(sram.buffers));
    hw_sheet_json(s, "sram_bits", json_integer(sram.kv + sram.buffers));
}

// --- cycles

struct mean {
    double cycles, busy; // clocks a token; of them, those in which the array works
    bool exact;
};

// Over positions 0..n-1. All positions that end in the same group of att_pos take the same time.
// Walking takes a step a clock, so that of a long context some groups are visited and those between
// them are interpolated.
static struct mean mean_of(const struct hw_plan *plan, int n)
{
    enum { STEPS = 40000000 };
    int size = plan->geometry.att_pos, last = (n - 1) / size;
    long most = STEPS / hw_cycles(plan, n - 1, true).token;
    int stride = 1;
    while (last / stride + 2 > most && stride < last)
        stride *= 2;
    struct mean m = {0.0, 0.0, stride == 1};
    for (int a = 0; a <= last; a += stride) {
        int b = a + stride < last ? a + stride : last;
        struct hw_cycle_count low = hw_cycles(plan, a * size, true);
        struct hw_cycle_count high = stride > 1 ? hw_cycles(plan, b * size, true) : low;
        for (int group = a; group < a + stride && group <= last; group++) {
            double at = b > a ? (double)(group - a) / (double)(b - a) : 0.0;
            int positions = group < last ? size : n - last * size;
            m.cycles += positions * ((1.0 - at) * (double)low.token + at * (double)high.token);
            m.busy +=
                positions * ((1.0 - at) * (double)low.array_busy + at * (double)high.array_busy);
        }
    }
    m.cycles /= n;
    m.busy /= n;
    return m;
}

// Tokens a second; NULL where no clock is given.
static json_t *json_speed(double cycles, int clock_mhz)
{
    return clock_mhz > 0 ? json_real(clock_mhz * 1e6 / cycles) : NULL;
}

static void print_mean(struct hw_sheet *s, const char *name, int n, struct mean m, int clock_mhz)
{
    char speed[HW_SPEED_TEXT];
    hw_sheet_line(s, NULL, "mean of positions 0-%d: %.1f cycles, array busy %.1f%%%s%s", n - 1,
                  m.cycles, 100.0 * m.busy / m.cycles, hw_speed_text(speed, m.cycles, clock_mhz),
                  m.exact ? "" : " (some interpolated)");
    hw_sheet_json(s, name,
                  json_pack("{s:i, s:f, s:f, s:o*, s:b}", "positions", n, "cycles", m.cycles,
                            "array_busy_percent", 100.0 * m.busy / m.cycles, "tokens_per_s",
                            json_speed(m.cycles, clock_mhz), "exact", m.exact));
}

// The next position whose cycles are printed: 0, the middle, the last, and a few in between.
static int next_position(int pos, int n)
{
    const int printed[] = {255, 1023, 4095, 16383, 65535, n / 2, n - 1};
    int next = n;
    for (size_t i = 0; i < sizeof printed / sizeof printed[0]; i++)
        next = printed[i] > pos && printed[i] < next ? printed[i] : next;
    return next;
}

static void print_cycles(struct hw_sheet *s, const struct hw_plan *plan, int clock_mhz)
{
    int n = plan->model->config.seq_len;
    json_t *list = json_array();
    char speed[HW_SPEED_TEXT];
    for (int pos = 0; pos < n; pos = next_position(pos, n)) {
        struct hw_cycle_count c = hw_cycles(plan, pos, true);
        double cycles = (double)c.token;
        hw_sheet_line(s, NULL, "position %-5d %8ld cycles, array busy %2ld%%%s", pos, c.token,
                      100 * c.array_busy / c.token, hw_speed_text(speed, cycles, clock_mhz));
        json_array_append_new(list,
                              json_pack("{s:i, s:I, s:I, s:o*}", "position", pos, "cycles",
                                        (json_int_t)c.token, "array_busy", (json_int_t)c.array_busy,
                                        "tokens_per_s", json_speed(cycles, clock_mhz)));
    }
    hw_sheet_json(s, "cycles_at", list);
    int first = n < 256 ? n : 256;
    print_mean(s, "mean_first_256", first, mean_of(plan, first), clock_mhz);
    if (n > first)
        print_mean(s, "mean", n, mean_of(plan, n), clock_mhz);
    else
        hw_sheet_json(s, "mean", json_incref(json_object_get(s->root, "mean_first_256")));
}

static void print_estimate(struct hw_sheet *s, const struct hw_plan *plan)
{
    struct hw_estimate e = hw_estimate(plan);
    double clocks = (double)hw_cycles(plan, 0, true).token;
    hw_sheet_line(s, "Verilog", "%.1f MB", e.verilog_bytes / 1e6);
    hw_sheet_line(s, "Verilator", "about %.0f s of CPU and %.0f MB to compile", e.compile_s,
                  e.compile_mb);
    hw_sheet_line(s, "simulation",
                  "about %.3g tokens/s of one core, %.3g with every tap compared, "
                  "and %.0f MB",
                  e.clocks_per_s / clocks, e.clocks_per_s_taps / clocks, e.simulation_mb);
    hw_sheet_json(s, "simulation_mb", json_real(e.simulation_mb));
    hw_sheet_json(s, "verilog_bytes", json_integer((json_int_t)e.verilog_bytes));
    hw_sheet_json(s, "compile_cpu_s", json_real(e.compile_s));
    hw_sheet_json(s, "compile_mb", json_real(e.compile_mb));
    hw_sheet_json(s, "simulated_clocks_per_s", json_real(e.clocks_per_s));
    hw_sheet_json(s, "simulated_clocks_per_s_with_taps", json_real(e.clocks_per_s_taps));
}

// --- a board

static bool read_board(const struct hw_request *r, struct hw_board *board, struct hw_error *err)
{
    char path[HW_HOME_PATH];
    return hw_home_path(path, "gen/board/boards.json", err) &&
           hw_board_read(board, path, r->board, err);
}

static void print_use(struct hw_sheet *s, const char *name, const char *key, int use, int of)
{
    hw_sheet_line(s, name, "about %d of %d (%.0f%%)%s", use, of, 100.0 * use / of,
                  use > of ? ": too many" : "");
    hw_sheet_json(s, key, json_pack("[i, i]", use, of));
}

static void print_board(struct hw_sheet *s, const struct hw_board *board,
                        const struct hw_plan *plan)
{
    struct hw_board_use use = hw_board_use(board, plan);
    bool fits = hw_board_fits(board, &use);
    hw_sheet_line(s, "board", "%s: %s", board->title, fits ? "fits" : "does not fit");
    print_use(s, "logic", "board_logic", use.logic, board->logic);
    print_use(s, "block RAMs", "board_ram_blocks", use.ram_blocks, board->ram_blocks);
    print_use(s, "multipliers", "board_multipliers", use.multipliers, board->multipliers);
    double tokens = board->clock_mhz * 1e6 / mean_of(plan, plan->model->config.seq_len).cycles;
    hw_sheet_line(s, "on it", "about %.0f tokens/s at the %g MHz of %s", tokens, board->clock_mhz,
                  board->source);
    hw_sheet_json(s, "board",
                  json_pack("{s:s, s:b, s:f, s:f}", "title", board->title, "fits", fits,
                            "clock_mhz", board->clock_mhz, "tokens_per_s", tokens));
}

// --node: the economics of this very plan.
static bool print_economics(struct hw_sheet *s, struct hw_request *r, const struct hw_plan *plan,
                            struct hw_error *err)
{
    struct hw_load load;
    bool exact;
    if (!r->cost.node)
        return true;
    if (!hw_cost_load(r, plan, &load, &exact, err))
        return false;
    json_t *doc = hw_cost_document(r, &load, err);
    if (doc && !s->root)
        hw_economics_print(doc);
    if (doc)
        hw_sheet_json(s, "economics", doc);
    return doc != NULL;
}

static int plan_verb(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_error err = {0};
    struct hw_sheet s;
    struct hw_board board = {0};
    int status = hw_parse_request(&HW_VERB_PLAN, argc, argv, &r);
    if (status >= 0)
        return status;
    bool named = hw_shape_is_named(&r);
    if (r.board && (r.cost.article || r.cost.calibration || named))
        return hw_usage("plan", "--board: expected a model, or a shape by its numbers");
    if (r.cost.article || r.cost.calibration)
        return hw_cost_tables(&r);
    if (named)
        return hw_cost_shape_plan(&r);
    if (r.board && !read_board(&r, &board, &err))
        return hw_report(&err);
    if (r.board && !r.fabric)
        hw_board_default(&board, &r.geometry);
    if (!hw_cost_check(&r, &err) || !hw_prepare(&r, &q, &plan, &err)) {
        hw_board_free(&board);
        return hw_report(&err);
    }
    const struct hw_geometry *g = &plan.geometry;
    hw_sheet_open(&s, r.json);
    hw_sheet_line(&s, "lanes", "%d (%d rows x %d columns), %d-bit codes, %s", g->rows * g->cols,
                  g->rows, g->cols, g->code_bits, hw_lane_name(g->lane));
    hw_sheet_json(&s, "lane", json_string(hw_lane_name(g->lane)));
    hw_sheet_json(&s, "lanes", json_integer(g->rows * g->cols));
    hw_sheet_json(&s, "code_bits", json_integer(g->code_bits));
    if (r.clock_mhz > 0)
        hw_sheet_json(&s, "clock_mhz", json_integer(r.clock_mhz));
    print_roms(&s, &plan);
    print_sram(&s, g);
    print_cycles(&s, &plan, r.clock_mhz);
    print_estimate(&s, &plan);
    if (r.board)
        print_board(&s, &board, &plan);
    bool ok = print_economics(&s, &r, &plan, &err);
    hw_sheet_close(&s);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    hw_board_free(&board);
    return ok ? 0 : hw_report(&err);
}

static const struct hw_option OPTIONS[] = {
    {"board", 0, HW_SETS(struct hw_request, board), "NAME",
     .help = "whether it fits this board (gen/board/boards.json); sizes that are not given are "
             "those that were placed there"},
    {"clock", 0, HW_SETS(struct hw_request, clock_mhz), "MHZ", 1, HW_ANY_COUNT,
     .help = "clock at which tokens/s are stated, beside cycles"},
    {"clock-mhz", 0, HW_SETS(struct hw_request, clock_mhz), "MHZ", 1, HW_ANY_COUNT},
    {"json", 0, HW_SETS(struct hw_request, json), .help = "one JSON object"},
    {0}};

const struct hw_verb HW_VERB_PLAN = {
    .name = "plan",
    .operands = "Q.safetensors|MODEL",
    .what = "ROM bits and cycles, before anything is built",
    .about =
        "  MODEL: a checkpoint that is not quantized yet; its weights are made up (--bits: 8).\n",
    .groups = {{NULL, OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct hw_request, geometry)},
               {NULL, HW_DESIGN_OPTIONS, 0},
               {NULL, HW_SHAPE_OPTIONS, 0},
               {NULL, HW_COST_OPTIONS, offsetof(struct hw_request, cost)}},
    .run = plan_verb};
