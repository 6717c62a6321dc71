// SPDX-License-Identifier: Apache-2.0
// The instruction set: fields that do not overlap, an encoder that sets the bits the table names
// and refuses what they do not hold, and committed files that say what the table says.
#define TEMP_FILE "build/test_isa.txt"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gen/chip/isa.h"
#include "gen/chip/latency.h"

static bool bit(const uint8_t *word, int i)
{
    return word[i / 8] >> i % 8 & 1;
}

static void set_field(struct hw_insn *insn, const struct hw_isa_field *f, uint32_t value)
{
    memcpy((char *)insn + f->offset, &value, sizeof value);
}

static void fields_do_not_overlap(void **state)
{
    for (int op = 0; op < HW_N_OPS; op++) {
        bool used[HW_INSN_BITS] = {0};
        int n;
        const struct hw_isa_field *f = hw_isa_fields((enum hw_opcode)op, &n);
        for (int i = 0; i < 9; i++) // op, sample_only, the stream's number
            used[i] = true;
        for (int i = 0; i < n; i++) {
            assert_in_range(f[i].width, 1, 32);
            for (int k = f[i].lsb; k < f[i].lsb + f[i].width; k++) {
                assert_in_range(k, 0, HW_INSN_BITS - 1);
                if (used[k])
                    fail_msg("%s.%s: bit %d is another field's", hw_isa_op_name(op), f[i].name, k);
                used[k] = true;
            }
        }
    }
}

// Fields of one name are one thing: their width, and what they are up to what an operation adds
// behind a comma or in parentheses.
static void a_name_has_one_meaning(void **state)
{
    for (int op = 0; op < HW_N_OPS * HW_N_OPS; op++) {
        enum hw_opcode one = (enum hw_opcode)(op / HW_N_OPS),
                       other = (enum hw_opcode)(op % HW_N_OPS);
        int n_a, n_b;
        const struct hw_isa_field *a = hw_isa_fields(one, &n_a), *b = hw_isa_fields(other, &n_b);
        for (int i = 0; i < n_a * n_b; i++) {
            const struct hw_isa_field *f = &a[i / n_b], *g = &b[i % n_b];
            size_t n = strcspn(f->meaning, ",:("), m = strcspn(g->meaning, ",:(");
            if (strcmp(f->name, g->name) == 0 &&
                (f->width != g->width || n != m || memcmp(f->meaning, g->meaning, n) != 0))
                fail_msg("%s.%s is \"%s\", %s.%s is \"%s\"", hw_isa_op_name(one), f->name,
                         f->meaning, hw_isa_op_name(other), g->name, g->meaning);
        }
    }
}

static void rows_are_the_same_bits(void **state)
{
    int n_matvec, n_recv;
    const struct hw_isa_field *m = hw_isa_fields(HW_OP_MATVEC, &n_matvec);
    const struct hw_isa_field *r = hw_isa_fields(HW_OP_RECV, &n_recv);
    // and the region, which MATVEC reads and RECV writes
    for (int i = 0; i < n_recv; i++) {
        assert_string_equal(m[i].name, strcmp(r[i].name, "target") == 0 ? "source" : r[i].name);
        assert_int_equal(m[i].lsb, r[i].lsb);
        assert_int_equal(m[i].width, r[i].width);
        assert_int_equal(m[i].offset, r[i].offset);
    }
}

// Each field alone, all ones: its bits and no others. One more: refused, by name.
static void encoder_sets_the_fields_bits(void **state)
{
    for (int op = 0; op < HW_N_OPS; op++) {
        int n;
        const struct hw_isa_field *f = hw_isa_fields((enum hw_opcode)op, &n);
        for (int i = 0; i < n; i++) {
            struct hw_insn insn = {.op = (enum hw_opcode)op, .sample_only = i % 2, .name = "x"};
            struct hw_error err = {0};
            uint8_t word[HW_INSN_BYTES];
            set_field(&insn, &f[i], UINT32_MAX >> (32 - f[i].width));
            assert_true(hw_insn_encode(&insn, word, &err));
            for (int k = 0; k < HW_INSN_BITS; k++) {
                bool want = k < 5    ? op >> k & 1
                            : k == 5 ? i % 2
                                     : k >= f[i].lsb && k < f[i].lsb + f[i].width;
                if (bit(word, k) != want)
                    fail_msg("%s.%s: bit %d: expected %d", hw_isa_op_name(op), f[i].name, k, want);
            }
            if (f[i].width == 32)
                continue;
            for (int negative = 0; negative < 2; negative++) {
                err = (struct hw_error){0};
                set_field(&insn, &f[i], negative ? UINT32_MAX : 1u << f[i].width);
                assert_false(hw_insn_encode(&insn, word, &err));
                assert_non_null(strstr(err.text, f[i].name));
            }
        }
    }
}

static char *read_all(FILE *file)
{
    char *text = calloc(1, 1 << 16);
    assert_non_null(file);
    assert_non_null(text);
    assert_in_range(fread(text, 1, (1 << 16) - 1, file), 1, (1 << 16) - 2);
    fclose(file);
    return text;
}

static void same_as_printed(const char *path, void (*print)(FILE *out))
{
    FILE *out = fopen(TEMP_FILE, "w");
    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    char *want = read_all(fopen(TEMP_FILE, "r")), *got = read_all(fopen(path, "r"));
    if (strcmp(want, got) != 0)
        fail_msg("%s is not what gen/chip/isa.h says: make isa", path);
    free(want);
    free(got);
    remove(TEMP_FILE);
}

static void print_latency(FILE *out)
{
    char text[HW_LATENCY_TEXT];
    struct hw_latency usual = {0};
    hw_latency_fill(&usual);
    hw_latency_verilog(&usual, HW_LATENCY_HEAD, text);
    fputs(text, out);
}

static void latency_words(void **state)
{
    struct hw_latency l = {0};
    struct hw_error err = {0};
    assert_true(hw_latency_parse("tree=2", &l, &err));
    assert_int_equal(l.tree, 2);
    assert_int_equal(l.rom, 0);
    assert_true(hw_latency_parse("least,rom=3", &l, &err));
    assert_int_equal(l.tree, 1);
    assert_int_equal(l.rom, 3);
    const char *const refused[] = {"",        "tree",    "tree=",   "tree=0",  "tree=5",
                                   "tree=1x", "trees=1", "tree=1,", ",tree=1", "tree=1;rom=2"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct hw_error none = {0};
        assert_false(hw_latency_parse(refused[i], &l, &none));
        assert_true(none.set);
    }
}

static void committed_files_say_the_same(void **state)
{
    same_as_printed("rtl_templates/isa.vh", hw_isa_print_verilog);
    same_as_printed("docs/isa.md", hw_isa_print_markdown);
    same_as_printed("rtl_templates/latency.vh", print_latency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_do_not_overlap),  cmocka_unit_test(a_name_has_one_meaning),
        cmocka_unit_test(rows_are_the_same_bits), cmocka_unit_test(encoder_sets_the_fields_bits),
        cmocka_unit_test(latency_words),          cmocka_unit_test(committed_files_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
