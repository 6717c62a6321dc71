// SPDX-License-Identifier: Apache-2.0
// Owns the records of GDSII that are written: big endian, each {length, type, data kind}.
#include "gen/layout/gds.h"

#include <string.h>

enum {
    HEADER = 0x0002,
    BGNLIB = 0x0102,
    LIBNAME = 0x0206,
    UNITS = 0x0305,
    ENDLIB = 0x0400,
    BGNSTR = 0x0502,
    STRNAME = 0x0606,
    ENDSTR = 0x0700,
    BOUNDARY = 0x0800,
    SREF = 0x0a00,
    AREF = 0x0b00,
    TEXT = 0x0c00,
    LAYER = 0x0d02,
    DATATYPE = 0x0e02,
    XY = 0x1003,
    ENDEL = 0x1100,
    SNAME = 0x1206,
    COLROW = 0x1302,
    TEXTTYPE = 0x1602,
    STRING = 0x1906
};

struct hw_box hw_box_at(int x, int y, int w, int h)
{
    return (struct hw_box){x - w / 2, y - h / 2, x + w / 2, y + h / 2};
}

static char *put16(char *to, int value)
{
    to[0] = (char)(value >> 8 & 255);
    to[1] = (char)(value & 255);
    return to + 2;
}

static char *put32(char *to, int value)
{
    return put16(put16(to, (int)((unsigned)value >> 16)), value);
}

static char *head(char *to, int type, int n)
{
    return put16(put16(to, n + 4), type);
}

static void record(struct hw_out *out, int type, const char *data, int n)
{
    char *to = hw_out_room(out, (size_t)n + 4);
    if (!to)
        return;
    to = head(to, type, n);
    if (n > 0)
        memcpy(to, data, (size_t)n);
    out->used += (size_t)n + 4;
}

static void shorts(struct hw_out *out, int type, const int *value, int n)
{
    char data[32], *to = data;
    for (int i = 0; i < n; i++)
        to = put16(to, value[i]);
    record(out, type, data, 2 * n);
}

// A name or text, with a zero where its length is odd.
static void text(struct hw_out *out, int type, const char *s)
{
    char data[64] = {0};
    size_t n = strlen(s);
    if (n >= sizeof data) {
        hw_fail(out->err, "%s: expected a name of less than %zu characters, got '%s'",
                out->file[out->n_files].path, sizeof data, s);
        return;
    }
    memcpy(data, s, n);
    record(out, type, data, (int)(n + (n & 1)));
}

static const int NO_DATE[12] = {1970, 1, 1, 0, 0, 0, 1970, 1, 1, 0, 0, 0};

void hw_gds_open(struct hw_out *out, const char *path, const char *library)
{
    // 0.001 user units (um) and 1e-9 m, as reals of base 16 with seven bits of exponent
    static const unsigned char units[16] = {0x3e, 0x41, 0x89, 0x37, 0x4b, 0xc6, 0xa7, 0xf0,
                                            0x39, 0x44, 0xb8, 0x2f, 0xa0, 0x9b, 0x5a, 0x54};
    const int version = 600;
    hw_out_open(out, path);
    shorts(out, HEADER, &version, 1);
    shorts(out, BGNLIB, NO_DATE, 12);
    text(out, LIBNAME, library);
    record(out, UNITS, (const char *)units, sizeof units);
}

void hw_gds_close(struct hw_out *out)
{
    record(out, ENDLIB, NULL, 0);
    hw_out_close(out);
}

void hw_gds_cell(struct hw_out *out, const char *name)
{
    shorts(out, BGNSTR, NO_DATE, 12);
    text(out, STRNAME, name);
}

void hw_gds_cell_end(struct hw_out *out)
{
    record(out, ENDSTR, NULL, 0);
}

static void on_layer(struct hw_out *out, int element, struct hw_layer layer, int type)
{
    const int number = layer.layer, datatype = layer.datatype;
    record(out, element, NULL, 0);
    shorts(out, LAYER, &number, 1);
    shorts(out, type, &datatype, 1);
}

static void points(struct hw_out *out, const int *at, int n)
{
    char data[40], *to = data;
    for (int i = 0; i < 2 * n; i++)
        to = put32(to, at[i]);
    record(out, XY, data, 8 * n);
}

void hw_gds_box(struct hw_out *out, struct hw_layer layer, struct hw_box b)
{
    const int at[10] = {b.x0, b.y0, b.x0, b.y1, b.x1, b.y1, b.x1, b.y0, b.x0, b.y0};
    if (layer.layer < 0)
        return;
    if (b.x0 >= b.x1 || b.y0 >= b.y1)
        hw_fail(out->err, "%s: layer %d: a box of no area at (%d, %d) nm",
                out->file[out->n_files].path, layer.layer, b.x0, b.y0);
    on_layer(out, BOUNDARY, layer, DATATYPE);
    points(out, at, 5);
    record(out, ENDEL, NULL, 0);
}

void hw_gds_text(struct hw_out *out, struct hw_layer layer, int x, int y, const char *s)
{
    const int at[2] = {x, y};
    on_layer(out, TEXT, layer, TEXTTYPE);
    points(out, at, 1);
    text(out, STRING, s);
    record(out, ENDEL, NULL, 0);
}

void hw_gds_ref(struct hw_out *out, const char *cell, int x, int y)
{
    const int at[2] = {x, y};
    record(out, SREF, NULL, 0);
    text(out, SNAME, cell);
    points(out, at, 1);
    record(out, ENDEL, NULL, 0);
}

void hw_gds_array(struct hw_out *out, const char *cell, int x, int y, int n_x, int n_y, int dx,
                  int dy)
{
    const int at[6] = {x, y, x + n_x * dx, y, x, y + n_y * dy}, counts[2] = {n_x, n_y};
    record(out, AREF, NULL, 0);
    text(out, SNAME, cell);
    shorts(out, COLROW, counts, 2);
    points(out, at, 3);
    record(out, ENDEL, NULL, 0);
}
