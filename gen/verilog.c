// SPDX-License-Identifier: Apache-2.0
// Owns writing of generated files. After the first error every call does nothing.
#include "gen/verilog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void hw_out_open(struct hw_out *out, const char *path)
{
    char full[4096];
    if (out->err->set)
        return;
    struct hw_out_file *files = realloc(out->file, (size_t)(out->n_files + 1) * sizeof *files);
    if (!files) {
        hw_fail(out->err, "%s: out of memory", path);
        return;
    }
    out->file = files;
    snprintf(files[out->n_files].path, sizeof files[0].path, "%s", path);
    snprintf(full, sizeof full, "%s/%s", out->dir, path);
    out->stream = fopen(full, "wb");
    if (!out->stream)
        hw_fail(out->err, "%s: cannot write: %s", full, strerror(errno));
    sha256_init(&out->hash);
}

void hw_out_bytes(struct hw_out *out, const char *bytes, size_t n)
{
    if (out->err->set)
        return;
    sha256_update(&out->hash, n, (const uint8_t *)bytes);
    if (fwrite(bytes, 1, n, out->stream) != n)
        hw_fail(out->err, "%s/%s: cannot write: %s", out->dir, out->file[out->n_files].path,
                strerror(errno));
}

void hw_out_print(struct hw_out *out, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        hw_fail(out->err, "%s: a line of the generated file is too long", out->dir);
    else
        hw_out_bytes(out, text, (size_t)n);
}

bool hw_out_close(struct hw_out *out)
{
    if (out->stream && fclose(out->stream) != 0)
        hw_fail(out->err, "%s/%s: cannot write: %s", out->dir, out->file[out->n_files].path,
                strerror(errno));
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
}

void hw_hex(const uint8_t digest[SHA256_DIGEST_SIZE], char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(hex + (size_t)2 * (size_t)i, 3, "%02x", digest[i]);
}
