// SPDX-License-Identifier: Apache-2.0
// JSON files of Hugging Face folders, by jansson, with errors as everywhere else.
#ifndef HW_JSON_H
#define HW_JSON_H

#include <jansson.h>

#include "gen/read/cursor.h"

// The JSON value at bytes[0..len), without duplicate keys. The caller drops it with json_decref.
json_t *hw_json_load(const char *path, const uint8_t *bytes, size_t len, struct hw_error *err);
// The same where it is an object.
json_t *hw_json_parse(const char *path, const uint8_t *bytes, size_t len, struct hw_error *err);
json_t *hw_json_read(const char *path, struct hw_error *err); // a whole file, up to 256 MiB

// Each sets *value where the key is there and fits, leaves *value (the default) where the key is
// absent or null, and otherwise fails.
bool hw_json_int(const json_t *object, const char *key, int *value, const char *path,
                 struct hw_error *err);
bool hw_json_real(const json_t *object, const char *key, double *value, const char *path,
                  struct hw_error *err);
bool hw_json_bool(const json_t *object, const char *key, bool *value, const char *path,
                  struct hw_error *err);
// What stands there, for "got ...": `value` as JSON text, cut where it is longer, or "nothing".
// Returns `text`.
enum { HW_JSON_SHOWN = 48 };
const char *hw_json_show(const json_t *value, char text[HW_JSON_SHOWN]);
const char *hw_json_string(const json_t *object, const char *key); // "" where there is no string

#endif
