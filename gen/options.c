// SPDX-License-Identifier: Apache-2.0
// Owns how options are read, refused, listed and written. Which options there are, the verbs say.
#include "gen/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 64, MOST_WORD = 64 };

// --- numbers

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

// --- the rows of a verb

struct row {
    const struct hw_option *option;
    size_t base; // of the struct that its offset counts from
};

static int rows_of(const struct hw_verb *verb, struct row rows[MOST_OPTIONS])
{
    int n = 0;
    for (int g = 0; g < HW_MOST_GROUPS && verb->groups[g].rows; g++)
        for (const struct hw_option *o = verb->groups[g].rows; o->name && n < MOST_OPTIONS; o++)
            rows[n++] = (struct row){o, verb->groups[g].offset};
    return n;
}

// Sets the variable of a row. False where text is no number, or out of the row's range.
static bool set(const struct hw_option *o, void *variable, const char *text)
{
    switch (o->kind) {
    case HW_FLAG:
        *(bool *)variable = text != NULL;
        return true;
    case HW_INT:
        return hw_parse_int(text ? text : "0", text ? (int)o->low : 0, (int)o->high, variable);
    case HW_REAL:
        return hw_parse_real(text ? text : "0", text ? o->low : 0.0, o->high, variable);
    case HW_TEXT:
        *(const char **)variable = text;
        return true;
    }
    return false;
}

// --- refusals

static int complain(const struct hw_verb *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int complain_with(const char *program, const char *verb, const char *format, va_list args)
{
    fprintf(stderr, "%s%s: ", program, verb);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (try: %s%s --help)\n", program, verb);
    return 2;
}

static int complain(const struct hw_verb *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain_with(verb->alone ? "" : "hardwire ", verb->name, format, args);
    va_end(args);
    return 2;
}

int hw_usage(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain_with("hardwire ", verb, format, args);
    va_end(args);
    return 2;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

// The distance of Damerau and Levenshtein in which no letter is changed twice, row by row.
int hw_slips(const char *word, const char *name)
{
    int n = (int)strlen(word), m = (int)strlen(name), allowed = 1 + m / 4;
    int row[3][MOST_WORD + 1]; // the row at hand and the two before it
    if (n > MOST_WORD || m > MOST_WORD)
        return -1;
    for (int i = 0; i <= n; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            if (i == 0) {
                now[j] = j;
                continue;
            }
            bool equal = word[i - 1] == name[j - 1];
            now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + !equal);
            if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    int slips = row[n % 3][m];
    return slips <= allowed && slips < m ? slips : -1;
}

// The name nearest to a word that is no option, or NULL.
static const char *nearest(const struct row *rows, int n, const char *word)
{
    const char *best = NULL;
    int fewest = MOST_WORD;
    for (int i = 0; i < n; i++) {
        int slips = hw_slips(word, rows[i].option->name);
        if (slips >= 0 && slips < fewest) {
            fewest = slips;
            best = rows[i].option->name;
        }
    }
    return best;
}

// given: "--word" or "--word=value", which getopt knows no single option for.
static int refuse_word(const struct hw_verb *verb, const struct row *rows, int n, const char *given)
{
    char word[MOST_WORD + 1], candidates[256] = "";
    size_t length = strcspn(given + 2, "="), used = 0;
    int matches = 0;
    if (length > MOST_WORD)
        return complain(verb, "unrecognized option '%s'", given);
    snprintf(word, sizeof word, "%.*s", (int)length, given + 2);
    for (int i = 0; i < n; i++) {
        const char *name = rows[i].option->name;
        bool again = !rows[i].option->help && strncmp(rows[i - 1].option->name, word, length) == 0;
        if (again || strncmp(name, word, length) != 0 ||
            used + strlen(name) + 5 > sizeof candidates)
            continue;
        used += (size_t)snprintf(candidates + used, sizeof candidates - used, "%s--%s",
                                 matches++ ? ", " : "", name);
    }
    if (matches > 1)
        return complain(verb, "'--%s' may be %s", word, candidates);
    const char *name = nearest(rows, n, word);
    return name ? complain(verb, "unrecognized option '--%s': did you mean --%s?", word, name)
                : complain(verb, "unrecognized option '--%s'", word);
}

static int refuse_value(const struct hw_verb *verb, const struct hw_option *o, const char *text)
{
    if (o->kind == HW_REAL)
        return complain(verb, "--%s: expected a number in %.10g..%.10g, got '%s'", o->name, o->low,
                        o->high, text);
    return complain(verb, "--%s: expected a number in %d..%d, got '%s'", o->name, (int)o->low,
                    (int)o->high, text);
}

// --- parsing

enum { FIRST_LONG = 256, HELP = FIRST_LONG + MOST_OPTIONS }; // getopt's values of long options

// What getopt_long wants to know: letters, and long options whose value is their row.
static void describe(const struct row *rows, int n, char *letters, struct option *longs)
{
    *letters++ = ':'; // getopt distinguishes a missing argument from an unknown option
    for (int i = 0; i < n; i++) {
        const struct hw_option *o = rows[i].option;
        int takes = o->kind == HW_FLAG ? no_argument : required_argument;
        int row = o->help ? i : i - 1; // another name stands for the row before it
        longs[i] = (struct option){o->name, takes, NULL, FIRST_LONG + row};
        if (o->letter)
            *letters++ = o->letter;
        if (o->letter && takes)
            *letters++ = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, HELP};
    longs[n + 1] = (struct option){0};
    *letters++ = 'h';
    *letters = '\0';
}

static int row_of(const struct row *rows, int n, int value)
{
    if (value >= FIRST_LONG)
        return value - FIRST_LONG;
    int i = 0;
    while (i < n && rows[i].option->letter != value)
        i++;
    return i;
}

// What getopt has refused: `value` is its answer, '?' or ':'.
static int refuse(const struct hw_verb *verb, const struct row *rows, int n, char **argv, int value)
{
    int row = optopt ? row_of(rows, n, optopt) : n;
    const char *given = argv[optind - 1];
    if (value == ':' && row < n)
        return complain(verb, "--%s: expected %s after it, got nothing", rows[row].option->name,
                        rows[row].option->argument);
    if (optopt >= FIRST_LONG)
        return complain(verb, "'%s': expected no value", given);
    if (optopt)
        return complain(verb, "unrecognized option '-%c'", optopt);
    return refuse_word(verb, rows, n, given);
}

int hw_options_parse(const struct hw_verb *verb, int argc, char **argv, void *request,
                     struct hw_operands *operands)
{
    struct row rows[MOST_OPTIONS];
    struct option longs[MOST_OPTIONS + 2];
    char letters[2 * MOST_OPTIONS + 4];
    int n = rows_of(verb, rows);
    describe(rows, n, letters, longs);
    for (int i = 0; i < n; i++)
        if (rows[i].option->help)
            set(rows[i].option, (char *)request + rows[i].base + rows[i].option->offset,
                rows[i].option->preset);
    optind = 0; // begin anew
    opterr = 0;
    for (int value; (value = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (value == 'h' || value == HELP)
            return hw_options_help(verb), 0;
        if (value == '?' || value == ':')
            return refuse(verb, rows, n, argv, value);
        const struct row *row = &rows[row_of(rows, n, value)];
        const char *text = row->option->kind == HW_FLAG ? "" : optarg;
        if (!set(row->option, (char *)request + row->base + row->option->offset, text))
            return refuse_value(verb, row->option, text);
    }
    *operands = (struct hw_operands){argv + optind, argc - optind};
    return -1;
}

// --- writing

// The value of a row as text; NULL where it is the preset.
static const char *value_of(const struct hw_option *o, const void *variable, char room[32])
{
    double value = 0.0, preset = 0.0;
    switch (o->kind) {
    case HW_FLAG:
        return *(const bool *)variable ? "" : NULL;
    case HW_TEXT:
        return *(const char *const *)variable;
    case HW_INT:
        value = *(const int *)variable;
        break;
    case HW_REAL:
        value = *(const double *)variable;
        break;
    }
    if (o->preset)
        hw_parse_real(o->preset, o->low, o->high, &preset);
    snprintf(room, 32, "%.17g", value);
    return value < preset || value > preset ? room : NULL;
}

int hw_options_write(const struct hw_option_group *group, const void *request, char **args,
                     int room)
{
    int n = 0;
    for (const struct hw_option *o = group->rows; o->name; o++) {
        char digits[32];
        const void *variable = (const char *)request + group->offset + o->offset;
        const char *value = o->help ? value_of(o, variable, digits) : NULL;
        if (!value)
            continue;
        size_t size = strlen(o->name) + strlen(value) + 4;
        char *arg = n < room ? malloc(size) : NULL;
        if (!arg) {
            while (n > 0)
                free(args[--n]);
            return -1;
        }
        snprintf(arg, size, o->kind == HW_FLAG ? "--%s" : "--%s=%s", o->name, value);
        args[n++] = arg;
    }
    return n;
}

// --- help

enum { HELP_WIDTH = 100, HELP_COLUMN = 24 };

// Words in lines of HELP_WIDTH, those after the first begun at HELP_COLUMN.
static void print_wrapped(const char *text, int column)
{
    for (bool first = true; *text; first = false) {
        int length = (int)strcspn(text, " ");
        if (!first && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", length, text);
        column += length;
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

// The range of a number, where it is more than "a count".
static void append_range(const struct hw_option *o, char *text, size_t size)
{
    size_t used = strlen(text);
    bool number = o->kind == HW_INT || o->kind == HW_REAL;
    if (!number || (o->low <= 1.0 && o->high >= HW_ANY_COUNT))
        return;
    if (o->high >= HW_ANY_COUNT)
        snprintf(text + used, size - used, ", from %.10g", o->low);
    else
        snprintf(text + used, size - used, ", %.10g..%.10g", o->low, o->high);
}

static void help_row(const struct hw_option *o)
{
    char head[80], text[600];
    snprintf(head, sizeof head, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    snprintf(text, sizeof text, "%s", o->help);
    append_range(o, text, sizeof text);
    const char *value = o->otherwise ? o->otherwise : o->preset;
    size_t used = strlen(text);
    if (value)
        snprintf(text + used, sizeof text - used, " (%s)", value);
    int column = (int)strlen(head);
    if (column >= HELP_COLUMN)
        printf("%s\n%*s", head, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, head);
    print_wrapped(text, HELP_COLUMN);
}

void hw_options_help(const struct hw_verb *verb)
{
    printf("%s%s %s [options]\n", verb->alone ? "" : "hardwire ", verb->name, verb->operands);
    if (verb->about)
        fputs(verb->about, stdout);
    for (int g = 0; g < HW_MOST_GROUPS && verb->groups[g].rows; g++) {
        if (verb->groups[g].title)
            printf("%s\n", verb->groups[g].title);
        for (const struct hw_option *o = verb->groups[g].rows; o->name; o++)
            if (o->help)
                help_row(o);
    }
    printf("  -h, --help            this text\n");
    if (verb->after)
        fputs(verb->after, stdout);
}
