// SPDX-License-Identifier: Apache-2.0
// Files of an output directory: printed, hashed while they are written, remembered for the manifest.
#ifndef HW_VERILOG_H
#define HW_VERILOG_H

#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>

#include "gen/error.h"

#define HW_VERSION "0.1.0"

struct hw_out_file {
    char path[96];               // relative to the directory
    uint8_t sha256[SHA256_DIGEST_SIZE];
};

struct hw_out {
    const char *dir;
    struct hw_error *err;
    struct hw_out_file *file; // those written so far
    int n_files;
    FILE *stream; // of the file being written
    struct sha256_ctx hash;
};

void hw_out_open(struct hw_out *out, const char *path);
void hw_out_bytes(struct hw_out *out, const char *bytes, size_t n);
void hw_out_print(struct hw_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool hw_out_close(struct hw_out *out); // false once anything has failed
void hw_out_free(struct hw_out *out);

// Hexadecimal of a digest, NUL-terminated.
void hw_hex(const uint8_t digest[SHA256_DIGEST_SIZE], char hex[2 * SHA256_DIGEST_SIZE + 1]);

#endif
