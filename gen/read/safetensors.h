// SPDX-License-Identifier: Apache-2.0
// The safetensors container (github.com/huggingface/safetensors): named tensors of up to two
// dimensions. Knows nothing of models.
#ifndef HW_SAFETENSORS_H
#define HW_SAFETENSORS_H

#include <jansson.h>

#include "gen/read/cursor.h"

enum { HW_MOST_SAFETENSORS_HEADER = 100 * 1000 * 1000 }; // bytes, as the format says

struct hw_safetensor {
    const char *name;  // lives as long as the container
    const char *dtype; // "F32", "BF16", ...
    const struct hw_file *file;
    uint64_t begin, end; // in the data
    const uint8_t *data;
    int n_dims;
    int64_t dims[2]; // slowest first; 1 beyond n_dims; {0, 0} where n_dims is not 1 or 2
};

struct hw_safetensors {
    json_t **headers; // one a file
    size_t n_files;
    struct hw_safetensor *tensors; // of all files, by name
    size_t n_tensors;
};

// Whether a file begins with the length of a JSON header that lies inside it.
bool hw_is_safetensors(const char *path);
// The same of a file that is mapped already.
bool hw_file_is_safetensors(const struct hw_file *file);

// Reads the headers of all files (the shards of one model). Refuses data that overlaps, leaves
// gaps or does not reach the end of its file, and names that come twice. On failure *s needs no
// freeing.
bool hw_safetensors_open(struct hw_safetensors *s, const struct hw_file *files, size_t n_files,
                         struct hw_error *err);
void hw_safetensors_close(struct hw_safetensors *s);
const struct hw_safetensor *hw_safetensors_find(const struct hw_safetensors *s, const char *name);

#endif
