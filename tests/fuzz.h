// SPDX-License-Identifier: Apache-2.0
// For the fuzz harnesses: the readers take paths, so each input becomes a file.
//
// With libFuzzer: clang -fsanitize=fuzzer,address,undefined -I. tests/fuzz_X.c, gen without main.
// Without: any compiler, and tests/fuzz_replay.c, which also mutates.
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_write(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        perror(path);
        abort();
    }
}

#endif
