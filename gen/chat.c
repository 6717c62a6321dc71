// SPDX-License-Identifier: Apache-2.0
// Owns the families of chat templates.
#include "gen/chat.h"

#include <string.h>

static bool has(const char *jinja, const char *marker)
{
    return strstr(jinja, marker) != NULL;
}

const char *hw_chat_family(const char *jinja)
{
    if (has(jinja, "<|im_start|>"))
        return "ChatML";
    if (has(jinja, "<|start_header_id|>"))
        return "Llama 3";
    if (has(jinja, "<start_of_turn>"))
        return "Gemma";
    if (has(jinja, "[INST]"))
        return has(jinja, "<<SYS>>") ? "Llama 2" : "Mistral";
    if (has(jinja, "<|user|>") && has(jinja, "eos_token"))
        return "Zephyr";
    return NULL;
}
