// SPDX-License-Identifier: Apache-2.0
// Well-known public models by name, without weights: their dimensions, and what a token needs on
// given lanes. Dense ones are laid out and counted by the generator's own plan and cycle model;
// mixtures of experts and latent attention, which the generator does not build, are counted.
#ifndef HW_SHAPES_H
#define HW_SHAPES_H

#include "gen/chip/plan.h"
#include "gen/cost/cost.h"

struct hw_shape {
    const char *name, *title, *source;
    int dim, hidden_dim, n_layers, n_heads, n_kv_heads, head_dim, vocab_size, seq_len;
    bool tied, qkv_bias, qk_norm; // as struct hw_config has them
    int window, windowed_layers;  // so many layers see, and keep, the last `window` positions
    // Mixture of experts (0: dense): layers from dense_layers on have n_experts of which a token
    // uses n_used, and n_shared that all tokens use, each of expert_dim.
    int n_experts, n_used, n_shared, expert_dim, dense_layers;
    // Latent attention (0: none): q through q_rank, K and V through kv_rank, which is cached with
    // rope_dim elements that all heads share; head_dim without rotation, and v_dim.
    int q_rank, kv_rank, rope_dim, v_dim;
};

const struct hw_shape *hw_shape_find(const char *name); // NULL: no such name
// The i-th one, or NULL.
const struct hw_shape *hw_shape_at(int i);

struct hw_bits {                    // of a shape's weights
    int bits, wide_bits, code_bits; // wide: embedding, classifier, wk, wv
    int act_bits, kv_bits;
};

// Parameters in all and those that a token uses (norms left out), as a check against what the
// model's makers publish.
void hw_shape_weights(const struct hw_shape *s, double *all, double *used);

// The geometry of a shape where its rows are 0: lanes for a token in about 60,000 clocks, as HC1,
// vectors and attention wide enough not to be the larger part. Fields that are set are kept.
void hw_shape_geometry(const struct hw_shape *s, const struct hw_bits *b, int context,
                       struct hw_geometry *g);

// The generator's own layout of a dense shape with random weights. On success the caller frees
// both.
bool hw_shape_plan(const struct hw_shape *s, const struct hw_bits *b, int context,
                   const struct hw_geometry *g, struct hw_qmodel *q, struct hw_plan *plan,
                   struct hw_error *err);
// Whether the generator builds the shape, and walking its clocks is a matter of a second.
bool hw_shape_is_exact(const struct hw_shape *s, const struct hw_bits *b, int context,
                       const struct hw_geometry *g);

// What a plan needs: ROMs as laid out, clocks by the cycle model at its first and last position.
void hw_load_of_plan(const struct hw_plan *plan, struct hw_load *load);
// The same of a shape and a context. Exact where the generator builds the model (*exact), counted
// otherwise: ceil(rows) x ceil(columns) words a matrix and plane, a clock a head and group of
// positions, and HW_COUNTED_LAYER + HW_COUNTED_VECTOR * dim / vec clocks a layer, fitted to exact
// ones (within 8%, tests/test_cost.c). An error: dimensions no geometry holds.
#define HW_COUNTED_LAYER 100.0
#define HW_COUNTED_VECTOR 2.6
bool hw_load_of_shape(const struct hw_shape *s, const struct hw_bits *b, int context,
                      const struct hw_geometry *g, struct hw_load *load, bool *exact,
                      struct hw_error *err);
// Its ROM by kind of matrix, counted: bits of weights, and bits that pad its words.
typedef void hw_each_kind(void *user, const char *kind, double bits, double padding);
void hw_shape_kinds(const struct hw_shape *s, const struct hw_bits *b, const struct hw_geometry *g,
                    hw_each_kind *each, void *user);
// Counted, whatever the shape.
void hw_load_counted(const struct hw_shape *s, const struct hw_bits *b, int context,
                     const struct hw_geometry *g, struct hw_load *load);

#endif
