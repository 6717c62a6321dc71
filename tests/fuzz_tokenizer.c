// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tokenizer (llama2.c, GGUF or tokenizer.json). What opens must encode the same
// bytes as text, within the bound of its header, and decode every token.
#include "gen/tokenizer.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char path[] = "fuzz_tokenizer.tmp";
    static const int vocab_sizes[] = {3, 16, 512};
    fuzz_write(path, data, size);
    for (int i = 0; i < 3; i++) {
        struct hw_error err = {0};
        struct hw_tokenizer *tok = hw_tokenizer_open(path, vocab_sizes[i], &err);
        if ((tok == NULL) != err.set)
            abort();
        if (!tok)
            continue;
        int *ids = malloc((size + 2) * sizeof *ids); // ASan checks the bound
        int n = ids ? hw_tokenizer_encode(tok, (const char *)data, size, true, ids) : -1;
        size_t len, total = 0;
        for (int k = 0; k < n; k++) {
            const char *piece = hw_tokenizer_piece(tok, k ? ids[k - 1] : -1, ids[k], &len);
            for (size_t b = 0; b < len; b++)
                total += (uint8_t)piece[b];
        }
        if (n < -1 || total == SIZE_MAX)
            abort();
        free(ids);
        hw_tokenizer_close(tok);
    }
    remove(path);
    return 0;
}
