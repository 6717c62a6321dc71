// SPDX-License-Identifier: Apache-2.0
// The program `hardwire`: picks the verb. Nothing else prints errors or decides the exit status.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/verilog.h"
#include "gen/cmd.h"

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"inspect", "MODEL                      what is in a checkpoint", hw_cmd_inspect},
    {"quantize", "MODEL -o Q.safetensors    checkpoint to integers", hw_cmd_quantize},
    {"plan", "Q.safetensors              ROM bits and cycles, before anything is built",
     hw_cmd_plan},
    {"emit", "Q.safetensors -o DIR       Verilog: fabric and personality", hw_cmd_emit},
    {"run", "Q.safetensors -t TOK       text or perplexity from the integer reference", hw_cmd_run},
    {"sim", "Q.safetensors -t TOK -o DIR  the chip in a simulator, beside the reference",
     hw_cmd_sim},
};
enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

int hw_report(const struct hw_error *err)
{
    fprintf(stderr, "hardwire: error: %s\n", err->text);
    return 1;
}

int hw_usage(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "hardwire %s: ", verb);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (try: hardwire %s --help)\n", verb);
    va_end(args);
    return 2;
}

bool hw_parse_int(const char *text, int low, int high, int *value)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (end == text || *end || errno || v < low || v > high)
        return false;
    *value = (int)v;
    return true;
}

bool hw_parse_real(const char *text, double low, double high, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && !*end && *value >= low && *value <= high;
}

static void help(FILE *to)
{
    fprintf(to, "hardwire " HW_VERSION ": a language model as a chip\n\n");
    for (int i = 0; i < N_VERBS; i++)
        fprintf(to, "  hardwire %-9s %s\n", verbs[i].name, verbs[i].what);
    fprintf(to, "\nhardwire VERB --help tells a verb's options.\n"
                "Exit status: 0 done, 1 bad input, 2 bad usage.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("hardwire " HW_VERSION);
        return 0;
    }
    for (int i = 0; i < N_VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        int status = verbs[i].run(argc - 1, argv + 1);
        if (fflush(stdout) == 0 && !ferror(stdout))
            return status;
        fprintf(stderr, "hardwire: error: standard output: cannot write\n");
        return status ? status : 1;
    }
    fprintf(stderr, "hardwire: no verb '%s' (try: hardwire --help)\n", argv[1]);
    return 2;
}
