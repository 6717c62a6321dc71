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
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, 0);
}

void hw_interrupt_reads(bool yes)
{
    struct sigaction action;
    if (sigaction(SIGINT, 0, &action) != 0 || action.sa_handler != note)
        return;
    action.sa_flags = (int)SA_RESETHAND | (yes ? 0 : SA_RESTART);
    sigaction(SIGINT, &action, 0);
}
