// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a wish to stop after the token at hand. A second one ends the program at once.
#ifndef HW_INTERRUPT_H
#define HW_INTERRUPT_H

#include <signal.h>

enum { HW_EXIT_INTERRUPTED = 130 };

extern volatile sig_atomic_t hw_interrupted;
void hw_catch_interrupts(void);

#endif
