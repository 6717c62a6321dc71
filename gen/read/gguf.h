// SPDX-License-Identifier: Apache-2.0
// The GGUF container (github.com/ggml-org/ggml, docs/gguf.md), versions 2 and 3, little endian:
// keyed metadata and named tensors. Knows nothing of models.
#ifndef HW_GGUF_H
#define HW_GGUF_H

#include "gen/read/cursor.h"

enum hw_gguf_type {
    HW_GGUF_U8,
    HW_GGUF_I8,
    HW_GGUF_U16,
    HW_GGUF_I16,
    HW_GGUF_U32,
    HW_GGUF_I32,
    HW_GGUF_F32,
    HW_GGUF_BOOL,
    HW_GGUF_STRING,
    HW_GGUF_ARRAY,
    HW_GGUF_U64,
    HW_GGUF_I64,
    HW_GGUF_F64,
    HW_GGUF_N_TYPES
};

// Bytes inside the mapping, not NUL-terminated.
struct hw_text {
    const char *bytes;
    size_t len;
};

struct hw_gguf_pair {
    struct hw_text key;
    enum hw_gguf_type type; // of the value, or of the elements of an array
    bool is_array;
    uint64_t count;       // elements; 1 where it is no array
    const uint8_t *value; // first element
};

struct hw_gguf_tensor {
    struct hw_text name;
    uint32_t ggml_type;
    int n_dims;
    uint64_t dims[4]; // fastest first; 1 beyond n_dims; their product is below 2^62
    uint64_t offset;  // from the start of the data
};

struct hw_gguf {
    const struct hw_file *file;
    uint32_t version;
    struct hw_gguf_pair *pairs; // by key
    size_t n_pairs;
    struct hw_gguf_tensor *tensors; // by name
    size_t n_tensors;
    uint32_t alignment;
    size_t data_start; // of tensor data, in the file
};

bool hw_is_gguf(const struct hw_file *file);

// Reads everything but the tensors' data. Refuses duplicate keys and names, and offsets that are
// not aligned. On failure *g needs no freeing.
bool hw_gguf_open(struct hw_gguf *g, const struct hw_file *file, struct hw_error *err);
void hw_gguf_close(struct hw_gguf *g);

// NULL where there is none.
const struct hw_gguf_pair *hw_gguf_find(const struct hw_gguf *g, const char *key);
const struct hw_gguf_tensor *hw_gguf_find_tensor(const struct hw_gguf *g, const char *name);

// Each sets *value and returns true where the key exists and fits, returns true and leaves *value
// (the default) where there is no such key, and otherwise fails.
bool hw_gguf_int(const struct hw_gguf *g, const char *key, int *value, struct hw_error *err);
bool hw_gguf_real(const struct hw_gguf *g, const char *key, double *value, struct hw_error *err);
bool hw_gguf_bool(const struct hw_gguf *g, const char *key, bool *value, struct hw_error *err);
bool hw_gguf_string(const struct hw_gguf *g, const char *key, struct hw_text *value,
                    struct hw_error *err);

// An array of `type`, or NULL and an error, also where there is no such key.
const struct hw_gguf_pair *hw_gguf_array(const struct hw_gguf *g, const char *key,
                                         enum hw_gguf_type type, struct hw_error *err);
// Steps through an array of strings; start with *at = pair->value and call at most count times.
struct hw_text hw_gguf_next_string(const uint8_t **at);

bool hw_text_is(struct hw_text text, const char *string);

#endif
