// SPDX-License-Identifier: Apache-2.0
// Owns the nameless file of codes. Refuses a folder that cannot be written and a full disk.
#include "gen/quant/spill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/read/cursor.h"

struct spilled {
    struct hw_qmatrix *m;
    size_t offset; // in the file
};

struct hw_spill {
    char *path;
    int fd; // -1: codes are dropped
    size_t end;
    struct spilled *spilled;
    int n, room;
};

struct hw_spill *hw_spill_new(const char *beside, struct hw_error *err)
{
    static const char SUFFIX[] = ".codes-XXXXXX";
    struct hw_spill *s = calloc(1, sizeof *s);
    size_t length = beside ? strlen(beside) : 0;
    if (s)
        s->path = malloc(length + sizeof SUFFIX);
    if (!s || !s->path) {
        hw_fail(err, "quantize: out of memory");
        free(s);
        return NULL;
    }
    s->fd = -1;
    if (!beside)
        return s;
    memcpy(s->path, beside, length);
    memcpy(s->path + length, SUFFIX, sizeof SUFFIX);
    s->fd = mkstemp(s->path);
    if (s->fd < 0) {
        hw_fail(err, "%s: cannot write: %s", s->path, strerror(errno));
        hw_spill_free(s);
        return NULL;
    }
    unlink(s->path); // nothing is left, however the program ends
    return s;
}

void hw_spill_free(struct hw_spill *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s->spilled);
    free(s);
}

bool hw_spill_matrix(struct hw_spill *s, struct hw_qmatrix *m, struct hw_error *err)
{
    if (s->n == s->room) {
        int room = 2 * s->room + 64;
        struct spilled *more = realloc(s->spilled, (size_t)room * sizeof *more);
        if (!more)
            return hw_fail(err, "quantize: out of memory");
        s->spilled = more;
        s->room = room;
    }
    s->spilled[s->n++] = (struct spilled){m, s->end};
    s->end += (size_t)m->n_planes * (size_t)m->n_out * (size_t)m->n_in;
    return true;
}

bool hw_spill_row(struct hw_spill *s, int row, const uint8_t *codes, struct hw_error *err)
{
    const struct spilled *p = &s->spilled[s->n - 1];
    size_t n_in = (size_t)p->m->n_in;
    for (int plane = 0; s->fd >= 0 && plane < p->m->n_planes; plane++) {
        size_t at = p->offset + ((size_t)plane * (size_t)p->m->n_out + (size_t)row) * n_in;
        for (size_t done = 0; done < n_in;) {
            ssize_t n =
                pwrite(s->fd, codes + (size_t)plane * n_in + done, n_in - done, (off_t)(at + done));
            if (n <= 0 && errno != EINTR)
                return hw_fail(err, "%s: cannot write: %s", s->path, strerror(errno));
            done += n > 0 ? (size_t)n : 0;
        }
    }
    return true;
}

bool hw_spill_finish(struct hw_spill *s, struct hw_qmodel *q, struct hw_error *err)
{
    if (s->fd < 0)
        return true;
    struct hw_file *file = calloc(1, sizeof *file);
    if (!file)
        return hw_fail(err, "quantize: out of memory");
    q->file = file;
    if (!hw_file_map_open(file, s->fd, s->path, err))
        return false;
    for (int i = 0; i < s->n; i++) {
        s->spilled[i].m->codes = (uint8_t *)(uintptr_t)(file->data + s->spilled[i].offset);
        s->spilled[i].m->mapped = true;
    }
    return true;
}
