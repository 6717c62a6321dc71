// SPDX-License-Identifier: Apache-2.0
// Owns the Liberty files. D rises after CLK does and falls after CLK does, so it is taken at the
// falling edge; A is stable before CLK rises and until it falls.
#include "gen/layout/liberty.h"

#include "gen/layout/timing.h"

static const double ROWS[HW_TIMED_ROWS] = {32, 128, 256}, COLS[HW_TIMED_COLS] = {32, 128, 512};
static const double GUARD = 1.1;
static const double LOAD_PF[2] = {0.01, 0.06}; // those simulated
static const double SLEW_NS[2] = {0.04, 0.4};  // those simulated, 10 to 90%
// From the start of an edge to its middle, in slews: A may act as soon as it moves.
static const double START_TO_MIDDLE = 0.5 / 0.8;

// How far x lies from at[*i] to at[*i + 1], 0 to 1; 0 before the first.
static double along(const double *at, int n, double x, int *i)
{
    for (*i = 0; *i + 2 < n && x > at[*i + 1]; ++*i)
        ;
    return x <= at[*i] ? 0 : (x - at[*i]) / (at[*i + 1] - at[*i]);
}

// Times are those of 2^bits rows: the decoder's gates grow with bits, not with rows. They are
// longer by GUARD: simulated between the table's sizes, they were up to 8% above what is
// interpolated.
static double value(const struct hw_corner *c, const struct hw_array *a, enum hw_timed f)
{
    int row, col, rows = f < HW_ENERGY_0 ? 1 << hw_decoder_bits(a->rows) : a->rows;
    double r = along(ROWS, HW_TIMED_ROWS, rows, &row);
    double k = along(COLS, HW_TIMED_COLS, a->cols, &col);
    const double(*low)[HW_N_TIMED] = &c->at[row * HW_TIMED_COLS + col];
    const double(*high)[HW_N_TIMED] = low + HW_TIMED_COLS;
    double x = (1 - r) * ((1 - k) * low[0][f] + k * low[1][f]) +
               r * ((1 - k) * high[0][f] + k * high[1][f]);
    return f < HW_ENERGY_0 ? GUARD * x : x;
}

static void scalar(struct hw_out *out, const char *what, double x)
{
    hw_out_print(out, "        %s(scalar) { values(\"%.3f\"); }\n", what, x);
}

// A table of two slews and of two loads, or two other slews: `least` and what each adds.
static void table(struct hw_out *out, const char *what, const char *kind, double least, double rows,
                  double cols)
{
    hw_out_print(out, "        %s(%s) { values(\"%.3f, %.3f\", \"%.3f, %.3f\"); }\n", what, kind,
                 least, least + cols, least + rows, least + rows + cols);
}

static void by_load(struct hw_out *out, const struct hw_corner *c, const struct hw_array *a,
                    const char *what, enum hw_timed f)
{
    table(out, what, "slew_load", value(c, a, f), c->per_ns[f] * (SLEW_NS[1] - SLEW_NS[0]),
          c->per_pf[f] * (LOAD_PF[1] - LOAD_PF[0]));
}

// Setup and hold of A by the slews of CLK and of A. EN rises after the middle of CLK's edge however
// slow that is, so setup does not know CLK's slew. A may change as CLK falls: no word line outlives
// EN, and D, which it could harm, is taken by then.
static void setup(struct hw_out *out, const struct hw_corner *c, const struct hw_array *a,
                  const char *what)
{
    double step = SLEW_NS[1] - SLEW_NS[0];
    table(out, what, "slew_slew", value(c, a, HW_SETUP), 0, c->per_ns[HW_SLOW_SETUP] * step);
}

static void hold(struct hw_out *out, const char *what)
{
    double step = SLEW_NS[1] - SLEW_NS[0];
    table(out, what, "slew_slew", START_TO_MIDDLE * SLEW_NS[0], 0, START_TO_MIDDLE * step);
}

static void write_bus_type(struct hw_out *out, const char *pin, int width)
{
    hw_out_print(out,
                 "    type(%s%d) {\n      base_type : array;\n      data_type : bit;\n"
                 "      bit_width : %d;\n      bit_from : %d;\n      bit_to : 0;\n"
                 "      downto : true;\n    }\n",
                 pin, width, width, width - 1);
}

static void write_clock(struct hw_out *out, const struct hw_corner *c, const struct hw_array *a)
{
    double zero = value(c, a, HW_ENERGY_0), one = value(c, a, HW_ENERGY_1);
    hw_out_print(out,
                 "    pin(CLK) {\n      direction : input;\n      clock : true;\n"
                 "      capacitance : %.5f;\n      max_transition : %.3f;\n"
                 "      min_pulse_width_high : %.3f;\n      min_pulse_width_low : %.3f;\n",
                 c->clk_ff * 1e-3, SLEW_NS[1], value(c, a, HW_ACCESS), value(c, a, HW_CHARGE));
    hw_out_print(out, "      internal_power() { /* a read, half of its bits 1 */\n"
                      "        related_pg_pin : VPWR;\n");
    scalar(out, "rise_power", (zero + one) / 2);
    scalar(out, "fall_power", 0);
    hw_out_print(out, "      }\n    }\n");
}

static void write_address(struct hw_out *out, const struct hw_corner *c, const struct hw_array *a,
                          int bits)
{
    hw_out_print(out,
                 "    bus(A) {\n      bus_type : A%d;\n      direction : input;\n"
                 "      capacitance : %.5f;\n      max_transition : %.3f;\n",
                 bits, c->a_ff * 1e-3, SLEW_NS[1]);
    const char *const edge[] = {"rise_constraint", "fall_constraint"};
    hw_out_print(out, "      timing() {\n        related_pin : \"CLK\";\n"
                      "        timing_type : setup_rising;\n");
    for (int i = 0; i < 2; i++)
        setup(out, c, a, edge[i]);
    hw_out_print(out, "      }\n      timing() {\n        related_pin : \"CLK\";\n"
                      "        timing_type : hold_falling;\n");
    for (int i = 0; i < 2; i++)
        hold(out, edge[i]);
    hw_out_print(out, "      }\n");
    hw_out_print(out, "    }\n");
}

static void write_data(struct hw_out *out, const struct hw_corner *c, const struct hw_array *a)
{
    hw_out_print(out,
                 "    bus(D) {\n      bus_type : D%d;\n      direction : output;\n"
                 "      max_capacitance : %.3f;\n",
                 a->cols, LOAD_PF[1]);
    for (int fall = 0; fall < 2; fall++) {
        hw_out_print(out,
                     "      timing() {\n        related_pin : \"CLK\";\n"
                     "        timing_type : %s_edge;\n        timing_sense : non_unate;\n",
                     fall ? "falling" : "rising");
        by_load(out, c, a, fall ? "cell_fall" : "cell_rise", fall ? HW_FALL : HW_ACCESS);
        by_load(out, c, a, fall ? "fall_transition" : "rise_transition",
                fall ? HW_FALL_SLEW : HW_RISE_SLEW);
        hw_out_print(out, "      }\n");
    }
    hw_out_print(out, "    }\n");
}

static void write_cell(struct hw_out *out, const struct hw_corner *c, const struct hw_macro *m)
{
    const struct hw_array *a = &m->array;
    int bits = hw_decoder_bits(a->rows);
    hw_out_print(out,
                 "  cell(%s) {\n    area : %.3f;\n    interface_timing : true;\n"
                 "    dont_touch : true;\n    dont_use : true;\n"
                 "    cell_leakage_power : %.3f; /* at rest, half of its bits 1 */\n"
                 "    memory() {\n      type : rom;\n      address_width : %d;\n"
                 "      word_width : %d;\n    }\n",
                 m->name, m->width * 1e-3 * m->height * 1e-3,
                 (value(c, a, HW_LEAK_0) + value(c, a, HW_LEAK_1)) / 2, bits, a->cols);
    write_bus_type(out, "A", bits);
    write_bus_type(out, "D", a->cols);
    hw_out_print(out, "    pg_pin(VPWR) {\n      voltage_name : VPWR;\n"
                      "      pg_type : primary_power;\n    }\n"
                      "    pg_pin(VGND) {\n      voltage_name : VGND;\n"
                      "      pg_type : primary_ground;\n    }\n");
    write_clock(out, c, a);
    write_address(out, c, a, bits);
    write_data(out, c, a);
    hw_out_print(out, "  }\n");
}

static void write_corner(struct hw_out *out, const struct hw_layout *l, const struct hw_corner *c)
{
    char path[32];
    snprintf(path, sizeof path, "macros_%s.lib", c->name);
    hw_out_open(out, path);
    hw_out_print(out,
                 "/* ROM macros, %s %.2f V %d C: simulated, see docs/mask.md */\n"
                 "library(macros_%s) {\n  delay_model : table_lookup;\n"
                 "  time_unit : \"1ns\";\n  voltage_unit : \"1V\";\n  current_unit : \"1mA\";\n"
                 "  pulling_resistance_unit : \"1kohm\";\n  leakage_power_unit : \"1nW\";\n"
                 "  capacitive_load_unit(1, pf);\n  bus_naming_style : \"%%s[%%d]\";\n",
                 c->name, c->volt, c->celsius, c->name);
    hw_out_print(out,
                 "  nom_process : 1;\n  nom_voltage : %.2f;\n  nom_temperature : %d;\n"
                 "  operating_conditions(%s) {\n    process : 1;\n    voltage : %.2f;\n"
                 "    temperature : %d;\n  }\n  default_operating_conditions : %s;\n"
                 "  voltage_map(VPWR, %.2f);\n  voltage_map(VGND, 0);\n",
                 c->volt, c->celsius, c->name, c->volt, c->celsius, c->name, c->volt);
    hw_out_print(out, "  input_threshold_pct_rise : 50;\n  input_threshold_pct_fall : 50;\n"
                      "  output_threshold_pct_rise : 50;\n  output_threshold_pct_fall : 50;\n"
                      "  slew_lower_threshold_pct_rise : 10;\n"
                      "  slew_lower_threshold_pct_fall : 10;\n"
                      "  slew_upper_threshold_pct_rise : 90;\n"
                      "  slew_upper_threshold_pct_fall : 90;\n");
    hw_out_print(out,
                 "  lu_table_template(slew_load) {\n    variable_1 : input_net_transition;\n"
                 "    variable_2 : total_output_net_capacitance;\n"
                 "    index_1(\"%.3f, %.3f\");\n    index_2(\"%.3f, %.3f\");\n  }\n",
                 SLEW_NS[0], SLEW_NS[1], LOAD_PF[0], LOAD_PF[1]);
    hw_out_print(out,
                 "  lu_table_template(slew_slew) {\n    variable_1 : related_pin_transition;\n"
                 "    variable_2 : constrained_pin_transition;\n"
                 "    index_1(\"%.3f, %.3f\");\n    index_2(\"%.3f, %.3f\");\n  }\n",
                 SLEW_NS[0], SLEW_NS[1], SLEW_NS[0], SLEW_NS[1]);
    for (int i = 0; i < l->n_macros; i++)
        write_cell(out, c, &l->macro[i]);
    hw_out_print(out, "}\n");
    hw_out_close(out);
}

void hw_liberty_write(struct hw_out *out, const struct hw_layout *l)
{
    for (int i = 0; i < HW_N_CORNERS; i++)
        write_corner(out, l, &l->pdk->timing[i]);
}
