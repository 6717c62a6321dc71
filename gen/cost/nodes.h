// SPDX-License-Identifier: Apache-2.0
// The constants of the cost model: a file of process nodes, constants that all nodes share, and the
// servers that a chip is compared with. Every constant is a range with its source.
#ifndef HW_NODES_H
#define HW_NODES_H

#include <jansson.h>

#include "gen/error.h"

// Constants of a node; the name is the key in the file, with its unit.
#define HW_NODE_CONSTANTS(X)                                                                       \
    X(rom_mbit_mm2)   /* mask ROM macro */                                                         \
    X(sram_mbit_mm2)  /* SRAM macro */                                                             \
    X(gate_um2)       /* NAND2X1, placed */                                                        \
    X(gate_fj)        /* of a NAND2X1 and clock, at usual activity */                              \
    X(rom_fj_bit)     /* read from a bank */                                                       \
    X(sram_fj_bit)    /* read or written */                                                        \
    X(wire_fj_bit_mm) /* a bit moved */                                                            \
    X(leak_mw_mm2)    /* of the die */                                                             \
    X(clock_mhz)                                                                                   \
    X(wafer_mm)  /* diameter */                                                                    \
    X(wafer_usd) /* processed */                                                                   \
    X(defects_cm2)                                                                                 \
    X(engineering_usd) /* of the first chip on a fabric */                                         \
    X(mask_set_usd)    /* all layers */                                                            \
    X(mask_layers)                                                                                 \
    X(personality_layers) /* of these: those that another model changes */                         \
    X(cycle_days)         /* wafers from the first layer on */                                     \
    X(personality_days)   /* from banked wafers to cards */

#define HW_COMMON_CONSTANTS(X)                                                                     \
    X(gates_lane_2) /* NAND2X1 a lane of 2-bit codes */                                            \
    X(gates_lane_3)                                                                                \
    X(gates_lane_4)                                                                                \
    X(gates_column_2) /* the products that a column forms for its rows */                          \
    X(gates_column_3)                                                                              \
    X(gates_column_4)                                                                              \
    X(gates_row)        /* accumulator */                                                          \
    X(gates_att)        /* attention: a position's element a cycle, score and value */             \
    X(gates_vec)        /* drain, norm, rotation, SwiGLU: an element a cycle */                    \
    X(gates_fixed)      /* control */                                                              \
    X(rom_row_overhead) /* periphery of a ROM array, in rows */                                    \
    X(rom_col_overhead) /* in columns */                                                           \
    X(area_overhead)    /* share of ROM, SRAM and logic */                                         \
    X(power_factor)     /* on what switches */                                                     \
    X(reticle_mm2)                                                                                 \
    X(scribe_mm)                                                                                   \
    X(edge_mm)     /* of the wafer, unused */                                                      \
    X(yield_alpha) /* clustering of defects */                                                     \
    X(package_usd)                                                                                 \
    X(test_usd)                                                                                    \
    X(card_usd)                                                                                    \
    X(host_usd)                                                                                    \
    X(cards_per_host)                                                                              \
    X(host_w)                                                                                      \
    X(margin)                  /* price over cost of a card */                                     \
    X(respin_engineering_usd)  /* of another model on it */                                        \
    X(personality_mask_factor) /* price of a personality's mask over the mean of the set */        \
    X(life_years)              /* of a model in use */                                             \
    X(models_year)             /* replaced */                                                      \
    X(utilisation)             /* of the hours of a year */                                        \
    X(server_life_years)                                                                           \
    X(pue) /* power of the building over that of its machines */                                   \
    X(usd_kwh)                                                                                     \
    X(link_us) /* from chip to chip */                                                             \
    X(link_pj_bit)

#define HW_CONSTANT_ID(name) HW_K_##name,
enum hw_constant_id {
    HW_NODE_CONSTANTS(HW_CONSTANT_ID) HW_COMMON_CONSTANTS(HW_CONSTANT_ID) HW_N_CONSTANTS
};

struct hw_range_of { // low <= value <= high
    double low, value, high;
    const char *source; // in the file's JSON
};

struct hw_constants { // one node and what is common
    const char *node, *title;
    struct hw_range_of k[HW_N_CONSTANTS];
};

struct hw_server {
    const char *name, *kind, *model; // kind: gpu, sram, hardwired; model: name of a shape
    struct hw_range_of tokens_s_user, tokens_s, price_usd, watts;
};

enum { HW_MAX_NODES = 16, HW_MAX_SERVERS = 32 };
struct hw_nodes {
    json_t *root;
    int n, n_servers;
    struct hw_constants node[HW_MAX_NODES];
    struct hw_server server[HW_MAX_SERVERS];
};

// Reads a nodes file: every constant of every node must be there, positive, low <= value <= high,
// with a source, and nothing else. On success the caller frees it.
bool hw_nodes_read(struct hw_nodes *nodes, const char *path, struct hw_error *err);
void hw_nodes_free(struct hw_nodes *nodes);
// The constants of a node by its name, "7"; NULL and an error that lists the names.
const struct hw_constants *hw_nodes_find(const struct hw_nodes *nodes, const char *name,
                                         const char *path, struct hw_error *err);
const char *hw_constant_name(int id);
// The middle of every range.
void hw_constants_middle(const struct hw_constants *c, double k[HW_N_CONSTANTS]);

#endif
