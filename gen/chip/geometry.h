// SPDX-License-Identifier: Apache-2.0
// The geometry of a design: lanes, widths and capacities, all that its fabric is a function of.
#ifndef HW_GEOMETRY_H
#define HW_GEOMETRY_H

#include "gen/chip/latency.h"
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
    int rows;      // lanes in row direction, a multiple of vec
    int tile_rows; // of a tile, a divisor of rows (array.v; 0: all, one tile)
    int cols;      // activations a cycle, a multiple of vec
    int code_bits; // 2, 3 or 4
    int vec;       // elements a cycle outside the array: drain, norm, residual (2^n), >= 2
    int att_pos;   // KV positions a cycle (2^n), from 1 to ctx / 2
    enum hw_lane lane;
    enum hw_target target; // for which the lane is chosen; not in the fabric
    int head_dim;          // (2^n), >= 4
    int act_bits, kv_bits, res_bits;
    int sub_norm; // 1: what attention and SwiGLU make passes a norm (engine.v)
    int qkv_bias; // 1: rows of K, Q, V may have biases (qkv.v)
    int qk_norm;  // 1: heads of K and Q may pass a norm (qkv.v)
    int window;   // 1: layers may see a window of positions (chip.v)
    int selftest; // 1: the chip can read its ROMs into a CRC (selftest.v)
    int acc_bits; // accumulator, up to 40
    int ctx;      // positions of a sequence (2^n)
    int kv_ctx;   // positions that a row of the KV cache holds (2^n), at most ctx
    // Capacities, as address widths or counts; a model must fit.
    int max_dim;    // residual and X region, elements, a multiple of cols
    int max_q_dim;  // n_heads * head_dim, a multiple of cols
    int max_hidden; // H region, elements, a multiple of cols
    int max_kv_dim;
    int kv_rows;                    // of the KV cache: hw_kv_rows of all layers
    int rope_hi_bits, rope_lo_bits; // address bits of the position parts
    int weight_addr_bits, scale_addr_bits, gain_addr_bits, level_addr_bits, prog_addr_bits;
    // Words of the ROMs, and rows of the high part of a position: no bank beyond them.
    int weight_words, scale_words, gain_words, level_words, prog_words, rope_hi_rows;
    int token_bits;
    int bank_bytes; // most bytes of one ROM bank (0: 256 KiB, or what two words take)
    // The largest ROM macro, words and bits of a word; 0: a bank is as wide as its ROM, and as deep
    // as bank_bytes allow.
    int macro_words, macro_bits;
    // The same of a RAM, words a power of two; 0: RAMs are not cut (ram_tiles.v).
    int ram_words, ram_bits;
    struct hw_latency latency;
};

// What a ROM macro must hold: the largest table of a function (refmodel/tables.h), which is not
// cut.
enum { HW_LEAST_MACRO_WORDS = 128, HW_LEAST_MACRO_BITS = 28 };
bool hw_rom_macro_holds(int words, int bits);
bool hw_ram_macro_holds(int words, int bits);
// "DEPTHxWIDTH" into macro_words and macro_bits, or ram_words and ram_bits.
bool hw_rom_macro_parse(const char *text, struct hw_geometry *g, struct hw_error *err);
bool hw_ram_macro_parse(const char *text, struct hw_geometry *g, struct hw_error *err);

enum {
    HW_BANK_BYTES = 256 << 10,      // a larger case table falls out of Verilator's fast path
    HW_MOST_BANK_BYTES = 512 << 10, // of what --bank-bytes takes, and of two words
    HW_MOST_RAM_WORDS = 1 << 20, // of a macro: as many as addresses of the KV cache are counted in
    HW_MOST_RAM_BITS = 1 << 16
};

// Names as options and manifests write them; false: no such name.
const char *hw_lane_name(enum hw_lane lane);
bool hw_lane_parse(const char *name, enum hw_lane *lane);
bool hw_target_parse(const char *name, enum hw_target *target);

// Whether a fabric and a quantized file can hold a model of these dimensions, and the widest vec up
// to 8 with which; false and the reason.
bool hw_geometry_holds(const struct hw_config *c, int *vec, struct hw_error *err);

// Words of a chip's program: EMBED, the layers, NORM, the classifier, END.
int hw_program_words(const struct hw_config *c);

// Rows of the KV cache that a head of layer l takes: a windowed layer keeps its window alone. And
// the first row of layer l, which for l = n_layers is how many rows there are.
int hw_kv_step(const struct hw_geometry *g, const struct hw_config *c, int l);
int hw_kv_rows(const struct hw_geometry *g, const struct hw_config *c, int l);

// Heads whose scores may wait to be weighed (2^n, attention.v): no more than there are, at most 16,
// at most 512 words of scores, and at least 4. A context of few groups of positions is then scored
// without a wait for the weighing.
int hw_score_heads(const struct hw_geometry *g);

// The smallest geometry of the given shape that holds the model: fills every field but rows, cols,
// vec, att_pos, kv_ctx, lane, target, selftest and latency, which the caller has set (0: chosen).
// False where a constraint cannot be met.
bool hw_geometry_fit(struct hw_geometry *g, const struct hw_qmodel *q, struct hw_error *err);

#endif
