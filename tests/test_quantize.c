// SPDX-License-Identifier: Apache-2.0
// The quantizer: options it refuses, every integer (rounded for itself) the nearest to its float,
// units that agree from one operator to the next, logits close to those of the float model.
#define TEMP_FILE "test_quantize.tmp"
#include "tests/random_model.h"

#include <stdlib.h>

#include "gen/float/calibrate.h"
#include "gen/quant/balance.h"
#include "gen/text/tokenizer.h"
#include "refmodel/ref.h"

#define OUTPUT TEMP_FILE ".out"

// --- options

static void expect_options_refused(const struct hw_model *model,
                                   const struct hw_quantize_options *o, const char *name)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    memset(&q, 0xAA, sizeof q);
    assert_false(hw_quantize(model, o, &q, &err));
    assert_true(err.set && all_zero(&q, sizeof q));
    char text[64];
    snprintf(text, sizeof text, "quantize: %s: expected ", name);
    if (strncmp(err.text, text, strlen(text)) != 0)
        fail_msg("expected \"%s...\", got \"%s\"", text, err.text);
}

static void test_options(void **state)
{
    (void)state;
    struct hw_quantize_options o, good;
    hw_quantize_defaults(&good);
    o = good;
    const struct {
        const char *name;
        int *field, low, high;
    } option[] = {
        {"code-bits", &o.widths.code_bits, 2, 4}, {"act-bits", &o.widths.act_bits, 4, 12},
        {"kv-bits", &o.widths.kv_bits, 4, 12},    {"res-bits", &o.widths.res_bits, 16, 24},
        {"bits", &o.weight_bits, 2, 8},           {"head-bits", &o.head_bits, 2, 8}};
    struct hw_config c = small_tied;
    c.n_layers = 1;
    struct hw_model *model = random_checkpoint(&c, 1);
    for (size_t i = 0; i < sizeof option / sizeof option[0]; i++) {
        const int bad[] = {option[i].low - 1, option[i].high + 1, -1, -8, 64, 1 << 30};
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            *option[i].field = bad[k];
            expect_options_refused(model, &o, option[i].name);
            o = good;
        }
        for (int v = option[i].low; v <= option[i].high; v++) {
            struct hw_error err = {0};
            struct hw_qmodel q;
            *option[i].field = v;
            if (!hw_quantize(model, &o, &q, &err))
                fail_msg("%s %d: %s", option[i].name, v, err.text);
            hw_qmodel_free(&q);
            o = good;
        }
    }
    hw_model_close(model);
}

// --- integers against floats

// A quantized matrix and the float rows it stands for.
struct pairing {
    const char *name;
    const struct hw_qmatrix *m;
    const float *w;          // [n_out][n_in]
    int first_row, row_step; // rows of m; gate_up holds two matrices
};

static double row_value(const struct pairing *p, int r)
{
    int word = p->m->scale[p->first_row + r * p->row_step];
    return ldexp(256.0 + word % 256, word / 256);
}

static double quantized_weight(const struct pairing *p, int r, int c)
{
    return p->m->weight[(p->first_row + r * p->row_step) * p->m->n_in + c];
}

// What is known of a matrix's unit, the real value of one weight step at scale word value 1.
struct bounds {
    double low, high;
};

// Narrows b to the units that satisfy factor * unit <= x.
static void require(struct bounds *b, double factor, double x)
{
    if (factor > 0.0)
        b->high = x / factor < b->high ? x / factor : b->high;
    else if (factor < 0.0)
        b->low = x / factor > b->low ? x / factor : b->low;
}

// The integers a weight of the matrix can be, ascending.
struct values {
    int value[256], n;
};

static struct values grid_values(const struct pairing *p, int bits)
{
    struct values v = {.n = 1 << bits};
    const int16_t *fine = p->m->levels[p->m->n_planes - 1];
    for (int k = 0; k < v.n; k++)
        v.value[k] = p->m->n_planes == 1 ? fine[k] : p->m->levels[0][0] + k * (fine[1] - fine[0]);
    return v;
}

static int index_of(const struct values *v, double q)
{
    for (int k = 0; k < v->n; k++)
        if (v->value[k] == (int)q)
            return k;
    fail_msg("%.0f is not a level", q);
    return -1;
}

// One unit explains every weight of the matrix: the integer is the nearest of the grid. Each weight
// bounds the unit from both sides, those at the grid's ends from one; some unit must remain.
static double common_unit(const struct pairing *p, struct values grid)
{
    struct bounds unit = {0.0, INFINITY};
    for (int r = 0; r < p->m->n_out / p->row_step; r++)
        for (int c = 0; c < p->m->n_in; c++) {
            double q = quantized_weight(p, r, c);
            int k = index_of(&grid, q);
            double x = (double)p->w[r * p->m->n_in + c] / row_value(p, r);
            if (k > 0)
                require(&unit, (q + grid.value[k - 1]) / 2.0, x);
            if (k < grid.n - 1)
                require(&unit, -(q + grid.value[k + 1]) / 2.0, -x);
            if (unit.low > unit.high * (1.0 + 1e-9))
                fail_msg("%s: row %d column %d: %.9g became %.0f, where the unit is %.9g to %.9g",
                         p->name, r, c, x, q, unit.low, unit.high);
        }
    return (unit.low + unit.high) / 2.0;
}

// Few weights lie beyond the grid, and no further than the search for a row's scale goes: to 0.79
// of its largest weight at 6 bits, 0.3 below.
static void expect_close_weights(const struct pairing *p, int bits)
{
    struct values grid = grid_values(p, bits);
    double grid_step = (grid.value[grid.n - 1] - grid.value[0]) / (grid.n - 1.0);
    int n_clipped = 0, n = p->m->n_out / p->row_step * p->m->n_in;
    double unit = common_unit(p, grid), beyond = bits >= 8 ? 1.01 : bits >= 6 ? 1.3 : 3.5;
    for (int r = 0; r < p->m->n_out / p->row_step; r++)
        for (int c = 0; c < p->m->n_in; c++) {
            double q = quantized_weight(p, r, c);
            double exact = (double)p->w[r * p->m->n_in + c] / (unit * row_value(p, r));
            int end = grid.value[q < 0.0 ? 0 : grid.n - 1];
            n_clipped += q == end && fabs(exact) > abs(end) + grid_step * 0.51;
            if (fabs(exact) > abs(end) * beyond)
                fail_msg("%s: row %d column %d: %.2f was cut to %.0f", p->name, r, c, exact, q);
        }
    if (n_clipped * (bits >= 6 ? 10 : 3) > n)
        fail_msg("%s: %d of %d weights clipped", p->name, n_clipped, n);
}

// The weights that were rounded: those of the checkpoint, balanced as the quantizer does.
static struct hw_float *balanced(const struct hw_config *c, uint64_t seed,
                                 const struct hw_quantize_options *o)
{
    struct hw_error err = {0};
    struct hw_calibration ranges;
    struct hw_model *model = random_checkpoint(c, seed);
    struct hw_float *f = hw_float_new(model, &err);
    assert_true(hw_calibrate(f, c, NULL, 4096, NULL, &ranges, &err));
    assert_true(hw_balance(f, c, o, &ranges, &err));
    hw_calibration_free(&ranges);
    hw_model_close(model);
    return f;
}

static void expect_close_model(const struct hw_config *c, uint64_t seed, int bits, int code_bits)
{
    struct hw_quantize_options o;
    hw_quantize_defaults(&o);
    o.weight_bits = bits;
    o.widths.code_bits = code_bits;
    o.nearest = true;
    struct hw_qmodel q = quantized(c, seed, &o);
    struct hw_float *f = balanced(c, seed, &o);
    struct pairing ends[] = {{"embedding", &q.embed, hw_float_tensor(f, HW_TOK_EMBED, 0), 0, 1},
                             {"classifier", &q.head, NULL, 0, 1}};
    expect_close_weights(&ends[0], bits);
    if (!c->tied) {
        ends[1].w = hw_float_tensor(f, HW_OUTPUT, 0);
        expect_close_weights(&ends[1], bits);
    }
    for (int l = 0; l < c->n_layers; l++) {
        const struct hw_qlayer *y = &q.layers[l];
        const struct pairing part[] = {
            {"wk", &y->wk, hw_float_tensor(f, HW_WK, l), 0, 1},
            {"wq", &y->wq, hw_float_tensor(f, HW_WQ, l), 0, 1},
            {"wv", &y->wv, hw_float_tensor(f, HW_WV, l), 0, 1},
            {"wo", &y->wo, hw_float_tensor(f, HW_WO, l), 0, 1},
            {"gate", &y->gate_up, hw_float_tensor(f, HW_W_GATE, l), 0, 2},
            {"up", &y->gate_up, hw_float_tensor(f, HW_W_UP, l), 1, 2},
            {"down", &y->down, hw_float_tensor(f, HW_W_DOWN, l), 0, 1},
        };
        for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
            expect_close_weights(&part[i], bits);
    }
    hw_float_free(f);
    hw_qmodel_free(&q);
}

static void test_weights_close(void **state)
{
    (void)state;
    struct hw_config untied = small_untied();
    for (int bits = 2; bits <= 8; bits++)
        for (int code_bits = 2; code_bits <= 4; code_bits++)
            expect_close_model(bits % 2 ? &untied : &small_tied, (uint64_t)bits, bits, code_bits);
}

// --- units

// Real value of one step of a norm's output: gain * sqrt(dim) / (gain as stored), least squares.
static double norm_unit(const struct hw_qnorm *n, const float *gain, int dim)
{
    double stored = 0.0, exact = 0.0;
    for (int i = 0; i < dim; i++) {
        stored += (double)n->gain[i] * n->gain[i];
        exact += (double)n->gain[i] * (double)gain[i];
    }
    return exact / stored * sqrt(dim) * ldexp(1.0, n->shift - 17);
}

// Real value of one step of a matrix's rows, given that of its input.
static double row_unit(const struct hw_qmatrix *m, const float *w, int first_row, int row_step,
                       double in_unit)
{
    struct pairing p = {"unit", m, w, first_row, row_step};
    return common_unit(&p, grid_values(&p, 8)) * in_unit * ldexp(1.0, m->shift);
}

static void expect_unit(const char *name, double got, double want)
{
    if (fabs(got / want - 1.0) > 0.004)
        fail_msg("%s: got a unit of %.6g, expected %.6g", name, got, want);
}

// Every integer of a layer stands for a real number; the operators must agree on which.
static void expect_layer_units(const struct hw_qmodel *q, struct hw_float *f, int l, double res)
{
    const struct hw_qlayer *y = &q->layers[l];
    int dim = q->config.dim, kv_bits = q->widths.kv_bits;
    double attn_in = norm_unit(&y->attn_norm, hw_float_tensor(f, HW_ATTN_NORM, l), dim);
    double ffn_in = norm_unit(&y->ffn_norm, hw_float_tensor(f, HW_FFN_NORM, l), dim);
    double k = ldexp(row_unit(&y->wk, hw_float_tensor(f, HW_WK, l), 0, 1, attn_in), 15 - kv_bits);
    double query = ldexp(row_unit(&y->wq, hw_float_tensor(f, HW_WQ, l), 0, 1, attn_in), 15 - 12);
    double v = row_unit(&y->wv, hw_float_tensor(f, HW_WV, l), 0, 1, attn_in);
    double gate = row_unit(&y->gate_up, hw_float_tensor(f, HW_W_GATE, l), 0, 2, ffn_in);
    double up = row_unit(&y->gate_up, hw_float_tensor(f, HW_W_UP, l), 1, 2, ffn_in);
    double hidden = ldexp(up / 1024.0, y->hidden_shift);

    expect_unit("gate", gate, 1.0 / 1024.0);
    expect_unit("wo", row_unit(&y->wo, hw_float_tensor(f, HW_WO, l), 0, 1, ldexp(v, -y->att_shift)),
                res);
    expect_unit("down", row_unit(&y->down, hw_float_tensor(f, HW_W_DOWN, l), 0, 1, hidden), res);
    // softmax is base e, of q . k / sqrt(head_dim); scores are base 2 with 10 fraction bits
    expect_unit("score", query * k / sqrt(q->config.head_dim) / log(2.0) * 1024.0,
                ldexp(64.0, -y->score_shift));
}

static void expect_units(const struct hw_config *c, uint64_t seed, struct hw_widths widths)
{
    struct hw_quantize_options o;
    hw_quantize_defaults(&o);
    o.widths = widths;
    o.nearest = true;
    struct hw_qmodel q = quantized(c, seed, &o);
    struct hw_float *f = balanced(c, seed, &o);
    const float *embedding = hw_float_tensor(f, HW_TOK_EMBED, 0);
    struct pairing p = {"embedding", &q.embed, embedding, 0, 1};
    double res = common_unit(&p, grid_values(&p, 8)) / 256.0 * ldexp(1.0, q.embed_shift);
    for (int l = 0; l < c->n_layers; l++)
        expect_layer_units(&q, f, l, res);
    double last = norm_unit(&q.final_norm, hw_float_tensor(f, HW_OUTPUT_NORM, 0), c->dim);
    const float *head = c->tied ? embedding : hw_float_tensor(f, HW_OUTPUT, 0);
    expect_unit("logits", row_unit(hw_classifier(&q), head, 0, 1, last), q.logit_scale);
    expect_unit("eps", (double)q.final_norm.eps_ss * res * res, c->norm_eps * c->dim);
    hw_float_free(f);
    hw_qmodel_free(&q);
}

// --- natively ternary

static void expect_codes_kept(const struct hw_qmatrix *m, enum hw_tensor_id id, int layer,
                              int first, int step)
{
    assert_int_equal(m->n_planes, 1);
    for (int r = first; r < m->n_out; r += step)
        for (int c = 0; c < m->n_in; c++) {
            int weight = m->weight[r * m->n_in + c], code = ternary_code(id, layer, r / step, c);
            if (weight != code)
                fail_msg("tensor %d layer %d row %d column %d: %d, expected %d", (int)id, layer,
                         r / step, c, weight, code);
        }
}

// Every code of every layer survives, and one row scale a tensor: its factor, to 9 bits.
static void test_ternary(void **state)
{
    (void)state;
    static struct buffer b;
    struct hw_error err;
    struct hw_qmodel q;
    struct hw_quantize_options o;
    put_bitllama(&b, &tiny);
    struct hw_model *model = open_bytes(&b, &err);
    assert_non_null(model);
    hw_quantize_defaults(&o);
    o.ternary = true;
    o.widths.code_bits = 2;
    if (!hw_quantize(model, &o, &q, &err))
        fail_msg("%s", err.text);
    for (int l = 0; l < q.config.n_layers; l++) {
        const struct hw_qlayer *y = &q.layers[l];
        expect_codes_kept(&y->wk, HW_WK, l, 0, 1);
        expect_codes_kept(&y->wq, HW_WQ, l, 0, 1);
        expect_codes_kept(&y->wv, HW_WV, l, 0, 1);
        expect_codes_kept(&y->wo, HW_WO, l, 0, 1);
        expect_codes_kept(&y->gate_up, HW_W_GATE, l, 0, 2);
        expect_codes_kept(&y->gate_up, HW_W_UP, l, 1, 2);
        expect_codes_kept(&y->down, HW_W_DOWN, l, 0, 1);
    }
    hw_qmodel_free(&q);
    hw_model_close(model);
}

static void test_units(void **state)
{
    (void)state;
    struct hw_config untied = small_untied();
    for (uint64_t seed = 1; seed <= 6; seed++) {
        expect_units(&small_tied, seed, (struct hw_widths){4, 8, 8, 24});
        expect_units(&untied, seed, (struct hw_widths){3, 12, 6, 22});
        expect_units(&untied, seed, (struct hw_widths){2, 6, 4, 23});
    }
}

// Mean square of the logits' error over that of the logits, over a context of random tokens.
// Calibrated on random tokens too: a tied random model repeats itself when it writes its own text.
static double logit_noise(const struct hw_config *c, uint64_t seed, struct hw_quantize_options o)
{
    struct hw_error err = {0};
    int calib[2048];
    uint64_t text = seed + 100;
    for (int i = 0; i < 2048; i++)
        calib[i] = random_in(&text, 0, c->vocab_size - 1);
    o.calib_tokens = calib;
    o.n_calib_tokens = 2048;
    struct hw_qmodel q = quantized(c, seed, &o);
    struct hw_model *model = random_checkpoint(c, seed);
    struct hw_float *f = hw_float_new(model, &err);
    struct hw_ref *ref = hw_ref_new(&q);
    double noise = 0.0, power = 0.0;
    for (int pos = 0; pos < c->seq_len; pos++) {
        int token = random_in(&seed, 0, c->vocab_size - 1);
        const float *want = hw_float_forward(f, token, pos);
        const int32_t *got = hw_ref_forward(ref, token, pos, 1);
        for (int i = 0; i < c->vocab_size; i++) {
            double error = got[i] * q.logit_scale - (double)want[i];
            noise += error * error;
            power += (double)want[i] * (double)want[i];
        }
    }
    hw_ref_free(ref);
    hw_float_free(f);
    hw_model_close(model);
    hw_qmodel_free(&q);
    return noise / power;
}

// More bits, less noise. These models attend sharply, so they are harder than trained ones.
static void test_logits_close(void **state)
{
    (void)state;
    struct hw_quantize_options o;
    hw_quantize_defaults(&o);
    o.widths.act_bits = 12;
    o.widths.res_bits = 24;
    double noise[9] = {0};
    for (int bits = 2; bits <= 8; bits++) {
        o.weight_bits = bits;
        for (uint64_t seed = 1; seed <= 8; seed++) {
            struct hw_config c = seed % 2 ? small_untied() : small_tied;
            noise[bits] += logit_noise(&c, seed, o) / 8.0;
        }
        printf("             %d-bit weights: logits %.1f dB\n", bits, -10.0 * log10(noise[bits]));
        if (bits > 2)
            assert_true(noise[bits] < noise[bits - 1]);
    }
    assert_true(-10.0 * log10(noise[8]) > 27.0);
    hw_quantize_defaults(&o);
    double usual = 0.0;
    for (uint64_t seed = 1; seed <= 8; seed++)
        usual += logit_noise(&small_tied, seed, o) / 8.0;
    printf("             defaults: logits %.1f dB\n", -10.0 * log10(usual));
    assert_true(-10.0 * log10(usual) > 23.0);
}

// --- many tokens

// What an observer saw, a sum a tap and layer that depends on the order of values.
struct seen {
    double sum[HW_N_FLOAT_TAPS][4];
    long n;
};

static void note(void *user, enum hw_float_tap tap, int layer, const float *v, int n)
{
    struct seen *s = user;
    for (int i = 0; i < n && tap != HW_FLOAT_RESIDUAL; i++, s->n++) // its order differs
        s->sum[tap][layer] = s->sum[tap][layer] * 0.75 + (double)v[i];
}

// Layer by layer shows the numbers of token by token, sequences cut at BOS and at the context's
// end.
static void test_many_tokens(void **state)
{
    (void)state;
    struct hw_config untied = small_untied();
    for (int i = 0; i < 4; i++) {
        const struct hw_config *c = i & 1 ? &untied : &small_tied;
        struct hw_error err = {0};
        struct hw_model *model = random_checkpoint(c, (uint64_t)i);
        struct hw_float *f = i & 2 ? hw_float_stream(model, 100, &err) : hw_float_new(model, &err);
        struct seen one = {0}, many = {0};
        int text[100], cuts = 0;
        uint64_t seed = (uint64_t)i;
        hw_float_observe(f, note, &one);
        for (int k = 0, pos = 0; k < 100; k++, pos++) {
            text[k] = k < 50 ? 2 + k % 15 : random_in(&seed, 0, c->vocab_size - 1);
            pos = pos == c->seq_len || text[k] == c->bos ? 0 : pos;
            cuts += pos == 0;
            hw_float_forward(f, text[k], pos);
        }
        hw_float_observe(f, note, &many);
        assert_true(cuts > 4 && hw_float_begin(f, text, 100, &err));
        for (int l = 0; l < c->n_layers; l++)
            hw_float_layer(f, l);
        assert_true(hw_float_end(f, true, &err));
        assert_true(one.n > 10000 && one.n == many.n);
        assert_memory_equal(one.sum, many.sum, sizeof one.sum);
        hw_float_free(f);
        hw_model_close(model);
    }
}

// --- streamed

static size_t file_of(const struct hw_config *c, uint64_t seed, const struct hw_quantize_options *o,
                      uint8_t *bytes, size_t room)
{
    struct hw_error err = {0};
    struct hw_qmodel q = quantized(c, seed, o);
    assert_true(o->stream == (q.embed.weight == NULL));
    if (!hw_qmodel_write(&q, OUTPUT, &err))
        fail_msg("%s", err.text);
    hw_qmodel_free(&q);
    FILE *file = fopen(OUTPUT, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, room, file);
    fclose(file);
    remove(OUTPUT);
    assert_in_range(n, 1000, room - 1);
    return n;
}

// What lies on the disk meanwhile changes no bit: own text and a given one, rounded for itself and
// error-compensated, free levels and planes, sequences cut at BOS and at the context's end.
static void test_streamed(void **state)
{
    (void)state;
    static uint8_t whole[1 << 16], streamed[1 << 16];
    struct hw_config untied = small_untied();
    int text[100];
    uint64_t random = 5;
    for (int i = 0; i < 100; i++)
        text[i] = random_in(&random, 0, small_tied.vocab_size - 1);
    for (int i = 0; i < 16; i++) {
        const struct hw_config *c = i & 1 ? &untied : &small_tied;
        struct hw_quantize_options o;
        hw_quantize_defaults(&o);
        o.nearest = i & 2;
        o.weight_bits = i & 4 ? 3 : 8;
        o.calib_tokens = i & 8 ? text : NULL;
        o.n_calib_tokens = 100;
        size_t n = file_of(c, (uint64_t)i, &o, whole, sizeof whole);
        o.stream = true;
        o.output = OUTPUT;
        assert_int_equal(file_of(c, (uint64_t)i, &o, streamed, sizeof streamed), n);
        assert_memory_equal(whole, streamed, n);
    }
}

static void test_stream_refused(void **state)
{
    (void)state;
    struct hw_error err = {0};
    struct hw_qmodel q;
    struct hw_quantize_options o;
    struct hw_model *model = random_checkpoint(&small_tied, 1);
    hw_quantize_defaults(&o);
    o.stream = true;
    o.output = "no/such/folder/model";
    assert_false(hw_quantize(model, &o, &q, &err));
    assert_non_null(strstr(err.text, "no/such/folder/model"));
    err = (struct hw_error){0};
    o.output = NULL; // the codes are dropped, the rest is there
    assert_true(hw_quantize(model, &o, &q, &err));
    assert_true(q.embed.codes == NULL && q.embed.scale[0] > 0);
    hw_qmodel_free(&q);
    hw_model_close(model);
}

// --- the width of the residual

// A model whose BOS has an embedding `times` as large as it was, quantized with a residual of
// `res_bits` (0: chosen); its width. The line about it goes to `said`.
static int width_beside_outlier(float times, int bos, int res_bits, char *said, int size)
{
    struct hw_error err = {0};
    struct hw_quantize_options o;
    struct hw_config c = small_untied();
    struct hw_qmodel q;
    static struct buffer b;
    put_checkpoint(&b, &c, 7);
    for (int i = 0; i < c.dim; i++) { // the embedding's rows follow a header of seven numbers
        float x;
        memcpy(&x, b.bytes + 28 + 4 * (c.dim + i), sizeof x);
        x *= times;
        memcpy(b.bytes + 28 + 4 * (bos * c.dim + i), &x, sizeof x);
    }
    struct hw_model *model = open_bytes(&b, &err);
    hw_quantize_defaults(&o);
    o.widths.res_bits = res_bits;
    o.progress = tmpfile();
    assert_true(model && o.progress && hw_model_set_bos(model, bos, &err) &&
                hw_quantize(model, &o, &q, &err));
    rewind(o.progress);
    assert_non_null(fgets(said, size, o.progress));
    fclose(o.progress);
    int bits = q.widths.res_bits;
    hw_qmodel_free(&q);
    hw_model_close(model);
    return bits;
}

static void test_residual_width(void **state)
{
    (void)state;
    char said[256];
    const struct {
        float times;
        int wanted, got;
        bool warned;
    } with[] = {{1.0f, 0, 20, false},  {6e3f, 0, 21, false}, {15e3f, 0, 23, false},
                {6e3f, 24, 24, false}, {6e3f, 20, 20, true}, {1e5f, 0, 24, true},
                {1.0f, 16, 16, false}};
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        for (int bos = 1; bos < 17; bos += 11) { // whichever token BOS is
            int bits = width_beside_outlier(with[i].times, bos, with[i].wanted, said, sizeof said);
            printf("             outlier %g: %s", (double)with[i].times, said);
            assert_int_equal(bits, with[i].got);
            assert_int_equal(strstr(said, "warning") != NULL, with[i].warned);
        }
    }
}

// --- damage

// A file too large to be looked through on opening, all weights 0 but the last ones of the
// embedding.
static struct hw_model *open_large(float value, struct hw_error *err)
{
    enum { DIM = 32, VOCAB = 300000 };
    const int header[] = {DIM, DIM, 1, 1, 1, -VOCAB, 2};
    FILE *f = fopen(TEMP_FILE, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(header, sizeof header, 1, f), 1);
    long table = 4L * DIM * VOCAB, inner = 4L * (3 * DIM + 7 * DIM * DIM) + 4L * 2 * DIM;
    assert_int_equal(fseek(f, table - (long)sizeof value, SEEK_CUR), 0);
    assert_int_equal(fwrite(&value, sizeof value, 1, f), 1);
    assert_int_equal(fseek(f, inner + table - 1, SEEK_CUR), 0);
    assert_int_equal(fputc(0, f), 0);
    assert_int_equal(fclose(f), 0);
    struct hw_model *model = hw_model_open(TEMP_FILE, err);
    remove(TEMP_FILE);
    return model;
}

static void test_damage(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY, 1e30f, -1.01e7f};
    static const int text[] = {1, 2, 3};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct hw_error err = {0};
        struct hw_quantize_options o;
        struct hw_qmodel q;
        float row[32];
        struct hw_model *model = open_large(values[i], &err);
        if (!model)
            fail_msg("%s", err.text);
        assert_true(hw_model_sound(model, &err)); // nothing has been read
        hw_quantize_defaults(&o);
        o.nearest = true;
        o.stream = i == 0;
        o.calib_tokens = text;
        o.n_calib_tokens = 3;
        assert_false(hw_quantize(model, &o, &q, &err));
        assert_non_null(strstr(err.text, "tok_embeddings row 299999 column 31: weight, expected"));
        hw_model_row(model, HW_TOK_EMBED, 0, 299999, row);
        assert_true(row[31] == 0.0f);
        hw_model_close(model);
    }
}

// --- BOS

// The text that a model writes for itself begins with its BOS, at the start and where the context
// is full, and a given text is cut at it.
static void test_bos(void **state)
{
    (void)state;
    enum { N = 100 };
    struct hw_config c = small_untied();
    for (c.bos = 0; c.bos < c.vocab_size; c.bos += 9) {
        struct hw_error err = {0};
        struct hw_calibration ranges;
        int ran[N], n_begun = 0;
        struct hw_model *model = random_checkpoint(&c, 3);
        struct hw_float *f = hw_float_new(model, &err);
        assert_true(hw_calibrate(f, &c, NULL, N, ran, &ranges, &err));
        for (int i = 0, pos = 0; i < N; i++, pos++) {
            pos = pos == c.seq_len || ran[i] == c.bos ? 0 : pos;
            n_begun += pos == 0;
            assert_true(pos > 0 || ran[i] == c.bos);
        }
        assert_true(n_begun > N / c.seq_len);
        hw_calibration_free(&ranges);
        hw_float_free(f);
        hw_model_close(model);
    }
}

// One model under two numberings of its tokens, BOS among them: the same integers.
static void test_renumbered(void **state)
{
    (void)state;
    enum { N = 200, HEADER = 28, OTHER = 12 };
    struct hw_config c = small_untied();
    size_t row = 4 * (size_t)c.dim, table = row * (size_t)c.vocab_size;
    struct hw_qmodel q[2];
    for (int k = 0; k < 2; k++) {
        struct hw_error err = {0};
        struct hw_quantize_options o;
        static struct buffer b;
        int text[N];
        uint64_t seed = 5;
        put_checkpoint(&b, &c, 7);
        for (int i = 0; i < 2 * k; i++) { // the rows of BOS and OTHER change places at both ends
            uint8_t *at = b.bytes + (i ? b.n - table : HEADER), kept[4 * 24];
            assert_true(row <= sizeof kept);
            memcpy(kept, at + row, row);
            memcpy(at + row, at + OTHER * row, row);
            memcpy(at + OTHER * row, kept, row);
        }
        for (int i = 0; i < N; i++) {
            text[i] = i % 30 ? random_in(&seed, 0, c.vocab_size - 1) : 1;
            text[i] = !k || (text[i] != 1 && text[i] != OTHER) ? text[i] : 1 + OTHER - text[i];
        }
        struct hw_model *model = open_bytes(&b, &err);
        hw_quantize_defaults(&o);
        o.calib_tokens = text;
        o.n_calib_tokens = N;
        assert_true(model && hw_model_set_bos(model, k ? OTHER : 1, &err));
        assert_true(hw_quantize(model, &o, &q[k], &err));
        assert_int_equal(q[k].config.bos, k ? OTHER : 1);
        assert_false(hw_model_set_bos(model, c.vocab_size, &err));
        hw_model_close(model);
    }
    for (int l = 0; l < c.n_layers; l++) {
        const struct hw_qmatrix *a = &q[0].layers[l].down, *b = &q[1].layers[l].down;
        assert_memory_equal(a->scale, b->scale, (size_t)a->n_out * sizeof *a->scale);
        assert_memory_equal(a->codes, b->codes, (size_t)(a->n_planes * a->n_out * a->n_in));
    }
    assert_memory_equal(q[0].head.scale + OTHER, q[1].head.scale + 1, sizeof *q[0].head.scale);
    hw_qmodel_free(&q[0]);
    hw_qmodel_free(&q[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_weights_close),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_ternary),
        cmocka_unit_test(test_logits_close),
        cmocka_unit_test(test_many_tokens),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_stream_refused),
        cmocka_unit_test(test_residual_width),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_bos),
        cmocka_unit_test(test_renumbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
