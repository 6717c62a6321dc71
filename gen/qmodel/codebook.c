// SPDX-License-Identifier: Apache-2.0
// Owns the file of codebooks beside a checkpoint trained on them.
#include "gen/qmodel/codebook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char name[64];
    struct hw_codebook codebook;
};

struct hw_codebooks {
    struct entry *entry;
    int n;
};

static bool parse_line(char *line, struct entry *e, const char *path, int number,
                       struct hw_error *err)
{
    int bits, used = 0; // stays 0 where the line ends before "levels"
    if (sscanf(line, "%63s bits %d levels%n", e->name, &bits, &used) != 2 || used == 0 ||
        bits < 2 || bits > 8)
        return hw_fail(err, "%s: line %d: expected NAME bits 2..8 levels ..., got '%.40s'", path,
                       number, line);
    e->codebook.n = 0;
    for (char *at = line + used, *end;; at = end) {
        long v = strtol(at, &end, 10);
        if (end == at && at[strspn(at, " \r\n")])
            return hw_fail(err, "%s: line %d: %s: expected numbers to the end, got '%.40s'", path,
                           number, e->name, at);
        if (end == at)
            break;
        if (e->codebook.n == 1 << bits || v < -128 || v > 127 ||
            (e->codebook.n && v <= e->codebook.value[e->codebook.n - 1]))
            return hw_fail(err,
                           "%s: line %d: %s: expected %d ascending levels in -128..127, got "
                           "%ld as number %d",
                           path, number, e->name, 1 << bits, v, e->codebook.n + 1);
        e->codebook.value[e->codebook.n++] = (int16_t)v;
    }
    if (e->codebook.n != 1 << bits)
        return hw_fail(err, "%s: line %d: %s: expected %d levels, got %d", path, number, e->name,
                       1 << bits, e->codebook.n);
    return true;
}

static bool is_new(const struct hw_codebooks *g, const char *name, const char *path, int number,
                   struct hw_error *err)
{
    return !hw_codebooks_find(g, name) ||
           hw_fail(err, "%s: line %d: expected each matrix once, got %s again", path, number, name);
}

struct hw_codebooks *hw_codebooks_open(const char *path, struct hw_error *err)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    struct hw_codebooks *g = calloc(1, sizeof *g);
    if (!file || !g)
        hw_fail(err, "%s: cannot read: %s", path, strerror(errno));
    else if ((!fgets(line, sizeof line, file) || strcmp(line, "hardwire-quant 2\n") != 0) &&
             !ferror(file))
        hw_fail(err, "%s: line 1: expected 'hardwire-quant 2'", path);
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
    hw_codebooks_close(g);
    return NULL;
}

void hw_codebooks_close(struct hw_codebooks *g)
{
    if (g)
        free(g->entry);
    free(g);
}

const struct hw_codebook *hw_codebooks_find(const struct hw_codebooks *g, const char *name)
{
    for (int i = 0; i < g->n; i++) {
        if (strcmp(g->entry[i].name, name) == 0)
            return &g->entry[i].codebook;
    }
    return NULL;
}

int hw_codebook_nearest(const struct hw_codebook *g, double x)
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
