// SPDX-License-Identifier: Apache-2.0
// What the machine holds at most, and why: readers, files, synthetic models, geometries and
// manifests all ask here.
#ifndef HW_LIMITS_H
#define HW_LIMITS_H

enum {
    // a sum of that many squares of a residual has 2 * res_bits + 14 bits (rmsnorm.v, SS_W); the
    // normed vectors of a sub-norm are as long
    HW_MAX_DIM = 65535,
    HW_MAX_Q_DIM = 65535,       // n_heads * head_dim: the same sum, where a norm follows attention
    HW_MAX_HIDDEN_DIM = 262144, // rows are counted in 20 bits (isa.h, `rows`), gate and up together
    HW_MAX_LAYERS = 1024,       // what keeps kv_rows, layers times KV heads, in 20 bits
    HW_MAX_HEADS = 255,         // counted in 8 bits (engine.v, HEAD_W)
    HW_MAX_HEAD_DIM = 1024,     // sums of attention (ops.c), and `spacing` in 9 bits (attention.v)
    HW_MIN_VOCAB_SIZE = 2,      // one token leaves nothing to choose, and no id for a text's start
    HW_MAX_VOCAB_SIZE = 524288, // logits are counted in 20 bits, pairs of a row in the drain
    HW_MAX_SEQ_LEN = 524288,    // positions are counted in 20 bits, one more than the last included
    // Widths. The least are the narrowest that random shapes are simulated with (tests/shape.c).
    HW_MIN_WEIGHT_BITS = 2,
    HW_MAX_WEIGHT_BITS = 8, // a level, and a sum of levels, is a signed byte (msa_array.v)
    HW_MIN_CODE_BITS = 2,   // a weight of 8 bits takes 4 planes of these
    HW_MAX_CODE_BITS = 4,   // a column has a product for each code, 16 (msa_array.v)
    HW_MIN_ACT_BITS = 4,
    HW_MAX_ACT_BITS = 12, // sums of HW_MAX_HIDDEN_DIM products in the 40 bits of requant (fixed.h)
    HW_MIN_KV_BITS = 4,
    HW_MAX_KV_BITS = 12, // as queries (rope.v); a sum of HW_MAX_SEQ_LEN values in 62 bits (fixed.h)
    HW_MIN_RES_BITS = 16, // coarser ones cost more than 6.5% of perplexity (quantize.c)
    HW_MAX_RES_BITS = 24, // the drain's rows (drain.v, y), and squares in 62 bits: see HW_MAX_DIM
    // A float checkpoint may promise more: --ctx bakes less, and other dimensions are refused by
    // the limits above, by name. Beyond these it is taken as damaged.
    HW_FILE_MAX_DIM = 1 << 16,
    HW_FILE_MAX_VOCAB_SIZE = 1 << 20,
    HW_FILE_MAX_SEQ_LEN = 1 << 24,
    // Lanes and positions side by side: more is no chip, and their products stay in 31 bits.
    HW_MAX_ROWS = 1 << 16,
    HW_MAX_COLS = 1 << 11, // columns of a chunk are counted in 12 bits (isa.h, `last_cols`)
    HW_MAX_ATT_POS = 1 << 16,
    HW_MAX_WEIGHT_ADDR_BITS = 28, // isa.h, `weight`
    HW_MAX_WEIGHT_WORDS = 1 << HW_MAX_WEIGHT_ADDR_BITS,
    HW_MAX_TABLE_ADDR_BITS = 20, // isa.h, `scale`, `gain`; levels and program have fewer words
    HW_MAX_TABLE_WORDS = 1 << HW_MAX_TABLE_ADDR_BITS,
    HW_MAX_KV_ROWS = 1 << 20, // isa.h, `kv_row`
    HW_MAX_KV_WORDS =
        1 << 28,            // of keys, rows times groups of positions: products of bits below 2^63
    HW_MAX_TOKEN_BITS = 19, // of HW_MAX_VOCAB_SIZE
    HW_MAX_POSITION_BITS = 19, // of HW_MAX_SEQ_LEN
    HW_MIN_ACC_BITS = 24,      // the drain takes rows of 24 bits through it (engine.v)
    HW_MAX_ACC_BITS = 40,      // requant (fixed.h)
    HW_MAX_CTX = 1 << 20       // a power of two that holds HW_MAX_SEQ_LEN and 2 * att_pos
};

#endif
