// SPDX-License-Identifier: Apache-2.0
// bus/ of a design: the chip on a bus, from rtl_templates/bus, and bus.vh, what the registers say
// of this design; or the chip behind a serial line, from rtl_templates/uart.
#ifndef HW_BUS_H
#define HW_BUS_H

#include "gen/chip/emit.h"
#include "gen/uart/uart.h"

struct hw_bus {
    const char *name;
    struct hw_text_tables text; // of the serial line, and what its self-test expects
    struct hw_known_answer known;
};

// Their names, for messages.
#define HW_BUSES "axi, wishbone or uart"
bool hw_bus_known(const char *name);
// Whether it is the serial line, which speaks text: it wants a tokenizer.
bool hw_bus_speaks_text(const char *name);

// What writes bus/, after fabric/ and personality/; *bus, of a known name, must outlive it.
// templates: the folder that holds bus/ and uart/. An error: a template that cannot be read.
struct hw_wrapper hw_bus_wrapper(const struct hw_bus *bus);

#endif
