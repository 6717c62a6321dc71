// SPDX-License-Identifier: Apache-2.0
// Owns the sizes of memories. Those of RAMs repeat the parameters of rtl_templates/;
// tests/memories.py compares them with the elaborated chip.
#include "gen/chip/memories.h"

#include "gen/chip/banks.h"
#include "gen/chip/bits.h"
#include "refmodel/ops.h"
#include "refmodel/tables.h"

enum { HEAD_NORM_BITS = 16 }; // head_norm.v: an element

struct list {
    struct hw_memory *at;
    int n;
    int ram_words, ram_bits; // of the largest RAM macro; 0: RAMs are not cut
};

static void add(struct list *l, const char *name, bool rom, int depth, int width, int mask,
                int instances)
{
    l->at[l->n++] = (struct hw_memory){name, rom, false, depth, width, mask, instances};
}

// Lanes of a RAM, or what ram_tiles.v makes of them: rows of macros, columns of a lane.
static void cut_ram(struct list *l, const char *name, bool one_port, int depth, int lanes,
                    int lane_bits)
{
    int first = l->n, words = l->ram_words;
    if (!words) {
        add(l, name, false, depth, lanes * lane_bits, lane_bits, 1);
    } else {
        int macros = lanes * ((depth + words - 1) / words), rest = lane_bits % l->ram_bits;
        words = depth < words ? depth : words;
        if (lane_bits >= l->ram_bits)
            add(l, name, false, words, l->ram_bits, l->ram_bits,
                macros * (lane_bits / l->ram_bits));
        if (rest)
            add(l, name, false, words, rest, rest, macros);
    }
    for (int i = first; i < l->n; i++)
        l->at[i].one_port = one_port;
}

static void ram(struct list *l, const char *name, int depth, int lanes, int lane_bits)
{
    cut_ram(l, name, false, depth, lanes, lane_bits);
}

// One port is enough.
static void ram_one(struct list *l, const char *name, int depth, int lanes, int lane_bits)
{
    cut_ram(l, name, true, depth, lanes, lane_bits);
}

static int words(int elements, int of)
{
    return (elements + of - 1) / of;
}

// head_norm.v: a head, and what comes in until its first word is read.
static int kept_words(const struct hw_geometry *g)
{
    const struct hw_latency *l = &g->latency;
    return g->head_dim / g->vec + hw_tree_stages(l->tree, g->vec) + l->norm_scalar + l->table;
}

static void rams(struct list *l, const struct hw_geometry *g)
{
    int lanes = hw_most(g->vec, g->head_dim); // of a word of queries, and of new keys and values
    ram(l, "activations",
        words(g->max_dim, g->cols) + words(g->max_q_dim, g->cols) + words(g->max_hidden, g->cols),
        g->cols, g->act_bits);
    ram(l, "residual", hw_most(g->max_dim / g->vec, 2), 1, g->vec * g->res_bits);
    if (g->sub_norm)
        ram(l, "side", hw_most(hw_most(g->max_q_dim, g->max_hidden) / g->vec, 2), 1,
            g->vec * g->res_bits);
    ram(l, "queries", hw_most(words(g->max_q_dim, lanes), 2), lanes, HW_Q_BITS);
    ram(l, "new keys and values", 2 << hw_log2_up(hw_most(words(g->max_kv_dim, lanes), 2)), lanes,
        g->kv_bits);
    ram_one(l, "keys", g->kv_rows * (g->kv_ctx / g->att_pos), g->att_pos, g->head_dim * g->kv_bits);
    ram_one(l, "values", g->kv_rows * (g->kv_ctx / g->att_pos), g->att_pos,
            g->head_dim * g->kv_bits);
    ram(l, "scores", hw_score_heads(g) * (g->ctx / g->att_pos), 1, g->att_pos * HW_SCORE_BITS);
    ram(l, "sums of heads", HW_DIVIDED_HEADS, 1,
        g->head_dim * (HW_EXP2_SUM_BITS + g->kv_bits + hw_log2_up(g->ctx)));
    if (g->qk_norm)
        ram(l, "head", 1 << hw_log2_up(kept_words(g)), 1, g->vec * HEAD_NORM_BITS);
}

static void table(struct list *l, enum hw_table_id id, int instances)
{
    const struct hw_table *t = hw_table(id);
    add(l, t->name, true, 1 << t->index_bits, HW_TABLE_BITS, 0, instances);
}

int hw_memories(const struct hw_plan *plan, struct hw_memory at[HW_MOST_MEMORIES])
{
    const struct hw_geometry *g = &plan->geometry;
    struct list l = {at, 0, g->ram_words, g->ram_bits};
    rams(&l, g);
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *r = &plan->rom[i];
        struct hw_cut cut = hw_rom_cut(g, r);
        int same = cut.last_bits == cut.column_bits ? cut.columns : cut.columns - 1;
        if (same > 0)
            add(&l, r->name, true, 1 << cut.bank_bits, cut.column_bits, 0, same * cut.banks);
        if (same < cut.columns)
            add(&l, r->name, true, 1 << cut.bank_bits, cut.last_bits, 0, cut.banks);
    }
    table(&l, HW_TABLE_EXP2, g->att_pos);
    table(&l, HW_TABLE_RECIP, 1);
    table(&l, HW_TABLE_RSQRT, g->qk_norm ? 2 : 1);
    table(&l, HW_TABLE_SIGMOID, g->vec / 2);
    return l.n;
}
