// SPDX-License-Identifier: Apache-2.0
// What the files behind chat.h share: the families, a template made ready, and a conversation as it
// is written.
#ifndef HW_CHAT_INSIDE_H
#define HW_CHAT_INSIDE_H

#include "gen/text/chat.h"
#include "gen/text/vocab.h"

// --- families (chat_forms.c)

// In the texts of a form, the name of a control token stands between one of the first two and END.
#define HW_FORM_TOKEN "\1"    // it must be in the vocabulary
#define HW_FORM_OPTIONAL "\2" // where the vocabulary lacks it, its name is text
#define HW_FORM_END "\3"

struct hw_turn {
    const char *before, *after;
};

struct hw_form {
    const char *name, *family;
    const char *begin;
    struct hw_turn turn[HW_N_ROLES]; // system: nowhere (NULL), where it goes into a user's turn
    const char *answer;              // the assistant's turn begins
    const char *stop;                // the token that ends it
    const char *in_user_before, *in_user_after; // around a system text inside a user's turn
};

const struct hw_form *hw_form_find(const char *name);       // chatml, ...; NULL: none
const struct hw_form *hw_form_recognize(const char *jinja); // by what only it writes; NULL: none

struct hw_chat {
    const struct hw_tokenizer *tok;
    struct hw_form form;   // a copy, with what its template says
    bool bos;              // first, whether the form has it or not
    bool trim[HW_N_ROLES]; // no space around what is said
    bool system_last;      // the system text goes into the last turn, not the first
    bool no_system;        // the template refuses system texts
    bool drops_thought;    // of an answer only what follows "</think>" stays in a conversation
    char *default_system;  // where a conversation has none, or NULL
    char *before_system;   // begins every system text, or NULL
    int stop;
};

// What varies within a family, by its looks; hw_chat_learn sees whether it is so.
void hw_chat_adapt(struct hw_chat *chat, const char *jinja);

// --- a conversation (chat_write.c)

// A conversation on its way to tokens, or, where `names`, to the text that its template makes of
// it.
struct hw_chat_text {
    const struct hw_chat *chat;
    struct hw_error *err;
    bool names; // control tokens become their texts, as a template writes them
    char *text; // since the last control token
    size_t len, room;
    int *ids;
    size_t n, ids_room;
};

// The token of this name, or of "bos" and "eos"; -1: none.
int hw_chat_special(const struct hw_tokenizer *tok, const char *name);

// All messages, up to where the answer begins. A conversation that hw_chat_format takes.
void hw_chat_put(struct hw_chat_text *w, const struct hw_conversation *c);
// Encodes the text that waits.
void hw_chat_encode(struct hw_chat_text *w);
// Ends a text by names with a NUL.
void hw_chat_end_text(struct hw_chat_text *w);

// --- templates by what they render (chat_learn.c)

// Takes a template for its family only where it renders as the family does. strict: else it is an
// error, and not that the family's own form is wanted.
void hw_chat_learn(struct hw_chat *chat, const char *jinja, bool strict, struct hw_error *err);

#endif
