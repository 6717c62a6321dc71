// SPDX-License-Identifier: Apache-2.0
// Conversations as the tokens that a chat model was trained on. Templates in a model's metadata are
// programs; the ones in use are a few families, recognized by what only they write.
#ifndef HW_CHAT_H
#define HW_CHAT_H

#include "gen/tokenizer.h"

// The family of a template in Jinja ("ChatML", ...), or NULL.
const char *hw_chat_family(const char *jinja);

#endif
