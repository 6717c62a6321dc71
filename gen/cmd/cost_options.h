// SPDX-License-Identifier: Apache-2.0
// Options of the economics, which plan and report take.
#ifndef HW_COST_OPTIONS_H
#define HW_COST_OPTIONS_H

#include "gen/options.h"

struct hw_cost_options {
    const char *node;          // NULL: no economics
    const char *nodes;         // a nodes file; NULL: the program's
    int users, volume;         // users 0: as many as there are chips
    bool article, calibration; // print that alone
};
extern const struct hw_option HW_COST_OPTIONS[];

#endif
