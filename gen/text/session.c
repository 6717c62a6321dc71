// SPDX-License-Identifier: Apache-2.0
// Owns the turns: where questions come from, and what is remembered of answers.
#include "gen/text/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "gen/interrupt.h"

// --- text

// How many of the last bytes begin a character that more bytes would complete.
static size_t incomplete(const char *bytes, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)bytes[n - back];
        size_t want = c >= 0xF0 && c <= 0xF4 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1;
        if ((c & 0xC0) == 0x80)
            continue;
        return c <= 0xF4 && want > back ? back : 0;
    }
    return 0;
}

void hw_stream_put(struct hw_stream *s, const char *bytes, size_t n)
{
    char joint[8];
    // a held character takes bytes one by one until it is whole or broken
    while (n > 0 && s->n > 0) {
        memcpy(joint, s->held, s->n);
        joint[s->n] = *bytes++;
        n--;
        size_t all = s->n + 1, left = incomplete(joint, all);
        if (s->to)
            fwrite(joint, 1, all - left, s->to);
        memcpy(s->held, joint + (all - left), left);
        s->n = left;
    }
    size_t left = incomplete(bytes, n);
    if (s->to && n > 0)
        fwrite(bytes, 1, n - left, s->to);
    if (n > 0) {
        memcpy(s->held, bytes + (n - left), left);
        s->n = left;
    }
    if (s->to)
        fflush(s->to);
}

void hw_stream_end(struct hw_stream *s)
{
    if (s->to && s->n > 0)
        fwrite(s->held, 1, s->n, s->to);
    s->n = 0;
    if (s->to)
        fflush(s->to);
}

// --- opening

static bool check(const struct hw_ask *ask, struct hw_error *err)
{
    const char *option = ask->template ? "--template" : ask->system ? "--system" : "--messages";
    if (!ask->chat && (ask->template || ask->system || ask->messages))
        return hw_fail(err, "%s: expected --chat with it, got none", option);
    return true;
}

bool hw_session_open(struct hw_session *s, const struct hw_ask *ask, const struct hw_tokenizer *tok,
                     FILE *to, struct hw_error *err)
{
    *s = (struct hw_session){.tok = tok, .stream = {.to = to}, .previous = -1};
    int bos = hw_tokenizer_bos(tok), eos = hw_tokenizer_eos(tok);
    s->stop = eos < 0 || hw_tokenizer_is_end(tok, bos) ? bos : eos;
    if (!check(ask, err))
        return false;
    if (!ask->chat)
        return hw_conversation_add(&s->said, HW_USER, ask->prompt ? ask->prompt : "", err);
    s->chat = hw_chat_new(tok, ask->template, err);
    if (s->chat && ask->system)
        hw_conversation_add(&s->said, HW_SYSTEM, ask->system, err);
    if (s->chat && ask->messages && !err->set)
        hw_conversation_read(&s->said, ask->messages, err);
    if (s->chat && ask->prompt && !err->set)
        hw_conversation_add(&s->said, HW_USER, ask->prompt, err);
    if (err->set) {
        hw_session_close(s);
        return false;
    }
    s->stop = hw_chat_stop(s->chat);
    s->interactive = s->said.n == 0 || s->said.message[s->said.n - 1].role != HW_USER;
    return true;
}

void hw_session_close(struct hw_session *s)
{
    hw_chat_free(s->chat);
    hw_conversation_free(&s->said);
    free(s->answer);
    *s = (struct hw_session){0};
}

// --- turns

// Adds the next line of stdin that says something. False: there is none.
static bool read_line(struct hw_session *s, struct hw_error *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    while (len == 0 && !hw_stop) {
        if (isatty(STDIN_FILENO))
            fputs("> ", stderr);
        hw_interrupt_reads(true);
        len = getline(&line, &room, stdin);
        hw_interrupt_reads(false);
        if (len < 0)
            break;
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = '\0';
        if ((size_t)len > strlen(line))
            hw_fail(err, "stdin: expected text, got a byte of zero");
    }
    if (len > 0 && !err->set)
        hw_conversation_add(&s->said, HW_USER, line, err);
    free(line);
    return len > 0 && !err->set;
}

static bool encode_story(struct hw_session *s, int **ids, int *n, struct hw_error *err)
{
    const char *prompt = s->said.message[0].text;
    size_t len = strlen(prompt);
    int bos = hw_tokenizer_bos(s->tok);
    *ids = malloc(hw_tokenizer_room(len) * sizeof **ids);
    *n = *ids ? hw_tokenizer_encode(s->tok, prompt, len, hw_tokenizer_adds_bos(s->tok), *ids) : -1;
    if (*n < 0)
        return hw_fail(err, "prompt: out of memory, or too long");
    if (*n == 0) // no BOS before texts, and no text: begin somewhere
        (*ids)[(*n)++] = bos >= 0 ? bos : s->stop >= 0 ? s->stop : 0;
    return true;
}

bool hw_session_next(struct hw_session *s, int room, int **ids, int *n, struct hw_error *err)
{
    *ids = NULL;
    if ((s->asked && !s->interactive) || (s->interactive && !read_line(s, err)))
        return false;
    s->asked = true;
    s->len = 0;
    if (s->chat)
        *ids = hw_chat_format(s->chat, &s->said, n, err);
    else
        encode_story(s, ids, n, err);
    if (!err->set && *n > room)
        hw_fail(err, "prompt: expected at most %d tokens, the context, got %d", room, *n);
    if (err->set) {
        free(*ids);
        *ids = NULL;
        return false;
    }
    for (int i = 1; !s->chat && i < *n;
         i++) { // echo the prompt as decoded tokens, as the model sees it
        size_t len;
        const char *piece = hw_tokenizer_piece(s->tok, (*ids)[i - 1], (*ids)[i], &len);
        hw_stream_put(&s->stream, piece, len);
    }
    s->previous = (*ids)[*n - 1];
    return true;
}

const char *hw_ending_words(enum hw_ending ending, bool chat)
{
    static const char *const words[] = {[HW_END_NONE] = "nothing",
                                        [HW_END_TEXT] = "the story ended",
                                        [HW_END_CONTEXT] = "context full",
                                        [HW_END_LIMIT] = "limit reached",
                                        [HW_END_INTERRUPTED] = "interrupted"};
    return ending == HW_END_TEXT && chat ? "the answer ended" : words[ending];
}

bool hw_session_ends(const struct hw_session *s, int token)
{
    return token == s->stop || hw_tokenizer_is_end(s->tok, token) ||
           (!s->chat && token == hw_tokenizer_bos(s->tok));
}

void hw_session_say(struct hw_session *s, int token, struct hw_error *err)
{
    size_t len;
    const char *piece = hw_tokenizer_piece(s->tok, s->previous, token, &len);
    s->previous = token;
    hw_stream_put(&s->stream, piece, len);
    if (s->len + len + 1 > s->room) {
        size_t room = 2 * (s->len + len) + 256;
        char *answer = realloc(s->answer, room);
        if (!answer) {
            hw_fail(err, "answer: out of memory");
            return;
        }
        s->answer = answer;
        s->room = room;
    }
    for (size_t i = 0; i < len; i++) {
        if (piece[i]) // what is remembered is a string
            s->answer[s->len++] = piece[i];
    }
}

void hw_session_end_turn(struct hw_session *s, struct hw_error *err)
{
    hw_stream_end(&s->stream);
    if (s->stream.to) {
        fputc('\n', s->stream.to);
        fflush(s->stream.to);
    }
    if (s->answer)
        s->answer[s->len] = '\0';
    if (s->chat)
        hw_conversation_add(&s->said, HW_ASSISTANT, s->answer ? s->answer : "", err);
}
