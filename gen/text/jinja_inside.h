// SPDX-License-Identifier: Apache-2.0
// Between the files of the renderer of templates: what jinja.c does not need.
#ifndef HW_JINJA_INSIDE_H
#define HW_JINJA_INSIDE_H

#include <string.h>

#include "gen/text/jinja_value.h"

// --- values

static inline struct hw_jinja_value hw_jinja_none(void)
{
    return (struct hw_jinja_value){.kind = HW_JINJA_NONE};
}

static inline struct hw_jinja_value hw_jinja_bool(bool b)
{
    return (struct hw_jinja_value){.kind = HW_JINJA_BOOL, .number = b};
}

static inline struct hw_jinja_value hw_jinja_int(long n)
{
    return (struct hw_jinja_value){.kind = HW_JINJA_INT, .number = n};
}

static inline struct hw_jinja_value hw_jinja_bytes(const char *text, size_t len)
{
    return (struct hw_jinja_value){.kind = HW_JINJA_STRING, .text = text, .len = len};
}

static inline struct hw_jinja_value hw_jinja_literal(const char *text)
{
    return hw_jinja_bytes(text, strlen(text));
}

// Expressions are read to their end whatever they raise, which another part may drop.
// Expressions are read to their end whatever they raise, which another part may drop; nothing goes
// on where this is so.
bool hw_jinja_stuck(const struct hw_jinja *j);
// n zero bytes until hw_jinja_finish, or NULL and an error.
void *hw_jinja_allocate(struct hw_jinja *j, size_t n);
// An empty list or dict.
struct hw_jinja_value hw_jinja_box_new(struct hw_jinja *j, enum hw_jinja_kind kind);
void hw_jinja_append(struct hw_jinja *j, struct hw_jinja_value *list, struct hw_jinja_value v);
bool hw_jinja_equal(struct hw_jinja_value a, struct hw_jinja_value b);
// The value of a dict's key, or NULL.
struct hw_jinja_value *hw_jinja_member(struct hw_jinja_value v, const char *key, size_t len);
// Where a text holds another, or NULL.
const char *hw_jinja_find_text(struct hw_jinja_value v, struct hw_jinja_value part);
bool hw_jinja_contains(struct hw_jinja *j, struct hw_jinja_value all, struct hw_jinja_value one);
struct hw_jinja_value hw_jinja_concat(struct hw_jinja *j, struct hw_jinja_value a,
                                      struct hw_jinja_value b);

// --- words (jinja_scan.c)

void hw_jinja_skip_space(struct hw_jinja *j);
// Length of the word at hand, 0 where there is none.
size_t hw_jinja_word_length(struct hw_jinja *j);
bool hw_jinja_is_name(struct hw_jinja_name name, const char *text);
void hw_jinja_expect(struct hw_jinja *j, const char *op);

static inline bool hw_jinja_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// --- variables (jinja_variable.c)

struct hw_jinja_variable *hw_jinja_find_variable(struct hw_jinja *j, struct hw_jinja_name name,
                                                 int from);

// --- calls (jinja_call.c)

enum { HW_JINJA_MAX_ARGUMENTS = 8 };

struct hw_jinja_arguments {
    struct hw_jinja_value item[HW_JINJA_MAX_ARGUMENTS];
    struct hw_jinja_name name[HW_JINJA_MAX_ARGUMENTS]; // of keywords
    int n;
};

// After "(".
void hw_jinja_read_arguments(struct hw_jinja *j, struct hw_jinja_arguments *a);
struct hw_jinja_value hw_jinja_call_method(struct hw_jinja *j, struct hw_jinja_value v,
                                           struct hw_jinja_name name,
                                           const struct hw_jinja_arguments *a);
struct hw_jinja_value hw_jinja_filter(struct hw_jinja *j, struct hw_jinja_value v,
                                      struct hw_jinja_name name,
                                      const struct hw_jinja_arguments *a);
struct hw_jinja_value hw_jinja_call_function(struct hw_jinja *j, struct hw_jinja_name name,
                                             const struct hw_jinja_arguments *a);
size_t hw_jinja_characters(struct hw_jinja_value v);

#endif
