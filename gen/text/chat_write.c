// SPDX-License-Identifier: Apache-2.0
// Owns how a conversation becomes tokens: texts of its form and of its messages are encoded
// together, from one control token to the next.
#include <stdlib.h>
#include <string.h>

#include "gen/text/chat_inside.h"

#define T HW_FORM_TOKEN
#define M HW_FORM_OPTIONAL
#define E HW_FORM_END

int hw_chat_special(const struct hw_tokenizer *tok, const char *name)
{
    return strcmp(name, "bos") == 0   ? hw_tokenizer_bos(tok)
           : strcmp(name, "eos") == 0 ? hw_tokenizer_template_eos(tok)
                                      : hw_tokenizer_special(tok, name);
}

static void put_text(struct hw_chat_text *w, const char *bytes, size_t len)
{
    if (w->err->set)
        return;
    if (len > w->room - w->len) {
        size_t room = 2 * (w->len + len) + 256;
        char *text = realloc(w->text, room);
        if (!text) {
            hw_fail(w->err, "chat: out of memory");
            return;
        }
        w->text = text;
        w->room = room;
    }
    if (len)
        memcpy(w->text + w->len, bytes, len);
    w->len += len;
}

static bool reserve(struct hw_chat_text *w, size_t more)
{
    if (w->err->set || more <= w->ids_room - w->n)
        return !w->err->set;
    size_t room = 2 * (w->n + more);
    int *ids = realloc(w->ids, room * sizeof *ids);
    if (!ids)
        return hw_fail(w->err, "chat: out of memory");
    w->ids = ids;
    w->ids_room = room;
    return true;
}

void hw_chat_encode(struct hw_chat_text *w)
{
    if (w->names || w->len == 0 || !reserve(w, hw_tokenizer_room(w->len)))
        return;
    int n = hw_tokenizer_encode_part(w->chat->tok, w->text, w->len, w->n > 0, w->ids + w->n);
    if (n < 0)
        hw_fail(w->err, "chat: a message is too long, or out of memory");
    else
        w->n += (size_t)n;
    w->len = 0;
}

static void put_token(struct hw_chat_text *w, int token)
{
    if (w->names) {
        const struct hw_piece *p = &w->chat->tok->pieces[token];
        bool again = token == hw_tokenizer_bos(w->chat->tok) && w->len == p->len &&
                     memcmp(w->text, p->bytes, p->len) == 0;
        put_text(w, again ? "" : p->bytes, again ? 0 : p->len);
        return;
    }
    hw_chat_encode(w);
    bool twice = w->n == 1 && w->ids[0] == token && token == hw_tokenizer_bos(w->chat->tok);
    if (!twice && reserve(w, 1))
        w->ids[w->n++] = token;
}

// A text of a form.
static void put_form(struct hw_chat_text *w, const char *text)
{
    while (*text && !w->err->set) {
        size_t len = strcspn(text, T M);
        put_text(w, text, len);
        text += len;
        if (!*text)
            return;
        char name[32] = "";
        bool must = *text++ == T[0];
        len = strcspn(text, E);
        memcpy(name, text, len < sizeof name ? len : 0);
        text += len + 1;
        int token = hw_chat_special(w->chat->tok, name);
        if (token >= 0)
            put_token(w, token);
        else if (!must)
            put_text(w, name, len);
        else
            hw_fail(w->err,
                    "chat template: %s: expected the token %s in the vocabulary, got none: "
                    "the model was trained with another template (--template)",
                    w->chat->form.family, name);
    }
}

// Drops the spaces that end the waiting text, back to byte `from`.
static void trim_end(struct hw_chat_text *w, size_t from)
{
    size_t end = from, n;
    for (size_t at = from; at < w->len; at += n) {
        if (hw_next_char(w->text, at, w->len, &n) != HW_CHAR_SPACE)
            end = at + n;
    }
    w->len = end < w->len ? end : w->len;
}

// Without the spaces at either end, where `trim`.
static void put_said(struct hw_chat_text *w, const char *text, bool trim)
{
    size_t len = strlen(text), first = 0, n, from = w->len;
    while (trim && first < len && hw_next_char(text, first, len, &n) == HW_CHAR_SPACE)
        first += n;
    put_text(w, text + first, len - first);
    if (trim)
        trim_end(w, from);
}

static void put_system_turn(struct hw_chat_text *w, const char *system)
{
    const struct hw_chat *chat = w->chat;
    const struct hw_turn *turn = &chat->form.turn[HW_SYSTEM];
    if (!turn->before || !system)
        return;
    put_form(w, turn->before);
    if (chat->before_system)
        put_text(w, chat->before_system, strlen(chat->before_system));
    put_said(w, system, chat->trim[HW_SYSTEM]);
    put_form(w, turn->after);
}

// What a conversation keeps of an answer.
static const char *kept(const struct hw_chat *chat, const struct hw_message *m)
{
    const char *text = m->text, *end = "</think>";
    if (!chat->drops_thought || m->role != HW_ASSISTANT || !strstr(text, end))
        return text;
    for (const char *at; (at = strstr(text, end)) != NULL;)
        text = at + strlen(end);
    return text + strspn(text, "\n");
}

// A user's turn that a system text goes into. Llama 2 trims the two as one.
static void put_user_with_system(struct hw_chat_text *w, const char *system, const char *said)
{
    const struct hw_form *f = &w->chat->form;
    bool trim = w->chat->trim[HW_USER], as_one = strcmp(f->name, "llama2") == 0;
    put_form(w, f->turn[HW_USER].before);
    size_t from = w->len;
    put_text(w, f->in_user_before, strlen(f->in_user_before));
    put_text(w, system, strlen(system));
    put_text(w, f->in_user_after, strlen(f->in_user_after));
    put_said(w, said, trim && !as_one);
    if (trim && as_one)
        trim_end(w, from);
    put_form(w, f->turn[HW_USER].after);
}

void hw_chat_put(struct hw_chat_text *w, const struct hw_conversation *c)
{
    const struct hw_chat *chat = w->chat;
    const struct hw_form *f = &chat->form;
    int first = c->message[0].role == HW_SYSTEM;
    const char *system = first ? c->message[0].text : chat->default_system;
    int with_system = chat->system_last ? c->n - 1 : first;
    if (chat->bos && hw_tokenizer_bos(chat->tok) >= 0)
        put_token(w, hw_tokenizer_bos(chat->tok));
    put_form(w, f->begin);
    put_system_turn(w, system);
    for (int i = first; i < c->n; i++) {
        const struct hw_message *m = &c->message[i];
        if (system && !f->turn[HW_SYSTEM].before && i == with_system) {
            put_user_with_system(w, system, m->text);
            continue;
        }
        put_form(w, f->turn[m->role].before);
        put_said(w, kept(chat, m), chat->trim[m->role]);
        put_form(w, f->turn[m->role].after);
    }
    put_form(w, f->answer);
}

void hw_chat_end_text(struct hw_chat_text *w)
{
    put_text(w, "", 1);
}
