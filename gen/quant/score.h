// SPDX-License-Identifier: Apache-2.0
// The integer machine over a text, beside the float model it was made from: perplexity of both, and
// how often their likeliest next token is the same.
#ifndef HW_SCORE_H
#define HW_SCORE_H

#include "gen/float/float_model.h"
#include "gen/text/tokenizer.h"

struct hw_score {
    long scored;           // positions
    double nll, float_nll; // mean negative logarithm of the next token's probability
    long agreed;           // positions where both models say the same
};

struct hw_position { // what was predicted at a token
    int next;        // the token that came
    double nll, float_nll;
    int likeliest, float_likeliest;
};

// Tokens of a file: documents end with <|endoftext|>, each begins with BOS. At most `most` of them
// (0: all). NULL: unreadable, or nothing to score.
int *hw_score_text(const char *path, const struct hw_tokenizer *tok, int most, int *n,
                   struct hw_error *err);

// Windows of the context, every position counts. checkpoint: NULL, or the checkpoint, whose
// vocabulary and context must be those of *q. each[n], unless NULL, receives every position scored.
bool hw_score(const struct hw_qmodel *q, const struct hw_model *checkpoint, const int *tokens,
              int n, int threads, struct hw_position *each, struct hw_score *score,
              struct hw_error *err);

#endif
