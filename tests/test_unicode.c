// SPDX-License-Identifier: Apache-2.0
// Classes of characters: every code point against Perl's copy of the Unicode database, which is not
// Python's, and the committed table against its script.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gen/text/vocab.h"

enum { N_CODES = 0x110000 };

// A letter a code point: L, N, S or a dot.
static const char *const PERL =
    "perl -e 'use Unicode::UCD; no warnings; print Unicode::UCD::UnicodeVersion(), \"\\n\";"
    " for $c (0 .. 0x10FFFF) { $_ = chr($c); print /\\p{White_Space}/ ? \"S\" : /\\p{L}/ ? \"L\" :"
    " /\\p{N}/ ? \"N\" : \".\" }'";

static void test_against_perl(void **state)
{
    static char classes[N_CODES + 1];
    static const char letters[] = {[HW_CHAR_LETTER] = 'L',
                                   [HW_CHAR_NUMBER] = 'N',
                                   [HW_CHAR_SPACE] = 'S',
                                   [HW_CHAR_OTHER] = '.'};
    char version[32];
    int n[128] = {0};
    (void)state;
    FILE *perl = popen(PERL, "r");
    assert_non_null(perl);
    assert_non_null(fgets(version, sizeof version, perl));
    assert_string_equal(version, "14.0.0\n");
    assert_int_equal(fread(classes, 1, sizeof classes, perl), N_CODES);
    assert_int_equal(pclose(perl), 0);
    for (uint32_t c = 0; c < N_CODES; c++) {
        char got = letters[hw_char_class(c)];
        if (got != classes[c])
            fail_msg("U+%04X: Perl says %c, hw_char_class %c", c, classes[c], got);
        n[(int)got]++;
    }
    assert_true(n['L'] > 130000 && n['N'] > 1700 && n['S'] == 25); // all were there to compare
    assert_int_equal(hw_char_class(0x110000), HW_CHAR_OTHER);
    assert_int_equal(hw_char_class(UINT32_MAX), HW_CHAR_OTHER);
}

static void test_script(void **state)
{
    static char made[65536], committed[65536];
    (void)state;
    FILE *script = popen("python3 gen/text/make_unicode.py", "r");
    FILE *file = fopen("gen/text/unicode_ranges.h", "r");
    assert_true(script && file);
    size_t n = fread(made, 1, sizeof made, script), m = fread(committed, 1, sizeof committed, file);
    assert_int_equal(pclose(script), 0);
    fclose(file);
    assert_true(n == m && n > 1000 && n < sizeof made);
    assert_memory_equal(made, committed, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_perl),
                                       cmocka_unit_test(test_script)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
