// SPDX-License-Identifier: Apache-2.0
// Owns the lists of a design's sources and their syntax.
#include "gen/chip/filelist.h"

#include <string.h>

struct sources {
    const struct hw_out *out;
    const char *top;
    int n; // files of *out that are sources; the lists come after them
    bool bus;
};

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

// The next source from i on that ends so, or n.
static int next_file(const struct sources *s, int i, const char *end)
{
    while (i < s->n && !ends_with(s->out->file[i].path, end))
        i++;
    return i;
}

static void print_sources(struct hw_out *out, const struct sources *s, const char *before)
{
    for (int i = next_file(s, 0, ".v"); i < s->n; i = next_file(s, i + 1, ".v"))
        hw_out_print(out, "%s%s\n", before, out->file[i].path);
}

static void write_f(struct hw_out *out, const struct sources *s)
{
    hw_out_print(out, "+incdir+fabric\n%s", s->bus ? "+incdir+bus\n" : "");
    print_sources(out, s, "");
}

// CAPI2: "The FuseSoC core file format, version 2".
static void write_core(struct hw_out *out, const struct sources *s)
{
    hw_out_print(out, "CAPI=2:\n"
                      "name: ::hardwire:0\n"
                      "description: A language model in ROMs, and the fabric that runs it\n"
                      "filesets:\n"
                      "  rtl:\n"
                      "    file_type: verilogSource-2005\n"
                      "    files:\n");
    for (int i = next_file(s, 0, ".vh"); i < s->n; i = next_file(s, i + 1, ".vh"))
        hw_out_print(out, "      - %s: {is_include_file: true}\n", out->file[i].path);
    print_sources(out, s, "      - ");
    hw_out_print(out,
                 "targets:\n"
                 "  default: &default\n"
                 "    filesets: [rtl]\n"
                 "    toplevel: %s\n"
                 "  lint:\n"
                 "    <<: *default\n"
                 "    flow: lint\n"
                 "    flow_options: {tool: verilator, verilator_options: [-Wall]}\n",
                 s->top);
}

static void write_ys(struct hw_out *out, const struct sources *s)
{
    hw_out_print(out, "# In this folder: yosys -s hardwire.ys, then a synth_* of your target.\n");
    print_sources(out, s,
                  s->bus ? "read_verilog -defer -Ifabric -Ibus " : "read_verilog -defer -Ifabric ");
    hw_out_print(out, "hierarchy -check -top %s\n", s->top);
}

static void write_tcl(struct hw_out *out, const struct sources *s)
{
    hw_out_print(out,
                 "# Vivado, in a project: source hardwire.tcl\n"
                 "set hardwire [file dirname [file normalize [info script]]]\n"
                 "set_property include_dirs [list $hardwire/fabric%s] [current_fileset]\n",
                 s->bus ? " $hardwire/bus" : "");
    print_sources(out, s, "read_verilog $hardwire/");
    hw_out_print(out, "set_property top %s [current_fileset]\n", s->top);
}

static const struct {
    const char *path;
    void (*write)(struct hw_out *out, const struct sources *s);
} LIST[] = {{"filelist.f", write_f},
            {"hardwire.core", write_core},
            {"hardwire.ys", write_ys},
            {"hardwire.tcl", write_tcl}};
enum { N_LISTS = sizeof LIST / sizeof LIST[0] };

void hw_filelist_write(struct hw_out *out, const char *top, bool bus)
{
    struct sources s = {out, top, out->n_files, bus};
    for (int i = 0; i < N_LISTS; i++) {
        hw_out_open(out, LIST[i].path);
        LIST[i].write(out, &s);
        hw_out_close(out);
    }
}

bool hw_filelist_is(const char *path)
{
    int i = 0;
    while (i < N_LISTS && strcmp(path, LIST[i].path) != 0)
        i++;
    return i < N_LISTS;
}
