// SPDX-License-Identifier: Apache-2.0
#include "gen/interrupt.h"

#include <stddef.h>

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

volatile sig_atomic_t hw_stop;
static const int HELD[HW_N_HELD] = {SIGINT, SIGTERM, SIGHUP};

static void note_stop(int signal)
{
    (void)signal;
    hw_stop = 1;
}

void hw_hold_signals(struct hw_held_signals *held)
{
    struct sigaction ours = {.sa_handler = note_stop};
    sigemptyset(&ours.sa_mask);
    hw_stop = 0;
    for (int i = 0; i < HW_N_HELD; i++) {
        if (sigaction(HELD[i], NULL, &held->before[i]) == 0 &&
            held->before[i].sa_handler != SIG_IGN)
            sigaction(HELD[i], &ours, NULL);
    }
}

void hw_release_signals(const struct hw_held_signals *held)
{
    for (int i = 0; i < HW_N_HELD; i++)
        sigaction(HELD[i], &held->before[i], NULL);
}
