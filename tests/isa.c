// SPDX-License-Identifier: Apache-2.0
// Prints the instruction set: build/isa verilog > rtl_templates/isa.vh, build/isa markdown >
// docs/isa.md; and the usual latencies: build/isa latency > rtl_templates/latency.vh.
#include "gen/chip/isa.h"
#include "gen/chip/latency.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "verilog") == 0)
        hw_isa_print_verilog(stdout);
    else if (argc == 2 && strcmp(argv[1], "markdown") == 0)
        hw_isa_print_markdown(stdout);
    else if (argc == 2 && strcmp(argv[1], "latency") == 0) {
        char text[HW_LATENCY_TEXT];
        struct hw_latency usual = {0};
        hw_latency_fill(&usual);
        hw_latency_verilog(&usual, HW_LATENCY_HEAD, text);
        fputs(text, stdout);
    } else
        return fprintf(stderr, "usage: isa verilog|markdown|latency\n"), 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
