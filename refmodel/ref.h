// SPDX-License-Identifier: Apache-2.0
// The bit-exact reference of the machine: one token in, logits and every intermediate tensor out.
#ifndef HW_REF_H
#define HW_REF_H

#include <stdint.h>

#include "refmodel/qmodel.h"

// Every place where the RTL is compared. Order is the order of the computation.
enum hw_tap {
    HW_TAP_EMBED,         // [dim] residual after the embedding
    HW_TAP_ATTN_NORM,     // per layer [dim] activations
    HW_TAP_K,             // per layer [n_kv_heads * head_dim] rotated keys as cached
    HW_TAP_Q,             // per layer [n_heads * head_dim] rotated queries, 12 bits
    HW_TAP_V,             // per layer [n_kv_heads * head_dim] values as cached
    HW_TAP_SCORE,         // per layer and head [pos + 1] scores, log2 units, 10 fraction bits;
                          // where windowed, at most [window], in the order of the cache
    HW_TAP_ATTN,          // per layer [n_heads * head_dim] attention output, activations
                          // (sub_norm: res_bits)
    HW_TAP_ATTN_SUB_NORM, // per layer [n_heads * head_dim] activations, where sub_norm
    HW_TAP_ATTN_RES,      // per layer [dim] residual after attention
    HW_TAP_FFN_NORM,      // per layer [dim] activations
    HW_TAP_HIDDEN,        // per layer [hidden_dim] activations (sub_norm: res_bits)
    HW_TAP_FFN_SUB_NORM,  // per layer [hidden_dim] activations, where sub_norm
    HW_TAP_FFN_RES,       // per layer [dim] residual after the FFN
    HW_TAP_FINAL_NORM,    // [dim] activations
    HW_TAP_LOGITS,        // [vocab_size]
    HW_N_TAPS
};
extern const char *const hw_tap_name[HW_N_TAPS];

// The tap whose values a matrix of a layer reads.
enum hw_tap hw_ref_operand(const struct hw_config *c, enum hw_matrix_id matrix);

// Called once for each tensor (and head) with its values.
typedef void hw_tap_fn(void *user, enum hw_tap tap, int layer, int head, const int32_t *value,
                       int n);

struct hw_ref; // the state of one sequence: KV cache and buffers

struct hw_ref *hw_ref_new(const struct hw_qmodel *q); // NULL: out of memory
void hw_ref_free(struct hw_ref *ref);
void hw_ref_tap(struct hw_ref *ref, hw_tap_fn *fn, void *user); // fn may be NULL

// Runs one token at position pos (0 <= pos < seq_len, positions in order from 0). Returns the
// logits [vocab_size], valid until the next call. want_logits = 0 skips final norm and classifier
// and returns NULL.
const int32_t *hw_ref_forward(struct hw_ref *ref, int token, int pos, int want_logits);

// One layer alone, on residual x [dim] of res_bits bits; its taps are called. Positions of a layer
// in order from 0.
void hw_ref_layer(struct hw_ref *ref, int layer, const int32_t *x, int pos);

// Index of the largest logit, the lowest index on a tie.
int hw_ref_argmax(const int32_t *logits, int n);

#endif
