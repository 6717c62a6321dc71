// SPDX-License-Identifier: Apache-2.0
// Owns memory, words, variables and expressions of templates. An expression that is not taken (A if
// B else C, and, or) is evaluated all the same: values have no effects, and what it raises is
// dropped.
#include "gen/text/jinja_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct hw_jinja_value value;

enum { MAX_BYTES = 8 << 20, MAX_STEPS = 1 << 20, MAX_DEPTH = 64, MAX_OUTPUT = 1 << 20 };

struct hw_jinja_memory {
    struct hw_jinja_memory *next;
    max_align_t bytes[];
};

// --- errors, memory, output

bool hw_jinja_failed(const struct hw_jinja *j)
{
    return j->broken || j->raised || j->err->set;
}

// Expressions are read to their end whatever they raise, which another part may drop.
static bool stuck(const struct hw_jinja *j)
{
    return j->broken || j->err->set;
}

void hw_jinja_fail(struct hw_jinja *j, const char *expected, const char *got)
{
    if (!j->broken)
        snprintf(j->why, sizeof j->why, "line %d: expected %.60s, got %.40s", j->line, expected,
                 got);
    j->broken = true;
}

void hw_jinja_raise(struct hw_jinja *j, const char *why)
{
    if (!hw_jinja_failed(j))
        snprintf(j->why, sizeof j->why, "line %d: %.100s", j->line, why);
    j->raised = true;
}

static void *get_memory(struct hw_jinja *j, size_t n)
{
    struct hw_jinja_memory *m = n <= MAX_BYTES - j->memory_bytes ? malloc(sizeof *m + n + 1) : NULL;
    if (!m) {
        hw_jinja_fail(j, "less text", "more than 8 MiB, or no memory");
        return NULL;
    }
    j->memory_bytes += n;
    m->next = j->memory;
    j->memory = m;
    return memset(m->bytes, 0, n + 1);
}

void hw_jinja_write(struct hw_jinja *j, const char *text, size_t len)
{
    if (hw_jinja_failed(j) || len == 0)
        return;
    if (len > MAX_OUTPUT - j->out_len) {
        hw_jinja_fail(j, "at most 1 MiB of text", "more");
        return;
    }
    if (j->out_len + len + 1 > j->out_room) {
        size_t room = 2 * (j->out_len + len) + 256;
        char *out = realloc(j->out, room);
        if (!out) {
            hw_jinja_fail(j, "memory", "none");
            return;
        }
        j->out = out;
        j->out_room = room;
    }
    memcpy(j->out + j->out_len, text, len);
    j->out_len += len;
}

// --- values

static value none(void)
{
    return (value){.kind = HW_JINJA_NONE};
}

static value boolean(bool b)
{
    return (value){.kind = HW_JINJA_BOOL, .number = b};
}

static value integer(long n)
{
    return (value){.kind = HW_JINJA_INT, .number = n};
}

static value string(const char *text, size_t len)
{
    return (value){.kind = HW_JINJA_STRING, .text = text, .len = len};
}

static value literal(const char *text)
{
    return string(text, strlen(text));
}

static value box(struct hw_jinja *j, enum hw_jinja_kind kind)
{
    value v = {.kind = kind, .box = get_memory(j, sizeof *v.box)};
    return v.box ? v : none();
}

static void append(struct hw_jinja *j, value *list, value v)
{
    struct hw_jinja_box *b = list->box;
    if (!b || stuck(j))
        return;
    if (b->n == b->room) {
        int room = 2 * b->room + 4;
        value *item =
            room <= 2 * HW_JINJA_MAX_ITEMS ? get_memory(j, (size_t)room * sizeof *item) : NULL;
        if (!item) {
            hw_jinja_fail(j, "shorter lists", "one of more than 512 items");
            return;
        }
        if (b->n > 0)
            memcpy(item, b->item, (size_t)b->n * sizeof *item);
        b->item = item;
        b->room = room;
    }
    b->item[b->n++] = v;
}

bool hw_jinja_truth(value v)
{
    switch (v.kind) {
    case HW_JINJA_BOOL:
    case HW_JINJA_INT:
        return v.number != 0;
    case HW_JINJA_STRING:
        return v.len > 0;
    case HW_JINJA_LIST:
    case HW_JINJA_DICT:
        return v.box->n > 0;
    default:
        return false;
    }
}

value hw_jinja_string(struct hw_jinja *j, value v)
{
    char text[32];
    switch (v.kind) {
    case HW_JINJA_STRING:
        return v;
    case HW_JINJA_UNDEFINED:
        return literal("");
    case HW_JINJA_NONE:
        return literal("None");
    case HW_JINJA_BOOL:
        return literal(v.number ? "True" : "False");
    case HW_JINJA_INT: {
        int n = snprintf(text, sizeof text, "%ld", v.number);
        char *copy = get_memory(j, (size_t)n);
        return copy ? string(memcpy(copy, text, (size_t)n), (size_t)n) : literal("");
    }
    default:
        hw_jinja_fail(j, "text", "a list to write out");
        return literal("");
    }
}

static bool equal(value a, value b)
{
    bool numbers = (a.kind == HW_JINJA_BOOL || a.kind == HW_JINJA_INT) &&
                   (b.kind == HW_JINJA_BOOL || b.kind == HW_JINJA_INT);
    if (numbers)
        return a.number == b.number;
    if (a.kind != b.kind)
        return false;
    if (a.kind == HW_JINJA_STRING)
        return a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
    if (a.kind != HW_JINJA_LIST && a.kind != HW_JINJA_DICT)
        return true;
    bool same = a.box->n == b.box->n;
    for (int i = 0; same && i < a.box->n; i++)
        same = equal(a.box->item[i], b.box->item[i]);
    return same;
}

static value *member(value v, const char *key, size_t len)
{
    for (int i = 0; v.kind == HW_JINJA_DICT && i + 1 < v.box->n; i += 2)
        if (equal(v.box->item[i], string(key, len)))
            return &v.box->item[i + 1];
    return NULL;
}

static const char *find(value v, value part)
{
    for (size_t i = 0; part.len <= v.len && i <= v.len - part.len; i++)
        if (part.len == 0 || memcmp(v.text + i, part.text, part.len) == 0)
            return v.text + i;
    return NULL;
}

static bool contains(struct hw_jinja *j, value all, value one)
{
    if (all.kind == HW_JINJA_STRING && one.kind == HW_JINJA_STRING)
        return find(all, one) != NULL;
    if (all.kind != HW_JINJA_LIST && all.kind != HW_JINJA_DICT) {
        hw_jinja_raise(j, "`in` something that holds nothing");
        return false;
    }
    for (int i = 0; i < all.box->n; i += all.kind == HW_JINJA_DICT ? 2 : 1)
        if (equal(all.box->item[i], one))
            return true;
    return false;
}

static value join(struct hw_jinja *j, value a, value b)
{
    char *text = get_memory(j, a.len + b.len);
    if (!text)
        return literal("");
    if (a.len)
        memcpy(text, a.text, a.len);
    if (b.len)
        memcpy(text + a.len, b.text, b.len);
    return string(text, a.len + b.len);
}

// --- words

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct hw_jinja *j)
{
    while (j->at < j->end && strchr(" \t\r\n\v\f", *j->at))
        j->at++;
}

// Length of the word at hand, 0 where there is none.
static size_t word_length(struct hw_jinja *j)
{
    skip_space(j);
    size_t n = 0;
    if (j->at < j->end && is_letter(*j->at))
        while (j->at + n < j->end && (is_letter(j->at[n]) || is_digit(j->at[n])))
            n++;
    return n;
}

bool hw_jinja_word(struct hw_jinja *j, const char *word)
{
    size_t n = word_length(j);
    bool same = n > 0 && n == strlen(word) && memcmp(j->at, word, n) == 0;
    j->at += same ? n : 0;
    return same;
}

// "=" is not the beginning of "==", and so on.
bool hw_jinja_operator(struct hw_jinja *j, const char *op)
{
    static const char *const longer[] = {"==", "!=", "<=", ">=", "//", "**"};
    skip_space(j);
    size_t n = strlen(op), left = (size_t)(j->end - j->at);
    if (n > left || memcmp(j->at, op, n) != 0)
        return false;
    for (size_t i = 0; n == 1 && left > 1 && i < sizeof longer / sizeof longer[0]; i++)
        if (memcmp(j->at, longer[i], 2) == 0)
            return false;
    j->at += n;
    return true;
}

struct hw_jinja_name hw_jinja_name(struct hw_jinja *j)
{
    struct hw_jinja_name name = {j->at, word_length(j)};
    name.at = j->at;
    if (name.len == 0)
        hw_jinja_fail(j, "a name", "something else");
    j->at += name.len;
    return name;
}

const char *hw_jinja_text_of(struct hw_jinja *j, struct hw_jinja_name name)
{
    char *text = get_memory(j, name.len);
    return text && name.len ? memcpy(text, name.at, name.len) : "";
}

static bool is_name(struct hw_jinja_name name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.at, text, name.len) == 0;
}

void hw_jinja_end(struct hw_jinja *j)
{
    skip_space(j);
    if (j->at < j->end && !stuck(j)) {
        struct hw_jinja_name rest = {j->at, (size_t)(j->end - j->at)};
        rest.len = rest.len < 32 ? rest.len : 32;
        hw_jinja_fail(j, "the end of the tag", hw_jinja_text_of(j, rest));
    }
}

static void expect(struct hw_jinja *j, const char *op)
{
    if (!hw_jinja_operator(j, op))
        hw_jinja_fail(j, op, "something else");
}

// --- variables

static struct hw_jinja_variable *find_variable(struct hw_jinja *j, struct hw_jinja_name name,
                                               int from)
{
    for (int i = j->n_variables - 1; i >= from; i--) {
        struct hw_jinja_variable *v = &j->variable[i];
        if (v->name.len == name.len && memcmp(v->name.at, name.at, name.len) == 0)
            return v;
    }
    return NULL;
}

// In the innermost loop, as Jinja does: what a loop sets is gone after it.
void hw_jinja_set(struct hw_jinja *j, struct hw_jinja_name name, value v)
{
    struct hw_jinja_variable *known = find_variable(j, name, j->scope);
    if (known)
        known->value = v;
    else if (j->n_variables < HW_JINJA_MAX_VARIABLES)
        j->variable[j->n_variables++] = (struct hw_jinja_variable){name, v};
    else
        hw_jinja_fail(j, "at most 256 variables", "more");
}

void hw_jinja_set_member(struct hw_jinja *j, struct hw_jinja_name name, struct hw_jinja_name key,
                         value v)
{
    struct hw_jinja_variable *known = find_variable(j, name, 0);
    value *old = known ? member(known->value, key.at, key.len) : NULL;
    if (old) {
        *old = v;
    } else if (known && known->value.kind == HW_JINJA_DICT) {
        append(j, &known->value, string(key.at, key.len));
        append(j, &known->value, v);
    } else {
        hw_jinja_raise(j, "a member of something that has none is set");
    }
}

void hw_jinja_bind(struct hw_jinja *j, const struct hw_jinja_name *name, int n, value v)
{
    int scope = j->scope;
    j->scope = j->n_variables;
    if (n > 1 && (v.kind != HW_JINJA_LIST || v.box->n != n))
        hw_jinja_raise(j, "as many items as names");
    for (int i = 0; i < n && !stuck(j); i++)
        hw_jinja_set(j, name[i], n > 1 ? v.box->item[i] : v);
    j->scope = scope;
}

static void put(struct hw_jinja *j, value *dict, const char *key, value v)
{
    append(j, dict, literal(key));
    append(j, dict, v);
}

void hw_jinja_bind_loop(struct hw_jinja *j, int i, int n)
{
    value loop = box(j, HW_JINJA_DICT);
    put(j, &loop, "index0", integer(i));
    put(j, &loop, "index", integer(i + 1));
    put(j, &loop, "revindex", integer(n - i));
    put(j, &loop, "revindex0", integer(n - i - 1));
    put(j, &loop, "first", boolean(i == 0));
    put(j, &loop, "last", boolean(i == n - 1));
    put(j, &loop, "length", integer(n));
    hw_jinja_bind(j, &(struct hw_jinja_name){"loop", 4}, 1, loop);
}

// --- arguments, methods, filters

enum { MAX_ARGUMENTS = 8 };

struct arguments {
    value item[MAX_ARGUMENTS];
    struct hw_jinja_name name[MAX_ARGUMENTS]; // of keywords
    int n;
};

// After "(".
static void read_arguments(struct hw_jinja *j, struct arguments *a)
{
    *a = (struct arguments){.n = 0};
    while (!hw_jinja_operator(j, ")") && !stuck(j)) {
        if (a->n == MAX_ARGUMENTS) {
            hw_jinja_fail(j, "at most 8 arguments", "more");
            return;
        }
        const char *begin = j->at;
        size_t n = word_length(j);
        struct hw_jinja_name name = {j->at, n};
        j->at += n;
        if (n > 0 && hw_jinja_operator(j, "=")) {
            a->name[a->n] = name;
        } else {
            j->at = begin;
        }
        a->item[a->n++] = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ",")) {
            expect(j, ")");
            return;
        }
    }
}

static bool is_stripped(char c, const struct arguments *a)
{
    if (a->n == 0 || a->item[0].kind != HW_JINJA_STRING)
        return strchr(" \t\r\n\v\f\x1c\x1d\x1e\x1f", c) && c;
    return memchr(a->item[0].text, c, a->item[0].len) != NULL;
}

static value strip(value v, bool left, bool right, const struct arguments *a)
{
    while (left && v.len > 0 && is_stripped(v.text[0], a)) {
        v.text++;
        v.len--;
    }
    while (right && v.len > 0 && is_stripped(v.text[v.len - 1], a))
        v.len--;
    return v;
}

static value split(struct hw_jinja *j, value v, value by)
{
    value list = box(j, HW_JINJA_LIST);
    for (const char *at; by.len > 0 && (at = find(v, by)) != NULL && !stuck(j);) {
        size_t n = (size_t)(at - v.text);
        append(j, &list, string(v.text, n));
        v = string(at + by.len, v.len - n - by.len);
    }
    append(j, &list, v);
    return list;
}

static value replace(struct hw_jinja *j, value v, value from, value to)
{
    value parts = split(j, v, from), all = literal("");
    for (int i = 0; from.len > 0 && !stuck(j) && i < parts.box->n; i++)
        all = join(j, i ? join(j, all, to) : all, parts.box->item[i]);
    return from.len > 0 ? all : v;
}

static value change_case(struct hw_jinja *j, value v, bool upper, bool only_first)
{
    value copy = join(j, v, literal(""));
    char *text = get_memory(j, v.len);
    for (size_t i = 0; text && i < copy.len; i++) {
        char c = copy.text[i];
        bool up = upper && !(only_first && i > 0);
        text[i] = up && c >= 'a' && c <= 'z'    ? (char)(c - 32)
                  : !up && c >= 'A' && c <= 'Z' ? (char)(c + 32)
                                                : c;
        if ((unsigned char)c >= 0x80)
            hw_jinja_fail(j, "letters of ASCII to change the case of", "others");
    }
    return text ? string(text, v.len) : v;
}

// What is both a method and a filter of a text. True: it is one.
static bool text_operation(struct hw_jinja *j, value *v, struct hw_jinja_name name,
                           const struct arguments *a)
{
    bool texts = v->kind == HW_JINJA_STRING;
    for (int i = 0; i < a->n; i++)
        texts = texts && a->item[i].kind == HW_JINJA_STRING;
    if (!texts)
        return false;
    if ((is_name(name, "strip") || is_name(name, "trim")) && a->n <= 1)
        *v = strip(*v, true, true, a);
    else if (is_name(name, "lstrip") && a->n <= 1)
        *v = strip(*v, true, false, a);
    else if (is_name(name, "rstrip") && a->n <= 1)
        *v = strip(*v, false, true, a);
    else if (is_name(name, "upper") || is_name(name, "lower"))
        *v = change_case(j, *v, is_name(name, "upper"), false);
    else if (is_name(name, "capitalize"))
        *v = change_case(j, *v, true, true);
    else if (is_name(name, "replace") && a->n == 2)
        *v = replace(j, *v, a->item[0], a->item[1]);
    else if (is_name(name, "startswith") && a->n == 1)
        *v =
            boolean(a->item[0].len <= v->len && equal(string(v->text, a->item[0].len), a->item[0]));
    else if (is_name(name, "endswith") && a->n == 1)
        *v = boolean(a->item[0].len <= v->len &&
                     equal(string(v->text + v->len - a->item[0].len, a->item[0].len), a->item[0]));
    else if (is_name(name, "split") && a->n == 1)
        *v = split(j, *v, a->item[0]);
    else
        return false;
    return true;
}

static value items_of(struct hw_jinja *j, value dict)
{
    value list = box(j, HW_JINJA_LIST);
    for (int i = 0; i + 1 < dict.box->n; i += 2) {
        value pair = box(j, HW_JINJA_LIST);
        append(j, &pair, dict.box->item[i]);
        append(j, &pair, dict.box->item[i + 1]);
        append(j, &list, pair);
    }
    return list;
}

static value call_method(struct hw_jinja *j, value v, struct hw_jinja_name name,
                         const struct arguments *a)
{
    if (text_operation(j, &v, name, a))
        return v;
    if (v.kind == HW_JINJA_DICT && is_name(name, "get") && a->n >= 1 && a->n <= 2 &&
        a->item[0].kind == HW_JINJA_STRING) {
        const value *found = member(v, a->item[0].text, a->item[0].len);
        return found ? *found : a->n == 2 ? a->item[1] : none();
    }
    if (v.kind == HW_JINJA_DICT && is_name(name, "items"))
        return items_of(j, v);
    if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE)
        hw_jinja_raise(j, "a method of nothing is called");
    else
        hw_jinja_fail(j, "a method that is known", hw_jinja_text_of(j, name));
    return none();
}

// selectattr("role", "equalto", "user") and rejectattr.
static value select_items(struct hw_jinja *j, value v, bool select, const struct arguments *a)
{
    value list = box(j, HW_JINJA_LIST);
    bool by_value =
        a->n == 3 && (equal(a->item[1], literal("equalto")) || equal(a->item[1], literal("eq")) ||
                      equal(a->item[1], literal("==")));
    if (v.kind != HW_JINJA_LIST || !(by_value || a->n == 1) || a->item[0].kind != HW_JINJA_STRING) {
        hw_jinja_fail(j, "selectattr(NAME, \"equalto\", VALUE)", "another form of it");
        return list;
    }
    for (int i = 0; i < v.box->n; i++) {
        const value *found = member(v.box->item[i], a->item[0].text, a->item[0].len);
        bool chosen = found && (by_value ? equal(*found, a->item[2]) : hw_jinja_truth(*found));
        if (chosen == select)
            append(j, &list, v.box->item[i]);
    }
    return list;
}

static value join_list(struct hw_jinja *j, value v, value by)
{
    value all = literal("");
    for (int i = 0; i < v.box->n && !stuck(j); i++)
        all = join(j, i ? join(j, all, by) : all, hw_jinja_string(j, v.box->item[i]));
    return all;
}

static size_t characters(value v)
{
    size_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n += ((unsigned char)v.text[i] & 0xC0) != 0x80;
    return n;
}

static value filter(struct hw_jinja *j, value v, struct hw_jinja_name name,
                    const struct arguments *a)
{
    bool list = v.kind == HW_JINJA_LIST, dict = v.kind == HW_JINJA_DICT;
    bool text = v.kind == HW_JINJA_STRING;
    if (is_name(name, "default") || is_name(name, "d")) {
        bool empty = v.kind == HW_JINJA_UNDEFINED ||
                     (a->n == 2 && hw_jinja_truth(a->item[1]) && !hw_jinja_truth(v));
        return empty ? a->n ? a->item[0] : literal("") : v;
    }
    if (is_name(name, "safe") || (list && is_name(name, "list")))
        return v;
    if (is_name(name, "string"))
        return hw_jinja_string(j, v);
    if (is_name(name, "length") || is_name(name, "count")) {
        if (!list && !dict && !text)
            hw_jinja_raise(j, "the length of something that has none");
        return integer(text ? (long)characters(v) : list ? v.box->n : dict ? v.box->n / 2 : 0);
    }
    if (list && (is_name(name, "first") || is_name(name, "last")))
        return v.box->n ? v.box->item[is_name(name, "first") ? 0 : v.box->n - 1] : (value){0};
    if (list && is_name(name, "join"))
        return join_list(j, v, a->n ? a->item[0] : literal(""));
    if (dict && is_name(name, "items"))
        return items_of(j, v);
    if (is_name(name, "selectattr") || is_name(name, "rejectattr"))
        return select_items(j, v, is_name(name, "selectattr"), a);
    if (!is_name(name, "startswith") && !is_name(name, "endswith") && !is_name(name, "split") &&
        text_operation(j, &v, name, a))
        return v;
    if (v.kind == HW_JINJA_UNDEFINED || (v.kind == HW_JINJA_NONE && is_name(name, "trim")))
        hw_jinja_raise(j, "a filter of nothing");
    else
        hw_jinja_fail(j, "a filter that is known", hw_jinja_text_of(j, name));
    return none();
}

static value call_function(struct hw_jinja *j, struct hw_jinja_name name, const struct arguments *a)
{
    if (is_name(name, "raise_exception")) {
        value why = a->n ? hw_jinja_string(j, a->item[0]) : literal("raise_exception");
        hw_jinja_raise(j, hw_jinja_text_of(j, (struct hw_jinja_name){why.text, why.len}));
    } else if (is_name(name, "namespace") || is_name(name, "dict")) {
        value v = box(j, HW_JINJA_DICT);
        for (int i = 0; i < a->n; i++) {
            append(j, &v, string(a->name[i].at, a->name[i].len));
            append(j, &v, a->item[i]);
            if (!a->name[i].at)
                hw_jinja_fail(j, "NAME=VALUE", "a value without a name");
        }
        return v;
    } else if (is_name(name, "range") && a->n >= 1 && a->n <= 2) {
        value v = box(j, HW_JINJA_LIST);
        for (long i = a->n == 2 ? a->item[0].number : 0; i < a->item[a->n - 1].number; i++)
            if (!stuck(j))
                append(j, &v, integer(i));
            else
                break;
        return v;
    } else {
        hw_jinja_fail(j, "a function that is known", hw_jinja_text_of(j, name));
    }
    return none();
}

// --- expressions, from the innermost outwards

static value read_string(struct hw_jinja *j)
{
    char quote = *j->at++;
    char *text = get_memory(j, (size_t)(j->end - j->at));
    size_t n = 0;
    while (text && j->at < j->end && *j->at != quote) {
        char c = *j->at++;
        if (c == '\\' && j->at < j->end) {
            static const char from[] = "ntr\\'\"", to[] = "\n\t\r\\'\"";
            const char *known = strchr(from, *j->at);
            if (!known)
                hw_jinja_fail(j, "\\n, \\t, \\r, or a quoted quote", "another escape");
            c = known ? to[known - from] : c;
            j->at++;
        }
        text[n++] = c;
    }
    if (!text || j->at >= j->end)
        hw_jinja_fail(j, "the end of a string", "none");
    else
        j->at++;
    return string(text ? text : "", n);
}

static value read_list(struct hw_jinja *j, const char *close)
{
    value list = box(j, HW_JINJA_LIST);
    while (!hw_jinja_operator(j, close) && !stuck(j)) {
        append(j, &list, hw_jinja_expression(j));
        if (!hw_jinja_operator(j, ",")) {
            expect(j, close);
            break;
        }
    }
    return list;
}

static value read_dict(struct hw_jinja *j)
{
    value dict = box(j, HW_JINJA_DICT);
    while (!hw_jinja_operator(j, "}") && !stuck(j)) {
        append(j, &dict, hw_jinja_expression(j));
        expect(j, ":");
        append(j, &dict, hw_jinja_expression(j));
        if (!hw_jinja_operator(j, ",")) {
            expect(j, "}");
            break;
        }
    }
    return dict;
}

static value named(struct hw_jinja *j, struct hw_jinja_name name)
{
    static const char *const words[] = {"true", "True", "false", "False", "none", "None"};
    for (int i = 0; i < 6; i++)
        if (is_name(name, words[i]))
            return i < 4 ? boolean(i < 2) : none();
    const struct hw_jinja_variable *v = find_variable(j, name, 0);
    if (!v && hw_jinja_operator(j, "(")) {
        struct arguments a;
        read_arguments(j, &a);
        return call_function(j, name, &a);
    }
    return v ? v->value : (value){0};
}

static value primary(struct hw_jinja *j)
{
    skip_space(j);
    if (j->at < j->end && (*j->at == '\'' || *j->at == '"')) {
        value v = read_string(j); // strings side by side are one
        for (skip_space(j); j->at < j->end && (*j->at == '\'' || *j->at == '"'); skip_space(j))
            v = join(j, v, read_string(j));
        return v;
    }
    if (j->at < j->end && is_digit(*j->at)) {
        long n = 0;
        while (j->at < j->end && is_digit(*j->at) && n < 1000000)
            n = 10 * n + (*j->at++ - '0');
        if (j->at < j->end && (is_digit(*j->at) || *j->at == '.'))
            hw_jinja_fail(j, "integers up to 1000000", "another number");
        return integer(n);
    }
    if (hw_jinja_operator(j, "[")) {
        return read_list(j, "]");
    } else if (hw_jinja_operator(j, "{")) {
        return read_dict(j);
    } else if (hw_jinja_operator(j, "(")) {
        value v = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ",")) {
            expect(j, ")");
            return v;
        }
        value rest = read_list(j, ")"), list = box(j, HW_JINJA_LIST);
        append(j, &list, v);
        for (int i = 0; rest.box && i < rest.box->n; i++)
            append(j, &list, rest.box->item[i]);
        return list;
    }
    return named(j, hw_jinja_name(j));
}

// v[from:to:step] of a list or a text, each end may be left out.
static value slice(struct hw_jinja *j, value v, const value *part)
{
    long n = v.kind == HW_JINJA_LIST ? v.box->n : (long)v.len;
    long step = part[2].kind == HW_JINJA_INT ? part[2].number : 1;
    long end[2] = {0, n};
    for (int i = 0; i < 2; i++) {
        if (part[i].kind != HW_JINJA_INT)
            continue;
        end[i] = part[i].number < 0 ? part[i].number + n : part[i].number;
        end[i] = end[i] < 0 ? 0 : end[i] > n ? n : end[i];
    }
    if (v.kind == HW_JINJA_STRING && step == 1 && characters(v) == v.len)
        return string(v.text + end[0], end[1] > end[0] ? (size_t)(end[1] - end[0]) : 0);
    bool all = part[0].kind != HW_JINJA_INT && part[1].kind != HW_JINJA_INT;
    value list = box(j, HW_JINJA_LIST);
    if (v.kind != HW_JINJA_LIST || !(step == 1 || (step == -1 && all)))
        hw_jinja_fail(j, "a slice of a list", "another slice");
    for (long i = end[0]; i < end[1] && !stuck(j); i++)
        append(j, &list, v.box->item[step > 0 ? i : n - 1 - i]);
    return list;
}

// After "[".
static value subscript(struct hw_jinja *j, value v)
{
    value part[3] = {{0}};
    int n = 0;
    for (; n < 3 && !stuck(j); n++) {
        skip_space(j);
        if (j->at < j->end && *j->at != ':' && *j->at != ']')
            part[n] = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ":"))
            break;
    }
    expect(j, "]");
    if (stuck(j))
        return none();
    if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE) {
        hw_jinja_raise(j, "an item of nothing");
        return none();
    }
    if (n > 0)
        return slice(j, v, part);
    if (part[0].kind == HW_JINJA_STRING) {
        const value *found = member(v, part[0].text, part[0].len);
        return found ? *found : (value){0};
    }
    long n_items = v.kind == HW_JINJA_LIST ? v.box->n : v.kind == HW_JINJA_STRING ? (long)v.len : 0;
    long at = part[0].number < 0 ? part[0].number + n_items : part[0].number;
    if (part[0].kind != HW_JINJA_INT || at < 0 || at >= n_items)
        return (value){0};
    if (v.kind == HW_JINJA_STRING && characters(v) != v.len)
        hw_jinja_fail(j, "characters of ASCII to choose from", "others");
    return v.kind == HW_JINJA_LIST ? v.box->item[at] : string(v.text + at, 1);
}

static value postfix(struct hw_jinja *j)
{
    value v = primary(j);
    while (!stuck(j)) {
        if (hw_jinja_operator(j, "[")) {
            v = subscript(j, v);
        } else if (hw_jinja_operator(j, ".")) {
            struct arguments a;
            struct hw_jinja_name name = hw_jinja_name(j);
            const value *found = member(v, name.at, name.len);
            if (hw_jinja_operator(j, "(")) {
                read_arguments(j, &a);
                v = stuck(j) ? none() : call_method(j, v, name, &a);
                continue;
            }
            if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE)
                hw_jinja_raise(j, "a member of nothing");
            v = found ? *found : (value){0};
        } else if (hw_jinja_operator(j, "|")) {
            struct arguments a = {.n = 0};
            struct hw_jinja_name name = hw_jinja_name(j);
            if (hw_jinja_operator(j, "("))
                read_arguments(j, &a);
            v = stuck(j) ? none() : filter(j, v, name, &a);
        } else {
            break;
        }
    }
    return v;
}

static value unary(struct hw_jinja *j)
{
    if (hw_jinja_operator(j, "-")) {
        value v = postfix(j);
        return integer(-v.number);
    }
    return postfix(j);
}

static value product(struct hw_jinja *j)
{
    value v = unary(j);
    while (!stuck(j)) {
        char op = hw_jinja_operator(j, "*")    ? '*'
                  : hw_jinja_operator(j, "//") ? '/'
                  : hw_jinja_operator(j, "%")  ? '%'
                                               : '\0';
        if (!op)
            break;
        value w = unary(j);
        bool numbers = v.kind == HW_JINJA_INT && w.kind == HW_JINJA_INT;
        bool small = labs(v.number) <= 1000000 && labs(w.number) <= 1000000;
        if (!numbers || !small || v.number < 0 || w.number < 0 || (op != '*' && w.number == 0))
            hw_jinja_fail(j, "small integers to multiply or divide", "something else");
        else
            v = integer(op == '*'   ? v.number * w.number
                        : op == '/' ? v.number / w.number
                                    : v.number % w.number);
    }
    return v;
}

static value add(struct hw_jinja *j, value v, value w)
{
    if (v.kind == HW_JINJA_STRING && w.kind == HW_JINJA_STRING)
        return join(j, v, w);
    if (v.kind == HW_JINJA_INT && w.kind == HW_JINJA_INT)
        return integer((v.number + w.number) % 1000000000);
    if (v.kind != HW_JINJA_LIST || w.kind != HW_JINJA_LIST) {
        hw_jinja_raise(j, "a sum of different things");
        return none();
    }
    value list = box(j, HW_JINJA_LIST);
    for (int i = 0; i < v.box->n; i++)
        append(j, &list, v.box->item[i]);
    for (int i = 0; i < w.box->n; i++)
        append(j, &list, w.box->item[i]);
    return list;
}

static value sum(struct hw_jinja *j)
{
    value v = product(j);
    while (!stuck(j)) {
        if (hw_jinja_operator(j, "+")) {
            v = add(j, v, product(j));
        } else if (hw_jinja_operator(j, "-")) {
            value w = product(j);
            if (v.kind != HW_JINJA_INT || w.kind != HW_JINJA_INT)
                hw_jinja_raise(j, "a difference of different things");
            v = integer((v.number - w.number) % 1000000000);
        } else if (hw_jinja_operator(j, "~")) {
            value w = product(j);
            v = join(j, hw_jinja_string(j, v), hw_jinja_string(j, w));
        } else {
            break;
        }
    }
    return v;
}

static bool less(struct hw_jinja *j, value v, value w)
{
    if (v.kind != HW_JINJA_INT || w.kind != HW_JINJA_INT)
        hw_jinja_raise(j, "a comparison of what has no order");
    return v.number < w.number;
}

// After "is".
static value test(struct hw_jinja *j, value v)
{
    bool negated = hw_jinja_word(j, "not"), yes = false;
    struct hw_jinja_name name = hw_jinja_name(j);
    if (is_name(name, "defined"))
        yes = v.kind != HW_JINJA_UNDEFINED;
    else if (is_name(name, "undefined"))
        yes = v.kind == HW_JINJA_UNDEFINED;
    else if (is_name(name, "none") || is_name(name, "None"))
        yes = v.kind == HW_JINJA_NONE;
    else if (is_name(name, "string"))
        yes = v.kind == HW_JINJA_STRING;
    else if (is_name(name, "mapping"))
        yes = v.kind == HW_JINJA_DICT;
    else if (is_name(name, "number") || is_name(name, "integer"))
        yes = v.kind == HW_JINJA_INT;
    else if (is_name(name, "boolean"))
        yes = v.kind == HW_JINJA_BOOL;
    else if (is_name(name, "true") || is_name(name, "false"))
        yes = v.kind == HW_JINJA_BOOL && v.number == is_name(name, "true");
    else if (is_name(name, "iterable") || is_name(name, "sequence"))
        yes = v.kind >= HW_JINJA_STRING;
    else if (is_name(name, "odd") || is_name(name, "even"))
        yes = (v.number % 2 != 0) == is_name(name, "odd");
    else if (is_name(name, "equalto") || is_name(name, "eq"))
        yes = equal(v, postfix(j));
    else
        hw_jinja_fail(j, "a test that is known", hw_jinja_text_of(j, name));
    return boolean(yes != negated);
}

static value comparison(struct hw_jinja *j)
{
    value v = sum(j);
    for (const char *at; !stuck(j);) {
        at = j->at;
        if (hw_jinja_operator(j, "==")) {
            v = boolean(equal(v, sum(j)));
        } else if (hw_jinja_operator(j, "!=")) {
            v = boolean(!equal(v, sum(j)));
        } else if (hw_jinja_operator(j, "<=")) {
            v = boolean(!less(j, sum(j), v));
        } else if (hw_jinja_operator(j, ">=")) {
            v = boolean(!less(j, v, sum(j)));
        } else if (hw_jinja_operator(j, "<")) {
            v = boolean(less(j, v, sum(j)));
        } else if (hw_jinja_operator(j, ">")) {
            v = boolean(less(j, sum(j), v));
        } else if (hw_jinja_word(j, "is")) {
            v = test(j, v);
        } else if (hw_jinja_word(j, "in")) {
            v = boolean(contains(j, sum(j), v));
        } else if (hw_jinja_word(j, "not") && hw_jinja_word(j, "in")) {
            v = boolean(!contains(j, sum(j), v));
        } else {
            j->at = at;
            break;
        }
    }
    return v;
}

static value negation(struct hw_jinja *j)
{
    bool negated = false, any = false;
    while (hw_jinja_word(j, "not")) {
        negated = !negated;
        any = true;
    }
    value v = comparison(j);
    return any ? boolean(hw_jinja_truth(v) != negated) : v;
}

// What the second side of `and` and `or` raises is dropped where the first one decides.
static value both(struct hw_jinja *j, value v, value (*side)(struct hw_jinja *), bool decides)
{
    bool decided = hw_jinja_truth(v) == decides, raised = j->raised;
    value w = side(j);
    if (!decided)
        return w;
    j->raised = raised;
    return v;
}

static value conjunction(struct hw_jinja *j)
{
    value v = negation(j);
    while (!stuck(j) && hw_jinja_word(j, "and"))
        v = both(j, v, negation, false);
    return v;
}

value hw_jinja_plain_expression(struct hw_jinja *j)
{
    if (++j->depth > MAX_DEPTH || ++j->steps > MAX_STEPS)
        hw_jinja_fail(j, "simpler expressions", "too deep or too many");
    value v = stuck(j) ? none() : conjunction(j);
    while (!stuck(j) && hw_jinja_word(j, "or"))
        v = both(j, v, conjunction, true);
    j->depth--;
    return v;
}

value hw_jinja_expression(struct hw_jinja *j)
{
    bool before = j->raised;
    value v = hw_jinja_plain_expression(j), w = {0};
    bool raised = j->raised;
    // what was raised does not stop the parser from finding the condition
    j->raised = before;
    if (j->broken || !hw_jinja_word(j, "if")) {
        j->raised = raised;
        return v;
    }
    bool taken = hw_jinja_truth(hw_jinja_plain_expression(j));
    if (j->raised || j->broken)
        return none();
    if (hw_jinja_word(j, "else"))
        w = hw_jinja_expression(j);
    if (taken)
        j->raised = raised;
    return taken ? v : w;
}

// --- the whole

static void put_messages(struct hw_jinja *j, const struct hw_conversation *c)
{
    static const char *const role[HW_N_ROLES] = {"system", "user", "assistant"};
    value list = box(j, HW_JINJA_LIST);
    for (int i = 0; i < c->n; i++) {
        value message = box(j, HW_JINJA_DICT);
        put(j, &message, "role", literal(role[c->message[i].role]));
        put(j, &message, "content", literal(c->message[i].text));
        append(j, &list, message);
    }
    hw_jinja_set(j, (struct hw_jinja_name){"messages", 8}, list);
}

bool hw_jinja_begin(struct hw_jinja *j, const struct hw_conversation *c, const char *bos,
                    const char *eos)
{
    put_messages(j, c);
    hw_jinja_set(j, (struct hw_jinja_name){"add_generation_prompt", 21}, boolean(true));
    hw_jinja_set(j, (struct hw_jinja_name){"tools", 5}, none());
    hw_jinja_set(j, (struct hw_jinja_name){"documents", 9}, none());
    if (bos)
        hw_jinja_set(j, (struct hw_jinja_name){"bos_token", 9}, literal(bos));
    if (eos)
        hw_jinja_set(j, (struct hw_jinja_name){"eos_token", 9}, literal(eos));
    return !hw_jinja_failed(j);
}

char *hw_jinja_finish(struct hw_jinja *j, bool *raised)
{
    *raised = j->raised && !j->broken;
    if (j->broken || j->raised)
        hw_fail(j->err, "%s", j->why);
    for (struct hw_jinja_memory *m = j->memory, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    char *out = j->out ? j->out : calloc(1, 1);
    if (!out)
        hw_fail(j->err, "chat template: out of memory");
    if (out)
        out[j->out_len] = '\0';
    if (!j->err->set)
        return out;
    free(out);
    return NULL;
}
