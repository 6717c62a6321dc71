// SPDX-License-Identifier: Apache-2.0
// A layer of the float model, in the order of the Llama paper, said once: calibration, scoring,
// sampling and tuning run it, each with products and attention of its own. Vectors are [n][width],
// a row a token.
#ifndef HW_LAYER_H
#define HW_LAYER_H

#include "gen/read/model.h"

// Tensors an observer sees, in the order of the computation.
enum hw_float_tap {
    HW_FLOAT_RESIDUAL,    // [dim], after the embedding and after every addition
    HW_FLOAT_ATTN_NORM,   // [dim], normed
    HW_FLOAT_Q_ROW,       // [n_heads * head_dim], before the norms of heads, only where qk_norm
    HW_FLOAT_Q,           // [n_heads * head_dim], rotated
    HW_FLOAT_K_ROW,       // [n_kv_heads * head_dim], before the norms of heads, only where qk_norm
    HW_FLOAT_K,           // [n_kv_heads * head_dim], rotated
    HW_FLOAT_V,           // [n_kv_heads * head_dim]
    HW_FLOAT_ATTN_SIDE,   // [n_heads * head_dim], before its norm, only where sub_norm
    HW_FLOAT_ATTN,        // [n_heads * head_dim], what wo reads
    HW_FLOAT_FFN_NORM,    // [dim], normed
    HW_FLOAT_GATE,        // [hidden_dim]
    HW_FLOAT_UP,          // [hidden_dim]
    HW_FLOAT_HIDDEN_SIDE, // [hidden_dim], before its norm, only where sub_norm
    HW_FLOAT_HIDDEN,      // [hidden_dim], what down reads
    HW_FLOAT_FINAL_NORM,  // [dim], normed
    HW_FLOAT_LOGITS,      // [vocab_size]
    HW_N_FLOAT_TAPS
};

// What a matrix of a layer is made of and reads (arch.h). Where the matrix is of interleaved rows,
// the tensor behind this one has the others.
extern const struct hw_matrix_origin {
    enum hw_tensor_id tensor;
    enum hw_float_tap input;
    bool interleaved;
} hw_matrix_origin[HW_N_MATRICES];

enum { HW_QUERIES, HW_KEYS, HW_VALUES }; // of hw_projection

// Where a layer's vectors lie, [n][width] each. A backward pass needs them apart. Without one,
// these may share memory: mid and out with x; change with normed and mid_normed; row[i] with
// made[i]; and hidden with gate, if the user's swiglu allows it.
struct hw_layer_vectors {
    float *x;                      // [dim] residual on entry
    float *normed;                 // [dim] what queries, keys and values read
    float *row[HW_N_PROJECTIONS];  // [projection's width] before the norm of heads, where one is
    float *made[HW_N_PROJECTIONS]; // [projection's width] what attention reads
    float *attn;                   // [n_heads * head_dim] what wo reads
    float *mid;                    // [dim] residual after attention
    float *mid_normed;             // [dim] what gate and up read
    float *gate, *up;              // [hidden_dim]
    float *hidden;                 // [hidden_dim] what down reads
    float *out;                    // [dim] residual on exit
    float *change;                 // [dim] what wo, then down, adds to the residual
    // 1 / rms of each normed vector, or NULL: not wanted
    float *inverse, *mid_inverse, *row_inverse[HW_N_PROJECTIONS];
};

struct hw_pass;

// How one user of the layer computes what others compute in another way.
struct hw_kernels {
    // y[n][rows] = x[n][cols] times the tensor's transpose
    void (*multiply)(const struct hw_pass *p, enum hw_tensor_id id, int layer, const float *x,
                     float *y);
    const float *(*vector)(const struct hw_pass *p, enum hw_tensor_id id, int layer);
    // y = x / sqrt(mean square + eps) * gain for `rows` rows of x[rows][width]; y may be x
    void (*norm)(const float *x, int rows, int width, const float *gain, double eps, float *inverse,
                 float *y);
    // From made to attn, by the positions that the layer keeps.
    void (*attend)(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v);
    // hidden = gate * sigmoid(gate) * up; whether hidden may be gate, each says
    void (*swiglu)(const float *gate, const float *up, size_t size, float *hidden);
    // NULL: nobody looks
    void (*see)(const struct hw_pass *p, enum hw_float_tap tap, int layer, const float *v,
                int width);
};

struct hw_pass {
    const struct hw_config *c;
    double eps;             // of the norms of layers
    int n;                  // tokens
    const int *pos;         // [n] their positions
    const float *cos, *sin; // [positions][head_dim / 2], of hw_rope_table
    const struct hw_kernels *kernels;
    void *user;
};

// From v->x to v->out.
void hw_layer_forward(const struct hw_pass *p, int layer, const struct hw_layer_vectors *v);

// Angles of positions 0..positions-1.
void hw_rope_table(const struct hw_config *c, int positions, float *cos, float *sin);

// Every pair of v[n][width] by its position's angle; sign -1 rotates back.
void hw_rotate_rows(const struct hw_pass *p, float *v, int width, float sign);

// Elements of projection i, one of HW_QUERIES...
int hw_projection_width(const struct hw_config *c, int i);

#endif
