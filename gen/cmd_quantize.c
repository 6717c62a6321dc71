// SPDX-License-Identifier: Apache-2.0
// hardwire quantize: checkpoint in, safetensors file of integers out.
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/cmd.h"
#include "gen/output.h"
#include "gen/qmodel/file.h"
#include "gen/quant/quantize.h"
#include "gen/quant/score.h"

static const char *const HELP =
    "hardwire quantize MODEL -o Q.safetensors [options]\n"
    "  -o, --output FILE     quantized model to write (left out: only the table is printed)\n"
    "  -b, --bits N          bits of a weight, 2..8 (8); a natively ternary model keeps its codes\n"
    "                        unless this is given\n"
    "      --head-bits N     of embedding and classifier (as --bits; ternary: 8)\n"
    "  -c, --code-bits N     bits of a ROM code, 2..4 (4; ternary: 2); wider weights take several\n"
    "                        planes\n"
    "      --act-bits N      activations, 4..12 (10)\n"
    "      --kv-bits N       KV cache, 4..12 (10)\n"
    "      --res-bits N      residual, 16..24 (20, more where calibration finds outliers)\n"
    "      --ctx N           bake a context of N positions (the checkpoint's)\n"
    "      --levels FILE     the levels MODEL was trained on (FILE.quant beside it): keep its "
    "codes\n"
    "      --tune N          after rounding, tune codes, scales, levels and gains by N steps over\n"
    "                        text that the float model writes for itself (0)\n"
    "      --text FILE       calibrate and tune on FILE instead (documents end with "
    "<|endoftext|>)\n"
    "  -t, --tokenizer FILE  for --text\n"
    "      --rom-bits N      at most N bits of ROM, padding left out: planes of codes go to the\n"
    "                        matrices where they gain most by measure\n"
    "      --max-loss P      the same with the fewest bits at which the rounding of the weights\n"
    "                        costs at most P percent of perplexity\n"
    "      --nearest         round each weight for itself (else error-compensated, GPTQ)\n"
    "      --stream          keep weights and codes on the disk, as is done anyway where the "
    "weights\n"
    "                        take more than 256 MB; the same output\n"
    "      --dry-run         write nothing\n"
    "  -q, --quiet           no line per tensor\n";

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

int hw_cmd_quantize(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"bits", required_argument, NULL, 'b'},
                                            {"head-bits", required_argument, NULL, 'H'},
                                            {"code-bits", required_argument, NULL, 'c'},
                                            {"act-bits", required_argument, NULL, 'A'},
                                            {"kv-bits", required_argument, NULL, 'K'},
                                            {"res-bits", required_argument, NULL, 'R'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"tune", required_argument, NULL, 'T'},
                                            {"rom-bits", required_argument, NULL, 'M'},
                                            {"max-loss", required_argument, NULL, 'P'},
                                            {"dry-run", no_argument, NULL, 'D'},
                                            {"nearest", no_argument, NULL, 'N'},
                                            {"levels", required_argument, NULL, 'L'},
                                            {"ctx", required_argument, NULL, 'x'},
                                            {"stream", no_argument, NULL, 'S'},
                                            {"text", required_argument, NULL, 'X'},
                                            {"tokenizer", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct hw_quantize_options o;
    struct hw_error err = {0};
    const char *output = NULL, *levels = NULL, *text = NULL, *tokenizer = NULL;
    bool dry = false;
    int ctx = 0;
    hw_quantize_defaults(&o);
    const struct hw_quantize_options defaults = o;
    o.weight_bits = o.widths.code_bits = 0; // not given
    o.progress = stderr;
    for (int opt, at; (opt = getopt_long(argc, argv, "o:b:c:t:qh", options, &at)) != -1;) {
        int *number = opt == 'b'   ? &o.weight_bits
                      : opt == 'H' ? &o.head_bits
                      : opt == 'c' ? &o.widths.code_bits
                      : opt == 'A' ? &o.widths.act_bits
                      : opt == 'K' ? &o.widths.kv_bits
                      : opt == 'R' ? &o.widths.res_bits
                                   : NULL;
        if (number && !hw_parse_int(optarg, 1, 99, number)) // hw_quantize knows the ranges
            return hw_usage("quantize", "--%s: expected a number of bits, got '%s'",
                            opt == 'b'   ? "bits"
                            : opt == 'c' ? "code-bits"
                                         : options[at].name,
                            optarg);
        if (opt == 'o')
            output = optarg;
        else if (opt == 'q')
            o.progress = NULL;
        else if (opt == 'L')
            levels = optarg;
        else if (opt == 'T' && !hw_parse_int(optarg, 1, 1 << 20, &o.tune_steps))
            return hw_usage("quantize", "--tune: expected 1..%d steps, got '%s'", 1 << 20, optarg);
        else if (opt == 'M' && !hw_parse_real(optarg, 1.0, 1e15, &o.rom_bits))
            return hw_usage("quantize", "--rom-bits: expected a number of bits, got '%s'", optarg);
        else if (opt == 'P' && !hw_parse_real(optarg, 1e-6, 1e6, &o.max_loss))
            return hw_usage("quantize", "--max-loss: expected percent, got '%s'", optarg);
        else if (opt == 'X')
            text = optarg;
        else if (opt == 't')
            tokenizer = optarg;
        else if (opt == 'D')
            dry = true;
        else if (opt == 'x' && !hw_parse_int(optarg, 1, INT_MAX, &ctx))
            return hw_usage("quantize", "--ctx: expected a number of positions, got '%s'", optarg);
        else if (opt == 'N')
            o.nearest = true;
        else if (opt == 'S')
            o.stream = true;
        else if (opt == 'h')
            return fputs(HELP, stdout), 0;
        else if (opt == '?')
            return 2;
    }
    if (optind + 1 != argc)
        return hw_usage("quantize", "expected one checkpoint");
    if (!text != !tokenizer)
        return hw_usage("quantize", "expected --text and --tokenizer together");
    if (dry)
        output = NULL;
    const char *inputs[] = {argv[optind], levels, text, tokenizer};
    for (size_t i = 0; output && i < sizeof inputs / sizeof inputs[0]; i++) {
        if (hw_output_is_input(output, inputs[i]))
            hw_fail(&err, "%s: is an input (%s): expected another name for the output", output,
                    inputs[i]);
    }
    if (err.set || (output && !hw_output_file_check(output, &err)))
        return hw_report(&err);
    struct hw_qmodel q;
    struct hw_grids *grids = levels ? hw_grids_open(levels, &err) : NULL;
    struct hw_model *model = err.set ? NULL : hw_model_open(argv[optind], &err);
    int *tokens =
        model && text ? read_tokens(model, text, tokenizer, &o.n_calib_tokens, &err) : NULL;
    o.grids = grids;
    o.output = output;
    o.calib_tokens = tokens;
    o.ternary = model && !grids && !o.weight_bits && hw_model_is_ternary(model);
    if (!o.widths.code_bits)
        o.widths.code_bits = o.ternary ? 2 : defaults.widths.code_bits;
    if (!o.weight_bits)
        o.weight_bits = defaults.weight_bits;
    if (model && ctx)
        hw_model_set_context(model, ctx, &err);
    struct hw_error why = {0};
    int vec;
    if (model && !err.set && !hw_geometry_holds(hw_model_config(model), &vec, &why))
        hw_fail(&err, "%s: %s", argv[optind], why.text);
    if (model && !err.set && hw_quantize(model, &o, &q, &err)) {
        if (output)
            hw_qmodel_write(&q, output, &err);
        hw_qmodel_free(&q);
    }
    free(tokens);
    hw_model_close(model);
    hw_grids_close(grids);
    return err.set ? hw_report(&err) : 0;
}
