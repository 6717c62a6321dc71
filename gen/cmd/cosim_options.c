// SPDX-License-Identifier: Apache-2.0
// Owns the rows of the options that several programs share.
#include "gen/cmd/cosim_options.h"

#include "gen/output.h"

const struct hw_option HW_ASK_OPTIONS[] = {
    {"prompt", 'p', HW_SETS(struct hw_ask, prompt), "TEXT",
     .help = "what the story begins with (nothing), or what the chat is asked"},
    {"chat", 0, HW_SETS(struct hw_ask, chat),
     .help = "with the chat template of the tokenizer; without -p, line by line"},
    {"system", 0, HW_SETS(struct hw_ask, system), "TEXT",
     .help = "what the chat's model is told first"},
    {"messages", 0, HW_SETS(struct hw_ask, messages), "FILE",
     .help = "what was said so far: [{\"role\": ..., \"content\": ...}, ...]"},
    {"template", 0, HW_SETS(struct hw_ask, template), "NAME",
     .help = "chatml, llama2, llama3, zephyr, mistral, gemma"},
    {0}};

const struct hw_option HW_COSIM_OPTIONS[] = {
    {"tokenizer", 't', HW_SETS(struct hw_cosim_options, tokenizer), "FILE",
     .help = "of the model: llama2.c, GGUF, tokenizer.json or its folder"},
    {"count", 'n', HW_SETS(struct hw_cosim_options, count), "N", 1, HW_ANY_COUNT, "256",
     .help = "tokens to generate, in each turn of a chat; steps of a slice"},
    {"stalls", 0, HW_SETS(struct hw_cosim_options, stalls), "SEED", 1, 1 << 30,
     .help = "pause the streams at random"},
    {"reset-at", 0, HW_SETS(struct hw_cosim_options, reset_at), "N", 1, 1 << 30,
     .help = "reset once, at clock N, and begin again"},
    {"repeat", 0, HW_SETS(struct hw_cosim_options, repeat), "N", 1, HW_ANY_COUNT,
     .help = "send the same prompt N more times, without a reset"},
    {"random", 0, HW_SETS(struct hw_cosim_options, random), "SEED", 1, 1 << 30,
     .help = "slice: random operands instead of captured ones"},
    {"no-taps", 0, HW_SETS(struct hw_cosim_options, no_taps), .help = "compare tokens only"},
    {"quiet", 'q', HW_SETS(struct hw_cosim_options, quiet), .help = "no story"},
    {"json", 0, HW_SETS(struct hw_cosim_options, json), "FILE", .help = "the summary as JSON"},
    {"clock", 0, HW_SETS(struct hw_cosim_options, clock_mhz), "MHZ", 1, HW_ANY_COUNT,
     .help = "clock at which tokens/s are stated, beside cycles"},
    {"clock-mhz", 0, HW_SETS(struct hw_cosim_options, clock_mhz), "MHZ", 1, HW_ANY_COUNT},
    {0}};

bool hw_cosim_json_check(const struct hw_cosim_options *o, const char *design, struct hw_error *err)
{
    return !o->json || hw_output_outside(o->json, design, err);
}
