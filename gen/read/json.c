// SPDX-License-Identifier: Apache-2.0
// JSON with typed access. Refuses duplicate keys and huge files, and where they are asked for
// integers beyond 32 bits. Numbers that no double holds, and NaN and Infinity, which Python writes,
// are an error only where they are asked for.
#include "gen/read/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/read/kind.h"

enum { MAX_JSON_BYTES = 256 << 20 };

// Copies n bytes to `to`, in quotes. Returns the length.
static size_t quote(char *to, const char *at, size_t n)
{
    to[0] = to[n + 1] = '"';
    memcpy(to + 1, at, n);
    return n + 2;
}

// Copies a number of `n` bytes; of one that jansson would refuse, one that it reads: an integer
// beyond 64 bits as a real, whatever no double holds as a string, which is no number. Returns the
// length, at most n + 2.
static size_t tame_number(char *to, const char *at, size_t n)
{
    char text[32], *end;
    bool integer =
        memchr(at, '.', n) == NULL && memchr(at, 'e', n) == NULL && memchr(at, 'E', n) == NULL;
    size_t digits = n - (at[0] == '-'), length = n;
    memcpy(to, at, n);
    if ((integer && digits < 19) || n < 5)
        return n;
    char *copy = strndup(at, n);
    errno = 0;
    if (copy && integer)
        strtoll(copy, &end, 10);
    if (copy && (!integer || errno == ERANGE)) {
        double value = strtod(copy, &end);
        bool read = *end == '\0'; // else it is no number, as jansson will say
        if (read && !isfinite(value)) {
            length = quote(to, at, n);
        } else if (read && integer) {
            int len = snprintf(text, sizeof text, "%.10e", value);
            memset(to, ' ', n);
            memcpy(to, text, (size_t)len); // at most 18 of the 19 or more
        }
    }
    free(copy);
    return length;
}

// The length of NaN, Infinity or -Infinity at p; 0 where it is none of them.
static size_t word_length(const char *p, const char *end)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
            return n;
    }
    return 0;
}

static size_t string_length(const char *p, const char *end)
{
    size_t n = 1, most = (size_t)(end - p);
    while (n < most && p[n] != '"')
        n += p[n] == '\\' ? 2 : 1;
    return n + 1 < most ? n + 1 : most;
}

static size_t number_length(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && p[n] && strchr("+-.0123456789eE", p[n]))
        n++;
    return n;
}

// Copies a text to `to`, which has room for twice as much: the shortest that grows, NaN, does so by
// two bytes. Outside of strings, numbers become what jansson reads, and words strings. Returns the
// length.
static size_t tame(char *to, const char *p, const char *end)
{
    char *begin = to;
    for (size_t n; p < end; p += n) {
        if (*p == '"') {
            n = string_length(p, end);
            memcpy(to, p, n);
            to += n;
        } else if ((n = word_length(p, end)) > 0) {
            to += quote(to, p, n);
        } else if ((n = number_length(p, end)) > 0) {
            to += tame_number(to, p, n);
        } else {
            *to++ = *p;
            n = 1;
        }
    }
    return (size_t)(to - begin);
}

// Whether it begins as an object or a list does; if so, the parser knows better what is wrong.
static bool begins_as_json(const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", bytes[i]) && bytes[i])
        i++;
    return i < len && (bytes[i] == '{' || bytes[i] == '[');
}

json_t *hw_json_load(const char *path, const uint8_t *bytes, size_t len, struct hw_error *err)
{
    json_error_t why;
    if (len > MAX_JSON_BYTES) {
        hw_fail(err, "%s: JSON: size, expected at most %d bytes, got %zu", path, MAX_JSON_BYTES,
                len);
        return NULL;
    }
    char words[HW_FOREIGN_WORDS_SIZE];
    const char *foreign = begins_as_json(bytes, len) ? NULL : hw_foreign_bytes(bytes, len, words);
    char *text = foreign ? NULL : malloc(2 * len + 1);
    if (!text) {
        hw_fail(err, foreign ? "%s: expected JSON, got %s" : "%s: out of memory", path, foreign);
        return NULL;
    }
    size_t n = tame(text, (const char *)bytes, (const char *)bytes + len);
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!root)
        hw_fail(err, "%s: JSON line %d column %d: %s", path, why.line, why.column, why.text);
    return root;
}

struct shown {
    char *text; // [HW_JSON_SHOWN]
    size_t n;
};

// Takes what the text has room for; -1, which ends the dump, where that is not all.
static int show(const char *bytes, size_t n, void *user)
{
    struct shown *s = user;
    size_t room = HW_JSON_SHOWN - 1 - s->n, taken = n < room ? n : room;
    memcpy(s->text + s->n, bytes, taken);
    s->n += taken;
    return taken < n ? -1 : 0;
}

const char *hw_json_show(const json_t *value, char text[HW_JSON_SHOWN])
{
    struct shown s = {text, 0};
    if (!value)
        return strcpy(text, "nothing");
    bool all = json_dump_callback(value, show, &s,
                                  JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) == 0;
    text[s.n] = '\0';
    if (!all)
        strcpy(text + HW_JSON_SHOWN - 4, "...");
    return text;
}

json_t *hw_json_parse(const char *path, const uint8_t *bytes, size_t len, struct hw_error *err)
{
    char shown[HW_JSON_SHOWN];
    json_t *root = hw_json_load(path, bytes, len, err);
    if (root && !json_is_object(root)) {
        hw_fail(err, "%s: JSON: expected an object, got %s", path, hw_json_show(root, shown));
        json_decref(root);
        root = NULL;
    }
    return root;
}

json_t *hw_json_read(const char *path, struct hw_error *err)
{
    struct hw_file file;
    if (!hw_file_map(&file, path, err))
        return NULL;
    json_t *root = hw_json_parse(path, file.data, file.size, err);
    hw_file_unmap(&file);
    return root;
}

// NULL where the key is absent or null.
static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bool hw_json_int(const json_t *object, const char *key, int *value, const char *path,
                 struct hw_error *err)
{
    const json_t *item = get(object, key);
    if (!item)
        return true;
    char shown[HW_JSON_SHOWN];
    json_int_t wide = json_integer_value(item);
    if (!json_is_integer(item) || wide < INT_MIN || wide > INT_MAX)
        return hw_fail(err, "%s: key %s: expected an integer of at most 32 bits, got %s", path, key,
                       hw_json_show(item, shown));
    *value = (int)wide;
    return true;
}

bool hw_json_real(const json_t *object, const char *key, double *value, const char *path,
                  struct hw_error *err)
{
    const json_t *item = get(object, key);
    if (!item)
        return true;
    char shown[HW_JSON_SHOWN];
    if (!json_is_number(item) || !isfinite(json_number_value(item)))
        return hw_fail(err, "%s: key %s: expected a number, got %s", path, key,
                       hw_json_show(item, shown));
    *value = json_number_value(item);
    return true;
}

bool hw_json_bool(const json_t *object, const char *key, bool *value, const char *path,
                  struct hw_error *err)
{
    const json_t *item = get(object, key);
    if (!item)
        return true;
    char shown[HW_JSON_SHOWN];
    if (!json_is_boolean(item))
        return hw_fail(err, "%s: key %s: expected true or false, got %s", path, key,
                       hw_json_show(item, shown));
    *value = json_is_true(item);
    return true;
}

const char *hw_json_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
