// SPDX-License-Identifier: Apache-2.0
// Owns the choice of a template and which conversations one takes.
#include "gen/text/chat.h"

#include <stdlib.h>
#include <string.h>

#include "gen/text/chat_inside.h"

static const struct hw_form *choose(const struct hw_tokenizer *tok, const char *name,
                                    struct hw_error *err)
{
    static const char CHOICE[] = "chatml, llama2, llama3, zephyr, mistral or gemma";
    const char *jinja = hw_tokenizer_template(tok);
    const struct hw_form *form = name    ? hw_form_find(name)
                                 : jinja ? hw_form_recognize(jinja)
                                         : NULL;
    if (name && !form)
        hw_fail(err, "chat template: expected %s, got '%.32s'", CHOICE, name);
    else if (!form && jinja)
        hw_fail(err,
                "chat template: the tokenizer's is of no family known here (it begins "
                "\"%.60s\"): name one that the model was trained with by --template: %s",
                jinja, CHOICE);
    else if (!form)
        hw_fail(err,
                "chat template: expected one in the tokenizer's metadata (a GGUF file, or a "
                "folder with tokenizer_config.json), got none: give -t such a tokenizer, or "
                "name one by --template: %s",
                CHOICE);
    return form;
}

void hw_chat_free(struct hw_chat *chat)
{
    if (chat) {
        free(chat->default_system);
        free(chat->before_system);
    }
    free(chat);
}

int hw_chat_stop(const struct hw_chat *chat)
{
    return chat->stop;
}

static bool check(const struct hw_conversation *c, struct hw_error *err)
{
    static const char *const name[HW_N_ROLES] = {"system", "user", "assistant"};
    int first = c->n > 0 && c->message[0].role == HW_SYSTEM;
    for (int i = first; i < c->n; i++) {
        enum hw_role wanted = (i - first) % 2 ? HW_ASSISTANT : HW_USER;
        if (c->message[i].role != wanted)
            return hw_fail(err, "chat: message %d: expected role %s, got %s", i + 1, name[wanted],
                           name[c->message[i].role]);
    }
    if (c->n == first || (c->n - first) % 2 == 0)
        return hw_fail(err,
                       "chat: expected a conversation that ends with a user's message, got %d "
                       "messages",
                       c->n);
    return true;
}

int *hw_chat_format(const struct hw_chat *chat, const struct hw_conversation *c, int *n,
                    struct hw_error *err)
{
    struct hw_chat_text w = {.chat = chat, .err = err};
    if (!check(c, err))
        return NULL;
    if (chat->no_system && c->message[0].role == HW_SYSTEM) {
        hw_fail(err,
                "chat template: %s: expected no system text, which the template refuses, got "
                "one",
                chat->form.family);
        return NULL;
    }
    hw_chat_put(&w, c);
    hw_chat_encode(&w);
    free(w.text);
    *n = (int)w.n;
    if (!err->set)
        return w.ids;
    free(w.ids);
    return NULL;
}

struct hw_chat *hw_chat_new(const struct hw_tokenizer *tok, const char *name, struct hw_error *err)
{
    const struct hw_form *form = choose(tok, name, err);
    const char *jinja = hw_tokenizer_template(tok);
    struct hw_chat *chat = form ? calloc(1, sizeof *chat) : NULL;
    if (!form)
        return NULL;
    if (!chat) {
        hw_fail(err, "chat template: out of memory");
        return NULL;
    }
    chat->tok = tok;
    chat->form = *form;
    chat->bos = hw_tokenizer_adds_bos(tok);
    chat->stop = hw_chat_special(tok, chat->form.stop);
    if (chat->stop < 0)
        hw_fail(err,
                "chat template: %s: expected the token %s in the vocabulary, got none: the "
                "model was trained with another template (--template)",
                form->family, chat->form.stop);
    else if (jinja && hw_form_recognize(jinja) == form)
        hw_chat_learn(chat, jinja, !name, err);
    if (!err->set)
        return chat;
    hw_chat_free(chat);
    return NULL;
}
