// SPDX-License-Identifier: Apache-2.0
// Reading of hostile files: a read-only mapping of a whole file, and one bounded cursor over it.
// A cursor never moves past its end. Its first failure is recorded and sticks: from then on every
// read yields zero or NULL, so that a parser may check once at the end of a group of reads.
#ifndef HW_CURSOR_H
#define HW_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "gen/error.h"

struct hw_file {
    char *path;
    const uint8_t *data; // read-only mapping, page aligned
    size_t size;         // at least 1
};

// Maps a regular, non-empty file. On failure *file is all zero and *err says why.
bool hw_file_map(struct hw_file *file, const char *path, struct hw_error *err);
// The same of an open file; path: for messages. The mapping stays when fd is closed.
bool hw_file_map_open(struct hw_file *file, int fd, const char *path, struct hw_error *err);
void hw_file_unmap(struct hw_file *file); // also fine on an all-zero file
// The whole pages among these n bytes of a mapping need no memory for now; reading brings them
// back.
void hw_file_unload(const uint8_t *data, size_t n);

bool hw_path_exists(const char *path);
bool hw_path_is_directory(const char *path);
bool hw_ends_with(const char *text, const char *end);
// "directory/name", which the caller frees; NULL and an error when out of memory.
char *hw_path_join(const char *directory, const char *name, struct hw_error *err);

struct hw_cursor {
    const char *file; // for messages
    const uint8_t *data;
    size_t size, pos;
    struct hw_error *err; // pos moves only while this is not set
};

struct hw_cursor hw_cursor_over(const struct hw_file *file, struct hw_error *err);

// The next n bytes, or NULL. `what` names the field in the error message.
const uint8_t *hw_cursor_take(struct hw_cursor *c, uint64_t n, const char *what);

// Little endian, whatever the host.
uint8_t hw_cursor_u8(struct hw_cursor *c, const char *what);
uint32_t hw_cursor_u32(struct hw_cursor *c, const char *what);
uint64_t hw_cursor_u64(struct hw_cursor *c, const char *what);
int32_t hw_cursor_i32(struct hw_cursor *c, const char *what);
float hw_cursor_f32(struct hw_cursor *c, const char *what);

// The same on bytes that are known to be there.
uint16_t hw_load_u16(const uint8_t *p);
uint32_t hw_load_u32(const uint8_t *p);
uint64_t hw_load_u64(const uint8_t *p);
float hw_load_f32(const uint8_t *p);

#endif
