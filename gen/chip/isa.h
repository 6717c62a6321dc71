// SPDX-License-Identifier: Apache-2.0
// The instruction set of an engine, said once: operations, and for each the fields of its word.
// From these tables come struct hw_insn, the encoder and its checks, rtl_templates/isa.vh and
// docs/isa.md (make isa; tests/test_isa.c compares them).
#ifndef HW_ISA_H
#define HW_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gen/error.h"

enum { HW_INSN_BITS = 160, HW_INSN_BYTES = HW_INSN_BITS / 8 }; // one word of the program ROM

// Where rows go that leave the drain. D(name, meaning), numbered from 0.
#define HW_ISA_DESTS(D)                                                                            \
    D(INIT, "the residual becomes the row")                                                        \
    D(ADD, "the row is added to the residual")                                                     \
    D(K, "rotated, then the KV cache")                                                             \
    D(Q, "rotated, then the query buffer")                                                         \
    D(V, "the KV cache")                                                                           \
    D(HIDDEN, "SwiGLU of pairs of rows (gate, up), then region H")                                 \
    D(LOGITS, "argmax")                                                                            \
    D(ACT, "activations as they are, to region `target`; RECV only")

// Memory that matrices read their activations from. D(name, meaning), numbered from 0.
#define HW_ISA_REGIONS(D)                                                                          \
    D(X, "the normed residual")                                                                    \
    D(A, "what attention made")                                                                    \
    D(H, "what SwiGLU made")

// The fields of each operation: F(type in C, name, least significant bit, width, meaning). Bits
// that no field of an operation covers are zero; [8:6] of every word are kept for the number of a
// stream.
#define HW_ISA_COMMON(F)                                                                           \
    F(int, op, 0, 5, "operation")                                                                  \
    F(int, sample_only, 5, 1, "1: skipped while more prompt tokens follow")
// MATVEC and RECV send rows to a destination, in the same bits of the word.
#define HW_ISA_ROWS(F)                                                                             \
    F(int, dest, 9, 5, "destination of the rows")                                                  \
    F(int, hidden_shift, 27, 6, "to HIDDEN: shift of SwiGLU's product")                            \
    F(int, rows, 61, 20, "rows that go there")
#define HW_ISA_END(F)                                                                              \
    F(int, positions, 61, 20, "positions of the model, its context")                               \
    F(int, ring, 81, 20, "positions of a windowed layer's ring, 0: no layer has one")
#define HW_ISA_EMBED(F)                                                                            \
    F(int, planes, 18, 3, "planes of codes, from 1")                                               \
    F(int, shift, 21, 6, "shift of the requantizer")                                               \
    F(int, weight, 33, 28, "first word of the weight ROM")                                         \
    F(int, dim, 61, 20, "elements of a token's row")                                               \
    F(int, chunks, 81, 12, "words of a row block and plane: ceil(columns / COLS)")                 \
    F(int, block_words, 93, 14, "words of a row block: chunks * planes")                           \
    F(int, scale, 107, 20, "first word of the scale ROM, VEC rows a word")                         \
    F(int, level, 127, 12, "first word of the level ROM, one a plane")                             \
    F(int, vocab, 139, 20, "tokens of the model")
#define HW_ISA_NORM(F)                                                                             \
    F(int, target, 14, 4, "region it writes, X: of the residual; A, H: of the side buffer")        \
    F(int, gain_shift, 21, 6, "shift after the gain")                                              \
    F(uint32_t, eps, 33, 32, "added to the sum of squares")                                        \
    F(int, elements, 65, 20, "length of the vector")                                               \
    F(int, gain, 85, 20, "first word of the gain ROM, VEC elements a word")
#define HW_ISA_MATVEC(F)                                                                           \
    HW_ISA_ROWS(F)                                                                                 \
    F(int, source, 14, 4, "region it reads")                                                       \
    F(int, planes, 18, 3, "planes of codes, from 1")                                               \
    F(int, shift, 21, 6, "shift of the requantizer")                                               \
    F(int, weight, 33, 28, "first word of the weight ROM")                                         \
    F(int, chunks, 81, 12, "words of a row block and plane: ceil(columns / COLS)")                 \
    F(int, last_cols, 93, 12, "columns of the last chunk, 1..COLS")                                \
    F(int, scale, 105, 20, "first word of the scale ROM, VEC rows a word")                         \
    F(int, level, 125, 12, "first word of the level ROM, one a plane")
#define HW_ISA_ATTN(F)                                                                             \
    F(int, score_shift, 21, 6, "shift of a score")                                                 \
    F(int, att_shift, 27, 3, "shift of the weighted sum")                                          \
    F(int, kv_row, 33, 20, "first row of the KV cache, one a KV head")                             \
    F(int, heads, 61, 12, "query heads")                                                           \
    F(int, group_heads, 81, 12, "query heads that share a KV head")                                \
    F(int, kv_heads, 93, 12, "KV heads")                                                           \
    F(int, kv_step, 105, 12, "rows of the KV cache from one KV head to the next")                  \
    F(int, window, 117, 20, "positions the layer sees, a ring in the cache; 0: all")               \
    F(int, biased, 137, 1, "1: rows of K, Q, V get biases")                                        \
    F(int, bias, 138, 20, "first word of the gain ROM: biases in the order of the rows")
#define HW_ISA_HEADS(F)                                                                            \
    F(int, k_shift, 21, 6, "shift after the gain, of K")                                           \
    F(int, q_shift, 27, 6, "shift after the gain, of Q")                                           \
    F(uint32_t, k_eps, 33, 32, "added to a head's sum of squares, of K")                           \
    F(uint32_t, q_eps, 65, 32, "added to a head's sum of squares, of Q")                           \
    F(int, gain, 97, 20, "first word of the gain ROM: gains of a head of K, then of Q")
#define HW_ISA_RECV(F)                                                                             \
    HW_ISA_ROWS(F)                                                                                 \
    F(int, target, 14, 4, "region it writes, to ACT only")

// The operations: O(NAME, member of struct hw_insn, meaning), numbered from 0.
#define HW_ISA_OPS(O)                                                                              \
    O(END, end, "the token is done when every unit is idle")                                       \
    O(EMBED, embed, "residual = the token's row of the table")                                     \
    O(NORM, norm, "RMSNorm into a region of activations")                                          \
    O(MATVEC, matvec, "a matrix times a region; requantized rows go to `dest`")                    \
    O(ATTN, attn, "attention for the K, Q, V that follow, into region A")                          \
    O(RECV, recv, "a vector from the stream goes to `dest` (slices)")                              \
    O(HEADS, heads, "norms over the heads of the K and Q that follow")

#define HW_ISA_ENUM_OP(NAME, member, meaning) HW_OP_##NAME,
enum hw_opcode { HW_ISA_OPS(HW_ISA_ENUM_OP) };
#define HW_ISA_ENUM_DEST(NAME, meaning) HW_DST_##NAME,
enum hw_dest { HW_ISA_DESTS(HW_ISA_ENUM_DEST) };
#define HW_ISA_ENUM_REGION(NAME, meaning) HW_REGION_##NAME,
enum hw_region { HW_ISA_REGIONS(HW_ISA_ENUM_REGION) };
#define HW_ISA_COUNT(...) +1
enum {
    HW_N_OPS = HW_ISA_OPS(HW_ISA_COUNT),
    HW_N_DESTS = HW_ISA_DESTS(HW_ISA_COUNT),
    HW_N_REGIONS = HW_ISA_REGIONS(HW_ISA_COUNT)
};

// One instruction: the operation, and the fields of that operation.
#define HW_ISA_MEMBER(type, name, lsb, width, meaning) type name;
#define HW_ISA_STRUCT(NAME, member, meaning)                                                       \
    struct hw_insn_##member {                                                                      \
        HW_ISA_##NAME(HW_ISA_MEMBER)                                                               \
    } member;
struct hw_insn {
    enum hw_opcode op;
    bool sample_only;
    char *name; // "layers.0.attention.wq", for listings; owned by the plan
    union {
        struct hw_insn_rows { // the part that MATVEC and RECV share, first in both
            HW_ISA_ROWS(HW_ISA_MEMBER)
        } to;
        HW_ISA_OPS(HW_ISA_STRUCT)
    };
};

// The word of the program ROM, little endian. An error: a value that its field does not hold.
bool hw_insn_encode(const struct hw_insn *insn, uint8_t word[HW_INSN_BYTES], struct hw_error *err);

// A field of an operation, for those who go through all of them.
struct hw_isa_field {
    const char *name, *meaning;
    int lsb, width;
    size_t offset; // in struct hw_insn
};
// The fields of an operation, `op` and `sample_only` apart; *n of them.
const struct hw_isa_field *hw_isa_fields(enum hw_opcode op, int *n);
const char *hw_isa_op_name(enum hw_opcode op); // "MATVEC"

// rtl_templates/isa.vh and docs/isa.md.
void hw_isa_print_verilog(FILE *out);
void hw_isa_print_markdown(FILE *out);

#endif
