// SPDX-License-Identifier: Apache-2.0
// Owns the file of levels beside a checkpoint trained on them.
#include "gen/quant/grids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char name[32];
    struct hw_grid grid;
};

struct hw_grids {
    struct entry *entry;
    int n;
};

static bool parse_line(char *line, struct entry *e, const char *path, int number,
                       struct hw_error *err)
{
    int bits, used = 0; // stays 0 where the line ends before "levels"
    if (sscanf(line, "%31s bits %d levels%n", e->name, &bits, &used) != 2 || used == 0 ||
        bits < 2 || bits > 8)
        return hw_fail(err, "%s: line %d: expected NAME bits 2..8 levels ..., got '%.40s'", path,
                       number, line);
    e->grid.n = 0;
    for (char *at = line + used, *end;; at = end) {
        long v = strtol(at, &end, 10);
        if (end == at && at[strspn(at, " \r\n")])
            return hw_fail(err, "%s: line %d: %s: expected numbers to the end, got '%.40s'", path,
                           number, e->name, at);
        if (end == at)
            break;
        if (e->grid.n == 1 << bits || v < -128 || v > 127 ||
            (e->grid.n && v <= e->grid.value[e->grid.n - 1]))
            return hw_fail(err,
                           "%s: line %d: %s: expected %d ascending levels in -128..127, got "
                           "%ld as number %d",
                           path, number, e->name, 1 << bits, v, e->grid.n + 1);
        e->grid.value[e->grid.n++] = (int16_t)v;
    }
    if (e->grid.n != 1 << bits)
        return hw_fail(err, "%s: line %d: %s: expected %d levels, got %d", path, number, e->name,
                       1 << bits, e->grid.n);
    return true;
}

static bool is_new(const struct hw_grids *g, const char *name, const char *path, int number,
                   struct hw_error *err)
{
    return !hw_grids_find(g, name) ||
           hw_fail(err, "%s: line %d: expected each tensor once, got %s again", path, number, name);
}

struct hw_grids *hw_grids_open(const char *path, struct hw_error *err)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    struct hw_grids *g = calloc(1, sizeof *g);
    if (!file || !g)
        hw_fail(err, "%s: cannot read: %s", path, strerror(errno));
    else if ((!fgets(line, sizeof line, file) || strcmp(line, "hardwire-quant 1\n") != 0) &&
             !ferror(file))
        hw_fail(err, "%s: line 1: expected 'hardwire-quant 1'", path);
    for (int number = 2; !err->set && fgets(line, sizeof line, file); number++) {
        if (strncmp(line, "act ", 4) == 0) // activation ranges in training: calibrated anew
            continue;
        struct entry *more = realloc(g->entry, (size_t)(g->n + 1) * sizeof *more);
        if (!more) {
            hw_fail(err, "%s: out of memory", path);
            break;
        }
        g->entry = more;
        if (parse_line(line, &g->entry[g->n], path, number, err) &&
            is_new(g, g->entry[g->n].name, path, number, err))
            g->n++;
    }
    if (!err->set && ferror(file))
        hw_fail(err, "%s: cannot read: %s", path, strerror(errno));
    if (file)
        fclose(file);
    if (!err->set)
        return g;
    hw_grids_close(g);
    return NULL;
}

void hw_grids_close(struct hw_grids *g)
{
    if (g)
        free(g->entry);
    free(g);
}

const struct hw_grid *hw_grids_find(const struct hw_grids *g, const char *name)
{
    for (int i = 0; i < g->n; i++) {
        if (strcmp(g->entry[i].name, name) == 0)
            return &g->entry[i].grid;
    }
    return NULL;
}

int hw_grid_nearest(const struct hw_grid *g, double x)
{
    int low = 0, high = g->n - 1; // between two neighbours, where x lies
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (x < g->value[middle])
            high = middle;
        else
            low = middle;
    }
    return high > low && 2.0 * x >= g->value[low] + g->value[high] ? high : low;
}
