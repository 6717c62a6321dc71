// SPDX-License-Identifier: Apache-2.0
// Signals set one flag, hw_stop. It is polled and never cleared: what is under way then ends in
// order. A signal that was SIG_IGN stays ignored.
#ifndef HW_INTERRUPT_H
#define HW_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

enum { HW_EXIT_INTERRUPTED = 130 };

extern volatile sig_atomic_t hw_stop;

// While text is generated: Ctrl-C sets hw_stop, a second one ends the program at once.
void hw_catch_interrupts(void);
// Whether Ctrl-C ends a read that waits for input; otherwise it goes on afterwards. No effect where
// interrupts are not caught.
void hw_interrupt_reads(bool yes);

// While a file is written, between hold and release: SIGINT, SIGTERM and SIGHUP set hw_stop, any
// number of times.
enum { HW_N_HELD = 3 };
struct hw_held_signals {
    struct sigaction before[HW_N_HELD];
};
void hw_hold_signals(struct hw_held_signals *held);
void hw_release_signals(const struct hw_held_signals *held);

#endif
