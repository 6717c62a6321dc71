// SPDX-License-Identifier: Apache-2.0
// Any bytes as a checkpoint file: GGUF or llama2.c. What opens must give every row.
#include "gen/model.h"
#include "tests/fuzz.h"

static void read_all(const struct hw_model *model)
{
    const struct hw_config *c = hw_model_config(model);
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols;
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        float *row = malloc((size_t)cols * sizeof *row);
        for (int layer = 0; row && layer < (id <= HW_OUTPUT_NORM ? 1 : c->n_layers); layer++)
            for (int r = 0; r < rows && hw_tensor_exists(c, (enum hw_tensor_id)id); r++)
                hw_model_row(model, (enum hw_tensor_id)id, layer, r, row);
        free(row);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char path[] = "fuzz_model.tmp";
    struct hw_error err = {0};
    fuzz_write(path, data, size);
    struct hw_model *model = hw_model_open(path, &err);
    if ((model == NULL) != err.set)
        abort(); // a failure without a message, or the other way round
    if (model)
        read_all(model);
    hw_model_close(model);
    remove(path);
    return 0;
}
