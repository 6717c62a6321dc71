// SPDX-License-Identifier: Apache-2.0
// Owns the words of a ROM as they are asked for: the weight ROM's are packed from the model's codes
// (rtl_templates/msa_array.v: code of row r, column k at bit (r * cols + k) * code_bits), the
// others lie in the plan.
#include <stdlib.h>
#include <string.h>

#include "gen/chip/words.h"
#include "gen/qmodel/memory.h"

enum { UNLOAD = 16 << 20 }; // bytes of codes read before their pages are given back

bool hw_words_open(struct hw_words *w, const struct hw_plan *plan, const struct hw_rom *rom,
                   struct hw_error *err)
{
    *w = (struct hw_words){.plan = plan, .rom = rom, .block = -1};
    if (rom->data || rom->depth == 0)
        return true;
    const struct hw_geometry *g = &plan->geometry;
    size_t lanes = (size_t)g->rows * (size_t)g->cols, widest = 0;
    for (int i = 0; i < plan->n_ranges; i++) {
        size_t n_in = (size_t)plan->range[i].n_in;
        widest = n_in > widest ? n_in : widest;
    }
    widest += (size_t)g->cols;
    w->codes = malloc((size_t)g->rows * widest);
    w->lanes = calloc((lanes + 7) / 8, 8); // pack takes eight at a time
    w->word = malloc(((size_t)rom->width + 7) / 8);
    if (w->codes && w->lanes && w->word)
        return true;
    hw_words_close(w);
    return hw_fail(err, "%s ROM: out of memory", rom->name);
}

void hw_words_close(struct hw_words *w)
{
    free(w->codes);
    free(w->lanes);
    free(w->word);
    memset(w, 0, sizeof *w);
}

static size_t padded(const struct hw_words *w, const struct hw_weight_range *r)
{
    size_t cols = (size_t)w->plan->geometry.cols;
    return ((size_t)r->n_in + cols - 1) / cols * cols;
}

// The codes of a row block and plane, rows side by side, zero where the matrix ends. What was read
// of a file is given back now and then, so that it does not fill the memory.
static void load_block(struct hw_words *w, const struct hw_weight_range *r, int block)
{
    int rows = w->plan->geometry.rows, top = block / r->n_planes * rows;
    size_t stride = padded(w, r), n_in = (size_t)r->n_in;
    for (int i = 0; i < rows; i++) {
        uint8_t *to = w->codes + (size_t)i * stride;
        if (top + i < r->n_rows) {
            hw_qmatrix_row(r->m, block % r->n_planes, r->first_row + top + i, to);
            memset(to + n_in, 0, stride - n_in);
        } else {
            memset(to, 0, stride);
        }
    }
    w->loaded += (size_t)rows * n_in;
    if (w->loaded < UNLOAD)
        return;
    hw_qmatrix_unload(r->m);
    w->loaded = 0;
}

// Eight codes, one a byte, side by side in 8 * bits bits.
static uint64_t pack_eight(const uint8_t *code, int bits)
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++)
        x |= (uint64_t)code[i] << (8 * i);
    int gap = 8 - bits;
    x = (x & UINT64_C(0x00ff00ff00ff00ff)) | (x >> gap & UINT64_C(0x00ff00ff00ff00ff) << bits);
    x = (x & UINT64_C(0x0000ffff0000ffff)) |
        (x >> 2 * gap & UINT64_C(0x0000ffff0000ffff) << 2 * bits);
    return (x & UINT64_C(0xffffffff)) | (x >> 4 * gap & UINT64_C(0xffffffff) << 4 * bits);
}

// Eight lanes at a time make `bits` whole bytes; of the last eight there may be four, whose bits
// the word's last byte ends with zeros.
static void pack(struct hw_words *w)
{
    const struct hw_geometry *g = &w->plan->geometry;
    int lanes = g->rows * g->cols, bits = g->code_bits;
    uint8_t *to = w->word;
    for (int i = 0; i < lanes; i += 8, to += bits) {
        uint64_t x = pack_eight(w->lanes + i, bits);
        int bytes = lanes - i < 8 ? (4 * bits + 7) / 8 : bits;
        for (int k = 0; k < bytes; k++)
            to[k] = (uint8_t)(x >> (8 * k));
    }
}

const uint8_t *hw_words_get(struct hw_words *w, long at)
{
    const struct hw_plan *p = w->plan;
    if (w->rom->data)
        return w->rom->data + (size_t)at * (((size_t)w->rom->width + 7) / 8);
    const struct hw_geometry *g = &p->geometry;
    int range = at < p->range[w->range].first ? 0 : w->range;
    while (at >= (long)p->range[range].first + p->range[range].n_words)
        range++;
    const struct hw_weight_range *r = &p->range[range];
    size_t stride = padded(w, r), cols = (size_t)g->cols;
    long chunks = (long)(stride / cols), in_range = at - r->first;
    int block = (int)(in_range / chunks);
    if (range != w->range)
        hw_qmatrix_unload(p->range[w->range].m);
    if (range != w->range || block != w->block)
        load_block(w, r, block);
    w->range = range;
    w->block = block;
    const uint8_t *from = w->codes + (size_t)(in_range % chunks) * cols;
    for (int i = 0; i < g->rows; i++)
        memcpy(w->lanes + (size_t)i * cols, from + (size_t)i * stride, cols);
    pack(w);
    return w->word;
}
