// SPDX-License-Identifier: Apache-2.0
// Owns the variables of templates: those that a template is given, sets or loops over.
#include "gen/text/jinja_inside.h"

#include <string.h>

typedef struct hw_jinja_value value;

struct hw_jinja_variable *hw_jinja_find_variable(struct hw_jinja *j, struct hw_jinja_name name,
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
    struct hw_jinja_variable *known = hw_jinja_find_variable(j, name, j->scope);
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
    struct hw_jinja_variable *known = hw_jinja_find_variable(j, name, 0);
    value *old = known ? hw_jinja_member(known->value, key.at, key.len) : NULL;
    if (old) {
        *old = v;
    } else if (known && known->value.kind == HW_JINJA_DICT) {
        hw_jinja_append(j, &known->value, hw_jinja_bytes(key.at, key.len));
        hw_jinja_append(j, &known->value, v);
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
    for (int i = 0; i < n && !hw_jinja_stuck(j); i++)
        hw_jinja_set(j, name[i], n > 1 ? v.box->item[i] : v);
    j->scope = scope;
}

static void put(struct hw_jinja *j, value *dict, const char *key, value v)
{
    hw_jinja_append(j, dict, hw_jinja_literal(key));
    hw_jinja_append(j, dict, v);
}

void hw_jinja_bind_loop(struct hw_jinja *j, int i, int n)
{
    value loop = hw_jinja_box_new(j, HW_JINJA_DICT);
    put(j, &loop, "index0", hw_jinja_int(i));
    put(j, &loop, "index", hw_jinja_int(i + 1));
    put(j, &loop, "revindex", hw_jinja_int(n - i));
    put(j, &loop, "revindex0", hw_jinja_int(n - i - 1));
    put(j, &loop, "first", hw_jinja_bool(i == 0));
    put(j, &loop, "last", hw_jinja_bool(i == n - 1));
    put(j, &loop, "length", hw_jinja_int(n));
    hw_jinja_bind(j, &(struct hw_jinja_name){"loop", 4}, 1, loop);
}

static void put_messages(struct hw_jinja *j, const struct hw_conversation *c)
{
    static const char *const role[HW_N_ROLES] = {"system", "user", "assistant"};
    value list = hw_jinja_box_new(j, HW_JINJA_LIST);
    for (int i = 0; i < c->n; i++) {
        value message = hw_jinja_box_new(j, HW_JINJA_DICT);
        put(j, &message, "role", hw_jinja_literal(role[c->message[i].role]));
        put(j, &message, "content", hw_jinja_literal(c->message[i].text));
        hw_jinja_append(j, &list, message);
    }
    hw_jinja_set(j, (struct hw_jinja_name){"messages", 8}, list);
}

bool hw_jinja_begin(struct hw_jinja *j, const struct hw_conversation *c, const char *bos,
                    const char *eos)
{
    put_messages(j, c);
    hw_jinja_set(j, (struct hw_jinja_name){"add_generation_prompt", 21}, hw_jinja_bool(true));
    hw_jinja_set(j, (struct hw_jinja_name){"tools", 5}, hw_jinja_none());
    hw_jinja_set(j, (struct hw_jinja_name){"documents", 9}, hw_jinja_none());
    if (bos)
        hw_jinja_set(j, (struct hw_jinja_name){"bos_token", 9}, hw_jinja_literal(bos));
    if (eos)
        hw_jinja_set(j, (struct hw_jinja_name){"eos_token", 9}, hw_jinja_literal(eos));
    return !hw_jinja_failed(j);
}
