// SPDX-License-Identifier: Apache-2.0
// Owns the texts that describe macros: LEF, SPICE.
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

static void lef_pin(struct hw_out *out, const char *name, const char *direction, const char *use,
                    const char *layer, struct hw_box b)
{
    hw_out_print(out, "  PIN %s\n    DIRECTION %s ;\n    USE %s ;\n    PORT\n", name, direction,
                 use);
    lef_rect(out, layer, "      ", b.x0, b.y0, b.x1, b.y1);
    hw_out_print(out, "    END\n  END %s\n", name);
}

static void lef_left(struct hw_out *out, const struct hw_macro *m, const char *name,
                     const char *direction, const char *use, int y, int h)
{
    lef_pin(out, name, direction, use, "met2",
            (struct hw_box){0, m->array_y + y - h / 2, HW_MACRO_MARGIN, m->array_y + y + h / 2});
}

static void lef_macro(struct hw_out *out, const struct hw_macro *m)
{
    const struct hw_array *a = &m->array;
    const struct hw_sense s = hw_sense_make(a);
    const int x0 = HW_MACRO_MARGIN;
    char name[32];
    hw_out_print(out,
                 "MACRO %s\n  CLASS BLOCK ;\n  FOREIGN %s 0 0 ;\n  ORIGIN 0 0 ;\n"
                 "  SIZE %.3f BY %.3f ;\n  SYMMETRY X Y ;\n",
                 m->name, m->name, m->width * 1e-3, m->height * 1e-3);
    for (int r = 0; r < a->rows; r++) {
        snprintf(name, sizeof name, "WL[%d]", r);
        lef_left(out, m, name, "INPUT", "SIGNAL", hw_array_row_y(a, r), a->pdk->met2_w);
    }
    lef_left(out, m, "PRE_N", "INPUT", "SIGNAL", s.pre_gate, a->pdk->met2_w);
    lef_left(out, m, "VPWR", "INOUT", "POWER", s.power_rail, s.rail_h);
    for (int c = 0; c < a->cols; c++) {
        int x = x0 + hw_array_col_x(a, c) + a->ground_x, half = s.output_w / 2;
        snprintf(name, sizeof name, "D[%d]", c);
        lef_pin(out, name, "OUTPUT", "SIGNAL", "met1", (struct hw_box){x - half, 0, x + half, x0});
    }
    int bus = m->array_y + a->bus_y, rail = m->array_y + s.ground_rail;
    hw_out_print(out, "  PIN VGND\n    DIRECTION INOUT ;\n    USE GROUND ;\n    PORT\n");
    lef_rect(out, "met1", "      ", x0, bus, x0 + a->width, bus + a->bus_h);
    lef_rect(out, "met2", "      ", 0, rail - s.rail_h / 2, x0, rail + s.rail_h / 2);
    hw_out_print(out, "    END\n  END VGND\n  OBS\n");
    lef_rect(out, "li1", "    ", 0, 0, m->width, m->height);
    lef_rect(out, "met1", "    ", 0, x0, m->width, bus - a->pdk->met_space);
    lef_rect(out, "met2", "    ", x0, 0, m->width, m->height);
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
    for (int r = 0; r < a->rows; r++)
        hw_out_print(out, "%s WL[%d]", r % 8 ? "" : "\n+", r);
    for (int c = 0; c < a->cols; c++)
        hw_out_print(out, "%s D[%d]", c % 8 ? "" : "\n+", c);
    hw_out_print(out, "\n+ PRE_N VPWR VGND\n");
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
    hw_out_print(out, "* ROM macros: drain gate source bulk\n");
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
            hw_out_print(out, ".ends\n\n");
            hw_words_close(&words);
        }
        free(node);
    }
    hw_out_close(out);
}
