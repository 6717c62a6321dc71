// SPDX-License-Identifier: Apache-2.0
// The verbs of the program. The exit status of each: 0 done, 1 bad input or failed check (already
// reported), 2 bad usage.
#ifndef HW_CMD_H
#define HW_CMD_H

#include "gen/cmd/pipeline.h"
#include "gen/cmd/request.h"
#include "gen/error.h"

extern const struct hw_verb HW_VERB_INSPECT, HW_VERB_QUANTIZE, HW_VERB_PLAN, HW_VERB_EMIT,
    HW_VERB_RUN, HW_VERB_SIM, HW_VERB_REPORT, HW_VERB_LAYOUT, HW_VERB_UART, HW_VERB_PATCH;

#endif
