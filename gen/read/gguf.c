// SPDX-License-Identifier: Apache-2.0
// GGUF container reader. Refuses other versions and byte orders, counts that the file cannot hold,
// arrays of arrays, duplicates and misaligned offsets.
#include "gen/read/gguf.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_KEY = 65535, // as the format says
    MAX_NAME = 255,  // the format says 64, files go beyond
    MAX_ALIGNMENT = 1 << 16,
    MIN_PAIR_BYTES = 8 + 4 + 1,
    MIN_TENSOR_BYTES = 8 + 4 + 4 + 8,
};

static const struct {
    const char *name;
    unsigned bytes; // the least one takes in the file
} type_info[HW_GGUF_N_TYPES] = {
    [HW_GGUF_U8] = {"u8", 1},        [HW_GGUF_I8] = {"i8", 1},     [HW_GGUF_U16] = {"u16", 2},
    [HW_GGUF_I16] = {"i16", 2},      [HW_GGUF_U32] = {"u32", 4},   [HW_GGUF_I32] = {"i32", 4},
    [HW_GGUF_F32] = {"f32", 4},      [HW_GGUF_BOOL] = {"bool", 1}, [HW_GGUF_STRING] = {"string", 8},
    [HW_GGUF_ARRAY] = {"array", 12}, [HW_GGUF_U64] = {"u64", 8},   [HW_GGUF_I64] = {"i64", 8},
    [HW_GGUF_F64] = {"f64", 8},
};

bool hw_text_is(struct hw_text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.bytes, string, text.len) == 0;
}

static int compare_texts(struct hw_text a, struct hw_text b)
{
    int order = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b)
{
    return compare_texts(((const struct hw_gguf_pair *)a)->key,
                         ((const struct hw_gguf_pair *)b)->key);
}

static int compare_tensors(const void *a, const void *b)
{
    return compare_texts(((const struct hw_gguf_tensor *)a)->name,
                         ((const struct hw_gguf_tensor *)b)->name);
}

// A name is printed in messages, so it must not hold what disturbs a terminal.
static struct hw_text read_name(struct hw_cursor *c, uint64_t max, const char *what)
{
    size_t at = c->pos;
    uint64_t len = hw_cursor_u64(c, what);
    if (!c->err->set && (len < 1 || len > max))
        hw_fail(c->err, "%s: byte %zu: length of a %s, expected 1..%llu, got %llu", c->file, at,
                what, (unsigned long long)max, (unsigned long long)len);
    struct hw_text name = {(const char *)hw_cursor_take(c, len, what), (size_t)len};
    for (size_t i = 0; !c->err->set && i < name.len; i++)
        if ((unsigned char)name.bytes[i] < 32 || (unsigned char)name.bytes[i] >= 127)
            hw_fail(c->err, "%s: byte %zu: %s, expected printable ASCII, got byte %d", c->file,
                    at + 8 + i, what, (unsigned char)name.bytes[i]);
    return name;
}

static enum hw_gguf_type read_type(struct hw_cursor *c, struct hw_text key)
{
    uint32_t type = hw_cursor_u32(c, "type of a value");
    if (!c->err->set && type >= HW_GGUF_N_TYPES)
        hw_fail(c->err, "%s: key %.*s: type, expected 0..%d, got %lu", c->file, (int)key.len,
                key.bytes, HW_GGUF_N_TYPES - 1, (unsigned long)type);
    return c->err->set ? HW_GGUF_U8 : (enum hw_gguf_type)type;
}

static void read_pair(struct hw_cursor *c, struct hw_gguf_pair *p)
{
    p->key = read_name(c, MAX_KEY, "key");
    p->type = read_type(c, p->key);
    p->count = 1;
    if (p->type == HW_GGUF_ARRAY) {
        p->is_array = true;
        p->type = read_type(c, p->key);
        p->count = hw_cursor_u64(c, "length of an array");
        if (!c->err->set && p->type == HW_GGUF_ARRAY)
            hw_fail(c->err, "%s: key %.*s: type, expected no array of arrays, got one", c->file,
                    (int)p->key.len, p->key.bytes);
    }
    if (c->err->set)
        return;
    size_t left = c->size - c->pos;
    if (p->count > left / type_info[p->type].bytes) {
        hw_fail(c->err,
                "%s: key %.*s: number of %ss, expected at most %zu in the rest of the "
                "file, got %llu",
                c->file, (int)p->key.len, p->key.bytes, type_info[p->type].name,
                left / type_info[p->type].bytes, (unsigned long long)p->count);
        return;
    }
    p->value = c->data + c->pos;
    if (p->type != HW_GGUF_STRING) {
        hw_cursor_take(c, p->count * type_info[p->type].bytes, "value");
        return;
    }
    for (uint64_t i = 0; i < p->count && !c->err->set; i++)
        hw_cursor_take(c, hw_cursor_u64(c, "length of a string"), "string");
}

static void read_tensor(struct hw_cursor *c, struct hw_gguf_tensor *t)
{
    t->name = read_name(c, MAX_NAME, "tensor name");
    uint32_t n_dims = hw_cursor_u32(c, "number of dimensions");
    if (!c->err->set && (n_dims < 1 || n_dims > 4)) {
        hw_fail(c->err, "%s: tensor %.*s: number of dimensions, expected 1..4, got %lu", c->file,
                (int)t->name.len, t->name.bytes, (unsigned long)n_dims);
        return;
    }
    t->n_dims = (int)n_dims;
    uint64_t product = 1;
    for (uint32_t i = 0; i < 4; i++) {
        t->dims[i] = i < n_dims ? hw_cursor_u64(c, "dimension") : 1;
        if (!c->err->set && (t->dims[i] < 1 || t->dims[i] > (UINT64_C(1) << 62) / product))
            hw_fail(c->err, "%s: tensor %.*s: dimension %lu, expected 1..%llu, got %llu", c->file,
                    (int)t->name.len, t->name.bytes, (unsigned long)i,
                    (unsigned long long)((UINT64_C(1) << 62) / product),
                    (unsigned long long)t->dims[i]);
        if (c->err->set)
            return;
        product *= t->dims[i];
    }
    t->ggml_type = hw_cursor_u32(c, "type of a tensor");
    t->offset = hw_cursor_u64(c, "offset of a tensor");
}

bool hw_is_gguf(const struct hw_file *file)
{
    return file->size >= 4 && memcmp(file->data, "GGUF", 4) == 0;
}

// Sorts by name and refuses equal names.
static bool sort_names(struct hw_gguf *g, struct hw_error *err)
{
    qsort(g->pairs, g->n_pairs, sizeof *g->pairs, compare_pairs);
    qsort(g->tensors, g->n_tensors, sizeof *g->tensors, compare_tensors);
    for (size_t i = 1; i < g->n_pairs; i++)
        if (compare_pairs(&g->pairs[i - 1], &g->pairs[i]) == 0)
            return hw_fail(err, "%s: key %.*s: expected it once, got it twice", g->file->path,
                           (int)g->pairs[i].key.len, g->pairs[i].key.bytes);
    for (size_t i = 1; i < g->n_tensors; i++)
        if (compare_tensors(&g->tensors[i - 1], &g->tensors[i]) == 0)
            return hw_fail(err, "%s: tensor %.*s: expected it once, got it twice", g->file->path,
                           (int)g->tensors[i].name.len, g->tensors[i].name.bytes);
    return true;
}

// Where the data starts, and that every tensor starts on the alignment and inside the file.
static bool check_layout(struct hw_gguf *g, size_t end_of_header, struct hw_error *err)
{
    int alignment = 32;
    if (!hw_gguf_int(g, "general.alignment", &alignment, err))
        return false;
    if (alignment < 1 || alignment > MAX_ALIGNMENT || (alignment & (alignment - 1)) != 0)
        return hw_fail(err, "%s: key general.alignment: expected a power of two up to %d, got %d",
                       g->file->path, MAX_ALIGNMENT, alignment);
    g->alignment = (uint32_t)alignment;
    size_t mask = g->alignment - 1;
    g->data_start = end_of_header + (-end_of_header & mask);
    size_t data_bytes = g->data_start < g->file->size ? g->file->size - g->data_start : 0;
    for (size_t i = 0; i < g->n_tensors; i++) {
        const struct hw_gguf_tensor *t = &g->tensors[i];
        if ((t->offset & mask) != 0 || t->offset > data_bytes)
            return hw_fail(err,
                           "%s: tensor %.*s: offset, expected a multiple of %d up to %zu, "
                           "got %llu",
                           g->file->path, (int)t->name.len, t->name.bytes, alignment, data_bytes,
                           (unsigned long long)t->offset);
    }
    return true;
}

static bool read_all(struct hw_gguf *g, struct hw_error *err)
{
    struct hw_cursor c = hw_cursor_over(g->file, err);
    hw_cursor_take(&c, 4, "magic");
    g->version = hw_cursor_u32(&c, "version");
    if (!err->set && g->version != 2 && g->version != 3)
        return hw_fail(err, "%s: header: GGUF version, expected 2 or 3 (little endian), got %lu",
                       c.file, (unsigned long)g->version);
    uint64_t n_tensors = hw_cursor_u64(&c, "number of tensors");
    uint64_t n_pairs = hw_cursor_u64(&c, "number of keys");
    size_t left = c.size - c.pos;
    if (!err->set && (n_pairs > left / MIN_PAIR_BYTES || n_tensors > left / MIN_TENSOR_BYTES))
        return hw_fail(err,
                       "%s: header: counts, expected at most %zu keys and %zu tensors in the "
                       "rest of the file, got %llu and %llu",
                       c.file, left / MIN_PAIR_BYTES, left / MIN_TENSOR_BYTES,
                       (unsigned long long)n_pairs, (unsigned long long)n_tensors);
    if (err->set)
        return false;
    // The counts are bounded by the file's size, and an entry here is at most five times as big.
    g->pairs = calloc((size_t)n_pairs + 1, sizeof *g->pairs);
    g->tensors = calloc((size_t)n_tensors + 1, sizeof *g->tensors);
    if (!g->pairs || !g->tensors)
        return hw_fail(err, "%s: header: out of memory", c.file);
    for (; g->n_pairs < n_pairs && !err->set; g->n_pairs++)
        read_pair(&c, &g->pairs[g->n_pairs]);
    for (; g->n_tensors < n_tensors && !err->set; g->n_tensors++)
        read_tensor(&c, &g->tensors[g->n_tensors]);
    return !err->set && sort_names(g, err) && check_layout(g, c.pos, err);
}

bool hw_gguf_open(struct hw_gguf *g, const struct hw_file *file, struct hw_error *err)
{
    *g = (struct hw_gguf){.file = file};
    bool ok = read_all(g, err);
    if (!ok)
        hw_gguf_close(g);
    return ok;
}

void hw_gguf_close(struct hw_gguf *g)
{
    free(g->pairs);
    free(g->tensors);
    *g = (struct hw_gguf){0};
}

const struct hw_gguf_pair *hw_gguf_find(const struct hw_gguf *g, const char *key)
{
    struct hw_gguf_pair wanted = {.key = {key, strlen(key)}};
    return bsearch(&wanted, g->pairs, g->n_pairs, sizeof wanted, compare_pairs);
}

const struct hw_gguf_tensor *hw_gguf_find_tensor(const struct hw_gguf *g, const char *name)
{
    struct hw_gguf_tensor wanted = {.name = {name, strlen(name)}};
    return bsearch(&wanted, g->tensors, g->n_tensors, sizeof wanted, compare_tensors);
}

static bool wrong_type(const struct hw_gguf *g, const struct hw_gguf_pair *p, const char *expected,
                       struct hw_error *err)
{
    return hw_fail(err, "%s: key %.*s: expected %s, got %s%s", g->file->path, (int)p->key.len,
                   p->key.bytes, expected, type_info[p->type].name, p->is_array ? " array" : "");
}

// The value of an integer of any type, saturated to int64.
static bool load_integer(const struct hw_gguf_pair *p, int64_t *value)
{
    const uint8_t *v = p->value;
    if (p->is_array)
        return false;
    switch (p->type) {
    case HW_GGUF_U8:
        *value = v[0];
        return true;
    case HW_GGUF_I8:
        *value = (int8_t)v[0];
        return true;
    case HW_GGUF_U16:
        *value = hw_load_u16(v);
        return true;
    case HW_GGUF_I16:
        *value = (int16_t)hw_load_u16(v);
        return true;
    case HW_GGUF_U32:
        *value = hw_load_u32(v);
        return true;
    case HW_GGUF_I32:
        *value = (int32_t)hw_load_u32(v);
        return true;
    case HW_GGUF_U64:
        *value = hw_load_u64(v) > INT64_MAX ? INT64_MAX : (int64_t)hw_load_u64(v);
        return true;
    case HW_GGUF_I64:
        *value = (int64_t)hw_load_u64(v);
        return true;
    default:
        return false;
    }
}

bool hw_gguf_int(const struct hw_gguf *g, const char *key, int *value, struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    if (!p)
        return true;
    int64_t wide;
    if (!load_integer(p, &wide))
        return wrong_type(g, p, "an integer", err);
    if (wide < INT_MIN || wide > INT_MAX)
        return hw_fail(err, "%s: key %s: expected at most 32 bits, got %lld", g->file->path, key,
                       (long long)wide);
    *value = (int)wide;
    return true;
}

// The shortest decimal that is this float. Files hold 1e-5 as a float; formats that have it in
// text, and this program's defaults, hold the double. They should give the same machine.
static double decimal_of(float value)
{
    char text[32];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (!(strtof(text, NULL) < value) && !(strtof(text, NULL) > value))
            return strtod(text, NULL);
    }
    return (double)value;
}

bool hw_gguf_real(const struct hw_gguf *g, const char *key, double *value, struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    int64_t integer;
    if (!p)
        return true;
    if (load_integer(p, &integer)) {
        *value = (double)integer;
    } else if (!p->is_array && p->type == HW_GGUF_F32) {
        *value = decimal_of(hw_load_f32(p->value));
    } else if (!p->is_array && p->type == HW_GGUF_F64) {
        uint64_t bits = hw_load_u64(p->value);
        memcpy(value, &bits, sizeof *value);
    } else {
        return wrong_type(g, p, "a number", err);
    }
    return isfinite(*value) ||
           hw_fail(err, "%s: key %s: expected a finite number, got %f", g->file->path, key, *value);
}

bool hw_gguf_bool(const struct hw_gguf *g, const char *key, bool *value, struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    if (!p)
        return true;
    if (p->is_array || p->type != HW_GGUF_BOOL || p->value[0] > 1)
        return wrong_type(g, p, "bool 0 or 1", err);
    *value = p->value[0] != 0;
    return true;
}

bool hw_gguf_string(const struct hw_gguf *g, const char *key, struct hw_text *value,
                    struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    if (!p)
        return true;
    if (p->is_array || p->type != HW_GGUF_STRING)
        return wrong_type(g, p, "a string", err);
    const uint8_t *at = p->value;
    *value = hw_gguf_next_string(&at);
    return true;
}

const struct hw_gguf_pair *hw_gguf_array(const struct hw_gguf *g, const char *key,
                                         enum hw_gguf_type type, struct hw_error *err)
{
    const struct hw_gguf_pair *p = hw_gguf_find(g, key);
    if (!p)
        hw_fail(err, "%s: key %s: expected an array of %s, got nothing", g->file->path, key,
                type_info[type].name);
    else if (!p->is_array || p->type != type)
        hw_fail(err, "%s: key %s: expected an array of %s, got %s%s", g->file->path, key,
                type_info[type].name, type_info[p->type].name, p->is_array ? " array" : "");
    else
        return p;
    return NULL;
}

struct hw_text hw_gguf_next_string(const uint8_t **at)
{
    struct hw_text text = {(const char *)*at + 8, (size_t)hw_load_u64(*at)};
    *at += 8 + text.len;
    return text;
}
