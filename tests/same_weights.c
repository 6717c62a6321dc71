// SPDX-License-Identifier: Apache-2.0
// Two checkpoints of one model: every float weight of the second is the first's, rounded as its
// storage type rounds it: same_weights REFERENCE OTHER. REFERENCE holds plain floats. Prints, for
// each type, how many weights and the largest error as a share of what rounding may cost in that
// block. Exit status 1 at the first weight that is further off, or where a type comes nowhere near
// its bound.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/import.h"

enum { MAX_COLS = 1 << 18 };

struct tally {
    long weights;
    long of[HW_N_DTYPES];
    double worst[HW_N_DTYPES]; // error over what is allowed
};

// ggml's quantizers: codes low..high of a step from the block's largest magnitude (its sign decides
// which end it takes), or from its range. The step, and the offset, are kept in half precision.
static const struct {
    int low, high; // high 0: not a type of blocks
    bool ranged;
} blocks[HW_N_DTYPES] = {
    [HW_Q8_0] = {-127, 127, false}, [HW_Q4_0] = {-8, 7, false}, [HW_Q5_0] = {-16, 15, false},
    [HW_Q4_1] = {0, 15, true},      [HW_Q5_1] = {0, 31, true},
};

// How far weight i of the block x[n] may be off when stored.
static double allowed(enum hw_dtype dtype, const float *x, int n, int i)
{
    static const double HALF = 0x1p-11; // rounding of half precision, relative
    double low = x[0], high = x[0], top = x[0], size = fabs(x[i]);
    if (dtype == HW_F32)
        return 0.0;
    if (dtype == HW_F16 || dtype == HW_BF16)
        return dtype == HW_F16 ? fmax(size * HALF, 0x1p-25) : size * 0x1p-8;
    for (int k = 1; k < n; k++) {
        low = fmin(low, x[k]);
        high = fmax(high, x[k]);
        top = fabs(x[k]) > fabs(top) ? x[k] : top;
    }
    if (blocks[dtype].ranged) {
        double step = (high - low) / blocks[dtype].high;
        return 0.5 * step + HALF * (high - low) + HALF * fabs(low) + 0x1p-24;
    }
    double step = fabs(top) / -blocks[dtype].low;
    double place = x[i] / (top < 0.0 ? step : -step); // the largest lies at the lower end
    double cut = step > 0.0 && place > blocks[dtype].high + 0.5 ? place - blocks[dtype].high : 0.5;
    return step * cut + HALF * (size + step) + 0x1p-24;
}

static bool compare_row(const struct hw_model *a, const struct hw_model *b, enum hw_tensor_id id,
                        int layer, int row, struct tally *t)
{
    static float x[MAX_COLS], y[MAX_COLS];
    // a tied reference has one table for both ends
    enum hw_tensor_id from = hw_tensor_exists(hw_model_config(a), id) ? id : HW_TOK_EMBED;
    enum hw_dtype dtype = hw_model_tensor(b, id, layer)->dtype;
    int rows, cols, block = hw_dtype_block(dtype);
    char name[HW_TENSOR_NAME_SIZE];
    hw_tensor_shape(hw_model_config(b), id, &rows, &cols);
    hw_model_row(a, from, layer, row, x);
    hw_model_row(b, id, layer, row, y);
    for (int i = 0; i < cols; i++) {
        double bound = allowed(dtype, x + i / block * block, block, i % block);
        double error = fabs((double)x[i] - (double)y[i]);
        if (!(error <= bound)) {
            fprintf(stderr, "%s row %d column %d, %s: expected %.9g within %.3g, got %.9g\n",
                    hw_tensor_name(id, layer, name), row, i, hw_dtype_name(dtype), (double)x[i],
                    bound, (double)y[i]);
            return false;
        }
        if (bound > 0.0)
            t->worst[dtype] = fmax(t->worst[dtype], error / bound);
        t->of[dtype]++;
        t->weights++;
    }
    return true;
}

static bool compare(const struct hw_model *a, const struct hw_model *b, struct tally *t)
{
    struct hw_config c = *hw_model_config(a), d = *hw_model_config(b);
    if (c.dim != d.dim || c.hidden_dim != d.hidden_dim || c.n_layers != d.n_layers ||
        c.n_heads != d.n_heads || c.n_kv_heads != d.n_kv_heads || c.head_dim != d.head_dim ||
        c.vocab_size != d.vocab_size || c.sub_norm != d.sub_norm || c.qkv_bias != d.qkv_bias ||
        c.qk_norm != d.qk_norm || c.window != d.window || (!c.tied && d.tied)) {
        fprintf(stderr, "expected two checkpoints of one model, got other dimensions\n");
        return false;
    }
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols, n = hw_tensor_is_global((enum hw_tensor_id)id) ? 1 : d.n_layers;
        hw_tensor_shape(&d, (enum hw_tensor_id)id, &rows, &cols);
        for (int k = 0; hw_tensor_exists(&d, (enum hw_tensor_id)id) && k < n * rows; k++)
            if (!compare_row(a, b, (enum hw_tensor_id)id, k / rows, k % rows, t))
                return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct hw_error err = {0};
    struct tally t = {0};
    if (argc != 3)
        return fprintf(stderr, "expected REFERENCE OTHER\n"), 2;
    struct hw_model *a = hw_model_open(argv[1], &err);
    struct hw_model *b = a ? hw_model_open(argv[2], &err) : NULL;
    bool same = b && compare(a, b, &t);
    if (err.set)
        fprintf(stderr, "%s\n", err.text);
    for (int i = 0; same && i < HW_N_DTYPES; i++) {
        if (!t.of[i])
            continue;
        printf("%s %ld, off by at most %.2f of what rounding may cost; ",
               hw_dtype_name((enum hw_dtype)i), t.of[i], t.worst[i]);
        if (i != HW_F32 && t.worst[i] < 0.4) // bounds that nothing comes near would prove little
            same = false;
    }
    if (same)
        printf("%ld weights\n", t.weights);
    hw_model_close(a);
    hw_model_close(b);
    return same ? 0 : 1;
}
