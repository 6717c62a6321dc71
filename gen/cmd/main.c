// SPDX-License-Identifier: Apache-2.0
// The program `hardwire`: picks the verb, whose exit status is that of the program.
#include <stdio.h>
#include <string.h>

#include "gen/cmd/cmd.h"
#include "gen/version.h"

static const struct hw_verb *const VERBS[] = {
    &HW_VERB_INSPECT, &HW_VERB_QUANTIZE, &HW_VERB_PLAN,   &HW_VERB_EMIT, &HW_VERB_RUN,
    &HW_VERB_SIM,     &HW_VERB_REPORT,   &HW_VERB_LAYOUT, &HW_VERB_UART, &HW_VERB_PATCH};
enum { N_VERBS = sizeof VERBS / sizeof VERBS[0] };

static void help(FILE *to)
{
    fprintf(to, "hardwire " HW_VERSION ": a language model as a chip\n\n");
    for (int i = 0; i < N_VERBS; i++)
        fprintf(to, "  hardwire %-8s %-32s %s\n", VERBS[i]->name, VERBS[i]->operands,
                VERBS[i]->what);
    fprintf(to, "\nhardwire help VERB lists a verb's options.\n"
                "Exit status: 0 done, 1 bad input, 2 bad usage.\n");
}

static const struct hw_verb *verb_of(const char *name)
{
    const struct hw_verb *nearest = NULL;
    int fewest = 100;
    for (int i = 0; i < N_VERBS; i++) {
        int slips = hw_slips(name, VERBS[i]->name);
        if (slips == 0)
            return VERBS[i];
        if (slips > 0 && slips < fewest) {
            fewest = slips;
            nearest = VERBS[i];
        }
    }
    if (nearest)
        fprintf(stderr, "hardwire: no verb '%s': did you mean %s? (try: hardwire --help)\n", name,
                nearest->name);
    else
        fprintf(stderr, "hardwire: no verb '%s' (try: hardwire --help)\n", name);
    return NULL;
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

// hardwire help [VERB]
static int explain(int argc, char **argv)
{
    if (argc < 2) {
        help(stdout);
        return 0;
    }
    const struct hw_verb *verb = verb_of(argv[1]);
    if (verb)
        hw_options_help(verb);
    return verb ? 0 : 2;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return 2;
    }
    if (is_one_of(argv[1], "help", "--help", "-h"))
        return explain(argc - 1, argv + 1);
    if (is_one_of(argv[1], "version", "--version", "-V")) {
        puts("hardwire " HW_VERSION);
        return 0;
    }
    const struct hw_verb *verb = verb_of(argv[1]);
    return verb ? verb->run(argc - 1, argv + 1) : 2;
}

int main(int argc, char **argv)
{
    int status = dispatch(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "hardwire: error: standard output: cannot write\n");
    return status ? status : 1;
}
