// SPDX-License-Identifier: Apache-2.0
// What building and simulating a planned design costs, before it is emitted: sizes by counting,
// times and memory by a model that was measured (estimate.c says on what).
#ifndef HW_ESTIMATE_H
#define HW_ESTIMATE_H

#include "gen/chip/plan.h"

// Of fabric/, about: templates, wrappers, tables of functions.
enum { HW_FABRIC_BYTES = 240000 };

struct hw_estimate {
    double verilog_bytes; // of fabric/ and personality/
    double compile_s,
        compile_mb;           // Verilator and the C++ compiler: seconds of CPU; memory at its most
    double clocks_per_s;      // of the compiled simulation, on one core, without taps
    double clocks_per_s_taps; // with every tap compared with the reference
    double simulation_mb;
};

struct hw_estimate hw_estimate(const struct hw_plan *plan);

// Bits of SRAM in the design: the KV cache, and everything else.
struct hw_sram {
    long kv, buffers;
};
struct hw_sram hw_sram(const struct hw_geometry *g);

#endif
