// SPDX-License-Identifier: Apache-2.0
// Owns the rules of programs. sequencer.v keeps four rules of order itself and data keeps the rest
// in order, as long as the program
//   - embeds first, into an idle engine (EMBED waits for nothing), and ends with END alone;
//   - writes the residual exactly once before each NORM (the sequencer remembers one writer), and
//     reads X only between the NORM and the next writer (NORM starts X again when that is done);
//   - with sub-norms, reads the side buffer by NORM before attention or SwiGLU fill it again;
//   - has ATTN as its first instruction or right after a NORM, HEADS between them apart (ATTN
//   empties region A, so no reader of
//     A may be pending), K, Q and V after it, once each, in this order, and only then reads A;
//   - reads of a region what has been written to it, not more (it would wait forever) or less;
//   - gives each ATTN KV rows of its own, and the residual, K, Q and V whole words of `vec` rows;
//   - has its sample_only instructions in one run before END, so that skipping them leaves a
//   program;
//   - stays within ROMs and capacities.
#include "gen/chip/program.h"

struct checker {
    const struct hw_plan *plan;
    struct hw_error *err;
    int at;         // instruction
    int writers;    // of the residual since the last NORM
    int side;       // elements in the side buffer that no NORM has read
    int written[3]; // elements that the last writer of a region leaves there, 0: none
    const struct hw_insn_attn *attn;                 // the last one
    enum { WANT_K, WANT_Q, WANT_V, WANT_NONE } want; // what must follow it
    bool sample_only;                                // the tail has begun
};

static bool refuse(const struct checker *c, const char *rule, int expected, int got)
{
    return hw_fail(c->err, "program: instruction %d, %s: %s: expected %d, got %d", c->at,
                   c->plan->program[c->at].name, rule, expected, got);
}

static bool equal(const struct checker *c, const char *rule, int expected, int got)
{
    return expected == got || refuse(c, rule, expected, got);
}

static bool at_most(const struct checker *c, const char *what, int limit, int got)
{
    return got <= limit ||
           hw_fail(c->err, "program: instruction %d, %s: %s: expected at most %d, got %d", c->at,
                   c->plan->program[c->at].name, what, limit, got);
}

static bool whole_words(const struct checker *c, int rows)
{
    return equal(c, "rows beyond whole words of vec", 0, rows % c->plan->geometry.vec);
}

static int up(int n, int step)
{
    return (n + step - 1) / step;
}

static int capacity(const struct hw_geometry *g, enum hw_region region)
{
    return region == HW_REGION_X   ? g->max_dim
           : region == HW_REGION_A ? g->max_q_dim
                                   : g->max_hidden;
}

static bool writes_region(struct checker *c, enum hw_region region, int n)
{
    c->written[region] = n;
    return at_most(c, "elements of the region", capacity(&c->plan->geometry, region), n);
}

// What attention and SwiGLU make: with sub-norms it goes to the side buffer, for a NORM.
static bool leaves_unit(struct checker *c, enum hw_region region, int n)
{
    if (!c->plan->geometry.sub_norm)
        return writes_region(c, region, n);
    int waiting = c->side;
    c->side = n;
    return equal(c, "elements of the side buffer that no NORM has read", 0, waiting) &&
           at_most(c, "elements of the region", capacity(&c->plan->geometry, region), n);
}

static bool writes_residual(struct checker *c, int rows)
{
    return equal(c, "writers of the residual before this one, since NORM", 0, c->writers++) &&
           whole_words(c, rows) &&
           at_most(c, "elements of the residual", c->plan->geometry.max_dim, rows);
}

// The rows of a MATVEC or RECV go where `dest` says.
static bool rows_leave(struct checker *c, const struct hw_insn *i)
{
    const struct hw_geometry *g = &c->plan->geometry;
    const struct hw_insn_rows *to = &i->to;
    int heads;
    switch ((enum hw_dest)to->dest) {
    case HW_DST_INIT:
    case HW_DST_ADD:
        return writes_residual(c, to->rows);
    case HW_DST_K:
    case HW_DST_Q:
    case HW_DST_V:
        if (!c->attn || c->want != (unsigned)(to->dest - HW_DST_K))
            return hw_fail(c->err,
                           "program: instruction %d, %s: expected ATTN, K, Q, V in this order",
                           c->at, i->name);
        c->want++;
        heads = to->dest == HW_DST_Q ? c->attn->heads : c->attn->kv_heads;
        return equal(c, "rows of the heads", heads * g->head_dim, to->rows) &&
               whole_words(c, to->rows);
    case HW_DST_HIDDEN:
        return equal(c, "rows beyond pairs", 0, to->rows % 2) &&
               leaves_unit(c, HW_REGION_H, to->rows / 2);
    case HW_DST_LOGITS:
        return at_most(c, "rows", 1 << g->token_bits, to->rows);
    case HW_DST_ACT:
        return equal(c, "ACT is RECV's", HW_OP_RECV, (int)i->op) &&
               writes_region(c, (enum hw_region)i->recv.target, to->rows);
    }
    return hw_fail(c->err, "program: instruction %d, %s: unknown destination", c->at, i->name);
}

static bool check_matvec(struct checker *c, const struct hw_insn *i)
{
    const struct hw_geometry *g = &c->plan->geometry;
    const struct hw_rom *rom = c->plan->rom;
    const struct hw_insn_matvec *m = &i->matvec;
    int words = up(m->rows, g->rows) * m->chunks * m->planes;
    if (m->source == HW_REGION_X &&
        !equal(c, "writers of the residual before a reader of X", 0, c->writers))
        return false;
    if (m->source == HW_REGION_A && c->attn &&
        !equal(c, "K, Q, V before a reader of A", WANT_NONE, (int)c->want))
        return false;
    return at_most(c, "columns of the last chunk", g->cols, m->last_cols) &&
           equal(c, "columns, of those written to the region", c->written[m->source],
                 (m->chunks - 1) * g->cols + m->last_cols) &&
           at_most(c, "last weight word", rom[HW_ROM_WEIGHT].depth, m->weight + words) &&
           at_most(c, "last scale word", rom[HW_ROM_SCALE].depth, m->scale + up(m->rows, g->vec)) &&
           at_most(c, "last level word", rom[HW_ROM_LEVEL].depth, m->level + m->planes) &&
           equal(c, "INIT is not a matrix's", 0, m->dest == HW_DST_INIT) && rows_leave(c, i);
}

static bool check_embed(struct checker *c, const struct hw_insn_embed *e)
{
    return equal(c, "EMBED stands at", 0, c->at) &&
           equal(c, "words a row block", e->chunks * e->planes, e->block_words) &&
           at_most(c, "tokens", 1 << c->plan->geometry.token_bits, e->vocab) &&
           writes_residual(c, e->dim);
}

static bool check_norm(struct checker *c, const struct hw_insn_norm *n)
{
    int last_gain = n->gain + n->elements / c->plan->geometry.vec;
    if (n->target == HW_REGION_X) {
        if (!equal(c, "writers of the residual since NORM", 1, c->writers))
            return false;
        c->writers = 0;
    } else {
        if (!equal(c, "elements in the side buffer", n->elements, c->side) ||
            !equal(c, "K, Q, V before a NORM to A or H", WANT_NONE, (int)c->want))
            return false;
        c->side = 0;
    }
    return whole_words(c, n->elements) &&
           writes_region(c, (enum hw_region)n->target, n->elements) &&
           at_most(c, "last gain word", c->plan->rom[HW_ROM_GAIN].depth, last_gain);
}

// One past the last row of the KV cache.
static int kv_end(const struct hw_insn_attn *a)
{
    return a->kv_row + a->kv_heads * a->kv_step;
}

// Words of the gain ROM for biases of K, Q and V.
static int bias_words(const struct checker *c, const struct hw_insn_attn *a)
{
    const struct hw_geometry *g = &c->plan->geometry;
    return (2 * a->kv_heads + a->heads) * g->head_dim / g->vec;
}

static bool check_heads(const struct checker *c, const struct hw_insn_heads *h)
{
    const struct hw_geometry *g = &c->plan->geometry;
    const struct hw_insn *next = c->at + 1 < c->plan->n_insns ? &c->plan->program[c->at + 1] : NULL;
    return equal(c, "norms of heads need the fabric's unit", 1, g->qk_norm) &&
           equal(c, "ATTN follows", HW_OP_ATTN, next ? (int)next->op : -1) &&
           at_most(c, "last gain word", c->plan->rom[HW_ROM_GAIN].depth,
                   h->gain + 2 * g->head_dim / g->vec);
}

static bool check_attn(struct checker *c, const struct hw_insn *i)
{
    const struct hw_insn *program = c->plan->program;
    const struct hw_insn_attn *a = &i->attn;
    int before = c->at - 1 - (c->at > 0 && program[c->at - 1].op == HW_OP_HEADS);
    if (before >= 0 && program[before].op != HW_OP_NORM)
        return hw_fail(c->err,
                       "program: instruction %d, %s: expected ATTN first or right after NORM",
                       c->at, i->name);
    for (int k = 0; k < c->at; k++) {
        const struct hw_insn *o = &program[k];
        if (o->op == HW_OP_ATTN && o->attn.kv_row < kv_end(a) && a->kv_row < kv_end(&o->attn))
            return hw_fail(c->err,
                           "program: instruction %d, %s: KV rows from %d overlap those of "
                           "instruction %d, %s",
                           c->at, i->name, a->kv_row, k, o->name);
    }
    c->attn = a;
    c->want = WANT_K;
    int seen = a->window ? a->window : c->plan->model->config.seq_len;
    if (a->window && !equal(c, "a window needs the fabric's rings", 1, c->plan->geometry.window))
        return false;
    if (a->biased && (!equal(c, "biases need the fabric's adders", 1, c->plan->geometry.qkv_bias) ||
                      !at_most(c, "last bias word", c->plan->rom[HW_ROM_GAIN].depth,
                               a->bias + bias_words(c, a))))
        return false;
    return at_most(c, "last KV row", c->plan->geometry.kv_rows, kv_end(a)) &&
           at_most(c, "positions of a KV head", a->kv_step * c->plan->geometry.kv_ctx, seen) &&
           equal(c, "heads, n_kv_heads times heads a group", a->kv_heads * a->group_heads,
                 a->heads) &&
           leaves_unit(c, HW_REGION_A, a->heads * c->plan->geometry.head_dim);
}

static bool check_insn(struct checker *c, const struct hw_insn *i)
{
    if (c->sample_only && i->op != HW_OP_END && !i->sample_only)
        return refuse(c, "sample_only, like what comes before it", 1, i->sample_only);
    c->sample_only = c->sample_only || i->sample_only;
    switch (i->op) {
    case HW_OP_END:
        return equal(c, "END stands at", c->plan->n_insns - 1, c->at) &&
               equal(c, "sample_only of END", 0, i->sample_only) &&
               at_most(c, "positions", c->plan->geometry.ctx, i->end.positions) &&
               at_most(c, "positions of a ring", i->end.positions, i->end.ring);
    case HW_OP_EMBED:
        return check_embed(c, &i->embed);
    case HW_OP_NORM:
        return check_norm(c, &i->norm);
    case HW_OP_MATVEC:
        return check_matvec(c, i);
    case HW_OP_ATTN:
        return check_attn(c, i);
    case HW_OP_RECV:
        return rows_leave(c, i);
    case HW_OP_HEADS:
        return check_heads(c, &i->heads);
    }
    return hw_fail(c->err, "program: instruction %d, %s: unknown operation", c->at, i->name);
}

bool hw_program_check(const struct hw_plan *plan, struct hw_error *err)
{
    struct checker c = {.plan = plan, .err = err, .want = WANT_NONE};
    for (c.at = 0; c.at < plan->n_insns; c.at++) {
        if (!check_insn(&c, &plan->program[c.at]))
            return false;
    }
    if (plan->n_insns == 0 || plan->program[plan->n_insns - 1].op != HW_OP_END)
        return hw_fail(err, "program: expected END at its end");
    return true;
}
