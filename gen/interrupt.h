// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a wish to stop after the token at hand. A second one ends the program at once.
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

#endif
