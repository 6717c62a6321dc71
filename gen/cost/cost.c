// SPDX-License-Identifier: Apache-2.0
// Owns the formulas from a load and constants to area, speed, power and dollars.
#include "gen/cost/cost.h"

#include <math.h>

#define RESULT_NAME(name) #name,
static const char *const NAME[] = {HW_COST_RESULTS(RESULT_NAME)};

const char *hw_result_name(int id)
{
    return NAME[id];
}

#define K(name) k[HW_K_##name]
#define R(name) r[HW_R_##name]
#define HOURS_YEAR 8766.0
#define SECONDS_YEAR (3600.0 * HOURS_YEAR)

double hw_kv_bits(const struct hw_load *l, double n)
{
    return l->kv_bits_position * n - l->kv_bits_windowed * fmax(n - l->window, 0.0);
}

// Share of a ROM array of so many rows and columns that is cells.
static double array_share(const double *k, double rows, double cols)
{
    return rows / (rows + K(rom_row_overhead)) * (cols / (cols + K(rom_col_overhead)));
}

// A density is stated for arrays of 256 rows by 1,024 columns. A ROM of few words has fewer rows.
static double rom_mm2(const double *k, double bits, double words)
{
    enum { ROWS = 256, COLS = 1024 };
    double rows = fmin(ROWS, fmax(words, 1.0)), cols = fmin(COLS, bits / rows);
    double share = array_share(k, rows, fmax(cols, 1.0)) / array_share(k, ROWS, COLS);
    return bits / 1e6 / K(rom_mbit_mm2) / share;
}

static double gates(const double *k, const struct hw_load *l)
{
    int code = l->code_bits - 2;
    double lanes = k[HW_K_gates_lane_2 + code] * l->rows * l->cols;
    return lanes + k[HW_K_gates_column_2 + code] * l->cols + K(gates_row) * l->rows +
           K(gates_att) * l->att + K(gates_vec) * l->vec + K(gates_fixed);
}

static void area_of(const double *k, const struct hw_load *l, double *r)
{
    const double other_words = 256;
    double most = K(reticle_mm2), logic = gates(k, l) * K(gate_um2) / 1e6;
    double buffers = l->buffer_bits / 1e6 / K(sram_mbit_mm2), scale = 1.0 + K(area_overhead);
    double kv = hw_kv_bits(l, l->context) * l->users / 1e6 / K(sram_mbit_mm2);
    double spread = rom_mm2(k, l->rom_bits, l->rom_words) +
                    rom_mm2(k, l->other_rom_bits, other_words) + kv; // cut among the chips
    double each = logic + buffers;                                   // of every fabric
    // A fabric that would fill more than half of a reticle is cut over several dies.
    double dies = ceil(each * scale / (most / 2)), room = dies * most / scale - each;
    double fabrics = ceil(spread / room);
    R(chips) = fabrics * dies;
    R(rom_mm2) = spread - kv;
    R(sram_mm2) = kv + buffers * fabrics;
    R(logic_mm2) = logic * fabrics;
    R(overhead_mm2) = (spread + each * fabrics) * K(area_overhead);
    R(silicon_mm2) = R(rom_mm2) + R(sram_mm2) + R(logic_mm2) + R(overhead_mm2);
    R(die_mm2) = R(silicon_mm2) / R(chips);
}

static void die_of(const double *k, double *r)
{
    double side = sqrt(R(die_mm2)) + K(scribe_mm);
    R(dies_per_wafer) = hw_dies_per_wafer(K(wafer_mm), K(edge_mm), side);
    R(yield) = hw_yield(R(die_mm2), K(defects_cm2), K(yield_alpha));
    double good = fmax(R(dies_per_wafer), 1.0) * R(yield);
    R(die_usd) = K(wafer_usd) / good + K(package_usd) + K(test_usd);
}

// Clocks beyond the first position's are those of the keys and values that are read.
static double cycles_at(const struct hw_load *l, double position)
{
    double first = hw_kv_bits(l, 1.0), all = hw_kv_bits(l, fmax(l->context, 2.0)) - first;
    double read = hw_kv_bits(l, position + 1.0) - first;
    return l->cycles_first + (l->cycles_last - l->cycles_first) * read / all;
}

double hw_cost_speed(const double k[HW_N_CONSTANTS], const struct hw_load *load, double position,
                     double chips)
{
    double us = cycles_at(load, position) / K(clock_mhz) + K(link_us) * (chips - 1);
    return 1e6 / us;
}

double hw_cost_context_mm2(const double k[HW_N_CONSTANTS], const struct hw_load *load, double n)
{
    return hw_kv_bits(load, n) / 1e6 / K(sram_mbit_mm2) * (1.0 + K(area_overhead));
}

static void speed_of(const double *k, const struct hw_load *l, double *r)
{
    double mean = l->mean_share * (l->context - 1);
    R(clock_mhz) = K(clock_mhz);
    R(tokens_s_user) = hw_cost_speed(k, l, mean, R(chips));
    R(token_us) = 1e6 / R(tokens_s_user);
    R(tokens_s_user_last) = hw_cost_speed(k, l, l->context - 1, R(chips));
    // Chips work on different users' tokens: as many at once as there are users or chips.
    R(tokens_s) = R(tokens_s_user) * fmin(l->users, R(chips));
}

// Energy of a token in fJ: what switches in the array, attention and vector units, bits read, and
// operands that move from lane to lane; all times the factor for clock and registers.
static void power_of(const double *k, const struct hw_load *l, double *r)
{
    int code = l->code_bits - 2;
    double mean = l->mean_share * (l->context - 1), lanes = l->rows * l->cols;
    double array = k[HW_K_gates_lane_2 + code] * lanes + k[HW_K_gates_column_2 + code] * l->cols +
                   K(gates_row) * l->rows;
    double attention = cycles_at(l, mean) - l->cycles_first; // clocks beyond those at position 0
    double switched = array * l->busy + K(gates_att) * l->att * attention +
                      (K(gates_vec) * l->vec + K(gates_fixed)) * cycles_at(l, mean);
    double pitch_mm = sqrt(R(die_mm2) / lanes); // each lane hands operand and sum to the next
    double wires = lanes * l->busy * (2.0 * l->act_bits) * pitch_mm * K(wire_fj_bit_mm);
    double kv = hw_kv_bits(l, mean + 1.0);
    double fj = switched * K(gate_fj) + wires + l->rom_bits_token * K(rom_fj_bit) +
                kv * K(sram_fj_bit) + l->hop_bits * (R(chips) - 1) * K(link_pj_bit) * 1e3;
    double leak_w = R(silicon_mm2) * K(leak_mw_mm2) / 1e3;
    R(watts) = fj * 1e-15 * K(power_factor) * R(tokens_s) + leak_w;
    R(mj_token) = R(watts) / R(tokens_s) * 1e3;
    R(watts_chip) = R(watts) / R(chips);
}

static void masks_of(const double *k, double *r)
{
    double layer = K(mask_set_usd) / K(mask_layers);
    double own = fmin(layer * K(personality_layers) * K(personality_mask_factor), K(mask_set_usd));
    R(mask_set_usd) = K(mask_set_usd);
    R(masks_own_usd) = K(mask_set_usd) * R(chips);
    R(masks_respin_usd) = own * R(chips);
    R(masks_shared_usd) = K(mask_set_usd) + own * (R(chips) - 1);
    R(first_days) = K(cycle_days);
    R(respin_days) = K(personality_days);
    R(nre_usd) = R(masks_shared_usd) + K(engineering_usd);
    R(respin_usd) = R(masks_respin_usd) + K(respin_engineering_usd);
}

// NRE is that of the first model in the first year of a fabric and of a respin for every model
// after it, over the years in which the servers last; chips live as long as their model.
static void dollars_of(const double *k, const struct hw_load *l, double *r)
{
    double life = fmin(K(life_years), 1.0 / K(models_year)), hosts = R(chips) / K(cards_per_host);
    double cards = R(chips) * (R(die_usd) + K(card_usd)) * K(margin);
    double server = hosts * K(host_usd);
    double fabric_years = fmax(K(server_life_years), life), models = fabric_years / life;
    double nre = (R(nre_usd) + R(respin_usd) * (models - 1.0)) / fabric_years; // a year
    double watts = R(watts) + hosts * K(host_w);
    double power = watts / 1e3 * K(pue) * HOURS_YEAR * K(usd_kwh); // on all day
    double capital = cards / life + server / K(server_life_years);
    double mtok_year = R(tokens_s) * K(utilisation) * SECONDS_YEAR / 1e6;
    R(cards_usd) = cards;
    R(server_usd) = server;
    R(power_usd_year) = power;
    R(replica_usd) = cards + server;
    R(tokens_life) = mtok_year * life;
    R(marginal_usd_mtok) = (capital + power) / mtok_year;
    R(usd_mtok) = (capital + power + nre / l->volume) / mtok_year;
    R(fleet_usd_year) = (capital + power) * l->volume + nre;
}

void hw_cost(const double k[HW_N_CONSTANTS], const struct hw_load *load, double r[HW_N_RESULTS])
{
    area_of(k, load, r);
    die_of(k, r);
    speed_of(k, load, r);
    power_of(k, load, r);
    masks_of(k, r);
    dollars_of(k, load, r);
}
