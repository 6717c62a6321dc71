// SPDX-License-Identifier: Apache-2.0
// The file system of the fuzz targets, in memory. Names outside FUZZ_FOLDER are real files.
#include "tests/fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/cursor.h"

enum { MAX_FILES = 4 };

struct entry {
    const char *name;
    const uint8_t *data;
    size_t size;
};

static struct entry files[MAX_FILES], others;
static size_t n_files;

void fuzz_no_files(void)
{
    n_files = 0;
    others = (struct entry){0};
}

void fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    if (n_files == MAX_FILES)
        abort();
    files[n_files++] = (struct entry){name, data, size};
}

void fuzz_other_files(const uint8_t *data, size_t size)
{
    others = (struct entry){"", data, size};
}

static bool in_memory(const char *path)
{
    return strncmp(path, FUZZ_FOLDER, sizeof FUZZ_FOLDER - 1) == 0;
}

static const struct entry *find(const char *path)
{
    if (in_memory(path) && path[sizeof FUZZ_FOLDER - 1] == '/')
        for (size_t i = 0; i < n_files; i++)
            if (strcmp(path + sizeof FUZZ_FOLDER, files[i].name) == 0)
                return &files[i];
    return in_memory(path) && others.name ? &others : NULL;
}

static uint8_t *copy_of(const struct entry *e)
{
    uint8_t *data = malloc(e->size);
    if (!data)
        abort();
    memcpy(data, e->data, e->size);
    return data;
}

// --- gen/read/cursor.h

bool __wrap_hw_file_map(struct hw_file *file, const char *path, struct hw_error *err);
void __wrap_hw_file_unmap(struct hw_file *file);
void __wrap_hw_file_unload(const uint8_t *data, size_t n);
bool __wrap_hw_path_exists(const char *path);
bool __wrap_hw_path_is_directory(const char *path);

bool __wrap_hw_file_map(struct hw_file *file, const char *path, struct hw_error *err)
{
    const struct entry *e = find(path);
    *file = (struct hw_file){0};
    if (!e || e->size == 0)
        return hw_fail(err, "%s: open: no such file, or an empty one", path);
    *file = (struct hw_file){.path = strdup(path), .data = copy_of(e), .size = e->size};
    return true;
}

void __wrap_hw_file_unmap(struct hw_file *file)
{
    free((void *)(uintptr_t)file->data);
    free(file->path);
    *file = (struct hw_file){0};
}

void __wrap_hw_file_unload(const uint8_t *data, size_t n) // no mapping: it must stay
{
    (void)data;
    (void)n;
}

bool __wrap_hw_path_exists(const char *path)
{
    return find(path) != NULL;
}

bool __wrap_hw_path_is_directory(const char *path)
{
    return strcmp(path, FUZZ_FOLDER) == 0;
}

// --- libraries

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
json_t *__wrap_json_load_file(const char *path, size_t flags, json_error_t *why);

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!in_memory(path))
        return __real_fopen(path, mode);
    const struct entry *e = find(path);
    return e && e->size > 0 ? fmemopen((void *)(uintptr_t)e->data, e->size, "r") : NULL;
}

json_t *__wrap_json_load_file(const char *path, size_t flags, json_error_t *why)
{
    const struct entry *e = find(path);
    return json_loadb(e ? (const char *)e->data : "", e ? e->size : 0, flags, why);
}
