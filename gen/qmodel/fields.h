// SPDX-License-Identifier: Apache-2.0
// What a quantized model's file holds, as one list: each scalar and each tensor with its name, its
// range or shape, and where its value lies in memory. Reading, writing and checking loop over it.
#ifndef HW_QMODEL_FIELDS_H
#define HW_QMODEL_FIELDS_H

#include <stddef.h>

#include "gen/error.h"
#include "refmodel/qmodel.h"

enum hw_field_kind {
    HW_FIELD_INT,
    HW_FIELD_COUNT, // of 64 bits
    HW_FIELD_BOOL,
    HW_FIELD_REAL,   // above 0, below 1e30
    HW_FIELD_VALUES, // a tensor
    HW_FIELD_CODES,  // the tensors of *matrix
    HW_FIELD_LEVELS,
    HW_FIELD_SCALE,
};
#define HW_FIELD_FIRST_TENSOR HW_FIELD_VALUES

struct hw_field {
    char name[96];
    enum hw_field_kind kind;
    union { // a scalar's value
        int *i;
        uint64_t *count;
        bool *b;
        double *real;
    };
    long long low, high; // of a scalar, both included
    bool has_usual;      // the file may lack it, and lacks it where its value is `usual`
    long long usual;

    const char *dtype; // of a tensor, in words of safetensors
    int shape[3], n_dims;
    size_t at, bytes;          // in the file, behind the header
    void *values;              // NULL: codes that were not read yet
    size_t pitch;              // bytes in memory from a row to the next; 0: no gaps
    struct hw_qmatrix *matrix; // whose codes, levels or scale these are
};

struct hw_fields {
    struct hw_field *field;
    size_t n, capacity;
    size_t bytes;         // of all tensors
    struct hw_error *err; // set by who makes an empty list
};

// Append the scalars of q->config and q->widths; the other scalars, and the tensors, in the order
// of the file. Shapes follow the number of planes in *q. q->layers is allocated. Errors: memory.
void hw_fields_of_config(struct hw_fields *f, struct hw_qmodel *q);
void hw_fields_of_model(struct hw_fields *f, struct hw_qmodel *q);
void hw_fields_free(struct hw_fields *f);

// Whether a norm of a layer has an eps_ss of its own in the file. Others have the final norm's.
bool hw_norm_has_eps(const struct hw_config *c, enum hw_norm_id id);

#endif
