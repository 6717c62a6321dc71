// SPDX-License-Identifier: Apache-2.0
// Owns scoring: text to tokens, windows over threads, the two models side by side.
#include "gen/quant/score.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/cursor.h"
#include "refmodel/ref.h"

enum { MAX_THREADS = 64 };

// --- text

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

// The whole file with a zero behind it; NULL where it cannot be read. The caller looks at err, too.
static char *read_text(const char *path, size_t *size, struct hw_error *err)
{
    struct hw_file file;
    *size = 0;
    if (!hw_file_map(&file, path, err))
        return NULL;
    *size = file.size;
    char *text = malloc(*size + 1);
    if (text)
        memcpy(text, file.data, *size);
    hw_file_unmap(&file);
    if (!text) {
        hw_fail(err, "%s: out of memory", path);
        return NULL;
    }
    text[*size] = '\0';
    if (strlen(text) < *size)
        hw_fail(err, "%s: byte %zu: expected text, got a zero byte", path, strlen(text));
    return text;
}

int *hw_score_text(const char *path, const struct hw_tokenizer *tok, int most, int *n,
                   struct hw_error *err)
{
    size_t size;
    char *text = read_text(path, &size, err);
    int *tokens = err->set ? NULL : encode_documents(tok, text, size, n);
    if (!err->set && !tokens)
        hw_fail(err, "%s: out of memory", path);
    free(text);
    if (tokens && *n < 2)
        hw_fail(err, "%s: expected text of at least 2 tokens, got %d", path, *n);
    if (err->set) {
        free(tokens);
        return NULL;
    }
    if (most && *n > most)
        *n = most;
    return tokens;
}

// --- windows

struct share { // windows first, first + step, ... of one thread
    const struct hw_qmodel *q;
    const struct hw_model *checkpoint;
    const int *tokens;
    int n_tokens, first, step;
    struct hw_position *each; // [n_tokens], or NULL
    struct hw_score sum;      // of nll, not their mean
    struct hw_error err;
};

static double nll(const int32_t *logits, int n, int target, double scale)
{
    int max = hw_ref_argmax(logits, n);
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += exp((logits[i] - logits[max]) * scale);
    return log(sum) - (logits[target] - logits[max]) * scale;
}

static double float_nll(const float *logits, int n, int target, int *max)
{
    double sum = 0.0;
    *max = 0;
    for (int i = 1; i < n; i++) // the first of equals, as the machine takes it
        *max = logits[i] > logits[*max] ? i : *max;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)logits[*max]);
    return log(sum) - ((double)logits[target] - (double)logits[*max]);
}

static void score_window(struct share *s, struct hw_ref *ref, struct hw_float *f, long at)
{
    const struct hw_config *c = &s->q->config;
    for (int pos = 0; pos < c->seq_len && at + pos + 1 < s->n_tokens; pos++) {
        int token = s->tokens[at + pos], next = s->tokens[at + pos + 1];
        const int32_t *logits = hw_ref_forward(ref, token, pos, 1);
        struct hw_position here = {.next = next};
        here.nll = nll(logits, c->vocab_size, next, s->q->logit_scale);
        here.likeliest = hw_ref_argmax(logits, c->vocab_size);
        s->sum.nll += here.nll;
        s->sum.scored++;
        if (f) {
            here.float_nll = float_nll(hw_float_forward(f, token, pos), c->vocab_size, next,
                                       &here.float_likeliest);
            s->sum.float_nll += here.float_nll;
            s->sum.agreed += here.float_likeliest == here.likeliest;
        }
        if (s->each)
            s->each[at + pos] = here;
    }
}

static void *score_share(void *arg)
{
    struct share *s = arg;
    int window = s->q->config.seq_len;
    struct hw_ref *ref = hw_ref_new(s->q);
    struct hw_float *f = s->checkpoint ? hw_float_new(s->checkpoint, &s->err) : NULL;
    if (!ref)
        hw_fail(&s->err, "scoring: out of memory");
    for (long at = (long)s->first * window; !s->err.set && at + 1 < s->n_tokens;
         at += (long)s->step * window)
        score_window(s, ref, f, at);
    hw_float_free(f);
    hw_ref_free(ref);
    return NULL;
}

bool hw_score(const struct hw_qmodel *q, const struct hw_model *checkpoint, const int *tokens,
              int n, int threads, struct hw_position *each, struct hw_score *score,
              struct hw_error *err)
{
    pthread_t thread[MAX_THREADS];
    bool started[MAX_THREADS];
    struct share share[MAX_THREADS];
    const struct hw_config *c = checkpoint ? hw_model_config(checkpoint) : &q->config;
    if (c->vocab_size != q->config.vocab_size || c->seq_len != q->config.seq_len)
        return hw_fail(err,
                       "scoring: float model: expected %d tokens and a context of %d, got %d "
                       "and %d",
                       q->config.vocab_size, q->config.seq_len, c->vocab_size, c->seq_len);
    threads = threads < MAX_THREADS ? threads : MAX_THREADS;
    for (int i = 0; i < threads; i++) {
        share[i] = (struct share){q, checkpoint, tokens, n, i, threads, each, {0}, {0}};
        started[i] = pthread_create(&thread[i], NULL, score_share, &share[i]) == 0;
    }
    memset(score, 0, sizeof *score);
    for (int i = 0; i < threads; i++) {
        if (started[i])
            pthread_join(thread[i], NULL);
        else
            score_share(&share[i]);
        if (share[i].err.set)
            hw_fail(err, "%s", share[i].err.text);
        score->scored += share[i].sum.scored;
        score->nll += share[i].sum.nll;
        score->float_nll += share[i].sum.float_nll;
        score->agreed += share[i].sum.agreed;
    }
    if (score->scored) {
        score->nll /= (double)score->scored;
        score->float_nll /= (double)score->scored;
    }
    return !err->set;
}
