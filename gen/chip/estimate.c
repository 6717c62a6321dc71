// SPDX-License-Identifier: Apache-2.0
// Owns the estimates and the constants they rest on.
#include "gen/chip/estimate.h"

#include "gen/chip/banks.h"
#include "gen/chip/bits.h"
#include "gen/chip/memories.h"

struct hw_sram hw_sram(const struct hw_geometry *g)
{
    struct hw_sram s;
    s.kv = 2L * g->kv_rows * g->kv_ctx * g->head_dim * g->kv_bits;
    s.buffers = (long)g->max_dim * g->res_bits +                                  // residual
                (long)(g->max_dim + g->max_q_dim + g->max_hidden) * g->act_bits + // regions
                12L * g->max_q_dim + 2L * g->max_kv_dim * g->kv_bits + // query, new K and V
                20L * hw_score_heads(g) * g->ctx;                      // scores
    s.buffers +=
        (long)HW_DIVIDED_HEADS * g->head_dim * (HW_EXP2_SUM_BITS + g->kv_bits + hw_log2_up(g->ctx));
    if (g->sub_norm) // the side buffer
        s.buffers +=
            (long)(g->max_hidden > g->max_q_dim ? g->max_hidden : g->max_q_dim) * g->res_bits;
    return s;
}

// Measured with Verilator 5.006, gcc 12 and sim/build on designs of 256 to 2,048 lanes, 128 to
// 1,024 attention multipliers and 0.1 to 4.2 MB of ROM; these lie within a third of each. Seconds
// are CPU's.
#define COMPILE_S 15.0           // of any design
#define COMPILE_S_PER_LANE 0.031 // array lane or attention multiplier
#define COMPILE_S_PER_MB 6.5     // of ROM
#define COMPILE_MB 250.0
#define COMPILE_MB_PER_MB 62.0
#define GROUPED_BYTES 4e7 // of Verilog: from here on sim/build compiles group by group
// One such design was measured, SmolLM2-135M with 135 MB. A clock reads every group, at address 0
// where it rests.
#define GROUPED_S_PER_MB 5.4
#define GROUPED_MB 900.0 // two compilers side by side
#define GROUPED_CLOCK_US_PER_MB 0.88
#define CLOCK_US 0.4 // of any design
#define CLOCK_US_PER_LANE 0.0013
#define CLOCK_US_PER_ATT 0.003 // attention multiplier
#define TAPS_SHARE 1.07        // time with all taps over that without
#define SIMULATION_MB 5.0

struct hw_estimate hw_estimate(const struct hw_plan *plan)
{
    const struct hw_geometry *g = &plan->geometry;
    const struct hw_config *c = &plan->model->config;
    struct hw_estimate e = {.verilog_bytes = HW_FABRIC_BYTES};
    double rom_mb = 0.0, weights_mb = 0.0;
    double lanes = g->rows * g->cols, att = g->att_pos * g->head_dim;
    for (int i = 0; i < HW_N_ROMS; i++) {
        e.verilog_bytes += (double)hw_rom_size(g, &plan->rom[i]).bytes;
        rom_mb += (double)plan->rom[i].width * plan->rom[i].depth / 8e6;
    }
    for (int i = 0; i < plan->n_ranges; i++)
        weights_mb += (double)plan->range[i].n_rows * plan->range[i].n_in *
                      (plan->range[i].n_planes + 2) / 1e6; // as the reference holds them
    bool grouped = e.verilog_bytes > GROUPED_BYTES;
    e.compile_s = COMPILE_S + COMPILE_S_PER_LANE * (lanes + att) +
                  (grouped ? GROUPED_S_PER_MB : COMPILE_S_PER_MB) * rom_mb;
    e.compile_mb = grouped ? GROUPED_MB : COMPILE_MB + COMPILE_MB_PER_MB * rom_mb;
    e.clocks_per_s = 1e6 / (CLOCK_US + CLOCK_US_PER_LANE * lanes + CLOCK_US_PER_ATT * att +
                            (grouped ? GROUPED_CLOCK_US_PER_MB * rom_mb : 0.0));
    e.clocks_per_s_taps = e.clocks_per_s / TAPS_SHARE;
    double kv_mb = 4e-6 * c->n_layers * c->seq_len * c->n_kv_heads * c->head_dim; // the reference's
    e.simulation_mb = SIMULATION_MB + 2 * rom_mb + weights_mb + kv_mb + (double)hw_sram(g).kv / 8e6;
    return e;
}
