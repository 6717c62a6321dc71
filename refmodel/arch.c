// SPDX-License-Identifier: Apache-2.0
#include "refmodel/arch.h"

#include <string.h>

#include "refmodel/qmodel.h"

#define MATRIX_ROW(member, name, rows, columns, ...) {name, HW_LENGTH_##rows, HW_LENGTH_##columns},
#define NORM_ROW(member, name, elements, where, ...) {name, HW_LENGTH_##elements, HW_##where},
const struct hw_matrix_row hw_matrix_row[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_ROW)};
#define BIAS_ROW(member, name, matrix, where, ...) {name, HW_MATRIX_##matrix, HW_##where},
const struct hw_bias_row hw_bias_row[HW_N_BIASES] = {HW_LAYER_BIASES(BIAS_ROW)};
const struct hw_norm_row hw_norm_row[HW_N_NORMS] = {HW_LAYER_NORMS(NORM_ROW)};
#define STEP_ROW(kind, id) {HW_STEP_##kind, id},
const struct hw_step hw_step[HW_N_STEPS] = {HW_LAYER_STEPS(STEP_ROW)};

int hw_length(const struct hw_config *c, enum hw_length of)
{
    switch (of) {
    case HW_LENGTH_DIM:
        return c->dim;
    case HW_LENGTH_Q:
        return c->n_heads * c->head_dim;
    case HW_LENGTH_KV:
        return c->n_kv_heads * c->head_dim;
    case HW_LENGTH_HEAD:
        return c->head_dim;
    case HW_LENGTH_HIDDEN:
        return c->hidden_dim;
    case HW_LENGTH_GATE_UP:
        return 2 * c->hidden_dim;
    case HW_LENGTH_VOCAB:
        return c->vocab_size;
    case HW_LENGTH_ONE:
        return 1;
    }
    return 0;
}

bool hw_has(const struct hw_config *c, enum hw_feature feature)
{
    switch (feature) {
    case HW_ALWAYS:
        return true;
    case HW_UNTIED:
        return !c->tied;
    case HW_SUB_NORM:
        return c->sub_norm;
    case HW_QKV_BIAS:
        return c->qkv_bias;
    case HW_QK_NORM:
        return c->qk_norm;
    }
    return false;
}

enum hw_matrix_id hw_matrix_find(const char *name)
{
    int i = 0;
    while (i < HW_N_MATRICES && strcmp(hw_matrix_row[i].name, name) != 0)
        i++;
    return (enum hw_matrix_id)i;
}

bool hw_step_exists(const struct hw_config *c, const struct hw_step *step)
{
    switch (step->kind) {
    case HW_STEP_NORM:
        return hw_has(c, hw_norm_row[step->id].where);
    case HW_STEP_HEAD_NORMS:
        return hw_has(c, HW_QK_NORM);
    case HW_STEP_ATTENTION:
    case HW_STEP_MATRIX:
        return true;
    }
    return false;
}

int hw_positions_kept(const struct hw_config *c, int l)
{
    return c->window > 0 && c->windowed[l] ? c->window : c->seq_len;
}

int hw_bias_length(const struct hw_config *c, enum hw_bias_id bias)
{
    return hw_length(c, hw_matrix_row[hw_bias_row[bias].matrix].n_out);
}

long hw_layer_gains(const struct hw_config *c)
{
    long n = 0;
    for (int i = 0; i < HW_N_NORMS; i++)
        n += hw_has(c, hw_norm_row[i].where) ? hw_length(c, hw_norm_row[i].n) : 0;
    for (int i = 0; i < HW_N_BIASES; i++)
        n += hw_has(c, hw_bias_row[i].where) ? hw_bias_length(c, (enum hw_bias_id)i) : 0;
    return n;
}
