// SPDX-License-Identifier: Apache-2.0
// bus/ of a design: the chip on a bus, from rtl_templates/bus, and bus.vh, what the registers say
// of this design.
#ifndef HW_BUS_H
#define HW_BUS_H

#include "gen/chip/plan.h"
#include "gen/chip/verilog.h"

// Their names, for messages.
#define HW_BUSES "axi or wishbone"
bool hw_bus_known(const char *name);

// The module with the bus's ports. name: a known one.
const char *hw_bus_top(const char *name);

// Writes bus/ into *out, after fabric/ and personality/. name: a known one. templates: the folder
// that holds bus/. An error: a template that cannot be read.
void hw_bus_write(struct hw_out *out, const struct hw_plan *plan, const char *templates,
                  const char *name);

#endif
