// SPDX-License-Identifier: Apache-2.0
// Cuts text into words as the regular expressions of byte-level tokenizers do, GPT-2's
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// and Llama 3's
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
//   \s*[\r\n]+|\s+(?!\S)|\s+
// which is Qwen2's with \p{N} for \p{N}{1,3},
// written out by hand. Broken UTF-8 counts byte by byte as neither letter, number nor space.
#include <string.h>
#include <strings.h>

#include "gen/text/vocab.h"

enum hw_char_class hw_next_char(const char *text, size_t at, size_t len, size_t *n)
{
    const uint8_t *p = (const uint8_t *)text + at;
    *n = 1;
    if (p[0] < 0x80)
        return hw_char_class(p[0]);
    size_t want = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || want > len - at)
        return HW_CHAR_OTHER;
    uint32_t code_point = p[0] & (0x7Fu >> want);
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return HW_CHAR_OTHER;
        code_point = code_point << 6 | (p[i] & 0x3F);
    }
    *n = want;
    return hw_char_class(code_point);
}

// Length of a contraction at `at`, 0 where there is none. U+017F is a small s, too, where case does
// not count.
static size_t contraction(const char *text, size_t at, size_t len, bool any_case)
{
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(endings[i]);
        if (n <= len - at && (any_case ? strncasecmp(text + at, endings[i], n)
                                       : memcmp(text + at, endings[i], n)) == 0)
            return n;
    }
    return any_case && len - at >= 3 && memcmp(text + at, "'\xC5\xBF", 3) == 0 ? 3 : 0;
}

// End of the run of one class that starts at `at`.
static size_t run(const char *text, size_t at, size_t len, enum hw_char_class class)
{
    size_t n;
    while (at < len && hw_next_char(text, at, len, &n) == class)
        at += n;
    return at;
}

// All of a run of spaces at the end of the text. Else all but the last of them: the next word
// takes it, if it is U+0020.
static size_t spaces(const char *text, size_t at, size_t len)
{
    size_t n, last = at, end = at;
    while (end < len && hw_next_char(text, end, len, &n) == HW_CHAR_SPACE) {
        last = end;
        end += n;
    }
    return end == len || last == at ? end : last;
}

static size_t next_word_gpt2(const char *text, size_t at, size_t len)
{
    size_t n = contraction(text, at, len, false);
    if (n > 0)
        return at + n;
    enum hw_char_class class = hw_next_char(text, at, len, &n);
    if (class != HW_CHAR_SPACE)
        return run(text, at, len, class);
    if (text[at] == ' ' && at + 1 < len) {
        class = hw_next_char(text, at + 1, len, &n);
        if (class != HW_CHAR_SPACE)
            return run(text, at + 1, len, class);
    }
    return spaces(text, at, len);
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

// After the last line end of the run of spaces at `at`, or `at` where it has none.
static size_t line_ends(const char *text, size_t at, size_t len)
{
    size_t n, last = at;
    for (size_t end = at; end < len && hw_next_char(text, end, len, &n) == HW_CHAR_SPACE; end += n)
        if (is_line_end(text[end]))
            last = end + 1;
    return last;
}

// digits: of a number that are one word, at most.
static size_t next_word_llama3(const char *text, size_t at, size_t len, int digits)
{
    size_t n = contraction(text, at, len, true), next;
    if (n > 0)
        return at + n;
    enum hw_char_class class = hw_next_char(text, at, len, &n);
    enum hw_char_class second = HW_CHAR_SPACE;
    if (at + n < len)
        second = hw_next_char(text, at + n, len, &next);
    if (class == HW_CHAR_LETTER)
        return run(text, at, len, HW_CHAR_LETTER);
    if (class != HW_CHAR_NUMBER && second == HW_CHAR_LETTER && !is_line_end(text[at]))
        return run(text, at + n, len, HW_CHAR_LETTER);
    if (class == HW_CHAR_NUMBER) {
        size_t end = at + n;
        for (int more = digits - 1; more > 0 && end < len; more--, end += n)
            if (hw_next_char(text, end, len, &n) != HW_CHAR_NUMBER)
                break;
        return end;
    }
    if (class == HW_CHAR_OTHER || (text[at] == ' ' && second == HW_CHAR_OTHER)) {
        size_t end = run(text, class == HW_CHAR_OTHER ? at : at + n, len, HW_CHAR_OTHER);
        while (end < len && is_line_end(text[end]))
            end++;
        return end;
    }
    size_t lines = line_ends(text, at, len);
    return lines > at ? lines : spaces(text, at, len);
}

size_t hw_next_word(enum hw_split split, const char *text, size_t at, size_t len)
{
    if (split == HW_SPLIT_NONE)
        return len;
    if (split == HW_SPLIT_GPT2)
        return next_word_gpt2(text, at, len);
    if (split == HW_SPLIT_LLAMA3 || split == HW_SPLIT_QWEN2)
        return next_word_llama3(text, at, len, split == HW_SPLIT_LLAMA3 ? 3 : 1);
    // Each number is a word, cut out before the expression sees the text: for the expression the
    // text ends at the next number. Only one in the word or one character after it matters.
    size_t n;
    if (hw_next_char(text, at, len, &n) == HW_CHAR_NUMBER)
        return at + n;
    size_t end = next_word_gpt2(text, at, len);
    size_t number = at;
    while (number <= end && number < len && hw_next_char(text, number, len, &n) != HW_CHAR_NUMBER)
        number += n;
    if (number < len && hw_next_char(text, number, len, &n) == HW_CHAR_NUMBER)
        return next_word_gpt2(text, at, number);
    return end;
}
