// SPDX-License-Identifier: Apache-2.0
// JSON with typed access. Refuses duplicate keys, integers beyond 32 bits, and huge files.
#include "gen/read/json.h"

#include <limits.h>
#include <math.h>

enum { MAX_JSON_BYTES = 256 << 20 };

json_t *hw_json_parse(const char *path, const uint8_t *bytes, size_t len, struct hw_error *err)
{
    json_error_t why;
    if (len > MAX_JSON_BYTES) {
        hw_fail(err, "%s: JSON: size, expected at most %d bytes, got %zu", path, MAX_JSON_BYTES,
                len);
        return NULL;
    }
    json_t *root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        hw_fail(err, "%s: JSON line %d column %d: %s", path, why.line, why.column, why.text);
    } else if (!json_is_object(root)) {
        hw_fail(err, "%s: JSON: expected an object, got something else", path);
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
    json_int_t wide = json_integer_value(item);
    if (!json_is_integer(item) || wide < INT_MIN || wide > INT_MAX)
        return hw_fail(err,
                       "%s: key %s: expected an integer of at most 32 bits, got something "
                       "else",
                       path, key);
    *value = (int)wide;
    return true;
}

bool hw_json_real(const json_t *object, const char *key, double *value, const char *path,
                  struct hw_error *err)
{
    const json_t *item = get(object, key);
    if (!item)
        return true;
    if (!json_is_number(item) || !isfinite(json_number_value(item)))
        return hw_fail(err, "%s: key %s: expected a number, got something else", path, key);
    *value = json_number_value(item);
    return true;
}

bool hw_json_bool(const json_t *object, const char *key, bool *value, const char *path,
                  struct hw_error *err)
{
    const json_t *item = get(object, key);
    if (!item)
        return true;
    if (!json_is_boolean(item))
        return hw_fail(err, "%s: key %s: expected true or false, got something else", path, key);
    *value = json_is_true(item);
    return true;
}

const char *hw_json_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
