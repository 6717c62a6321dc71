// SPDX-License-Identifier: Apache-2.0
// For the fuzz targets: files in memory under the names that the readers ask for. tests/fuzz.sh
// links them in place of the file system (ld --wrap), so that an input costs no system call, and
// every file is an allocation of its exact size, whose bounds the sanitizer watches.
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_FOLDER "fuzz:"

// Forgets all files. Then adds one, FUZZ_FOLDER/name; data must live as long as it is read.
void fuzz_no_files(void);
void fuzz_file(const char *name, const uint8_t *data, size_t size);
// What every name says that has no file of its own.
void fuzz_other_files(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
