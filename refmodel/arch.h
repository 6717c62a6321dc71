// SPDX-License-Identifier: Apache-2.0
// The architecture as data: what a layer is made of and in which order it is computed, said once.
// A row here is a matrix, a norm or an operation. Files, inspection, the quantizer, the plan, the
// program and the reference loop over the rows; importers over hw_tensor_info, whose tensors are
// these rows. The float model (gen/float/layer.c, gen/learn/backward.c) and slices of one operator
// (sim/slice.c) are written in the order of the steps, and take shapes, features and operands from
// the rows. Columns that name things of other rooms (float tensors, taps, destinations, regions)
// are tokens, and who includes this puts the prefix to them.
#ifndef HW_ARCH_H
#define HW_ARCH_H

#include <stdbool.h>

struct hw_config;

// Lengths of vectors, by what they are lengths of.
enum hw_length {
    HW_LENGTH_DIM,     // residual
    HW_LENGTH_Q,       // n_heads * head_dim
    HW_LENGTH_KV,      // n_kv_heads * head_dim
    HW_LENGTH_HEAD,    // head_dim
    HW_LENGTH_HIDDEN,  // hidden_dim
    HW_LENGTH_GATE_UP, // 2 * hidden_dim
    HW_LENGTH_VOCAB,
    HW_LENGTH_ONE,
};
int hw_length(const struct hw_config *c, enum hw_length of);

// What only some families have.
enum hw_feature {
    HW_ALWAYS,
    HW_UNTIED,   // a classifier of its own
    HW_SUB_NORM, // norms before wo and down (BitNet)
    HW_QKV_BIAS, // biases on queries, keys and values (Qwen2)
    HW_QK_NORM,  // a norm over each head of queries and keys (Qwen3)
};
bool hw_has(const struct hw_config *c, enum hw_feature feature);

// M(member of struct hw_qlayer, name, rows, columns,
//   float tensor, tap it reads (of the float model and of the reference), destination, region)
// Rows of gate_up are those of two float tensors in turn: W_GATE, then the tensor behind it.
#define HW_LAYER_MATRICES(M)                                                                       \
    M(wk, "attention.wk", KV, DIM, WK, ATTN_NORM, K, X)                                            \
    M(wq, "attention.wq", Q, DIM, WQ, ATTN_NORM, Q, X)                                             \
    M(wv, "attention.wv", KV, DIM, WV, ATTN_NORM, V, X)                                            \
    M(wo, "attention.wo", DIM, Q, WO, ATTN, ADD, A)                                                \
    M(gate_up, "feed_forward.gate_up", GATE_UP, DIM, W_GATE, FFN_NORM, HIDDEN, X)                  \
    M(down, "feed_forward.down", DIM, HIDDEN, W_DOWN, HIDDEN, ADD, H)

// N(member, name, elements, where, float tensor of its gains,
//   region it writes: X is normed from the residual, A and H from what attention and SwiGLU made;
//   NONE: a norm of heads, whose rows go on to the rotation)
#define HW_LAYER_NORMS(N)                                                                          \
    N(attn_norm, "attention_norm", DIM, ALWAYS, ATTN_NORM, X)                                      \
    N(ffn_norm, "ffn_norm", DIM, ALWAYS, FFN_NORM, X)                                              \
    N(attn_sub_norm, "attention.sub_norm", Q, SUB_NORM, ATTN_SUB_NORM, A)                          \
    N(ffn_sub_norm, "feed_forward.sub_norm", HIDDEN, SUB_NORM, FFN_SUB_NORM, H)                    \
    N(k_norm, "attention.k_norm", HEAD, QK_NORM, K_NORM, NONE)                                     \
    N(q_norm, "attention.q_norm", HEAD, QK_NORM, Q_NORM, NONE)

// B(member, name, matrix whose rows it is added to, where, float tensor), in the order of the rows
#define HW_LAYER_BIASES(B)                                                                         \
    B(bk, "attention.bk", wk, QKV_BIAS, BK)                                                        \
    B(bq, "attention.bq", wq, QKV_BIAS, BQ)                                                        \
    B(bv, "attention.bv", wv, QKV_BIAS, BV)

// The program of a layer, in order: S(operation, number of its row). ATTENTION stands before what
// it waits for (sequencer.v).
#define HW_LAYER_STEPS(S)                                                                          \
    S(NORM, HW_NORM_attn_norm)                                                                     \
    S(HEAD_NORMS, 0)                                                                               \
    S(ATTENTION, 0)                                                                                \
    S(MATRIX, HW_MATRIX_wk)                                                                        \
    S(MATRIX, HW_MATRIX_wq)                                                                        \
    S(MATRIX, HW_MATRIX_wv)                                                                        \
    S(NORM, HW_NORM_attn_sub_norm)                                                                 \
    S(MATRIX, HW_MATRIX_wo)                                                                        \
    S(NORM, HW_NORM_ffn_norm)                                                                      \
    S(MATRIX, HW_MATRIX_gate_up)                                                                   \
    S(NORM, HW_NORM_ffn_sub_norm)                                                                  \
    S(MATRIX, HW_MATRIX_down)

#define HW_ARCH_MATRIX_ID(member, ...) HW_MATRIX_##member,
#define HW_ARCH_NORM_ID(member, ...) HW_NORM_##member,
enum hw_matrix_id { HW_LAYER_MATRICES(HW_ARCH_MATRIX_ID) HW_N_MATRICES };
enum hw_norm_id { HW_LAYER_NORMS(HW_ARCH_NORM_ID) HW_N_NORMS };
#define HW_ARCH_BIAS_ID(member, ...) HW_BIAS_##member,
enum hw_bias_id { HW_LAYER_BIASES(HW_ARCH_BIAS_ID) HW_N_BIASES };
#define HW_ARCH_COUNT(...) +1
enum { HW_N_STEPS = HW_LAYER_STEPS(HW_ARCH_COUNT) };

struct hw_matrix_row {
    const char *name; // within a layer
    enum hw_length n_out, n_in;
};
struct hw_norm_row {
    const char *name;
    enum hw_length n;
    enum hw_feature where;
};
struct hw_bias_row {
    const char *name;
    enum hw_matrix_id matrix;
    enum hw_feature where;
};
extern const struct hw_bias_row hw_bias_row[HW_N_BIASES];
extern const struct hw_matrix_row hw_matrix_row[HW_N_MATRICES];
extern const struct hw_norm_row hw_norm_row[HW_N_NORMS];

enum hw_step_kind { HW_STEP_NORM, HW_STEP_HEAD_NORMS, HW_STEP_ATTENTION, HW_STEP_MATRIX };
extern const struct hw_step {
    enum hw_step_kind kind;
    int id; // enum hw_norm_id, enum hw_matrix_id
} hw_step[HW_N_STEPS];
bool hw_step_exists(const struct hw_config *c, const struct hw_step *step);

// Gains of all norms of a layer, and its biases: what the gain ROM holds of it.
long hw_layer_gains(const struct hw_config *c);

// Positions whose keys and values layer l keeps, and sees: those of its window, or the context.
// They are a ring: position pos lies at pos modulo that many.
int hw_positions_kept(const struct hw_config *c, int l);

// Elements of a bias.
int hw_bias_length(const struct hw_config *c, enum hw_bias_id bias);

// The matrix of this name, or HW_N_MATRICES.
enum hw_matrix_id hw_matrix_find(const char *name);

#endif
