// SPDX-License-Identifier: Apache-2.0
// refmodel/fixed.h and refmodel/tables.h by their definitions: every input where there are at most
// 2^24 or so, else every edge and a million random ones. Numbers here have 128 bits; the true
// functions are long double libm.
#include <math.h>
#include <stdlib.h>

#define TEMP_FILE "test_fixed.tmp"
#include "tests/random_model.h"

#include "refmodel/fixed.h"
#include "refmodel/ops.h"
#include "refmodel/tables.h"
#include "tests/oracle.h"

__extension__ typedef __int128 wide;

enum { MILLION = 1000000 };

static wide power2(int n)
{
    return (wide)1 << n;
}

// A signed number of up to `bits` bits; its length is as random as its value.
static int64_t random_signed(uint64_t *seed, int bits)
{
    uint64_t x = random_bits(seed) >> (64 - random_in(seed, 1, bits - 1));
    return random_bits(seed) & 1 ? -(int64_t)x : (int64_t)x;
}

// floor(x / 2^n + 1/2)
static wide rounded(wide x, int n)
{
    wide twice = 2 * x + power2(n), q = twice / (2 * power2(n));
    return q * 2 * power2(n) > twice ? q - 1 : q;
}

static wide clamped(wide x, int bits)
{
    wide low = -power2(bits - 1);
    return x < low ? low : x > -low - 1 ? -low - 1 : x;
}

// --- shifts

// y = floor(x / 2^s) is the only y with y * 2^s <= x < (y + 1) * 2^s.
static void expect_floor_shift(int64_t x, int s)
{
    wide y = hw_floor_shift(x, s);
    if (!(y * power2(s) <= x && x < (y + 1) * power2(s)))
        fail_msg("hw_floor_shift(%lld, %d): got %lld", (long long)x, s, (long long)y);
}

// y = floor((x + 2^(s-1)) / 2^s): y - 1/2 <= x / 2^s < y + 1/2, with everything doubled.
static void expect_round_shift(int64_t x, int s)
{
    wide y = hw_round_shift(x, s), twice = 2 * (wide)x;
    if (!((2 * y - 1) * power2(s) <= twice && twice < (2 * y + 1) * power2(s)))
        fail_msg("hw_round_shift(%lld, %d): got %lld", (long long)x, s, (long long)y);
}

static void test_shifts(void **state)
{
    (void)state;
    for (int s = 0; s <= 20; s++)
        for (int64_t x = -(1 << 18); x < 1 << 18; x++) {
            expect_floor_shift(x, s);
            expect_round_shift(x, s);
        }
}

// Multiples of 2^s and ties, and their neighbours, as far as 62 bits reach.
static void test_shift_edges(void **state)
{
    (void)state;
    for (int s = 0; s <= 62; s++) {
        for (int64_t half = -64; half <= 64; half++)
            for (int64_t off = -2; off <= 2; off++) {
                wide x = half * power2(s) / 2 + off;
                if (x <= -power2(62) || x >= power2(62))
                    continue;
                expect_floor_shift((int64_t)x, s);
                expect_round_shift((int64_t)x, s);
            }
        for (int64_t off = 0; off < 4; off++) {
            expect_floor_shift(INT64_MAX - off, s);
            expect_floor_shift(INT64_MIN + off, s);
            expect_round_shift(INT64_MAX / 2 - off, s);
            expect_round_shift(INT64_MIN / 2 + 1 + off, s);
        }
    }
    uint64_t seed = 1;
    for (int i = 0; i < MILLION; i++) {
        int64_t x = random_signed(&seed, 62);
        int s = random_in(&seed, 0, 62);
        expect_floor_shift(x, s);
        expect_round_shift(x, s);
    }
}

// --- saturation

static void expect_saturate(int64_t x, int bits)
{
    wide want = clamped(x, bits);
    int64_t got = hw_saturate(x, bits);
    if (got != want)
        fail_msg("hw_saturate(%lld, %d): got %lld", (long long)x, bits, (long long)got);
}

static void test_saturate(void **state)
{
    (void)state;
    for (int bits = 2; bits <= 18; bits++)
        for (int64_t x = -(1 << 18); x < 1 << 18; x++)
            expect_saturate(x, bits);
    for (int bits = 2; bits <= 62; bits++)
        for (int64_t off = -4; off <= 4; off++) {
            expect_saturate((int64_t)power2(bits - 1) + off, bits);
            expect_saturate(off - (int64_t)power2(bits - 1), bits);
            expect_saturate(off < 0 ? INT64_MAX + off : INT64_MIN + off, bits);
        }
    uint64_t seed = 2;
    for (int i = 0; i < MILLION; i++)
        expect_saturate(random_signed(&seed, 63), random_in(&seed, 2, 62));
}

// --- bit length

static void expect_bit_length(uint64_t x)
{
    int n = hw_bit_length(x);
    if (!(x < power2(n) && (n == 0 || x >= power2(n - 1))))
        fail_msg("hw_bit_length(%llu): got %d", (unsigned long long)x, n);
}

static void test_bit_length(void **state)
{
    (void)state;
    for (uint64_t x = 0; x < 1 << 24; x++)
        expect_bit_length(x);
    for (int n = 24; n < 64; n++)
        for (uint64_t off = 0; off < 3; off++)
            expect_bit_length((UINT64_C(1) << n) + off - 1);
    expect_bit_length(UINT64_MAX);
}

// --- requantizer

static void expect_requant(int64_t acc, int word, int shift, int bits)
{
    wide want = clamped(rounded((wide)acc * (256 + word % 256) * power2(word / 256), shift), bits);
    int64_t got = hw_requant(acc, (uint16_t)word, shift, bits);
    if (got != want)
        fail_msg("hw_requant(%lld, 0x%03x, %d, %d): got %lld, expected %lld", (long long)acc, word,
                 shift, bits, (long long)got, (long long)want);
}

static void test_requant(void **state)
{
    (void)state;
    static const int widths[] = {4, 8, 16, 18, 24};
    static const int64_t edge[] = {
        0, 1, 2, 255, 32767, 32768, (INT64_C(1) << 31) + 1, (INT64_C(1) << 40) - 1};
    for (int word = 0; word < 4096; word++)
        for (int shift = 15; shift <= 62; shift++)
            for (int i = 0; i < 8; i++) {
                expect_requant(edge[i], word, shift, widths[(word + i) % 5]);
                expect_requant(-edge[i], word, shift, widths[(word + i) % 5]);
            }
    uint64_t seed = 3;
    for (int i = 0; i < MILLION; i++)
        expect_requant(random_signed(&seed, 41), random_in(&seed, 0, 4095),
                       random_in(&seed, 15, 62), random_in(&seed, 2, 24));
}

// Accumulators next to a tie: acc * mant = (odd number) * 2^(shift - exp - 1), +- a little.
static void test_requant_ties(void **state)
{
    (void)state;
    for (int s = 1; s <= 40; s++) // shift - exp
        for (int odd = -63; odd <= 63; odd += 2)
            for (int off = -1; off <= 1; off++) {
                wide acc = odd * power2(s - 1) / 256 + off; // mant 256
                if (acc <= -power2(40) || acc >= power2(40))
                    continue;
                int exp = s < 15 ? 15 - s : 0;
                expect_requant((int64_t)acc, exp << 8, s + exp, 24);
            }
}

// --- tables

struct curve {
    enum hw_table_id id;
    int first, end;            // inputs
    int64_t (*oracle)(int);    // exact
    long double (*truth)(int); // in units of 2^-15
    int direction;             // 1: rises, -1: falls
    long double bound;         // on |table - truth|, in units of 2^-15
};

static long double true_exp2(int f)
{
    return ldexpl(exp2l(-f / 1024.0L), 15);
}

static long double true_recip(int f)
{
    return ldexpl(1.0L / (1.0L + f / 32768.0L), 15);
}

static long double true_rsqrt(int m)
{
    return ldexpl(1.0L / sqrtl(m / 16384.0L), 15);
}

static long double true_sigmoid(int a)
{
    return ldexpl(1.0L / (1.0L + expl(-a / 1024.0L)), 15);
}

// Bounds: h^2 / 8 * max |f''| of the chord, half a unit for each of the two roundings.
static const struct curve curves[] = {
    {HW_TABLE_EXP2, 0, 1 << 10, oracle_exp2, true_exp2, -1, 0.48L + 1.0L},
    {HW_TABLE_RECIP, 0, 1 << 15, oracle_recip, true_recip, -1, 2.0L + 1.0L},
    {HW_TABLE_RSQRT, 1 << 14, 1 << 16, oracle_rsqrt, true_rsqrt, -1, 3.0L + 1.0L},
    {HW_TABLE_SIGMOID, 0, 1 << 14, oracle_sigmoid, true_sigmoid, 1, 6.2L + 1.0L},
};

static void test_every_table_input(void **state)
{
    (void)state;
    for (int i = 0; i < HW_N_TABLES; i++) {
        const struct curve *c = &curves[i];
        const struct hw_table *t = hw_table(c->id);
        long double worst = 0.0L;
        int before = 0;
        for (int x = c->first; x < c->end; x++) {
            int got = hw_table_lerp(t, (uint32_t)x);
            long double error = fabsl((long double)got - c->truth(x));
            if (got != c->oracle(x))
                fail_msg("%s(%d): got %d, expected %d", t->name, x, got, (int)c->oracle(x));
            if (got < 0 || got > 32768 || error > c->bound)
                fail_msg("%s(%d): got %d, %.2Lf away", t->name, x, got, error);
            if (x > c->first && (got - before) * c->direction < 0)
                fail_msg("%s(%d): %d after %d", t->name, x, got, before);
            worst = error > worst ? error : worst;
            before = got;
        }
        printf("             %-7s %5d inputs, at most %.2Lf / 32768 from the function\n", t->name,
               c->end - c->first, worst);
    }
}

// What the ROMs and the multiplier of lerp.v rely on.
static void test_table_entries(void **state)
{
    (void)state;
    for (int id = 0; id < HW_N_TABLES; id++) {
        const struct hw_table *t = hw_table((enum hw_table_id)id);
        int n = 1 << t->index_bits, first = id == HW_TABLE_RSQRT ? n / 4 : 0;
        assert_true(n <= HW_TABLE_MAX);
        assert_int_equal(n << t->frac_bits, curves[id].end);
        for (int i = 0; i < first; i++)
            assert_true(t->entry[i].base == 0 && t->entry[i].step == 0);
        for (int i = first; i < n; i++) {
            assert_true(t->entry[i].step >= -2048 && t->entry[i].step <= 2047);
            if (i + 1 < n)
                assert_int_equal(t->entry[i].base + t->entry[i].step, t->entry[i + 1].base);
        }
    }
    assert_int_equal(hw_table_lerp(hw_table(HW_TABLE_EXP2), 0), 32768);
    assert_int_equal(hw_table_lerp(hw_table(HW_TABLE_RECIP), 0), 32768);
    assert_int_equal(hw_table_lerp(hw_table(HW_TABLE_RSQRT), 1 << 14), 32768);
    assert_int_equal(hw_table_lerp(hw_table(HW_TABLE_SIGMOID), 0), 16384);
}

// --- operators over small spaces

// One element: every residual of 11 bits with small eps (all the shapes that ss can have), seen
// through a gain that shows t = x / sqrt(ss) unrounded.
static void test_rmsnorm_small(void **state)
{
    (void)state;
    int16_t gain = 2;
    struct hw_qnorm norm = {.gain = &gain, .shift = 1};
    for (int32_t x = -1024; x < 1024; x++)
        for (uint64_t eps = 1; eps <= 300; eps++) {
            wide ss = (wide)x * x + (wide)eps;
            int k = 0;
            while (ss >= 4 * power2(2 * k))
                k++;
            wide root = oracle_rsqrt((int)(ss * power2(14) / power2(2 * k)));
            wide want = clamped(rounded(4 * root * x, k), 18);
            int32_t got;
            norm.eps_ss = eps;
            hw_rmsnorm(&norm, &x, 1, 20, &got);
            if (got != want)
                fail_msg("hw_rmsnorm of %d, eps %d: got %d, expected %d", x, (int)eps, got,
                         (int)want);
        }
}

// The reciprocal square root from the smallest to the largest sum of squares: within 4 parts in
// 32768 of the true quotient and its own rounding.
static void test_rmsnorm_range(void **state)
{
    (void)state;
    static int16_t gain[4096];
    static int32_t x[4096], y[4096];
    struct hw_qnorm norm = {.gain = gain, .shift = 1};
    uint64_t seed = 4;
    for (int c = 0; c < 4096; c++)
        gain[c] = 2;
    for (int i = 0; i < 2000; i++) {
        int dim = random_in(&seed, 1, i % 10 ? 16 : 4096), bits = random_in(&seed, 2, 24);
        uint64_t eps = random_bits(&seed) >> random_in(&seed, 32, 63);
        eps += eps == 0;
        long double ss = (long double)eps;
        for (int c = 0; c < dim; c++) {
            x[c] = i % 7 ? random_in(&seed, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
                         : -(1 << (bits - 1));
            ss += (long double)x[c] * x[c];
        }
        norm.eps_ss = eps;
        hw_rmsnorm(&norm, x, dim, 20, y);
        for (int c = 0; c < dim; c++) {
            long double want = ldexpl(x[c] / sqrtl(ss), 17);
            if (fabsl(y[c] - want) > fabsl(want) * 9.0L / 32768.0L + 1.5L)
                fail_msg("hw_rmsnorm of %d among %d: got %d, expected about %.1Lf", x[c], dim, y[c],
                         want);
        }
    }
}

// Every gate, with ups from end to end.
static void test_swiglu(void **state)
{
    (void)state;
    static const int ups[] = {-32768, -32767, -1234, -1, 0, 1, 77, 32767};
    for (int gate = -(1 << 17); gate < 1 << 17; gate++) {
        int a = abs(gate);
        wide sigmoid = a < 1 << 14 ? oracle_sigmoid(a) : 32768;
        wide silu = rounded((gate < 0 ? 32768 - sigmoid : sigmoid) * gate, 15);
        for (int i = 0; i < 8; i++) {
            int up = ups[i], shift = 1 + (gate + (1 << 17) + i * 5) % 40;
            wide want = clamped(rounded(silu * up, shift), 8 + i % 5);
            int32_t got = hw_swiglu(gate, up, shift, 8 + i % 5);
            if (got != want)
                fail_msg("hw_swiglu(%d, %d, %d): got %d, expected %d", gate, up, shift, got,
                         (int)want);
        }
    }
}

// --- rotation angles

static void test_rope_shape(void **state)
{
    (void)state;
    for (int seq_len = 1; seq_len <= 1 << 19; seq_len += seq_len < 5000 ? 1 : 997) {
        int lo_bits, n_hi, bits = 0;
        hw_rope_shape(seq_len, &lo_bits, &n_hi);
        while ((INT64_C(1) << (2 * bits)) < seq_len)
            bits++; // ceil(log2(seq_len) / 2)
        assert_int_equal(lo_bits, bits);
        assert_true(n_hi << lo_bits >= seq_len && (n_hi - 1) << lo_bits < seq_len);
    }
}

static struct hw_rope make_rope(const struct hw_config *c)
{
    struct hw_rope r;
    size_t half = (size_t)c->head_dim / 2;
    hw_rope_shape(c->seq_len, &r.lo_bits, &r.n_hi);
    r.hi_cos = calloc((size_t)r.n_hi * half, sizeof *r.hi_cos);
    r.hi_sin = calloc((size_t)r.n_hi * half, sizeof *r.hi_sin);
    r.lo_cos = calloc(half << r.lo_bits, sizeof *r.lo_cos);
    r.lo_sin = calloc(half << r.lo_bits, sizeof *r.lo_sin);
    assert_int_equal(hw_rope_tables(c, &r), 0);
    return r;
}

static void free_rope(struct hw_rope *r)
{
    free(r->hi_cos);
    free(r->hi_sin);
    free(r->lo_cos);
    free(r->lo_sin);
}

// Every pair of every position: exactly the oracle's, and within 2 / 16384 of the true angle.
static long double expect_angles(const struct hw_config *c)
{
    struct hw_rope rope = make_rope(c);
    int half = c->head_dim / 2;
    int32_t cos[64], sin[64];
    long double worst = 0.0L;
    for (int pos = 0; pos < c->seq_len; pos++) {
        hw_rope_angles(&rope, half, pos, cos, sin);
        for (int i = 0; i < half; i++) {
            int64_t want_cos, want_sin;
            oracle_angle(c, i, pos, &want_cos, &want_sin);
            if (cos[i] != want_cos || sin[i] != want_sin)
                fail_msg("seq_len %d, pos %d pair %d: got %d, %d, expected %d, %d", c->seq_len, pos,
                         i, cos[i], sin[i], (int)want_cos, (int)want_sin);
            long double angle = pos * powl((long double)c->rope_base, -2.0L * i / c->head_dim) /
                                (c->rope_divisor[i] > 0.0 ? (long double)c->rope_divisor[i] : 1.0L);
            long double error =
                hypotl(cos[i] - 16384.0L * cosl(angle), sin[i] - 16384.0L * sinl(angle));
            worst = error > worst ? error : worst;
        }
    }
    free_rope(&rope);
    assert_true(worst < 2.2L); // two rounded vectors, 0.71 each, and the product's own 0.71
    return worst;
}

static void test_rope_angles(void **state)
{
    (void)state;
    static const struct hw_config configs[] = {
        {.head_dim = 8, .seq_len = 512, .rope_base = 10000.0},
        {.head_dim = 2, .seq_len = 1, .rope_base = 10000.0},
        {.head_dim = 6, .seq_len = 2, .rope_base = 10000.0},
        {.head_dim = 20, .seq_len = 3, .rope_base = 1.0},
        {.head_dim = 64, .seq_len = 257, .rope_base = 100000.0},
        {.head_dim = 128, .seq_len = 1025, .rope_base = 500000.0},
        {.head_dim = 4, .seq_len = 131072, .rope_base = 1000000.0},
        {.head_dim = 8,
         .seq_len = 2048,
         .rope_base = 500000.0,
         .rope_divisor = {1.0, 1.0, 2.75, 8.0}},
    };
    long double worst = 0.0L;
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        long double error = expect_angles(&configs[i]);
        worst = error > worst ? error : worst;
    }
    printf("             angles at most %.2Lf / 16384 from the true rotation\n", worst);
}

// --- elementary functions

static void expect_close(const char *name, double x, double got, long double want)
{
    if (fabsl(got - want) > fabsl(want) * 1e-14L)
        fail_msg("%s(%.17g): got %.17g, expected %.17Lg", name, x, got, want);
}

static void test_elementary(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int i = 0; i < MILLION / 4; i++) {
        double u = (double)(random_bits(&seed) >> 11) / 9007199254740992.0;
        double x = (u * 2.0 - 1.0) * ldexp(700.0, -random_in(&seed, 0, 20));
        double angle = (u * 2.0 - 1.0) * ldexp(1e6, -random_in(&seed, 0, 40));
        double positive = ldexp(1.0 + u, random_in(&seed, -300, 300));
        expect_close("hw_exp", x, hw_exp(x), expl((long double)x));
        expect_close("hw_sin", angle, hw_sin(angle), sinl((long double)angle));
        expect_close("hw_cos", angle, hw_cos(angle), cosl((long double)angle));
        expect_close("hw_log", positive, hw_log(positive), logl((long double)positive));
        double near_one = 0.5 + u;
        expect_close("hw_log", near_one, hw_log(near_one), logl((long double)near_one));
    }
    assert_true(hw_exp(0.0) == 1.0 && hw_sin(0.0) == 0.0 && hw_cos(0.0) == 1.0);
    assert_true(hw_log(1.0) == 0.0 && hw_exp(-1000.0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_shift_edges),
        cmocka_unit_test(test_saturate),
        cmocka_unit_test(test_bit_length),
        cmocka_unit_test(test_requant),
        cmocka_unit_test(test_requant_ties),
        cmocka_unit_test(test_every_table_input),
        cmocka_unit_test(test_table_entries),
        cmocka_unit_test(test_rmsnorm_small),
        cmocka_unit_test(test_rmsnorm_range),
        cmocka_unit_test(test_swiglu),
        cmocka_unit_test(test_rope_shape),
        cmocka_unit_test(test_rope_angles),
        cmocka_unit_test(test_elementary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
