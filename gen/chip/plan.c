// SPDX-License-Identifier: Apache-2.0
// Owns the layout: which bit of which ROM holds what, and the program that reads it.
// Formats: rtl_templates/msa_array.v (weights, levels), drain.v (scales), rmsnorm.v (gains),
// rope_angles.v, sequencer.v.
#include "gen/chip/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/chip/program.h"

static size_t word_bytes(const struct hw_rom *rom)
{
    return ((size_t)rom->width + 7) / 8;
}

// Sets `width` bits from `lsb` of word `word` to value (the word's bits are zero before).
static void put(struct hw_rom *rom, long word, long lsb, int width, uint64_t value)
{
    hw_put_bits(rom->data + (size_t)word * word_bytes(rom), lsb, width, value);
}

struct builder {
    struct hw_plan *plan;
    const struct hw_qmodel *q;
    const struct hw_geometry *g;
    struct hw_error *err;
};

// Adds n words of zeros and returns the first one's address, or -1.
static int grow(struct builder *b, int id, long n)
{
    struct hw_rom *rom = &b->plan->rom[id];
    if (rom->depth + n > rom->capacity) {
        hw_fail(b->err, "plan: %s ROM: expected at most %ld words, got %ld", rom->name,
                rom->capacity, rom->depth + n);
        return -1;
    }
    if (id == HW_ROM_WEIGHT) { // only its layout is kept
        int first = rom->depth;
        rom->depth += (int)n;
        return first;
    }
    size_t bytes = word_bytes(rom);
    uint8_t *data = realloc(rom->data, (size_t)(rom->depth + n) * bytes);
    if (!data) {
        hw_fail(b->err, "plan: %s ROM: out of memory", rom->name);
        return -1;
    }
    rom->data = data;
    memset(data + (size_t)rom->depth * bytes, 0, (size_t)n * bytes);
    int first = rom->depth;
    rom->depth += (int)n;
    return first;
}

static bool note_range(struct builder *b, const char *name, int first, int n_words,
                       const struct hw_qmatrix *m, int first_row, int last_row)
{
    struct hw_plan *p = b->plan;
    struct hw_weight_range *r = realloc(p->range, (size_t)(p->n_ranges + 1) * sizeof *r);
    if (!r)
        return hw_fail(b->err, "plan: out of memory");
    p->range = r;
    r += p->n_ranges++;
    snprintf(r->name, sizeof r->name, "%s", name);
    r->first = first;
    r->n_words = n_words;
    r->n_rows = last_row - first_row;
    r->m = m;
    r->first_row = first_row;
    r->n_in = m->n_in;
    r->n_planes = m->n_planes;
    return true;
}

// --- ROM contents

// Where a matrix lies: first words of the weight, scale and level ROM.
struct rom_address {
    int weight, scale, level;
};

// Lays out rows first..last-1 of a matrix.
static bool put_matrix(struct builder *b, const char *name, const struct hw_qmatrix *m, int first,
                       int last, struct rom_address *at)
{
    const struct hw_geometry *g = b->g;
    long blocks = (last - first + g->rows - 1) / g->rows;
    long words = blocks * ((m->n_in + g->cols - 1) / g->cols) * m->n_planes;
    at->weight = grow(b, HW_ROM_WEIGHT, words);
    at->scale = grow(b, HW_ROM_SCALE, (last - first + g->vec - 1) / g->vec);
    at->level = grow(b, HW_ROM_LEVEL, m->n_planes);
    if (b->err->set || !note_range(b, name, at->weight, (int)words, m, first, last))
        return false;
    for (int r = first; r < last; r++)
        put(&b->plan->rom[HW_ROM_SCALE], at->scale + (r - first) / g->vec,
            (r - first) % g->vec * 12, 12, m->scale[r]);
    for (int p = 0; p < m->n_planes; p++) {
        for (int k = 0; k < 1 << g->code_bits; k++)
            put(&b->plan->rom[HW_ROM_LEVEL], at->level + p, k * 8, 8, (uint8_t)m->levels[p][k]);
    }
    return true;
}

// Words of 16 bits into the gain ROM.
static int put_halves(struct builder *b, const int16_t *value, int n)
{
    int vec = b->g->vec, first = grow(b, HW_ROM_GAIN, n / vec);
    for (int i = 0; first >= 0 && i < n; i++)
        put(&b->plan->rom[HW_ROM_GAIN], first + i / vec, i % vec * 16, 16, (uint16_t)value[i]);
    return first;
}

static int put_gains(struct builder *b, const struct hw_qnorm *norm, int n)
{
    return put_halves(b, norm->gain, n);
}

static bool put_rope(struct builder *b)
{
    const struct hw_rope *r = &b->q->rope;
    int half = b->q->config.head_dim / 2, n_lo = 1 << r->lo_bits;
    if (grow(b, HW_ROM_ROPE_HI, r->n_hi * half) < 0 || grow(b, HW_ROM_ROPE_LO, n_lo * half) < 0)
        return false;
    for (int i = 0; i < r->n_hi * half; i++)
        put(&b->plan->rom[HW_ROM_ROPE_HI], i, 0, 32,
            (uint16_t)r->hi_cos[i] | (uint32_t)(uint16_t)r->hi_sin[i] << 16);
    for (int i = 0; i < n_lo * half; i++)
        put(&b->plan->rom[HW_ROM_ROPE_LO], i, 0, 32,
            (uint16_t)r->lo_cos[i] | (uint32_t)(uint16_t)r->lo_sin[i] << 16);
    return true;
}

// --- program

static uint8_t *program_word(struct hw_plan *p, int at)
{
    return p->rom[HW_ROM_PROGRAM].data + (size_t)at * HW_INSN_BYTES;
}

static bool add(struct builder *b, struct hw_insn insn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool add(struct builder *b, struct hw_insn insn, const char *format, ...)
{
    struct hw_plan *p = b->plan;
    struct hw_insn *program = realloc(p->program, (size_t)(p->n_insns + 1) * sizeof *program);
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (program)
        p->program = program;
    insn.name = strdup(name);
    if (!program || !insn.name)
        return hw_fail(b->err, "plan: out of memory");
    p->program[p->n_insns++] = insn;
    int at = grow(b, HW_ROM_PROGRAM, 1);
    return at >= 0 && hw_insn_encode(&insn, program_word(p, at), b->err);
}

// A norm over n elements, into a region.
static bool add_norm(struct builder *b, const struct hw_qnorm *norm, int n, enum hw_region region,
                     bool sample_only, const char *name)
{
    const struct hw_insn insn = {.op = HW_OP_NORM,
                                 .sample_only = sample_only,
                                 .norm = {.target = (int)region,
                                          .gain_shift = norm->shift,
                                          .eps = (uint32_t)norm->eps_ss,
                                          .elements = n,
                                          .gain = put_gains(b, norm, n)}};
    return insn.norm.gain >= 0 && add(b, insn, "%s", name);
}

// What becomes of a matrix's rows, and what it reads.
struct route {
    enum hw_dest dest;
    enum hw_region region;
    int hidden_shift;
    bool sample_only;
};

static bool add_matvec(struct builder *b, const struct hw_qmatrix *m, int rows,
                       struct rom_address at, struct route route, const char *name)
{
    int cols = b->g->cols, chunks = (m->n_in + cols - 1) / cols;
    const struct hw_insn insn = {.op = HW_OP_MATVEC,
                                 .sample_only = route.sample_only,
                                 .matvec = {.dest = (int)route.dest,
                                            .source = (int)route.region,
                                            .hidden_shift = route.hidden_shift,
                                            .rows = rows,
                                            .planes = m->n_planes,
                                            .shift = m->shift,
                                            .weight = at.weight,
                                            .chunks = chunks,
                                            .last_cols = m->n_in - (chunks - 1) * cols,
                                            .scale = at.scale,
                                            .level = at.level}};
    return add(b, insn, "%s", name);
}

// A whole matrix: contents and instruction.
static bool add_matrix(struct builder *b, const struct hw_qmatrix *m, struct route route,
                       const char *name)
{
    struct rom_address at;
    return put_matrix(b, name, m, 0, m->n_out, &at) && add_matvec(b, m, m->n_out, at, route, name);
}

// Biases of a layer, in the order in which rows leave: first word in the gain ROM, or -1.
static int put_biases(struct builder *b, int l)
{
    const struct hw_config *c = &b->q->config;
    int first = b->plan->rom[HW_ROM_GAIN].depth;
    for (int i = 0; i < HW_N_BIASES; i++) {
        const int16_t *bias = b->q->layers[l].bias[i];
        int n = hw_bias_length(c, (enum hw_bias_id)i);
        if (put_halves(b, bias, n) < 0)
            return -1;
    }
    return first;
}

// A slice that is fed K, Q and V gets them with their biases.
static bool attention_insn(struct builder *b, int l, bool fed)
{
    const struct hw_config *c = &b->q->config;
    const struct hw_qlayer *y = &b->q->layers[l];
    bool biased = c->qkv_bias && !fed;
    const struct hw_insn insn = {.op = HW_OP_ATTN,
                                 .attn = {.score_shift = y->score_shift,
                                          .att_shift = y->att_shift,
                                          .kv_row = hw_kv_rows(b->g, c, l),
                                          .heads = c->n_heads,
                                          .group_heads = c->n_heads / c->n_kv_heads,
                                          .kv_heads = c->n_kv_heads,
                                          .kv_step = hw_kv_step(b->g, c, l),
                                          .window = c->windowed[l] ? c->window : 0,
                                          .biased = biased,
                                          .bias = biased ? put_biases(b, l) : 0}};
    return insn.attn.bias >= 0 && add(b, insn, "layers.%d.attention", l);
}

// Norms over the heads of K and Q: their gains lie side by side.
static bool head_norms_insn(struct builder *b, int l)
{
    const struct hw_qlayer *y = &b->q->layers[l];
    int head_dim = b->q->config.head_dim, gain = put_gains(b, &y->k_norm, head_dim);
    const struct hw_insn insn = {.op = HW_OP_HEADS,
                                 .heads = {.k_shift = y->k_norm.shift,
                                           .q_shift = y->q_norm.shift,
                                           .k_eps = (uint32_t)y->k_norm.eps_ss,
                                           .q_eps = (uint32_t)y->q_norm.eps_ss,
                                           .gain = gain}};
    return gain >= 0 && put_gains(b, &y->q_norm, head_dim) >= 0 &&
           add(b, insn, "layers.%d.attention.head_norms", l);
}

// Where a matrix's rows go and what it reads; of a norm, the region it writes.
#define MATRIX_ROUTE(member, name, rows, columns, tensor, tap, to, from)                           \
    {.dest = HW_DST_##to, .region = HW_REGION_##from},
#define NORM_REGION(member, name, elements, where, tensor, region) HW_REGION_##region,
static const struct route matrix_route[HW_N_MATRICES] = {HW_LAYER_MATRICES(MATRIX_ROUTE)};
enum { HW_REGION_NONE = -1 }; // of a norm that is no instruction of its own
static const int norm_region[HW_N_NORMS] = {HW_LAYER_NORMS(NORM_REGION)};

enum hw_region hw_matrix_region(enum hw_matrix_id matrix)
{
    return matrix_route[matrix].region;
}

static struct route route_of(const struct hw_qlayer *y, enum hw_matrix_id id)
{
    struct route route = matrix_route[id];
    if (route.dest == HW_DST_HIDDEN)
        route.hidden_shift = y->hidden_shift;
    return route;
}

static bool layer_step(struct builder *b, int l, const struct hw_step *step)
{
    const struct hw_config *c = &b->q->config;
    const struct hw_qlayer *y = &b->q->layers[l];
    char name[64];
    switch (step->kind) {
    case HW_STEP_ATTENTION:
        return attention_insn(b, l, false);
    case HW_STEP_HEAD_NORMS:
        return head_norms_insn(b, l);
    case HW_STEP_NORM:
        snprintf(name, sizeof name, "layers.%d.%s", l, hw_norm_row[step->id].name);
        return add_norm(b, &y->norm[step->id], hw_length(c, hw_norm_row[step->id].n),
                        (enum hw_region)norm_region[step->id], false, name);
    case HW_STEP_MATRIX:
        snprintf(name, sizeof name, "layers.%d.%s", l, hw_matrix_row[step->id].name);
        return add_matrix(b, &y->matrix[step->id], route_of(y, (enum hw_matrix_id)step->id), name);
    }
    return false;
}

static bool add_layer(struct builder *b, int l)
{
    for (int i = 0; i < HW_N_STEPS; i++) {
        if (hw_step_exists(&b->q->config, &hw_step[i]) && !layer_step(b, l, &hw_step[i]))
            return false;
    }
    return true;
}

static bool add_end(struct builder *b)
{
    const struct hw_config *c = &b->q->config;
    const struct hw_insn insn = {.op = HW_OP_END,
                                 .end = {.positions = c->seq_len, .ring = c->window}};
    return add(b, insn, "end");
}

// A table that is also the classifier comes first in the ROMs, one that is not, last.
static bool add_chip(struct builder *b)
{
    const struct hw_qmodel *q = b->q;
    const struct hw_qmatrix *e = &q->embed;
    const bool tied = q->config.tied;
    struct rom_address at = {0};
    int chunks = (e->n_in + b->g->cols - 1) / b->g->cols;
    struct hw_insn insn = {.op = HW_OP_EMBED,
                           .embed = {.planes = e->n_planes,
                                     .shift = q->embed_shift,
                                     .dim = e->n_in,
                                     .chunks = chunks,
                                     .block_words = chunks * e->n_planes,
                                     .vocab = e->n_out}};
    if ((tied && !put_matrix(b, "tok_embeddings", e, 0, e->n_out, &at)) ||
        !add(b, insn, "tok_embeddings"))
        return false;
    for (int l = 0; l < q->config.n_layers; l++) {
        if (!add_layer(b, l))
            return false;
    }
    const struct route logits = {.dest = HW_DST_LOGITS, .sample_only = true};
    if (!add_norm(b, &q->final_norm, q->config.dim, HW_REGION_X, true, "norm") ||
        !(tied ? add_matvec(b, e, e->n_out, at, logits, "output")
               : add_matrix(b, &q->head, logits, "output") &&
                     put_matrix(b, "tok_embeddings", e, 0, e->n_out, &at)))
        return false;
    struct hw_insn *embed = &b->plan->program[0]; // the address of its table is known only now
    embed->embed.weight = at.weight;
    embed->embed.scale = at.scale;
    embed->embed.level = at.level;
    return hw_insn_encode(embed, program_word(b->plan, 0), b->err) && add_end(b);
}

// --- slices

static bool add_recv(struct builder *b, enum hw_dest dest, enum hw_region region, int rows,
                     int hidden_shift)
{
    const struct hw_insn insn = {
        .op = HW_OP_RECV,
        .recv = {
            .dest = (int)dest, .target = (int)region, .hidden_shift = hidden_shift, .rows = rows}};
    return add(b, insn, "recv");
}

// Finds a matrix by name, and what it reads.
static const struct hw_qmatrix *find_matrix(const struct hw_qmodel *q, const char *name,
                                            struct route *route)
{
    int l, used = 0;
    if (strcmp(name, "output") == 0) {
        *route = (struct route){.dest = HW_DST_LOGITS};
        return hw_classifier(q);
    }
    if (sscanf(name, "layers.%d.%n", &l, &used) != 1 || used == 0 || l < 0 ||
        l >= q->config.n_layers)
        return NULL;
    enum hw_matrix_id id = hw_matrix_find(name + used);
    if (id == HW_N_MATRICES)
        return NULL;
    *route = route_of(&q->layers[l], id);
    return &q->layers[l].matrix[id];
}

// Whether a name of `used` characters is all of spec, or what sscanf took after it, up to `end` (0:
// nothing).
static bool all_taken(const char *spec, int used, int end)
{
    return spec[used] == '\0' || (end > 0 && spec[end] == '\0');
}

static bool no_matrix(struct builder *b, const char *name)
{
    char names[48 * HW_N_MATRICES] = "";
    for (int i = 0, used = 0; i < HW_N_MATRICES; i++)
        used += snprintf(names + used, sizeof names - (size_t)used, "layers.N.%s, ",
                         hw_matrix_row[i].name);
    return hw_fail(b->err, "slice: matrix: no tensor '%s' (expected %sor output)", name, names);
}

// matrix:NAME or matrix:NAME:first-last. Rows come out raw, as logits do, so that any range of any
// matrix can be looked at.
static bool matrix_slice(struct builder *b, const char *spec)
{
    char name[64] = "";
    int first = 0, last = -1, used = 0, end_of_rows = 0;
    struct route route;
    if (sscanf(spec, "%63[^:]%n:%d-%d%n", name, &used, &first, &last, &end_of_rows) < 1 ||
        !all_taken(spec, used, end_of_rows))
        return hw_fail(b->err, "slice: matrix: expected NAME or NAME:first-last, got '%s'", spec);
    const struct hw_qmatrix *m = find_matrix(b->q, name, &route);
    if (!m)
        return no_matrix(b, name);
    if (spec[used] == '\0')
        last = m->n_out;
    if (first < 0 || first >= last || last > m->n_out)
        return hw_fail(b->err, "slice: %s: expected rows within 0-%d, got %d-%d", name, m->n_out,
                       first, last);
    struct rom_address at;
    route = (struct route){.dest = HW_DST_LOGITS, .region = route.region};
    return add_recv(b, HW_DST_ACT, route.region, m->n_in, 0) &&
           put_matrix(b, name, m, first, last, &at) &&
           add_matvec(b, m, last - first, at, route, name) && add_end(b);
}

static bool operator_slice(struct builder *b, const char *spec)
{
    const struct hw_config *c = &b->q->config;
    char op[16] = "";
    int l = 0, used = 0, end_of_layer = 0;
    if (sscanf(spec, "%15[^:]%n:%d%n", op, &used, &l, &end_of_layer) < 1 ||
        !all_taken(spec, used, end_of_layer))
        return hw_fail(b->err, "slice: op: expected NAME or NAME:N, got '%s'", spec);
    if (l < 0 || l >= c->n_layers)
        return hw_fail(b->err, "slice: %s: expected a layer in 0-%d, got %d", op, c->n_layers - 1,
                       l);
    int kv_dim = c->n_kv_heads * c->head_dim, q_dim = c->n_heads * c->head_dim;
    const struct hw_qlayer *y = &b->q->layers[l];
    if (strcmp(op, "rmsnorm") == 0)
        return add_recv(b, HW_DST_INIT, 0, c->dim, 0) &&
               add_norm(b, &y->attn_norm, c->dim, HW_REGION_X, false, "attention_norm") &&
               add_end(b);
    if (strcmp(op, "attention") == 0)
        return (!c->qk_norm || head_norms_insn(b, l)) && attention_insn(b, l, true) &&
               add_recv(b, HW_DST_K, 0, kv_dim, 0) && add_recv(b, HW_DST_Q, 0, q_dim, 0) &&
               add_recv(b, HW_DST_V, 0, kv_dim, 0) && add_end(b);
    if (strcmp(op, "swiglu") == 0)
        return add_recv(b, HW_DST_HIDDEN, 0, 2 * c->hidden_dim, y->hidden_shift) && add_end(b);
    if (strcmp(op, "argmax") == 0)
        return add_recv(b, HW_DST_LOGITS, 0, c->vocab_size, 0) && add_end(b);
    return hw_fail(b->err, "slice: op: expected rmsnorm, attention, swiglu or argmax, got '%s'",
                   op);
}

static bool slice(struct builder *b, const char *name)
{
    int l, used = 0;
    if (strcmp(name, "chip") == 0)
        return add_chip(b);
    if (strncmp(name, "matrix:", 7) == 0)
        return matrix_slice(b, name + 7);
    if (strncmp(name, "op:", 3) == 0)
        return operator_slice(b, name + 3);
    if (sscanf(name, "layer:%d%n", &l, &used) == 1 && name[used] == '\0' && l >= 0 &&
        l < b->q->config.n_layers)
        return add_recv(b, HW_DST_INIT, 0, b->q->config.dim, 0) && add_layer(b, l) && add_end(b);
    return hw_fail(b->err,
                   "slice: expected chip, layer:N, matrix:NAME[:first-last] or op:NAME:N, "
                   "got '%s'",
                   name);
}

bool hw_plan_make(struct hw_plan *plan, const struct hw_qmodel *q, const struct hw_geometry *g,
                  const char *name, struct hw_error *err)
{
    memset(plan, 0, sizeof *plan);
    plan->model = q;
    plan->geometry = *g;
    int half_bits = hw_log2_up(g->head_dim / 2);
    const struct {
        const char *name;
        int width, addr_bits;
        long capacity;
    } rom[HW_N_ROMS] = {
        [HW_ROM_WEIGHT] = {"weight", g->rows * g->cols * g->code_bits, g->weight_addr_bits,
                           g->weight_words},
        [HW_ROM_SCALE] = {"scale", g->vec * 12, g->scale_addr_bits, g->scale_words},
        [HW_ROM_LEVEL] = {"level", 8 << g->code_bits, g->level_addr_bits, g->level_words},
        [HW_ROM_GAIN] = {"gain", g->vec * 16, g->gain_addr_bits, g->gain_words},
        [HW_ROM_ROPE_HI] = {"rope_hi", 32, g->rope_hi_bits + half_bits,
                            (long)g->rope_hi_rows << half_bits},
        [HW_ROM_ROPE_LO] = {"rope_lo", 32, g->rope_lo_bits + half_bits,
                            1L << (g->rope_lo_bits + half_bits)},
        [HW_ROM_PROGRAM] = {"program", HW_INSN_BITS, g->prog_addr_bits, g->prog_words},
    };
    for (int i = 0; i < HW_N_ROMS; i++)
        plan->rom[i] =
            (struct hw_rom){rom[i].name, rom[i].width, rom[i].addr_bits, 0, NULL, rom[i].capacity};

    struct builder b = {plan, q, g, err};
    if (put_rope(&b) && slice(&b, name) && hw_program_check(plan, err))
        return true;
    hw_plan_free(plan);
    return false;
}

void hw_plan_free(struct hw_plan *plan)
{
    for (int i = 0; i < plan->n_insns; i++)
        free(plan->program[i].name);
    for (int i = 0; i < HW_N_ROMS; i++)
        free(plan->rom[i].data);
    free(plan->program);
    free(plan->range);
    memset(plan, 0, sizeof *plan);
}
