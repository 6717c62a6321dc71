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
#include "gen/read/cursor.h"
#include "refmodel/limits.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are written and read as they lie in memory: a little-endian machine is needed"
#endif

static const char *const FORMAT = "hardwire-qmodel-1";

enum { PIECE = 16 << 20 }; // bytes of codes checked at a time

// --- one walk over everything, for reading and writing

// A pass over the model's scalars and tensors in a fixed order. Writing fills `header` and `data`;
// reading takes from them.
struct pass {
    bool writing;
    json_t *header, *meta;
    FILE *file;          // writing: tensor data
    bool unload;         // writing: what is written is mapped and need not stay in memory
    const uint8_t *data; // reading: tensor data
    size_t size, at;     // of data
    size_t n_tensors;
    const char *path;
    struct hw_error *err;
};

static void integer(struct pass *p, const char *name, long long low, long long high, long long *v)
{
    char text[32], *end;
    if (p->err->set)
        return;
    if (p->writing) {
        snprintf(text, sizeof text, "%lld", *v);
        json_object_set_new(p->meta, name, json_string(text));
        return;
    }
    const char *s = json_string_value(json_object_get(p->meta, name));
    errno = 0;
    *v = s ? strtoll(s, &end, 10) : 0;
    if (!s || end == s || *end || errno || *v < low || *v > high)
        hw_fail(p->err, "%s: metadata %s: expected an integer in %lld..%lld, got '%s'", p->path,
                name, low, high, s ? s : "nothing");
}

static void int_field(struct pass *p, const char *name, int low, int high, int *v)
{
    long long wide = *v;
    integer(p, name, low, high, &wide);
    *v = (int)wide;
}

static void real_field(struct pass *p, const char *name, double *v)
{
    char text[32], *end;
    if (p->err->set)
        return;
    if (p->writing) {
        snprintf(text, sizeof text, "%.17g", *v);
        json_object_set_new(p->meta, name, json_string(text));
        return;
    }
    const char *s = json_string_value(json_object_get(p->meta, name));
    *v = s ? strtod(s, &end) : 0.0;
    if (!s || end == s || *end || !(*v > 0.0 && *v < 1e30))
        hw_fail(p->err, "%s: metadata %s: expected a positive number, got '%s'", p->path, name,
                s ? s : "nothing");
}

// Divisors of the rotation's pairs, numbers with spaces between. No such key: rotation is plain.
static void rope_divisors(struct pass *p, struct hw_config *c)
{
    static const char *const KEY = "rope_divisors";
    char text[HW_MAX_SCALED_PAIRS * 26] = "";
    int half = c->head_dim / 2, n = 0;
    const char *s = json_string_value(json_object_get(p->meta, KEY));
    if (p->err->set)
        return;
    if (p->writing) {
        for (int i = 0; i < half && i < HW_MAX_SCALED_PAIRS && c->rope_divisor[0] > 0.0; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%.17g", i ? " " : "",
                          c->rope_divisor[i]);
        if (n)
            json_object_set_new(p->meta, KEY, json_string(text));
        return;
    }
    for (char *end; s && n < half && n < HW_MAX_SCALED_PAIRS; s = end, n++) {
        double v = strtod(s, &end);
        if (end == s || !(v >= 1.0 && v <= HW_MAX_ROPE_DIVISOR))
            break;
        c->rope_divisor[n] = v;
    }
    if (s && (n != half || *s))
        hw_fail(p->err, "%s: metadata %s: expected %d numbers in 1..%g, got '%.32s' after %d",
                p->path, KEY, half, HW_MAX_ROPE_DIVISOR, s, n);
}

static void write_bytes(struct pass *p, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0, piece; i < n && !p->err->set; i += piece) {
        piece = n - i < PIECE ? n - i : PIECE;
        if (hw_stop)
            hw_fail(p->err, "%s: interrupted", p->path);
        else if (fwrite(bytes + i, 1, piece, p->file) != piece)
            hw_fail(p->err, "%s: cannot write: %s", p->path, strerror(errno));
        if (p->unload)
            hw_file_unload(bytes + i, piece);
    }
}

static json_t *describe(const char *dtype, const int *shape, int n_dims, size_t at, size_t bytes)
{
    json_t *dims = json_array();
    for (int i = 0; i < n_dims; i++)
        json_array_append_new(dims, json_integer(shape[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype, "shape", dims, "data_offsets",
                     (json_int_t)at, (json_int_t)(at + bytes));
}

// One tensor, elements of `size` bytes. Reading demands the very description that writing makes,
// copies to `values` unless that is NULL, and returns where the tensor lies in the file.
static const uint8_t *tensor(struct pass *p, const char *name, const char *dtype, size_t size,
                             const int *shape, int n_dims, void *values)
{
    size_t bytes = size;
    const uint8_t *found = NULL;
    if (p->err->set)
        return NULL;
    for (int i = 0; i < n_dims; i++)
        bytes *= (size_t)shape[i];
    json_t *expected = describe(dtype, shape, n_dims, p->at, bytes);
    p->n_tensors++;
    if (p->writing) {
        json_object_set(p->header, name, expected);
        if (p->file)
            write_bytes(p, values, bytes);
    } else {
        json_t *got = json_object_get(p->header, name);
        char *want = json_dumps(expected, JSON_COMPACT | JSON_SORT_KEYS);
        char *have = got ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        if (!got || !json_equal(got, expected))
            hw_fail(p->err, "%s: tensor %s: expected %s, got %.200s", p->path, name,
                    want ? want : "", have ? have : "nothing");
        else if (bytes > p->size - p->at)
            hw_fail(p->err, "%s: tensor %s: expected %zu bytes at offset %zu, got %zu", p->path,
                    name, bytes, p->at, p->size - p->at);
        else
            found = p->data + p->at;
        if (found && values)
            memcpy(values, found, bytes);
        free(want);
        free(have);
    }
    json_decref(expected);
    p->at += bytes;
    return found;
}

// The model has one eps_ss, the final norm's; where sub_norm, each norm of a layer has its own, and
// norms over heads have theirs.
static void norm(struct pass *p, const char *name, int dim, const struct hw_qmodel *q,
                 struct hw_qnorm *n, bool own_eps)
{
    char field[96];
    snprintf(field, sizeof field, "%s.eps_ss", name);
    long long eps = (long long)(p->writing ? n->eps_ss : q->final_norm.eps_ss);
    if (own_eps)
        integer(p, field, 1, UINT32_MAX, &eps);
    n->eps_ss = (uint64_t)eps;
    snprintf(field, sizeof field, "%s.shift", name);
    int_field(p, field, 1, 40, &n->shift);
    snprintf(field, sizeof field, "%s.gain", name);
    tensor(p, field, "I16", 2, &dim, 1, n->gain);
}

// Whether every weight, a sum of one level a plane, is in -128..127.
static void check_sums(struct pass *p, const char *name, int code_bits, const struct hw_qmatrix *m)
{
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
    for (size_t i = 0; (low < -128 || high > 127) && i < n && !p->err->set; i++) {
        int sum = 0;
        for (int k = 0; k < m->n_planes; k++)
            sum += m->levels[k][m->codes[(size_t)k * n + i]];
        if (sum < -128 || sum > 127)
            hw_fail(p->err,
                    "%s: tensor %s: element %zu: expected a sum of levels in -128..127, "
                    "got %d",
                    p->path, name, i, sum);
    }
}

static void check_matrix(struct pass *p, const char *name, int code_bits,
                         const struct hw_qmatrix *m)
{
    size_t n = (size_t)m->n_planes * (size_t)m->n_out * (size_t)m->n_in, last = 0;
    for (size_t i = 0; i < n && !p->err->set; i = last) { // a piece that need not stay in memory
        uint8_t all = 0;
        last = n - i < PIECE ? n : i + PIECE;
        for (size_t k = i; k < last; k++)
            all |= m->codes[k];
        for (size_t k = i; all >> code_bits && k < last && !p->err->set; k++) {
            if (m->codes[k] >> code_bits)
                hw_fail(p->err, "%s: tensor %s.codes: element %zu: expected %d bits, got %d",
                        p->path, name, k, code_bits, m->codes[k]);
        }
        hw_file_unload(m->codes + i, last - i);
    }
    for (int r = 0; r < m->n_out && !p->err->set; r++) {
        if (m->scale[r] >> 12)
            hw_fail(p->err, "%s: tensor %s.scale: row %d: expected 12 bits, got %d", p->path, name,
                    r, m->scale[r]);
    }
    for (int i = 0; i < m->n_planes; i++) {
        for (int k = 0; k < 1 << code_bits; k++) {
            if (m->levels[i][k] < -128 || m->levels[i][k] > 127)
                hw_fail(p->err, "%s: tensor %s.levels: plane %d: expected -128..127, got %d",
                        p->path, name, i, m->levels[i][k]);
        }
    }
    if (!p->err->set)
        check_sums(p, name, code_bits, m);
    hw_qmatrix_unload(m);
}

// The codes of a matrix that is read: where they lie in the file.
static void map_codes(struct pass *p, const char *field, int n_out, int n_in, struct hw_qmatrix *m)
{
    const uint8_t *codes = tensor(p, field, "U8", 1, (int[]){m->n_planes, n_out, n_in}, 3, NULL);
    m->n_out = n_out;
    m->n_in = n_in;
    m->codes = (uint8_t *)(uintptr_t)codes; // not written to
    m->mapped = true;
    m->scale = hw_qmodel_zeros((size_t)n_out, sizeof *m->scale, p->err);
}

static void matrix(struct pass *p, const char *name, int code_bits, int n_out, int n_in,
                   struct hw_qmatrix *m)
{
    char field[96];
    int16_t levels[HW_MAX_PLANES * HW_MAX_LEVELS];
    int n = 1 << code_bits;
    snprintf(field, sizeof field, "%s.planes", name);
    int_field(p, field, 1, HW_MAX_PLANES, &m->n_planes);
    snprintf(field, sizeof field, "%s.shift", name);
    int_field(p, field, 15, 62, &m->shift);
    if (p->err->set)
        return;
    for (int i = 0; i < m->n_planes * n; i++)
        levels[i] = m->levels[i / n][i % n];
    snprintf(field, sizeof field, "%s.codes", name);
    p->unload = p->writing && m->mapped;
    if (p->writing)
        tensor(p, field, "U8", 1, (int[]){m->n_planes, n_out, n_in}, 3, m->codes);
    else
        map_codes(p, field, n_out, n_in, m);
    p->unload = false;
    snprintf(field, sizeof field, "%s.levels", name);
    tensor(p, field, "I16", 2, (int[]){m->n_planes, n}, 2, levels);
    snprintf(field, sizeof field, "%s.scale", name);
    tensor(p, field, "U16", 2, &n_out, 1, m->scale);
    if (p->writing || p->err->set)
        return;
    for (int i = 0; i < m->n_planes * n; i++)
        m->levels[i / n][i % n] = levels[i];
    check_matrix(p, name, code_bits, m);
}

static void layer(struct pass *p, struct hw_qmodel *q, int l)
{
    const struct hw_config *c = &q->config;
    struct hw_qlayer *y = &q->layers[l];
    char name[96];
    for (int i = 0; i < HW_N_NORMS; i++) {
        const struct hw_norm_row *row = &hw_norm_row[i];
        snprintf(name, sizeof name, "layers.%d.%s", l, row->name);
        if (hw_has(c, row->where))
            norm(p, name, hw_length(c, row->n), q, &y->norm[i],
                 c->sub_norm || row->where == HW_QK_NORM);
    }
    for (int i = 0; i < HW_N_BIASES; i++) {
        int n = hw_bias_length(c, (enum hw_bias_id)i);
        snprintf(name, sizeof name, "layers.%d.%s", l, hw_bias_row[i].name);
        if (hw_has(c, hw_bias_row[i].where))
            tensor(p, name, "I16", 2, &n, 1, y->bias[i]);
    }
    for (int i = 0; i < HW_N_MATRICES; i++) {
        const struct hw_matrix_row *row = &hw_matrix_row[i];
        snprintf(name, sizeof name, "layers.%d.%s", l, row->name);
        matrix(p, name, q->widths.code_bits, hw_length(c, row->n_out), hw_length(c, row->n_in),
               &y->matrix[i]);
    }
    const struct {
        const char *name;
        int low, high, *value;
    } field[] = {{"score_shift", 0, 40, &y->score_shift},
                 {"att_shift", 0, 7, &y->att_shift},
                 {"hidden_shift", 1, 40, &y->hidden_shift}};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "layers.%d.%s", l, field[i].name);
        int_field(p, name, field[i].low, field[i].high, field[i].value);
    }
}

// What only some families have: written where it is so, and not so in files without the key.
static void flag(struct pass *p, const char *name, bool *v)
{
    int value = *v;
    if (p->writing ? *v : json_object_get(p->meta, name) != NULL)
        int_field(p, name, 0, 1, &value);
    *v = value != 0;
}

// The window, and the layers that have it as a text of 0 and 1.
static void window(struct pass *p, struct hw_config *c)
{
    static const char *const KEY = "windowed";
    char text[HW_MAX_LAYERS + 1] = "";
    if (p->err->set || (p->writing ? c->window == 0 : json_object_get(p->meta, KEY) == NULL))
        return;
    int_field(p, "window", 1, c->seq_len - 1, &c->window);
    if (p->writing) {
        for (int l = 0; l < c->n_layers; l++)
            text[l] = c->windowed[l] ? '1' : '0';
        json_object_set_new(p->meta, KEY, json_string(text));
        return;
    }
    const char *s = json_string_value(json_object_get(p->meta, KEY));
    if (!s || strlen(s) != (size_t)c->n_layers || strspn(s, "01") != (size_t)c->n_layers) {
        hw_fail(p->err, "%s: metadata %s: expected %d digits 0 or 1, got '%.40s'", p->path, KEY,
                c->n_layers, s ? s : "nothing");
        return;
    }
    for (int l = 0; l < c->n_layers; l++)
        c->windowed[l] = s[l] == '1';
}

static void config(struct pass *p, struct hw_qmodel *q)
{
    struct hw_config *c = &q->config;
    struct hw_widths *w = &q->widths;
    int tied = c->tied;
    int_field(p, "dim", 1, HW_MAX_DIM, &c->dim);
    int_field(p, "hidden_dim", 1, HW_MAX_HIDDEN_DIM, &c->hidden_dim);
    int_field(p, "n_layers", 1, HW_MAX_LAYERS, &c->n_layers);
    int_field(p, "n_heads", 1, HW_MAX_HEADS, &c->n_heads);
    int_field(p, "n_kv_heads", 1, HW_MAX_HEADS, &c->n_kv_heads);
    int_field(p, "head_dim", 2, HW_MAX_HEAD_DIM, &c->head_dim);
    int_field(p, "vocab_size", HW_MIN_VOCAB_SIZE, HW_MAX_VOCAB_SIZE, &c->vocab_size);
    int_field(p, "seq_len", 1, HW_MAX_SEQ_LEN, &c->seq_len);
    int_field(p, "tied", 0, 1, &tied);
    c->tied = tied != 0;
    real_field(p, "rope_base", &c->rope_base);
    rope_divisors(p, c);
    real_field(p, "norm_eps", &c->norm_eps);
    flag(p, "sub_norm", &c->sub_norm);
    flag(p, "qkv_bias", &c->qkv_bias);
    flag(p, "qk_norm", &c->qk_norm);
    window(p, c);
    if (!p->writing)
        c->bos = 1; // of files from before it was written, which is why 1 is left out
    if (p->writing ? c->bos != 1 : json_object_get(p->meta, "bos") != NULL)
        int_field(p, "bos", 0, c->vocab_size - 1, &c->bos);
    int_field(p, "code_bits", 2, 4, &w->code_bits);
    int_field(p, "act_bits", 4, 12, &w->act_bits);
    int_field(p, "kv_bits", 4, 12, &w->kv_bits);
    int_field(p, "res_bits", 16, 24, &w->res_bits);
    if (!p->err->set && (c->head_dim % 2 || c->n_heads % c->n_kv_heads))
        hw_fail(p->err,
                "%s: metadata: expected an even head_dim and n_heads a multiple of "
                "n_kv_heads, got %d, %d, %d",
                p->path, c->head_dim, c->n_heads, c->n_kv_heads);
}

// The dimensions decide how much memory the model takes: they must be those of so large a file.
static void check_size(struct pass *p, const struct hw_config *c)
{
    size_t layer = 0;
    for (int i = 0; i < HW_N_MATRICES; i++)
        layer += (size_t)hw_length(c, hw_matrix_row[i].n_out) *
                 (size_t)hw_length(c, hw_matrix_row[i].n_in);
    size_t codes = (size_t)c->vocab_size * (size_t)c->dim + (size_t)c->n_layers * layer; // < 2^63
    if (!p->err->set && codes > p->size)
        hw_fail(p->err,
                "%s: metadata: expected at least %zu bytes of data for these dimensions, "
                "got %zu",
                p->path, codes, p->size);
}

static void everything(struct pass *p, struct hw_qmodel *q)
{
    const struct hw_config *c = &q->config;
    config(p, q);
    if (!p->writing)
        check_size(p, c);
    if (p->err->set || (!p->writing && !hw_qmodel_alloc(q, p->err)))
        return;
    long long eps = (long long)q->final_norm.eps_ss;
    integer(p, "eps_ss", 1, UINT32_MAX, &eps);
    q->final_norm.eps_ss = (uint64_t)eps;
    int_field(p, "embed_shift", 15, 62, &q->embed_shift);
    real_field(p, "logit_scale", &q->logit_scale);
    matrix(p, "tok_embeddings", q->widths.code_bits, c->vocab_size, c->dim, &q->embed);
    if (!c->tied)
        matrix(p, "output", q->widths.code_bits, c->vocab_size, c->dim, &q->head);
    norm(p, "norm", c->dim, q, &q->final_norm, false);
    int half = c->head_dim / 2, n_lo = 1 << q->rope.lo_bits;
    tensor(p, "rope.hi_cos", "I16", 2, (int[]){q->rope.n_hi, half}, 2, q->rope.hi_cos);
    tensor(p, "rope.hi_sin", "I16", 2, (int[]){q->rope.n_hi, half}, 2, q->rope.hi_sin);
    tensor(p, "rope.lo_cos", "I16", 2, (int[]){n_lo, half}, 2, q->rope.lo_cos);
    tensor(p, "rope.lo_sin", "I16", 2, (int[]){n_lo, half}, 2, q->rope.lo_sin);
    for (int l = 0; l < c->n_layers; l++)
        layer(p, q, l);
}

// --- files

static bool write_to(const struct hw_qmodel *q, FILE *file, const char *path, struct hw_error *err)
{
    struct hw_qmodel copy = *q; // the walk is shared with reading and not const
    struct pass p = {.writing = true, .path = path, .err = err};
    p.header = json_object();
    p.meta = json_object();
    json_object_set_new(p.meta, "format", json_string(FORMAT));
    everything(&p, &copy); // first for the header, then for the data
    json_object_set(p.header, "__metadata__", p.meta);
    char *text = json_dumps(p.header, JSON_COMPACT | JSON_SORT_KEYS);
    size_t len = text ? strlen(text) : 0, padded = (len + 7) / 8 * 8;
    uint8_t size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (uint8_t)(padded >> (8 * i));
    if (!text || fwrite(size, 1, 8, file) != 8 ||
        fprintf(file, "%s%*s", text, (int)(padded - len), "") != (int)padded)
        hw_fail(err, "%s: cannot write: %s", path, strerror(errno));
    p.file = file;
    p.at = 0;
    everything(&p, &copy);
    free(text);
    json_decref(p.meta);
    json_decref(p.header);
    return !err->set;
}

bool hw_qmodel_write(const struct hw_qmodel *q, const char *path, struct hw_error *err)
{
    struct hw_output_file f;
    if (!hw_output_file_open(&f, path, err))
        return false;
    write_to(q, f.stream, *f.temp ? f.temp : f.path, err);
    return hw_output_file_close(&f, err);
}

// The likeliest first mistake: a checkpoint where its quantized model belongs.
static bool not_quantized(const char *path, const char *got, struct hw_error *err)
{
    return hw_fail(err,
                   "%s: expected a quantized model, got %s; of a checkpoint, hardwire quantize %s "
                   "-o Q.safetensors makes one",
                   path, got, path);
}

static bool parse(struct hw_qmodel *q, const uint8_t *data, size_t size, const char *path,
                  struct hw_error *err)
{
    uint64_t header = 0;
    for (int i = 0; i < 8 && size >= 8; i++)
        header |= (uint64_t)data[i] << (8 * i);
    if (size < 8 || header > size - 8)
        return not_quantized(path, "no safetensors file", err);
    json_error_t where;
    json_t *root =
        json_loadb((const char *)data + 8, (size_t)header, JSON_REJECT_DUPLICATES, &where);
    struct pass p = {.header = root, .path = path, .err = err};
    if (!root)
        return hw_fail(err, "%s: header: %s at byte %d", path, where.text, where.position + 8);
    p.meta = json_object_get(root, "__metadata__");
    p.data = data + 8 + header;
    p.size = size - 8 - (size_t)header;
    const char *format = json_string_value(json_object_get(p.meta, "format"));
    if (!format)
        not_quantized(path, "safetensors that hardwire did not write", err);
    else if (strcmp(format, FORMAT) != 0)
        hw_fail(err, "%s: metadata format: expected %s, got '%.40s'", path, FORMAT, format);
    everything(&p, q);
    if (!err->set && (p.at != p.size || json_object_size(root) != p.n_tensors + 1))
        hw_fail(err, "%s: expected %zu tensors in %zu bytes, got %zu in %zu", path, p.n_tensors,
                p.at, json_object_size(root) - 1, p.size);
    json_decref(root);
    return !err->set;
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
