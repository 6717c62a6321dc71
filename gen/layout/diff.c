// SPDX-License-Identifier: Apache-2.0
// Owns the comparison of two layouts, shape by shape.
#include "gen/layout/diff.h"

#include <stdlib.h>
#include <string.h>

#include "gen/layout/gds_read.h"
#include "gen/layout/picture.h"

struct difference {
    int layer, datatype;
    long long only[2];
};
enum { MOST_LAYERS = 64 };

static bool count(struct difference *d, int *n, const struct hw_shape *s, int which)
{
    int i = 0;
    while (i < *n && (d[i].layer != s->layer || d[i].datatype != s->datatype))
        i++;
    if (i == MOST_LAYERS)
        return false;
    if (i == *n)
        d[(*n)++] = (struct difference){s->layer, s->datatype, {0, 0}};
    d[i].only[which]++;
    return true;
}

// The differences of one macro, added to *total too.
static bool compare(const struct hw_library l[2], const struct hw_cell *c[2],
                    struct difference *total, int *n_total, FILE *to)
{
    struct hw_shape *s[2] = {hw_library_shapes(&l[0], c[0]), hw_library_shapes(&l[1], c[1])};
    struct difference d[MOST_LAYERS];
    int n = 0;
    bool ok = s[0] && s[1];
    for (long long i = 0, k = 0; ok && (i < c[0]->shapes || k < c[1]->shapes);) {
        int side = i == c[0]->shapes   ? 1
                   : k == c[1]->shapes ? -1
                                       : hw_shape_order(&s[0][i], &s[1][k]);
        if (side != 0) {
            const struct hw_shape *one = side < 0 ? &s[0][i] : &s[1][k];
            ok = count(d, &n, one, side > 0) && count(total, n_total, one, side > 0);
        }
        i += side <= 0;
        k += side >= 0;
    }
    for (int i = 0; i < n && ok; i++)
        fprintf(to, "%-20s layer %d/%d: %lld shapes only in A, %lld only in B\n", c[0]->name,
                d[i].layer, d[i].datatype, d[i].only[0], d[i].only[1]);
    free(s[0]);
    free(s[1]);
    return ok || hw_fail(l[0].err, "%s: expected at most %d layers", l[0].path, MOST_LAYERS);
}

// The macros: what the last cell refers to. They must have the same names and places.
static bool same_macros(const struct hw_library l[2])
{
    const struct hw_cell *top[2] = {&l[0].cell[l[0].n - 1], &l[1].cell[l[1].n - 1]};
    bool same = top[0]->n == top[1]->n;
    for (size_t i = 0; i < top[0]->n && same; i++) {
        const struct hw_element *e[2] = {&top[0]->element[i], &top[1]->element[i]};
        same = e[0]->kind == HW_GDS_REF && e[1]->kind == HW_GDS_REF && e[0]->x == e[1]->x &&
               e[0]->y == e[1]->y && e[0]->n_x == 1 && e[1]->n_x == 1 && e[0]->n_y == 1 &&
               e[1]->n_y == 1 &&
               strcmp(l[0].cell[e[0]->target].name, l[1].cell[e[1]->target].name) == 0;
    }
    return same || hw_fail(l[0].err, "%s: expected the macros of %s, in the same places", l[0].path,
                           l[1].path);
}

static void draw_corner(const struct hw_library l[2], const struct hw_cell *c[2],
                        const struct hw_pdk *pdk, FILE *picture)
{
    struct hw_shape *s[2] = {hw_library_shapes(&l[0], c[0]), hw_library_shapes(&l[1], c[1])};
    if (s[0] && s[1])
        hw_picture_corner(picture, pdk, s[0], c[0]->shapes, s[1], c[1]->shapes);
    free(s[0]);
    free(s[1]);
}

bool hw_layout_diff(const char *a, const char *b, const struct hw_pdk *pdk, FILE *to, FILE *picture,
                    int *n_layers, struct hw_error *err)
{
    struct hw_library l[2] = {0};
    struct difference total[MOST_LAYERS];
    int n = 0;
    if (hw_library_read(&l[0], a, err) && hw_library_read(&l[1], b, err) && same_macros(l)) {
        const struct hw_cell *top[2] = {&l[0].cell[l[0].n - 1], &l[1].cell[l[1].n - 1]};
        for (size_t i = 0; i < top[0]->n && !err->set; i++) {
            const struct hw_cell *c[2] = {&l[0].cell[top[0]->element[i].target],
                                          &l[1].cell[top[1]->element[i].target]};
            compare(l, c, total, &n, to);
            if (i == 0 && picture && !err->set)
                draw_corner(l, c, pdk, picture);
        }
        for (int i = 0; i < n && !err->set; i++)
            fprintf(to, "layer %d/%d: %lld shapes only in A, %lld only in B\n", total[i].layer,
                    total[i].datatype, total[i].only[0], total[i].only[1]);
        if (!err->set)
            fprintf(to, "%zu macros compared, %d layer%s differ%s\n", top[0]->n, n,
                    n == 1 ? "" : "s", n == 1 ? "s" : "");
    }
    *n_layers = n;
    hw_library_free(&l[0]);
    hw_library_free(&l[1]);
    return !err->set;
}
