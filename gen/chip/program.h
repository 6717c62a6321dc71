// SPDX-License-Identifier: Apache-2.0
// What the RTL takes for granted about programs: nothing in the chip waits for it, so it is checked
// whenever a program is made.
#ifndef HW_PROGRAM_H
#define HW_PROGRAM_H

#include "gen/chip/plan.h"
#include "gen/error.h"

// False, and the first instruction that breaks a rule in err, where the engine would run the plan's
// program wrongly or forever. The rules stand in program.c.
bool hw_program_check(const struct hw_plan *plan, struct hw_error *err);

#endif
