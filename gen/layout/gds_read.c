// SPDX-License-Identifier: Apache-2.0
// Owns the records of GDSII that are read.
#include "gen/layout/gds_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHAPES = 1 << 27 };

// --- records

static int get16(const uint8_t *p)
{
    return (int16_t)(p[0] << 8 | p[1]);
}

static int get32(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static bool bad(struct hw_library *l, const char *what)
{
    return hw_fail(l->err, "%s: byte %zu: expected %s", l->path, l->at, what);
}

struct record {
    int type, n;
    const uint8_t *data;
};

static bool next(struct hw_library *l, struct record *r)
{
    if (l->size - l->at < 4)
        return bad(l, "a record");
    int length = (l->data[l->at] << 8) + l->data[l->at + 1];
    if (length < 4 || (size_t)length > l->size - l->at)
        return bad(l, "a record that ends in the file");
    *r = (struct record){l->data[l->at + 2] << 8 | l->data[l->at + 3], length - 4,
                         l->data + l->at + 4};
    l->at += (size_t)length;
    return true;
}

static bool read_file(struct hw_library *l, const char *dir)
{
    const char *path = l->path;
    snprintf(l->path, sizeof l->path, "%s/rom.gds", dir);
    FILE *file = fopen(path, "rb");
    if (!file)
        return hw_fail(l->err, "%s: cannot read: %s", path, strerror(errno));
    for (size_t room = 0, n = 1; n > 0; l->size += n) {
        if (l->size == room) {
            room = room ? 2 * room : 1 << 20;
            uint8_t *more = realloc(l->data, room);
            if (!more) {
                fclose(file);
                return hw_fail(l->err, "%s: out of memory", path);
            }
            l->data = more;
        }
        n = fread(l->data + l->size, 1, room - l->size, file);
    }
    bool ok = !ferror(file);
    fclose(file);
    return ok || hw_fail(l->err, "%s: cannot read", path);
}

// --- cells

static void *grow(struct hw_library *l, void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    size_t more = *room ? 2 * *room : 16;
    void *to = realloc(array, more * size);
    if (!to)
        hw_fail(l->err, "%s: out of memory", l->path);
    else
        *room = more;
    return to ? to : array;
}

static int find(const struct hw_library *l, const char *name, size_t n)
{
    for (size_t i = l->n; i-- > 0;) {
        if (strlen(l->cell[i].name) == n && memcmp(l->cell[i].name, name, n) == 0)
            return (int)i;
    }
    return -1;
}

static size_t text_length(const struct record *r)
{
    return strnlen((const char *)r->data, (size_t)r->n);
}

static int hash(const uint8_t *data, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ data[i]) * 16777619u;
    return (int)(h & 0x7fffffff);
}

// A box as five points, the first again at the end.
static bool take_box(struct hw_library *l, struct hw_element *e, const struct record *r)
{
    int x[5], y[5];
    if (r->n != 40)
        return bad(l, "a box");
    for (int i = 0; i < 5; i++) {
        x[i] = get32(r->data + 8 * i);
        y[i] = get32(r->data + 8 * i + 4);
    }
    if (x[0] != x[1] || y[1] != y[2] || x[2] != x[3] || y[3] != y[0] || x[4] != x[0] ||
        y[4] != y[0] || x[0] >= x[2] || y[0] >= y[2])
        return bad(l, "a box");
    e->x = x[0];
    e->y = y[0];
    e->x1 = x[2];
    e->y1 = y[2];
    return true;
}

static bool take_points(struct hw_library *l, struct hw_element *e, const struct record *r)
{
    if (e->kind == HW_GDS_BOX)
        return take_box(l, e, r);
    if (r->n != 8 && r->n != 24)
        return bad(l, "one point or three");
    e->x = get32(r->data);
    e->y = get32(r->data + 4);
    if (r->n == 24) {
        e->dx = (get32(r->data + 8) - e->x) / e->n_x;
        e->dy = (get32(r->data + 20) - e->y) / e->n_y;
    }
    return true;
}

static bool take_field(struct hw_library *l, struct hw_element *e, const struct record *r)
{
    switch (r->type) {
    case 0x0d02: // LAYER
    case 0x0e02: // DATATYPE
    case 0x1602: // TEXTTYPE
        if (r->n != 2)
            return bad(l, "a number of two bytes");
        *(r->type == 0x0d02 ? &e->layer : &e->datatype) = get16(r->data);
        return true;
    case 0x1206: // SNAME
        e->target = find(l, (const char *)r->data, text_length(r));
        return e->target >= 0 || bad(l, "a reference to a cell before");
    case 0x1302: // COLROW
        e->n_x = r->n == 4 ? get16(r->data) : 0;
        e->n_y = r->n == 4 ? get16(r->data + 2) : 0;
        return (e->n_x > 0 && e->n_y > 0) || bad(l, "counts of an array");
    case 0x1003: // XY
        return take_points(l, e, r);
    case 0x1906: // STRING
        e->x1 = hash(r->data, text_length(r));
        return true;
    default:
        return bad(l, "a box, a text or a plain reference");
    }
}

static bool read_element(struct hw_library *l, struct hw_cell *c, int type)
{
    struct record r = {0};
    struct hw_element e = {.kind = type == 0x0800   ? HW_GDS_BOX
                                   : type == 0x0c00 ? HW_GDS_TEXT
                                                    : HW_GDS_REF,
                           .target = -1,
                           .n_x = 1,
                           .n_y = 1};
    if (type != 0x0800 && type != 0x0a00 && type != 0x0b00 && type != 0x0c00)
        return bad(l, "an element");
    while (next(l, &r) && r.type != 0x1100) { // ENDEL
        if (!take_field(l, &e, &r))
            return false;
    }
    if (!l->err->set && e.kind == HW_GDS_REF && e.target < 0)
        return bad(l, "a name in a reference");
    c->element = grow(l, c->element, c->n, &c->room, sizeof *c->element);
    if (l->err->set)
        return false;
    c->shapes += e.kind == HW_GDS_REF ? (long long)e.n_x * e.n_y * l->cell[e.target].shapes : 1;
    if (c->shapes > MOST_SHAPES)
        return bad(l, "fewer shapes in a cell");
    c->element[c->n++] = e;
    return true;
}

static bool read_cell(struct hw_library *l)
{
    struct record r = {0};
    if (!next(l, &r) || r.type != 0x0606 || text_length(&r) >= HW_GDS_NAME) // STRNAME
        return l->err->set ? false : bad(l, "a cell's name");
    struct hw_cell c = {0};
    memcpy(c.name, r.data, text_length(&r));
    while (next(l, &r) && r.type != 0x0700) { // ENDSTR
        if (!read_element(l, &c, r.type))
            break;
    }
    l->cell = grow(l, l->cell, l->n, &l->room, sizeof *l->cell);
    if (l->n < l->room)
        l->cell[l->n++] = c;
    else
        free(c.element);
    return !l->err->set;
}

bool hw_library_read(struct hw_library *l, const char *dir, struct hw_error *err)
{
    struct record r = {0};
    *l = (struct hw_library){.err = err};
    if (!read_file(l, dir))
        return false;
    while (next(l, &r) && r.type != 0x0400) {  // ENDLIB
        if (r.type == 0x0502 && !read_cell(l)) // BGNSTR
            return false;
    }
    if (l->n == 0 && !err->set)
        bad(l, "a cell");
    return !err->set;
}

void hw_library_free(struct hw_library *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->cell[i].element);
    free(l->cell);
    free(l->data);
}

// --- shapes

int hw_shape_order(const void *a, const void *b)
{
    const struct hw_shape *p = a, *q = b;
    const int left[] = {p->layer, p->datatype, p->x0, p->y0, p->x1, p->y1};
    const int right[] = {q->layer, q->datatype, q->x0, q->y0, q->x1, q->y1};
    for (int i = 0; i < 6; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

static struct hw_shape *flatten(const struct hw_library *l, const struct hw_cell *c, int x, int y,
                                struct hw_shape *to)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct hw_element *e = &c->element[i];
        if (e->kind != HW_GDS_REF) {
            bool box = e->kind == HW_GDS_BOX;
            *to++ = (struct hw_shape){
                e->layer,           e->datatype, x + e->x, y + e->y, box ? x + e->x1 : e->x1,
                box ? y + e->y1 : 0};
            continue;
        }
        for (int k = 0; k < e->n_x * e->n_y; k++)
            to = flatten(l, &l->cell[e->target], x + e->x + k % e->n_x * e->dx,
                         y + e->y + k / e->n_x * e->dy, to);
    }
    return to;
}

struct hw_shape *hw_library_shapes(const struct hw_library *l, const struct hw_cell *c)
{
    struct hw_shape *s = malloc(((size_t)c->shapes + 1) * sizeof *s);
    if (!s)
        hw_fail(l->err, "%s: %s: out of memory", l->path, c->name);
    else
        qsort(s, (size_t)(flatten(l, c, 0, 0, s) - s), sizeof *s, hw_shape_order);
    return s;
}
