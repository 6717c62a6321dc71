// SPDX-License-Identifier: Apache-2.0
// Owns writing of generated files: gathered in large pieces, each hashed and written at once. After
// the first error every call does nothing.
#include "gen/chip/verilog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gen/interrupt.h"

void hw_out_open(struct hw_out *out, const char *path)
{
    char full[4096];
    if (out->err->set)
        return;
    struct hw_out_file *files = realloc(out->file, (size_t)(out->n_files + 1) * sizeof *files);
    if (files)
        out->file = files;
    if (!out->buffer)
        out->buffer = malloc(HW_OUT_ROOM);
    if (!files || !out->buffer) {
        hw_fail(out->err, "%s: out of memory", path);
        return;
    }
    snprintf(files[out->n_files].path, sizeof files[0].path, "%s", path);
    snprintf(full, sizeof full, "%s/%s", out->dir, path);
    out->stream = fopen(full, "wb");
    if (!out->stream)
        hw_fail(out->err, "%s: cannot write: %s", full, strerror(errno));
    else
        setvbuf(out->stream, NULL, _IONBF, 0); // `buffer` is enough
    sha256_init(&out->hash);
    out->used = 0;
    out->sealed = false;
}

void hw_out_open_verilog(struct hw_out *out, const char *path)
{
    hw_out_open(out, path);
    hw_out_print(out, "%s", HW_NOTICE);
    out->sealed = true;
}

// A line every few seconds.
static void show_progress(struct hw_out *out)
{
    enum { SECONDS = 5 };
    time_t now = time(NULL);
    if (!out->progress || out->expected <= 0 || now < out->shown + SECONDS)
        return;
    if (out->shown) // the first call only starts the clock
        fprintf(out->progress, "%3.0f%%  %.0f of about %.0f MB  %s\n",
                100.0 * (double)out->written / (double)out->expected, (double)out->written / 1e6,
                (double)out->expected / 1e6, out->file[out->n_files].path);
    out->shown = now;
}

static void flush(struct hw_out *out)
{
    if (out->err->set)
        return;
    if (hw_stop)
        hw_fail(out->err, "%s: interrupted", out->dir);
    else if (fwrite(out->buffer, 1, out->used, out->stream) != out->used)
        hw_fail(out->err, "%s/%s: cannot write: %s", out->dir, out->file[out->n_files].path,
                strerror(errno));
    sha256_update(&out->hash, out->used, (const uint8_t *)out->buffer);
    out->written += (long long)out->used;
    out->used = 0;
    show_progress(out);
}

char *hw_out_room(struct hw_out *out, size_t n)
{
    if (!out->err->set && HW_OUT_ROOM - out->used < n)
        flush(out);
    if (!out->err->set && n > HW_OUT_ROOM)
        hw_fail(out->err, "%s/%s: a line is too long", out->dir, out->file[out->n_files].path);
    return out->err->set ? NULL : out->buffer + out->used;
}

void hw_out_bytes(struct hw_out *out, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t part = n < HW_OUT_ROOM ? n : HW_OUT_ROOM;
        char *to = hw_out_room(out, part);
        if (!to)
            return;
        memcpy(to, bytes, part);
        out->used += part;
        bytes += part;
        n -= part;
    }
}

void hw_out_copy(struct hw_out *out, const char *from, const char *path)
{
    char block[4096];
    size_t n;
    FILE *in = fopen(from, "rb");
    if (!in) {
        hw_fail(out->err, "%s: cannot read: %s", from, strerror(errno));
        return;
    }
    hw_out_open(out, path);
    while (!out->err->set && (n = fread(block, 1, sizeof block, in)) > 0)
        hw_out_bytes(out, block, n);
    if (ferror(in))
        hw_fail(out->err, "%s: cannot read", from);
    fclose(in);
    hw_out_close(out);
}

void hw_out_print(struct hw_out *out, const char *format, ...)
{
    enum { MOST = 2048 };
    char *to = hw_out_room(out, MOST);
    if (!to)
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, MOST, format, args);
    va_end(args);
    if (n < 0 || n >= MOST)
        hw_fail(out->err, "%s: a line of the generated file is too long", out->dir);
    else
        out->used += (size_t)n;
}

// The last line of a sealed file.
static void seal(struct hw_out *out)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    struct sha256_ctx so_far = out->hash;
    sha256_update(&so_far, out->used, (const uint8_t *)out->buffer);
    sha256_digest(&so_far, SHA256_DIGEST_SIZE, digest);
    hw_hex(digest, hex);
    hw_out_print(out, "// SHA-256 of the lines above: %s\n", hex);
}

bool hw_out_close(struct hw_out *out)
{
    if (out->sealed && !out->err->set)
        seal(out);
    if (out->stream) {
        flush(out);
        if (fclose(out->stream) != 0)
            hw_fail(out->err, "%s/%s: cannot write: %s", out->dir, out->file[out->n_files].path,
                    strerror(errno));
    }
    out->stream = NULL;
    if (out->err->set)
        return false;
    sha256_digest(&out->hash, SHA256_DIGEST_SIZE, out->file[out->n_files++].sha256);
    return true;
}

void hw_out_free(struct hw_out *out)
{
    if (out->stream)
        fclose(out->stream);
    free(out->file);
    free(out->buffer);
}

void hw_hex(const uint8_t digest[SHA256_DIGEST_SIZE], char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(hex + (size_t)2 * (size_t)i, 3, "%02x", digest[i]);
}
