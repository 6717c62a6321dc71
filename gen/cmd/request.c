// SPDX-License-Identifier: Apache-2.0
// Owns the options that emit, plan and sim share, and what follows from them together.
#include "gen/cmd/request.h"

#include <string.h>

#include "gen/cmd/cmd.h"
#include "gen/read/safetensors.h"
#include "refmodel/limits.h"

const struct hw_option HW_GEOMETRY_OPTIONS[] = {
    {"rows", 0, HW_SETS(struct hw_geometry, rows), "N", 1, HW_MAX_ROWS, .otherwise = "32",
     .help = "lanes a column"},
    {"tile-rows", 0, HW_SETS(struct hw_geometry, tile_rows), "N", 1, HW_MAX_ROWS,
     .otherwise = "as --rows",
     .help = "rows of a tile: products, lanes and accumulators beside their slice of the ROM"},
    {"cols", 0, HW_SETS(struct hw_geometry, cols), "N", 1, HW_MAX_COLS, .otherwise = "8",
     .help = "activations a cycle; rows x cols weights a cycle"},
    {"vec", 0, HW_SETS(struct hw_geometry, vec), "N", 1, HW_MAX_ROWS, .otherwise = "8",
     .help = "rows drained, and vector elements, a cycle"},
    {"att-pos", 0, HW_SETS(struct hw_geometry, att_pos), "N", 1, HW_MAX_ATT_POS, .otherwise = "16",
     .help = "KV positions a cycle"},
    {0}};

const struct hw_option HW_DESIGN_OPTIONS[] = {
    {"lane", 0, HW_SETS(struct hw_request, lane), "KIND", .otherwise = "see --target",
     .help = "select or multiply: what a lane does with a code"},
    {"latency", 0, HW_SETS(struct hw_request, latency), "NAME=N,...",
     .help = "clocks of the fabric's paths, by the names of fabric/latency.vh in small letters; "
             "`least`: the shortest pipeline"},
    {"target", 0, HW_SETS(struct hw_request, target), "NAME", .otherwise = "sim",
     .help = "sim, ice40, ecp5, xilinx, osu018: the lane that is smaller there"},
    {"fabric", 0, HW_SETS(struct hw_request, fabric), "DIR",
     .help = "in place of --rows and so on: the fabric of the design in DIR, whose "
             "capacities hold the model; only the constants are new"},
    {"bank-bytes", 0, HW_SETS(struct hw_request, geometry.bank_bytes), "N", 1, HW_MOST_BANK_BYTES,
     .otherwise = "262144", .help = "most bytes of a ROM bank"},
    {"rom-macro", 0, HW_SETS(struct hw_request, rom_macro), "DEPTHxWIDTH",
     .help = "the largest ROM macro, words and bits: ROMs are rows and columns of such, in place "
             "of banks of whole words"},
    {"ram-macro", 0, HW_SETS(struct hw_request, ram_macro), "DEPTHxWIDTH",
     .help = "the largest RAM macro, words (a power of two) and bits: RAMs are rows and columns of "
             "such, none with a write mask"},
    {"selftest", 0, HW_SETS(struct hw_request, selftest), "on|off",
     .otherwise = "on with --rom-macro",
     .help = "the chip reads its ROMs into a CRC-32 when it is asked to"},
    {"ctx", 0, HW_SETS(struct hw_request, ctx), "N", 1, HW_FILE_MAX_SEQ_LEN,
     .otherwise = "the model's", .help = "a context of N positions"},
    {"slice", 0, HW_SETS(struct hw_request, slice), "NAME", .preset = "chip",
     .help = "chip, layer:N, matrix:NAME[:first-last], op:NAME:N"},
    {0}};

const struct hw_option HW_SHAPE_OPTIONS[] = {
    {"shape", 0, HW_SETS(struct hw_request, shape), "D,H,L,N,K,V,C[,untied]",
     .help = "no model: dim, hidden, layers, heads, kv heads, vocab, context, with random weights"},
    {"bits", 0, HW_SETS(struct hw_request, bits), "N", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS,
     .otherwise = "4; plan of a checkpoint: 8", .help = "of these weights"},
    {"code-bits", 0, HW_SETS(struct hw_request, code_bits), "N", HW_MIN_CODE_BITS, HW_MAX_CODE_BITS,
     .otherwise = "4", .help = "of a ROM code"},
    {"wide-bits", 0, HW_SETS(struct hw_request, wide_bits), "N", HW_MIN_WEIGHT_BITS,
     HW_MAX_WEIGHT_BITS, .otherwise = "as --bits", .help = "of embedding, classifier, wk, wv"},
    {0}};

bool hw_shape_is_named(const struct hw_request *r)
{
    return r->shape && (r->shape[0] < '0' || r->shape[0] > '9');
}

// What follows from the options together; -1 to go on, otherwise the exit status.
static int check_request(const char *verb, struct hw_request *r)
{
    if (!r->made_up && (r->bits || r->wide_bits || r->code_bits))
        return hw_usage(verb,
                        "--bits, --code-bits, --wide-bits: expected a model without quantized "
                        "weights, got %s",
                        r->input);
    if (hw_shape_is_named(r) && !r->bits && !r->wide_bits && !r->code_bits) { // as HC1
        r->bits = r->code_bits = 3;
        r->wide_bits = 6;
    }
    r->bits = r->bits ? r->bits : r->shape ? 4 : 8;
    r->wide_bits = r->wide_bits ? r->wide_bits : r->bits;
    r->code_bits = r->code_bits ? r->code_bits : 4;
    const struct hw_geometry *g = &r->geometry;
    if (r->fabric &&
        (g->rows || g->tile_rows || g->cols || g->vec || g->att_pos || g->bank_bytes || r->lane ||
         r->target || r->latency || r->rom_macro || r->ram_macro || r->selftest))
        return hw_usage(
            verb, "--fabric: expected no --rows, --tile-rows, --cols, --vec, --att-pos, --lane, "
                  "--target, "
                  "--latency, --bank-bytes, --rom-macro, --ram-macro or --selftest beside it");
    if (r->rom_macro && g->bank_bytes)
        return hw_usage(verb, "--rom-macro: expected no --bank-bytes beside it");
    struct hw_error err = {0};
    if (r->latency && !hw_latency_parse(r->latency, &r->geometry.latency, &err))
        return hw_usage(verb, "%s", err.text);
    if (r->rom_macro && !hw_rom_macro_parse(r->rom_macro, &r->geometry, &err))
        return hw_usage(verb, "%s", err.text);
    if (r->ram_macro && !hw_ram_macro_parse(r->ram_macro, &r->geometry, &err))
        return hw_usage(verb, "%s", err.text);
    if (r->selftest && strcmp(r->selftest, "on") != 0 && strcmp(r->selftest, "off") != 0)
        return hw_usage(verb, "expected --selftest on or off, got '%s'", r->selftest);
    // a mask is final, and no bitstream's checksum guards it
    bool is_on = r->selftest ? strcmp(r->selftest, "on") == 0 : r->rom_macro != NULL;
    if (!r->fabric)
        r->geometry.selftest = is_on && strcmp(r->slice, "chip") == 0;
    if (r->lane && !hw_lane_parse(r->lane, &r->geometry.lane))
        return hw_usage(verb, "expected --lane select or multiply, got '%s'", r->lane);
    if (r->target && !hw_target_parse(r->target, &r->geometry.target))
        return hw_usage(verb, "expected --target sim, ice40, ecp5, xilinx or osu018, got '%s'",
                        r->target);
    return -1;
}

int hw_complete_request(const struct hw_verb *verb, const struct hw_operands *operands,
                        struct hw_request *r)
{
    bool none = r->shape || r->cost.article || r->cost.calibration;
    if (operands->n != !none)
        return hw_usage(verb->name, none ? "expected no model beside --shape, --article or "
                                           "--calibration"
                                         : "expected one quantized model");
    struct hw_error err = {0};
    if (!r->templates) {
        if (!hw_home_path(r->home, "rtl_templates", &err))
            return hw_report(&err);
        r->templates = r->home;
    }
    r->input = none ? NULL : operands->at[0];
    r->made_up = none || ((verb == &HW_VERB_PLAN || verb == &HW_VERB_REPORT) &&
                          !hw_is_safetensors(r->input));
    return check_request(verb->name, r);
}

int hw_parse_request(const struct hw_verb *verb, int argc, char **argv, struct hw_request *r)
{
    struct hw_operands operands;
    *r = (struct hw_request){0};
    int status = hw_options_parse(verb, argc, argv, r, &operands);
    return status >= 0 ? status : hw_complete_request(verb, &operands, r);
}
