// SPDX-License-Identifier: Apache-2.0
// Owns the control of the RTL, clock by clock, without its data: one struct a module, one function
// that makes its next state. Names are those of rtl_templates/; a change there is a change here.
#include "gen/chip/cycles.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gen/chip/bits.h"

struct rows { // some rows on their way through a pipeline
    bool valid, last;
    enum hw_dest dest;
    int row, rows;
};

enum { MOST_STAGES = 32 }; // of a pipeline

struct state {
    // sequencer.v
    int pc;
    bool running, have, fetched, residual_pending, side_pending, done;
    struct busy {
        bool rows, attn, angles, recv, units;
    } seen; // with ISSUE = 2
    // act_buffer.v: activations there, by region; with ACT = 2 what is written next
    int act_in[3];
    bool act_write;
    enum hw_region act_region;
    int act_end;
    // engine.v: vector input
    bool recv_busy;
    struct rows recv;
    enum hw_region recv_region;
    // matvec.v, the way from the memories, msa_array.v
    bool active, there; // there: with ISSUE = 2
    const struct hw_insn_matvec *mv;
    int row, chunk, plane, drain_wait;
    struct rows word[MOST_STAGES]; // k.array of them, s1 to done; last: ends a block
    // embed.v
    bool embed_active;
    const struct hw_insn_embed *embed;
    int embed_split; // clocks in which the token's row block is found, those left
    int embed_element, embed_plane;
    struct rows embed_pipe[MOST_STAGES]; // k.embed of them, .. q, qq, sum; valid: sum complete
    bool embed_pipe_busy[MOST_STAGES];
    // drain.v
    bool walking;
    int offset;
    struct rows walk, drained[MOST_STAGES]; // k.drain of them, to y
    // residual.v: k.residual of them, to done
    struct rows residual[MOST_STAGES];
    // side.v: full, and as residual
    int side_length;
    struct rows side_full, side[MOST_STAGES];
    // rmsnorm.v
    enum hw_region norm_region;
    int norm_scalar; // clocks to r, which is 1 when it comes
    bool norm_a;
    int norm_word, norm_words;
    struct rows norm_pipe[MOST_STAGES]; // k.norm of them, to y
    // rope_angles.v
    bool angle_a;
    int angle_pair;
    bool angle_pipe[MOST_STAGES]; // k.angles of them, to the register of angles
    // qkv.v: the register behind the adders of biases; or words of the head at hand, the last words
    // of heads on their way through the scalar part, the head that is read again, its words on
    // their way through the vector part
    struct rows biased;
    int head_words, again_word;
    struct rows head[MOST_STAGES], again, normed[MOST_STAGES]; // k.head, k.norm of them
    // rope.v: k.rope of them, to z
    struct rows rope[MOST_STAGES];
    // kv_cache.v
    int keys_in, values_in, queries_in, copy_head, kv_heads;
    bool copying, copy_value, write, keys_copied, values_copied, keys_visible, values_visible;
    // attention.v
    const struct hw_insn_attn *attn;
    bool a_active, b_active;
    bool a_pipe[MOST_STAGES], a_pipe_end[MOST_STAGES]; // k.score of them, to a score
    bool b_pipe[MOST_STAGES], b_pipe_end[MOST_STAGES]; // k.weigh of them, to b5
    bool r_pipe[MOST_STAGES];                          // k.recip of them, to r_comes
    uint64_t top_end; // bit k: stage k of its max_tree.v holds the end of a head
    int a_head, a_group, scored, weighed, b_head, b_group, spacing;
    bool c2;
    int step, next_index;
    struct rows divided[MOST_STAGES]; // k.divide of them, to out; row: of its first element
    // swiglu.v: k.swiglu of them, to h
    struct rows swiglu[MOST_STAGES];
    // argmax.v; bit k: stage k of its max_tree.v holds a word, the last one
    uint64_t top_word, top_last;
    bool argmax_done;
};

struct clocking { // what does not change within a token
    const struct hw_plan *plan;
    const struct hw_geometry *g;
    int pos;
    bool sample;
    bool late_issue, late_act;
    int array, embed; // clocks from an address to `done`, to a sum
    int drain, residual, norm, norm_scalar, head, angles, rope, swiglu, score, weigh, recip, divide;
    int score_stages, argmax_stages; // of their trees of maxima
    int score_heads;                 // whose scores may wait
    int split;                       // of a token into row block and lane (divide.v)
};

static bool any(const struct rows *r, int n)
{
    for (int i = 0; i < n; i++) {
        if (r[i].valid)
            return true;
    }
    return false;
}

static bool any_bool(const bool *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (b[i])
            return true;
    }
    return false;
}

// A mark on its way through so many stages: whether one leaves in this clock.
static bool through_tree(uint64_t from, uint64_t *to, int stages, bool in)
{
    int last = stages - 1;
    bool out = from >> last & 1;
    *to = (from & ~(UINT64_C(1) << last)) << 1 | (in ? 1 : 0);
    return out;
}

// A pipeline of n stages; `in` enters it where `take` is true.
static void shift(const struct rows *from, struct rows *to, int n, struct rows in, bool take)
{
    for (int i = n - 1; i > 0; i--)
        to[i] = from[i - 1];
    to[0] = in;
    to[0].valid = in.valid && take;
}

static bool is_residual(enum hw_dest d)
{
    return d == HW_DST_INIT || d == HW_DST_ADD;
}

static bool rows_busy(const struct clocking *k, const struct state *s)
{
    return s->active || any(s->word, k->array) || s->walking || any(s->drained, k->drain) ||
           s->embed_split > 0 || s->embed_active || any_bool(s->embed_pipe_busy, k->embed);
}

static bool attn_busy(const struct clocking *k, const struct state *s)
{
    return s->b_active || any_bool(s->b_pipe, k->weigh) || any_bool(s->r_pipe, k->recip) || s->c2 ||
           any(s->divided, k->divide) || s->copying || s->write;
}

static bool angles_busy(const struct clocking *k, const struct state *s)
{
    return s->angle_a || any_bool(s->angle_pipe, k->angles);
}

static bool qkv_busy(const struct clocking *k, const struct state *s)
{
    return s->biased.valid || any(s->head, k->head) || s->again.valid || any(s->normed, k->norm);
}

static bool units_busy(const struct clocking *k, const struct state *s)
{
    return rows_busy(k, s) || s->recv_busy || any(s->residual, k->residual) || s->side_full.valid ||
           any(s->side, k->residual) || s->norm_scalar > 0 || s->norm_a ||
           any(s->norm_pipe, k->norm) || angles_busy(k, s) || qkv_busy(k, s) ||
           any(s->rope, k->rope) || attn_busy(k, s) || any(s->swiglu, k->swiglu) ||
           s->top_word != 0 || s->argmax_done;
}

// A unit as the sequencer sees it; with ISSUE = 2 as it was a clock ago.
#define SEEN(k, s, unit, now) ((k)->late_issue ? (s)->seen.unit : (now))

// --- matvec.v

// The activations of a chunk are in.
static bool chunk_there(const struct clocking *k, const struct state *s, int chunk)
{
    bool last = chunk == s->mv->chunks - 1;
    int needed = chunk * k->g->cols + (last ? s->mv->last_cols : k->g->cols);
    return s->act_in[s->mv->source] >= needed;
}

static bool matvec_issue(const struct clocking *k, const struct state *s, bool *matrix_end)
{
    *matrix_end = false;
    if (!s->active)
        return false;
    bool last_chunk = s->chunk == s->mv->chunks - 1;
    bool block_end = last_chunk && s->plane == s->mv->planes - 1;
    bool there = k->late_issue ? s->there : chunk_there(k, s, s->chunk);
    if (!there || (block_end && s->drain_wait != 0))
        return false;
    *matrix_end = block_end && s->row + k->g->rows >= s->mv->rows;
    return true;
}

static void matvec_next(const struct clocking *k, const struct state *s, struct state *n,
                        bool issue, bool matrix_end)
{
    const struct hw_geometry *g = k->g;
    int done = k->array - 1;
    shift(s->word, n->word, k->array, (struct rows){.valid = false}, true);
    n->word[done].valid = s->word[done - 1].valid && s->word[done - 1].last;
    if (s->drain_wait > 0)
        n->drain_wait = s->drain_wait - 1;
    if (!issue) {
        n->there = s->active && chunk_there(k, s, s->chunk);
        return;
    }
    bool last_chunk = s->chunk == s->mv->chunks - 1;
    bool block_end = last_chunk && s->plane == s->mv->planes - 1;
    n->word[0] = (struct rows){true, block_end, (enum hw_dest)s->mv->dest, s->row, s->mv->rows};
    n->chunk = last_chunk ? 0 : s->chunk + 1;
    n->there = chunk_there(k, s, n->chunk);
    if (last_chunk)
        n->plane = s->plane == s->mv->planes - 1 ? 0 : s->plane + 1;
    if (block_end) {
        int groups = (s->mv->rows - s->row + g->vec - 1) / g->vec;
        n->drain_wait = (groups < g->rows / g->vec ? groups : g->rows / g->vec) - 1;
        n->row = s->row + g->rows;
    }
    if (matrix_end)
        n->active = false;
}

// --- embed.v, drain.v

static void embed_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int sum = k->embed - 1;
    for (int i = sum; i > 0; i--) {
        n->embed_pipe[i] = s->embed_pipe[i - 1];
        n->embed_pipe_busy[i] = s->embed_pipe_busy[i - 1];
    }
    n->embed_pipe_busy[sum] = s->embed_pipe_busy[sum - 1] && s->embed_pipe[sum - 1].valid;
    n->embed_pipe_busy[0] = s->embed_active;
    if (s->embed_split > 0) {
        n->embed_split = s->embed_split - 1;
        n->embed_active = n->embed_split == 0;
    }
    if (!s->embed_active)
        return;
    bool end = s->embed_plane == s->embed->planes - 1;
    bool last = s->embed_element + k->g->vec >= s->embed->dim;
    n->embed_pipe[0] = (struct rows){end, last, HW_DST_INIT, s->embed_element, s->embed->dim};
    n->embed_plane = end ? 0 : s->embed_plane + 1;
    if (end) {
        n->embed_element = s->embed_element + k->g->vec;
        n->embed_active = !last;
    }
}

static void drain_next(const struct clocking *k, const struct state *s, struct state *n)
{
    const struct hw_geometry *g = k->g;
    bool start = s->word[k->array - 1].valid, now = start || s->walking;
    struct rows r = start ? s->word[k->array - 1] : s->walk;
    int offset = start ? 0 : s->offset;
    r.valid = now;
    r.last = r.row + g->vec >= r.rows;
    n->walking = now && !r.last && offset + g->vec < g->rows;
    n->offset = offset + g->vec;
    n->walk = r;
    n->walk.row = r.row + g->vec;
    int y = k->drain - 1;
    shift(s->drained, n->drained, k->drain, r, true);
    n->drained[0] = s->embed_pipe_busy[k->embed - 1] ? s->embed_pipe[k->embed - 1] : r;
    if (s->recv_busy) {
        n->drained[y] = s->recv;
        n->drained[y].valid = true;
        n->drained[y].last = s->recv.row + g->vec >= s->recv.rows;
        n->recv.row = s->recv.row + g->vec;
        n->recv_busy = !n->drained[y].last;
    }
}

// --- what takes rows: residual.v, rope.v, swiglu.v, argmax.v

static bool is_qkv(const struct rows *y)
{
    return y->valid && (y->dest == HW_DST_K || y->dest == HW_DST_Q || y->dest == HW_DST_V);
}

// qkv.v: what reaches rope.v in this clock.
static struct rows qkv_next(const struct clocking *k, const struct state *s, struct state *n)
{
    const struct hw_geometry *g = k->g;
    struct rows y = s->drained[k->drain - 1];
    y.valid = is_qkv(&y);
    if (!g->qk_norm) {
        n->biased = y;
        return g->qkv_bias ? s->biased : y;
    }
    bool head_end = y.valid && s->head_words == g->head_dim / g->vec - 1;
    if (y.valid)
        n->head_words = head_end ? 0 : s->head_words + 1;
    shift(s->head, n->head, k->head, y, head_end);
    if (s->head[k->head - 1].valid) { // its words are read, from the first on
        n->again = s->head[k->head - 1];
        n->again.row -= g->head_dim - g->vec;
        n->again_word = 0;
    } else if (s->again.valid) {
        n->again.row = s->again.row + g->vec;
        n->again_word = s->again_word + 1;
        n->again.valid = n->again_word != g->head_dim / g->vec;
    }
    shift(s->normed, n->normed, k->norm, s->again, true);
    return s->normed[k->norm - 1];
}

// The same where the last stage says that the last of them has arrived (residual.v).
static void shift_sum(const struct rows *from, struct rows *to, int n, struct rows in, bool take)
{
    shift(from, to, n, in, take);
    to[n - 1].valid = from[n - 2].valid && from[n - 2].last;
}

static void sinks_next(const struct clocking *k, const struct state *s, struct state *n)
{
    struct rows y = s->drained[k->drain - 1];
    shift_sum(s->residual, n->residual, k->residual, y, is_residual(y.dest));
    shift(s->rope, n->rope, k->rope, qkv_next(k, s, n), true);
    shift(s->swiglu, n->swiglu, k->swiglu, y, y.dest == HW_DST_HIDDEN);
    bool logits = y.valid && y.dest == HW_DST_LOGITS;
    (void)through_tree(s->top_word, &n->top_word, k->argmax_stages, logits);
    n->argmax_done = through_tree(s->top_last, &n->top_last, k->argmax_stages, logits && y.last);
}

// --- side.v

static void side_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int vec = k->g->vec, out = vec < k->g->head_dim ? vec : k->g->head_dim;
    const struct rows *made = &s->divided[k->divide - 1];
    int end = made->valid ? made->row + out : s->swiglu[k->swiglu - 1].row / 2 + vec / 2;
    bool take = k->g->sub_norm && (made->valid || s->swiglu[k->swiglu - 1].valid);
    n->side_full = (struct rows){take && end % vec == 0, end == s->side_length, HW_DST_ACT, 0, 0};
    shift_sum(s->side, n->side, k->residual, s->side_full, true);
}

// --- rmsnorm.v, rope_angles.v

static void norm_next(const struct clocking *k, const struct state *s, struct state *n)
{
    bool n3 = s->norm_scalar == 1, read = n3 || s->norm_a;
    int word = n3 ? 0 : s->norm_word;
    if (s->norm_scalar > 0)
        n->norm_scalar = s->norm_scalar - 1;
    n->norm_a = (n3 && s->norm_words > 1) || (s->norm_a && s->norm_word != s->norm_words - 1);
    n->norm_word = n3 ? 1 : s->norm_word + 1;
    shift(s->norm_pipe, n->norm_pipe, k->norm, (struct rows){read, false, HW_DST_ACT, word, 0},
          true);
}

static void angles_next(const struct clocking *k, const struct state *s, struct state *n)
{
    n->angle_a = s->angle_a && s->angle_pair != k->g->head_dim / 2 - 1;
    n->angle_pair = s->angle_pair + 1;
    for (int i = k->angles - 1; i > 0; i--)
        n->angle_pipe[i] = s->angle_pipe[i - 1];
    n->angle_pipe[0] = s->angle_a;
}

// --- kv_cache.v

static void kv_next(const struct clocking *k, const struct state *s, struct state *n)
{
    struct rows z = s->rope[k->rope - 1];
    if (z.valid && z.dest == HW_DST_K)
        n->keys_in = z.row + k->g->vec;
    if (z.valid && z.dest == HW_DST_V)
        n->values_in = z.row + k->g->vec;
    if (z.valid && z.dest == HW_DST_Q)
        n->queries_in = z.row + k->g->vec;
    bool copy = s->copying &&
                (s->copy_value ? s->values_in : s->keys_in) >= (s->copy_head + 1) * k->g->head_dim;
    n->write = copy;
    if (copy) {
        n->copy_head = s->copy_head + 1;
        if (n->copy_head == s->kv_heads) {
            n->copy_head = 0;
            n->copy_value = true;
            if (s->copy_value) {
                n->copying = false;
                n->values_copied = true;
            } else {
                n->keys_copied = true;
            }
        }
    }
    n->keys_visible = s->keys_copied;
    n->values_visible = s->values_copied;
}

// --- attention.v

// The group of the last position that a layer sees.
static int last_group_of(const struct clocking *k, const struct hw_insn_attn *i)
{
    int last = i && i->window && k->pos >= i->window ? i->window - 1 : k->pos;
    return last / k->g->att_pos;
}

static void score_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int last_group = last_group_of(k, s->attn);
    bool issue = s->a_active && s->keys_visible &&
                 s->queries_in >= (s->a_head + 1) * k->g->head_dim &&
                 s->a_head - s->weighed < k->score_heads;
    bool end = s->a_group == last_group;
    for (int i = k->score - 1; i > 0; i--) {
        n->a_pipe[i] = s->a_pipe[i - 1];
        n->a_pipe_end[i] = s->a_pipe_end[i - 1];
    }
    n->a_pipe[0] = issue;
    n->a_pipe_end[0] = end;
    if (through_tree(s->top_end, &n->top_end, k->score_stages,
                     s->a_pipe[k->score - 1] && s->a_pipe_end[k->score - 1]))
        n->scored = s->scored + 1;
    if (!issue)
        return;
    n->a_group = end ? 0 : s->a_group + 1;
    if (end) {
        n->a_head = s->a_head + 1;
        n->a_active = n->a_head != s->attn->heads;
    }
}

static void weigh_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int out = k->g->vec < k->g->head_dim ? k->g->vec : k->g->head_dim;
    bool end = s->b_group == last_group_of(k, s->attn);
    bool issue =
        s->b_active && s->values_visible && s->scored != s->b_head && (!end || s->spacing == 0);
    if (s->spacing > 0)
        n->spacing = s->spacing - 1;
    int last = k->weigh - 1;
    for (int i = last; i > 0; i--) {
        n->b_pipe[i] = s->b_pipe[i - 1];
        n->b_pipe_end[i] = s->b_pipe_end[i - 1];
    }
    n->b_pipe[last] = s->b_pipe[last - 1] && s->b_pipe_end[last - 1];
    n->b_pipe[0] = issue;
    n->b_pipe_end[0] = end;
    if (issue) {
        n->b_group = end ? 0 : s->b_group + 1;
        if (end) {
            n->spacing = k->g->head_dim / out - 1;
            n->b_head = s->b_head + 1;
            n->weighed = s->weighed + 1;
            n->b_active = n->b_head != s->attn->heads;
        }
    }
}

static void divide_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int out = k->g->vec < k->g->head_dim ? k->g->vec : k->g->head_dim;
    for (int i = k->recip - 1; i > 0; i--)
        n->r_pipe[i] = s->r_pipe[i - 1];
    n->r_pipe[0] = s->b_pipe[k->weigh - 1];
    bool r_comes = s->r_pipe[k->recip - 1];
    n->c2 = r_comes || (s->c2 && s->step != k->g->head_dim / out - 1);
    n->step = r_comes ? 0 : s->step + 1;
    shift(s->divided, n->divided, k->divide, (struct rows){.valid = true, .row = s->next_index},
          s->c2);
    if (s->c2)
        n->next_index = s->next_index + out;
}

// --- act_source.v, act_buffer.v

static void activations_next(const struct clocking *k, const struct state *s, struct state *n)
{
    int vec = k->g->vec, out = vec < k->g->head_dim ? vec : k->g->head_dim;
    struct rows y = s->drained[k->drain - 1];
    n->act_write = true;
    if (s->norm_pipe[k->norm - 1].valid) {
        n->act_region = s->norm_region;
        n->act_end = (s->norm_pipe[k->norm - 1].row + 1) * vec;
    } else if (s->divided[k->divide - 1].valid && !k->g->sub_norm) {
        n->act_region = HW_REGION_A;
        n->act_end = s->divided[k->divide - 1].row + out;
    } else if (s->swiglu[k->swiglu - 1].valid && !k->g->sub_norm) {
        n->act_region = HW_REGION_H;
        n->act_end = s->swiglu[k->swiglu - 1].row / 2 + vec / 2;
    } else if (y.valid && y.dest == HW_DST_ACT) {
        n->act_region = s->recv_region;
        n->act_end = y.row + vec;
    } else {
        n->act_write = false;
    }
    const struct state *from = k->late_act ? s : n;
    if (from->act_write)
        n->act_in[from->act_region] = from->act_end;
}

// --- sequencer.v

static void start_attention(const struct hw_insn_attn *i, int head_dim, struct state *n)
{
    n->side_pending = true;
    n->side_length = i->heads * head_dim;
    n->attn = i;
    n->act_in[HW_REGION_A] = 0;
    n->keys_in = n->values_in = n->queries_in = n->copy_head = 0;
    n->kv_heads = i->kv_heads;
    n->copying = true;
    n->copy_value = n->keys_copied = n->values_copied = false;
    n->keys_visible = n->values_visible = false;
    n->a_active = n->b_active = true;
    n->a_head = n->a_group = n->scored = n->weighed = n->b_head = n->b_group = n->next_index = 0;
}

static void start_hidden(int rows, struct state *n)
{
    n->side_pending = true;
    n->side_length = rows / 2;
}

static void start_matvec(const struct hw_insn_matvec *i, struct state *n)
{
    n->active = true;
    n->there = false;
    n->mv = i;
    n->row = n->chunk = n->plane = 0;
    if (i->dest == HW_DST_HIDDEN) {
        n->act_in[HW_REGION_H] = 0;
        start_hidden(i->rows, n);
    }
}

static void start_recv(const struct hw_insn_recv *i, struct state *n)
{
    n->recv_busy = true;
    n->recv = (struct rows){true, false, (enum hw_dest)i->dest, 0, i->rows};
    n->recv_region = (enum hw_region)i->target;
    if (i->dest == HW_DST_HIDDEN)
        start_hidden(i->rows, n);
}

// Starts instruction *i if its unit can take it.
static bool issue(const struct clocking *k, const struct hw_insn *i, const struct state *s,
                  struct state *n, bool array_ready)
{
    switch (i->op) {
    case HW_OP_EMBED:
        n->embed_split = k->split;
        n->embed_active = k->split == 0;
        n->embed = &i->embed;
        n->embed_element = n->embed_plane = 0;
        return true;
    case HW_OP_NORM:
        if (i->norm.target == HW_REGION_X
                ? s->residual_pending && !s->residual[k->residual - 1].valid
                : s->side_pending && !s->side[k->residual - 1].valid)
            return false;
        n->norm_scalar = k->norm_scalar;
        n->norm_words = i->norm.elements / k->g->vec;
        n->norm_region = (enum hw_region)i->norm.target;
        if (i->norm.target == HW_REGION_X)
            n->act_in[HW_REGION_X] = 0;
        return true;
    case HW_OP_ATTN:
        if (SEEN(k, s, attn, attn_busy(k, s)) || SEEN(k, s, angles, angles_busy(k, s)))
            return false;
        start_attention(&i->attn, k->g->head_dim, n);
        return true;
    case HW_OP_MATVEC:
        if (SEEN(k, s, recv, s->recv_busy) || !array_ready)
            return false;
        start_matvec(&i->matvec, n);
        return true;
    case HW_OP_RECV:
        if (SEEN(k, s, rows, rows_busy(k, s)) || SEEN(k, s, recv, s->recv_busy))
            return false;
        start_recv(&i->recv, n);
        return true;
    case HW_OP_HEADS:
        return !SEEN(k, s, attn, attn_busy(k, s));
    case HW_OP_END:
        break;
    }
    return false;
}

static void sequencer_next(const struct clocking *k, const struct state *s, struct state *n,
                           bool array_ready)
{
    const struct hw_insn *i = &k->plan->program[s->pc];
    bool skip = i->sample_only && !k->sample, ready = s->running && s->have;
    if (s->side[k->residual - 1].valid)
        n->side_pending = false;
    bool started = ready && !skip && issue(k, i, s, n, array_ready);
    bool advance = ready && (skip || started);
    n->done = ready && i->op == HW_OP_END && !SEEN(k, s, units, units_busy(k, s));
    bool load = s->fetched && (!s->have || advance);
    n->have = load || (s->have && !advance);
    n->fetched = !load;
    if (advance)
        n->pc = s->pc + 1;
    if (s->residual[k->residual - 1].valid)
        n->residual_pending = false;
    if (started && (i->op == HW_OP_EMBED || ((i->op == HW_OP_MATVEC || i->op == HW_OP_RECV) &&
                                             is_residual((enum hw_dest)i->to.dest))))
        n->residual_pending = true;
    if (n->done)
        n->running = false;
    if (k->late_issue) // what was just started counts as running
        n->seen = (struct busy){started || rows_busy(k, s), started || attn_busy(k, s),
                                started || angles_busy(k, s), started || s->recv_busy,
                                started || units_busy(k, s)};
}

// --- timeline

struct timeline {
    long clocks; // of the token
    int n;
    double *busy; // [HW_N_UNITS][n], clocks until the walk ends
};

const char *hw_cycle_unit_name(enum hw_cycle_unit unit)
{
    static const char *const NAME[] = {
        [HW_UNIT_EMBED] = "embedding",       [HW_UNIT_NORM] = "norm",
        [HW_UNIT_ARRAY] = "array",           [HW_UNIT_DRAIN] = "drain",
        [HW_UNIT_ROTATION] = "rotation, KV", [HW_UNIT_ATTENTION] = "attention",
        [HW_UNIT_SWIGLU] = "SwiGLU",         [HW_UNIT_ARGMAX] = "argmax"};
    return NAME[unit];
}

static void note_clock(const struct timeline *t, const struct clocking *k, const struct state *s,
                       bool word, long clock)
{
    const bool busy[HW_N_UNITS] = {
        [HW_UNIT_EMBED] =
            s->embed_split > 0 || s->embed_active || any_bool(s->embed_pipe_busy, k->embed),
        [HW_UNIT_NORM] = s->norm_scalar > 0 || s->norm_a || any(s->norm_pipe, k->norm),
        [HW_UNIT_ARRAY] = word,
        [HW_UNIT_DRAIN] = s->walking || any(s->drained, k->drain) || any(s->residual, k->residual),
        [HW_UNIT_ROTATION] =
            angles_busy(k, s) || qkv_busy(k, s) || any(s->rope, k->rope) || s->write,
        [HW_UNIT_ATTENTION] = any_bool(s->a_pipe, k->score) || any_bool(s->b_pipe, k->weigh) ||
                              any_bool(s->r_pipe, k->recip) || s->c2 || any(s->divided, k->divide),
        [HW_UNIT_SWIGLU] = any(s->swiglu, k->swiglu),
        [HW_UNIT_ARGMAX] = s->top_word != 0,
    };
    long slice = clock * t->n / t->clocks;
    for (int u = 0; u < HW_N_UNITS; u++)
        t->busy[u * t->n + (slice < t->n ? slice : t->n - 1)] += busy[u];
}

static struct hw_cycle_count walk(const struct hw_plan *plan, int pos, bool sample,
                                  const struct timeline *t)
{
    const struct hw_geometry *g = &plan->geometry;
    const struct hw_latency *l = &g->latency;
    // from a sum of squares to reading the first word, which is read ahead where it has a register
    int norm_scalar = l->norm_scalar + l->table - 1 - (l->norm_vector > 5 ? 1 : 0);
    const struct clocking k = {
        .plan = plan,
        .g = g,
        .pos = pos,
        .sample = sample,
        .late_issue = l->issue > 1,
        .late_act = l->act > 1,
        .array = l->rom + l->array + hw_tree_stages(l->tree, g->cols),
        .embed = l->rom + 2,
        .drain = l->drain,
        .residual = 2 + l->square + hw_tree_stages(l->tree, 2 * g->vec),
        .norm = l->norm_vector,
        .norm_scalar = norm_scalar,
        .head = hw_tree_stages(l->tree, g->vec) + norm_scalar,
        .angles = l->angles - 1,
        .rope = l->rope,
        .swiglu = l->swiglu + l->table - 1,
        .score = l->score + hw_tree_stages(l->tree, g->head_dim),
        .weigh = l->weigh + l->table - 1 + hw_tree_stages(l->tree, g->att_pos) + 1,
        .recip = l->recip - 1 + l->table - 1,
        .divide = l->divide,
        .split = ((g->rows & (g->rows - 1)) != 0 ? g->token_bits + 1 : 0) + 2 * (l->issue - 1),
        .score_heads = hw_score_heads(g),
        .score_stages = hw_tree_stages(l->compare, g->att_pos),
        .argmax_stages = hw_tree_stages(l->compare, g->vec),
    };
    struct hw_cycle_count count = {0, 0};
    struct state s, n;
    memset(&s, 0, sizeof s);
    s.running = s.have = s.fetched = true; // the clock after `start`
    s.angle_a = true;
    s.seen = (struct busy){true, true, true, true, true};
    while (!s.done) {
        bool matrix_end, word;
        n = s;
        word = matvec_issue(&k, &s, &matrix_end);
        matvec_next(&k, &s, &n, word, matrix_end);
        embed_next(&k, &s, &n);
        drain_next(&k, &s, &n);
        sinks_next(&k, &s, &n);
        side_next(&k, &s, &n);
        norm_next(&k, &s, &n);
        angles_next(&k, &s, &n);
        kv_next(&k, &s, &n);
        score_next(&k, &s, &n);
        weigh_next(&k, &s, &n);
        divide_next(&k, &s, &n);
        activations_next(&k, &s, &n);
        sequencer_next(&k, &s, &n, !s.active || (word && matrix_end));
        if (t)
            note_clock(t, &k, &s, word, count.token);
        count.token++;
        count.array_busy += word;
        s = n;
    }
    count.token += 3; // done is seen, the token is sent, the engine starts (chip.v)
    return count;
}

struct hw_cycle_count hw_cycles(const struct hw_plan *plan, int pos, bool sample)
{
    return walk(plan, pos, sample, NULL);
}

long hw_cycles_timeline(const struct hw_plan *plan, int pos, int n, double *busy)
{
    struct timeline t = {hw_cycles(plan, pos, true).token, n, busy};
    memset(busy, 0, sizeof *busy * (size_t)n * HW_N_UNITS);
    (void)walk(plan, pos, true, &t);
    for (int i = 0; i < n; i++) {
        // clocks k with k * n / clocks == i
        long first = (i * t.clocks + n - 1) / n, next = ((i + 1) * t.clocks + n - 1) / n;
        for (int u = 0; u < HW_N_UNITS && next > first; u++)
            busy[u * n + i] /= (double)(next - first);
    }
    return t.clocks;
}

struct hw_cycle_count hw_cycles_next(struct hw_cycles_known *known, const struct hw_plan *plan,
                                     int pos, bool sample)
{
    int group = pos / plan->geometry.att_pos + 1;
    if (known->group[sample] != group) {
        known->group[sample] = group;
        known->count[sample] = hw_cycles(plan, pos, sample);
    }
    return known->count[sample];
}

const char *hw_speed_text(char text[HW_SPEED_TEXT], double cycles, int clock_mhz)
{
    text[0] = '\0';
    if (clock_mhz > 0)
        snprintf(text, HW_SPEED_TEXT, ", %.0f tokens/s at %d MHz", clock_mhz * 1e6 / cycles,
                 clock_mhz);
    return text;
}
