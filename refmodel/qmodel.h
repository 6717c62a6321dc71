// SPDX-License-Identifier: Apache-2.0
// The quantized model: all that the integer machine knows about a checkpoint. Beside it what only
// the host reads: real numbers that integers here come from (rope_base, rope_divisor, norm_eps) or
// are read by (logit_scale), the reference's table of weights, the seed of made-up codes, the file
// that codes lie in. gen/ fills it from a file, refmodel/ runs it, the emitter turns it into ROMs.
#ifndef HW_QMODEL_H
#define HW_QMODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "refmodel/arch.h"
#include "refmodel/limits.h"

enum {
    HW_MAX_PLANES = HW_MAX_WEIGHT_BITS / HW_MIN_CODE_BITS,
    HW_MAX_LEVELS = 1 << HW_MAX_CODE_BITS, // 2^code_bits
    HW_MAX_SCALED_PAIRS = 128,             // of a head whose rotation is scaled
};

#define HW_MAX_ROPE_DIVISOR 1e6

// The dimensions of a Llama-shaped model, and what its family adds.
struct hw_config {
    int dim;        // residual width
    int hidden_dim; // FFN width
    int n_layers;
    int n_heads;
    int n_kv_heads; // divides n_heads
    int head_dim;   // even; n_heads * head_dim is the attention width
    int vocab_size;
    int seq_len;   // context
    int bos;       // the token that texts begin with, 0..vocab_size-1
    bool tied;     // classifier is the embedding
    bool sub_norm; // RMSNorm before wo and down too (BitNet's SubLN)
    bool qkv_bias; // biases on queries, keys and values (Qwen2)
    bool qk_norm;  // RMSNorm over each head of queries and keys, before rotation (Qwen3)
    // Attention of a windowed layer sees the last `window` positions, its own included (Mistral).
    int window; // 1..seq_len - 1, or 0: every layer sees all positions
    bool windowed[HW_MAX_LAYERS];
    double rope_base;
    // Context extension (Llama 3.1, linear scaling): pair i turns rope_divisor[i] times slower, the
    // values 1..1e6. All 0 where rotation is plain.
    double rope_divisor[HW_MAX_SCALED_PAIRS];
    double norm_eps;
};

// Widths of the machine that change its numbers (the geometry's other knobs do not); limits.h has
// their ranges.
struct hw_widths {
    int code_bits; // bits of one weight code
    int act_bits;  // matvec inputs, default 10
    int kv_bits;   // KV cache entries, default 10
    int res_bits;  // residual stream, default 20
};

// One weight matrix. Weight [r][c] is sum over planes p of levels[p][code[p][r][c]], in -128..127,
// times the row scale. Row scale word: see hw_requant in fixed.h.
struct hw_qmatrix {
    int n_out, n_in;
    int n_planes;
    int16_t levels[HW_MAX_PLANES][HW_MAX_LEVELS]; // each -128..127
    uint8_t *codes;                               // [n_planes][n_out][n_in]; NULL: from `seed`
    uint64_t seed;                                // gen/qmodel/synthetic.h
    bool mapped;                                  // codes lie in the model's file
    uint16_t *scale;                              // [n_out]
    int shift;                                    // base shift of the requantizer, 15..62
    int16_t *weight; // [n_out][n_in], from codes and levels; NULL in a model that is not run
};

struct hw_qnorm {
    int16_t *gain;   // one an element, units of the norm's output / 2^(17 - shift)
    int shift;       // 1..40
    uint64_t eps_ss; // elements * eps in units of the input squared, at least 1, below 2^32
};

// The matrices and norms of arch.h, by name and by number: layer.wk is layer.matrix[HW_MATRIX_wk].
// Rows of gate_up are interleaved: gate 0, up 0, gate 1, ... A norm that the family lacks is zero.
#define HW_QLAYER_MATRIX(member, ...) struct hw_qmatrix member;
#define HW_QLAYER_NORM(member, ...) struct hw_qnorm member;
#define HW_QLAYER_BIAS(member, ...) int16_t *member;
struct hw_qlayer {
    union {
        struct hw_qnorm norm[HW_N_NORMS];
        struct {
            HW_LAYER_NORMS(HW_QLAYER_NORM)
        };
    };
    union {
        struct hw_qmatrix matrix[HW_N_MATRICES];
        struct {
            HW_LAYER_MATRICES(HW_QLAYER_MATRIX)
        };
    };
    union { // [n_out of its matrix], added to rows in the unit they have; NULL: none
        int16_t *bias[HW_N_BIASES];
        struct {
            HW_LAYER_BIASES(HW_QLAYER_BIAS)
        };
    };
    int score_shift;  // 64 * raw score -> log2 units with 10 fraction bits, 0..40
    int att_shift;    // left shift of the attention output, 0..7
    int hidden_shift; // silu(gate) * up -> activation (sub_norm: res_bits), 1..40
};

// cos and sin of high-part and low-part angles, Q1.14: position = hi * 2^lo_bits + lo.
struct hw_rope {
    int lo_bits, n_hi;        // n_lo = 2^lo_bits, n_hi * n_lo >= seq_len
    int16_t *hi_cos, *hi_sin; // [n_hi][head_dim / 2]
    int16_t *lo_cos, *lo_sin; // [n_lo][head_dim / 2]
};

struct hw_qmodel {
    struct hw_config config;
    struct hw_widths widths;
    struct hw_qlayer *layers;
    struct hw_qmatrix embed; // [vocab_size][dim]; embed.shift is for the classifier where tied
    struct hw_qmatrix head;  // untied classifier; where tied, n_planes is 0 and embed serves
    int embed_shift;         // requantizer shift of an embedding row (weight << 8), 15..62
    struct hw_qnorm final_norm;
    struct hw_rope rope;
    double logit_scale; // one logit unit as a float, for perplexity only
    void *file;         // what holds mapped codes (gen/read/cursor.h), or NULL
};

// The matrix the classifier reads.
static inline const struct hw_qmatrix *hw_classifier(const struct hw_qmodel *m)
{
    return m->config.tied ? &m->embed : &m->head;
}

#endif
