// SPDX-License-Identifier: Apache-2.0
// hardwire quantize: checkpoint in, safetensors file of integers out.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen/cmd/cmd.h"
#include "gen/output.h"
#include "gen/qmodel/file.h"
#include "gen/quant/quantize.h"
#include "gen/quant/score.h"
#include "refmodel/limits.h"

struct request {
    const char *model, *output, *codebooks, *text, *tokenizer;
    int bits, head_bits, code_bits, act_bits, kv_bits, res_bits; // 0: not given
    int ctx, tune_steps;
    double rom_bits, max_loss;
    bool nearest, stream, dry_run, quiet;
};

// Where the tokenizer has a BOS of its own, that one begins the model's texts.
static int *read_tokens(struct hw_model *model, const char *text, const char *tokenizer, int *n,
                        struct hw_error *err)
{
    struct hw_tokenizer *tok =
        hw_tokenizer_open(tokenizer, hw_model_config(model)->vocab_size, err);
    if (tok && hw_tokenizer_bos(tok) >= 0)
        hw_model_set_bos(model, hw_tokenizer_bos(tok), err);
    int *tokens = tok ? hw_score_text(text, tok, 0, n, err) : NULL;
    hw_tokenizer_close(tok);
    return tokens;
}

// Whether the output may be written there: asked before any work.
static bool check_output(const struct request *r, struct hw_error *err)
{
    const char *inputs[] = {r->model, r->codebooks, r->text, r->tokenizer};
    return hw_output_file_check(r->output, inputs, sizeof inputs / sizeof inputs[0], err);
}

// The defaults of a bit width depend on whether the model is ternary.
static struct hw_quantize_options options_of(const struct request *r, const struct hw_model *model,
                                             const struct hw_codebooks *codebooks)
{
    struct hw_quantize_options o;
    hw_quantize_defaults(&o);
    o.ternary = !codebooks && !r->bits && hw_model_is_ternary(model);
    o.weight_bits = r->bits ? r->bits : o.weight_bits;
    o.head_bits = r->head_bits ? r->head_bits : o.head_bits;
    o.widths.code_bits = r->code_bits ? r->code_bits : o.ternary ? 2 : o.widths.code_bits;
    o.widths.act_bits = r->act_bits ? r->act_bits : o.widths.act_bits;
    o.widths.kv_bits = r->kv_bits ? r->kv_bits : o.widths.kv_bits;
    o.widths.res_bits = r->res_bits ? r->res_bits : o.widths.res_bits;
    o.tune_steps = r->tune_steps;
    o.rom_bits = r->rom_bits;
    o.max_loss = r->max_loss;
    o.nearest = r->nearest;
    o.stream = r->stream;
    o.codebooks = codebooks;
    o.output = r->output;
    o.progress = r->quiet ? NULL : stderr;
    return o;
}

// What a chip cannot be is refused before the work.
static bool check_model(const struct request *r, const struct hw_model *model, struct hw_error *err)
{
    struct hw_error why = {0};
    int vec;
    return hw_geometry_holds(hw_model_config(model), &vec, &why) ||
           hw_fail(err, "%s: %s", r->model, why.text);
}

static void quantize_model(const struct request *r, struct hw_model *model,
                           const struct hw_codebooks *codebooks, struct hw_error *err)
{
    struct hw_qmodel q;
    struct hw_quantize_options o = options_of(r, model, codebooks);
    int *tokens =
        r->text ? read_tokens(model, r->text, r->tokenizer, &o.n_calib_tokens, err) : NULL;
    o.calib_tokens = tokens;
    if (!err->set && r->ctx)
        hw_model_set_context(model, r->ctx, err);
    if (!err->set && check_model(r, model, err) && hw_quantize(model, &o, &q, err)) {
        if (r->output)
            hw_qmodel_write(&q, r->output, err);
        hw_qmodel_free(&q);
    }
    free(tokens);
}

static int quantize(int argc, char **argv)
{
    struct request r = {0};
    struct hw_operands operands;
    struct hw_error err = {0};
    int status = hw_options_parse(&HW_VERB_QUANTIZE, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 1)
        return hw_usage("quantize", "expected one checkpoint");
    if (!r.text != !r.tokenizer)
        return hw_usage("quantize", "expected --text and --tokenizer together");
    r.model = operands.at[0];
    r.output = r.dry_run ? NULL : r.output;
    if (r.output && !check_output(&r, &err))
        return hw_report(&err);
    struct hw_codebooks *codebooks = r.codebooks ? hw_codebooks_open(r.codebooks, &err) : NULL;
    struct hw_model *model = err.set ? NULL : hw_model_open(r.model, &err);
    if (model)
        quantize_model(&r, model, codebooks, &err);
    hw_model_close(model);
    hw_codebooks_close(codebooks);
    return err.set ? hw_report(&err) : 0;
}

static const struct hw_option OPTIONS[] = {
    {"output", 'o', HW_SETS(struct request, output), "FILE",
     .help = "quantized model to write (left out: only the table is printed)"},
    {"bits", 'b', HW_SETS(struct request, bits), "N", HW_MIN_WEIGHT_BITS, HW_MAX_WEIGHT_BITS,
     .otherwise = "8",
     .help = "bits of a weight; a natively ternary model keeps its codes unless this is given"},
    {"head-bits", 0, HW_SETS(struct request, head_bits), "N", HW_MIN_WEIGHT_BITS,
     HW_MAX_WEIGHT_BITS, .otherwise = "as --bits; ternary: 8",
     .help = "of embedding and classifier"},
    {"code-bits", 'c', HW_SETS(struct request, code_bits), "N", HW_MIN_CODE_BITS, HW_MAX_CODE_BITS,
     .otherwise = "4; ternary: 2", .help = "bits of a ROM code; wider weights take several planes"},
    {"act-bits", 0, HW_SETS(struct request, act_bits), "N", HW_MIN_ACT_BITS, HW_MAX_ACT_BITS,
     .otherwise = "10", .help = "activations"},
    {"kv-bits", 0, HW_SETS(struct request, kv_bits), "N", HW_MIN_KV_BITS, HW_MAX_KV_BITS,
     .otherwise = "10", .help = "KV cache"},
    {"res-bits", 0, HW_SETS(struct request, res_bits), "N", HW_MIN_RES_BITS, HW_MAX_RES_BITS,
     .otherwise = "20, more where calibration finds outliers", .help = "residual"},
    {"ctx", 0, HW_SETS(struct request, ctx), "N", 1, INT_MAX, .otherwise = "the checkpoint's",
     .help = "bake a context of N positions"},
    {"levels", 0, HW_SETS(struct request, codebooks), "FILE",
     .help = "the codebooks, levels of each matrix, that MODEL was trained on (FILE.quant beside "
             "it): keep its codes"},
    {"tune", 0, HW_SETS(struct request, tune_steps), "N", 1, 1 << 20, .otherwise = "0",
     .help =
         "after rounding, tune codes, scales, codebooks and gains by N steps over text that the "
         "float model writes for itself"},
    {"text", 0, HW_SETS(struct request, text), "FILE",
     .help = "calibrate and tune on FILE instead (documents end with <|endoftext|>)"},
    {"tokenizer", 't', HW_SETS(struct request, tokenizer), "FILE", .help = "for --text"},
    {"rom-bits", 0, HW_SETS(struct request, rom_bits), "N", 1, 1e15,
     .help = "at most N bits of ROM, padding left out: planes of codes go to the matrices where "
             "they gain most by measure"},
    {"max-loss", 0, HW_SETS(struct request, max_loss), "P", 1e-6, 1e6,
     .help = "the same with the fewest bits at which the rounding of the weights costs at most P "
             "percent of perplexity"},
    {"nearest", 0, HW_SETS(struct request, nearest),
     .help = "round each weight for itself (else error-compensated, GPTQ)"},
    {"stream", 0, HW_SETS(struct request, stream),
     .help = "keep weights and codes on the disk, as is done anyway where the weights take more "
             "than 256 MB; the same output"},
    {"dry-run", 0, HW_SETS(struct request, dry_run), .help = "write nothing"},
    {"quiet", 'q', HW_SETS(struct request, quiet), .help = "no line per tensor"},
    {0}};

const struct hw_verb HW_VERB_QUANTIZE = {.name = "quantize",
                                         .operands = "MODEL -o Q.safetensors",
                                         .what = "checkpoint to integers",
                                         .groups = {{NULL, OPTIONS, 0}},
                                         .run = quantize};
