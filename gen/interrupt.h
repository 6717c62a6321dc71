// SPDX-License-Identifier: Apache-2.0
// Signals set a flag that is polled. While text is generated, Ctrl-C stops after the token at hand,
// and a second one ends the program at once. While a file is written, SIGINT, SIGTERM and SIGHUP
// remove it and end the program.
#ifndef HW_INTERRUPT_H
#define HW_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

enum { HW_EXIT_INTERRUPTED = 130 };

extern volatile sig_atomic_t hw_interrupted;
void hw_catch_interrupts(void);
// Whether Ctrl-C ends a read that waits for input; otherwise it goes on afterwards. No effect where
// interrupts are not caught.
void hw_interrupt_reads(bool yes);

// Between hold and release those three only set hw_stop, which hold clears. A signal that was
// SIG_IGN stays ignored.
enum { HW_N_HELD = 3 };
struct hw_held_signals {
    struct sigaction before[HW_N_HELD];
};
extern volatile sig_atomic_t hw_stop;
void hw_hold_signals(struct hw_held_signals *held);
void hw_release_signals(const struct hw_held_signals *held);

#endif
