// SPDX-License-Identifier: Apache-2.0
#include "gen/interrupt.h"

#include <stddef.h>

volatile sig_atomic_t hw_stop;
static const int HELD[HW_N_HELD] = {SIGINT, SIGTERM, SIGHUP};

static void note(int signal)
{
    (void)signal;
    hw_stop = 1;
}

// Has `signal` set the flag from now on, unless it is ignored; what it did before is in *before.
static void catch_signal(int signal, int flags, struct sigaction *before)
{
    struct sigaction ours = {.sa_handler = note, .sa_flags = flags};
    sigemptyset(&ours.sa_mask);
    if (sigaction(signal, NULL, before) == 0 && before->sa_handler != SIG_IGN)
        sigaction(signal, &ours, NULL);
}

void hw_catch_interrupts(void)
{
    struct sigaction before;
    catch_signal(SIGINT, (int)SA_RESETHAND | SA_RESTART, &before);
}

void hw_interrupt_reads(bool yes)
{
    struct sigaction now;
    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == note)
        catch_signal(SIGINT, (int)SA_RESETHAND | (yes ? 0 : SA_RESTART), &now);
}

void hw_hold_signals(struct hw_held_signals *held)
{
    for (int i = 0; i < HW_N_HELD; i++)
        catch_signal(HELD[i], 0, &held->before[i]);
}

void hw_release_signals(const struct hw_held_signals *held)
{
    for (int i = 0; i < HW_N_HELD; i++)
        sigaction(HELD[i], &held->before[i], NULL);
}
