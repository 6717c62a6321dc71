// SPDX-License-Identifier: Apache-2.0
// What a file is that no reader here takes, known by its first bytes or, of a folder, by its names:
// what people have in place of a checkpoint.
#ifndef HW_KIND_H
#define HW_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A few words for an error, with the remedy where there is one; NULL: nothing that is known. The
// bytes are all of the file.
enum { HW_FOREIGN_WORDS_SIZE = 400 };
const char *hw_foreign_bytes(const uint8_t *bytes, size_t n, char words[HW_FOREIGN_WORDS_SIZE]);
// The same where they are a safetensors file that ends in its header; NULL: they are not.
const char *hw_cut_safetensors(const uint8_t *bytes, size_t n, char words[HW_FOREIGN_WORDS_SIZE]);

// Whether a folder holds weights, but none of a whole model in safetensors: words for the first
// such file by name, with it and with the remedy.
bool hw_foreign_folder(const char *path, char words[HW_FOREIGN_WORDS_SIZE]);

#endif
