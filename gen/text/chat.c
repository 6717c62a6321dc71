// SPDX-License-Identifier: Apache-2.0
// Owns the families of chat templates, what tells them apart, and what varies within them. A family
// is written as texts in which the names of control tokens stand between T and E; what a user says
// is put between such texts and encoded together with them, from one control token to the next.
#include "gen/text/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/text/jinja.h"
#include "gen/text/vocab.h"

#define T "\1" // a control token that must be in the vocabulary
#define M "\2" // one where the vocabulary has it, otherwise text
#define E "\3"
#define BOS T "bos" E
#define EOS T "eos" E

struct form {
    const char *name, *family;
    const char *begin;
    struct turn {
        const char *before, *after;
    } turn[HW_N_ROLES]; // system: nowhere (NULL), where it goes into a user's turn
    const char *answer; // the assistant's turn begins
    const char *stop;   // the token that ends it
    const char *in_user_before, *in_user_after; // around a system text inside a user's turn
};

static const struct form forms[] = {
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

struct hw_chat {
    const struct hw_tokenizer *tok;
    struct form form;      // a copy, with what its template says
    bool bos;              // first, whether the form has it or not
    bool trim[HW_N_ROLES]; // no space around what is said
    bool system_last;      // the system text goes into the last turn, not the first
    bool no_system;        // the template refuses system texts
    bool drops_thought;    // of an answer only what follows "</think>" stays in a conversation
    char *default_system;  // where a conversation has none, or NULL
    char *before_system;   // begins every system text, or NULL
    int stop;
};

static bool has(const char *jinja, const char *marker)
{
    return strstr(jinja, marker) != NULL;
}

// --- recognition

static const struct form *find_form(const char *name)
{
    for (int i = 0; i < N_FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    }
    return NULL;
}

static const struct form *recognize(const char *jinja)
{
    if (has(jinja, "<|im_start|>"))
        return find_form("chatml");
    if (has(jinja, "<|start_header_id|>"))
        return find_form("llama3");
    if (has(jinja, "<start_of_turn>"))
        return find_form("gemma");
    if (has(jinja, "<<SYS>>"))
        return has(jinja, "'[INST] ' + content") ? find_form("llama2") : NULL;
    if (has(jinja, "[INST]") && !has(jinja, "[SYSTEM_PROMPT]"))
        return find_form("mistral");
    if (has(jinja, "<|user|>") && has(jinja, "eos_token") && !has(jinja, "<|end|>"))
        return find_form("zephyr");
    return NULL;
}

const char *hw_chat_family(const char *jinja)
{
    const struct form *f = recognize(jinja);
    return f ? f->family : NULL;
}

// What varies within a family, by its looks; verify() sees whether it is so.
static void adapt(struct hw_chat *chat, const char *jinja)
{
    struct form *f = &chat->form;
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

static int special(const struct hw_tokenizer *tok, const char *name)
{
    return strcmp(name, "bos") == 0   ? hw_tokenizer_bos(tok)
           : strcmp(name, "eos") == 0 ? hw_tokenizer_template_eos(tok)
                                      : hw_tokenizer_special(tok, name);
}

static const struct form *choose(const struct hw_tokenizer *tok, const char *name,
                                 struct hw_error *err)
{
    static const char CHOICE[] = "chatml, llama2, llama3, zephyr, mistral or gemma";
    const char *jinja = hw_tokenizer_template(tok);
    const struct form *form = name ? find_form(name) : jinja ? recognize(jinja) : NULL;
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

// --- tokens

struct writer {
    const struct hw_chat *chat;
    struct hw_error *err;
    bool names; // control tokens become their texts, as a template writes them
    char *text; // since the last control token
    size_t len, room;
    int *ids;
    size_t n, ids_room;
};

static void put_text(struct writer *w, const char *bytes, size_t len)
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

static bool reserve(struct writer *w, size_t more)
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

// Encodes the text that waits.
static void flush(struct writer *w)
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

static void put_token(struct writer *w, int token)
{
    if (w->names) {
        const struct hw_piece *p = &w->chat->tok->pieces[token];
        bool again = token == hw_tokenizer_bos(w->chat->tok) && w->len == p->len &&
                     memcmp(w->text, p->bytes, p->len) == 0;
        put_text(w, again ? "" : p->bytes, again ? 0 : p->len);
        return;
    }
    flush(w);
    bool twice = w->n == 1 && w->ids[0] == token && token == hw_tokenizer_bos(w->chat->tok);
    if (!twice && reserve(w, 1))
        w->ids[w->n++] = token;
}

// A text of a form.
static void put_form(struct writer *w, const char *text)
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
        int token = special(w->chat->tok, name);
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
static void trim_end(struct writer *w, size_t from)
{
    size_t end = from, n;
    for (size_t at = from; at < w->len; at += n) {
        if (hw_next_char(w->text, at, w->len, &n) != HW_CHAR_SPACE)
            end = at + n;
    }
    w->len = end < w->len ? end : w->len;
}

// Without the spaces at either end, where `trim`.
static void put_said(struct writer *w, const char *text, bool trim)
{
    size_t len = strlen(text), first = 0, n, from = w->len;
    while (trim && first < len && hw_next_char(text, first, len, &n) == HW_CHAR_SPACE)
        first += n;
    put_text(w, text + first, len - first);
    if (trim)
        trim_end(w, from);
}

static void put_system_turn(struct writer *w, const char *system)
{
    const struct hw_chat *chat = w->chat;
    const struct turn *turn = &chat->form.turn[HW_SYSTEM];
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
static void put_user_with_system(struct writer *w, const char *system, const char *said)
{
    const struct form *f = &w->chat->form;
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

static void put_conversation(struct writer *w, const struct hw_conversation *c)
{
    const struct hw_chat *chat = w->chat;
    const struct form *f = &chat->form;
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

int *hw_chat_format(const struct hw_chat *chat, const struct hw_conversation *c, int *n,
                    struct hw_error *err)
{
    struct writer w = {.chat = chat, .err = err};
    if (!check(c, err))
        return NULL;
    if (chat->no_system && c->message[0].role == HW_SYSTEM) {
        hw_fail(err,
                "chat template: %s: expected no system text, which the template refuses, got "
                "one",
                chat->form.family);
        return NULL;
    }
    put_conversation(&w, c);
    flush(&w);
    free(w.text);
    *n = (int)w.n;
    if (!err->set)
        return w.ids;
    free(w.ids);
    return NULL;
}

// --- templates by what they render

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
    struct writer w = {.chat = chat, .err = err, .names = true};
    struct hw_conversation c = {0};
    if (converse(&c, p, err))
        put_conversation(&w, &c);
    hw_conversation_free(&c);
    put_text(&w, "", 1);
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

// Takes a template for its family only where it renders as the family does. strict: else it is an
// error, and not that the family's own form is wanted.
static void learn(struct hw_chat *chat, const char *jinja, bool strict, struct hw_error *err)
{
    struct rendering r[N_PROBES] = {{0}};
    struct hw_error why = {0};
    const struct form *f = &chat->form;
    const struct hw_chat plain = *chat;
    struct difference best = {.probe = 0}; // of all ways, where it comes last
    bool known = render_all(chat->tok, jinja, r, &why) && r[0].text;
    adapt(chat, jinja);
    bool trim[HW_N_ROLES];
    memcpy(trim, chat->trim, sizeof trim);
    for (int way = 0; known && !err->set && way < 16; way++) { // the likeliest first
        for (int role = 0; role < HW_N_ROLES; role++)
            chat->trim[role] = trim[role] != (way >> role & 1);
        chat->drops_thought = way >= 8;
        learn_system(chat, r, err);
        struct difference d = find_difference(chat, r, err);
        if (way == 0 || d.probe > best.probe || (d.probe == best.probe && d.at > best.at))
            best = d;
        if (best.probe == N_PROBES)
            break;
    }
    if (known && best.probe == N_PROBES)
        chat->bos = chat->bos || after_bos(chat, r[0].text) != r[0].text;
    if (strict && !known)
        hw_fail(err,
                "chat template: the tokenizer's looks like %s, but cannot be followed here (%s): "
                "--template %s takes it as that",
                f->family, r[0].text || why.set ? why.text : r[0].why, f->name);
    else if (strict && best.probe < N_PROBES)
        hw_fail(err,
                "chat template: the tokenizer's looks like %s, but of %s makes \"%s\" where %s "
                "is \"%s\": --template %s takes it as that",
                f->family, probes[best.probe].what, best.template, f->family, best.own, f->name);
    else if (!known || best.probe < N_PROBES) { // as asked for
        free(chat->default_system);
        free(chat->before_system);
        *chat = plain;
    }
    for (int i = 0; i < N_PROBES; i++)
        free(r[i].text);
}

struct hw_chat *hw_chat_new(const struct hw_tokenizer *tok, const char *name, struct hw_error *err)
{
    const struct form *form = choose(tok, name, err);
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
    chat->stop = special(tok, chat->form.stop);
    if (chat->stop < 0)
        hw_fail(err,
                "chat template: %s: expected the token %s in the vocabulary, got none: the "
                "model was trained with another template (--template)",
                form->family, chat->form.stop);
    else if (jinja && recognize(jinja) == form)
        learn(chat, jinja, !name, err);
    if (!err->set)
        return chat;
    hw_chat_free(chat);
    return NULL;
}
