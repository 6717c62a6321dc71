// SPDX-License-Identifier: Apache-2.0
// Prints the instruction set: build/isa verilog > rtl_templates/isa.vh, build/isa markdown >
// docs/isa.md.
#include "gen/chip/isa.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "verilog") == 0)
        hw_isa_print_verilog(stdout);
    else if (argc == 2 && strcmp(argv[1], "markdown") == 0)
        hw_isa_print_markdown(stdout);
    else
        return fprintf(stderr, "usage: isa verilog|markdown\n"), 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
