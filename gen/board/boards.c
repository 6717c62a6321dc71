// SPDX-License-Identifier: Apache-2.0
// Owns the format of gen/board/boards.json and the model of what a chip takes.
#include "gen/board/boards.h"

#include <math.h>
#include <string.h>

#include "gen/chip/memories.h"
#include "gen/read/json.h"

static bool refuse(const char *path, const char *part, const char *key, const char *expected,
                   struct hw_error *err)
{
    return hw_fail(err, "%.200s: %.60s: %s: expected %s", path, part, key, expected);
}

// A number above 0, or from 0 on.
static bool read_number(const json_t *object, const char *key, bool zero, double *value,
                        const char *path, const char *part, struct hw_error *err)
{
    const json_t *number = json_object_get(object, key);
    *value = json_number_value(number);
    if (json_is_number(number) && isfinite(*value) && *value < 1e9 && *value >= 0.0 &&
        (zero || *value > 0.0))
        return true;
    return refuse(path, part, key, zero ? "a number from 0 on" : "a number above 0", err);
}

static bool read_count(const json_t *object, const char *key, int *value, const char *path,
                       const char *part, struct hw_error *err)
{
    double number;
    if (!read_number(object, key, true, &number, path, part, err))
        return false;
    *value = (int)number;
    return *value == number || refuse(path, part, key, "a whole number", err);
}

static bool read_cost(const json_t *family, const char *key, struct hw_fpga_cost *cost,
                      const char *path, const char *part, struct hw_error *err)
{
    const json_t *object = json_object_get(family, key);
    return read_number(object, "fixed", true, &cost->fixed, path, part, err) &&
           read_number(object, "lane", true, &cost->lane, path, part, err) &&
           read_number(object, "vec", true, &cost->vec, path, part, err) &&
           read_number(object, "attention", true, &cost->attention, path, part, err);
}

static bool read_shapes(const json_t *family, struct hw_fpga *fpga, const char *path,
                        struct hw_error *err)
{
    const json_t *list = json_object_get(family, "ram_shapes"), *pair;
    size_t i;
    if (json_array_size(list) < 1 || json_array_size(list) > HW_MOST_RAM_SHAPES)
        return refuse(path, fpga->name, "ram_shapes", "a list of 1..8 pairs", err);
    json_array_foreach(list, i, pair)
    {
        for (size_t k = 0; k < 2; k++) {
            json_int_t value = json_integer_value(json_array_get(pair, k));
            if (value < 1 || value > 1 << 20)
                return refuse(path, fpga->name, "ram_shapes", "pairs of words and bits", err);
            fpga->shape[i][k] = (int)value;
        }
        fpga->n_shapes++;
    }
    return true;
}

static bool read_family(struct hw_board *board, const char *name, const char *path,
                        struct hw_error *err)
{
    const json_t *family = json_object_get(json_object_get(board->root, "families"), name);
    struct hw_fpga *fpga = &board->fpga;
    fpga->name = name;
    return (json_is_object(family) ||
            refuse(path, board->name, "family", "one of families", err)) &&
           read_cost(family, "logic", &fpga->logic, path, name, err) &&
           read_cost(family, "multipliers", &fpga->multipliers, path, name, err) &&
           read_count(family, "logic_ram_words", &fpga->logic_ram_words, path, name, err) &&
           read_count(family, "logic_rom_words", &fpga->logic_rom_words, path, name, err) &&
           read_count(family, "deep_rom_words", &fpga->deep_rom_words, path, name, err) &&
           read_count(family, "deep_ram_words", &fpga->deep_ram_words, path, name, err) &&
           read_shapes(family, fpga, path, err);
}

// How the chip's lanes and pipelines were made; a board may leave them to the usual choice.
static bool read_kinds(struct hw_board *board, const json_t *object, const char *path,
                       struct hw_error *err)
{
    const json_t *lane = json_object_get(object, "lane"),
                 *latency = json_object_get(object, "latency");
    if (lane && !(json_is_string(lane) && hw_lane_parse(json_string_value(lane), &board->lane)))
        return refuse(path, board->name, "lane", "select or multiply", err);
    struct hw_error why;
    if (latency && !(json_is_string(latency) &&
                     hw_latency_parse(json_string_value(latency), &board->latency, &why)))
        return refuse(path, board->name, "latency", "what --latency takes", err);
    return true;
}

static bool read_board(struct hw_board *board, const json_t *object, const char *path,
                       struct hw_error *err)
{
    const char *part = board->name;
    board->title = json_string_value(json_object_get(object, "title"));
    board->source = json_string_value(json_object_get(object, "source"));
    if (!board->title || !board->source)
        return refuse(path, part, "title, source", "texts", err);
    return read_family(board, hw_json_string(object, "family"), path, err) &&
           read_count(object, "logic", &board->logic, path, part, err) &&
           read_count(object, "ram_blocks", &board->ram_blocks, path, part, err) &&
           read_count(object, "multipliers", &board->multipliers, path, part, err) &&
           read_number(object, "clock_mhz", false, &board->clock_mhz, path, part, err) &&
           read_count(object, "rows", &board->rows, path, part, err) &&
           (!json_object_get(object, "tile_rows") ||
            read_count(object, "tile_rows", &board->tile_rows, path, part, err)) &&
           read_count(object, "cols", &board->cols, path, part, err) &&
           read_count(object, "vec", &board->vec, path, part, err) &&
           read_count(object, "att_pos", &board->att_pos, path, part, err) &&
           read_kinds(board, object, path, err);
}

static bool no_board(json_t *boards, const char *path, const char *name, struct hw_error *err)
{
    char names[400] = "";
    const char *key;
    json_t *value;
    json_object_foreach(boards, key, value)
    {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%.40s", used ? ", " : "", key);
    }
    return hw_fail(err, "%.200s: boards: expected one of %s, got '%.60s'", path, names, name);
}

bool hw_board_read(struct hw_board *board, const char *path, const char *name, struct hw_error *err)
{
    *board = (struct hw_board){.root = hw_json_read(path, err), .name = name};
    if (!board->root)
        return false;
    const char *format = hw_json_string(board->root, "format");
    json_t *boards = json_object_get(board->root, "boards");
    json_t *object = json_object_get(boards, name);
    if (strcmp(format, "hardwire boards 1") != 0)
        hw_fail(err, "%.200s: format: expected 'hardwire boards 1', got '%.60s'", path, format);
    else if (!object)
        no_board(boards, path, name, err);
    else if (read_board(board, object, path, err))
        return true;
    hw_board_free(board);
    return false;
}

void hw_board_free(struct hw_board *board)
{
    json_decref(board->root);
    *board = (struct hw_board){0};
}

void hw_board_default(const struct hw_board *board, struct hw_geometry *g)
{
    if (!g->rows && !g->tile_rows)
        g->tile_rows = board->tile_rows;
    g->rows = g->rows ? g->rows : board->rows;
    g->cols = g->cols ? g->cols : board->cols;
    g->vec = g->vec ? g->vec : board->vec;
    g->att_pos = g->att_pos ? g->att_pos : board->att_pos;
    if (g->target == HW_TARGET_SIM)
        hw_target_parse(board->fpga.name, &g->target);
    if (g->lane == HW_LANE_ANY)
        g->lane = board->lane;
    const struct hw_latency usual = {0};
    if (memcmp(&g->latency, &usual, sizeof usual) == 0)
        g->latency = board->latency;
}

// --- what a chip takes

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

// Blocks of a column of that many bits, at the shape of which it needs fewest.
static int column(const struct hw_fpga *fpga, int words, int bits)
{
    int least = 0;
    for (int i = 0; i < fpga->n_shapes; i++) {
        int n = ceil_div(words, fpga->shape[i][0]) * ceil_div(bits, fpga->shape[i][1]);
        if (i == 0 || n < least)
            least = n;
    }
    return least;
}

// As Yosys' memory_libmap does it: columns of one shape, and what is left of the width in its own.
static int blocks(const struct hw_fpga *fpga, int words, int bits)
{
    int least = column(fpga, words, bits);
    for (int i = 0; i < fpga->n_shapes; i++) {
        int rest = bits % fpga->shape[i][1];
        int n = bits / fpga->shape[i][1] * ceil_div(words, fpga->shape[i][0]) +
                (rest ? column(fpga, words, rest) : 0);
        if (n < least)
            least = n;
    }
    return least;
}

// As sim/board/ecp5.py makes deep memories: of the widest shape that is as deep, or of the deepest.
static int deep_blocks(const struct hw_fpga *fpga, int words, int bits)
{
    const int *shape = fpga->shape[0];
    for (int i = 1; i < fpga->n_shapes; i++) {
        const int *other = fpga->shape[i];
        if (shape[0] < words ? other[0] > shape[0] : other[0] >= words && other[1] > shape[1])
            shape = other;
    }
    return ceil_div(words, shape[0]) * ceil_div(bits, shape[1]);
}

// A RAM is a memory for each part that is written by itself (rtl_templates/ram.v).
static int memory_blocks(const struct hw_fpga *fpga, const struct hw_memory *m)
{
    if (m->depth <= (m->rom ? fpga->logic_rom_words : fpga->logic_ram_words))
        return 0;
    if (m->rom && m->depth > fpga->deep_rom_words)
        return m->instances * deep_blocks(fpga, m->depth, m->width);
    if (m->rom)
        return m->instances * blocks(fpga, m->depth, m->width);
    bool deep = m->depth > fpga->deep_ram_words && m->depth <= fpga->deep_rom_words;
    return m->instances * (m->width / m->mask) *
           (deep ? deep_blocks : blocks)(fpga, m->depth, m->mask);
}

static int take(const struct hw_fpga_cost *cost, const struct hw_geometry *g)
{
    return (int)lround(cost->fixed + cost->lane * g->rows * g->cols + cost->vec * g->vec +
                       cost->attention * g->att_pos * g->head_dim);
}

struct hw_board_use hw_board_use(const struct hw_board *board, const struct hw_plan *plan)
{
    struct hw_memory memory[HW_MOST_MEMORIES];
    int n = hw_memories(plan, memory);
    struct hw_board_use use = {take(&board->fpga.logic, &plan->geometry), 0,
                               take(&board->fpga.multipliers, &plan->geometry)};
    for (int i = 0; i < n; i++)
        use.ram_blocks += memory_blocks(&board->fpga, &memory[i]);
    return use;
}

bool hw_board_fits(const struct hw_board *board, const struct hw_board_use *use)
{
    return use->logic <= board->logic && use->ram_blocks <= board->ram_blocks &&
           use->multipliers <= board->multipliers;
}
