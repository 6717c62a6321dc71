// SPDX-License-Identifier: Apache-2.0
// Compares what a design writes with what the reference says it must: every tensor, every element,
// in order. Values are queued by tensor before the design makes them and taken off as it does.
#ifndef HW_MONITOR_H
#define HW_MONITOR_H

#include "gen/chip/plan.h"
#include "refmodel/ref.h"
#include "sim/dut.h"

// A tap of the reference, or the rows of a matrix slice.
enum { HW_TAP_ROWS = HW_N_TAPS, HW_N_MONITORED };

struct hw_monitor;

// NULL: out of memory. The first few mismatches are printed to stderr, all are counted.
struct hw_monitor *hw_monitor_new(const struct hw_geometry *g);
void hw_monitor_free(struct hw_monitor *m);

// The design must next write v[n] as this tensor. first: index of v[0] in the tensor, for messages.
void hw_monitor_expect(struct hw_monitor *m, int tap, int layer, int head, int first,
                       const int32_t *v, int n);
// The same for the raw copy of a RECV vector in an activation region.
void hw_monitor_expect_region(struct hw_monitor *m, enum hw_region region, const int32_t *v, int n);

void hw_monitor_event(struct hw_monitor *m, const struct dut_event *event);

// A token or step is over: nothing may be left. The next one is at position pos.
void hw_monitor_next(struct hw_monitor *m, int pos);
void hw_monitor_reset(struct hw_monitor *m); // forgets what is queued

// A mismatch that is not a tensor's, for example a wrong token.
void hw_monitor_fail(struct hw_monitor *m, long cycle, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

long hw_monitor_mismatches(const struct hw_monitor *m);
long hw_monitor_compared(const struct hw_monitor *m, int tap); // tap < 0: all

#endif
