// SPDX-License-Identifier: Apache-2.0
// The rules of programs: every emitted program keeps them, and each of them refuses the program
// that breaks it, saying where.
#define TEMP_FILE "build/test_program.bin"
#include "tests/random_model.h"

#include "gen/chip/program.h"

static const struct hw_config config = {
    .dim = 16,
    .hidden_dim = 20,
    .n_layers = 2,
    .n_heads = 4,
    .n_kv_heads = 2,
    .head_dim = 4,
    .vocab_size = 19,
    .seq_len = 21,
    .tied = true,
    .rope_base = 10000.0,
    .norm_eps = 1e-5,
};

struct fixture {
    struct hw_qmodel q;
    struct hw_plan plan;
};

static void make(struct fixture *f, const char *slice, bool sub_norm)
{
    struct hw_config c = config;
    c.sub_norm = sub_norm;
    struct hw_geometry g = {.rows = 8, .cols = 8, .vec = 4, .att_pos = 4};
    struct hw_error err = {0};
    f->q = wild_model(&c, 7);
    if (!hw_geometry_fit(&g, &f->q, &err) || !hw_plan_make(&f->plan, &f->q, &g, slice, &err))
        fail_msg("%s", err.text);
}

static void done(struct fixture *f)
{
    hw_plan_free(&f->plan);
    hw_qmodel_free(&f->q);
}

static void emitted_programs_pass(void **state)
{
    static const char *const slices[] = {
        "chip",
        "layer:0",
        "layer:1",
        "op:rmsnorm:1",
        "op:attention:0",
        "op:attention:1",
        "op:swiglu:0",
        "op:argmax",
        "matrix:layers.1.attention.wq",
        "matrix:layers.0.attention.wo:3-9",
        "matrix:layers.1.feed_forward.down",
        "matrix:output:5-6",
    };
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct fixture f;
        struct hw_error err = {0};
        for (int sub_norm = 0; sub_norm < 2; sub_norm++) {
            make(&f, slices[i], sub_norm);
            if (!hw_program_check(&f.plan, &err))
                fail_msg("%s: %s", slices[i], err.text);
            done(&f);
        }
    }
}

// A program fills its ROM to the last word where 9 L + 4 is a power of two: not one address bit
// more.
static void program_fills_its_rom(void **state)
{
    for (int layers = 1; layers <= 60; layers++) {
        for (int sub_norm = 0; sub_norm < 2; sub_norm++) {
            struct hw_config c = config;
            struct hw_geometry g = {.rows = 8, .cols = 8, .vec = 4, .att_pos = 4};
            struct hw_error err = {0};
            struct hw_plan plan;
            c.n_layers = layers;
            c.sub_norm = sub_norm;
            struct hw_qmodel q = wild_model(&c, 7);
            if (!hw_geometry_fit(&g, &q, &err) || !hw_plan_make(&plan, &q, &g, "chip", &err))
                fail_msg("%s", err.text);
            assert_int_equal(plan.n_insns, hw_program_words(&c));
            assert_true(plan.n_insns <= 1 << g.prog_addr_bits);
            assert_true(plan.n_insns > 1 << (g.prog_addr_bits - 1));
            hw_plan_free(&plan);
            hw_qmodel_free(&q);
        }
    }
}

// --- broken programs

static struct hw_insn *find(struct fixture *f, const char *name)
{
    for (int i = 0; i < f->plan.n_insns; i++)
        if (strcmp(f->plan.program[i].name, name) == 0)
            return &f->plan.program[i];
    fail_msg("no instruction %s", name);
    return NULL;
}

static void swap(struct hw_insn *a, struct hw_insn *b)
{
    struct hw_insn t = *a;
    *a = *b;
    *b = t;
}

static void second_writer(struct fixture *f)
{
    find(f, "norm")->op = HW_OP_RECV; // to INIT, and no NORM since down
}
static void no_writer(struct fixture *f)
{
    find(f, "layers.1.attention.wo")->matvec.dest = HW_DST_LOGITS;
}
static void part_of_a_word(struct fixture *f)
{
    find(f, "layers.0.attention.wo")->matvec.rows = 15;
}
static void late_embed(struct fixture *f)
{
    swap(&f->plan.program[0], &f->plan.program[1]);
}
static void reads_old_x(struct fixture *f)
{
    swap(find(f, "layers.0.attention.wo"), find(f, "layers.0.attention.wv"));
}
static void early_wo(struct fixture *f)
{
    swap(find(f, "layers.1.attention.wo"), find(f, "layers.1.attention.wv"));
    find(f, "layers.1.attention.wo")->matvec.dest = HW_DST_LOGITS;
}
static void query_first(struct fixture *f)
{
    swap(find(f, "layers.0.attention.wk"), find(f, "layers.0.attention.wq"));
}
static void attn_last(struct fixture *f)
{
    swap(find(f, "layers.0.attention"), find(f, "layers.0.attention.wv"));
}
static void odd_kv_dim(struct fixture *f)
{
    find(f, "layers.0.attention.wk")->matvec.rows = 10;
}
static void kv_not_words(struct fixture *f)
{
    f->plan.geometry.vec = 16;
}
static void shared_kv_rows(struct fixture *f)
{
    find(f, "layers.1.attention")->attn.kv_row = 1;
}
static void far_kv_rows(struct fixture *f)
{
    find(f, "layers.1.attention")->attn.kv_row = 3;
}
static void odd_groups(struct fixture *f)
{
    find(f, "layers.0.attention")->attn.group_heads = 3;
}
static void reads_too_much(struct fixture *f)
{
    find(f, "layers.0.attention.wq")->matvec.chunks = 3;
}
static void odd_hidden(struct fixture *f)
{
    find(f, "layers.0.feed_forward.gate_up")->matvec.rows = 39;
}
static void beyond_rom(struct fixture *f)
{
    find(f, "output")->matvec.weight += 1000;
}
static void beyond_scales(struct fixture *f)
{
    find(f, "output")->matvec.scale += 1000;
}
static void beyond_levels(struct fixture *f)
{
    find(f, "output")->matvec.level += 100;
}
static void beyond_gains(struct fixture *f)
{
    find(f, "norm")->norm.gain += 1;
}
static void not_a_tail(struct fixture *f)
{
    find(f, "layers.1.feed_forward.down")->sample_only = 1;
    find(f, "norm")->sample_only = 0;
}
static void skipped_end(struct fixture *f)
{
    find(f, "end")->sample_only = 1;
}
static void two_ends(struct fixture *f)
{
    find(f, "output")->op = HW_OP_END;
}
static void no_end(struct fixture *f)
{
    f->plan.n_insns--;
}
static void past_context(struct fixture *f)
{
    find(f, "end")->end.positions = 1000;
}
static void too_many_tokens(struct fixture *f)
{
    find(f, "tok_embeddings")->embed.vocab = 33;
}
static void act_by_matrix(struct fixture *f)
{
    find(f, "output")->matvec.dest = HW_DST_ACT;
}

static void side_unread(struct fixture *f)
{
    find(f, "layers.0.attention.sub_norm")->norm.target = HW_REGION_X;
    find(f, "layers.0.attention.sub_norm")->norm.elements = 12;
}

static void broken_programs_are_refused(void **state)
{
    static const struct {
        const char *name;
        void (*damage)(struct fixture *f);
        const char *where, *what;
    } broken[] = {
        {"second writer", second_writer, "norm", "since NORM: expected 0, got 1"},
        {"no writer", no_writer, "layers.1.ffn_norm", "expected 1, got 0"},
        {"part of a word", part_of_a_word, "attention.wo", "whole words of vec: expected 0, got 3"},
        {"late embed", late_embed, "attention_norm", "writers of the residual since NORM"},
        {"reads old X", reads_old_x, "attention.wo", "K, Q, V before a reader of A"},
        {"early wo", early_wo, "layers.1.attention.wo", "K, Q, V before a reader of A"},
        {"query first", query_first, "attention.wq", "ATTN, K, Q, V in this order"},
        {"ATTN last", attn_last, "attention.wv", "ATTN, K, Q, V in this order"},
        {"odd kv_dim", odd_kv_dim, "attention.wk", "rows of the heads: expected 8, got 10"},
        {"kv_dim not of vec", kv_not_words, "attention.wk", "whole words of vec"},
        {"shared KV rows", shared_kv_rows, "layers.1.attention", "KV rows from 1 overlap"},
        {"KV rows beyond", far_kv_rows, "layers.1.attention", "at most 4, got 5"},
        {"odd groups", odd_groups, "layers.0.attention", "heads a group: expected 6, got 4"},
        {"reads too much", reads_too_much, "attention.wq", "the region: expected 16, got 24"},
        {"odd hidden", odd_hidden, "gate_up", "pairs"},
        {"beyond weights", beyond_rom, "output", "last weight word"},
        {"beyond scales", beyond_scales, "output", "last scale word"},
        {"beyond levels", beyond_levels, "output", "last level word"},
        {"beyond gains", beyond_gains, "norm", "last gain word"},
        {"not a tail", not_a_tail, "norm", "sample_only"},
        {"END skipped", skipped_end, "end", "sample_only of END"},
        {"two ENDs", two_ends, "output", "END stands at"},
        {"no END", no_end, "program", "expected END at its end"},
        {"past the context", past_context, "end", "positions"},
        {"side buffer unread", side_unread, "attention.sub_norm", "since NORM: expected 1, got 0"},
        {"vocabulary beyond the ids", too_many_tokens, "tok_embeddings",
         "tokens: expected at most"},
        {"ACT by a matrix", act_by_matrix, "output", "ACT is RECV's"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct fixture f;
        struct hw_error err = {0};
        make(&f, "chip", broken[i].damage == side_unread);
        broken[i].damage(&f);
        if (hw_program_check(&f.plan, &err))
            fail_msg("%s: not refused", broken[i].name);
        if (!strstr(err.text, broken[i].where) || !strstr(err.text, broken[i].what))
            fail_msg("%s: expected \"%s\" and \"%s\" in \"%s\"", broken[i].name, broken[i].where,
                     broken[i].what, err.text);
        if (broken[i].damage == no_end)
            f.plan.n_insns++;
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_programs_pass),
        cmocka_unit_test(program_fills_its_rom),
        cmocka_unit_test(broken_programs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
