// SPDX-License-Identifier: Apache-2.0
// The instruction set of an engine: what a program ROM's words mean.
#ifndef HW_ISA_H
#define HW_ISA_H

#include <stdint.h>

enum hw_opcode { HW_OP_END, HW_OP_EMBED, HW_OP_NORM, HW_OP_MATVEC, HW_OP_ATTN, HW_OP_RECV };
enum hw_dest {
    HW_DST_INIT,   // residual = row
    HW_DST_ADD,    // residual += row
    HW_DST_K,      // rotate, KV cache
    HW_DST_Q,      // rotate, query buffer
    HW_DST_V,      // KV cache
    HW_DST_HIDDEN, // swiglu of row pairs, H region
    HW_DST_LOGITS, // argmax
    HW_DST_ACT,    // RECV only: activations as they are, to `region`
};
enum hw_region { HW_REGION_X, HW_REGION_A, HW_REGION_H };

// One instruction. Bits [lsb + width - 1 : lsb] of the 128-bit program word are given for each.
struct hw_insn {
    enum hw_opcode op;     // [3:0]
    enum hw_dest dest;     // [6:4]
    int sample_only;       // [7]      skipped while more prompt tokens follow
    enum hw_region region; // [9:8]    MATVEC: source; RECV to ACT, NORM: destination; a NORM to
                           //          X reads the residual, one to A or H the side buffer
    int n_planes;          // [12:10]
    int shift;             // [18:13]  requantizer base shift; NORM: gain shift; ATTN: score shift
    int shift2;            // [24:19]  MATVEC to HIDDEN: hidden shift; ATTN: attention shift
    int w_base;            // [48:25]  first word of the weight ROM; ATTN: first KV row
    int n_rows;     // [68:49]  MATVEC, RECV: rows; EMBED: dim; NORM: elements; ATTN: n_heads; END:
                    // seq_len
    int n_chunks;   // [80:69]  ceil(n_in / cols); ATTN: heads sharing one KV head
    int scale_base; // [100:81] word of the scale ROM (vec rows each); NORM: of the gain ROM
    int level_base; // [110:101] word of the level ROM, one a plane; ATTN: n_kv_heads
    int aux;        // [124:111] MATVEC: columns used in the last chunk, 1..cols;
                    //           EMBED: weight words a row block (n_chunks * n_planes)
    uint32_t eps;   // NORM only: eps_ss, in place of w_base [48:25] and n_chunks [76:69]
    const char *name; // "layers.0.attention.wq", for listings; owned by the plan
};

#endif
