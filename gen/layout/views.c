// SPDX-License-Identifier: Apache-2.0
// Owns the texts that describe macros: LEF, SPICE, Verilog.
#include "gen/layout/views.h"

#include <stdlib.h>

#include "gen/chip/words.h"

// --- LEF

static void lef_rect(struct hw_out *out, const char *layer, const char *indent, int x0, int y0,
                     int x1, int y1)
{
    hw_out_print(out, "%sLAYER %s ;\n%s  RECT %.3f %.3f %.3f %.3f ;\n", indent, layer, indent,
                 x0 * 1e-3, y0 * 1e-3, x1 * 1e-3, y1 * 1e-3);
}

// Its rectangles follow, and the end.
static void lef_pin(struct hw_out *out, const char *name, const char *direction, const char *use)
{
    hw_out_print(out, "  PIN %s\n    DIRECTION %s ;\n    USE %s ;\n    PORT\n", name, direction,
                 use);
}

static void lef_pin_end(struct hw_out *out, const char *name)
{
    hw_out_print(out, "    END\n  END %s\n", name);
}

static void lef_strap(struct hw_out *out, const struct hw_macro *m, const struct hw_power *p,
                      enum hw_supply supply)
{
    const struct hw_power_lengths *k = &m->array.pdk->power;
    const char *name = hw_power_name(supply);
    lef_pin(out, name, "INOUT", supply == HW_POWER ? "POWER" : "GROUND");
    for (int i = 0; i < p->n; i++) {
        const struct hw_box b = hw_power_strap(p, i, supply);
        lef_rect(out, k->level[k->n_levels - 1].lef, "      ", m->array_x + b.x0, 0,
                 m->array_x + b.x1, m->height);
    }
    lef_pin_end(out, name);
}

// The straps' layer is free from a space beside them on; all below is taken.
static void lef_levels(struct hw_out *out, const struct hw_macro *m, const struct hw_power *p)
{
    const struct hw_power_lengths *k = &m->array.pdk->power;
    const struct hw_level *last = &k->level[k->n_levels - 1];
    for (const struct hw_level *l = k->level; l < last; l++)
        lef_rect(out, l->lef, "    ", 0, 0, m->width, m->height);
    int x = 0;
    for (int i = 0; i < p->n; i++) {
        for (int s = 0; s < HW_N_SUPPLIES; s++) {
            const struct hw_box b = hw_power_strap(p, i, (enum hw_supply)s);
            lef_rect(out, last->lef, "    ", x, 0, m->array_x + b.x0 - last->space, m->height);
            x = m->array_x + b.x1 + last->space;
        }
    }
    if (x < m->width)
        lef_rect(out, last->lef, "    ", x, 0, m->width, m->height);
}

static void lef_bottom(struct hw_out *out, const struct hw_macro *m, const char *name,
                       const char *direction, int x, int w)
{
    int left = m->array_x + x - w / 2;
    lef_pin(out, name, direction, "SIGNAL");
    lef_rect(out, m->array.pdk->lef_met1, "      ", left, 0, left + w, m->array.pdk->margin);
    lef_pin_end(out, name);
}

static void lef_macro(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_array *a = &m->array;
    const struct hw_sense s = hw_sense_make(a);
    const struct hw_decoder d = hw_decoder_make(a);
    char name[32];
    hw_out_print(out,
                 "MACRO %s\n  CLASS BLOCK ;\n  FOREIGN %s 0 0 ;\n  ORIGIN 0 0 ;\n"
                 "  SIZE %.3f BY %.3f ;\n  SYMMETRY X Y ;\n",
                 m->name, m->name, m->width * 1e-3, m->height * 1e-3);
    for (int i = 0; i <= d.bits; i++) {
        snprintf(name, sizeof name, i < d.bits ? "A[%d]" : "CLK", i);
        lef_bottom(out, m, name, "INPUT", hw_decoder_pin_x(&d, i), a->line_w);
    }
    for (int c = 0; c < a->cols; c++) {
        snprintf(name, sizeof name, "D[%d]", c);
        lef_bottom(out, m, name, "OUTPUT", hw_array_col_x(a, c) + a->ground_x, s.output_w);
    }
    const struct hw_power p = hw_power_make(a);
    for (int i = 0; i < HW_N_SUPPLIES; i++)
        lef_strap(out, m, &p, (enum hw_supply)i);
    hw_out_print(out, "  OBS\n");
    lef_rect(out, a->pdk->lef_local, "    ", 0, 0, m->width, m->height);
    lef_rect(out, a->pdk->lef_met1, "    ", 0, a->pdk->margin, m->width, m->height);
    lef_rect(out, a->pdk->lef_met2, "    ", 0, 0, m->width, m->height);
    lef_levels(out, m, &p);
    hw_out_print(out, "  END\nEND %s\n\n", m->name);
}

void hw_views_lef(struct hw_out *out, const struct hw_layout *l)
{
    hw_out_open(out, "macros.lef");
    hw_out_print(out, "VERSION 5.7 ;\nBUSBITCHARS \"[]\" ;\nDIVIDERCHAR \"/\" ;\n\n");
    for (int i = 0; i < l->n_macros; i++)
        lef_macro(out, &l->macro[i]);
    hw_out_print(out, "END LIBRARY\n");
    hw_out_close(out);
}

// --- SPICE

static void spice_ports(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_array *a = &m->array;
    hw_out_print(out, ".subckt %s", m->name);
    for (int i = 0; i < hw_decoder_bits(a->rows); i++)
        hw_out_print(out, " A[%d]", i);
    for (int c = 0; c < a->cols; c++)
        hw_out_print(out, "%s D[%d]", c % 8 ? "" : "\n+", c);
    hw_out_print(out, "\n+ CLK VPWR VGND\n");
}

enum { NET = 16, MAX_INPUTS = 6 };

// A NAND of in[k] onto `inner`, and an inverter of f gates from there to `net`. The transistors of
// the NAND stand in series from `inner` to ground.
static void spice_and(struct hw_out *out, const struct hw_pdk *p, const char *net,
                      const char *inner, int k, char in[][NET], int f)
{
    double n = p->decoder.n_w * 1e-3, w = p->decoder.p_w * 1e-3, l = p->poly_w * 1e-3;
    for (int i = 0; i < k; i++) {
        char high[2 * NET], low[2 * NET];
        snprintf(high, sizeof high, i == 0 ? "%s" : "%s.%d", inner, i);
        snprintf(low, sizeof low, i == k - 1 ? "VGND" : "%s.%d", inner, i + 1);
        hw_out_print(out,
                     "X%s.n%d %s %s %s VGND %s w=%.3f l=%.3f\n"
                     "X%s.p%d %s %s VPWR VPWR %s w=%.3f l=%.3f\n",
                     inner, i, high, in[i], low, p->nfet, n, l, inner, i, inner, in[i], p->pfet, w,
                     l);
    }
    for (int i = 0; i < f; i++)
        hw_out_print(out,
                     "X%s.n%d %s %s VGND VGND %s w=%.3f l=%.3f\n"
                     "X%s.p%d %s %s VPWR VPWR %s w=%.3f l=%.3f\n",
                     net, i, net, inner, p->nfet, n, l, net, i, net, inner, p->pfet, w, l);
}

static void net_name(char to[NET], const char *name, int i)
{
    snprintf(to, NET, "%s[%d]", name, i);
}

static void spice_decoder(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_pdk *p = m->array.pdk;
    const int bits = hw_decoder_bits(m->array.rows);
    char net[NET], inner[NET], in[MAX_INPUTS][NET] = {"CLK"};
    spice_and(out, p, "EN", "ENB", 1, in, 2);
    spice_and(out, p, "PRE_N", "PREB", 1, in, 2);
    for (int i = 0; i < bits; i++) {
        net_name(in[0], "A", i);
        net_name(net, "AP", i);
        net_name(inner, "AN", i);
        spice_and(out, p, net, inner, 1, in, 1);
    }
    for (int j = 0; j < HW_CODE_ROWS; j++) {
        for (int i = 0; i < HW_LOW_BITS; i++)
            net_name(in[i], j >> i & 1 ? "AP" : "AN", i);
        net_name(net, "L", j);
        net_name(inner, "LB", j);
        spice_and(out, p, net, inner, HW_LOW_BITS, in, 1);
    }
    for (int g = 0; g < m->array.rows / HW_CODE_ROWS; g++) {
        int k = bits - HW_LOW_BITS;
        for (int i = 0; i < k; i++)
            net_name(in[i], g >> i & 1 ? "AP" : "AN", HW_LOW_BITS + i);
        snprintf(in[k], NET, "EN");
        net_name(net, "G", g);
        net_name(inner, "GB", g);
        spice_and(out, p, net, inner, k + 1, in, 2);
    }
    for (int r = 0; r < m->array.rows; r++) {
        net_name(in[0], "L", r % HW_CODE_ROWS);
        net_name(in[1], "G", r / HW_CODE_ROWS);
        net_name(net, "WL", r);
        net_name(inner, "WB", r);
        spice_and(out, p, net, inner, 2, in, 2);
    }
}

// The end of each column: the charging transistor, and the inverter to the output.
static void spice_ends(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_pdk *p = m->array.pdk;
    const struct hw_sense s = hw_sense_make(&m->array);
    double w = (s.strip_x1 - s.strip_x0) * 1e-3, l = p->poly_w * 1e-3;
    for (int c = 0; c < m->array.cols; c++)
        hw_out_print(out,
                     "Xc%d BL[%d] PRE_N VPWR VPWR %s w=%.3f l=%.3f\n"
                     "Xp%d D[%d] BL[%d] VPWR VPWR %s w=%.3f l=%.3f\n"
                     "Xn%d D[%d] BL[%d] VGND VGND %s w=%.3f l=%.3f\n",
                     c, c, p->pfet, p->device_w * 1e-3, l, c, c, c, p->pfet, w, l, c, c, c, p->nfet,
                     w, l);
}

// The transistors of a row: node[c] says whether the node below is on the bit line, and moves up.
static void spice_row(struct hw_out *out, const struct hw_macro *m, int row, const uint8_t *word,
                      bool *node)
{
    const struct hw_array *a = &m->array;
    for (int c = 0; c < a->cols; c++) {
        char line[16];
        int at = m->first_bit + c;
        bool below = row % a->pdk->tap_rows ? node[c] : false;
        node[c] = below ^ (word && (word[at / 8] >> (at & 7) & 1));
        snprintf(line, sizeof line, "BL[%d]", c);
        hw_out_print(out, "X%d_%d %s WL[%d] %s VGND %s w=%.3f l=%.3f\n", row, c,
                     node[c] ? line : "VGND", row, below ? line : "VGND", a->pdk->nfet,
                     a->pdk->device_w * 1e-3, a->pdk->poly_w * 1e-3);
    }
}

void hw_views_spice(struct hw_out *out, const struct hw_layout *l)
{
    hw_out_open(out, "macros.spice");
    hw_out_print(out, HW_SPICE_BEGINS " drain gate source bulk\n");
    for (int i = 0; i < l->n_macros && !out->err->set; i++) {
        const struct hw_macro *m = &l->macro[i];
        const struct hw_rom *rom = &l->plan->rom[m->rom];
        struct hw_words words;
        bool *node = calloc((size_t)m->array.cols, sizeof *node);
        if (!node)
            hw_fail(out->err, "%s: out of memory", m->name);
        if (node && hw_words_open(&words, l->plan, rom, out->err)) {
            spice_ports(out, m);
            for (int r = 0; r < m->array.rows; r++) {
                long at = m->first_word + r;
                spice_row(out, m, r, at < rom->depth ? hw_words_get(&words, at) : NULL, node);
            }
            spice_ends(out, m);
            spice_decoder(out, m);
            hw_out_print(out, ".ends\n\n");
            hw_words_close(&words);
        }
        free(node);
    }
    hw_out_close(out);
}

// --- Verilog

// Bits first .. first + n - 1 of a word, as a constant.
static void verilog_word(struct hw_out *out, const uint8_t *word, int first, int n)
{
    hw_out_print(out, "%d'h", n);
    for (int digit = (n + 3) / 4 - 1; digit >= 0; digit--) {
        int value = 0;
        for (int i = 0; i < 4 && 4 * digit + i < n; i++) {
            int at = first + 4 * digit + i;
            value |= (word[at / 8] >> (at & 7) & 1) << i;
        }
        hw_out_print(out, "%x", (unsigned)value);
    }
}

static void verilog_macro(struct hw_out *out, const struct hw_macro *m, const struct hw_rom *rom,
                          struct hw_words *words)
{
    int bits = hw_decoder_bits(m->array.rows), cols = m->array.cols;
    hw_out_print(out,
                 "module %s (\n`ifdef USE_POWER_PINS\n    inout wire VPWR,\n"
                 "    inout wire VGND,\n`endif\n    input wire CLK,\n    input wire [%d:0] A,\n"
                 "    output reg [%d:0] D\n);\n    reg [%d:0] word;\n"
                 "    always @* D <= CLK ? word : %d'd0;\n    always @* begin\n        case (A)\n",
                 m->name, bits - 1, cols - 1, cols - 1, cols);
    for (int r = 0; r < m->array.rows && m->first_word + r < rom->depth && !out->err->set; r++) {
        hw_out_print(out, "            %d'd%d: word = ", bits, r);
        verilog_word(out, hw_words_get(words, m->first_word + r), m->first_bit, cols);
        hw_out_print(out, ";\n");
    }
    hw_out_print(out, "            default: word = %d'd0;\n        endcase\n    end\nendmodule\n\n",
                 cols);
}

void hw_views_verilog(struct hw_out *out, const struct hw_layout *l)
{
    hw_out_open(out, "macros.v");
    hw_out_print(
        out, "// ROM macros. While CLK is low D is 0; while it is high D is the word of A, "
             "which must not change then.\n// D follows after the other events of its moment, so "
             "that a register whose clock rises as CLK falls\n// takes the word.\n"
             "`default_nettype none\n\n");
    for (int i = 0; i < l->n_macros && !out->err->set; i++) {
        const struct hw_rom *rom = &l->plan->rom[l->macro[i].rom];
        struct hw_words words;
        if (!hw_words_open(&words, l->plan, rom, out->err))
            return;
        verilog_macro(out, &l->macro[i], rom, &words);
        hw_words_close(&words);
    }
    hw_out_print(out, "`default_nettype wire\n");
    hw_out_close(out);
}
