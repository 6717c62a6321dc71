// SPDX-License-Identifier: Apache-2.0
// Owns the geometry: which shapes of fabric exist, and the smallest one that holds a model.
#include <stddef.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/chip/geometry.h"
#include "gen/chip/isa.h"
#include "refmodel/limits.h"

static bool power_of_two(int x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

static int up(int x, int step)
{
    return (x + step - 1) / step * step;
}

// Address bits for n words, at least 1.
static int address_bits(long n)
{
    return n > 1 ? hw_log2_up(n) : 1;
}

static bool check_shape(const struct hw_geometry *g, const struct hw_config *c,
                        struct hw_error *err)
{
    const struct {
        const char *name;
        int value, least;
    } power[] = {{"vec", g->vec, 2}, {"att_pos", g->att_pos, 1}, {"head_dim", c->head_dim, 4}};
    for (size_t i = 0; i < sizeof power / sizeof power[0]; i++) {
        if (!power_of_two(power[i].value) || power[i].value < power[i].least)
            return hw_fail(err, "geometry: %s: expected a power of two from %d, got %d",
                           power[i].name, power[i].least, power[i].value);
    }
    const struct {
        const char *name;
        int value, max;
    } most[] = {{"rows", g->rows, HW_MAX_ROWS},
                {"cols", g->cols, HW_MAX_COLS},
                {"att_pos", g->att_pos, HW_MAX_ATT_POS}};
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        if (most[i].value > most[i].max)
            return hw_fail(err, "geometry: %s: expected at most %d, got %d", most[i].name,
                           most[i].max, most[i].value);
    }
    const struct {
        const char *name;
        int value;
    } lanes[] = {{"rows", g->rows}, {"cols", g->cols}};
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++) {
        if (lanes[i].value < g->vec || lanes[i].value % g->vec != 0)
            return hw_fail(err, "geometry: %s: expected a multiple of vec %d, got %d",
                           lanes[i].name, g->vec, lanes[i].value);
    }
    if (c->qk_norm && g->vec > c->head_dim)
        return hw_fail(err,
                       "geometry: vec: expected at most head_dim %d where heads pass a norm, "
                       "got %d",
                       c->head_dim, g->vec);
    if (c->qk_norm && c->qkv_bias) // both would read the gain ROM at once
        return hw_fail(err, "expected biases or norms of heads, got a model with both");
    const struct {
        const char *name;
        int value;
    } whole[] = {{"dim", c->dim},
                 {"n_heads * head_dim", c->n_heads * c->head_dim},
                 {"n_kv_heads * head_dim", c->n_kv_heads * c->head_dim}};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (whole[i].value % g->vec != 0)
            return hw_fail(err, "geometry: vec: %s is %d, expected a multiple of vec, got vec %d",
                           whole[i].name, whole[i].value, g->vec);
    }
    if (c->sub_norm && (c->hidden_dim % g->vec != 0 || c->hidden_dim > HW_MAX_DIM))
        return hw_fail(err,
                       "geometry: vec: hidden_dim is %d, expected a multiple of vec and at most "
                       "%d where a norm follows SwiGLU, got vec %d",
                       c->hidden_dim, HW_MAX_DIM, g->vec);
    return true;
}

static bool check_limits(const struct hw_config *c, struct hw_error *err)
{
    const struct {
        const char *name;
        int value, max;
    } limit[] = {{"n_layers", c->n_layers, HW_MAX_LAYERS},
                 {"n_heads", c->n_heads, HW_MAX_HEADS},
                 {"n_kv_heads", c->n_kv_heads, HW_MAX_HEADS},
                 {"head_dim", c->head_dim, HW_MAX_HEAD_DIM},
                 {"dim", c->dim, HW_MAX_DIM},
                 {"n_heads * head_dim", c->n_heads * c->head_dim, HW_MAX_Q_DIM},
                 {"hidden_dim", c->hidden_dim, HW_MAX_HIDDEN_DIM},
                 {"vocab_size", c->vocab_size, HW_MAX_VOCAB_SIZE}};
    for (size_t i = 0; i < sizeof limit / sizeof limit[0]; i++) {
        if (limit[i].value > limit[i].max)
            return hw_fail(err, "%s: expected at most %d, got %d", limit[i].name, limit[i].max,
                           limit[i].value);
    }
    if (c->vocab_size < HW_MIN_VOCAB_SIZE)
        return hw_fail(err, "vocab_size: expected at least %d, got %d", HW_MIN_VOCAB_SIZE,
                       c->vocab_size);
    if (c->seq_len > HW_MAX_SEQ_LEN)
        return hw_fail(err, "seq_len: expected at most %d, got %d: --ctx N bakes a shorter context",
                       HW_MAX_SEQ_LEN, c->seq_len);
    return c->norm_eps > 0.0 || hw_fail(err, "norm epsilon: expected a number above 0, got 0");
}

int hw_program_words(const struct hw_config *c)
{
    int words = 0;
    for (int i = 0; i < HW_N_STEPS; i++)
        words += hw_step_exists(c, &hw_step[i]);
    return words * c->n_layers + 4;
}

bool hw_geometry_holds(const struct hw_config *c, int *vec, struct hw_error *err)
{
    if (!check_limits(c, err))
        return false;
    for (*vec = 8; *vec > 4; *vec /= 2) {
        struct hw_error not_so_wide = {0};
        const struct hw_geometry g = {.rows = 32, .cols = 8, .vec = *vec, .att_pos = 16};
        if (check_shape(&g, c, &not_so_wide))
            return true;
    }
    const struct hw_geometry g = {.rows = 32, .cols = 8, .vec = *vec, .att_pos = 16};
    return check_shape(&g, c, err);
}

// A bank holds at least two words of every ROM.
static bool check_banks(const struct hw_geometry *g, struct hw_error *err)
{
    if (g->macro_words)
        return true; // of any width, by macros side by side
    long most = g->bank_bytes ? g->bank_bytes : HW_MOST_BANK_BYTES, vec = 2L * g->vec * 16;
    long lanes = 2L * g->rows * g->cols * g->code_bits, widest = lanes > vec ? lanes : vec;
    widest = widest > 2 * HW_INSN_BITS ? widest : 2 * HW_INSN_BITS; // the program's
    if (most > HW_MOST_BANK_BYTES || widest > 8 * most)
        return hw_fail(err,
                       "geometry: ROM bank: expected at least %ld bytes (two words) and at "
                       "most %d, got %ld",
                       (widest + 7) / 8, HW_MOST_BANK_BYTES, most);
    return true;
}

static bool two_numbers(const char *text, int *a, int *b)
{
    char after;
    return sscanf(text, "%9dx%9d%c", a, b, &after) == 2;
}

static const long MOST_MACRO_BITS = 8L * HW_MOST_BANK_BYTES; // of a ROM's

bool hw_rom_macro_holds(int words, int bits)
{
    return words >= HW_LEAST_MACRO_WORDS && bits >= HW_LEAST_MACRO_BITS &&
           (long)words * bits <= MOST_MACRO_BITS;
}

bool hw_ram_macro_holds(int words, int bits)
{
    return power_of_two(words) && words >= 2 && words <= HW_MOST_RAM_WORDS && bits >= 1 &&
           bits <= HW_MOST_RAM_BITS;
}

bool hw_rom_macro_parse(const char *text, struct hw_geometry *g, struct hw_error *err)
{
    if (two_numbers(text, &g->macro_words, &g->macro_bits) &&
        hw_rom_macro_holds(g->macro_words, g->macro_bits))
        return true;
    return hw_fail(err,
                   "--rom-macro: expected DEPTHxWIDTH, at least %dx%d (a function's table) and at "
                   "most %ld bits, got '%.40s'",
                   HW_LEAST_MACRO_WORDS, HW_LEAST_MACRO_BITS, MOST_MACRO_BITS, text);
}

bool hw_ram_macro_parse(const char *text, struct hw_geometry *g, struct hw_error *err)
{
    if (two_numbers(text, &g->ram_words, &g->ram_bits) &&
        hw_ram_macro_holds(g->ram_words, g->ram_bits))
        return true;
    return hw_fail(err,
                   "--ram-macro: expected DEPTHxWIDTH, a power of two in 2..%d by 1..%d bits, got "
                   "'%.40s'",
                   HW_MOST_RAM_WORDS, HW_MOST_RAM_BITS, text);
}

// --- lanes

static const char *const LANE_NAME[] = {
    [HW_LANE_SELECT] = "select", [HW_LANE_MULTIPLY] = "multiply"};

const char *hw_lane_name(enum hw_lane lane)
{
    return LANE_NAME[lane];
}

bool hw_lane_parse(const char *name, enum hw_lane *lane)
{
    for (int i = HW_LANE_SELECT; i <= HW_LANE_MULTIPLY; i++) {
        if (strcmp(name, LANE_NAME[i]) == 0) {
            *lane = (enum hw_lane)i;
            return true;
        }
    }
    return false;
}

bool hw_target_parse(const char *name, enum hw_target *target)
{
    static const char *const known[] = {[HW_TARGET_SIM] = "sim",
                                        [HW_TARGET_ICE40] = "ice40",
                                        [HW_TARGET_ECP5] = "ecp5",
                                        [HW_TARGET_XILINX] = "xilinx",
                                        [HW_TARGET_OSU018] = "osu018"};
    for (int i = HW_TARGET_SIM; i <= HW_TARGET_OSU018; i++) {
        if (strcmp(name, known[i]) == 0) {
            *target = (enum hw_target)i;
            return true;
        }
    }
    return false;
}

// What an array costs on a target, in LUTs (osu018: areas of a NAND2X1): a product that selecting
// lanes of a tile share, and a lane of either kind with 2-, 3- and 4-bit codes, in tiles of 8 and
// of 16 columns. By sim/lanes, 4 rows, 8-bit activations. A multiplier block counts as the LUTs of
// the product it stands for.
static const struct lane_cost {
    int product;
    struct {
        int select[3], multiply[3];
    } columns[2];
} LANE_COST[] = {
    [HW_TARGET_ICE40] = {182,
                         {{{57, 123, 235}, {220, 245, 293}}, {{55, 121, 237}, {218, 243, 289}}}},
    [HW_TARGET_ECP5] = {277,
                        {{{67, 147, 387}, {35 + 277, 59 + 277, 250 + 277}},
                         {{66, 146, 385}, {34 + 277, 58 + 277, 252 + 277}}}},
    [HW_TARGET_XILINX] = {166,
                          {{{37, 69, 108}, {21 + 166, 37 + 166, 56 + 166}},
                           {{35, 67, 105}, {19 + 166, 35 + 166, 54 + 166}}}},
    [HW_TARGET_OSU018] = {649,
                          {{{435, 512, 671}, {1015, 1071, 1197}},
                           {{419, 496, 658}, {994, 1054, 1177}}}},
};

// Products are shared by the rows of a tile: many rows favour selecting. In simulation it is the
// faster of the two.
static enum hw_lane choose_lane(const struct hw_geometry *g)
{
    const struct lane_cost *cost = &LANE_COST[g->target];
    int i = g->code_bits - 2, columns = g->cols >= 12; // the nearer of 8 and 16
    if (g->target == HW_TARGET_SIM)
        return HW_LANE_SELECT;
    long select = ((long)cost->product << g->code_bits) +
                  (long)g->tile_rows * cost->columns[columns].select[i];
    return select <= (long)g->tile_rows * cost->columns[columns].multiply[i] ? HW_LANE_SELECT
                                                                             : HW_LANE_MULTIPLY;
}

static long matrix_words(const struct hw_geometry *g, const struct hw_qmatrix *m)
{
    long blocks = (m->n_out + g->rows - 1) / g->rows, chunks = (m->n_in + g->cols - 1) / g->cols;
    return blocks * chunks * m->n_planes;
}

static long scale_words(const struct hw_geometry *g, const struct hw_qmatrix *m)
{
    return (m->n_out + g->vec - 1) / g->vec;
}

static bool fit_addresses(struct hw_geometry *g, const struct hw_qmodel *q, struct hw_error *err)
{
    const struct hw_config *c = &q->config;
    long words = matrix_words(g, &q->embed), scales = scale_words(g, &q->embed);
    long levels = q->embed.n_planes;
    if (!c->tied) {
        words += matrix_words(g, &q->head);
        scales += scale_words(g, &q->head);
        levels += q->head.n_planes;
    }
    for (int l = 0; l < c->n_layers; l++) {
        for (int i = 0; i < HW_N_MATRICES; i++) {
            const struct hw_qmatrix *m = &q->layers[l].matrix[i];
            words += matrix_words(g, m);
            scales += scale_words(g, m);
            levels += m->n_planes;
        }
    }
    if (words > HW_MAX_WEIGHT_WORDS)
        return hw_fail(err,
                       "geometry: weight ROM: expected at most %d words, got %ld: more --rows or "
                       "--cols make fewer of them",
                       HW_MAX_WEIGHT_WORDS, words);
    g->weight_words = (int)words;
    g->scale_words = (int)scales;
    g->level_words = (int)levels;
    g->gain_words = (int)((c->n_layers * hw_layer_gains(c) + c->dim) / g->vec);
    g->prog_words = hw_program_words(c);
    g->weight_addr_bits = address_bits(words);
    g->scale_addr_bits = address_bits(scales);
    g->level_addr_bits = address_bits(levels) < 2 ? 2 : address_bits(levels);
    g->gain_addr_bits = address_bits(g->gain_words);
    int widest = !c->sub_norm || g->max_dim > g->max_hidden ? g->max_dim : g->max_hidden;
    widest = c->sub_norm && g->max_q_dim > widest ? g->max_q_dim : widest;
    if (g->gain_addr_bits < address_bits(widest / g->vec)) // rmsnorm.v counts words in it
        g->gain_addr_bits = address_bits(widest / g->vec);
    g->prog_addr_bits = address_bits(g->prog_words);
    return true;
}

int hw_kv_step(const struct hw_geometry *g, const struct hw_config *c, int l)
{
    return (hw_positions_kept(c, l) + g->kv_ctx - 1) / g->kv_ctx;
}

int hw_kv_rows(const struct hw_geometry *g, const struct hw_config *c, int l)
{
    int rows = 0;
    while (l-- > 0)
        rows += c->n_kv_heads * hw_kv_step(g, c, l);
    return rows;
}

int hw_score_heads(const struct hw_geometry *g)
{
    enum { LEAST = 4, MOST = 16, WORDS = 512 };
    int heads = LEAST;
    while (heads < MOST && heads < g->max_q_dim / g->head_dim &&
           2L * heads * (g->ctx / g->att_pos) <= WORDS)
        heads *= 2;
    return heads;
}

// A row of the KV cache is as long as what the layer with the fewest positions keeps, unless a
// fabric says otherwise.
static void fit_cache(struct hw_geometry *g, const struct hw_config *c)
{
    bool given = g->kv_ctx != 0;
    int least = c->seq_len;
    for (int l = 0; l < c->n_layers; l++)
        least = hw_positions_kept(c, l) < least ? hw_positions_kept(c, l) : least;
    if (g->kv_ctx == 0)
        g->kv_ctx = 2 * g->att_pos;
    while (g->kv_ctx < least && !given)
        g->kv_ctx *= 2;
    int rows = hw_kv_rows(g, c, c->n_layers);
    g->kv_rows = rows < 2 ? 2 : rows;
}

bool hw_geometry_fit(struct hw_geometry *g, const struct hw_qmodel *q, struct hw_error *err)
{
    const struct hw_config *c = &q->config;
    g->rows = g->rows ? g->rows : 32;
    g->tile_rows = g->tile_rows ? g->tile_rows : g->rows;
    g->cols = g->cols ? g->cols : 8;
    g->vec = g->vec ? g->vec : 8;
    g->att_pos = g->att_pos ? g->att_pos : 16;
    if (g->rows % g->tile_rows != 0)
        return hw_fail(err, "geometry: tile rows, expected a divisor of %d rows, got %d", g->rows,
                       g->tile_rows);
    hw_latency_fill(&g->latency);
    if (!check_limits(c, err) || !check_shape(g, c, err))
        return false;
    int q_dim = c->n_heads * c->head_dim;
    int widest = c->hidden_dim > q_dim ? c->hidden_dim : q_dim;
    widest = c->dim > widest ? c->dim : widest;
    g->head_dim = c->head_dim;
    g->code_bits = q->widths.code_bits;
    g->act_bits = q->widths.act_bits;
    g->kv_bits = q->widths.kv_bits;
    if (g->lane == HW_LANE_ANY)
        g->lane = choose_lane(g);
    g->res_bits = q->widths.res_bits;
    g->sub_norm = c->sub_norm;
    g->qkv_bias = c->qkv_bias;
    g->qk_norm = c->qk_norm;
    g->window = c->window > 0;
    // |weight| <= 2^7 times |activation| <= 2^(act_bits - 1), up to `widest` times, and a sign;
    // an embedding enters as weight * 2^8. Lanes add all columns at once, also of a narrow matrix.
    widest = g->cols > widest ? g->cols : widest;
    g->acc_bits = 7 + g->act_bits - 1 + address_bits(widest + 1L) + 1;
    g->acc_bits = g->acc_bits < 24 ? 24 : g->acc_bits;
    g->ctx = 2 * g->att_pos;
    while (g->ctx < c->seq_len)
        g->ctx *= 2;
    g->max_dim = up(c->dim, g->cols);
    g->max_q_dim = up(q_dim, g->cols);
    g->max_hidden = up(c->hidden_dim, g->cols);
    g->max_kv_dim = c->n_kv_heads * c->head_dim;
    fit_cache(g, c);
    g->rope_lo_bits = q->rope.lo_bits < 1 ? 1 : q->rope.lo_bits;
    g->rope_hi_rows = q->rope.n_hi;
    g->rope_hi_bits = address_bits(q->rope.n_hi);
    g->token_bits = address_bits(c->vocab_size);
    if (g->token_bits < 4)
        g->token_bits = 4;
    return fit_addresses(g, q, err) && check_banks(g, err);
}
