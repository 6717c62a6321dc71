// SPDX-License-Identifier: Apache-2.0
// What the reference answers: answers Q.safetensors < prompts. A line in is the ids of a prompt, a
// line out those of the answer, as far as the context holds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/qmodel/file.h"
#include "refmodel/ref.h"

static void answer(const struct hw_qmodel *q, char *line)
{
    struct hw_ref *ref = hw_ref_new(q);
    const int seq_len = q->config.seq_len;
    const int32_t *logits = NULL;
    int pos = 0;
    for (char *word = strtok(line, " \n"); ref && word && pos < seq_len; word = strtok(NULL, " \n"))
        logits = hw_ref_forward(ref, atoi(word), pos++, 1);
    while (logits) {
        int token = hw_ref_argmax(logits, q->config.vocab_size);
        printf("%d ", token);
        logits = pos < seq_len ? hw_ref_forward(ref, token, pos++, 1) : NULL;
    }
    puts("");
    hw_ref_free(ref);
}

int main(int argc, char **argv)
{
    struct hw_qmodel q;
    struct hw_error err = {0};
    char line[4096];
    if (argc != 2 || !hw_qmodel_read(&q, argv[1], &err))
        return fprintf(stderr, "answers: %s\n", argc == 2 ? err.text : "expected a model"), 1;
    while (fgets(line, sizeof line, stdin))
        answer(&q, line);
    hw_qmodel_free(&q);
    return 0;
}
