// SPDX-License-Identifier: Apache-2.0
// Random models from a seed, for tests: llama2.c v0 checkpoints with weights like those of a
// trained model, and integer models with every field anywhere in its range ("wild": they keep
// rounding, saturation and zero all busy, as no trained model does). Each test defines TEMP_FILE
// first.
#ifndef TESTS_RANDOM_MODEL_H
#define TESTS_RANDOM_MODEL_H

#include "tests/tiny.h"

#include <math.h>
#include <sys/stat.h>

#include "gen/qmodel/file.h"
#include "gen/quant/quantize.h"
#include "gen/read/import.h"
#include "refmodel/ops.h"
#include "refmodel/tables.h"

// Fewer cases of the same kinds: tests/sanitize.sh quick.
#ifndef HW_SHORT
#define HW_SHORT 0
#endif

static inline uint64_t random_bits(uint64_t *seed) // splitmix64
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int random_in(uint64_t *seed, int low, int high) // both included
{
    return low + (int)(random_bits(seed) % (uint64_t)(high - low + 1));
}

// Mean 0, variance 1: the sum of 12 uniform numbers.
static inline double random_normal(uint64_t *seed)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_bits(seed) >> 11) / 9007199254740992.0;
    return sum;
}

// --- checkpoints

// n layers of a tensor: mean + spread * normal.
static inline void put_random(struct buffer *b, const struct hw_config *c, enum hw_tensor_id id,
                              int n, double mean, double spread, uint64_t *seed)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    for (int i = 0; i < n * rows * cols; i++)
        put_f32(b, (float)(mean + spread * random_normal(seed)));
}

// head_dim of *c must be dim / n_heads, rope_base 10000, norm_eps 1e-5: the format has no others.
static inline void put_checkpoint(struct buffer *b, const struct hw_config *c, uint64_t seed)
{
    const int header[] = {c->dim,     c->hidden_dim, c->n_layers,
                          c->n_heads, c->n_kv_heads, c->tied ? c->vocab_size : -c->vocab_size,
                          c->seq_len};
    double in = 1.0 / sqrt(c->dim), hidden = 1.0 / sqrt(c->hidden_dim);
    b->n = 0;
    for (int i = 0; i < 7; i++)
        put_u32(b, (uint32_t)header[i]);
    put_random(b, c, HW_TOK_EMBED, 1, 0.0, 1.0, &seed);
    put_random(b, c, HW_ATTN_NORM, c->n_layers, 1.0, 0.2, &seed);
    put_random(b, c, HW_WQ, c->n_layers, 0.0, 2.0 * in, &seed);
    put_random(b, c, HW_WK, c->n_layers, 0.0, 2.0 * in, &seed);
    put_random(b, c, HW_WV, c->n_layers, 0.0, in, &seed);
    put_random(b, c, HW_WO, c->n_layers, 0.0, in, &seed);
    put_random(b, c, HW_FFN_NORM, c->n_layers, 1.0, 0.2, &seed);
    put_random(b, c, HW_W_GATE, c->n_layers, 0.0, 2.0 * in, &seed);
    put_random(b, c, HW_W_DOWN, c->n_layers, 0.0, hidden, &seed);
    put_random(b, c, HW_W_UP, c->n_layers, 0.0, 2.0 * in, &seed);
    put_random(b, c, HW_OUTPUT_NORM, 1, 1.0, 0.2, &seed);
    for (int i = 0; i < c->seq_len * c->head_dim; i++)
        put_f32(b, 0.0f); // freq_cis: never read
    if (!c->tied)
        put_random(b, c, HW_OUTPUT, 1, 0.0, in, &seed);
}

// A Hugging Face folder, for what llama2.c's format cannot say.
static inline void put_folder_config(const struct hw_config *c, const char *path)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f,
            "{\"model_type\": \"%s\", \"hidden_size\": %d, \"intermediate_size\": %d, "
            "\"num_hidden_layers\": %d, \"num_attention_heads\": %d, \"num_key_value_heads\": %d, "
            "\"head_dim\": %d, \"vocab_size\": %d, \"max_position_embeddings\": %d, "
            "\"rms_norm_eps\": %g, \"rope_theta\": %g, \"hidden_act\": \"silu\", "
            "\"bos_token_id\": %d, \"eos_token_id\": 0, \"tie_word_embeddings\": %s, "
            "\"use_sliding_window\": %s, \"sliding_window\": %d, \"layer_types\": [",
            c->qkv_bias  ? "qwen2"
            : c->qk_norm ? "qwen3"
                         : "mistral",
            c->dim, c->hidden_dim, c->n_layers, c->n_heads, c->n_kv_heads, c->head_dim,
            c->vocab_size, c->seq_len, c->norm_eps, c->rope_base, c->bos,
            c->tied ? "true" : "false", c->window ? "true" : "false", c->window ? c->window : 1);
    for (int l = 0; l < c->n_layers; l++)
        fprintf(f, "%s\"%s_attention\"", l ? ", " : "",
                c->window && c->windowed[l] ? "sliding" : "full");
    fprintf(f, "]}\n");
    assert_int_equal(fclose(f), 0);
}

static inline void put_folder_tensor(struct buffer *b, const struct hw_config *c,
                                     enum hw_tensor_id id, uint64_t *seed)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    double mean = 0.0, spread = id == HW_TOK_EMBED ? 1.0 : 1.5 / sqrt(cols);
    if (id == HW_BQ || id == HW_BK || id == HW_BV) {
        spread = 0.5;
    } else if (rows == 1 || cols == 1) { // gains
        mean = 1.0;
        spread = 0.2;
    }
    put_random(b, c, id, 1, mean, spread, seed);
}

// A tensor's entry of the header of a safetensors file, behind a brace or a comma.
static inline int put_folder_entry(char *at, size_t room, const struct hw_config *c,
                                   enum hw_tensor_id id, int l, size_t begin, size_t end)
{
    char place[32] = "", shape[32];
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    snprintf(shape, sizeof shape, rows > 1 && cols > 1 ? "%d, %d" : "%d", rows > 1 ? rows : cols,
             cols);
    if (!hw_tensor_is_global(id))
        snprintf(place, sizeof place, "model.layers.%d.", l);
    return snprintf(at, room,
                    "\"%s%s\": {\"dtype\": \"F32\", \"shape\": [%s], "
                    "\"data_offsets\": [%zu, %zu]}",
                    place, hw_tensor_info[id].hf, shape, begin, end);
}

static inline void put_folder_weights(const struct hw_config *c, const char *path, uint64_t seed)
{
    static struct buffer b;
    static char header[1 << 14];
    size_t used = 0;
    b.n = 0;
    for (int i = 0; i < HW_N_TENSORS * c->n_layers; i++) {
        enum hw_tensor_id id = (enum hw_tensor_id)(i / c->n_layers);
        int l = i % c->n_layers;
        if (!hw_tensor_exists(c, id) || (l > 0 && hw_tensor_is_global(id)))
            continue;
        size_t begin = b.n;
        put_folder_tensor(&b, c, id, &seed);
        header[used] = used ? ',' : '{';
        used++;
        used += (size_t)put_folder_entry(header + used, sizeof header - used, c, id, l, begin, b.n);
        assert_true(used + 2 < sizeof header);
    }
    header[used++] = '}';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 8; i++)
        fputc((int)((uint64_t)used >> (8 * i) & 255), f);
    assert_int_equal(fwrite(header, 1, used, f), used);
    assert_int_equal(fwrite(b.bytes, 1, b.n, f), b.n);
    assert_int_equal(fclose(f), 0);
}

static inline struct hw_model *random_folder(const struct hw_config *c, uint64_t seed)
{
    struct hw_error err = {0};
    mkdir(TEMP_FILE ".folder", 0777);
    put_folder_config(c, TEMP_FILE ".folder/config.json");
    put_folder_weights(c, TEMP_FILE ".folder/model.safetensors", seed);
    struct hw_model *model = hw_model_open(TEMP_FILE ".folder", &err);
    remove(TEMP_FILE ".folder/config.json");
    remove(TEMP_FILE ".folder/model.safetensors");
    remove(TEMP_FILE ".folder");
    if (!model)
        fail_msg("%s", err.text);
    expect_config(hw_model_config(model), c);
    return model;
}

static inline struct hw_model *random_checkpoint(const struct hw_config *c, uint64_t seed)
{
    static struct buffer b;
    struct hw_error err = {0};
    if (c->qkv_bias || c->qk_norm || c->window)
        return random_folder(c, seed);
    put_checkpoint(&b, c, seed);
    struct hw_model *model = open_bytes(&b, &err);
    if (!model || !hw_model_set_bos(model, c->bos, &err))
        fail_msg("%s", err.text);
    return model;
}

static const struct hw_config small_tied = {
    .dim = 24,
    .hidden_dim = 20,
    .n_layers = 2,
    .n_heads = 4,
    .n_kv_heads = 2,
    .head_dim = 6,
    .vocab_size = 19,
    .seq_len = 21,
    .bos = 1,
    .tied = true,
    .rope_base = 10000.0,
    .norm_eps = 1e-5,
};

static inline struct hw_config small_untied(void)
{
    struct hw_config c = small_tied;
    c.tied = false;
    return c;
}

static inline struct hw_qmodel quantized(const struct hw_config *c, uint64_t seed,
                                         const struct hw_quantize_options *o)
{
    struct hw_error err = {0};
    struct hw_qmodel q;
    struct hw_model *model = random_checkpoint(c, seed);
    if (!hw_quantize(model, o, &q, &err))
        fail_msg("%s", err.text);
    hw_model_close(model);
    return q;
}

static inline bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        if (b[i])
            return false;
    return true;
}

// --- integer models

// Random codes, levels and scales: inputs of in_bits give outputs that about fill out_bits.
static inline void wild_matrix(struct hw_qmatrix *m, int n_out, int n_in, int code_bits,
                               double in_bits, int out_bits, uint64_t *seed)
{
    struct hw_error err = {0};
    int planes = random_in(seed, 1, HW_MAX_PLANES);
    assert_true(hw_qmatrix_alloc(m, n_out, n_in, planes, &err));
    for (int p = 0; p < planes; p++)
        for (int k = 0; k < 1 << code_bits; k++)
            m->levels[p][k] = (int16_t)random_in(seed, -(128 / planes), 127 / planes);
    for (int i = 0; i < planes * n_out * n_in; i++)
        m->codes[i] = (uint8_t)random_in(seed, 0, (1 << code_bits) - 1);
    int right = (int)(in_bits + 6.0 + 8.5 + log2(n_in) / 2.0) - out_bits; // shift - exp, typically
    m->shift = (right < 15 ? 15 : right) + random_in(seed, 0, 6);
    for (int r = 0; r < n_out; r++) {
        int exp = m->shift - right + random_in(seed, -2, 1);
        exp = exp < 0 ? 0 : exp > 15 ? 15 : exp;
        m->scale[r] = (uint16_t)(exp << 8 | random_in(seed, 0, 255));
    }
    hw_qmatrix_expand(m);
}

static inline void wild_norm(struct hw_qnorm *n, int dim, int act_bits, uint64_t *seed)
{
    int gain_bits = random_in(seed, 8, 15);
    int shift = 17 - (int)(log2(dim) / 2.0) + gain_bits - act_bits + random_in(seed, -1, 2);
    n->shift = shift < 1 ? 1 : shift;
    n->eps_ss = random_bits(seed) >> random_in(seed, 32, 63);
    n->eps_ss += n->eps_ss == 0;
    for (int i = 0; i < dim; i++)
        n->gain[i] = (int16_t)random_in(seed, -(1 << gain_bits), (1 << gain_bits) - 1);
}

static inline void wild_layer(struct hw_qmodel *q, struct hw_qlayer *y, uint64_t *seed)
{
    const struct hw_config *c = &q->config;
    const struct hw_widths *w = &q->widths;
    int q_dim = c->n_heads * c->head_dim, kv_dim = c->n_kv_heads * c->head_dim, b = w->code_bits;
    wild_norm(&y->attn_norm, c->dim, w->act_bits, seed);
    wild_norm(&y->ffn_norm, c->dim, w->act_bits, seed);
    if (c->sub_norm) {
        wild_norm(&y->attn_sub_norm, q_dim, w->act_bits, seed);
        wild_norm(&y->ffn_sub_norm, c->hidden_dim, w->act_bits, seed);
    } else {
        y->attn_norm.eps_ss = y->ffn_norm.eps_ss = q->final_norm.eps_ss;
    }
    for (int i = 0; c->qk_norm && i < 2; i++)
        wild_norm(i ? &y->q_norm : &y->k_norm, c->head_dim, HW_PRE_BITS, seed);
    for (int i = 0; c->qkv_bias && i < HW_N_BIASES; i++)
        for (int k = 0; k < hw_bias_length(c, (enum hw_bias_id)i); k++)
            y->bias[i][k] = (int16_t)(random_bits(seed) >> 48);
    wild_matrix(&y->wk, kv_dim, c->dim, b, w->act_bits - 1.5, 16, seed);
    wild_matrix(&y->wq, q_dim, c->dim, b, w->act_bits - 1.5, 16, seed);
    wild_matrix(&y->wv, kv_dim, c->dim, b, w->act_bits - 1.5, w->kv_bits, seed);
    wild_matrix(&y->wo, c->dim, q_dim, b, w->act_bits - 1.5, w->res_bits - 1, seed);
    wild_matrix(&y->gate_up, 2 * c->hidden_dim, c->dim, b, w->act_bits - 1.5, 16, seed);
    wild_matrix(&y->down, c->dim, c->hidden_dim, b, w->act_bits - 1.5, w->res_bits - 1, seed);
    // a raw score has about 10 + kv_bits - 2 + log2(head_dim) / 2 bits, times 64; 14 bits are busy
    int score = 10 + w->kv_bits - 2 + (int)(log2(c->head_dim) / 2.0) + 6 - 14;
    score += random_in(seed, -7, 2);
    y->score_shift = score < 0 ? 0 : score;
    y->att_shift = random_in(seed, 0, 7);
    y->hidden_shift = 14 + 14 - (c->sub_norm ? w->res_bits : w->act_bits) + random_in(seed, -4, 3);
    y->hidden_shift = y->hidden_shift < 1 ? 1 : y->hidden_shift;
}

static inline struct hw_config wild_config(uint64_t *seed)
{
    struct hw_config c = {0};
    c.head_dim = 2 * random_in(seed, 1, 10);
    c.n_kv_heads = random_in(seed, 1, 3);
    c.n_heads = c.n_kv_heads * random_in(seed, 1, 3);
    c.dim = random_in(seed, 1, 48);
    c.hidden_dim = random_in(seed, 1, 60);
    c.n_layers = random_in(seed, 1, 3);
    c.vocab_size = random_in(seed, 2, 50);
    c.seq_len = random_in(seed, 1, 40);
    c.bos = c.vocab_size - 1;
    c.tied = random_in(seed, 0, 1);
    c.rope_base = random_in(seed, 0, 1) ? 10000.0 : 500000.0;
    bool scaled = random_in(seed, 0, 1);
    for (int i = 0; scaled && i < c.head_dim / 2; i++)
        c.rope_divisor[i] = 1.0 + 0.125 * random_in(seed, 0, 64);
    c.norm_eps = 1e-5;
    c.sub_norm = random_in(seed, 0, 1);
    c.qkv_bias = random_in(seed, 0, 1);
    c.qk_norm = random_in(seed, 0, 1);
    c.window = c.seq_len > 1 && random_in(seed, 0, 1) ? random_in(seed, 1, c.seq_len - 1) : 0;
    for (int l = 0; c.window && l < c.n_layers; l++)
        c.windowed[l] = random_in(seed, 0, 2) > 0;
    return c;
}

// Dimensions of *c, everything else from the seed. Freed by hw_qmodel_free.
static inline struct hw_qmodel wild_model(const struct hw_config *c, uint64_t seed)
{
    struct hw_error err = {0};
    struct hw_qmodel q = {.config = *c};
    q.widths = (struct hw_widths){random_in(&seed, 2, 4), random_in(&seed, 4, 12),
                                  random_in(&seed, 4, 8), random_in(&seed, 16, 24)};
    assert_true(hw_qmodel_alloc(&q, &err));
    assert_int_equal(hw_rope_tables(c, &q.rope), 0);
    int code_bits = q.widths.code_bits, act_bits = q.widths.act_bits, res_bits = q.widths.res_bits;
    wild_matrix(&q.embed, c->vocab_size, c->dim, code_bits, 8.0, res_bits, &seed);
    q.embed_shift = q.embed.shift;
    if (!c->tied)
        wild_matrix(&q.head, c->vocab_size, c->dim, code_bits, act_bits - 1.5, 24, &seed);
    else // the embedding's scales for a classifier of 24 bits or so
        q.embed.shift = random_in(&seed, 15, 17);
    wild_norm(&q.final_norm, c->dim, act_bits, &seed);
    q.logit_scale = 1.0;
    for (int l = 0; l < c->n_layers; l++)
        wild_layer(&q, &q.layers[l], &seed);
    return q;
}

#endif
