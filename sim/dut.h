// SPDX-License-Identifier: Apache-2.0
// A design under test, whichever simulator runs it: inputs go in as a job, what the design does
// comes out as events, in order. dut_verilator.cpp and dut_icarus.c implement it.
#ifndef HW_DUT_H
#define HW_DUT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dut_kind {
    DUT_RESET, // everything before is void; the job starts again
    DUT_START, // the engine starts a token: index = position, value = token (chip)
    DUT_DONE,  // the engine is done: value = the largest logit's index (meaningful if sampled)
    DUT_TOKEN, // chip: a token left: value, status as in chip.v, count = prompt tokens it took
    // what the engine writes: elements index, index + 1, ... in `bits`, sub as in tap_top.v
    DUT_RES,
    DUT_ACT, // sub = region, count elements are valid
    DUT_KV,  // sub = 1 for values
    DUT_Q,
    DUT_SCORE, // sub = head
    DUT_LOGIT,
    DUT_SIDE,     // where sub_norm
    DUT_AGAIN,    // chip: a sequence has ended, the same prompt follows
    DUT_SELFTEST, // chip: the self-test has ended: value = its CRC, count = clocks that it took
    DUT_N_KINDS
};

struct dut_event {
    enum dut_kind kind;
    int sub, index, count, value, status;
    long cycle;             // clocks since reset
    const uint8_t *bits;    // packed elements, the first in the low bits
    const uint8_t *unknown; // bits that are X, or NULL where the simulator has none
};

// Returns false to end the simulation.
typedef bool dut_event_fn(void *user, const struct dut_event *event);

struct dut_step { // slice: one run of its program
    int pos;
    int32_t *value; // [n_words * vec] the RECV stream
    int n_words;
};

struct dut_job {
    const int *token; // chip: the prompt
    int n_tokens;
    int stop_token, max_tokens;  // -1: none stops it; 0: no limit
    int again;                   // chip: how often the prompt is sent again after its end
    bool selftest;               // chip: a self-test comes before the prompt
    const struct dut_step *step; // slice
    int n_steps;
    int vec;
    uint32_t stall_seed; // 0: streams never pause
    long reset_at;       // 0: never; otherwise reset at this clock, once
    long hang_after;     // clocks without a finished token or step that count as hanging
    bool taps;           // report what the engine writes, too
};

enum dut_result { DUT_FINISHED, DUT_STOPPED, DUT_HUNG, DUT_BROKEN };

// design: the emitted directory. Runs the job to its end (chip: to a token with a status other than
// 0; slice: all steps). DUT_HUNG: see hang_after. DUT_BROKEN: the
// simulator cannot be run.
enum dut_result dut_run(const char *design, const struct dut_job *job, dut_event_fn *fn,
                        void *user);

extern const char *const dut_simulator; // "Verilator", "Icarus Verilog"

#ifdef __cplusplus
}
#endif

#endif
