// SPDX-License-Identifier: Apache-2.0
// Owns how ROM bits are found in the block RAMs of a configuration. Yosys cuts a ROM into columns
// of one bit and as many words as a block RAM has at its width, and aligns them; so each column of
// a block RAM is looked up by its first words, at each width, and compared whole.
#include "gen/board/patch.h"

#include <stdlib.h>
#include <string.h>

#include "gen/board/pattern.h"
#include "gen/output.h"
#include "gen/read/cursor.h"

enum {
    ROWS = 2048, // a block RAM: rows of 9 bits
    ROW_BITS = 9,
    STEP = 512, // words of the shortest column; all begin at a multiple
    KEY = 64,   // words that a column is looked up by
};

// --- the configuration

struct block {
    size_t digits[ROWS]; // where the three hexadecimal digits of a row are in the text
    uint16_t row[ROWS];
};

struct config {
    char *text;
    size_t len;
    struct block *block;
    int n_blocks;
};

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_block(struct config *c, size_t at, struct block *b)
{
    for (int row = 0; row < ROWS; row++) {
        while (at < c->len && (c->text[at] == ' ' || c->text[at] == '\n'))
            at++;
        int value = 0;
        for (int i = 0; i < 3; i++) {
            int d = at + (size_t)i < c->len ? digit(c->text[at + (size_t)i]) : -1;
            if (d < 0)
                return false;
            value = value << 4 | d;
        }
        if (value >= 1 << ROW_BITS)
            return false;
        b->digits[row] = at;
        b->row[row] = (uint16_t)value;
        at += 3;
    }
    return true;
}

static bool read_config(struct config *c, const char *path, struct hw_error *err)
{
    static const char mark[] = ".bram_init ";
    struct hw_file file;
    *c = (struct config){0};
    if (!hw_file_map(&file, path, err))
        return false;
    c->text = malloc(file.size + 1);
    if (c->text) {
        memcpy(c->text, file.data, file.size);
        c->text[file.size] = '\0';
        c->len = strlen(c->text);
    } else
        hw_fail(err, "%s: out of memory", path);
    hw_file_unmap(&file);
    for (char *at = c->text; at && !err->set && (at = strstr(at, mark)) != NULL;) {
        struct block *more = realloc(c->block, (size_t)(c->n_blocks + 1) * sizeof *more);
        if (more)
            c->block = more;
        at = strchr(at, '\n');
        if (!more)
            hw_fail(err, "%s: out of memory", path);
        else if (!at || !read_block(c, (size_t)(at - c->text), &more[c->n_blocks++]))
            hw_fail(err, "%s: block RAM %d: expected %d words of three hexadecimal digits", path,
                    c->n_blocks, ROWS);
    }
    if (!err->set && c->n_blocks == 0)
        hw_fail(err, "%s: expected a configuration of an ECP5 with block RAMs, as text", path);
    return !err->set;
}

static void free_config(struct config *c)
{
    free(c->text);
    free(c->block);
}

// The row that holds bit `bit` of word `word`, and the bit *at of it, at `width` bits a word: with
// 9 or more a word is whole rows; with fewer, words share the eight bits of a row.
static void locate(int width, int word, int bit, int *row, int *at)
{
    *row = width >= ROW_BITS ? word * (width / ROW_BITS) + bit / ROW_BITS : word * width / 8;
    *at = width >= ROW_BITS ? bit % ROW_BITS : word * width % 8 + bit;
}

static int words_at(int width)
{
    return width >= ROW_BITS ? ROWS / (width / ROW_BITS) : ROWS * 8 / width;
}

static bool get(const struct block *b, int width, int word, int bit)
{
    int row, at;
    locate(width, word, bit, &row, &at);
    return b->row[row] >> at & 1;
}

static void set(struct block *b, int width, int word, int bit, bool value)
{
    int row, at;
    locate(width, word, bit, &row, &at);
    b->row[row] = (uint16_t)((b->row[row] & ~(1u << at)) | (unsigned)value << at);
}

// --- columns of the ROMs

struct column {
    uint64_t key;
    int rom, bit;
    long start; // word
    bool found;
};

struct index {
    const struct hw_patch_rom *roms;
    struct column *column;
    int n;
};

static long bank_words(const struct hw_patch_rom *rom)
{
    return 1L << rom->bank_bits;
}

static long rom_words(const struct hw_patch_rom *rom)
{
    return bank_words(rom) * rom->banks;
}

// Words from `start` on that are in its bank.
static long words_left(const struct hw_patch_rom *rom, long start)
{
    return bank_words(rom) - start % bank_words(rom);
}

static int by_key(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static bool make_index(struct index *x, const struct hw_patch_rom *roms, int n_roms,
                       struct hw_error *err)
{
    long n = 0;
    for (int i = 0; i < n_roms; i++)
        n += (rom_words(&roms[i]) / STEP + roms[i].banks) * roms[i].width;
    *x = (struct index){roms, calloc((size_t)n, sizeof *x->column), 0};
    if (!x->column)
        return hw_fail(err, "patch: out of memory");
    for (int i = 0; i < n_roms; i++) {
        long step = bank_words(&roms[i]) < STEP ? bank_words(&roms[i]) : STEP;
        for (long start = 0; start < rom_words(&roms[i]); start += step) {
            long left = words_left(&roms[i], start);
            for (int bit = 0; bit < roms[i].width; bit++) {
                struct column *c = &x->column[x->n++];
                *c = (struct column){0, i, bit, start, false};
                for (int w = 0; w < KEY && w < left; w++)
                    c->key |= (uint64_t)hw_pattern_bit(roms[i].name, start + w, bit) << w;
            }
        }
    }
    qsort(x->column, (size_t)x->n, sizeof *x->column, by_key);
    return true;
}

// The first column of this key, or NULL.
static struct column *look_up(const struct index *x, uint64_t key)
{
    int low = 0, high = x->n;
    while (low < high) {
        int mid = (low + high) / 2;
        if (x->column[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low < x->n && x->column[low].key == key ? &x->column[low] : NULL;
}

// --- patching

static bool matches(const struct index *x, const struct column *c, const struct block *b, int width,
                    int bit)
{
    const struct hw_patch_rom *rom = &x->roms[c->rom];
    long left = words_left(rom, c->start);
    for (int w = 0; w < words_at(width); w++)
        if (get(b, width, w, bit) != (w < left && hw_pattern_bit(rom->name, c->start + w, c->bit)))
            return false;
    return true;
}

static void mark_found(const struct index *x, const struct column *c, long n_words)
{
    for (int i = 0; i < x->n; i++) {
        struct column *other = &x->column[i];
        if (other->rom == c->rom && other->bit == c->bit && other->start >= c->start &&
            other->start < c->start + n_words)
            other->found = true;
    }
}

// Column `bit` of a block RAM takes the words of the model. `was`: the block as it is in the base.
static void write_column(const struct index *x, const struct column *c, const struct block *was,
                         struct block *b, int width, int bit, struct hw_patch_count *count)
{
    const struct hw_patch_rom *rom = &x->roms[c->rom];
    size_t bytes = (size_t)(rom->width + 7) / 8;
    long n = words_left(rom, c->start);
    n = n < words_at(width) ? n : words_at(width);
    for (int w = 0; w < n; w++) {
        const uint8_t *word = rom->data + (size_t)(c->start + w) * bytes;
        bool value = word[c->bit / 8] >> (c->bit % 8) & 1;
        count->differ += value != get(was, width, w, bit);
        set(b, width, w, bit, value);
    }
    count->bits += n;
    mark_found(x, c, n);
}

static bool patch_block(const struct index *x, struct block *b, struct hw_patch_count *count)
{
    static const int WIDTHS[] = {36, 18, 9, 4, 2, 1};
    const struct block was = *b;
    for (size_t i = 0; i < sizeof WIDTHS / sizeof WIDTHS[0]; i++) {
        bool any = false;
        for (int bit = 0; bit < WIDTHS[i]; bit++) {
            uint64_t key = 0;
            for (int w = 0; w < KEY; w++)
                key |= (uint64_t)get(&was, WIDTHS[i], w, bit) << w;
            struct column *c = look_up(x, key);
            for (; c && c < x->column + x->n && c->key == key; c++) {
                if (!matches(x, c, &was, WIDTHS[i], bit))
                    continue;
                write_column(x, c, &was, b, WIDTHS[i], bit, count);
                any = true;
            }
        }
        if (any)
            return true;
    }
    return false;
}

static bool all_found(const struct index *x, const char *base, struct hw_error *err)
{
    for (int i = 0; i < x->n; i++) {
        const struct column *c = &x->column[i];
        if (!c->found)
            return hw_fail(err,
                           "%s: expected bit %d of %s ROM, from word %ld on, in a block RAM, found "
                           "it in none: placed with --blank, and this geometry and tokenizer?",
                           base, c->bit, x->roms[c->rom].name, c->start);
    }
    return true;
}

static bool write_config(struct config *c, const char *path, struct hw_error *err)
{
    static const char DIGITS[] = "0123456789abcdef";
    struct hw_output_file file;
    for (int i = 0; i < c->n_blocks; i++)
        for (int row = 0; row < ROWS; row++)
            for (int d = 0; d < 3; d++)
                c->text[c->block[i].digits[row] + (size_t)d] =
                    DIGITS[c->block[i].row[row] >> (8 - 4 * d) & 15];
    if (!hw_output_file_open(&file, path, err))
        return false;
    if (fwrite(c->text, 1, c->len, file.stream) != c->len)
        hw_fail(err, "%s: cannot write", path);
    return hw_output_file_close(&file, err);
}

bool hw_patch(const char *base, const struct hw_patch_rom *roms, int n_roms, const char *output,
              struct hw_patch_count *count, struct hw_error *err)
{
    struct config c;
    struct index x = {0};
    *count = (struct hw_patch_count){0};
    if (read_config(&c, base, err) && make_index(&x, roms, n_roms, err)) {
        for (int i = 0; i < c.n_blocks; i++)
            count->blocks += patch_block(&x, &c.block[i], count);
        if (all_found(&x, base, err))
            write_config(&c, output, err);
    }
    free(x.column);
    free_config(&c);
    return !err->set;
}
