// SPDX-License-Identifier: Apache-2.0
// Owns the table of latencies as data and as text.
#include "gen/chip/latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/bits.h"

const struct hw_latency_row hw_latency_table[HW_N_LATENCIES] = {
#define ROW(name, NAME, least, most, usual, meaning)                                               \
    {#name, #NAME, meaning, offsetof(struct hw_latency, name), least, most, usual},
    HW_LATENCIES(ROW)
#undef ROW
};

static int *at(struct hw_latency *l, int row)
{
    return (int *)((char *)l + hw_latency_table[row].offset);
}

int hw_latency_get(const struct hw_latency *l, int row)
{
    return *(const int *)((const char *)l + hw_latency_table[row].offset);
}

void hw_latency_fill(struct hw_latency *l)
{
    for (int i = 0; i < HW_N_LATENCIES; i++) {
        if (*at(l, i) == 0)
            *at(l, i) = hw_latency_table[i].usual;
    }
}

// One NAME=N of n bytes.
static bool parse_one(const char *text, size_t n, struct hw_latency *l, struct hw_error *err)
{
    size_t name = strcspn(text, "=");
    if (n == strlen("least") && strncmp(text, "least", n) == 0) {
        for (int i = 0; i < HW_N_LATENCIES; i++)
            *at(l, i) = hw_latency_table[i].least;
        return true;
    }
    for (int i = 0; i < HW_N_LATENCIES; i++) {
        const struct hw_latency_row *row = &hw_latency_table[i];
        char *end;
        if (name >= n || strlen(row->name) != name || strncmp(text, row->name, name) != 0)
            continue;
        long value = strtol(text + name + 1, &end, 10);
        if (end != text + n || end == text + name + 1 || value < row->least || value > row->most)
            return hw_fail(err, "--latency: %s: expected %d to %d, got '%.*s'", row->name,
                           row->least, row->most, (int)(n - name - 1), text + name + 1);
        *at(l, i) = (int)value;
        return true;
    }
    return hw_fail(err,
                   "--latency: expected NAME=N of the table in hardwire emit --help, got '%.*s'",
                   (int)n, text);
}

int hw_tree_stages(int levels, int n)
{
    return (hw_log2_up(n < 2 ? 2 : n) + levels - 1) / levels;
}

bool hw_latency_parse(const char *text, struct hw_latency *l, struct hw_error *err)
{
    for (;; text++) {
        size_t n = strcspn(text, ",");
        if (!parse_one(text, n, l, err))
            return false;
        text += n;
        if (!*text)
            return true;
    }
}

void hw_latency_verilog(const struct hw_latency *l, const char *head, char text[HW_LATENCY_TEXT])
{
    size_t used = (size_t)snprintf(text, HW_LATENCY_TEXT,
                                   "%s`ifndef HW_LATENCY_VH\n`define HW_LATENCY_VH\n", head);
    for (int i = 0; i < HW_N_LATENCIES; i++) {
        const struct hw_latency_row *row = &hw_latency_table[i];
        used +=
            (size_t)snprintf(text + used, HW_LATENCY_TEXT - used, "// %s\n`define HW_LAT_%s %d\n",
                             row->meaning, row->verilog, hw_latency_get(l, i));
    }
    snprintf(text + used, HW_LATENCY_TEXT - used, "`endif\n");
}
