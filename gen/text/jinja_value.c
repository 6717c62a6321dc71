// SPDX-License-Identifier: Apache-2.0
// Owns values of templates, their memory, what is printed and what goes wrong.
#include "gen/text/jinja_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct hw_jinja_value value;

enum { MAX_BYTES = 8 << 20, MAX_OUTPUT = 1 << 20 };

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
bool hw_jinja_stuck(const struct hw_jinja *j)
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

void *hw_jinja_allocate(struct hw_jinja *j, size_t n)
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

// --- values

value hw_jinja_box_new(struct hw_jinja *j, enum hw_jinja_kind kind)
{
    value v = {.kind = kind, .box = hw_jinja_allocate(j, sizeof *v.box)};
    return v.box ? v : hw_jinja_none();
}

void hw_jinja_append(struct hw_jinja *j, value *list, value v)
{
    struct hw_jinja_box *b = list->box;
    if (!b || hw_jinja_stuck(j))
        return;
    if (b->n == b->room) {
        int room = 2 * b->room + 4;
        value *item = room <= 2 * HW_JINJA_MAX_ITEMS
                          ? hw_jinja_allocate(j, (size_t)room * sizeof *item)
                          : NULL;
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
        return hw_jinja_literal("");
    case HW_JINJA_NONE:
        return hw_jinja_literal("None");
    case HW_JINJA_BOOL:
        return hw_jinja_literal(v.number ? "True" : "False");
    case HW_JINJA_INT: {
        int n = snprintf(text, sizeof text, "%ld", v.number);
        char *copy = hw_jinja_allocate(j, (size_t)n);
        return copy ? hw_jinja_bytes(memcpy(copy, text, (size_t)n), (size_t)n)
                    : hw_jinja_literal("");
    }
    default:
        hw_jinja_fail(j, "text", "a list to write out");
        return hw_jinja_literal("");
    }
}

bool hw_jinja_equal(value a, value b)
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
        same = hw_jinja_equal(a.box->item[i], b.box->item[i]);
    return same;
}

value *hw_jinja_member(value v, const char *key, size_t len)
{
    for (int i = 0; v.kind == HW_JINJA_DICT && i + 1 < v.box->n; i += 2)
        if (hw_jinja_equal(v.box->item[i], hw_jinja_bytes(key, len)))
            return &v.box->item[i + 1];
    return NULL;
}

const char *hw_jinja_find_text(value v, value part)
{
    for (size_t i = 0; part.len <= v.len && i <= v.len - part.len; i++)
        if (part.len == 0 || memcmp(v.text + i, part.text, part.len) == 0)
            return v.text + i;
    return NULL;
}

bool hw_jinja_contains(struct hw_jinja *j, value all, value one)
{
    if (all.kind == HW_JINJA_STRING && one.kind == HW_JINJA_STRING)
        return hw_jinja_find_text(all, one) != NULL;
    if (all.kind != HW_JINJA_LIST && all.kind != HW_JINJA_DICT) {
        hw_jinja_raise(j, "`in` something that holds nothing");
        return false;
    }
    for (int i = 0; i < all.box->n; i += all.kind == HW_JINJA_DICT ? 2 : 1)
        if (hw_jinja_equal(all.box->item[i], one))
            return true;
    return false;
}

value hw_jinja_concat(struct hw_jinja *j, value a, value b)
{
    char *text = hw_jinja_allocate(j, a.len + b.len);
    if (!text)
        return hw_jinja_literal("");
    if (a.len)
        memcpy(text, a.text, a.len);
    if (b.len)
        memcpy(text + a.len, b.text, b.len);
    return hw_jinja_bytes(text, a.len + b.len);
}
