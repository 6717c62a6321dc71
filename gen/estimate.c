// SPDX-License-Identifier: Apache-2.0
// Owns the estimates and the constants they rest on.
#include "gen/estimate.h"

#include "gen/emit.h"

struct hw_sram hw_sram(const struct hw_geometry *g)
{
    struct hw_sram s;
    s.kv = 2L * g->kv_rows * g->ctx * g->head_dim * g->kv_bits;
    s.buffers = (long)g->max_dim * g->res_bits +                                // residual
                (long)(g->max_dim + g->max_q_dim + g->max_hidden) * g->act_bits + // regions
                12L * g->max_q_dim + 2L * g->max_kv_dim * g->kv_bits +            // query, new K and V
                4L * 20 * g->ctx;                                                 // scores, four heads
    return s;
}

static int decimal_digits(long n)
{
    int digits = 1;
    for (; n >= 10; n /= 10)
        digits++;
    return digits;
}

// A line a word (emit.c: write_rom).
static double rom_bytes(const struct hw_rom *rom)
{
    double line = 12 + decimal_digits(rom->addr_bits) + 2 + decimal_digits(rom->depth) +
                  (int)sizeof ": data <= 'h;" + decimal_digits(rom->width) + (rom->width + 3) / 4;
    return line * rom->depth;
}

struct hw_estimate hw_estimate(const struct hw_plan *plan)
{
    struct hw_estimate e = {0};
    double rom_mb = 0.0;
    e.verilog_bytes = 129e3; // templates, wrappers, function tables
    for (int i = 0; i < HW_N_ROMS; i++) {
        e.verilog_bytes += rom_bytes(&plan->rom[i]);
        rom_mb += (double)plan->rom[i].width * plan->rom[i].depth / 8e6;
    }
    e.compile_s = rom_mb;
    return e;
}
