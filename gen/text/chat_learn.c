// SPDX-License-Identifier: Apache-2.0
// Owns what is learned of a template by rendering: conversations show what it trims, where a system
// text goes and what begins it. A template is its family's only where both make the same of every
// one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/text/chat_inside.h"
#include "gen/text/jinja.h"

// Conversations that show what a template does; spaces show what it trims.
#define SYSTEM_PROBE " Rule. "
static const struct probe {
    const char *what;
    bool system;
    const char *text[6];
} probes[] = {
    {"a question", false, {" One? "}},
    {"three turns", false, {" One? ", " It is. ", "Two?\n"}},
    {"an answer with a thought", false, {"One?", "<think>\nSo.\n</think>\n\nIt is.", "Two?"}},
    {"a system text", true, {SYSTEM_PROBE, " One? "}},
    {"a system text and three turns", true, {SYSTEM_PROBE, " One? ", " It is. ", "Two?"}},
    {"five turns", false, {"One?", "Yes.", "Two?", "No.", "Three?"}},
};
enum { N_PROBES = sizeof probes / sizeof probes[0] };

struct rendering {
    char *text; // NULL: the template refuses the conversation
    char why[160];
};

static bool converse(struct hw_conversation *c, const struct probe *p, struct hw_error *err)
{
    for (int i = 0; i < 6 && p->text[i]; i++) {
        enum hw_role role = p->system && i == 0   ? HW_SYSTEM
                            : (i - p->system) % 2 ? HW_ASSISTANT
                                                  : HW_USER;
        if (!hw_conversation_add(c, role, p->text[i], err))
            return false;
    }
    return true;
}

static char *text_of(const struct hw_tokenizer *tok, int token)
{
    return token < 0 ? NULL : strndup(tok->pieces[token].bytes, tok->pieces[token].len);
}

// What the template makes of every probe. False: what it is written in is not known here.
static bool render_all(const struct hw_tokenizer *tok, const char *jinja,
                       struct rendering r[N_PROBES], struct hw_error *err)
{
    char *bos = text_of(tok, hw_tokenizer_bos(tok));
    char *eos = text_of(tok, hw_tokenizer_template_eos(tok));
    for (int i = 0; i < N_PROBES && !err->set; i++) {
        struct hw_error why = {0};
        struct hw_conversation c = {0};
        bool raised = false;
        if (converse(&c, &probes[i], err))
            r[i].text = hw_jinja_render(jinja, &c, bos, eos, &raised, &why);
        hw_conversation_free(&c);
        snprintf(r[i].why, sizeof r[i].why, "%.150s", why.text);
        if (!err->set && !r[i].text && !raised)
            hw_fail(err, "%s", why.text);
    }
    free(bos);
    free(eos);
    return !err->set;
}

// The same by the family, as a text.
static char *write_probe(const struct hw_chat *chat, const struct probe *p, struct hw_error *err)
{
    struct hw_chat_text w = {.chat = chat, .err = err, .names = true};
    struct hw_conversation c = {0};
    if (converse(&c, p, err))
        hw_chat_put(&w, &c);
    hw_conversation_free(&c);
    hw_chat_end_text(&w);
    if (!err->set)
        return w.text;
    free(w.text);
    return NULL;
}

// BOS before everything is put there by one or the other.
static const char *after_bos(const struct hw_chat *chat, const char *text)
{
    int bos = hw_tokenizer_bos(chat->tok);
    size_t n = bos >= 0 ? chat->tok->pieces[bos].len : 0;
    return n > 0 && strncmp(text, chat->tok->pieces[bos].bytes, n) == 0 ? text + n : text;
}

// What a text holds between the beginning and the end of another one, around `mark`; NULL: it is
// not so. The caller frees it.
static char *between(const char *text, const char *form, const char *mark)
{
    const char *at = strstr(form, mark), *rest = at ? at + strlen(mark) : NULL;
    size_t before = at ? (size_t)(at - form) : 0, after = rest ? strlen(rest) : 0;
    size_t n = strlen(text);
    if (!at || n < before + after || strncmp(text, form, before) != 0 ||
        strcmp(text + n - after, rest) != 0)
        return NULL;
    return strndup(text + before, n - before - after);
}

// The text that begins every system text, and the one where a conversation has none.
static void learn_system(struct hw_chat *chat, const struct rendering r[N_PROBES],
                         struct hw_error *err)
{
    static const char mark[] = "\4mark\4";
    const struct probe marked = {"", true, {mark, probes[0].text[0]}};
    free(chat->default_system);
    free(chat->before_system);
    chat->default_system = chat->before_system = NULL;
    chat->no_system = !r[3].text;
    char *form = write_probe(chat, &marked, err), *own = write_probe(chat, &probes[0], err);
    if (form && own && !chat->no_system && chat->form.turn[HW_SYSTEM].before) {
        const char *said = &SYSTEM_PROBE[chat->trim[HW_SYSTEM]];
        size_t len = strlen(said) - chat->trim[HW_SYSTEM];
        char *all = between(after_bos(chat, r[3].text), after_bos(chat, form), mark);
        size_t n = all ? strlen(all) : 0;
        if (n > len && strncmp(all + n - len, said, len) == 0)
            chat->before_system = strndup(all, n - len);
        free(all);
    }
    if (form && own && strcmp(after_bos(chat, r[0].text), after_bos(chat, own)) != 0) {
        size_t n = chat->before_system ? strlen(chat->before_system) : 0;
        char *all = between(after_bos(chat, r[0].text), after_bos(chat, form), mark);
        if (all && strncmp(all, chat->before_system ? chat->before_system : "", n) == 0)
            chat->default_system = strdup(all + n);
        free(all);
    }
    free(form);
    free(own);
}

// Where the family first makes something else of a probe than its template does.
struct difference {
    int probe; // N_PROBES: nowhere
    size_t at;
    char own[32], template[32]; // from a little before there
};

static struct difference find_difference(const struct hw_chat *chat,
                                         const struct rendering r[N_PROBES], struct hw_error *err)
{
    struct difference d = {.probe = 0};
    for (; d.probe < N_PROBES; d.probe++) {
        if (!r[d.probe].text && probes[d.probe].system)
            continue; // as no_system says
        char *own = write_probe(chat, &probes[d.probe], err);
        if (!own)
            return d;
        const char *a = after_bos(chat, own);
        const char *b = r[d.probe].text ? after_bos(chat, r[d.probe].text) : "";
        for (d.at = 0; a[d.at] && a[d.at] == b[d.at];)
            d.at++;
        bool equal = !a[d.at] && !b[d.at];
        size_t from = d.at > 8 ? d.at - 8 : 0;
        snprintf(d.own, sizeof d.own, "%.24s", a + from);
        snprintf(d.template, sizeof d.template, "%.24s", b + from);
        free(own);
        if (!equal)
            return d;
    }
    return d;
}

// Tries the ways in which members of a family differ, the likeliest first, until one makes of every
// probe what the template makes. Returns where the way that comes nearest first differs.
static struct difference fit(struct hw_chat *chat, const struct rendering r[N_PROBES],
                             struct hw_error *err)
{
    struct difference best = {.probe = 0};
    bool trim[HW_N_ROLES];
    memcpy(trim, chat->trim, sizeof trim);
    for (int way = 0; way < 16 && best.probe < N_PROBES && !err->set; way++) {
        for (int role = 0; role < HW_N_ROLES; role++)
            chat->trim[role] = trim[role] != (way >> role & 1);
        chat->drops_thought = way >= 8;
        learn_system(chat, r, err);
        struct difference d = find_difference(chat, r, err);
        if (way == 0 || d.probe > best.probe || (d.probe == best.probe && d.at > best.at))
            best = d;
    }
    return best;
}

// Back to the family's own form.
static void forget(struct hw_chat *chat, const struct hw_chat *plain)
{
    free(chat->default_system);
    free(chat->before_system);
    *chat = *plain;
}

void hw_chat_learn(struct hw_chat *chat, const char *jinja, bool strict, struct hw_error *err)
{
    struct rendering r[N_PROBES] = {{0}};
    struct hw_error why = {0};
    const struct hw_form *f = &chat->form;
    const struct hw_chat plain = *chat;
    struct difference d = {.probe = 0};
    bool known = render_all(chat->tok, jinja, r, &why) && r[0].text;
    hw_chat_adapt(chat, jinja);
    if (known)
        d = fit(chat, r, err);
    bool equal = d.probe == N_PROBES;
    if (equal)
        chat->bos = chat->bos || after_bos(chat, r[0].text) != r[0].text;
    else if (!strict)
        forget(chat, &plain);
    else if (!known)
        hw_fail(err,
                "chat template: the tokenizer's looks like %s, but cannot be followed here (%s): "
                "--template %s takes it as that",
                f->family, r[0].text || why.set ? why.text : r[0].why, f->name);
    else
        hw_fail(err,
                "chat template: the tokenizer's looks like %s, but of %s makes \"%s\" where %s "
                "is \"%s\": --template %s takes it as that",
                f->family, probes[d.probe].what, d.template, f->family, d.own, f->name);
    for (int i = 0; i < N_PROBES; i++)
        free(r[i].text);
}
