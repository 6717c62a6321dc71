// SPDX-License-Identifier: Apache-2.0
// Owns the choice of macros, their places in the floorplan, and the folder of a layout. All of it
// is a function of the process and of the ROMs' widths and capacities, but the cells *_code.
#include "gen/layout/layout.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gen/chip/bits.h"
#include "gen/chip/words.h"
#include "gen/layout/liberty.h"
#include "gen/layout/views.h"
#include "gen/output.h"

static const char *const FORMAT = "hardwire-layout-1";
enum { CHANNEL = 10000 }; // between macros, nm

// --- macros

static int parts(int n, int most)
{
    return (n + most - 1) / most;
}

static int rows_each(int words)
{
    int n = parts(words, HW_MACRO_MAX_ROWS), rows = parts(words, n);
    return parts(rows, HW_CODE_ROWS) * HW_CODE_ROWS;
}

// What macros hold that are cut as those for `words` words are.
static int capacity(int words)
{
    return words > 0 ? parts(words, HW_MACRO_MAX_ROWS) * rows_each(words) : 0;
}

// A tile of the array takes its own slice of a weight word, so no macro has bits of two tiles.
static int tiles(const struct hw_layout *l, int rom)
{
    const struct hw_geometry *g = &l->plan->geometry;
    return rom == HW_ROM_WEIGHT ? g->rows / g->tile_rows : 1;
}

static int slice_bits(const struct hw_layout *l, int rom)
{
    return l->plan->rom[rom].width / tiles(l, rom);
}

static int macros_across(const struct hw_layout *l, int rom)
{
    return tiles(l, rom) * parts(slice_bits(l, rom), HW_MACRO_MAX_COLS);
}

static void add_macro(struct hw_layout *l, int rom, int row, int col, int rows)
{
    struct hw_macro *m = &l->macro[l->n_macros++];
    int slice = slice_bits(l, rom), each = parts(slice, HW_MACRO_MAX_COLS);
    int cols = parts(slice, each), at = col % each * cols;
    int bits = slice - at < cols ? slice - at : cols;
    *m = (struct hw_macro){.rom = rom,
                           .tile = col / each,
                           .first_word = row * rows,
                           .first_bit = col / each * slice + at};
    snprintf(m->name, sizeof m->name, "%s_r%02d_c%02d", l->plan->rom[rom].name, row, col);
    m->array = hw_array_make(l->pdk, rows, bits);
    const struct hw_power p = hw_power_make(&m->array);
    m->array_x = l->pdk->margin - hw_decoder_make(&m->array).left;
    m->array_y = -p.y0;
    m->width = m->array_x + p.right + l->pdk->margin;
    m->height = m->array_y + p.y1;
}

static bool make_macros(struct hw_layout *l, struct hw_error *err)
{
    int n = 0;
    for (int i = 0; i < HW_N_ROMS; i++) {
        if (l->words[i] > 0)
            n += parts(l->words[i], HW_MACRO_MAX_ROWS) * macros_across(l, i);
    }
    l->macro = calloc((size_t)n + 1, sizeof *l->macro);
    if (!l->macro)
        return hw_fail(err, "layout: out of memory");
    for (int i = 0; i < HW_N_ROMS; i++) {
        if (l->words[i] == 0)
            continue;
        for (int row = 0; row < parts(l->words[i], HW_MACRO_MAX_ROWS); row++) {
            for (int c = 0; c < macros_across(l, i); c++)
                add_macro(l, i, row, c, rows_each(l->words[i]));
        }
    }
    return true;
}

// --- their places

struct shelf {
    int limit; // of its width
    int x, y;  // of the next macro
    int high;
};

static void next_shelf(struct shelf *s)
{
    if (s->x > 0)
        s->y += s->high + CHANNEL;
    s->x = s->high = 0;
}

static void put(struct hw_layout *l, struct shelf *s, struct hw_macro *m)
{
    if (s->x > 0 && s->x + m->width > s->limit)
        next_shelf(s);
    m->x = s->x;
    m->y = s->y;
    s->x += m->width + CHANNEL;
    s->high = hw_most(m->height, s->high);
    l->width = hw_most(s->x - CHANNEL, l->width);
    l->height = hw_most(s->y + m->height, l->height);
}

// Shelves of about the width that makes the whole square: those of the weights' first tile, then
// those of the next, then the other ROMs, in the order of the macros.
static void fill_shelves(struct hw_layout *l)
{
    struct shelf s = {0};
    double area = 0;
    int widest = 0;
    for (int i = 0; i < l->n_macros; i++) {
        const struct hw_macro *m = &l->macro[i];
        area += ((double)m->width + CHANNEL) * ((double)m->height + CHANNEL);
        widest = hw_most(m->width, widest);
    }
    s.limit = hw_most((int)(sqrt(area) / l->pdk->grid) * l->pdk->grid, widest);
    for (int t = 0; t < tiles(l, HW_ROM_WEIGHT); t++) {
        for (int i = 0; i < l->n_macros; i++) {
            if (l->macro[i].rom == HW_ROM_WEIGHT && l->macro[i].tile == t)
                put(l, &s, &l->macro[i]);
        }
        next_shelf(&s);
    }
    for (int i = 0; i < l->n_macros; i++) {
        if (l->macro[i].rom != HW_ROM_WEIGHT)
            put(l, &s, &l->macro[i]);
    }
}

// --- an earlier layout

static bool take_capacities(struct hw_layout *l, const char *like, struct hw_error *err)
{
    char path[HW_OUTPUT_PATH + 32];
    json_error_t why;
    snprintf(path, sizeof path, "%s/layout.json", like);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    const char *format = json_string_value(json_object_get(root, "format"));
    const char *pdk = json_string_value(json_object_get(root, "pdk"));
    if (!root)
        hw_fail(err, "%s: expected the description of a layout, got %s", path, why.text);
    else if (!format || strcmp(format, FORMAT) != 0)
        hw_fail(err, "%s: format: expected %s, got %s", path, FORMAT, format ? format : "none");
    else if (!pdk || strcmp(pdk, l->pdk->name) != 0)
        hw_fail(err, "%s: pdk: expected %s, got %s", path, l->pdk->name, pdk ? pdk : "none");
    for (int i = 0; i < HW_N_ROMS && !err->set; i++) {
        const struct hw_rom *rom = &l->plan->rom[i];
        json_t *o = json_object_get(json_object_get(root, "roms"), rom->name);
        json_int_t width = json_integer_value(json_object_get(o, "width"));
        json_int_t words = json_integer_value(json_object_get(o, "words"));
        if (width != rom->width)
            hw_fail(err, "%s: %s ROM: width: expected %d bits, got %lld", path, rom->name,
                    rom->width, (long long)width);
        else if (words < rom->depth || words > 1 << 30 || words != capacity((int)words))
            hw_fail(err, "%s: %s ROM: words: expected macros of at least %d, got %lld", path,
                    rom->name, rom->depth, (long long)words);
        else
            l->words[i] = (int)words;
    }
    json_decref(root);
    return !err->set;
}

bool hw_layout_make(struct hw_layout *l, const struct hw_plan *plan, const struct hw_pdk *pdk,
                    const char *like, struct hw_error *err)
{
    *l = (struct hw_layout){.pdk = pdk, .plan = plan};
    for (int i = 0; i < HW_N_ROMS; i++)
        l->words[i] = capacity(plan->rom[i].depth);
    if ((like && !take_capacities(l, like, err)) || !make_macros(l, err))
        return false;
    fill_shelves(l);
    return true;
}

void hw_layout_free(struct hw_layout *l)
{
    free(l->macro);
    memset(l, 0, sizeof *l);
}

// --- GDSII

static void array_name(const struct hw_array *a, char name[HW_ARRAY_NAME])
{
    snprintf(name, HW_ARRAY_NAME, "a%dx%d", a->rows, a->cols);
}

// Every array of another size once.
static void write_arrays(struct hw_out *out, const struct hw_layout *l)
{
    for (int i = 0; i < l->n_macros; i++) {
        const struct hw_array *a = &l->macro[i].array;
        char name[HW_ARRAY_NAME];
        int k = 0;
        while (l->macro[k].array.rows != a->rows || l->macro[k].array.cols != a->cols)
            k++;
        array_name(a, name);
        if (k == i)
            hw_array_write(out, a, name);
    }
}

// Every strap, from edge to edge.
static void strap_pins(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_power_lengths *k = &m->array.pdk->power;
    const struct hw_power p = hw_power_make(&m->array);
    for (int i = 0; i < p.n; i++) {
        for (int s = 0; s < HW_N_SUPPLIES; s++) {
            struct hw_box b = hw_power_strap(&p, i, (enum hw_supply)s);
            int x = m->array_x, w = b.x1 - b.x0;
            hw_gds_box(out, k->pin, (struct hw_box){x + b.x0, 0, x + b.x1, m->height});
            hw_gds_text(out, k->label, x + b.x0 + w / 2, m->height / 2,
                        hw_power_name((enum hw_supply)s));
        }
    }
}

// A pin of metal 1 below, from the wire that leaves the array or its decoder at height `end`.
static void bottom_pin(struct hw_out *out, const struct hw_macro *m, const char *name, int x,
                       int end, int w)
{
    const struct hw_pdk *p = m->array.pdk;
    int left = m->array_x + x - w / 2, top = m->array_y + end;
    struct hw_box pin = {left, 0, left + w, p->margin};
    if (top > 0)
        hw_gds_box(out, p->met1, (struct hw_box){left, 0, left + w, top});
    hw_gds_box(out, p->met1_pin, pin);
    hw_gds_text(out, p->met1_label, m->array_x + x, p->margin / 2, name);
}

// CLK, addresses and outputs leave below; power and ground are straps.
static void write_pins(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_array *a = &m->array;
    const struct hw_pdk *p = a->pdk;
    const struct hw_sense s = hw_sense_make(a);
    const struct hw_decoder d = hw_decoder_make(a);
    char text[32];
    for (int i = 0; i <= d.bits; i++) {
        snprintf(text, sizeof text, i < d.bits ? "A[%d]" : "CLK", i);
        bottom_pin(out, m, text, hw_decoder_pin_x(&d, i), d.bottom, a->line_w);
    }
    for (int c = 0; c < a->cols; c++) {
        int x = hw_array_col_x(a, c);
        snprintf(text, sizeof text, "D[%d]", c);
        bottom_pin(out, m, text, x + a->ground_x, s.bottom, s.output_w);
        snprintf(text, sizeof text, "BL[%d]", c); // no pin: a name for whoever extracts nets
        hw_gds_text(out, p->met1_label, m->array_x + x + a->bit_x, m->array_y, text);
    }
    hw_decoder_write_names(out, &d, m->array_x, m->array_y);
    strap_pins(out, m);
}

static void write_macro(struct hw_out *out, const struct hw_macro *m)
{
    char name[HW_ARRAY_NAME];
    hw_gds_cell(out, m->name);
    array_name(&m->array, name);
    hw_gds_ref(out, name, m->array_x, m->array_y);
    snprintf(name, sizeof name, "%s_code", m->name);
    hw_gds_ref(out, name, m->array_x, m->array_y);
    write_pins(out, m);
    hw_gds_box(out, m->array.pdk->boundary, (struct hw_box){0, 0, m->width, m->height});
    hw_gds_cell_end(out);
}

// Columns of a word: bits [first, first + n) into the low bits of *to.
static void take_bits(uint8_t *to, const uint8_t *word, int first, int n)
{
    memset(to, 0, (size_t)(n + 7) / 8);
    for (int i = 0; i < n; i++)
        to[i / 8] |= (uint8_t)((word[(first + i) / 8] >> ((first + i) & 7) & 1) << (i & 7));
}

// The code of macros [first, first + n), which hold the same words.
static bool write_codes(struct hw_out *out, const struct hw_layout *l, struct hw_words *words,
                        int first, int n)
{
    const struct hw_macro *m = &l->macro[first];
    const struct hw_rom *rom = &l->plan->rom[m->rom];
    size_t bytes = ((size_t)rom->width + 7) / 8, rows = (size_t)m->array.rows;
    uint8_t *all = calloc(rows, bytes), *some = calloc(rows, bytes);
    if (!all || !some)
        hw_fail(out->err, "%s: out of memory", m->name);
    for (int r = 0; !out->err->set && r < m->array.rows && m->first_word + r < rom->depth; r++)
        memcpy(all + (size_t)r * bytes, hw_words_get(words, m->first_word + r), bytes);
    for (int i = 0; i < n && !out->err->set; i++) {
        char name[HW_ARRAY_NAME];
        int cols = m[i].array.cols, stride = (cols + 7) / 8;
        for (size_t r = 0; r < rows; r++)
            take_bits(some + r * (size_t)stride, all + r * bytes, m[i].first_bit, cols);
        snprintf(name, sizeof name, "%s_code", m[i].name);
        hw_array_write_code(out, &m[i].array, name, some, stride);
    }
    free(all);
    free(some);
    return !out->err->set;
}

static void write_gds(struct hw_out *out, const struct hw_layout *l)
{
    hw_gds_open(out, "rom.gds", "hardwire");
    hw_array_write_parts(out, l->pdk);
    hw_decoder_write_parts(out, l->pdk);
    write_arrays(out, l);
    for (int i = 0; i < l->n_macros && !out->err->set;) {
        struct hw_words words;
        int rom = l->macro[i].rom, n;
        if (!hw_words_open(&words, l->plan, &l->plan->rom[rom], out->err))
            return;
        for (; i < l->n_macros && l->macro[i].rom == rom && !out->err->set; i += n) {
            n = 1;
            while (i + n < l->n_macros && l->macro[i + n].rom == rom &&
                   l->macro[i + n].first_word == l->macro[i].first_word)
                n++;
            write_codes(out, l, &words, i, n);
        }
        hw_words_close(&words);
    }
    for (int i = 0; i < l->n_macros; i++)
        write_macro(out, &l->macro[i]);
    hw_gds_cell(out, "personality");
    for (int i = 0; i < l->n_macros; i++)
        hw_gds_ref(out, l->macro[i].name, l->macro[i].x, l->macro[i].y);
    hw_gds_cell_end(out);
    hw_gds_close(out);
}

// --- description

static void write_json(struct hw_out *out, const struct hw_layout *l)
{
    hw_out_open(out, "layout.json");
    hw_out_print(out, "{\n  \"format\": \"%s\",\n  \"pdk\": \"%s\",\n  \"roms\": {\n", FORMAT,
                 l->pdk->name);
    for (int i = 0; i < HW_N_ROMS; i++)
        hw_out_print(out, "    \"%s\": {\"width\": %d, \"words\": %d}%s\n", l->plan->rom[i].name,
                     l->plan->rom[i].width, l->words[i], i + 1 < HW_N_ROMS ? "," : "");
    hw_out_print(out, "  },\n  \"floorplan_nm\": [%d, %d],\n  \"macros\": [\n", l->width,
                 l->height);
    for (int i = 0; i < l->n_macros; i++) {
        const struct hw_macro *m = &l->macro[i];
        hw_out_print(out,
                     "    {\"name\": \"%s\", \"rom\": \"%s\", \"tile\": %d, \"first_word\": %d, "
                     "\"first_bit\": "
                     "%d, \"rows\": %d, \"cols\": %d, \"at_nm\": [%d, %d], \"size_nm\": [%d, "
                     "%d]}%s\n",
                     m->name, l->plan->rom[m->rom].name, m->tile, m->first_word, m->first_bit,
                     m->array.rows, m->array.cols, m->x, m->y, m->width, m->height,
                     i + 1 < l->n_macros ? "," : "");
    }
    hw_out_print(out, "  ]\n}\n");
    hw_out_close(out);
}

// --- folder

// What a layout always has; and macros.spice, which it has where it was asked for: there it begins
// as hardwire writes it. user: the folder, or NULL, where only hardwire writes.
static bool owns(void *user, const char *path, bool is_folder)
{
    static const char *const FILES[] = {"rom.gds",       "layout.json",  "macros.lef",
                                        "floorplan.svg", "macros.v",     "macros_tt.lib",
                                        "macros_ss.lib", "macros_ff.lib"};
    static const struct hw_output_kind SPICE = {"netlist", "macros.spice", HW_SPICE_BEGINS};
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0] && !is_folder; i++) {
        if (strcmp(path, FILES[i]) == 0)
            return true;
    }
    return !is_folder && strcmp(path, SPICE.file) == 0 && (!user || hw_output_dir_is(user, &SPICE));
}

// Nothing, an empty folder or a layout may stand where the output goes.
static bool replaceable(char *name, struct hw_error *err)
{
    static const struct hw_output_kind LAYOUT = {"layout", "layout.json",
                                                 "{\n  \"format\": \"hardwire-layout-1\""};
    return hw_output_dir_replaceable(name, &LAYOUT, owns, name, err);
}

bool hw_layout_write(const struct hw_layout *l, const char *path, bool spice, struct hw_error *err)
{
    struct hw_output_dir dir;
    if (!hw_output_dir_name(&dir, path, err) || !replaceable(dir.name, err) ||
        !hw_output_dir_open(&dir, owns, NULL, err))
        return false;
    struct hw_out out = {.dir = dir.temp, .err = err};
    write_gds(&out, l);
    hw_views_lef(&out, l);
    if (spice)
        hw_views_spice(&out, l);
    hw_views_verilog(&out, l);
    hw_liberty_write(&out, l);
    hw_views_floorplan(&out, l);
    write_json(&out, l);
    if (!err->set && replaceable(dir.name, err))
        hw_output_dir_commit(&dir, owns, dir.older, err);
    hw_out_free(&out);
    hw_output_dir_close(&dir, owns, NULL);
    return !err->set;
}
