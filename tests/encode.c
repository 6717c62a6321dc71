// SPDX-License-Identifier: Apache-2.0
// Encodes texts from standard input, each behind its length (32 bits, little endian), and prints
// their token ids, a line a text: encode TOKENIZER VOCAB_SIZE. A line ends with "lossy" where the
// pieces of the tokens are not the text again.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/text/tokenizer.h"

static void encode(const struct hw_tokenizer *tok, const char *text, size_t n, int *ids)
{
    int count = hw_tokenizer_encode_part(tok, text, n, false, ids);
    size_t at = 0, len;
    bool same = true;
    for (int i = 0; i < count; i++) {
        const char *piece = hw_tokenizer_piece(tok, -1, ids[i], &len);
        same = same && len <= n - at && memcmp(piece, text + at, len) == 0;
        at += same ? len : 0;
        printf("%d ", ids[i]);
    }
    puts(same && at == n ? "" : "lossy");
}

int main(int argc, char **argv)
{
    struct hw_error err = {0};
    struct hw_tokenizer *tok = argc == 3 ? hw_tokenizer_open(argv[1], atoi(argv[2]), &err) : NULL;
    if (!tok)
        return fprintf(stderr, "%s\n", argc == 3 ? err.text : "TOKENIZER VOCAB_SIZE"), 1;
    bool ok = true;
    for (uint8_t head[4]; ok && fread(head, 1, 4, stdin) == 4;) {
        size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        char *text = malloc(n + 1);
        int *ids = malloc(hw_tokenizer_room(n) * sizeof *ids);
        ok = text && ids && fread(text, 1, n, stdin) == n;
        if (ok)
            encode(tok, text, n, ids);
        free(text);
        free(ids);
    }
    hw_tokenizer_close(tok);
    return ok ? 0 : 1;
}
