// SPDX-License-Identifier: Apache-2.0
// From a quantized model and a geometry to a plan: the program, the small ROMs, and the layout of
// the weight ROM, whose words are made from the model's codes when they are asked for. The plan is
// what the emitter writes and what the cycle model walks.
#ifndef HW_PLAN_H
#define HW_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "gen/error.h"
#include "refmodel/qmodel.h"

// What a lane does with a code: selects a product that its column formed (msa_array.v), or looks
// up the level and multiplies (mac_array.v). The same sums, the same cycles; which is smaller
// depends on the target.
enum hw_lane { HW_LANE_ANY, HW_LANE_SELECT, HW_LANE_MULTIPLY };
enum hw_target {
    HW_TARGET_SIM, // Verilator: which is faster
    HW_TARGET_ICE40,
    HW_TARGET_ECP5,
    HW_TARGET_XILINX,
    HW_TARGET_OSU018
};

// Everything the fabric depends on. All counts below marked (2^n) are powers of two.
struct hw_geometry {
    int rows;      // lanes in row direction (2^n), a multiple of vec
    int cols;      // activations a cycle (2^n), >= vec
    int code_bits; // 2, 3 or 4
    int vec;       // elements a cycle outside the array: drain, norm, residual (2^n), >= 4
    int att_pos;   // KV positions a cycle (2^n), <= ctx / 2
    enum hw_lane lane;
    enum hw_target target; // for which the lane is chosen; not in the fabric
    int head_dim;  // (2^n), >= 4
    int act_bits, kv_bits, res_bits;
    int sub_norm; // 1: what attention and SwiGLU make passes a norm (engine.v)
    int acc_bits; // accumulator, up to 40
    int ctx;      // positions the KV cache holds (2^n)
    // Capacities, as address widths or counts; a model must fit.
    int max_dim;    // residual and X region, elements, a multiple of cols
    int max_q_dim;  // n_heads * head_dim, a multiple of cols
    int max_hidden; // H region, elements, a multiple of cols
    int max_kv_dim;
    int kv_rows;      // n_layers * n_kv_heads
    int rope_hi_bits, rope_lo_bits; // address bits of the position parts
    int weight_addr_bits, scale_addr_bits, gain_addr_bits, level_addr_bits, prog_addr_bits;
    int token_bits;
    int bank_bytes; // most bytes of one ROM bank (0: 512 KiB)
};

enum { HW_BANK_BYTES = 512 << 10 }; // a larger case table falls out of Verilator's fast path

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
    int n_rows;            // [68:49]  MATVEC, RECV: rows; EMBED: dim; NORM: elements; ATTN: n_heads; END: seq_len
    int n_chunks;          // [80:69]  ceil(n_in / cols); ATTN: heads sharing one KV head
    int scale_base;        // [100:81] word of the scale ROM (vec rows each); NORM: of the gain ROM
    int level_base;        // [110:101] word of the level ROM, one a plane; ATTN: n_kv_heads
    int aux;               // [124:111] MATVEC: columns used in the last chunk, 1..cols;
                           //           EMBED: weight words a row block (n_chunks * n_planes)
    uint32_t eps;          // NORM only: eps_ss, in place of w_base [48:25] and n_chunks [76:69]
    const char *name;      // "layers.0.attention.wq", for listings; owned by the plan
};

// A slice is a program over part of the model; the whole chip is the slice "chip".
//   layer:3                                     one layer; the residual comes by RECV
//   matrix:layers.3.attention.wq[:first-last]   its input comes by RECV, rows leave as logits do
//   op:rmsnorm:3  op:attention:3  op:swiglu:3  op:argmax    the operand comes by RECV
struct hw_rom { // one word is `width` bits, little endian in (width + 7) / 8 bytes
    const char *name; // "weight", "scale", "level", "gain", "rope_hi", "rope_lo", "program"
    int width, addr_bits;
    int depth; // words used
    uint8_t *data; // NULL: the weight ROM, see hw_words
};

enum { HW_ROM_WEIGHT, HW_ROM_SCALE, HW_ROM_LEVEL, HW_ROM_GAIN, HW_ROM_ROPE_HI, HW_ROM_ROPE_LO,
       HW_ROM_PROGRAM, HW_N_ROMS };

struct hw_plan {
    const struct hw_qmodel *model;
    struct hw_geometry geometry;
    struct hw_insn *program;
    int n_insns;
    struct hw_rom rom[HW_N_ROMS];
    // What each range of the weight ROM holds, in order: rows first_row.. of a matrix.
    struct hw_range {
        char name[64]; // tensor name
        int first, n_words, n_rows, n_in, n_planes;
        const struct hw_qmatrix *m;
        int first_row;
    } *range;
    int n_ranges;
};

// Reads words of a ROM one after the other (plan: NULL where the ROM has data). The weight ROM's
// are packed here, one row block and plane of codes in memory at a time.
struct hw_words {
    const struct hw_plan *plan;
    const struct hw_rom *rom;
    int range, block; // of the word read last; block counts row blocks times planes
    uint8_t *codes;   // [rows][padded n_in] of that block: codes, zero where the matrix ends
    size_t loaded;    // bytes of codes read since pages were given back
    uint8_t *lanes;   // [rows * cols] codes of one word
    uint8_t *word;
};
bool hw_words_open(struct hw_words *w, const struct hw_plan *plan, const struct hw_rom *rom,
                   struct hw_error *err);
// The bytes of word `at`, below the ROM's depth; valid until the next call. Quick in their order.
const uint8_t *hw_words_get(struct hw_words *w, long at);
void hw_words_close(struct hw_words *w);

// Names as options and manifests write them; false: no such name.
const char *hw_lane_name(enum hw_lane lane);
bool hw_lane_parse(const char *name, enum hw_lane *lane);
bool hw_target_parse(const char *name, enum hw_target *target);

// Whether a fabric and a quantized file can hold a model of these dimensions, and the widest vec up
// to 8 with which; false and the reason.
bool hw_geometry_holds(const struct hw_config *c, int *vec, struct hw_error *err);

// The smallest geometry of the given shape that holds the model: fills every field but rows, cols,
// vec, att_pos, lane and target, which the caller has set (0: chosen). False where a constraint
// cannot be met.
bool hw_geometry_fit(struct hw_geometry *g, const struct hw_qmodel *q, struct hw_error *err);

// Lays out the ROMs and the program of a slice. False where the model does not fit the geometry.
bool hw_plan_make(struct hw_plan *plan, const struct hw_qmodel *q, const struct hw_geometry *g,
                  const char *slice, struct hw_error *err);
void hw_plan_free(struct hw_plan *plan);

#endif
