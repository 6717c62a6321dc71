// SPDX-License-Identifier: Apache-2.0
// Owns the table of shapes and what each needs.
#include "gen/cost/shapes.h"

#include <math.h>
#include <string.h>

#include "gen/chip/cycles.h"
#include "gen/chip/estimate.h"
#include "gen/qmodel/memory.h"
#include "gen/qmodel/synthetic.h"
#include "refmodel/arch.h"

static const struct hw_shape SHAPES[] = {
    {.name = "llama-3.1-8b",
     .title = "Llama 3.1 8B",
     .source = "config.json of meta-llama/Llama-3.1-8B",
     .dim = 4096,
     .hidden_dim = 14336,
     .n_layers = 32,
     .n_heads = 32,
     .n_kv_heads = 8,
     .head_dim = 128,
     .vocab_size = 128256,
     .seq_len = 131072},
    {.name = "llama-3.1-70b",
     .title = "Llama 3.1 70B",
     .source = "config.json of meta-llama/Llama-3.1-70B",
     .dim = 8192,
     .hidden_dim = 28672,
     .n_layers = 80,
     .n_heads = 64,
     .n_kv_heads = 8,
     .head_dim = 128,
     .vocab_size = 128256,
     .seq_len = 131072},
    {.name = "llama-3.2-1b",
     .title = "Llama 3.2 1B",
     .source = "config.json of meta-llama/Llama-3.2-1B",
     .dim = 2048,
     .hidden_dim = 8192,
     .n_layers = 16,
     .n_heads = 32,
     .n_kv_heads = 8,
     .head_dim = 64,
     .vocab_size = 128256,
     .seq_len = 131072,
     .tied = true},
    {.name = "llama-3.2-3b",
     .title = "Llama 3.2 3B",
     .source = "config.json of meta-llama/Llama-3.2-3B",
     .dim = 3072,
     .hidden_dim = 8192,
     .n_layers = 28,
     .n_heads = 24,
     .n_kv_heads = 8,
     .head_dim = 128,
     .vocab_size = 128256,
     .seq_len = 131072,
     .tied = true},
    {.name = "mistral-7b",
     .title = "Mistral 7B v0.1",
     .source = "config.json of mistralai/Mistral-7B-v0.1",
     .dim = 4096,
     .hidden_dim = 14336,
     .n_layers = 32,
     .n_heads = 32,
     .n_kv_heads = 8,
     .head_dim = 128,
     .vocab_size = 32000,
     .seq_len = 32768,
     .window = 4096,
     .windowed_layers = 32},
    {.name = "qwen2.5-7b",
     .title = "Qwen2.5 7B",
     .source = "config.json of Qwen/Qwen2.5-7B",
     .dim = 3584,
     .hidden_dim = 18944,
     .n_layers = 28,
     .n_heads = 28,
     .n_kv_heads = 4,
     .head_dim = 128,
     .vocab_size = 152064,
     .qkv_bias = true,
     .seq_len = 131072},
    {.name = "qwen3-8b",
     .title = "Qwen3 8B",
     .source = "config.json of Qwen/Qwen3-8B",
     .dim = 4096,
     .hidden_dim = 12288,
     .n_layers = 36,
     .n_heads = 32,
     .n_kv_heads = 8,
     .head_dim = 128,
     .vocab_size = 151936,
     .qk_norm = true,
     .seq_len = 40960},
    {.name = "qwen3-30b-a3b",
     .title = "Qwen3 30B-A3B",
     .source = "config.json of Qwen/Qwen3-30B-A3B",
     .dim = 2048,
     .hidden_dim = 6144,
     .n_layers = 48,
     .n_heads = 32,
     .n_kv_heads = 4,
     .head_dim = 128,
     .vocab_size = 151936,
     .qk_norm = true,
     .seq_len = 40960,
     .n_experts = 128,
     .n_used = 8,
     .expert_dim = 768},
    {.name = "gpt-oss-120b",
     .title = "gpt-oss 120B",
     .source = "config.json of openai/gpt-oss-120b",
     .dim = 2880,
     .hidden_dim = 2880,
     .n_layers = 36,
     .n_heads = 64,
     .n_kv_heads = 8,
     .head_dim = 64,
     .vocab_size = 201088,
     .seq_len = 131072,
     .window = 128,
     .windowed_layers = 18,
     .n_experts = 128,
     .n_used = 4,
     .expert_dim = 2880},
    {.name = "bitnet-2b",
     .title = "BitNet b1.58 2B",
     .source = "config.json of microsoft/bitnet-b1.58-2B-4T",
     .dim = 2560,
     .hidden_dim = 6912,
     .n_layers = 30,
     .n_heads = 20,
     .n_kv_heads = 5,
     .head_dim = 128,
     .vocab_size = 128256,
     .seq_len = 4096,
     .tied = true},
    {.name = "smollm2-135m",
     .title = "SmolLM2 135M",
     .source = "config.json of HuggingFaceTB/SmolLM2-135M",
     .dim = 576,
     .hidden_dim = 1536,
     .n_layers = 30,
     .n_heads = 9,
     .n_kv_heads = 3,
     .head_dim = 64,
     .vocab_size = 49152,
     .seq_len = 8192,
     .tied = true},
    {.name = "deepseek-r1",
     .title = "DeepSeek R1 671B",
     .source = "config.json of deepseek-ai/DeepSeek-R1",
     .dim = 7168,
     .hidden_dim = 18432,
     .n_layers = 61,
     .n_heads = 128,
     .n_kv_heads = 128,
     .head_dim = 128,
     .vocab_size = 129280,
     .seq_len = 163840,
     .n_experts = 256,
     .n_used = 8,
     .n_shared = 1,
     .expert_dim = 2048,
     .dense_layers = 3,
     .q_rank = 1536,
     .kv_rank = 512,
     .rope_dim = 64,
     .v_dim = 128},
};
enum { N_SHAPES = sizeof SHAPES / sizeof SHAPES[0] };

const struct hw_shape *hw_shape_at(int i)
{
    return i >= 0 && i < N_SHAPES ? &SHAPES[i] : NULL;
}

const struct hw_shape *hw_shape_find(const char *name)
{
    for (int i = 0; i < N_SHAPES; i++) {
        if (strcmp(SHAPES[i].name, name) == 0)
            return &SHAPES[i];
    }
    return NULL;
}

// --- the matrices of a shape

static struct hw_config config_of(const struct hw_shape *s, int context)
{
    struct hw_config c = {.dim = s->dim,
                          .hidden_dim = s->hidden_dim,
                          .n_layers = s->n_layers,
                          .n_heads = s->n_heads,
                          .n_kv_heads = s->n_kv_heads,
                          .head_dim = s->head_dim,
                          .vocab_size = s->vocab_size,
                          .seq_len = context,
                          .bos = 1,
                          .tied = s->tied,
                          .qkv_bias = s->qkv_bias,
                          .qk_norm = s->qk_norm,
                          .rope_base = 5e5,
                          .norm_eps = 1e-5};
    c.window = s->window < context ? s->window : 0;
    for (int l = 0; c.window && l < s->windowed_layers; l++)
        c.windowed[l] = true;
    return c;
}

struct matrix {
    const char *kind;
    double out, in;      // rows and columns
    double stored, used; // how many there are, and how many a token visits
    bool wide;           // has wide_bits
    bool looked_up;      // one row is read
};
typedef void each_matrix(void *user, const struct matrix *m);

static bool of_feed_forward(const struct hw_matrix_row *row)
{
    return row->n_out == HW_LENGTH_GATE_UP || row->n_in == HW_LENGTH_HIDDEN;
}

// Matrices of a layer as arch.h describes it, `layers` times: of its FFN, or the others.
static void dense_matrices(const struct hw_shape *s, bool feed_forward, double layers,
                           each_matrix *each, void *user)
{
    const struct hw_config c = config_of(s, s->seq_len);
    for (int i = 0; i < HW_N_MATRICES; i++) {
        const struct hw_matrix_row *row = &hw_matrix_row[i];
        if (of_feed_forward(row) != feed_forward)
            continue;
        const struct matrix m = {.kind = strrchr(row->name, '.') + 1,
                                 .out = hw_length(&c, row->n_out),
                                 .in = hw_length(&c, row->n_in),
                                 .stored = layers,
                                 .used = layers,
                                 .wide = hw_synthetic_is_wide((enum hw_matrix_id)i)};
        each(user, &m);
    }
}

// Of latent attention, which the generator does not build.
static void latent_matrices(const struct hw_shape *s, each_matrix *each, void *user)
{
    double n = s->n_layers, dim = s->dim, heads = s->n_heads, rank = s->kv_rank;
    const struct matrix m[] = {
        {"q, down", s->q_rank, dim, n, n, false, false},
        {"q, up", heads * (s->head_dim + s->rope_dim), s->q_rank, n, n, false, false},
        {"kv, down", rank + s->rope_dim, dim, n, n, true, false},
        // into the space of the latent cache and out of it
        {"kv, up", heads * (s->head_dim + s->v_dim), rank, n, n, false, false},
        {"wo", dim, heads * s->v_dim, n, n, false, false},
    };
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        each(user, &m[i]);
}

// Of the layers whose FFN is a mixture of experts.
static void expert_matrices(const struct hw_shape *s, each_matrix *each, void *user)
{
    double dim = s->dim, width = s->expert_dim, sparse = s->n_layers - s->dense_layers;
    double stored = sparse * (s->n_experts + s->n_shared);
    double used = sparse * (s->n_used + s->n_shared);
    const struct matrix m[] = {
        {"experts: gate, up", 2.0 * width, dim, stored, used, false, false},
        {"experts: down", dim, width, stored, used, false, false},
        {"router", s->n_experts, dim, sparse, sparse, true, false},
    };
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        each(user, &m[i]);
}

static void all_matrices(const struct hw_shape *s, each_matrix *each, void *user)
{
    const struct matrix head = {"classifier", s->vocab_size, s->dim, 1, 1, true, false};
    const struct matrix embedding = {"embedding", s->vocab_size, s->dim, 1, 1, true, true};
    int dense = s->n_experts ? s->dense_layers : s->n_layers;
    if (s->kv_rank)
        latent_matrices(s, each, user);
    else
        dense_matrices(s, false, s->n_layers, each, user);
    dense_matrices(s, true, dense, each, user);
    if (s->n_experts)
        expert_matrices(s, each, user);
    each(user, &head);
    if (!s->tied)
        each(user, &embedding);
}

static void add_weights(void *user, const struct matrix *m)
{
    double *sum = user; // all, used
    sum[0] += m->stored * m->out * m->in;
    sum[1] += m->looked_up ? m->in : m->used * m->out * m->in;
}

void hw_shape_weights(const struct hw_shape *s, double *all, double *used)
{
    double sum[2] = {0.0, 0.0};
    all_matrices(s, add_weights, sum);
    *all = sum[0];
    *used = sum[1];
}

// --- counted

struct counted {
    const struct hw_bits *bits;
    const struct hw_geometry *g;
    double words, busy; // of the weight ROM; those that a token reads
};

static void add_words(void *user, const struct matrix *m)
{
    struct counted *c = user;
    int bits = m->wide ? c->bits->wide_bits : c->bits->bits;
    int planes = (bits + c->bits->code_bits - 1) / c->bits->code_bits;
    double words = ceil(m->out / c->g->rows) * ceil(m->in / c->g->cols) * planes;
    c->words += m->stored * words;
    c->busy += m->looked_up ? ceil(m->in / c->g->vec) * planes : m->used * words;
}

// Bits a position of the KV cache of one user holds.
static double kv_bits_of(const struct hw_shape *s, int kv_bits)
{
    double each = s->kv_rank ? s->kv_rank + s->rope_dim : 2.0 * s->n_kv_heads * s->head_dim;
    return each * s->n_layers * kv_bits;
}

// Clocks of a token's attention beyond those at position 0, where n positions are behind it: one a
// head and group of positions.
static double attention_of(const struct hw_shape *s, const struct hw_geometry *g, double n)
{
    double windowed = s->window ? s->windowed_layers : 0.0;
    double all = ceil(n / g->att_pos) - 1.0;
    double kept = ceil(fmin(n, s->window) / g->att_pos) - 1.0;
    return s->n_heads * ((s->n_layers - windowed) * all + windowed * kept);
}

static double widest_of(const struct hw_shape *s)
{
    double q = (double)s->n_heads * s->head_dim;
    return fmax(fmax(s->dim, s->hidden_dim), q);
}

void hw_load_counted(const struct hw_shape *s, const struct hw_bits *b, int context,
                     const struct hw_geometry *g, struct hw_load *load)
{
    struct counted c = {.bits = b, .g = g};
    double all, used;
    double width = s->kv_rank ? s->kv_rank + s->rope_dim : s->head_dim; // of a key
    hw_shape_weights(s, &all, &used);
    all_matrices(s, add_words, &c);
    double lanes = (double)g->rows * g->cols, layers = s->n_layers;
    double first = c.busy + layers * (HW_COUNTED_LAYER + HW_COUNTED_VECTOR * s->dim / g->vec);
    *load = (struct hw_load){
        .weights = all,
        .active_weights = used,
        .rom_bits = c.words * lanes * b->code_bits,
        .rom_words = c.words,
        .other_rom_bits = 16.0 * (layers * 2 * s->dim + all / s->dim),
        .rom_bits_token = c.busy * lanes * b->code_bits,
        .rows = g->rows,
        .cols = g->cols,
        .vec = g->vec,
        .att = g->att_pos * width,
        .code_bits = b->code_bits,
        .act_bits = b->act_bits,
        .context = context,
        .cycles_first = first,
        .cycles_last = first + attention_of(s, g, context),
        .busy = c.busy,
        .kv_bits_position = kv_bits_of(s, b->kv_bits),
        .window = s->window,
        .kv_bits_windowed = kv_bits_of(s, b->kv_bits) * s->windowed_layers / layers,
        .buffer_bits = 30.0 * widest_of(s) + 80.0 * context,
        .hop_bits = (double)s->dim * 16,
        .layers = s->n_layers,
        .users = 1,
        .mean_share = 0.5,
        .volume = 1000,
    };
}

// --- by the generator's plan

void hw_load_of_plan(const struct hw_plan *plan, struct hw_load *load)
{
    const struct hw_geometry *g = &plan->geometry;
    const struct hw_config *c = &plan->model->config;
    const struct hw_rom *weight = &plan->rom[HW_ROM_WEIGHT];
    struct hw_cycle_count first = hw_cycles(plan, 0, true);
    struct hw_cycle_count last = c->seq_len > 1 ? hw_cycles(plan, c->seq_len - 1, true) : first;
    struct hw_sram sram = hw_sram(g);
    *load = (struct hw_load){
        .rom_bits = (double)weight->width * weight->depth,
        .rom_words = weight->depth,
        .rom_bits_token = (double)weight->width * (double)first.array_busy,
        .rows = g->rows,
        .cols = g->cols,
        .vec = g->vec,
        .att = (double)g->att_pos * g->head_dim,
        .code_bits = g->code_bits,
        .act_bits = g->act_bits,
        .context = c->seq_len,
        .cycles_first = (double)first.token,
        .cycles_last = (double)last.token,
        .busy = (double)first.array_busy,
        .kv_bits_position = 2.0 * c->n_layers * c->n_kv_heads * c->head_dim * g->kv_bits,
        .buffer_bits = (double)sram.buffers,
        .hop_bits = (double)c->dim * g->res_bits,
        .layers = c->n_layers,
        .users = 1,
        .mean_share = 0.5,
        .volume = 1000,
    };
    for (int i = 0; i < HW_N_ROMS; i++) {
        if (i != HW_ROM_WEIGHT)
            load->other_rom_bits += (double)plan->rom[i].width * plan->rom[i].depth;
    }
    if (c->window) {
        load->window = c->window;
        for (int l = 0; l < c->n_layers; l++)
            load->kv_bits_windowed += c->windowed[l] ? load->kv_bits_position / c->n_layers : 0.0;
    }
    for (int i = 0; i < plan->n_ranges; i++)
        load->weights += (double)plan->range[i].n_rows * plan->range[i].n_in;
    load->active_weights = load->weights;
    if (!c->tied)
        load->active_weights -= ((double)c->vocab_size - 1.0) * c->dim;
}

bool hw_shape_is_exact(const struct hw_shape *s, const struct hw_bits *b, int context,
                       const struct hw_geometry *g)
{
    const double most = 4e6; // clocks of a token
    struct hw_load load;
    hw_load_counted(s, b, context, g, &load);
    return !s->n_experts && !s->kv_rank && load.cycles_last < most;
}

bool hw_shape_plan(const struct hw_shape *s, const struct hw_bits *b, int context,
                   const struct hw_geometry *g, struct hw_qmodel *q, struct hw_plan *plan,
                   struct hw_error *err)
{
    struct hw_widths widths = {b->code_bits, b->act_bits, b->kv_bits, 20};
    struct hw_config c = config_of(s, context);
    struct hw_geometry fit = *g;
    if (!hw_qmodel_synthetic(&c, &widths, b->bits, b->wide_bits, q, err))
        return false;
    if (hw_geometry_fit(&fit, q, err) && hw_plan_make(plan, q, &fit, "chip", err))
        return true;
    hw_qmodel_free(q);
    return false;
}

bool hw_load_of_shape(const struct hw_shape *s, const struct hw_bits *b, int context,
                      const struct hw_geometry *g, struct hw_load *load, bool *exact,
                      struct hw_error *err)
{
    struct hw_qmodel q;
    struct hw_plan plan;
    *exact = hw_shape_is_exact(s, b, context, g);
    hw_load_counted(s, b, context, g, load);
    if (!*exact)
        return true;
    if (!hw_shape_plan(s, b, context, g, &q, &plan, err))
        return false;
    hw_load_of_plan(&plan, load);
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return true;
}

struct kinds {
    struct counted counted;
    hw_each_kind *each;
    void *user;
};

static void pass_kind(void *user, const struct matrix *m)
{
    struct kinds *k = user;
    const struct hw_bits *b = k->counted.bits;
    double before = k->counted.words, lanes = (double)k->counted.g->rows * k->counted.g->cols;
    int planes = ((m->wide ? b->wide_bits : b->bits) + b->code_bits - 1) / b->code_bits;
    add_words(&k->counted, m);
    double all = (k->counted.words - before) * lanes * b->code_bits;
    double own = m->stored * m->out * m->in * planes * b->code_bits;
    if (m->stored > 0)
        k->each(k->user, m->kind, own, all - own);
}

void hw_shape_kinds(const struct hw_shape *s, const struct hw_bits *b, const struct hw_geometry *g,
                    hw_each_kind *each, void *user)
{
    struct kinds k = {{.bits = b, .g = g}, each, user};
    all_matrices(s, pass_kind, &k);
}

// --- lanes

static int power_near(double x, int low, int high)
{
    int p = low;
    while (2 * p <= high && p * 1.4142 < x)
        p *= 2;
    return p;
}

void hw_shape_geometry(const struct hw_shape *s, const struct hw_bits *b, int context,
                       struct hw_geometry *g)
{
    const double clocks = 60000.0, most = 1 << 19; // two words in a bank of gen/chip/banks.h
    double all, used;
    int planes = (b->bits + b->code_bits - 1) / b->code_bits;
    hw_shape_weights(s, &all, &used);
    double lanes = fmin(used * planes / clocks, most); // of one chip
    if (!g->rows)
        g->rows = power_near(sqrt(lanes * 8.0), 32, 2048);
    if (!g->cols)
        g->cols = power_near(lanes / g->rows, 8, 512);
    int narrow = g->rows < g->cols ? g->rows : g->cols;
    for (int vec = narrow < 64 ? narrow : 64; !g->vec && vec >= 4; vec /= 2) {
        bool whole = s->dim % vec == 0 && s->n_kv_heads * s->head_dim % vec == 0 &&
                     (long)s->n_heads * s->head_dim % vec == 0;
        g->vec = whole || vec == 4 ? vec : 0;
    }
    double heads = (double)s->n_heads * s->n_layers; // a clock each and group of positions
    double width = s->kv_rank ? s->kv_rank + s->rope_dim : s->head_dim; // of a key
    double room = g->rows * (double)g->cols / 8 / width; // attention no larger than the array
    if (!g->att_pos)
        g->att_pos = power_near(fmin(heads * context / (clocks / 2), room), 16, context / 2);
}
