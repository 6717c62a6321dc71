// SPDX-License-Identifier: Apache-2.0
// Owns the words and operators of templates.
#include "gen/text/jinja_inside.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void hw_jinja_skip_space(struct hw_jinja *j)
{
    while (j->at < j->end && strchr(" \t\r\n\v\f", *j->at))
        j->at++;
}

// Length of the word at hand, 0 where there is none.
size_t hw_jinja_word_length(struct hw_jinja *j)
{
    hw_jinja_skip_space(j);
    size_t n = 0;
    if (j->at < j->end && is_letter(*j->at))
        while (j->at + n < j->end && (is_letter(j->at[n]) || hw_jinja_is_digit(j->at[n])))
            n++;
    return n;
}

bool hw_jinja_word(struct hw_jinja *j, const char *word)
{
    size_t n = hw_jinja_word_length(j);
    bool same = n > 0 && n == strlen(word) && memcmp(j->at, word, n) == 0;
    j->at += same ? n : 0;
    return same;
}

// "=" is not the beginning of "==", and so on.
bool hw_jinja_operator(struct hw_jinja *j, const char *op)
{
    static const char *const longer[] = {"==", "!=", "<=", ">=", "//", "**"};
    hw_jinja_skip_space(j);
    size_t n = strlen(op), left = (size_t)(j->end - j->at);
    if (n > left || memcmp(j->at, op, n) != 0)
        return false;
    for (size_t i = 0; n == 1 && left > 1 && i < sizeof longer / sizeof longer[0]; i++)
        if (memcmp(j->at, longer[i], 2) == 0)
            return false;
    j->at += n;
    return true;
}

struct hw_jinja_name hw_jinja_name(struct hw_jinja *j)
{
    struct hw_jinja_name name = {j->at, hw_jinja_word_length(j)};
    name.at = j->at;
    if (name.len == 0)
        hw_jinja_fail(j, "a name", "something else");
    j->at += name.len;
    return name;
}

const char *hw_jinja_text_of(struct hw_jinja *j, struct hw_jinja_name name)
{
    char *text = hw_jinja_allocate(j, name.len);
    return text && name.len ? memcpy(text, name.at, name.len) : "";
}

bool hw_jinja_is_name(struct hw_jinja_name name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.at, text, name.len) == 0;
}

void hw_jinja_end(struct hw_jinja *j)
{
    hw_jinja_skip_space(j);
    if (j->at < j->end && !hw_jinja_stuck(j)) {
        struct hw_jinja_name rest = {j->at, (size_t)(j->end - j->at)};
        rest.len = rest.len < 32 ? rest.len : 32;
        hw_jinja_fail(j, "the end of the tag", hw_jinja_text_of(j, rest));
    }
}

void hw_jinja_expect(struct hw_jinja *j, const char *op)
{
    if (!hw_jinja_operator(j, op))
        hw_jinja_fail(j, op, "something else");
}
