// SPDX-License-Identifier: Apache-2.0
// What a file is that no reader here takes, told by its first bytes or, of a folder, by its names:
// what people have in place of a checkpoint.
#ifndef HW_KIND_H
#define HW_KIND_H

#include <stddef.h>
#include <stdint.h>

// A few words for an error, with the remedy where there is one; NULL: nothing that is known.
const char *hw_foreign_bytes(const uint8_t *bytes, size_t n);

// Of a folder that holds weights in another format than safetensors: the name of the first such
// file, in *name, and words for it; NULL: none such.
enum { HW_FOREIGN_NAME_SIZE = 256 };
const char *hw_foreign_folder(const char *path, char name[HW_FOREIGN_NAME_SIZE]);

#endif
