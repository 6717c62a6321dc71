// SPDX-License-Identifier: Apache-2.0
// hardwire inspect: what is in a checkpoint or a quantized model, what baking it would take, and
// whether it can be baked. A GGUF file that cannot is described as far as its container goes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/cmd/cmd.h"
#include "gen/learn/budget.h"
#include "gen/qmodel/file.h"
#include "gen/quant/quantize.h"
#include "gen/read/gguf.h"
#include "gen/read/import.h"
#include "gen/read/safetensors.h"
#include "gen/read/special.h"
#include "gen/sheet.h"
#include "gen/text/chat.h"

// --- counts of types

enum { MOST_TYPES = 64 };

struct tally {
    const char *name[MOST_TYPES];
    int count[MOST_TYPES], n;
};

static void tally_add(struct tally *t, const char *name)
{
    int i = 0;
    while (i < t->n && strcmp(t->name[i], name) != 0)
        i++;
    if (i == MOST_TYPES)
        return;
    if (i == t->n)
        t->name[t->n++] = name;
    t->count[i]++;
}

// The most frequent first; of equals the one that came first.
static void print_tally(struct hw_sheet *s, const struct tally *t)
{
    char line[MOST_TYPES * 24] = "";
    json_t *object = json_object();
    size_t at = 0;
    bool printed[MOST_TYPES] = {false};
    for (int k = 0; k < t->n; k++) {
        int best = -1;
        for (int i = 0; i < t->n; i++) {
            if (!printed[i] && (best < 0 || t->count[i] > t->count[best]))
                best = i;
        }
        printed[best] = true;
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%d %s", k ? ", " : "",
                               t->count[best], t->name[best]);
        json_object_set_new(object, t->name[best], json_integer(t->count[best]));
    }
    hw_sheet_line(s, "tensors", "%s", line);
    hw_sheet_json(s, "tensors", object);
}

// --- shapes and bits

static void print_config(struct hw_sheet *s, const struct hw_config *c)
{
    hw_sheet_int(s, "dim", c->dim);
    hw_sheet_int(s, "hidden_dim", c->hidden_dim);
    hw_sheet_int(s, "n_layers", c->n_layers);
    hw_sheet_int(s, "n_heads", c->n_heads);
    hw_sheet_int(s, "n_kv_heads", c->n_kv_heads);
    hw_sheet_int(s, "head_dim", c->head_dim);
    hw_sheet_int(s, "vocab_size", c->vocab_size);
    hw_sheet_int(s, "seq_len", c->seq_len);
    hw_sheet_text(s, "classifier", c->tied ? "tied to the embedding" : "separate");
    hw_sheet_real(s, "rope_base", c->rope_base);
    if (c->rope_divisor[0] > 0.0)
        hw_sheet_line(s, "rope_scaling", "pairs turn %g to %g times slower", c->rope_divisor[0],
                      c->rope_divisor[c->head_dim / 2 - 1]);
    hw_sheet_json(s, "rope_scaled", json_boolean(c->rope_divisor[0] > 0.0));
    hw_sheet_real(s, "norm_eps", c->norm_eps);
    if (c->sub_norm)
        hw_sheet_line(s, "sub_norm", "a norm before wo and down too");
    hw_sheet_json(s, "sub_norm", json_boolean(c->sub_norm));
    if (c->qkv_bias)
        hw_sheet_line(s, "qkv_bias", "biases on queries, keys and values");
    hw_sheet_json(s, "qkv_bias", json_boolean(c->qkv_bias));
    if (c->qk_norm)
        hw_sheet_line(s, "qk_norm", "a norm over each head of queries and keys");
    hw_sheet_json(s, "qk_norm", json_boolean(c->qk_norm));
    int windowed = 0;
    for (int l = 0; c->window && l < c->n_layers; l++)
        windowed += c->windowed[l];
    if (c->window)
        hw_sheet_line(s, "window", "%d positions, in %d of %d layers", c->window, windowed,
                      c->n_layers);
    hw_sheet_json(s, "window", json_integer(c->window));
    hw_sheet_json(s, "windowed_layers", json_integer(windowed));
}

// Everything in ROM but weight codes, before it is cut into a geometry's words.
static long other_bits(const struct hw_config *c, int code_bits, long planes)
{
    long layer_rows = 0;
    for (int i = 0; i < HW_N_MATRICES; i++)
        layer_rows += hw_length(c, hw_matrix_row[i].n_out);
    long rows = c->n_layers * layer_rows + (c->tied ? 1L : 2L) * c->vocab_size;
    return 12 * rows + (8L << code_bits) * planes + (long)hw_other_rom_bits(c);
}

static void print_rom(struct hw_sheet *s, const struct hw_config *c, long weights)
{
    static const struct {
        int bits, code_bits, planes;
    } width[] = {{2, 2, 1}, {3, 3, 1}, {4, 4, 1}, {6, 3, 2}, {8, 4, 2}};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof width / sizeof width[0]; i++) {
        char name[32];
        long matrices = (long)HW_N_MATRICES * c->n_layers + (c->tied ? 1 : 2);
        long codes = weights * width[i].bits;
        long all = codes + other_bits(c, width[i].code_bits, matrices * width[i].planes);
        snprintf(name, sizeof name, "ROM at %d bits", width[i].bits);
        hw_sheet_line(s, name, "%ld bits of codes, %ld in all (%.1f MB)", codes, all,
                      (double)all / 8e6);
        snprintf(name, sizeof name, "%d", width[i].bits);
        json_object_set_new(object, name, json_integer(all));
    }
    hw_sheet_json(s, "rom_bits", object);
}

// --- tokenizer

static void print_tokenizer(struct hw_sheet *s, const char *path, int vocab_size)
{
    struct hw_error err = {0};
    struct hw_tokenizer *tok = hw_tokenizer_open(path, vocab_size, &err);
    if (!tok) {
        hw_sheet_line(s, "tokenizer", "none that can be read: %s", err.text);
        hw_sheet_json(s, "tokenizer", json_null());
        return;
    }
    const char *jinja = hw_tokenizer_template(tok);
    struct hw_error why = {0};
    struct hw_chat *chat = jinja ? hw_chat_new(tok, NULL, &why) : NULL;
    const char *family = chat ? hw_chat_family(jinja) : jinja ? NULL : "none";
    char ends[HW_MAX_ENDS * 12] = "none";
    json_t *all = json_array();
    for (int i = 0, at = 0, end; (end = hw_tokenizer_end(tok, i)) >= 0; i++) {
        at += snprintf(ends + at, sizeof ends - (size_t)at, i ? ", %d" : "%d", end);
        json_array_append_new(all, json_integer(end));
    }
    hw_sheet_line(s, "tokenizer", "%s: %d pieces, BOS %d%s, EOS %s", hw_tokenizer_kind(tok),
                  hw_tokenizer_size(tok), hw_tokenizer_bos(tok),
                  hw_tokenizer_adds_bos(tok) ? " put before text" : "", ends);
    hw_sheet_line(s, "chat template", "%s", family ? family : why.text);
    hw_sheet_json(s, "tokenizer",
                  json_pack("{s:s, s:i, s:i, s:i, s:o, s:b, s:s}", "kind", hw_tokenizer_kind(tok),
                            "vocab_size", hw_tokenizer_size(tok), "bos", hw_tokenizer_bos(tok),
                            "eos", hw_tokenizer_eos(tok), "ends", all, "adds_bos",
                            hw_tokenizer_adds_bos(tok), "chat_template",
                            family ? family : "unknown"));
    hw_chat_free(chat);
    hw_tokenizer_close(tok);
}

// --- the verdict

// err: why not, so far. Returns the exit status.
static int print_verdict(struct hw_sheet *s, const struct hw_config *c, struct hw_error *err)
{
    int vec = 0;
    bool ok = !err->set && hw_geometry_holds(c, &vec, err);
    if (ok && vec < 8)
        hw_sheet_line(s, "can be baked", "yes, with --vec %d", vec);
    else
        hw_sheet_line(s, "can be baked", "%s%s", ok ? "yes" : "no: ", ok ? "" : err->text);
    hw_sheet_json(s, "can_be_baked", json_boolean(ok));
    if (!ok)
        hw_sheet_json(s, "why_not", json_string(err->text));
    return ok ? 0 : 1;
}

// --- checkpoints

// All of them, and those that are not gains of norms or biases.
static long count_weights(const struct hw_model *model, long *of_matrices)
{
    const struct hw_config *c = &model->config;
    long total = 0;
    *of_matrices = 0;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int rows, cols;
        if (!hw_tensor_exists(c, (enum hw_tensor_id)id))
            continue;
        hw_tensor_shape(c, (enum hw_tensor_id)id, &rows, &cols);
        long n = (long)rows * cols;
        n *= hw_tensor_layers(c, (enum hw_tensor_id)id);
        total += n;
        *of_matrices += rows > 1 && cols > 1 ? n : 0;
    }
    return total;
}

static void print_model(struct hw_sheet *s, const struct hw_model *model)
{
    const struct hw_config *c = &model->config;
    struct tally tally = {.n = 0};
    for (int id = 0; id < HW_N_TENSORS; id++) {
        int n = hw_tensor_layers(c, (enum hw_tensor_id)id);
        for (int l = 0; l < n; l++) {
            const struct hw_tensor *t = hw_model_tensor(model, (enum hw_tensor_id)id, l);
            if (t->data)
                tally_add(&tally, hw_dtype_name(t->dtype));
        }
    }
    print_config(s, c);
    print_tally(s, &tally);
    bool ternary = hw_model_is_ternary(model);
    if (ternary)
        hw_sheet_line(s, "ternary", "2-bit codes hold the layers' weights without loss");
    hw_sheet_json(s, "ternary", json_boolean(ternary));
    long of_matrices, weights = count_weights(model, &of_matrices);
    hw_sheet_int(s, "weights", weights);
    print_rom(s, c, of_matrices);
}

// What the container says of a file that the importer refuses.
static void print_container(struct hw_sheet *s, const struct hw_gguf *g)
{
    struct tally tally = {.n = 0};
    struct hw_text architecture = {"?", 1};
    struct hw_error ignored = {0};
    char name[65];
    hw_gguf_string(g, "general.architecture", &architecture, &ignored);
    snprintf(name, sizeof name, "%.*s", architecture.len < 64 ? (int)architecture.len : 64,
             architecture.bytes);
    hw_sheet_text(s, "format", g->version == 2 ? "GGUF v2" : "GGUF v3");
    hw_sheet_text(s, "architecture", name);
    for (size_t i = 0; i < g->n_tensors; i++) {
        const char *type = hw_ggml_type_name(g->tensors[i].ggml_type);
        tally_add(&tally, type ? type : "of unknown type");
    }
    print_tally(s, &tally);
}

static int inspect_refused(struct hw_sheet *s, const char *path, struct hw_error *err)
{
    struct hw_file file = {0};
    struct hw_gguf g = {0};
    struct hw_error ignored = {0};
    if (!hw_path_is_directory(path) && hw_file_map(&file, path, &ignored) && hw_is_gguf(&file) &&
        hw_gguf_open(&g, &file, &ignored)) {
        print_container(s, &g);
        hw_gguf_close(&g);
    }
    hw_file_unmap(&file);
    return print_verdict(s, NULL, err);
}

static int inspect_model(struct hw_sheet *s, const char *path, const char *tokenizer)
{
    struct hw_error err = {0};
    struct hw_model *model = hw_model_open(path, &err);
    if (!model)
        return inspect_refused(s, path, &err);
    const struct hw_config *c = hw_model_config(model);
    bool holds_one = hw_path_is_directory(path) || hw_is_gguf(&model->files[0]);
    hw_sheet_text(s, "format", hw_model_format(model));
    print_model(s, model);
    if (tokenizer || holds_one) {
        print_tokenizer(s, tokenizer ? tokenizer : path, c->vocab_size);
    } else {
        hw_sheet_line(s, "tokenizer", "none in this format; it is given with -t");
        hw_sheet_json(s, "tokenizer", json_null());
    }
    int status = print_verdict(s, c, &err);
    hw_model_close(model);
    return status;
}

// --- quantized models

struct matrices { // the same matrix of every layer
    const char *name;
    const struct hw_qmatrix *first;
    int n, low, high; // planes
};

static void matrices_add(struct matrices *all, int *n, const char *name, const struct hw_qmatrix *m)
{
    int i = 0;
    while (i < *n && strcmp(all[i].name, name) != 0)
        i++;
    if (i == *n)
        all[(*n)++] = (struct matrices){name, m, 0, m->n_planes, m->n_planes};
    all[i].n++;
    all[i].low = m->n_planes < all[i].low ? m->n_planes : all[i].low;
    all[i].high = m->n_planes > all[i].high ? m->n_planes : all[i].high;
}

static int find_matrices(const struct hw_qmodel *q, struct matrices all[8], long *codes)
{
    int n = 0;
    const struct hw_qmatrix *ends[] = {&q->embed, q->config.tied ? NULL : &q->head};
    const char *const end_name[] = {"tok_embeddings", "output"};
    *codes = 0;
    for (int i = 0; i < 2 && ends[i]; i++) {
        matrices_add(all, &n, end_name[i], ends[i]);
        *codes += (long)ends[i]->n_planes * ends[i]->n_out * ends[i]->n_in;
    }
    for (int l = 0; l < q->config.n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES; i++) {
            const struct hw_qmatrix *m = &q->layers[l].matrix[i];
            matrices_add(all, &n, hw_matrix_row[i].name, m);
            *codes += (long)m->n_planes * m->n_out * m->n_in;
        }
    }
    return n;
}

static void print_matrices(struct hw_sheet *s, const struct matrices *all, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        const struct matrices *m = &all[i];
        char planes[32];
        snprintf(planes, sizeof planes, m->low == m->high ? "%d" : "%d-%d", m->low, m->high);
        hw_sheet_line(s, i ? "" : "matrices", "%-20s %3d x [%d][%d], %s plane%s", m->name, m->n,
                      m->first->n_out, m->first->n_in, planes, m->high == 1 ? "" : "s");
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "name", m->name, "count",
                                        m->n, "n_out", m->first->n_out, "n_in", m->first->n_in,
                                        "least_planes", m->low, "most_planes", m->high));
    }
    hw_sheet_json(s, "matrices", list);
}

static int inspect_quantized(struct hw_sheet *s, const char *path, const char *tokenizer)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    struct matrices all[8];
    long codes;
    double weights;
    bool ok = hw_qmodel_map(&q, path, &err);
    hw_sheet_text(s, "format", ok ? "quantized by hardwire" : "safetensors");
    if (!ok)
        return print_verdict(s, NULL, &err);
    const struct hw_config *c = &q.config;
    const struct hw_widths *w = &q.widths;
    print_config(s, c);
    long bits = (long)hw_rom_bits(&q, &weights);
    print_matrices(s, all, find_matrices(&q, all, &codes));
    hw_sheet_int(s, "weights", (long)weights);
    hw_sheet_int(s, "code_bits", w->code_bits);
    hw_sheet_int(s, "act_bits", w->act_bits);
    hw_sheet_int(s, "kv_bits", w->kv_bits);
    hw_sheet_int(s, "res_bits", w->res_bits);
    codes *= w->code_bits;
    hw_sheet_line(s, "ROM", "%ld bits of codes, %ld in all (%.1f MB), %.3f a weight", codes, bits,
                  (double)bits / 8e6, (double)bits / weights);
    hw_sheet_json(s, "rom_bits", json_integer(bits));
    if (tokenizer)
        print_tokenizer(s, tokenizer, c->vocab_size);
    int status = print_verdict(s, c, &err);
    hw_qmodel_free(&q);
    return status;
}

struct request {
    const char *tokenizer;
    bool json;
};

static int inspect(int argc, char **argv)
{
    struct request r;
    struct hw_operands operands;
    int status = hw_options_parse(&HW_VERB_INSPECT, argc, argv, &r, &operands);
    if (status >= 0)
        return status;
    if (operands.n != 1)
        return hw_usage("inspect", "expected one model");
    const char *path = operands.at[0];
    if (!hw_path_exists(path)) {
        struct hw_error err = {0};
        hw_fail(&err, "%s: open: expected a file or a folder, got nothing", path);
        return hw_report(&err);
    }
    struct hw_sheet s;
    hw_sheet_open(&s, r.json);
    status = hw_is_safetensors(path) ? inspect_quantized(&s, path, r.tokenizer)
                                     : inspect_model(&s, path, r.tokenizer);
    hw_sheet_close(&s);
    return status;
}

static const struct hw_option OPTIONS[] = {
    {"tokenizer", 't', HW_SETS(struct request, tokenizer), "FILE",
     .help = "describe this tokenizer, where the model holds none"},
    {"json", 0, HW_SETS(struct request, json), .help = "one JSON object"},
    {0}};

const struct hw_verb HW_VERB_INSPECT = {
    .name = "inspect",
    .operands = "MODEL",
    .what = "what is in a checkpoint or a quantized model",
    .after = "Exit status 1: it cannot be baked; the last line says why.\n",
    .groups = {{NULL, OPTIONS, 0}},
    .run = inspect};
