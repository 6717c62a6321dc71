// SPDX-License-Identifier: Apache-2.0
// Owns the grammar of expressions, from the innermost outwards. An expression that is not taken (A
// if B else C, and, or) is evaluated all the same: values have no effects, and what it raises is
// dropped.
#include "gen/text/jinja_inside.h"

#include <stdlib.h>
#include <string.h>

typedef struct hw_jinja_value value;

enum { MAX_STEPS = 1 << 20, MAX_DEPTH = 64 };

static value read_string(struct hw_jinja *j)
{
    char quote = *j->at++;
    char *text = hw_jinja_allocate(j, (size_t)(j->end - j->at));
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
    return hw_jinja_bytes(text ? text : "", n);
}

static value read_list(struct hw_jinja *j, const char *close)
{
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    while (!hw_jinja_operator(j, close) && !hw_jinja_stuck(j)) {
        hw_jinja_append(j, &list, hw_jinja_expression(j));
        if (!hw_jinja_operator(j, ",")) {
            hw_jinja_expect(j, close);
            break;
        }
    }
    return list;
}

static value read_dict(struct hw_jinja *j)
{
    value dict = hw_jinja_box_new(j, HW_JINJA_DICT);
    while (!hw_jinja_operator(j, "}") && !hw_jinja_stuck(j)) {
        hw_jinja_append(j, &dict, hw_jinja_expression(j));
        hw_jinja_expect(j, ":");
        hw_jinja_append(j, &dict, hw_jinja_expression(j));
        if (!hw_jinja_operator(j, ",")) {
            hw_jinja_expect(j, "}");
            break;
        }
    }
    return dict;
}

static value named(struct hw_jinja *j, struct hw_jinja_name name)
{
    static const char *const words[] = {"true", "True", "false", "False", "none", "None"};
    for (int i = 0; i < 6; i++)
        if (hw_jinja_is_name(name, words[i]))
            return i < 4 ? hw_jinja_bool(i < 2) : hw_jinja_none();
    const struct hw_jinja_variable *v = hw_jinja_find_variable(j, name, 0);
    if (!v && hw_jinja_operator(j, "(")) {
        struct hw_jinja_arguments a;
        hw_jinja_read_arguments(j, &a);
        return hw_jinja_call_function(j, name, &a);
    }
    return v ? v->value : (value){0};
}

static value primary(struct hw_jinja *j)
{
    hw_jinja_skip_space(j);
    if (j->at < j->end && (*j->at == '\'' || *j->at == '"')) {
        value v = read_string(j); // strings side by side are one
        for (hw_jinja_skip_space(j); j->at < j->end && (*j->at == '\'' || *j->at == '"');
             hw_jinja_skip_space(j))
            v = hw_jinja_concat(j, v, read_string(j));
        return v;
    }
    if (j->at < j->end && hw_jinja_is_digit(*j->at)) {
        long n = 0;
        while (j->at < j->end && hw_jinja_is_digit(*j->at) && n < 1000000)
            n = 10 * n + (*j->at++ - '0');
        if (j->at < j->end && (hw_jinja_is_digit(*j->at) || *j->at == '.'))
            hw_jinja_fail(j, "integers up to 1000000", "another number");
        return hw_jinja_int(n);
    }
    if (hw_jinja_operator(j, "[")) {
        return read_list(j, "]");
    } else if (hw_jinja_operator(j, "{")) {
        return read_dict(j);
    } else if (hw_jinja_operator(j, "(")) {
        value v = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ",")) {
            hw_jinja_expect(j, ")");
            return v;
        }
        value rest = read_list(j, ")"), list = hw_jinja_box_new(j, HW_JINJA_LIST);
        hw_jinja_append(j, &list, v);
        for (int i = 0; rest.box && i < rest.box->n; i++)
            hw_jinja_append(j, &list, rest.box->item[i]);
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
    if (v.kind == HW_JINJA_STRING && step == 1 && hw_jinja_characters(v) == v.len)
        return hw_jinja_bytes(v.text + end[0], end[1] > end[0] ? (size_t)(end[1] - end[0]) : 0);
    bool all = part[0].kind != HW_JINJA_INT && part[1].kind != HW_JINJA_INT;
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    if (v.kind != HW_JINJA_LIST || !(step == 1 || (step == -1 && all)))
        hw_jinja_fail(j, "a slice of a list", "another slice");
    for (long i = end[0]; i < end[1] && !hw_jinja_stuck(j); i++)
        hw_jinja_append(j, &list, v.box->item[step > 0 ? i : n - 1 - i]);
    return list;
}

// After "[".
static value subscript(struct hw_jinja *j, value v)
{
    value part[3] = {{0}};
    int n = 0;
    for (; n < 3 && !hw_jinja_stuck(j); n++) {
        hw_jinja_skip_space(j);
        if (j->at < j->end && *j->at != ':' && *j->at != ']')
            part[n] = hw_jinja_expression(j);
        if (!hw_jinja_operator(j, ":"))
            break;
    }
    hw_jinja_expect(j, "]");
    if (hw_jinja_stuck(j))
        return hw_jinja_none();
    if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE) {
        hw_jinja_raise(j, "an item of nothing");
        return hw_jinja_none();
    }
    if (n > 0)
        return slice(j, v, part);
    if (part[0].kind == HW_JINJA_STRING) {
        const value *found = hw_jinja_member(v, part[0].text, part[0].len);
        return found ? *found : (value){0};
    }
    long n_items = v.kind == HW_JINJA_LIST ? v.box->n : v.kind == HW_JINJA_STRING ? (long)v.len : 0;
    long at = part[0].number < 0 ? part[0].number + n_items : part[0].number;
    if (part[0].kind != HW_JINJA_INT || at < 0 || at >= n_items)
        return (value){0};
    if (v.kind == HW_JINJA_STRING && hw_jinja_characters(v) != v.len)
        hw_jinja_fail(j, "characters of ASCII to choose from", "others");
    return v.kind == HW_JINJA_LIST ? v.box->item[at] : hw_jinja_bytes(v.text + at, 1);
}

static value postfix(struct hw_jinja *j)
{
    value v = primary(j);
    while (!hw_jinja_stuck(j)) {
        if (hw_jinja_operator(j, "[")) {
            v = subscript(j, v);
        } else if (hw_jinja_operator(j, ".")) {
            struct hw_jinja_arguments a;
            struct hw_jinja_name name = hw_jinja_name(j);
            const value *found = hw_jinja_member(v, name.at, name.len);
            if (hw_jinja_operator(j, "(")) {
                hw_jinja_read_arguments(j, &a);
                v = hw_jinja_stuck(j) ? hw_jinja_none() : hw_jinja_call_method(j, v, name, &a);
                continue;
            }
            if (v.kind == HW_JINJA_UNDEFINED || v.kind == HW_JINJA_NONE)
                hw_jinja_raise(j, "a member of nothing");
            v = found ? *found : (value){0};
        } else if (hw_jinja_operator(j, "|")) {
            struct hw_jinja_arguments a = {.n = 0};
            struct hw_jinja_name name = hw_jinja_name(j);
            if (hw_jinja_operator(j, "("))
                hw_jinja_read_arguments(j, &a);
            v = hw_jinja_stuck(j) ? hw_jinja_none() : hw_jinja_filter(j, v, name, &a);
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
        return hw_jinja_int(-v.number);
    }
    return postfix(j);
}

static value product(struct hw_jinja *j)
{
    value v = unary(j);
    while (!hw_jinja_stuck(j)) {
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
            v = hw_jinja_int(op == '*'   ? v.number * w.number
                             : op == '/' ? v.number / w.number
                                         : v.number % w.number);
    }
    return v;
}

static value add(struct hw_jinja *j, value v, value w)
{
    if (v.kind == HW_JINJA_STRING && w.kind == HW_JINJA_STRING)
        return hw_jinja_concat(j, v, w);
    if (v.kind == HW_JINJA_INT && w.kind == HW_JINJA_INT)
        return hw_jinja_int((v.number + w.number) % 1000000000);
    if (v.kind != HW_JINJA_LIST || w.kind != HW_JINJA_LIST) {
        hw_jinja_raise(j, "a sum of different things");
        return hw_jinja_none();
    }
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    for (int i = 0; i < v.box->n; i++)
        hw_jinja_append(j, &list, v.box->item[i]);
    for (int i = 0; i < w.box->n; i++)
        hw_jinja_append(j, &list, w.box->item[i]);
    return list;
}

static value sum(struct hw_jinja *j)
{
    value v = product(j);
    while (!hw_jinja_stuck(j)) {
        if (hw_jinja_operator(j, "+")) {
            v = add(j, v, product(j));
        } else if (hw_jinja_operator(j, "-")) {
            value w = product(j);
            if (v.kind != HW_JINJA_INT || w.kind != HW_JINJA_INT)
                hw_jinja_raise(j, "a difference of different things");
            v = hw_jinja_int((v.number - w.number) % 1000000000);
        } else if (hw_jinja_operator(j, "~")) {
            value w = product(j);
            v = hw_jinja_concat(j, hw_jinja_string(j, v), hw_jinja_string(j, w));
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
    if (hw_jinja_is_name(name, "defined"))
        yes = v.kind != HW_JINJA_UNDEFINED;
    else if (hw_jinja_is_name(name, "undefined"))
        yes = v.kind == HW_JINJA_UNDEFINED;
    else if (hw_jinja_is_name(name, "none") || hw_jinja_is_name(name, "None"))
        yes = v.kind == HW_JINJA_NONE;
    else if (hw_jinja_is_name(name, "string"))
        yes = v.kind == HW_JINJA_STRING;
    else if (hw_jinja_is_name(name, "mapping"))
        yes = v.kind == HW_JINJA_DICT;
    else if (hw_jinja_is_name(name, "number") || hw_jinja_is_name(name, "integer"))
        yes = v.kind == HW_JINJA_INT;
    else if (hw_jinja_is_name(name, "boolean"))
        yes = v.kind == HW_JINJA_BOOL;
    else if (hw_jinja_is_name(name, "true") || hw_jinja_is_name(name, "false"))
        yes = v.kind == HW_JINJA_BOOL && v.number == hw_jinja_is_name(name, "true");
    else if (hw_jinja_is_name(name, "iterable") || hw_jinja_is_name(name, "sequence"))
        yes = v.kind >= HW_JINJA_STRING;
    else if (hw_jinja_is_name(name, "odd") || hw_jinja_is_name(name, "even"))
        yes = (v.number % 2 != 0) == hw_jinja_is_name(name, "odd");
    else if (hw_jinja_is_name(name, "equalto") || hw_jinja_is_name(name, "eq"))
        yes = hw_jinja_equal(v, postfix(j));
    else
        hw_jinja_fail(j, "a test that is known", hw_jinja_text_of(j, name));
    return hw_jinja_bool(yes != negated);
}

static value comparison(struct hw_jinja *j)
{
    value v = sum(j);
    for (const char *at; !hw_jinja_stuck(j);) {
        at = j->at;
        if (hw_jinja_operator(j, "==")) {
            v = hw_jinja_bool(hw_jinja_equal(v, sum(j)));
        } else if (hw_jinja_operator(j, "!=")) {
            v = hw_jinja_bool(!hw_jinja_equal(v, sum(j)));
        } else if (hw_jinja_operator(j, "<=")) {
            v = hw_jinja_bool(!less(j, sum(j), v));
        } else if (hw_jinja_operator(j, ">=")) {
            v = hw_jinja_bool(!less(j, v, sum(j)));
        } else if (hw_jinja_operator(j, "<")) {
            v = hw_jinja_bool(less(j, v, sum(j)));
        } else if (hw_jinja_operator(j, ">")) {
            v = hw_jinja_bool(less(j, sum(j), v));
        } else if (hw_jinja_word(j, "is")) {
            v = test(j, v);
        } else if (hw_jinja_word(j, "in")) {
            v = hw_jinja_bool(hw_jinja_contains(j, sum(j), v));
        } else if (hw_jinja_word(j, "not") && hw_jinja_word(j, "in")) {
            v = hw_jinja_bool(!hw_jinja_contains(j, sum(j), v));
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
    return any ? hw_jinja_bool(hw_jinja_truth(v) != negated) : v;
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
    while (!hw_jinja_stuck(j) && hw_jinja_word(j, "and"))
        v = both(j, v, negation, false);
    return v;
}

value hw_jinja_plain_expression(struct hw_jinja *j)
{
    if (++j->depth > MAX_DEPTH || ++j->steps > MAX_STEPS)
        hw_jinja_fail(j, "simpler expressions", "too deep or too many");
    value v = hw_jinja_stuck(j) ? hw_jinja_none() : conjunction(j);
    while (!hw_jinja_stuck(j) && hw_jinja_word(j, "or"))
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
        return hw_jinja_none();
    if (hw_jinja_word(j, "else"))
        w = hw_jinja_expression(j);
    if (taken)
        j->raised = raised;
    return taken ? v : w;
}
