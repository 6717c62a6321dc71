// SPDX-License-Identifier: Apache-2.0
// hardwire emit: a quantized model and a geometry to Verilog.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/board/pattern.h"
#include "gen/bus/bus.h"
#include "gen/chip/emit.h"
#include "gen/cmd/cmd.h"
#include "gen/qmodel/memory.h"

// The same design with a pattern in its ROMs.
static bool blank(struct hw_plan *plan, struct hw_error *err)
{
    plan->n_ranges = 0; // no word holds a matrix, or an instruction
    while (plan->n_insns > 0)
        free(plan->program[--plan->n_insns].name);
    for (int i = 0; i < HW_N_ROMS && !err->set; i++)
        hw_pattern_fill(&plan->rom[i], err);
    return !err->set;
}

// What the chip is on. On success the caller frees bus->text.
static bool make_bus(const struct hw_request *r, const struct hw_plan *plan, struct hw_bus *bus,
                     struct hw_error *err)
{
    *bus = (struct hw_bus){.name = r->bus};
    return !r->bus || !hw_bus_speaks_text(r->bus) ||
           hw_uart_tables(plan, r->input, r->tokenizer, r->blank, &bus->text, &bus->known, err);
}

static int emit(int argc, char **argv)
{
    struct hw_request r;
    struct hw_qmodel q;
    struct hw_plan plan;
    struct hw_bus bus;
    struct hw_error err = {0};
    int status = hw_parse_request(&HW_VERB_EMIT, argc, argv, &r);
    if (status >= 0)
        return status;
    if (!r.output)
        return hw_usage("emit", "expected -o DIR");
    if (r.bus && !hw_bus_known(r.bus))
        return hw_usage("emit", "--bus: expected " HW_BUSES ", got '%s'", r.bus);
    if (r.bus && strcmp(r.slice, "chip") != 0)
        return hw_usage("emit", "--bus: expected a whole chip, got --slice %s", r.slice);
    bool text = r.bus && hw_bus_speaks_text(r.bus);
    if (text && !r.tokenizer)
        return hw_usage("emit", "--bus %s: expected -t TOKENIZER", r.bus);
    if (text && !r.input)
        return hw_usage("emit", "--bus %s: expected a model, got a shape", r.bus);
    if (!text && r.tokenizer)
        return hw_usage("emit", "-t: expected --bus uart");
    if (!hw_prepare(&r, &q, &plan, &err))
        return hw_report(&err);
    if (make_bus(&r, &plan, &bus, &err)) {
        struct hw_wrapper wrapper = r.bus ? hw_bus_wrapper(&bus) : (struct hw_wrapper){0};
        if (!r.blank || blank(&plan, &err))
            hw_emit(&plan, r.slice, r.bus ? &wrapper : NULL, r.templates, r.output,
                    r.keep ? HW_EMIT_KEEP : HW_EMIT_REPLACE, r.quiet ? NULL : stderr, &err);
        hw_text_tables_free(&bus.text);
    }
    hw_plan_free(&plan);
    hw_qmodel_free(&q);
    return err.set ? hw_report(&err) : 0;
}

static const struct hw_option EMIT_OPTIONS[] = {
    {"output", 'o', HW_SETS(struct hw_request, output), "DIR", .help = "the design to write"},
    {"templates", 0, HW_SETS(struct hw_request, templates), "DIR", .otherwise = "rtl_templates",
     .help = "the hand-written Verilog"},
    {"bus", 0, HW_SETS(struct hw_request, bus), "NAME", .otherwise = "none",
     .help = "bus/: the chip with streams of tokens and registers on AXI (axi), with registers on "
             "Wishbone (wishbone), or behind a serial line that speaks text (uart)"},
    {"tokenizer", 't', HW_SETS(struct hw_request, tokenizer), "FILE",
     .help = "of --bus uart: scored pieces, of llama2.c or of a GGUF file"},
    {"keep", 0, HW_SETS(struct hw_request, keep), .help = "leave DIR where it is this very design"},
    {"blank", 0, HW_SETS(struct hw_request, blank),
     .help = "ROMs hold no model, but what `hardwire patch` finds their bits by in a bitstream"},
    {"quiet", 'q', HW_SETS(struct hw_request, quiet), .help = "no size and no progress"},
    {0}};

const struct hw_verb HW_VERB_EMIT = {
    .name = "emit",
    .operands = "Q.safetensors -o DIR",
    .what = "Verilog: fabric and personality",
    .groups = {{NULL, EMIT_OPTIONS, 0},
               {NULL, HW_GEOMETRY_OPTIONS, offsetof(struct hw_request, geometry)},
               {NULL, HW_DESIGN_OPTIONS, 0},
               {NULL, HW_SHAPE_OPTIONS, 0}},
    .run = emit};
