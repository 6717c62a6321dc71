// SPDX-License-Identifier: Apache-2.0
// The options of a verb as rows of a table. The parser, the help text and the arguments handed on
// to another program all come from the same rows.
#ifndef HW_OPTIONS_H
#define HW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum hw_option_kind { HW_FLAG, HW_INT, HW_REAL, HW_TEXT };

enum { HW_ANY_COUNT = 1 << 24 }; // the highest value of numbers that no hardware bounds

// The kind of a variable from its type, and where it lies in a struct.
#define HW_SETS(type, member)                                                                      \
    .kind = _Generic(((type *)0)->member,                                                          \
        bool: HW_FLAG,                                                                             \
        int: HW_INT,                                                                               \
        double: HW_REAL,                                                                           \
        const char *: HW_TEXT),                                                                    \
    .offset = offsetof(type, member)

struct hw_option {
    const char *name; // without "--"
    char letter;      // or 0
    enum hw_option_kind kind;
    size_t offset;         // of the variable that the option sets
    const char *argument;  // what the help calls its argument; NULL of a flag
    double low, high;      // of a number, both included
    const char *preset;    // its value where it is not given; NULL: 0, false or NULL
    const char *otherwise; // words of the help in place of preset, where the value follows from
                           // something else
    const char *help;      // NULL: another name of the option in the row before, not in the help
};

// Rows that set variables of one struct, which lies `offset` bytes into what the verb is asked for.
// The last row has no name.
struct hw_option_group {
    const char *title; // a line of the help above the rows, or NULL
    const struct hw_option *rows;
    size_t offset;
};

enum { HW_MOST_GROUPS = 6 };

struct hw_verb {
    const char *name;
    bool alone;                                    // a program by itself, not a verb of hardwire
    const char *operands;                          // its arguments in the help
    const char *what;                              // one line of the list of verbs
    const char *about;                             // lines of the help before the options, or NULL
    const char *after;                             // lines behind them, or NULL
    struct hw_option_group groups[HW_MOST_GROUPS]; // up to the first without rows
    int (*run)(int argc, char **argv);             // argv[0] is the verb; the exit status
};

struct hw_operands {
    char **at; // [n]
    int n;
};

// Sets every variable of *request that a row names: to its preset, then to what argv says. Returns
// -1 to go on, 0 where the help was asked for and printed, 2 where an option is wrong (reported).
int hw_options_parse(const struct hw_verb *verb, int argc, char **argv, void *request,
                     struct hw_operands *operands);

// The values of one group that differ from their presets, as "--name=value" into args[0..room-1],
// which the caller frees one by one. Returns their number, -1 where there is no room or memory.
int hw_options_write(const struct hw_option_group *group, const void *request, char **args,
                     int room);

void hw_options_help(const struct hw_verb *verb);

// Prints what is wrong with the arguments of `verb` and returns 2.
int hw_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Whether `word` may be `name` with a slip or two, and how many: letters that are missing, too
// many, wrong, or two that have changed places. -1: another word.
int hw_slips(const char *word, const char *name);

// Parses a decimal integer in low..high; false otherwise.
bool hw_parse_int(const char *text, int low, int high, int *value);
// The same of a decimal number; not a number lies in no range.
bool hw_parse_real(const char *text, double low, double high, double *value);

#endif
