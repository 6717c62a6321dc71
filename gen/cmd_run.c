// SPDX-License-Identifier: Apache-2.0
// hardwire run: the integer reference tells a story, or is scored over a text.
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/cmd.h"
#include "gen/qfile.h"
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

// --- perplexity ---------------------------------------------------------------------------------

struct share { // windows first, first + step, ... of one thread
    const struct hw_qmodel *q;
    const int *tokens;
    int n_tokens, first, step;
    double nll;
    long scored;
};

static double nll(const int32_t *logits, int n, int target, double scale)
{
    int max = hw_ref_argmax(logits, n);
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += exp((logits[i] - logits[max]) * scale);
    return log(sum) - (logits[target] - logits[max]) * scale;
}

static void *score_share(void *arg)
{
    struct share *s = arg;
    int window = s->q->config.seq_len;
    struct hw_ref *ref = hw_ref_new(s->q);
    for (long at = (long)s->first * window; ref && at + 1 < s->n_tokens;
         at += (long)s->step * window) {
        for (int pos = 0; pos < window && at + pos + 1 < s->n_tokens; pos++) {
            const int32_t *logits = hw_ref_forward(ref, s->tokens[at + pos], pos, 1);
            s->nll += nll(logits, s->q->config.vocab_size, s->tokens[at + pos + 1],
                          s->q->logit_scale);
            s->scored++;
        }
    }
    hw_ref_free(ref);
    return NULL;
}

static int *encode_documents(const struct hw_tokenizer *tok, char *text, size_t size, int *n)
{
    static const char END[] = "<|endoftext|>";
    int *ids = malloc((2 * size + 16) * sizeof *ids);
    *n = 0;
    for (char *doc = text; ids && doc;) {
        char *end = strstr(doc, END);
        size_t len = end ? (size_t)(end - doc) : strlen(doc);
        while (len && (doc[len - 1] == '\n' || doc[len - 1] == ' '))
            len--;
        size_t skip = strspn(doc, "\n ");
        if (skip < len)
            *n += hw_tokenizer_encode(tok, doc + skip, len - skip, true, ids + *n);
        doc = end ? end + sizeof END - 1 : NULL;
    }
    return ids;
}

static char *read_text(const char *path, size_t *size, struct hw_error *err)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    *size = 0;
    if (!file) {
        hw_fail(err, "%s: cannot read: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t room = 0;;) {
        if (*size + 1 >= room) {
            char *more = realloc(text, room = 2 * room + (1 << 16));
            if (!more) {
                hw_fail(err, "%s: out of memory", path);
                break;
            }
            text = more;
        }
        size_t n = fread(text + *size, 1, room - *size - 1, file);
        *size += n;
        if (n == 0)
            break;
    }
    if (text)
        text[*size] = '\0';
    fclose(file);
    return text;
}

static int perplexity(const struct hw_qmodel *q, const struct hw_tokenizer *tok, const char *path,
                      int most, int threads)
{
    enum { MAX_THREADS = 64 };
    struct hw_error err = {0};
    pthread_t thread[MAX_THREADS];
    struct share share[MAX_THREADS];
    size_t size;
    int n = 0;
    char *text = read_text(path, &size, &err);
    int *tokens = text && !err.set ? encode_documents(tok, text, size, &n) : NULL;
    if (err.set)
        return free(text), hw_report(&err);
    if (most && n > most)
        n = most;
    for (int i = 0; i < threads; i++) {
        share[i] = (struct share){q, tokens, n, i, threads, 0.0, 0};
        if (pthread_create(&thread[i], NULL, score_share, &share[i]) != 0)
            score_share(&share[i]), thread[i] = pthread_self();
    }
    double sum = 0.0;
    long scored = 0;
    for (int i = 0; i < threads; i++) {
        if (!pthread_equal(thread[i], pthread_self()))
            pthread_join(thread[i], NULL);
        sum += share[i].nll;
        scored += share[i].scored;
    }
    printf("tokens %d scored %ld nll %.5f perplexity %.4f\n", n, scored,
           scored ? sum / (double)scored : 0.0, scored ? exp(sum / (double)scored) : 0.0);
    free(tokens);
    free(text);
    return 0;
}

struct request {
    const char *model, *tokenizer, *prompt, *score;
    int count, most, threads;
};

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
        status = perplexity(&q, tok, r->score, r->most, r->threads);
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
        else if (opt == 'h')
            return fputs(HELP, stdout), 0;
        else if (opt == '?')
            return 2;
    }
    if (optind + 1 != argc || !r.tokenizer)
        return hw_usage("run", "expected one quantized model and -t TOKENIZER");
    r.model = argv[optind];
    return run(&r);
}
