// SPDX-License-Identifier: Apache-2.0
// safetensors reader: u64 header length, a JSON object from names to dtype, shape and offsets,
// then the data, which the tensors must fill exactly.
#include "gen/read/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "gen/read/json.h"
#include "gen/read/kind.h"

enum { MAX_NAME = 255 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct hw_safetensor *)a)->name, ((const struct hw_safetensor *)b)->name);
}

static int compare_begins(const void *a, const void *b)
{
    const struct hw_safetensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end); // empty ones first
}

static bool read_shape(struct hw_safetensor *t, const json_t *shape, struct hw_error *err)
{
    char shown[HW_JSON_SHOWN];
    size_t n = json_array_size(shape);
    if (!json_is_array(shape) || n > 8)
        return hw_fail(err, "%s: tensor %s: shape, expected an array of up to 8, got %s",
                       t->file->path, t->name, hw_json_show(shape, shown));
    t->n_dims = (int)n;
    t->dims[0] = t->dims[1] = n == 1 || n == 2;
    for (size_t i = 0; i < n; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return hw_fail(err, "%s: tensor %s: shape, expected counts, got %s", t->file->path,
                           t->name, hw_json_show(dim, shown));
        if (n <= 2)
            t->dims[i] = json_integer_value(dim);
    }
    return true;
}

static bool read_tensor(struct hw_safetensor *t, const json_t *info, struct hw_error *err)
{
    const json_t *offsets = json_object_get(info, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    for (const char *c = t->name; *c; c++)
        if (*c < 33 || *c > 126 || c - t->name > MAX_NAME)
            return hw_fail(err,
                           "%s: tensor name: expected up to %d printable ASCII characters, "
                           "got something else",
                           t->file->path, MAX_NAME);
    t->dtype = hw_json_string(info, "dtype");
    if (!read_shape(t, json_object_get(info, "shape"), err))
        return false;
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return hw_fail(err,
                       "%s: tensor %s: data_offsets, expected two that ascend, got something "
                       "else",
                       t->file->path, t->name);
    t->begin = (uint64_t)json_integer_value(begin);
    t->end = (uint64_t)json_integer_value(end);
    return true;
}

// The tensors of one file lie end to end and fill its data.
static bool check_layout(struct hw_safetensor *tensors, size_t n, const struct hw_file *file,
                         size_t data_start, struct hw_error *err)
{
    uint64_t at = 0, size = file->size - data_start;
    qsort(tensors, n, sizeof *tensors, compare_begins);
    for (size_t i = 0; i < n; i++) {
        struct hw_safetensor *t = &tensors[i];
        if (t->begin != at || t->end > size)
            return hw_fail(err,
                           "%s: tensor %s: data_offsets, expected to start at %llu and end by "
                           "%llu, got %llu and %llu",
                           file->path, t->name, (unsigned long long)at, (unsigned long long)size,
                           (unsigned long long)t->begin, (unsigned long long)t->end);
        t->data = file->data + data_start + at;
        at = t->end;
    }
    return at == size || hw_fail(err, "%s: end: file size, expected %llu bytes of data, got %llu",
                                 file->path, (unsigned long long)at, (unsigned long long)size);
}

static bool read_file(struct hw_safetensors *s, const struct hw_file *file, struct hw_error *err)
{
    char words[HW_FOREIGN_WORDS_SIZE];
    const char *foreign =
        hw_file_is_safetensors(file) ? NULL : hw_foreign_bytes(file->data, file->size, words);
    if (foreign)
        return hw_fail(err, "%s: expected a safetensors file, got %s", file->path, foreign);
    struct hw_cursor c = hw_cursor_over(file, err);
    uint64_t header_size = hw_cursor_u64(&c, "length of the header");
    if (!err->set && header_size > HW_MOST_SAFETENSORS_HEADER)
        return hw_fail(err, "%s: header: length, expected at most %d, got %llu", file->path,
                       HW_MOST_SAFETENSORS_HEADER, (unsigned long long)header_size);
    const uint8_t *header = hw_cursor_take(&c, header_size, "header");
    if (!header)
        return false;
    json_t *root = hw_json_parse(file->path, header, (size_t)header_size, err);
    if (!root)
        return false;
    s->headers[s->n_files++] = root;

    size_t room = s->n_tensors + json_object_size(root);
    struct hw_safetensor *grown = realloc(s->tensors, (room + 1) * sizeof *grown);
    if (!grown)
        return hw_fail(err, "%s: header: out of memory", file->path);
    s->tensors = grown;
    size_t first = s->n_tensors;
    const char *name;
    json_t *info;
    json_object_foreach(root, name, info)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        struct hw_safetensor *t = &s->tensors[s->n_tensors++];
        *t = (struct hw_safetensor){.name = name, .file = file};
        if (!read_tensor(t, info, err))
            return false;
    }
    return check_layout(s->tensors + first, s->n_tensors - first, file, c.pos, err);
}

bool hw_file_is_safetensors(const struct hw_file *file)
{
    return file->size > 8 && hw_load_u64(file->data) <= file->size - 8 && file->data[8] == '{';
}

bool hw_is_safetensors(const char *path)
{
    struct hw_file file = {0};
    struct hw_error ignored = {0};
    bool yes = !hw_path_is_directory(path) && hw_file_map(&file, path, &ignored) &&
               hw_file_is_safetensors(&file);
    hw_file_unmap(&file);
    return yes;
}

bool hw_safetensors_open(struct hw_safetensors *s, const struct hw_file *files, size_t n_files,
                         struct hw_error *err)
{
    *s = (struct hw_safetensors){.headers = calloc(n_files, sizeof(json_t *))};
    bool ok = s->headers ? true : hw_fail(err, "%s: open: out of memory", files[0].path);
    for (size_t i = 0; ok && i < n_files; i++)
        ok = read_file(s, &files[i], err);
    if (ok)
        qsort(s->tensors, s->n_tensors, sizeof *s->tensors, compare_names);
    for (size_t i = 1; ok && i < s->n_tensors; i++)
        if (compare_names(&s->tensors[i - 1], &s->tensors[i]) == 0)
            ok =
                hw_fail(err, "%s: tensor %s: expected it once, got it again in %s",
                        s->tensors[i].file->path, s->tensors[i].name, s->tensors[i - 1].file->path);
    if (!ok)
        hw_safetensors_close(s);
    return ok;
}

void hw_safetensors_close(struct hw_safetensors *s)
{
    for (size_t i = 0; i < s->n_files; i++)
        json_decref(s->headers[i]);
    free(s->headers);
    free(s->tensors);
    *s = (struct hw_safetensors){0};
}

const struct hw_safetensor *hw_safetensors_find(const struct hw_safetensors *s, const char *name)
{
    struct hw_safetensor wanted = {.name = name};
    return s->n_tensors ? bsearch(&wanted, s->tensors, s->n_tensors, sizeof wanted, compare_names)
                        : NULL;
}
