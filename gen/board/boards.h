// SPDX-License-Identifier: Apache-2.0
// Whether a planned chip fits an FPGA board, before anything is synthesized. gen/board/boards.json
// holds the boards, and for each FPGA family what cells a chip takes, as measured by
// sim/board/costs.
#ifndef HW_BOARDS_H
#define HW_BOARDS_H

#include <jansson.h>

#include "gen/chip/plan.h"

// Logic is a linear model of the geometry. A lane is one of the array, with the family's usual
// kind; an attention element is one of att_pos * head_dim.
struct hw_fpga_cost {
    double fixed, lane, vec, attention;
};

enum { HW_MOST_RAM_SHAPES = 8 };
struct hw_fpga {
    const char *name;
    struct hw_fpga_cost logic, multipliers;
    int n_shapes;
    int shape[HW_MOST_RAM_SHAPES][2]; // words, bits of a word that a block RAM can have
    int logic_ram_words;              // a RAM of that many words or fewer is made of logic
    int logic_rom_words;              // a ROM likewise
    int deep_rom_words;               // a ROM of more is made of block RAMs as deep
    int deep_ram_words;               // a RAM of more likewise, up to deep_rom_words
};

struct hw_board {
    json_t *root; // of the file; the texts below are in it
    const char *name, *title, *source;
    struct hw_fpga fpga;
    int logic, ram_blocks, multipliers; // that it has
    double clock_mhz;                   // at which a chip was placed on it
    int rows, cols, vec, att_pos;       // of that chip
    int tile_rows;                      // likewise; 0: all
    enum hw_lane lane;                  // likewise; ANY: chosen
    struct hw_latency latency;          // likewise; 0: the usual ones
};

struct hw_board_use {
    int logic, ram_blocks, multipliers;
};

// Reads a board and its family by name. An error: no such board (the message names all), or a file
// in another form. On success the caller frees it.
bool hw_board_read(struct hw_board *board, const char *path, const char *name,
                   struct hw_error *err);
void hw_board_free(struct hw_board *board);

// Sizes of *g that are 0 become those of the chip that was placed on the board, and its target the
// family, where no fabric gives them.
void hw_board_default(const struct hw_board *board, struct hw_geometry *g);

// The latter counts what the chip itself takes; a serial line or a bus comes on top.
struct hw_board_use hw_board_use(const struct hw_board *board, const struct hw_plan *plan);
bool hw_board_fits(const struct hw_board *board, const struct hw_board_use *use);

#endif
