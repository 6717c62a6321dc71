// SPDX-License-Identifier: Apache-2.0
// What a hardwired model costs: area, power, speed, yield, masks and dollars, each a closed formula
// of the constants of nodes.h and of what a token needs (struct hw_load). docs/economics.md has the
// formulas. Pure functions: the same numbers in, the same numbers out.
#ifndef HW_COST_H
#define HW_COST_H

#include "gen/cost/nodes.h"

// What a model on a geometry needs, from the plan and its cycle model or from a shape (shapes.h).
// All of it, whatever the number of chips.
struct hw_load {
    double weights, active_weights; // in all, and those that a token uses
    double rom_bits, rom_words;     // of the weight ROM
    double other_rom_bits;          // scales, gains, rotation, program
    double rom_bits_token;          // read for a token
    double rows, cols, vec;         // lanes of one chip: rows x cols
    double att;                     // attention: positions x head_dim a cycle
    int code_bits, act_bits;
    double context;                   // positions of the KV cache of a user
    double cycles_first, cycles_last; // clocks of a token at position 0 and at context - 1
    double busy;                      // clocks a token in which the array takes a weight word
    double kv_bits_position;          // all layers, one position of one user
    double window;                    // positions that layers with a window keep (0: none has one)
    double kv_bits_windowed;          // of kv_bits_position those of these layers
    double buffer_bits;               // other SRAM of one chip
    double hop_bits;                  // from chip to chip, a token
    int layers;
    double users;      // whose KV caches are on the chips
    double mean_share; // of the context that a mean token has behind it, 0..1
    double volume;     // replicas (sets of chips that hold the model) built
};

// Bits of the KV cache of a user with n positions.
double hw_kv_bits(const struct hw_load *load, double n);

// The results, in the order of their dependence. Names with units, as in JSON.
#define HW_COST_RESULTS(X)                                                                         \
    X(rom_mm2) /* all chips */                                                                     \
    X(sram_mm2)                                                                                    \
    X(logic_mm2)                                                                                   \
    X(overhead_mm2)                                                                                \
    X(silicon_mm2) /* all of these */                                                              \
    X(chips)       /* dies of at most a reticle that hold the model */                             \
    X(die_mm2)     /* one of them */                                                               \
    X(dies_per_wafer)                                                                              \
    X(yield)                                                                                       \
    X(die_usd) /* a good one, tested and packaged */                                               \
    X(clock_mhz)                                                                                   \
    X(token_us) /* one user, the mean position */                                                  \
    X(tokens_s_user)                                                                               \
    X(tokens_s)           /* of a replica, all users */                                            \
    X(tokens_s_user_last) /* at the end of the context */                                          \
    X(mj_token)           /* energy of a replica */                                                \
    X(watts)              /* of a replica's chips, busy */                                         \
    X(watts_chip)                                                                                  \
    X(mask_set_usd)     /* all layers of one chip */                                               \
    X(masks_own_usd)    /* every chip with a set of its own */                                     \
    X(masks_shared_usd) /* one set, and the personality's layers of every chip */                  \
    X(masks_respin_usd) /* another model on the same fabric */                                     \
    X(first_days)                                                                                  \
    X(respin_days)                                                                                 \
    X(nre_usd)           /* masks_shared and engineering */                                        \
    X(respin_usd)        /* masks_respin and engineering */                                        \
    X(cards_usd)         /* price of the cards of one replica */                                   \
    X(server_usd)        /* its share of servers */                                                \
    X(power_usd_year)    /* of one replica */                                                      \
    X(replica_usd)       /* price of the cards of one replica and its share of a server */         \
    X(tokens_life)       /* millions, of a replica, in the life of a model */                      \
    X(marginal_usd_mtok) /* a million tokens, without NRE */                                       \
    X(usd_mtok)          /* with NRE, at the volume */                                             \
    X(fleet_usd_year)    /* all replicas: capital, NRE and power, a year */

#define HW_RESULT_ID(name) HW_R_##name,
enum hw_result_id { HW_COST_RESULTS(HW_RESULT_ID) HW_N_RESULTS };
const char *hw_result_name(int id);

// r[]: every result for the constants k[]. A load of positive numbers gives positive results.
void hw_cost(const double k[HW_N_CONSTANTS], const struct hw_load *load, double r[HW_N_RESULTS]);

// The same where the position is `position` in place of the mean one: tokens/s of one user.
double hw_cost_speed(const double k[HW_N_CONSTANTS], const struct hw_load *load, double position,
                     double chips);
// mm2 of SRAM for one user's KV cache of n positions, overhead included.
double hw_cost_context_mm2(const double k[HW_N_CONSTANTS], const struct hw_load *load, double n);

// --- yield.c

// Whole dies of `side` x `side` mm (scribe line included) in a circle of the wafer's diameter less
// `edge` on every side: the best of 4 x 4 offsets of the grid. A square die.
double hw_dies_per_wafer(double wafer_mm, double edge_mm, double side_mm);
// Share of good dies: negative binomial, (1 + area * defects / alpha) ^ -alpha; area in mm2.
double hw_yield(double area_mm2, double defects_cm2, double alpha);

// --- range.c

struct hw_result_range {
    double low, value, high; // 5%, of the middle constants, 95%
};
// By HW_DRAWS draws of every constant from its triangle (low, value, high), the same ones always.
enum { HW_DRAWS = 1000 };
void hw_cost_ranges(const struct hw_constants *c, const struct hw_load *load,
                    struct hw_result_range r[HW_N_RESULTS]);

// One constant at its low and its high end, the others in the middle.
struct hw_swing {
    int constant; // enum hw_constant_id
    double low, high;
};
// Those that move the result most, the greatest ratio of high to low first. At most `n`; returns
// how many there are.
int hw_cost_swings(const struct hw_constants *c, const struct hw_load *load, int result, int n,
                   struct hw_swing *swing);

// --- tco.c

struct hw_comparison {
    const struct hw_server *server;
    double usd_mtok;            // of the server, the middle constants
    double low, high;           // of its own ranges
    double break_even_replicas; // at which the chips cost the same; infinite: never
    double break_even_mtok;     // tokens of these in their life, in millions
    double speed;               // tokens/s of a user over the server's
};
double hw_server_usd_mtok(const double k[HW_N_CONSTANTS], double price_usd, double watts,
                          double tokens_s);
void hw_compare(const struct hw_constants *c, const double r[HW_N_RESULTS],
                const struct hw_server *server, struct hw_comparison *out);

#endif
