// SPDX-License-Identifier: Apache-2.0
// Renders the part of Jinja that chat templates are written in, as transformers sets it up
// (trim_blocks, lstrip_blocks): to see what a template makes of a conversation. Bounded in time and
// memory. Refuses what it does not know by name and line, rather than guess.
#ifndef HW_JINJA_H
#define HW_JINJA_H

#include "gen/text/chat.h"

// The text of a conversation with the answer's beginning (add_generation_prompt), which the caller
// frees. bos, eos: the texts of these tokens, NULL where there is none. *raised: the template
// itself refused the conversation (raise_exception, or an operation that fails), the error says
// why. NULL and an error.
char *hw_jinja_render(const char *jinja, const struct hw_conversation *c, const char *bos,
                      const char *eos, bool *raised, struct hw_error *err);

#endif
