// SPDX-License-Identifier: Apache-2.0
// Inside the renderer of templates: values, variables, expressions.
#ifndef HW_JINJA_VALUE_H
#define HW_JINJA_VALUE_H

#include <stddef.h>

#include "gen/text/chat.h"

enum { HW_JINJA_MAX_VARIABLES = 256, HW_JINJA_MAX_ITEMS = 256 };

enum hw_jinja_kind {
    HW_JINJA_UNDEFINED,
    HW_JINJA_NONE,
    HW_JINJA_BOOL,
    HW_JINJA_INT,
    HW_JINJA_STRING,
    HW_JINJA_LIST,
    HW_JINJA_DICT, // keys and values by turns
};

struct hw_jinja_box;

struct hw_jinja_value {
    enum hw_jinja_kind kind;
    long number; // of a bool too
    const char *text;
    size_t len;
    struct hw_jinja_box *box;
};

struct hw_jinja_box {
    int n, room;
    struct hw_jinja_value *item;
};

struct hw_jinja_name {
    const char *at;
    size_t len;
};

struct hw_jinja_memory; // given back at the end

struct hw_jinja {
    const char *at, *end; // of the tag that is read
    int line;
    struct hw_jinja_variable {
        struct hw_jinja_name name;
        struct hw_jinja_value value;
    } variable[HW_JINJA_MAX_VARIABLES];
    int n_variables, scope; // the first one of the innermost loop
    int depth;
    long steps;
    struct hw_jinja_memory *memory;
    size_t memory_bytes;
    char *out;
    size_t out_len, out_room;
    bool raised; // by the template
    bool broken; // by us
    char why[160];
    struct hw_error *err;
};

bool hw_jinja_begin(struct hw_jinja *j, const struct hw_conversation *c, const char *bos,
                    const char *eos);
char *hw_jinja_finish(struct hw_jinja *j, bool *raised); // the text, or NULL and an error

bool hw_jinja_failed(const struct hw_jinja *j);
void hw_jinja_fail(struct hw_jinja *j, const char *expected, const char *got);
void hw_jinja_raise(struct hw_jinja *j, const char *why); // what an untaken branch may do
void hw_jinja_write(struct hw_jinja *j, const char *text, size_t len);

// The next word or operator is this one, and is passed.
bool hw_jinja_word(struct hw_jinja *j, const char *word);
bool hw_jinja_operator(struct hw_jinja *j, const char *op);
struct hw_jinja_name hw_jinja_name(struct hw_jinja *j);
const char *hw_jinja_text_of(struct hw_jinja *j, struct hw_jinja_name name);
void hw_jinja_end(struct hw_jinja *j); // nothing may follow in the tag

struct hw_jinja_value hw_jinja_expression(struct hw_jinja *j);
struct hw_jinja_value hw_jinja_plain_expression(struct hw_jinja *j); // without A if B else C
bool hw_jinja_truth(struct hw_jinja_value v);
struct hw_jinja_value hw_jinja_string(struct hw_jinja *j,
                                      struct hw_jinja_value v); // as written out

void hw_jinja_set(struct hw_jinja *j, struct hw_jinja_name name, struct hw_jinja_value v);
void hw_jinja_set_member(struct hw_jinja *j, struct hw_jinja_name name, struct hw_jinja_name member,
                         struct hw_jinja_value v);
// One name, or several for the items of a list.
void hw_jinja_bind(struct hw_jinja *j, const struct hw_jinja_name *name, int n,
                   struct hw_jinja_value v);
void hw_jinja_bind_loop(struct hw_jinja *j, int i, int n); // the variable `loop`

#endif
