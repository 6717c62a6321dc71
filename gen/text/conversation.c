// SPDX-License-Identifier: Apache-2.0
// Owns what was said, and reads it from JSON.
#include <stdlib.h>
#include <string.h>

#include "gen/read/json.h"
#include "gen/text/chat.h"

bool hw_conversation_add(struct hw_conversation *c, enum hw_role role, const char *text,
                         struct hw_error *err)
{
    struct hw_message *grown = realloc(c->message, ((size_t)c->n + 1) * sizeof *grown);
    char *copy = strdup(text);
    if (grown)
        c->message = grown;
    if (!grown || !copy) {
        free(copy);
        return hw_fail(err, "chat: out of memory");
    }
    c->message[c->n++] = (struct hw_message){role, copy};
    return true;
}

void hw_conversation_free(struct hw_conversation *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->message[i].text);
    free(c->message);
    *c = (struct hw_conversation){0};
}

static bool add_json(struct hw_conversation *c, size_t i, const json_t *message, const char *path,
                     struct hw_error *err)
{
    static const char *const name[HW_N_ROLES] = {"system", "user", "assistant"};
    char shown[HW_JSON_SHOWN];
    const char *text = json_string_value(json_object_get(message, "content"));
    for (int role = 0; role < HW_N_ROLES; role++) {
        if (text && strcmp(hw_json_string(message, "role"), name[role]) == 0)
            return hw_conversation_add(c, (enum hw_role)role, text, err);
    }
    return hw_fail(err,
                   "%s: message %zu: expected a role (system, user, assistant) and a content, "
                   "both text, got %s",
                   path, i + 1, hw_json_show(message, shown));
}

bool hw_conversation_read(struct hw_conversation *c, const char *path, struct hw_error *err)
{
    struct hw_file file;
    if (!hw_file_map(&file, path, err))
        return false;
    char shown[HW_JSON_SHOWN];
    json_t *root = hw_json_load(path, file.data, file.size, err), *m;
    size_t i;
    hw_file_unmap(&file);
    if (!root)
        return false;
    if (!json_is_array(root) || json_array_size(root) == 0)
        hw_fail(err, "%s: expected an array of messages, got %s", path, hw_json_show(root, shown));
    json_array_foreach(root, i, m)
    {
        if (!err->set)
            add_json(c, i, m, path, err);
    }
    json_decref(root);
    return !err->set;
}
