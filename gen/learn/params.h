// SPDX-License-Identifier: Apache-2.0
// All weights of a model in memory, as tuning changes them, or their gradients.
#ifndef HW_PARAMS_H
#define HW_PARAMS_H

#include "gen/float/float_model.h"

// A float for every weight of a model (or its gradient): [n_layers][rows][cols] of each tensor.
struct hw_params {
    float *tensor[HW_N_TENSORS]; // HW_OUTPUT is NULL where tied
};

size_t hw_params_size(const struct hw_config *c, enum hw_tensor_id id); // of one layer, in floats
bool hw_params_new(struct hw_params *p, const struct hw_config *c, struct hw_error *err);
// The float model's own weights.
bool hw_params_from(struct hw_params *p, const struct hw_float *f, const struct hw_config *c,
                    struct hw_error *err);
void hw_params_free(struct hw_params *p);
void hw_params_clear(struct hw_params *p, const struct hw_config *c);
void hw_params_add(struct hw_params *sum, const struct hw_params *p, const struct hw_config *c);
float *hw_params_at(const struct hw_params *p, const struct hw_config *c, enum hw_tensor_id id,
                    int layer);
// x[n][dim], the embeddings of n tokens that lie `stride` apart.
void hw_params_embed(const struct hw_params *p, const struct hw_config *c, const int *tokens,
                     size_t stride, int n, float *x);
// Bytes of one set of parameters.
double hw_params_bytes(const struct hw_config *c);

#endif
