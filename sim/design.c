// SPDX-License-Identifier: Apache-2.0
#include "sim/design.h"

#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "gen/qmodel/file.h"

static json_t *manifest(const char *dir, struct hw_error *err)
{
    char path[4096];
    json_error_t where;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        hw_fail(err, "%s: line %d: %s", path, where.line, where.text);
    return root;
}

static bool same_model(json_t *root, const struct hw_config *c)
{
    int dim = -1, hidden_dim = -1, n_layers = -1, vocab_size = -1, seq_len = -1;
    return json_unpack(root, "{s:{s:i, s:i, s:i, s:i, s:i}}", "model", "dim", &dim, "hidden_dim",
                       &hidden_dim, "n_layers", &n_layers, "vocab_size", &vocab_size, "seq_len",
                       &seq_len) == 0 &&
           dim == c->dim && hidden_dim == c->hidden_dim && n_layers == c->n_layers &&
           vocab_size == c->vocab_size && seq_len == c->seq_len;
}

bool hw_design_open(struct hw_design *d, const char *dir, const struct hw_qmodel *q,
                    struct hw_error *err)
{
    const char *slice = "";
    struct hw_geometry *g = &d->geometry;
    memset(d, 0, sizeof *d);
    json_t *root = manifest(dir, err);
    if (!root)
        return false;
    if (json_unpack(root, "{s:s, s:{s:i, s:i, s:i, s:i}}", "slice", &slice, "geometry", "rows",
                    &g->rows, "cols", &g->cols, "vec", &g->vec, "att_pos", &g->att_pos) != 0)
        hw_fail(err, "%s/manifest.json: expected slice and geometry", dir);
    else if (!same_model(root, &q->config))
        hw_fail(err, "%s/manifest.json: made from a model of other dimensions", dir);
    snprintf(d->slice, sizeof d->slice, "%s", slice);
    json_decref(root);
    return !err->set && hw_geometry_fit(g, q, err) && hw_plan_make(&d->plan, q, g, d->slice, err);
}

bool hw_design_set_context(const char *dir, struct hw_qmodel *q, struct hw_error *err)
{
    int seq_len = q->config.seq_len, lo_bits = 0;
    json_t *root = manifest(dir, err);
    json_unpack(root, "{s:{s:i}}", "model", "seq_len", &seq_len);
    json_unpack(root, "{s:{s:i}}", "geometry", "rope_lo_bits", &lo_bits);
    json_decref(root);
    if (!err->set && (lo_bits < 0 || lo_bits > 19))
        hw_fail(err, "%s/manifest.json: rope_lo_bits: expected 1..19, got %d", dir, lo_bits);
    if (seq_len > q->config.seq_len) // another model's, says hw_design_open
        seq_len = q->config.seq_len;
    return !err->set && hw_qmodel_set_context(q, seq_len, lo_bits, err);
}

void hw_design_close(struct hw_design *d)
{
    hw_plan_free(&d->plan);
}

static bool sha256_file(const char *path, char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    struct sha256_ctx ctx;
    uint8_t buffer[65536], digest[SHA256_DIGEST_SIZE];
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    sha256_init(&ctx);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        sha256_update(&ctx, n, buffer);
    bool ok = !ferror(file);
    fclose(file);
    sha256_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return ok;
}

int hw_design_tampered(const char *dir, struct hw_error *err)
{
    json_t *root = manifest(dir, err), *value;
    const char *name;
    int bad = 0;
    if (!root)
        return -1;
    json_object_foreach(json_object_get(root, "files"), name, value)
    {
        char path[4096], hex[2 * SHA256_DIGEST_SIZE + 1] = "";
        const char *want = json_string_value(value);
        snprintf(path, sizeof path, "%s/%s", dir, name);
        if (!sha256_file(path, hex)) {
            fprintf(stderr, "%s: cannot be read, but the manifest lists it\n", path);
            bad++;
        } else if (!want || strcmp(hex, want) != 0) {
            fprintf(stderr, "%s: not what was generated: SHA-256 %.16s..., manifest %.16s...\n",
                    path, hex, want ? want : "?");
            bad++;
        }
    }
    json_decref(root);
    return bad;
}
