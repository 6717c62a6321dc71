// SPDX-License-Identifier: Apache-2.0
// Any bytes as the model.safetensors of a Hugging Face folder. The configuration is fixed and
// tiny; or, where the first byte says so, the bytes are the configuration.
#define _POSIX_C_SOURCE 200809L // mkdir

#include <sys/stat.h>

#include "gen/model.h"
#include "tests/fuzz.h"

#define FOLDER "fuzz_safetensors.tmp"

static const char config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 4, \"intermediate_size\": 4,"
    " \"num_hidden_layers\": 1, \"num_attention_heads\": 1, \"vocab_size\": 2,"
    " \"max_position_embeddings\": 3, \"tie_word_embeddings\": true}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_error err = {0};
    mkdir(FOLDER, 0700); // may be there already
    if (size > 0 && data[0] == '{') {
        fuzz_write(FOLDER "/config.json", data, size);
    } else {
        fuzz_write(FOLDER "/config.json", (const uint8_t *)config, sizeof config - 1);
        fuzz_write(FOLDER "/model.safetensors", data, size);
    }
    struct hw_model *model = hw_model_open(FOLDER, &err);
    if ((model == NULL) != err.set)
        abort();
    hw_model_close(model); // opening has read every row
    return 0;
}
