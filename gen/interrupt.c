// SPDX-License-Identifier: Apache-2.0
#include "gen/interrupt.h"

volatile sig_atomic_t hw_interrupted;

static void note(int signal)
{
    (void)signal;
    hw_interrupted = 1;
}

void hw_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, 0); // a read that waits is interrupted, too
}
