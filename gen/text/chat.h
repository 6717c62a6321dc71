// SPDX-License-Identifier: Apache-2.0
// Conversations as the tokens that a chat model was trained on. Templates in a model's metadata are
// programs in Jinja; the ones in use are a few families, recognized by what only they write, and
// written here once more. Control tokens come from the template alone: their names in what people
// say are text.
#ifndef HW_CHAT_H
#define HW_CHAT_H

#include "gen/text/tokenizer.h"

enum hw_role { HW_SYSTEM, HW_USER, HW_ASSISTANT, HW_N_ROLES };

struct hw_message {
    enum hw_role role;
    char *text;
};

struct hw_conversation {
    struct hw_message *message; // [n]
    int n;
};

// Copies the text. False: out of memory.
bool hw_conversation_add(struct hw_conversation *c, enum hw_role role, const char *text,
                         struct hw_error *err);
// Adds the messages of a JSON file: [{"role": "user", "content": "..."}, ...].
bool hw_conversation_read(struct hw_conversation *c, const char *path, struct hw_error *err);
void hw_conversation_free(struct hw_conversation *c);

// The family of a template in Jinja ("ChatML", ...), or NULL.
const char *hw_chat_family(const char *jinja);

struct hw_chat; // a template, made ready for a tokenizer

// name: chatml, llama2, llama3, zephyr, mistral, gemma, or NULL for what the tokenizer's metadata
// holds. NULL and an error that says what to do where there is none, none known, or where the
// vocabulary lacks its tokens. The tokenizer must outlive it.
struct hw_chat *hw_chat_new(const struct hw_tokenizer *tok, const char *name, struct hw_error *err);
void hw_chat_free(struct hw_chat *chat);
int hw_chat_stop(const struct hw_chat *chat); // the token that ends an answer

// The tokens of a conversation, up to where the answer begins; the caller frees them. Refuses
// conversations that do not alternate between user and assistant after at most one system message,
// or do not end with the user.
int *hw_chat_format(const struct hw_chat *chat, const struct hw_conversation *c, int *n,
                    struct hw_error *err);

#endif
