// SPDX-License-Identifier: Apache-2.0
// Owns which buses there are, which files each takes, and bus.vh.
#include "gen/bus/bus.h"

#include <string.h>

#include "gen/chip/manifest.h"

static const struct {
    const char *name, *top;
    const char *file[10];
} BUS[] = {
    {"axi",
     "hardwire_axi",
     {"axi_lite.v", "bus_core.v", "bus_registers.v", "hardwire_axi.v", "skid.v",
      "hardwire_registers.h", "hardwire_registers.xml", "hardwire.rdl"}},
    {"wishbone",
     "hardwire_wb",
     {"bus_core.v", "bus_registers.v", "fifo.v", "hardwire_wb.v", "wishbone.v",
      "hardwire_registers.h", "hardwire_registers.xml", "hardwire.rdl"}},
    {"uart", "uart_top", {NULL}}, // gen/uart
};
enum { N_BUSES = sizeof BUS / sizeof BUS[0] };

static int find(const char *name)
{
    int i = 0;
    while (i < N_BUSES && strcmp(BUS[i].name, name) != 0)
        i++;
    return i;
}

bool hw_bus_known(const char *name)
{
    return find(name) < N_BUSES;
}

bool hw_bus_speaks_text(const char *name)
{
    return !BUS[find(name)].file[0];
}

static void write_header(struct hw_out *out, const struct hw_plan *plan)
{
    const struct hw_config *c = &plan->model->config;
    uint8_t digest[SHA256_DIGEST_SIZE];
    hw_manifest_hash(out, "personality", digest);
    hw_out_open_verilog(out, "bus/bus.vh");
    hw_out_print(out, "// What the registers say of this design.\n");
    hw_out_print(out, "`define HW_TOKEN_BYTES %d\n", (plan->geometry.token_bits + 7) / 8);
    hw_out_print(out, "`define HW_VOCAB %d\n", c->vocab_size);
    hw_out_print(out, "`define HW_POSITIONS %d\n", c->seq_len);
    hw_out_print(out, "`define HW_DIM %d\n`define HW_LAYERS %d\n", c->dim, c->n_layers);
    hw_out_print(out, "`define HW_PERSONALITY 256'h"); // its first byte is the lowest
    for (int i = SHA256_DIGEST_SIZE; i-- > 0;)
        hw_out_print(out, "%02x", digest[i]);
    hw_out_print(out, "\n");
    hw_out_close(out);
}

static void write_bus(struct hw_out *out, const struct hw_plan *plan, const char *templates,
                      const void *data)
{
    const struct hw_bus *bus = data;
    if (hw_bus_speaks_text(bus->name)) {
        hw_uart_files(out, "bus/", &bus->text, templates, plan->model->config.vocab_size,
                      &bus->known);
        return;
    }
    write_header(out, plan);
    for (const char *const *file = BUS[find(bus->name)].file; *file; file++) {
        char from[4096], to[96];
        snprintf(from, sizeof from, "%s/bus/%s", templates, *file);
        snprintf(to, sizeof to, "bus/%s", *file);
        hw_out_copy(out, from, to);
    }
}

struct hw_wrapper hw_bus_wrapper(const struct hw_bus *bus)
{
    return (struct hw_wrapper){bus->name, BUS[find(bus->name)].top, write_bus, bus};
}
