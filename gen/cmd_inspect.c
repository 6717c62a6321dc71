// SPDX-License-Identifier: Apache-2.0
// hardwire inspect: what is in a checkpoint, and what baking it would take.
#include <getopt.h>
#include <stdio.h>

#include "gen/cmd.h"
#include "gen/model.h"

static long count_weights(const struct hw_config *c)
{
    long total = 0;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols;
        if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
            continue;
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        total += (long)rows * cols * (id <= HW_OUTPUT_NORM ? 1 : c->n_layers);
    }
    return total;
}

int hw_cmd_inspect(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    struct hw_error err = {0};
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (o != 'h')
            return 2;
        puts("hardwire inspect MODEL");
        return 0;
    }
    if (optind + 1 != argc)
        return hw_usage("inspect", "expected one checkpoint");
    struct hw_model *model = hw_model_open(argv[optind], &err);
    if (!model)
        return hw_report(&err);
    const struct hw_config *c = hw_model_config(model);
    long weights = count_weights(c);
    printf("format      %s\n", hw_model_format(model));
    printf("dim         %d\nhidden_dim  %d\nn_layers    %d\nn_heads     %d\nn_kv_heads  %d\n"
           "head_dim    %d\nvocab_size  %d\nseq_len     %d\nclassifier  %s\n",
           c->dim, c->hidden_dim, c->n_layers, c->n_heads, c->n_kv_heads, c->head_dim,
           c->vocab_size, c->seq_len, c->tied ? "tied to the embedding" : "separate");
    printf("rope_base   %g\nnorm_eps    %g\nweights     %ld\n", c->rope_base, c->norm_eps, weights);
    if (c->sub_norm)
        puts("sub_norm    a norm before wo and down too");
    if (hw_model_is_ternary(model))
        puts("weights of layers  ternary: 2-bit codes hold them without loss (quantize does so)");
    for (int bits = 2; bits <= 8; bits += bits < 4 ? 1 : 2)
        printf("ROM at %d bits  %ld bits of codes\n", bits, weights * bits);
    hw_model_close(model);
    return 0;
}
