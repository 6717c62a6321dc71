// SPDX-License-Identifier: Apache-2.0
// A second opinion on the integer machine, for tests: the same numbers as refmodel/, from the
// definitions and by other means. It shares types with refmodel/ and no code.
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdint.h>

#include "refmodel/qmodel.h"
#include "refmodel/ref.h" // enum hw_tap only

// One tensor of one token.
struct oracle_tap {
    enum hw_tap tap;
    int layer, head, n;
    int64_t *value; // [n]
};

struct oracle; // the keys and values of one sequence, and the tensors of its last token

// Aborts when out of memory. *q must outlive the oracle; q->rope and every weight[] are not read.
struct oracle *oracle_new(const struct hw_qmodel *q);
void oracle_free(struct oracle *o);

// Evaluates one token at position pos (in order from 0). Returns its tensors in the order of enum
// hw_tap, layer by layer, valid until the next call; *n counts them.
const struct oracle_tap *oracle_forward(struct oracle *o, int token, int pos, int *n);

// cos and sin in Q1.14 of rotation pair `pair` at a position, as the machine sees them.
void oracle_angle(const struct hw_config *c, int pair, int pos, int64_t *cos, int64_t *sin);

// The tables of the machine at any input, Q1.15: 2^-(f / 1024), 1 / (1 + f / 2^15),
// 1 / sqrt(m / 2^14), sigmoid(a / 1024).
int64_t oracle_exp2(int f);    // 0 <= f < 2^10
int64_t oracle_recip(int f);   // 0 <= f < 2^15
int64_t oracle_rsqrt(int m);   // 2^14 <= m < 2^16
int64_t oracle_sigmoid(int a); // 0 <= a < 2^14

#endif
