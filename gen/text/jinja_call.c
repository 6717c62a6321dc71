// SPDX-License-Identifier: Apache-2.0
// Owns what templates may call: methods, filters, functions.
#include "gen/text/jinja_inside.h"

#include <string.h>

typedef struct hw_jinja_value value;

// After "(".
void hw_jinja_read_arguments(struct hw_jinja *j, struct hw_jinja_arguments *a)
{
    *a = (struct hw_jinja_arguments){.n = 0};
    while (!hw_jinja_operator(j, ")") && !hw_jinja_stuck(j)) {
        if (a->n == HW_JINJA_MAX_ARGUMENTS) {
            hw_jinja_fail(j, "at most 8 arguments", "more");
            return;
        }
        const char *begin = j->at;
        size_t n = hw_jinja_word_length(j);
        struct hw_jinja_name name = {j->at, n};
        j->at += n;
        if (n > 0 && hw_jinja_operator(j, "=")) {
            a->name[a->n] = name;
        } else {
            j->at = begin;
        }
        a->item[a->n++] = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ",")) {
            hw_jinja_expect(j, ")");
            return;
        }
    }
}

static bool is_stripped(char c, const struct hw_jinja_arguments *a)
{
    if (a->n == 0 || a->item[0].kind != HW_JINJA_STRING)
        return strchr(" \t\r\n\v\f\x1c\x1d\x1e\x1f", c) && c;
    return memchr(a->item[0].text, c, a->item[0].len) != NULL;
}

static value strip(value v, bool left, bool right, const struct hw_jinja_arguments *a)
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
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    for (const char *at;
         by.len > 0 && (at = hw_jinja_find_text(v, by)) != NULL && !hw_jinja_stuck(j);) {
        size_t n = (size_t)(at - v.text);
        hw_jinja_append(j, &list, hw_jinja_bytes(v.text, n));
        v = hw_jinja_bytes(at + by.len, v.len - n - by.len);
    }
    hw_jinja_append(j, &list, v);
    return list;
}

static value replace(struct hw_jinja *j, value v, value from, value to)
{
    value parts = split(j, v, from), all = hw_jinja_literal("");
    for (int i = 0; from.len > 0 && !hw_jinja_stuck(j) && i < parts.box->n; i++)
        all = hw_jinja_concat(j, i ? hw_jinja_concat(j, all, to) : all, parts.box->item[i]);
    return from.len > 0 ? all : v;
}

static value change_case(struct hw_jinja *j, value v, bool upper, bool only_first)
{
    value copy = hw_jinja_concat(j, v, hw_jinja_literal(""));
    char *text = hw_jinja_allocate(j, v.len);
    for (size_t i = 0; text && i < copy.len; i++) {
        char c = copy.text[i];
        bool up = upper && !(only_first && i > 0);
        text[i] = up && c >= 'a' && c <= 'z'    ? (char)(c - 32)
                  : !up && c >= 'A' && c <= 'Z' ? (char)(c + 32)
                                                : c;
        if ((unsigned char)c >= 0x80)
            hw_jinja_fail(j, "letters of ASCII to change the case of", "others");
    }
    return text ? hw_jinja_bytes(text, v.len) : v;
}

// What is both a method and a filter of a text. True: it is one.
static bool text_operation(struct hw_jinja *j, value *v, struct hw_jinja_name name,
                           const struct hw_jinja_arguments *a)
{
    bool texts = v->kind == HW_JINJA_STRING;
    for (int i = 0; i < a->n; i++)
        texts = texts && a->item[i].kind == HW_JINJA_STRING;
    if (!texts)
        return false;
    if ((hw_jinja_is_name(name, "strip") || hw_jinja_is_name(name, "trim")) && a->n <= 1)
        *v = strip(*v, true, true, a);
    else if (hw_jinja_is_name(name, "lstrip") && a->n <= 1)
        *v = strip(*v, true, false, a);
    else if (hw_jinja_is_name(name, "rstrip") && a->n <= 1)
        *v = strip(*v, false, true, a);
    else if (hw_jinja_is_name(name, "upper") || hw_jinja_is_name(name, "lower"))
        *v = change_case(j, *v, hw_jinja_is_name(name, "upper"), false);
    else if (hw_jinja_is_name(name, "capitalize"))
        *v = change_case(j, *v, true, true);
    else if (hw_jinja_is_name(name, "replace") && a->n == 2)
        *v = replace(j, *v, a->item[0], a->item[1]);
    else if (hw_jinja_is_name(name, "startswith") && a->n == 1)
        *v = hw_jinja_bool(a->item[0].len <= v->len &&
                           hw_jinja_equal(hw_jinja_bytes(v->text, a->item[0].len), a->item[0]));
    else if (hw_jinja_is_name(name, "endswith") && a->n == 1)
        *v = hw_jinja_bool(
            a->item[0].len <= v->len &&
            hw_jinja_equal(hw_jinja_bytes(v->text + v->len - a->item[0].len, a->item[0].len),
                           a->item[0]));
    else if (hw_jinja_is_name(name, "split") && a->n == 1)
        *v = split(j, *v, a->item[0]);
    else
        return false;
    return true;
}

static value items_of(struct hw_jinja *j, value dict)
{
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    for (int i = 0; i + 1 < dict.box->n; i += 2) {
        value pair = hw_jinja_box_new(j, HW_JINJA_LIST);
        hw_jinja_append(j, &pair, dict.box->item[i]);
        hw_jinja_append(j, &pair, dict.box->item[i + 1]);
        hw_jinja_append(j, &list, pair);
    }
    return list;
}

value hw_jinja_call_method(struct hw_jinja *j, value v, struct hw_jinja_name name,
                           const struct hw_jinja_arguments *a)
{
    if (text_operation(j, &v, name, a))
        return v;
    if (v.kind == HW_JINJA_DICT && hw_jinja_is_name(name, "get") && a->n >= 1 && a->n <= 2 &&
        a->item[0].kind == HW_JINJA_STRING) {
        const value *found = hw_jinja_member(v, a->item[0].text, a->item[0].len);
        return found ? *found : a->n == 2 ? a->item[1] : hw_jinja_none();
    }
    if (v.kind == HW_JINJA_DICT && hw_jinja_is_name(name, "items"))
        return items_of(j, v);
    if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE)
        hw_jinja_raise(j, "a method of nothing is called");
    else
        hw_jinja_fail(j, "a method that is known", hw_jinja_text_of(j, name));
    return hw_jinja_none();
}

// selectattr("role", "equalto", "user") and rejectattr.
static value select_items(struct hw_jinja *j, value v, bool select,
                          const struct hw_jinja_arguments *a)
{
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    bool by_value = a->n == 3 && (hw_jinja_equal(a->item[1], hw_jinja_literal("equalto")) ||
                                  hw_jinja_equal(a->item[1], hw_jinja_literal("eq")) ||
                                  hw_jinja_equal(a->item[1], hw_jinja_literal("==")));
    if (v.kind != HW_JINJA_LIST || !(by_value || a->n == 1) || a->item[0].kind != HW_JINJA_STRING) {
        hw_jinja_fail(j, "selectattr(NAME, \"equalto\", VALUE)", "another form of it");
        return list;
    }
    for (int i = 0; i < v.box->n; i++) {
        const value *found = hw_jinja_member(v.box->item[i], a->item[0].text, a->item[0].len);
        bool chosen =
            found && (by_value ? hw_jinja_equal(*found, a->item[2]) : hw_jinja_truth(*found));
        if (chosen == select)
            hw_jinja_append(j, &list, v.box->item[i]);
    }
    return list;
}

static value join_list(struct hw_jinja *j, value v, value by)
{
    value all = hw_jinja_literal("");
    for (int i = 0; i < v.box->n && !hw_jinja_stuck(j); i++)
        all = hw_jinja_concat(j, i ? hw_jinja_concat(j, all, by) : all,
                              hw_jinja_string(j, v.box->item[i]));
    return all;
}

size_t hw_jinja_characters(value v)
{
    size_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n += ((unsigned char)v.text[i] & 0xC0) != 0x80;
    return n;
}

value hw_jinja_filter(struct hw_jinja *j, value v, struct hw_jinja_name name,
                      const struct hw_jinja_arguments *a)
{
    bool list = v.kind == HW_JINJA_LIST, dict = v.kind == HW_JINJA_DICT;
    bool text = v.kind == HW_JINJA_STRING;
    if (hw_jinja_is_name(name, "default") || hw_jinja_is_name(name, "d")) {
        bool empty = v.kind == HW_JINJA_UNDEFINED ||
                     (a->n == 2 && hw_jinja_truth(a->item[1]) && !hw_jinja_truth(v));
        return empty ? a->n ? a->item[0] : hw_jinja_literal("") : v;
    }
    if (hw_jinja_is_name(name, "safe") || (list && hw_jinja_is_name(name, "list")))
        return v;
    if (hw_jinja_is_name(name, "string"))
        return hw_jinja_string(j, v);
    if (hw_jinja_is_name(name, "length") || hw_jinja_is_name(name, "count")) {
        if (!list && !dict && !text)
            hw_jinja_raise(j, "the length of something that has none");
        return hw_jinja_int(text   ? (long)hw_jinja_characters(v)
                            : list ? v.box->n
                            : dict ? v.box->n / 2
                                   : 0);
    }
    if (list && (hw_jinja_is_name(name, "first") || hw_jinja_is_name(name, "last")))
        return v.box->n ? v.box->item[hw_jinja_is_name(name, "first") ? 0 : v.box->n - 1]
                        : (value){0};
    if (list && hw_jinja_is_name(name, "join"))
        return join_list(j, v, a->n ? a->item[0] : hw_jinja_literal(""));
    if (dict && hw_jinja_is_name(name, "items"))
        return items_of(j, v);
    if (hw_jinja_is_name(name, "selectattr") || hw_jinja_is_name(name, "rejectattr"))
        return select_items(j, v, hw_jinja_is_name(name, "selectattr"), a);
    if (!hw_jinja_is_name(name, "startswith") && !hw_jinja_is_name(name, "endswith") &&
        !hw_jinja_is_name(name, "split") && text_operation(j, &v, name, a))
        return v;
    if (v.kind == HW_JINJA_UNDEFINED || (v.kind == HW_JINJA_NONE && hw_jinja_is_name(name, "trim")))
        hw_jinja_raise(j, "a filter of nothing");
    else
        hw_jinja_fail(j, "a filter that is known", hw_jinja_text_of(j, name));
    return hw_jinja_none();
}

value hw_jinja_call_function(struct hw_jinja *j, struct hw_jinja_name name,
                             const struct hw_jinja_arguments *a)
{
    if (hw_jinja_is_name(name, "raise_exception")) {
        value why = a->n ? hw_jinja_string(j, a->item[0]) : hw_jinja_literal("raise_exception");
        hw_jinja_raise(j, hw_jinja_text_of(j, (struct hw_jinja_name){why.text, why.len}));
    } else if (hw_jinja_is_name(name, "namespace") || hw_jinja_is_name(name, "dict")) {
        value v = hw_jinja_box_new(j, HW_JINJA_DICT);
        for (int i = 0; i < a->n; i++) {
            hw_jinja_append(j, &v, hw_jinja_bytes(a->name[i].at, a->name[i].len));
            hw_jinja_append(j, &v, a->item[i]);
            if (!a->name[i].at)
                hw_jinja_fail(j, "NAME=VALUE", "a value without a name");
        }
        return v;
    } else if (hw_jinja_is_name(name, "range") && a->n >= 1 && a->n <= 2) {
        value v = hw_jinja_box_new(j, HW_JINJA_LIST);
        for (long i = a->n == 2 ? a->item[0].number : 0; i < a->item[a->n - 1].number; i++)
            if (!hw_jinja_stuck(j))
                hw_jinja_append(j, &v, hw_jinja_int(i));
            else
                break;
        return v;
    } else {
        hw_jinja_fail(j, "a function that is known", hw_jinja_text_of(j, name));
    }
    return hw_jinja_none();
}
