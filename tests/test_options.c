// SPDX-License-Identifier: Apache-2.0
// Options: the tables of all verbs agree with themselves, every number's range is the one that its
// row says, and what is written for another program is read there as the same values.
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gen/cmd/cmd.h"
#include "refmodel/limits.h"

static const struct hw_verb *const VERBS[] = {&HW_VERB_INSPECT, &HW_VERB_QUANTIZE, &HW_VERB_PLAN,
                                              &HW_VERB_EMIT,    &HW_VERB_RUN,      &HW_VERB_SIM};
enum { N_VERBS = sizeof VERBS / sizeof VERBS[0], REQUEST_BYTES = 16384 };

// Parses argv[1..n] for a verb into zeroed memory, and keeps what it says in `said`.
static char said[4096];
static int parse(const struct hw_verb *verb, void *request, struct hw_operands *operands, int n,
                 const char *const *words)
{
    static char room[16][256];
    char *argv[18] = {room[0]};
    struct hw_operands ignored;
    snprintf(room[0], sizeof room[0], "%s", verb->name);
    for (int i = 0; i < n; i++) {
        snprintf(room[i + 1], sizeof room[0], "%s", words[i]);
        argv[i + 1] = room[i + 1];
    }
    FILE *file = tmpfile();
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    int status = hw_options_parse(verb, n + 1, argv, request, operands ? operands : &ignored);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    return status;
}

static int parse_one(const struct hw_verb *verb, void *request, const char *word)
{
    return parse(verb, request, NULL, 1, &word);
}

// The rows of the verbs, by name.
static const struct hw_option *row_of(const struct hw_verb *verb, const char *name)
{
    for (int g = 0; g < HW_MOST_GROUPS && verb->groups[g].rows; g++)
        for (const struct hw_option *o = verb->groups[g].rows; o->name; o++)
            if (strcmp(o->name, name) == 0)
                return o;
    fail_msg("%s has no --%s", verb->name, name);
    return NULL;
}

// A width is asked for in the range that the machine has it in.
static void test_widths(void **state)
{
    static const struct {
        const struct hw_verb *verb;
        const char *name;
        int low, high;
    } WIDTHS[] = {
        {&HW_VERB_QUANTIZE, "bits", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
        {&HW_VERB_QUANTIZE, "head-bits", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
        {&HW_VERB_QUANTIZE, "code-bits", HW_MIN_CODE_BITS, HW_MAX_CODE_BITS},
        {&HW_VERB_QUANTIZE, "act-bits", HW_MIN_ACT_BITS, HW_MAX_ACT_BITS},
        {&HW_VERB_QUANTIZE, "kv-bits", HW_MIN_KV_BITS, HW_MAX_KV_BITS},
        {&HW_VERB_QUANTIZE, "res-bits", HW_MIN_RES_BITS, HW_MAX_RES_BITS},
        {&HW_VERB_PLAN, "bits", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
        {&HW_VERB_PLAN, "wide-bits", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS},
        {&HW_VERB_EMIT, "code-bits", HW_MIN_CODE_BITS, HW_MAX_CODE_BITS},
    };
    for (size_t i = 0; i < sizeof WIDTHS / sizeof WIDTHS[0]; i++) {
        const struct hw_option *o = row_of(WIDTHS[i].verb, WIDTHS[i].name);
        assert_int_equal((int)o->low, WIDTHS[i].low);
        assert_int_equal((int)o->high, WIDTHS[i].high);
    }
}

static void test_tables(void **state)
{
    for (int v = 0; v < N_VERBS; v++) {
        const struct hw_option *seen[64];
        int n = 0;
        assert_non_null(VERBS[v]->run);
        assert_true(strlen(VERBS[v]->what) > 0 && strlen(VERBS[v]->operands) > 0);
        for (int g = 0; g < HW_MOST_GROUPS && VERBS[v]->groups[g].rows; g++) {
            const struct hw_option *before = NULL;
            for (const struct hw_option *o = VERBS[v]->groups[g].rows; o->name; o++) {
                assert_true((o->kind == HW_FLAG) == !o->argument);
                assert_true(o->kind == HW_TEXT || o->kind == HW_FLAG || o->low < o->high);
                if (!o->help) // another name of the row before
                    assert_true(before && before->kind == o->kind && before->offset == o->offset);
                for (int i = 0; i < n; i++) {
                    assert_string_not_equal(seen[i]->name, o->name);
                    assert_true(!o->letter || seen[i]->letter != o->letter);
                }
                assert_true(o->letter != 'h' && strcmp(o->name, "help") != 0);
                assert_true(n < 64);
                seen[n++] = before = o;
            }
        }
        for (int w = 0; w < v; w++)
            assert_string_not_equal(VERBS[w]->name, VERBS[v]->name);
    }
}

// The value of a number's row after `--name=value`; the status otherwise.
static int number(const struct hw_verb *verb, const struct hw_option_group *group,
                  const struct hw_option *o, double value, double *got)
{
    static char request[REQUEST_BYTES];
    char word[128];
    snprintf(word, sizeof word, "--%s=%.17g", o->name, value);
    int status = parse_one(verb, request, word);
    const void *variable = request + group->offset + o->offset;
    *got = o->kind == HW_INT ? *(const int *)variable : *(const double *)variable;
    return status;
}

static void test_ranges(void **state)
{
    int n = 0;
    for (int v = 0; v < N_VERBS; v++) {
        for (int g = 0; g < HW_MOST_GROUPS && VERBS[v]->groups[g].rows; g++) {
            const struct hw_option_group *group = &VERBS[v]->groups[g];
            for (const struct hw_option *o = group->rows; o->name; o++) {
                char word[128], expected[160];
                double got, step = o->kind == HW_INT ? 1.0 : o->high;
                static char request[REQUEST_BYTES];
                if (o->kind != HW_INT && o->kind != HW_REAL)
                    continue;
                assert_int_equal(number(VERBS[v], group, o, o->low, &got), -1);
                assert_true(got >= o->low && got <= o->low);
                assert_int_equal(number(VERBS[v], group, o, o->high, &got), -1);
                assert_true(got >= o->high && got <= o->high);
                assert_int_equal(number(VERBS[v], group, o, o->low - step, &got), 2);
                assert_int_equal(number(VERBS[v], group, o, o->high + step, &got), 2);
                snprintf(expected, sizeof expected, "hardwire %s: --", VERBS[v]->name);
                assert_memory_equal(said, expected, strlen(expected));
                assert_non_null(strstr(said, ": expected a number in "));
                for (int i = 0; i < 4; i++) {
                    static const char *const bad[] = {"", "x", "1x", "nan"};
                    snprintf(word, sizeof word, "--%s=%s", o->name, bad[i]);
                    assert_int_equal(parse_one(VERBS[v], request, word), 2);
                }
                if (o->preset) { // the variable's value where the option is not given
                    assert_int_equal(parse(VERBS[v], request, NULL, 0, NULL), -1);
                    const void *at = request + group->offset + o->offset;
                    got = o->kind == HW_INT ? *(const int *)at : *(const double *)at;
                    assert_true(got >= atof(o->preset) && got <= atof(o->preset));
                }
                n++;
            }
        }
    }
    assert_true(n > 50);
}

struct wish {
    bool loud;
    int count;
    double share;
    const char *name;
};
static const struct hw_option ROWS[] = {
    {"loud", 'l', HW_SETS(struct wish, loud), .help = "a flag"},
    {"count", 'n', HW_SETS(struct wish, count), "N", 2, 9, "5", .help = "a count"},
    {"number", 0, HW_SETS(struct wish, count), "N", 2, 9},
    {"share", 0, HW_SETS(struct wish, share), "X", 0.25, 1, "0.5", .help = "a share"},
    {"name", 0, HW_SETS(struct wish, name), "TEXT", .preset = "none", .help = "a text"},
    {0}};
static const struct hw_verb WISH = {
    .name = "wish", .operands = "THING", .what = "wishes", .groups = {{NULL, ROWS, 0}}};

static void test_parse(void **state)
{
    struct wish w = {true, 99, 99.0, "dirt"};
    struct hw_operands operands;
    assert_int_equal(parse(&WISH, &w, &operands, 0, NULL), -1);
    assert_true(!w.loud && w.count == 5 && w.share >= 0.5 && w.share <= 0.5 && operands.n == 0);
    assert_string_equal(w.name, "none");
    const char *const mixed[] = {"a", "-n3", "--sh", "0.75", "b", "-l", "--name=", "--", "--loud"};
    assert_int_equal(parse(&WISH, &w, &operands, 9, mixed), -1);
    assert_true(w.loud && w.count == 3 && w.share >= 0.75 && w.share <= 0.75 && operands.n == 3);
    assert_string_equal(w.name, "");
    assert_string_equal(operands.at[0], "a");
    assert_string_equal(operands.at[2], "--loud");
    const char *const twice[] = {"--count", "3", "--number", "4"};
    assert_int_equal(parse(&WISH, &w, &operands, 4, twice), -1);
    assert_int_equal(w.count, 4); // the last counts, under either name
}

static void test_refusals(void **state)
{
    static const struct {
        const char *word, *words;
    } cases[] = {
        {"--cuont=3", "hardwire wish: unrecognized option '--cuont': did you mean --count? (try: "
                      "hardwire wish --help)\n"},
        {"--nme", "unrecognized option '--nme': did you mean --name?"},
        {"--frobnicate", "unrecognized option '--frobnicate' (try:"},
        {"--n=3", "'--n' may be --number, --name (try:"},
        {"--loud=yes", "'--loud=yes': expected no value"},
        {"--count", "--count: expected N after it, got nothing"},
        {"-n", "--count: expected N after it, got nothing"},
        {"-x", "unrecognized option '-x'"},
        {"--number=1", "--count: expected a number in 2..9, got '1'"},
        {"--share=2", "--share: expected a number in 0.25..1, got '2'"},
    };
    struct wish w;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = parse_one(&WISH, &w, cases[i].word);
        assert_int_equal(status, 2);
        if (!strstr(said, cases[i].words))
            fail_msg("%s: %s", cases[i].word, said);
    }
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "--", 2);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(parse_one(&WISH, &w, longest), 2);
}

static void test_slips(void **state)
{
    assert_int_equal(hw_slips("quantize", "quantize"), 0);
    assert_int_equal(hw_slips("quantise", "quantize"), 1);
    assert_int_equal(hw_slips("qantize", "quantize"), 1);
    assert_int_equal(hw_slips("quantizee", "quantize"), 1);
    assert_int_equal(hw_slips("uqantize", "quantize"), 1); // changed places
    assert_int_equal(hw_slips("uqantise", "quantize"), 2);
    assert_int_equal(hw_slips("emit", "quantize"), -1);
    assert_int_equal(hw_slips("", "run"), -1);
    assert_int_equal(hw_slips("a", "b"), -1);
}

// What sim writes for the co-simulation, the same rows read.
static void test_write(void **state)
{
    static const struct hw_option_group groups[] = {
        {NULL, HW_ASK_OPTIONS, offsetof(struct hw_request, ask)},
        {NULL, HW_COSIM_OPTIONS, offsetof(struct hw_request, cosim)}};
    static const char *const words[] = {
        "--prompt=a \"b\" --c", "--chat",     "--count=7", "--stalls=3",
        "--reset-at",           "1073741824", "--no-taps", "--clock-mhz=250"};
    static struct hw_request one, two;
    char *args[32];
    int n = 0;
    assert_int_equal(parse(&HW_VERB_SIM, &one, NULL, 8, words), -1);
    for (int g = 0; g < 2; g++)
        n += hw_options_write(&groups[g], &one, args + n, 32 - n);
    assert_int_equal(n, 7);
    assert_string_equal(args[0], "--prompt=a \"b\" --c");
    assert_int_equal(parse(&HW_VERB_SIM, &two, NULL, n, (const char *const *)args), -1);
    assert_string_equal(one.ask.prompt, two.ask.prompt);
    one.ask.prompt = two.ask.prompt = NULL;
    assert_memory_equal(&one.ask, &two.ask, sizeof one.ask);
    assert_memory_equal(&one.cosim, &two.cosim, sizeof one.cosim);
    assert_int_equal(one.cosim.reset_at, 1 << 30);
    assert_int_equal(one.cosim.clock_mhz, 250);
    for (int i = 0; i < n; i++)
        free(args[i]);
    assert_int_equal(hw_options_write(&groups[1], &one, args, 2), -1); // no room
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_widths),
        cmocka_unit_test(test_ranges),   cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_slips),
        cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
