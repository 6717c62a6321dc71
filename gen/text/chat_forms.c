// SPDX-License-Identifier: Apache-2.0
// Owns the families of chat templates, what tells them apart, and what varies within them. A family
// is written as texts in which the names of control tokens stand between T and E; what a user says
// is put between such texts.
#include <string.h>

#include "gen/text/chat_inside.h"

#define T HW_FORM_TOKEN
#define M HW_FORM_OPTIONAL
#define E HW_FORM_END
#define BOS T "bos" E
#define EOS T "eos" E

static const struct hw_form forms[] = {
    {.name = "chatml",
     .family = "ChatML",
     .begin = "",
     .turn = {{T "<|im_start|>" E "system\n", T "<|im_end|>" E "\n"},
              {T "<|im_start|>" E "user\n", T "<|im_end|>" E "\n"},
              {T "<|im_start|>" E "assistant\n", T "<|im_end|>" E "\n"}},
     .answer = T "<|im_start|>" E "assistant\n",
     .stop = "<|im_end|>"},
    {.name = "llama3",
     .family = "Llama 3",
     .begin = BOS,
     .turn = {{T "<|start_header_id|>" E "system" T "<|end_header_id|>" E "\n\n", T "<|eot_id|>" E},
              {T "<|start_header_id|>" E "user" T "<|end_header_id|>" E "\n\n", T "<|eot_id|>" E},
              {T "<|start_header_id|>" E "assistant" T "<|end_header_id|>" E "\n\n",
               T "<|eot_id|>" E}},
     .answer = T "<|start_header_id|>" E "assistant" T "<|end_header_id|>" E "\n\n",
     .stop = "<|eot_id|>"},
    {.name = "gemma",
     .family = "Gemma",
     .begin = BOS,
     .turn = {{NULL, NULL},
              {T "<start_of_turn>" E "user\n", T "<end_of_turn>" E "\n"},
              {T "<start_of_turn>" E "model\n", T "<end_of_turn>" E "\n"}},
     .answer = T "<start_of_turn>" E "model\n",
     .stop = "<end_of_turn>",
     .in_user_before = "",
     .in_user_after = "\n\n"},
    {.name = "llama2",
     .family = "Llama 2",
     .begin = "",
     .turn = {{NULL, NULL}, {BOS M "[INST]" E " ", " " M "[/INST]" E}, {" ", " " EOS}},
     .answer = "",
     .stop = "eos",
     .in_user_before = "<<SYS>>\n",
     .in_user_after = "\n<</SYS>>\n\n"},
    {.name = "mistral",
     .family = "Mistral",
     .begin = BOS,
     .turn = {{NULL, NULL}, {M "[INST]" E " ", " " M "[/INST]" E}, {"", EOS}},
     .answer = "",
     .stop = "eos",
     .in_user_before = "",
     .in_user_after = "\n\n"},
    {.name = "zephyr",
     .family = "Zephyr",
     .begin = "",
     .turn = {{M "<|system|>" E "\n", EOS "\n"},
              {M "<|user|>" E "\n", EOS "\n"},
              {M "<|assistant|>" E "\n", EOS "\n"}},
     .answer = M "<|assistant|>" E "\n",
     .stop = "eos"},
};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

static bool has(const char *jinja, const char *marker)
{
    return strstr(jinja, marker) != NULL;
}

const struct hw_form *hw_form_find(const char *name)
{
    for (int i = 0; i < N_FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    }
    return NULL;
}

const struct hw_form *hw_form_recognize(const char *jinja)
{
    if (has(jinja, "<|im_start|>"))
        return hw_form_find("chatml");
    if (has(jinja, "<|start_header_id|>"))
        return hw_form_find("llama3");
    if (has(jinja, "<start_of_turn>"))
        return hw_form_find("gemma");
    if (has(jinja, "<<SYS>>"))
        return has(jinja, "'[INST] ' + content") ? hw_form_find("llama2") : NULL;
    if (has(jinja, "[INST]") && !has(jinja, "[SYSTEM_PROMPT]"))
        return hw_form_find("mistral");
    if (has(jinja, "<|user|>") && has(jinja, "eos_token") && !has(jinja, "<|end|>"))
        return hw_form_find("zephyr");
    return NULL;
}

const char *hw_chat_family(const char *jinja)
{
    const struct hw_form *f = hw_form_recognize(jinja);
    return f ? f->family : NULL;
}

void hw_chat_adapt(struct hw_chat *chat, const char *jinja)
{
    struct hw_form *f = &chat->form;
    bool llama2 = strcmp(f->name, "llama2") == 0, mistral = strcmp(f->name, "mistral") == 0;
    bool trim = has(jinja, "| trim") || has(jinja, "|trim") || has(jinja, ".strip()");
    for (int role = 0; role < HW_N_ROLES; role++)
        chat->trim[role] = trim && (role != HW_SYSTEM || f->turn[role].before) &&
                           !(mistral && role != HW_ASSISTANT);
    if (llama2 && !has(jinja, "bos_token + '[INST]"))
        f->turn[HW_USER].before = M "[INST]" E " ";
    if (!mistral)
        return;
    f->turn[HW_USER].before = has(jinja, " [INST] ")  ? " " M "[INST]" E " "
                              : has(jinja, "[INST] ") ? M "[INST]" E " "
                                                      : M "[INST]" E;
    if (!has(jinja, " [/INST]"))
        f->turn[HW_USER].after = M "[/INST]" E;
    if (has(jinja, "' ' + m") || has(jinja, "\" \" + m"))
        f->turn[HW_ASSISTANT].before = " ";
    if (has(jinja, "eos_token + ' '"))
        f->turn[HW_ASSISTANT].after = EOS " ";
    chat->system_last = has(jinja, "loop.last and system_message");
}
