// SPDX-License-Identifier: Apache-2.0
// What is asked of a model and what it says: a prompt that it continues, or a chat of one or many
// turns. Text is written as it is made, whole characters at a time.
#ifndef HW_SESSION_H
#define HW_SESSION_H

#include <stdio.h>

#include "gen/text/chat.h"

struct hw_ask {
    const char *prompt; // or NULL; in a chat without any, lines of stdin are
    bool chat;
    const char *template; // its name, or NULL
    const char *system;   // text, or NULL
    const char *messages; // a JSON file of what was said, or NULL
};

// Writes bytes to a file and holds back those of a character that is not complete.
struct hw_stream {
    FILE *to; // NULL: nowhere
    char held[4];
    size_t n;
};
void hw_stream_put(struct hw_stream *s, const char *bytes, size_t n);
void hw_stream_end(struct hw_stream *s); // what is held back, too

// Why a turn of a chat or a story is over.
enum hw_ending { HW_END_NONE, HW_END_TEXT, HW_END_CONTEXT, HW_END_LIMIT, HW_END_INTERRUPTED };
const char *hw_ending_words(enum hw_ending ending, bool chat);

struct hw_session {
    const struct hw_tokenizer *tok;
    struct hw_chat *chat; // NULL: a story
    struct hw_conversation said;
    struct hw_stream stream;
    bool asked; // the prompt has been handed out
    bool interactive;
    char *answer; // of this turn, so far
    size_t len, room;
    int previous; // token, -1: none
    int stop;     // the token at which a chip stops by itself; hw_session_ends knows all
};

// to: where what the model says goes, or NULL. Options that contradict each other are an error.
bool hw_session_open(struct hw_session *s, const struct hw_ask *ask, const struct hw_tokenizer *tok,
                     FILE *to, struct hw_error *err);
void hw_session_close(struct hw_session *s);

// The tokens of the next turn, at most `room`, in *ids, which the caller frees. False: no more
// turns, or an error. A story's prompt is written out.
bool hw_session_next(struct hw_session *s, int room, int **ids, int *n, struct hw_error *err);

bool hw_session_ends(const struct hw_session *s, int token); // a turn or story ends with it
void hw_session_say(struct hw_session *s, int token, struct hw_error *err);
void hw_session_end_turn(struct hw_session *s, struct hw_error *err);

#endif
