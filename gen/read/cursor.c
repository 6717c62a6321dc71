// SPDX-License-Identifier: Apache-2.0
// File mapping and the bounded cursor. Refuses what is not a regular file, and empty files.
#define _DEFAULT_SOURCE // open, fstat, mmap, strdup; madvise: glibc's posix_madvise keeps the pages

#include "gen/read/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_descriptor(struct hw_file *file, int fd, const char *path, struct hw_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return hw_fail(err, "%s: stat: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return hw_fail(err, "%s: open: kind of file, expected a regular file, got another kind",
                       path);
    if (st.st_size == 0)
        return hw_fail(err, "%s: open: file size, expected 1 byte or more, got an empty file",
                       path);
    if (st.st_size < 0 || (uintmax_t)st.st_size > SIZE_MAX)
        return hw_fail(err, "%s: open: file size, expected 1..%zu bytes, got %jd", path, SIZE_MAX,
                       (intmax_t)st.st_size);
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return hw_fail(err, "%s: mmap: %s", path, strerror(errno));
    file->data = data;
    file->size = (size_t)st.st_size;
    return true;
}

bool hw_file_map_open(struct hw_file *file, int fd, const char *path, struct hw_error *err)
{
    *file = (struct hw_file){.path = strdup(path)};
    bool ok = file->path ? map_descriptor(file, fd, path, err)
                         : hw_fail(err, "%s: open: out of memory", path);
    if (!ok)
        hw_file_unmap(file);
    return ok;
}

bool hw_file_map(struct hw_file *file, const char *path, struct hw_error *err)
{
    *file = (struct hw_file){0};
    // Without O_NONBLOCK a named pipe would block here for ever.
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return hw_fail(err, "%s: open: %s", path, strerror(errno));
    bool ok = hw_file_map_open(file, fd, path, err);
    close(fd); // the mapping keeps the file
    return ok;
}

void hw_file_unmap(struct hw_file *file)
{
    if (file->data)
        munmap((void *)(uintptr_t)file->data, file->size);
    free(file->path);
    *file = (struct hw_file){0};
}

void hw_file_unload(const uint8_t *data, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)data;
    uintptr_t begin = (first + page - 1) / page * page, end = (first + n) / page * page;
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

bool hw_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool hw_path_is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool hw_ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

char *hw_path_join(const char *directory, const char *name, struct hw_error *err)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", directory, name);
    else
        hw_fail(err, "%s: open: out of memory", directory);
    return path;
}

struct hw_cursor hw_cursor_over(const struct hw_file *file, struct hw_error *err)
{
    return (struct hw_cursor){
        .file = file->path, .data = file->data, .size = file->size, .err = err};
}

const uint8_t *hw_cursor_take(struct hw_cursor *c, uint64_t n, const char *what)
{
    if (c->err->set)
        return NULL;
    if (n > c->size - c->pos) {
        hw_fail(c->err, "%s: byte %zu: %s, expected %llu more bytes, got %zu", c->file, c->pos,
                what, (unsigned long long)n, c->size - c->pos);
        return NULL;
    }
    const uint8_t *p = c->data + c->pos;
    c->pos += (size_t)n;
    return p;
}

uint16_t hw_load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t hw_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t hw_load_u64(const uint8_t *p)
{
    return hw_load_u32(p) | (uint64_t)hw_load_u32(p + 4) << 32;
}

float hw_load_f32(const uint8_t *p)
{
    uint32_t bits = hw_load_u32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint8_t hw_cursor_u8(struct hw_cursor *c, const char *what)
{
    const uint8_t *p = hw_cursor_take(c, 1, what);
    return p ? *p : 0;
}

uint32_t hw_cursor_u32(struct hw_cursor *c, const char *what)
{
    const uint8_t *p = hw_cursor_take(c, 4, what);
    return p ? hw_load_u32(p) : 0;
}

uint64_t hw_cursor_u64(struct hw_cursor *c, const char *what)
{
    const uint8_t *p = hw_cursor_take(c, 8, what);
    return p ? hw_load_u64(p) : 0;
}

int32_t hw_cursor_i32(struct hw_cursor *c, const char *what)
{
    // Two's complement by definition; memcpy because a cast would be the compiler's choice.
    uint32_t bits = hw_cursor_u32(c, what);
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float hw_cursor_f32(struct hw_cursor *c, const char *what)
{
    const uint8_t *p = hw_cursor_take(c, 4, what);
    return p ? hw_load_f32(p) : 0.0f;
}
