// SPDX-License-Identifier: Apache-2.0
// hardwire run: the integer reference tells a story, or is scored over a text.
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/cmd.h"
#include "gen/qfile.h"
#include "gen/score.h"
#include "gen/tokenizer.h"
#include "refmodel/ref.h"

static const char *const HELP =
    "hardwire run Q.safetensors -t TOKENIZER [options]\n"
    "  -t, --tokenizer FILE  llama2.c tokenizer\n"
    "  -p, --prompt TEXT     what the story begins with (nothing)\n"
    "  -n, --count N         tokens to generate (256)\n"
    "      --perplexity FILE score FILE instead: documents end with <|endoftext|>, each\n"
    "                        begins with BOS, windows of the context, every position counts\n"
    "      --tokens N        score at most N tokens (all)\n"
    "      --float MODEL     score the checkpoint in float too: how often both say the same\n"
    "      --threads N       for scoring (2)\n";

static void generate(const struct hw_qmodel *q, const struct hw_tokenizer *tok, const int *prompt,
                     int n_prompt, int count)
{
    struct hw_ref *ref = hw_ref_new(q);
    int token = prompt[0], made = 0;
    for (int pos = 0; ref && pos < q->config.seq_len && made < count; pos++) {
        int more = pos + 1 < n_prompt;
        const int32_t *logits = hw_ref_forward(ref, token, pos, !more);
        int next = more ? prompt[pos + 1] : hw_ref_argmax(logits, q->config.vocab_size);
        size_t len;
        if (!more)
            made++;
        if (next == HW_TOKEN_BOS || next == HW_TOKEN_EOS)
            break;
        const char *piece = hw_tokenizer_piece(tok, token, next, &len);
        fwrite(piece, 1, len, stdout);
        fflush(stdout);
        token = next;
    }
    putchar('\n');
    hw_ref_free(ref);
}

struct request {
    const char *model, *tokenizer, *prompt, *score, *twin;
    int count, most, threads;
};

static int score(const struct request *r, const struct hw_qmodel *q, const struct hw_tokenizer *tok)
{
    struct hw_error err = {0};
    struct hw_score s;
    struct hw_model *twin = r->twin ? hw_model_open(r->twin, &err) : NULL;
    int n = 0, *tokens = err.set ? NULL : hw_score_text(r->score, tok, r->most, &n, &err);
    if (tokens && hw_score(q, twin, tokens, n, r->threads, &s, &err)) {
        printf("tokens %d scored %ld nll %.5f perplexity %.4f\n", n, s.scored, s.nll, exp(s.nll));
        if (twin)
            printf("float nll %.5f perplexity %.4f top-1 agreement %.2f%%, %ld of %ld\n",
                   s.float_nll, exp(s.float_nll), 100.0 * (double)s.agreed / (double)s.scored,
                   s.agreed, s.scored);
    }
    free(tokens);
    hw_model_close(twin);
    return err.set ? hw_report(&err) : 0;
}

static int run(const struct request *r)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    int status = 0;
    if (!hw_qmodel_read(&q, r->model, &err))
        return hw_report(&err);
    struct hw_tokenizer *tok = hw_tokenizer_open(r->tokenizer, q.config.vocab_size, &err);
    if (!tok) {
        status = hw_report(&err);
    } else if (r->score) {
        status = score(r, &q, tok);
    } else {
        size_t len = strlen(r->prompt);
        int *ids = malloc((len + 2) * sizeof *ids);
        if (ids)
            generate(&q, tok, ids, hw_tokenizer_encode(tok, r->prompt, len, true, ids), r->count);
        free(ids);
    }
    hw_tokenizer_close(tok);
    hw_qmodel_free(&q);
    return status;
}

int hw_cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"tokenizer", required_argument, NULL, 't'}, {"prompt", required_argument, NULL, 'p'},
        {"count", required_argument, NULL, 'n'},     {"perplexity", required_argument, NULL, 'P'},
        {"tokens", required_argument, NULL, 'T'},    {"threads", required_argument, NULL, 'j'},
        {"float", required_argument, NULL, 'F'},
        {"help", no_argument, NULL, 'h'},            {0}};
    struct request r = {.prompt = "", .count = 256, .threads = 2};
    for (int opt; (opt = getopt_long(argc, argv, "t:p:n:h", options, NULL)) != -1;) {
        int *number = opt == 'n' ? &r.count : opt == 'T' ? &r.most : opt == 'j' ? &r.threads : NULL;
        if (number && !hw_parse_int(optarg, 1, opt == 'j' ? 64 : 1 << 30, number))
            return hw_usage("run", "expected a positive number, got '%s'", optarg);
        if (opt == 't')
            r.tokenizer = optarg;
        else if (opt == 'p')
            r.prompt = optarg;
        else if (opt == 'P')
            r.score = optarg;
        else if (opt == 'F')
            r.twin = optarg;
        else if (opt == 'h')
            return fputs(HELP, stdout), 0;
        else if (opt == '?')
            return 2;
    }
    if (optind + 1 != argc || !r.tokenizer)
        return hw_usage("run", "expected one quantized model and -t TOKENIZER");
    if (r.twin && !r.score)
        return hw_usage("run", "--float: expected --perplexity TEXT with it");
    r.model = argv[optind];
    return run(&r);
}
