// SPDX-License-Identifier: Apache-2.0
// Owns quantized models on disk. The file is safetensors: 8 bytes of header length,
// a JSON header, raw little-endian tensors. Scalars are strings in __metadata__, as the format
// asks. Refuses anything whose shape, size, range or order is not exactly what the metadata
// implies.
#include "gen/qmodel/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/output.h"
#include "gen/qmodel/fields.h"
#include "gen/read/cursor.h"
#include "gen/read/kind.h"
#include "refmodel/limits.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are written and read as they lie in memory: a little-endian machine is needed"
#endif

static const char *const FORMAT = "hardwire-qmodel-1";

enum { PIECE = 16 << 20 }; // bytes of codes checked at a time

// A file that is read.
struct source {
    const char *path;
    json_t *header, *meta;
    const uint8_t *data; // of tensors
    size_t size;
};

// --- scalars: strings in the metadata

static long long integer_of(const struct hw_field *e)
{
    return e->kind == HW_FIELD_INT    ? *e->i
           : e->kind == HW_FIELD_BOOL ? *e->b
                                      : (long long)*e->count;
}

static void set_integer(const struct hw_field *e, long long v)
{
    if (e->kind == HW_FIELD_INT)
        *e->i = (int)v;
    else if (e->kind == HW_FIELD_BOOL)
        *e->b = v != 0;
    else
        *e->count = (uint64_t)v;
}

static void write_scalar(json_t *meta, const struct hw_field *e)
{
    char text[32];
    if (e->has_usual && integer_of(e) == e->usual)
        return;
    if (e->kind == HW_FIELD_REAL)
        snprintf(text, sizeof text, "%.17g", *e->real);
    else
        snprintf(text, sizeof text, "%lld", integer_of(e));
    json_object_set_new(meta, e->name, json_string(text));
}

static bool read_real(const char *path, const char *text, const struct hw_field *e,
                      struct hw_error *err)
{
    char *end = NULL;
    double v = text ? strtod(text, &end) : 0.0;
    *e->real = v;
    return (text && end != text && !*end && v > 0.0 && v < 1e30) ||
           hw_fail(err, "%s: metadata %s: expected a positive number, got '%s'", path, e->name,
                   text ? text : "nothing");
}

static bool read_integer(const char *path, const char *text, const struct hw_field *e,
                         struct hw_error *err)
{
    char *end = NULL;
    errno = 0;
    long long v = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || errno || v < e->low || v > e->high)
        return hw_fail(err, "%s: metadata %s: expected an integer in %lld..%lld, got '%s'", path,
                       e->name, e->low, e->high, text ? text : "nothing");
    set_integer(e, v);
    return true;
}

static bool read_scalars(const struct source *s, const struct hw_fields *f)
{
    for (size_t i = 0; i < f->n && !f->err->set; i++) {
        const struct hw_field *e = &f->field[i];
        const json_t *value = json_object_get(s->meta, e->name);
        if (e->kind >= HW_FIELD_FIRST_TENSOR)
            continue;
        if (!value && e->has_usual)
            set_integer(e, e->usual);
        else if (e->kind == HW_FIELD_REAL)
            read_real(s->path, json_string_value(value), e, f->err);
        else
            read_integer(s->path, json_string_value(value), e, f->err);
    }
    return !f->err->set;
}

// --- arrays in the metadata: one string each

// Divisors of the rotation's pairs, numbers with spaces between. No such key: rotation is plain.
static const char *const DIVISORS = "rope_divisors";

static void write_divisors(json_t *meta, const struct hw_config *c)
{
    char text[HW_MAX_SCALED_PAIRS * 26] = "";
    int half = c->head_dim / 2, n = 0;
    for (int i = 0; i < half && i < HW_MAX_SCALED_PAIRS && c->rope_divisor[0] > 0.0; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%.17g", i ? " " : "",
                      c->rope_divisor[i]);
    if (n)
        json_object_set_new(meta, DIVISORS, json_string(text));
}

static bool read_divisors(const struct source *from, struct hw_config *c, struct hw_error *err)
{
    const char *s = json_string_value(json_object_get(from->meta, DIVISORS));
    int half = c->head_dim / 2, n = 0;
    for (char *end; s && n < half && n < HW_MAX_SCALED_PAIRS; s = end, n++) {
        double v = strtod(s, &end);
        if (end == s || !(v >= 1.0 && v <= HW_MAX_ROPE_DIVISOR))
            break;
        c->rope_divisor[n] = v;
    }
    return !s || (n == half && !*s) ||
           hw_fail(err, "%s: metadata %s: expected %d numbers in 1..%g, got '%.32s' after %d",
                   from->path, DIVISORS, half, HW_MAX_ROPE_DIVISOR, s, n);
}

// The layers that have the window: a digit 0 or 1 each. Where there is no window, no such key.
static const char *const WINDOWED = "windowed";

static void write_windowed(json_t *meta, const struct hw_config *c)
{
    char text[HW_MAX_LAYERS + 1] = "";
    for (int l = 0; l < c->n_layers; l++)
        text[l] = c->windowed[l] ? '1' : '0';
    if (c->window != 0)
        json_object_set_new(meta, WINDOWED, json_string(text));
}

static bool read_windowed(const struct source *from, struct hw_config *c, struct hw_error *err)
{
    const json_t *value = json_object_get(from->meta, WINDOWED);
    const char *s = json_string_value(value);
    size_t n = c->window != 0 ? (size_t)c->n_layers : 0;
    if (n == 0 && !value)
        return true;
    if (!s || n == 0 || strlen(s) != n || strspn(s, "01") != n)
        return hw_fail(err, "%s: metadata %s: expected %zu digits 0 or 1, got '%.40s'", from->path,
                       WINDOWED, n, s ? s : "nothing");
    for (int l = 0; l < c->n_layers; l++)
        c->windowed[l] = s[l] == '1';
    return true;
}

// --- the dimensions together

static bool check_config(const char *path, const struct hw_config *c, struct hw_error *err)
{
    if (c->head_dim % 2 || c->n_heads % c->n_kv_heads)
        return hw_fail(err,
                       "%s: metadata: expected an even head_dim and n_heads a multiple of "
                       "n_kv_heads, got %d, %d, %d",
                       path, c->head_dim, c->n_heads, c->n_kv_heads);
    if (c->window >= c->seq_len)
        return hw_fail(err, "%s: metadata window: expected less than the context, %d, got %d", path,
                       c->seq_len, c->window);
    return c->bos < c->vocab_size ||
           hw_fail(err, "%s: metadata bos: expected a token below %d, got %d", path, c->vocab_size,
                   c->bos);
}

// Before memory is allocated for the dimensions: they must be those of so large a file.
static bool check_size(const struct source *s, const struct hw_config *c, struct hw_error *err)
{
    size_t layer = 0;
    for (int i = 0; i < HW_N_MATRICES; i++)
        layer += (size_t)hw_length(c, hw_matrix_row[i].n_out) *
                 (size_t)hw_length(c, hw_matrix_row[i].n_in);
    size_t codes = (size_t)c->vocab_size * (size_t)c->dim + (size_t)c->n_layers * layer; // < 2^63
    return codes <= s->size ||
           hw_fail(err,
                   "%s: metadata: expected at least %zu bytes of data for these dimensions, "
                   "got %zu",
                   s->path, codes, s->size);
}

// --- tensors

static json_t *describe(const struct hw_field *t)
{
    json_t *dims = json_array();
    for (int i = 0; i < t->n_dims; i++)
        json_array_append_new(dims, json_integer(t->shape[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", t->dtype, "shape", dims, "data_offsets",
                     (json_int_t)t->at, (json_int_t)(t->at + t->bytes));
}

// A tensor in memory is runs of *n bytes, `pitch` apart. Returns how many.
static size_t runs_of(const struct hw_field *t, size_t *n)
{
    size_t runs = t->pitch ? (size_t)t->shape[0] : 1;
    *n = t->bytes / runs;
    return runs;
}

static void write_bytes(FILE *file, const char *path, const uint8_t *bytes, size_t n, bool unload,
                        struct hw_error *err)
{
    for (size_t i = 0, piece; i < n && !err->set; i += piece) {
        piece = n - i < PIECE ? n - i : PIECE;
        if (hw_stop)
            hw_fail(err, "%s: interrupted", path);
        else if (fwrite(bytes + i, 1, piece, file) != piece)
            hw_fail(err, "%s: cannot write: %s", path, strerror(errno));
        if (unload)
            hw_file_unload(bytes + i, piece);
    }
}

static void write_tensor(FILE *file, const char *path, const struct hw_field *t,
                         struct hw_error *err)
{
    size_t n, runs = runs_of(t, &n);
    bool unload = t->kind == HW_FIELD_CODES && t->matrix->mapped;
    for (size_t i = 0; i < runs; i++)
        write_bytes(file, path, (const uint8_t *)t->values + i * t->pitch, n, unload, err);
}

// Demands the very description that writing makes. Codes stay in the file.
static bool read_tensor(const struct source *s, const struct hw_field *t, struct hw_error *err)
{
    json_t *expected = describe(t), *got = json_object_get(s->header, t->name);
    if (!got || !json_equal(got, expected)) {
        char *want = json_dumps(expected, JSON_COMPACT | JSON_SORT_KEYS);
        char *have = got ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        hw_fail(err, "%s: tensor %s: expected %s, got %.200s", s->path, t->name, want ? want : "",
                have ? have : "nothing");
        free(want);
        free(have);
    } else if (t->at > s->size || t->bytes > s->size - t->at) {
        hw_fail(err, "%s: tensor %s: expected %zu bytes at offset %zu, got %zu", s->path, t->name,
                t->bytes, t->at, t->at > s->size ? 0 : s->size - t->at);
    } else if (t->kind == HW_FIELD_CODES) {
        t->matrix->codes = (uint8_t *)(uintptr_t)(s->data + t->at); // not written to
    } else {
        size_t n, runs = runs_of(t, &n);
        for (size_t i = 0; i < runs; i++)
            memcpy((uint8_t *)t->values + i * t->pitch, s->data + t->at + i * n, n);
    }
    json_decref(expected);
    return !err->set;
}

// --- values

static void check_codes(const char *path, const struct hw_field *t, int code_bits,
                        struct hw_error *err)
{
    const uint8_t *codes = t->matrix->codes;
    for (size_t i = 0, last; i < t->bytes && !err->set; i = last) { // a piece leaves memory again
        uint8_t all = 0;
        last = t->bytes - i < PIECE ? t->bytes : i + PIECE;
        for (size_t k = i; k < last; k++)
            all |= codes[k];
        for (size_t k = i; all >> code_bits && k < last && !err->set; k++) {
            if (codes[k] >> code_bits)
                hw_fail(err, "%s: tensor %s: element %zu: expected %d bits, got %d", path, t->name,
                        k, code_bits, codes[k]);
        }
        hw_file_unload(codes + i, last - i);
    }
}

static void check_scale(const char *path, const struct hw_field *t, struct hw_error *err)
{
    const struct hw_qmatrix *m = t->matrix;
    for (int r = 0; r < m->n_out && !err->set; r++) {
        if (m->scale[r] >> 12)
            hw_fail(err, "%s: tensor %s: row %d: expected 12 bits, got %d", path, t->name, r,
                    m->scale[r]);
    }
}

// Whether every weight, a sum of one level a plane, is in -128..127.
static void check_sums(const char *path, const struct hw_field *t, int code_bits,
                       struct hw_error *err)
{
    const struct hw_qmatrix *m = t->matrix;
    int low = 0, high = 0;
    for (int i = 0; i < m->n_planes; i++) {
        int least = 127, most = -128;
        for (int k = 0; k < 1 << code_bits; k++) {
            least = m->levels[i][k] < least ? m->levels[i][k] : least;
            most = m->levels[i][k] > most ? m->levels[i][k] : most;
        }
        low += least;
        high += most;
    }
    size_t n = (size_t)m->n_out * (size_t)m->n_in;
    for (size_t i = 0; (low < -128 || high > 127) && i < n && !err->set; i++) {
        int sum = 0;
        for (int k = 0; k < m->n_planes; k++)
            sum += m->levels[k][m->codes[(size_t)k * n + i]];
        if (sum < -128 || sum > 127)
            hw_fail(err,
                    "%s: tensor %s: element %zu: expected a sum of levels in -128..127, "
                    "got %d",
                    path, t->name, i, sum);
    }
    hw_qmatrix_unload(m);
}

static void check_levels(const char *path, const struct hw_field *t, int code_bits,
                         struct hw_error *err)
{
    const struct hw_qmatrix *m = t->matrix;
    for (int i = 0; i < m->n_planes; i++) {
        for (int k = 0; k < 1 << code_bits; k++) {
            if (m->levels[i][k] < -128 || m->levels[i][k] > 127)
                hw_fail(err, "%s: tensor %s: plane %d: expected -128..127, got %d", path, t->name,
                        i, m->levels[i][k]);
        }
    }
    if (!err->set)
        check_sums(path, t, code_bits, err);
}

// Behind the reading of a matrix's codes, which lie before its levels in the list.
static bool check_values(const char *path, const struct hw_field *t, int code_bits,
                         struct hw_error *err)
{
    if (t->kind == HW_FIELD_CODES)
        check_codes(path, t, code_bits, err);
    else if (t->kind == HW_FIELD_LEVELS)
        check_levels(path, t, code_bits, err);
    else if (t->kind == HW_FIELD_SCALE)
        check_scale(path, t, err);
    return !err->set;
}

// --- writing

static json_t *header_of(const struct hw_fields *f, const struct hw_config *c)
{
    json_t *header = json_object(), *meta = json_object();
    json_object_set_new(meta, "format", json_string(FORMAT));
    write_divisors(meta, c);
    write_windowed(meta, c);
    for (size_t i = 0; i < f->n; i++) {
        if (f->field[i].kind < HW_FIELD_FIRST_TENSOR)
            write_scalar(meta, &f->field[i]);
        else
            json_object_set_new(header, f->field[i].name, describe(&f->field[i]));
    }
    json_object_set_new(header, "__metadata__", meta);
    return header;
}

static bool write_header(FILE *file, const char *path, json_t *header, struct hw_error *err)
{
    char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    size_t len = text ? strlen(text) : 0, padded = (len + 7) / 8 * 8;
    uint8_t size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (uint8_t)(padded >> (8 * i));
    if (!text || fwrite(size, 1, 8, file) != 8 ||
        fprintf(file, "%s%*s", text, (int)(padded - len), "") != (int)padded)
        hw_fail(err, "%s: cannot write: %s", path, strerror(errno));
    free(text);
    return !err->set;
}

static void write_to(const struct hw_qmodel *q, FILE *file, const char *path, struct hw_error *err)
{
    struct hw_qmodel copy = *q; // the list is shared with reading and not const
    struct hw_fields f = {.err = err};
    hw_fields_of_config(&f, &copy);
    hw_fields_of_model(&f, &copy);
    if (check_config(path, &q->config, err)) {
        json_t *header = header_of(&f, &q->config);
        write_header(file, path, header, err);
        json_decref(header);
    }
    for (size_t i = 0; i < f.n && !err->set; i++) {
        if (f.field[i].kind >= HW_FIELD_FIRST_TENSOR)
            write_tensor(file, path, &f.field[i], err);
    }
    hw_fields_free(&f);
}

bool hw_qmodel_write(const struct hw_qmodel *q, const char *path, struct hw_error *err)
{
    struct hw_output_file f;
    if (!hw_output_file_open(&f, path, err))
        return false;
    write_to(q, f.stream, *f.temp ? f.temp : f.path, err);
    return hw_output_file_close(&f, err);
}

// --- reading

static bool read_config(const struct source *s, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_fields f = {.err = err};
    hw_fields_of_config(&f, q);
    bool read = read_scalars(s, &f) && read_divisors(s, &q->config, err) &&
                read_windowed(s, &q->config, err) && check_config(s->path, &q->config, err) &&
                check_size(s, &q->config, err);
    hw_fields_free(&f);
    return read;
}

static bool read_model_scalars(const struct source *s, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_fields f = {.err = err};
    hw_fields_of_model(&f, q);
    bool read = read_scalars(s, &f);
    hw_fields_free(&f);
    for (int l = 0; l < q->config.n_layers; l++) {
        for (int i = 0; i < HW_N_NORMS; i++) {
            if (hw_has(&q->config, hw_norm_row[i].where) &&
                !hw_norm_has_eps(&q->config, (enum hw_norm_id)i))
                q->layers[l].norm[i].eps_ss = q->final_norm.eps_ss;
        }
    }
    return read;
}

static bool shape_mapped(struct hw_qmatrix *m, int n_out, int n_in, struct hw_error *err)
{
    m->mapped = true;
    return hw_qmatrix_shape(m, n_out, n_in, m->n_planes, err);
}

// The matrices, their codes still to be found in the file.
static bool shape_matrices(struct hw_qmodel *q, struct hw_error *err)
{
    const struct hw_config *c = &q->config;
    shape_mapped(&q->embed, c->vocab_size, c->dim, err);
    if (!c->tied)
        shape_mapped(&q->head, c->vocab_size, c->dim, err);
    for (int l = 0; l < c->n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES && !err->set; i++)
            shape_mapped(&q->layers[l].matrix[i], hw_length(c, hw_matrix_row[i].n_out),
                         hw_length(c, hw_matrix_row[i].n_in), err);
    }
    return !err->set;
}

static bool read_tensors(const struct source *s, struct hw_qmodel *q, struct hw_error *err)
{
    struct hw_fields f = {.err = err};
    size_t n = 0;
    hw_fields_of_model(&f, q);
    for (size_t i = 0; i < f.n && !err->set; i++) {
        if (f.field[i].kind < HW_FIELD_FIRST_TENSOR)
            continue;
        n++;
        if (read_tensor(s, &f.field[i], err))
            check_values(s->path, &f.field[i], q->widths.code_bits, err);
    }
    if (!err->set && (f.bytes != s->size || json_object_size(s->header) != n + 1))
        hw_fail(err, "%s: expected %zu tensors in %zu bytes, got %zu in %zu", s->path, n, f.bytes,
                json_object_size(s->header) - 1, s->size);
    hw_fields_free(&f);
    return !err->set;
}

// The likeliest first mistake: a checkpoint where its quantized model belongs.
static bool not_quantized(const char *path, const char *got, struct hw_error *err)
{
    return hw_fail(err,
                   "%s: expected a quantized model, got %s; of a checkpoint, hardwire quantize %s "
                   "-o Q.safetensors makes one",
                   path, got, path);
}

static bool check_format(const struct source *s, struct hw_error *err)
{
    const char *format = json_string_value(json_object_get(s->meta, "format"));
    if (!format)
        return not_quantized(s->path, "safetensors that hardwire did not write", err);
    return strcmp(format, FORMAT) == 0 ||
           hw_fail(err, "%s: metadata format: expected %s, got '%.40s'", s->path, FORMAT, format);
}

// Tensors' shapes follow scalars of the model, which lie in memory that its dimensions decide.
static bool parse(struct hw_qmodel *q, const uint8_t *data, size_t size, const char *path,
                  struct hw_error *err)
{
    uint64_t header = 0;
    for (int i = 0; i < 8 && size >= 8; i++)
        header |= (uint64_t)data[i] << (8 * i);
    char words[HW_FOREIGN_WORDS_SIZE];
    if (hw_cut_safetensors(data, size, words))
        return hw_fail(err, "%s: expected a quantized model, got %s", path, words);
    if (size < 8 || header > size - 8)
        return not_quantized(path, "no safetensors file", err);
    json_error_t where;
    json_t *root =
        json_loadb((const char *)data + 8, (size_t)header, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return hw_fail(err, "%s: header: %s at byte %d", path, where.text, where.position + 8);
    struct source s = {.path = path,
                       .header = root,
                       .meta = json_object_get(root, "__metadata__"),
                       .data = data + 8 + header,
                       .size = size - 8 - (size_t)header};
    bool read = check_format(&s, err) && read_config(&s, q, err) && hw_qmodel_alloc(q, err) &&
                read_model_scalars(&s, q, err) && shape_matrices(q, err) &&
                read_tensors(&s, q, err);
    json_decref(root);
    return read;
}

bool hw_qmodel_map(struct hw_qmodel *q, const char *path, struct hw_error *err)
{
    memset(q, 0, sizeof *q);
    struct hw_file *file = hw_qmodel_zeros(1, sizeof *file, err);
    q->file = file;
    if (hw_path_is_directory(path))
        not_quantized(path, "a folder", err);
    if (!err->set && file && hw_file_map(file, path, err))
        parse(q, file->data, file->size, path, err);
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}

static void make_weights(struct hw_qmatrix *m, struct hw_error *err)
{
    if (m->n_planes == 0 || err->set)
        return;
    m->weight = hw_qmodel_zeros((size_t)m->n_out * (size_t)m->n_in, sizeof *m->weight, err);
    if (!err->set)
        hw_qmatrix_expand(m);
    hw_qmatrix_unload(m);
}

bool hw_qmodel_read(struct hw_qmodel *q, const char *path, struct hw_error *err)
{
    if (!hw_qmodel_map(q, path, err))
        return false;
    make_weights(&q->embed, err);
    make_weights(&q->head, err);
    for (int l = 0; l < q->config.n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES; i++)
            make_weights(&q->layers[l].matrix[i], err);
    }
    if (err->set)
        hw_qmodel_free(q);
    return !err->set;
}
