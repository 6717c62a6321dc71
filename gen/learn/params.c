// SPDX-License-Identifier: Apache-2.0
// Owns the memory of all weights, or of their gradients: allocation, sums, copies from the float
// model.
#include "gen/learn/params.h"

#include <stdlib.h>
#include <string.h>

size_t hw_params_size(const struct hw_config *c, enum hw_tensor_id id)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    return hw_tensor_exists(c, id) ? (size_t)rows * (size_t)cols : 0;
}

double hw_params_bytes(const struct hw_config *c)
{
    double n = 0.0;
    for (int id = 0; id < HW_N_TENSORS; id++)
        n += (double)hw_params_size(c, (enum hw_tensor_id)id) *
             hw_tensor_layers(c, (enum hw_tensor_id)id);
    return n * sizeof(float);
}

bool hw_params_new(struct hw_params *p, const struct hw_config *c, struct hw_error *err)
{
    memset(p, 0, sizeof *p);
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = hw_params_size(c, (enum hw_tensor_id)id) *
                   (size_t)hw_tensor_layers(c, (enum hw_tensor_id)id);
        if (n && !(p->tensor[id] = calloc(n, sizeof(float)))) {
            hw_params_free(p);
            return hw_fail(err, "tuning: out of memory");
        }
    }
    return true;
}

void hw_params_free(struct hw_params *p)
{
    for (int id = 0; id < HW_N_TENSORS; id++)
        free(p->tensor[id]);
    memset(p, 0, sizeof *p);
}

static size_t all_layers(const struct hw_config *c, enum hw_tensor_id id)
{
    return hw_params_size(c, id) * (size_t)hw_tensor_layers(c, id);
}

void hw_params_clear(struct hw_params *p, const struct hw_config *c)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (p->tensor[id])
            memset(p->tensor[id], 0, all_layers(c, (enum hw_tensor_id)id) * sizeof(float));
    }
}

void hw_params_add(struct hw_params *sum, const struct hw_params *p, const struct hw_config *c)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = p->tensor[id] ? all_layers(c, (enum hw_tensor_id)id) : 0;
        for (size_t i = 0; i < n; i++)
            sum->tensor[id][i] += p->tensor[id][i];
    }
}

float *hw_params_at(const struct hw_params *p, const struct hw_config *c, enum hw_tensor_id id,
                    int layer)
{
    return p->tensor[id] + hw_params_size(c, id) * (size_t)layer;
}

bool hw_params_from(struct hw_params *p, const struct hw_float *f, const struct hw_config *c,
                    struct hw_error *err)
{
    if (!hw_params_new(p, c, err))
        return false;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = hw_params_size(c, (enum hw_tensor_id)id);
        for (int l = 0; n && l < hw_tensor_layers(c, (enum hw_tensor_id)id); l++)
            memcpy(hw_params_at(p, c, (enum hw_tensor_id)id, l),
                   hw_float_tensor(f, (enum hw_tensor_id)id, l), n * sizeof(float));
    }
    return true;
}

void hw_params_embed(const struct hw_params *p, const struct hw_config *c, const int *tokens,
                     size_t stride, int n, float *x)
{
    size_t dim = (size_t)c->dim;
    for (size_t i = 0; i < (size_t)n; i++)
        memcpy(x + i * dim, p->tensor[HW_TOK_EMBED] + (size_t)tokens[i * stride] * dim,
               dim * sizeof *x);
}
