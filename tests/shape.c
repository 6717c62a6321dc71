// SPDX-License-Identifier: Apache-2.0
// A random small Llama and a random geometry that fits it, from a seed: writes DIR/shape.bin
// (llama2.c v0; every third seed natively ternary, bitllama) and DIR/shape.tok, and prints the
// options of `hardwire quantize` on one line and those of `hardwire sim` on the next. Seeds from
// 1000 on are Qwen3, with a norm over each head of K and Q: they write DIR/qwen3.json in place of a
// checkpoint, and every third of them has the shortest pipelines, every third the usual ones. The
// same seed gives the same case on any machine.
#include "gen/chip/latency.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QWEN3 = 1000 }; // the first seed of such models

static uint64_t state;

static uint32_t next_random(void) // splitmix64 (Steele et al. 2014)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static int between(int low, int high)
{
    return low + (int)(next_random() % (uint32_t)(high - low + 1));
}

static int power_between(int low, int high) // exponents
{
    return 1 << between(low, high);
}

static int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

// Near enough to a normal law, deviation about 1: the sum of four uniform ones.
static float noise(void)
{
    float sum = 0.0f;
    for (int i = 0; i < 4; i++)
        sum += (float)between(-1000, 1000) / 1155.0f;
    return sum;
}

static void put_int(FILE *f, int32_t v)
{
    fwrite(&v, 4, 1, f);
}

static void put_floats(FILE *f, long n, float mean, float deviation)
{
    for (long i = 0; i < n; i++) {
        float v = mean + deviation * noise();
        fwrite(&v, 4, 1, f);
    }
}

struct shape {
    int dim, hidden, layers, heads, kv_heads, head_dim, vocab, ctx, tied;
    int rows, cols, vec, att_pos;
    int ternary;
};

static struct shape choose(int ternary)
{
    struct shape s = {.head_dim = power_between(2, 4),
                      .kv_heads = between(1, 3),
                      .layers = between(1, 3),
                      .vocab = between(5, 90),
                      .tied = between(0, 2) > 0};
    s.heads = s.kv_heads * between(1, 3);
    s.dim = s.heads * s.head_dim;
    s.hidden = between(3, 40);
    s.vec = power_between(1, 4);
    while (s.kv_heads * s.head_dim % s.vec != 0) // head_dim is 4 at least, so vec stays 2 or more
        s.vec /= 2;
    s.hidden += s.hidden % 2;
    s.ternary = ternary;
    if (ternary) { // a norm over the hidden vector takes whole words, a file whole fours
        int whole = s.vec > 4 ? s.vec : 4;
        s.hidden = (s.hidden + whole - 1) / whole * whole;
        s.tied = 1;
    }
    s.rows = at_most(s.vec * between(1, 5), 48);
    s.cols = at_most(s.vec * between(1, 5), 48);
    s.att_pos = power_between(0, 5);
    s.ctx = between(2, 40);
    return s;
}

// Words of a norm over a head are no wider than the head, and a head's size is not dim / heads.
static struct shape choose_qwen3(void)
{
    struct shape s = choose(0);
    s.head_dim = power_between(2, 5);
    s.vec = power_between(1, 3);
    while (s.vec > s.head_dim)
        s.vec /= 2;
    s.dim = 8 * between(1, 5);
    s.rows = at_most(s.vec * between(1, 9), 72);
    s.cols = at_most(s.vec * between(1, 5), 48);
    return s;
}

// Row 1 is short: BOS ends a story, and a short row is seldom the largest logit.
static void put_vocabulary(FILE *f, const struct shape *s)
{
    for (int token = 0; token < s->vocab; token++)
        put_floats(f, s->dim, 0.0f, token == 1 ? 0.1f : 1.0f);
}

static void write_checkpoint(const struct shape *s, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        exit(1);
    const int header[] = {s->dim,   s->hidden,   s->layers,
                          s->heads, s->kv_heads, s->tied ? s->vocab : -s->vocab,
                          s->ctx};
    for (int i = 0; i < 7; i++)
        put_int(f, header[i]);
    long d = s->dim, kv = s->kv_heads * s->head_dim, h = s->hidden, l = s->layers;
    float spread = 1.4f / (float)s->head_dim;
    put_vocabulary(f, s);
    put_floats(f, l * d, 1.0f, 0.2f);       // attention norm
    put_floats(f, l * d * d, 0.0f, spread); // wq
    put_floats(f, l * kv * d, 0.0f, spread);
    put_floats(f, l * kv * d, 0.0f, spread);
    put_floats(f, l * d * d, 0.0f, spread);
    put_floats(f, l * d, 1.0f, 0.2f); // FFN norm
    put_floats(f, l * h * d, 0.0f, spread);
    put_floats(f, l * d * h, 0.0f, spread);
    put_floats(f, l * h * d, 0.0f, spread);
    put_floats(f, d, 1.0f, 0.2f);
    put_floats(f, (long)s->ctx * s->head_dim, 0.0f, 0.0f);
    if (!s->tied)
        put_vocabulary(f, s);
    fclose(f);
}

// One matrix of every layer: a factor, then 2-bit codes, four in a byte, the first highest.
static void put_ternary(FILE *f, int layers, long rows, long columns, float factor)
{
    static const int code[] = {0, 1, 3, 1, 3}; // 00: 0, 01: +1, 11: -1
    for (int l = 0; l < layers; l++) {
        float here = factor * (1.0f + 0.2f * noise());
        fwrite(&here, 4, 1, f);
        for (long i = 0; i < rows * columns / 4; i++) {
            int byte = 0;
            for (int k = 0; k < 4; k++)
                byte = byte << 2 | code[between(0, 4)];
            fputc(byte, f);
        }
    }
}

static void write_bitllama(const struct shape *s, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        exit(1);
    const int header[] = {0x616b3432, 1,           s->dim,   s->hidden, s->layers,
                          s->heads,   s->kv_heads, s->vocab, s->ctx};
    for (int i = 0; i < 9; i++)
        put_int(f, header[i]);
    fputc(1, f); // tied
    for (int i = 37; i < 256; i++)
        fputc(0, f);
    long d = s->dim, kv = s->kv_heads * s->head_dim, h = s->hidden;
    float wide = (float)(d * 2); // a norm divides by its length, too: undone here
    put_floats(f, d, 1.0f, 0.2f);
    put_vocabulary(f, s);
    put_ternary(f, s->layers, d, d, wide / (float)s->head_dim);
    put_ternary(f, s->layers, kv, d, wide / (float)s->head_dim);
    put_ternary(f, s->layers, kv, d, wide);
    put_ternary(f, s->layers, d, d, 0.3f * wide);
    put_ternary(f, s->layers, h, d, 0.3f * wide);
    put_ternary(f, s->layers, d, h, 0.5f * (float)h);
    put_ternary(f, s->layers, h, d, 0.3f * wide);
    fclose(f);
}

// Settings of config.json, of which tests/family_model.py makes a model.
static void write_qwen3(const struct shape *s, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        exit(1);
    fprintf(f,
            "{\"model_type\":\"qwen3\",\"hidden_size\":%d,\"intermediate_size\":%d,"
            "\"num_hidden_layers\":%d,\"num_attention_heads\":%d,\"num_key_value_heads\":%d,"
            "\"head_dim\":%d,\"vocab_size\":%d,\"max_position_embeddings\":%d,"
            "\"rms_norm_eps\":1e-6,\"rope_theta\":1000000.0,\"attention_bias\":false}",
            s->dim, s->hidden, s->layers, s->heads, s->kv_heads, s->head_dim, s->vocab, s->ctx);
    fclose(f);
}

static void write_tokenizer(const struct shape *s, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        exit(1);
    put_int(f, 8);
    for (int i = 0; i < s->vocab; i++) {
        char piece[8];
        int n = snprintf(piece, sizeof piece, "%d ", i);
        put_int(f, 0); // score 0.0
        put_int(f, n);
        fwrite(piece, 1, (size_t)n, f);
    }
    fclose(f);
}

// Each on its own, anywhere from its least to its most.
static void print_latencies(void)
{
    const char *before = "";
#define PRINT(name, NAME, least, most, usual, meaning)                                             \
    printf("%s" #name "=%d", before, between(least, most));                                        \
    before = ",";
    HW_LATENCIES(PRINT)
#undef PRINT
}

// Tiles of the array, and, for half of the seeds, ROMs of small macros, of a third RAMs of such, of
// a third a self-test (all that have ROM macros have one).
static void print_tiles(const struct shape *s)
{
    int tiles = between(1, 5);
    while (s->rows % tiles != 0)
        tiles--;
    printf(" --tile-rows %d", s->rows / tiles);
    if (between(0, 1))
        printf(" --rom-macro %dx%d", between(128, 300), between(28, 200));
    if (between(0, 2) == 0)
        printf(" --ram-macro %dx%d", 2 << between(0, 6), between(1, 40));
    if (between(0, 2) == 0)
        printf(" --selftest on");
}

int main(int argc, char **argv)
{
    static const int bits[] = {2, 3, 4, 6, 8};
    char path[4096];
    if (argc != 3)
        return fprintf(stderr, "usage: shape SEED DIR\n"), 2;
    uint64_t seed = strtoull(argv[1], NULL, 10);
    state = seed * UINT64_C(1000003);
    struct shape s = seed >= QWEN3 ? choose_qwen3() : choose(seed % 3 == 1);
    snprintf(path, sizeof path, "%s/%s", argv[2], seed >= QWEN3 ? "qwen3.json" : "shape.bin");
    if (seed >= QWEN3)
        write_qwen3(&s, path);
    else if (s.ternary)
        write_bitllama(&s, path);
    else
        write_checkpoint(&s, path);
    snprintf(path, sizeof path, "%s/shape.tok", argv[2]);
    write_tokenizer(&s, path);
    int weight_bits = bits[between(0, 4)];
    if (!s.ternary) // a ternary model has its own
        printf("--bits %d ", weight_bits);
    printf("--head-bits %d --code-bits %d --act-bits %d --kv-bits %d --res-bits %d\n",
           bits[between(1, 4)], between(2, 4), between(4, 10), between(4, 8), between(16, 24));
    printf("--rows %d --cols %d --vec %d --att-pos %d --lane %s --latency ", s.rows, s.cols, s.vec,
           s.att_pos, between(0, 1) ? "multiply" : "select");
    if (seed < QWEN3 || seed % 3 == 0)
        print_latencies();
    else
        printf("%s", seed % 3 == 1 ? "least" : "rom=2"); // rom=2: the usual ones
    print_tiles(&s);
    printf("\n");
    return 0;
}
