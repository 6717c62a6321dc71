#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what follows from the register table: register Verilog, C header, IP-XACT, page and HTML.

    make_registers.py TABLE.rdl FOLDER     writes bus_registers.v, registers.md, hardwire_registers.h and .xml, html/

Needs systemrdl-compiler and PeakRDL's exporters of C headers, IP-XACT and HTML. The Verilog is made here, since that of
PeakRDL is SystemVerilog. Refuses a field whose kind it does not know."""
import os
import sys

from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_html import HTMLExporter
from peakrdl_ipxact import IPXACTExporter
from systemrdl import RDLCompiler
from systemrdl.node import RegNode
from systemrdl.rdltypes import AccessType, OnReadType, OnWriteType

NOTICE = "Made from rtl_templates/bus/hardwire.rdl by gen/bus/make_registers.py; change the table, not this."
ADDRESS_BITS = 8


def registers(top):
    """Every register, each of an array by itself, in the order of addresses."""
    return [n for n in top.children(unroll=True) if isinstance(n, RegNode)]


def name_of(reg):
    return reg.inst_name.lower() + ("_" + str(reg.current_idx[0]) if reg.is_array else "")


def sized(width):
    return f"[{width - 1}:0]" if width > 1 else ""


class Field:
    """A field and the Verilog that its kind takes."""

    def __init__(self, reg, node):
        self.reg, self.node = reg, node
        self.name = f"{name_of(reg)}_{node.inst_name}"
        self.width = node.width
        sw, hw = node.get_property("sw"), node.get_property("hw")
        self.reset = node.get_property("reset")
        self.pulse = node.get_property("singlepulse")
        if node.get_property("hwset") and node.get_property("onwrite") == OnWriteType.woclr:
            self.kind = "cause"
        elif self.pulse and sw == AccessType.w:
            self.kind = "pulse"
        elif sw == AccessType.rw and hw == AccessType.r:
            self.kind = "setting"
        elif sw == AccessType.r and hw == AccessType.w:
            self.kind = "seen"
        elif sw == AccessType.r and hw == AccessType.na and self.reset is not None:
            self.kind = "constant"
        elif sw == AccessType.w and hw == AccessType.r:
            self.kind = "written"
        else:
            sys.exit(f"{node.get_path()}: a kind of field that is not known: sw {sw}, hw {hw}")
        if node.get_property("onread") not in (None, OnReadType.ruser):
            sys.exit(f"{node.get_path()}: onread, expected ruser")

    @property
    def slice(self):
        return f"[{self.node.high}:{self.node.low}]" if self.width > 1 else f"[{self.node.low}]"

    def value(self):
        """What a read gives, or None for zeros."""
        if self.kind == "constant":
            return f"{self.width}'h{self.reset:x}"
        return None if self.kind in ("pulse", "written") else self.name

    def lanes(self):
        """The byte strobes that a write of the field needs."""
        return [f"write_strb[{b}]" for b in range(self.node.low // 8, self.node.high // 8 + 1)]

    def ports(self):
        wide = sized(self.width)
        if self.kind == "seen":
            yield f"input  wire {wide:<7} {self.name}"
        if self.kind == "cause":
            yield f"input  wire {wide:<7} {self.name}_set"
        if self.kind in ("setting", "pulse", "cause"):
            yield f"output reg  {wide:<7} {self.name}"
        if self.kind == "written":
            yield f"output wire {wide:<7} {self.name}"
        if self.node.get_property("swmod"):
            yield f"output wire {'':<7} {name_of(self.reg)}_written"
        if self.node.get_property("swacc"):
            yield f"output wire {'':<7} {name_of(self.reg)}_taken"


def read_value(fields):
    """The word of a register: its fields from the top, zeros between."""
    parts, at = [], 32
    for f in sorted(fields, key=lambda f: -f.node.low):
        if f.node.high + 1 < at:
            parts.append(f"{at - f.node.high - 1}'d0")
        parts.append(f.value() or f"{f.width}'d0")
        at = f.node.low
    if at > 0:
        parts.append(f"{at}'d0")
    if all(p.endswith("'d0") for p in parts):
        return "32'd0"
    return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"


def verilog(top):
    regs = [(r, [Field(r, f) for f in r.fields()]) for r in registers(top)]
    fields = [f for _, fs in regs for f in fs]
    stored = [f for f in fields if f.kind in ("setting", "pulse", "cause")]
    out = [
        "// SPDX-License-Identifier: Apache-2.0",
        f"// {NOTICE}",
        "//",
        "// The registers of a chip on a bus. A write takes one clock, with a strobe a byte. A read is asked for in",
        "// one clock; its word is there from the next on, until another read. *_ok says whether a register has that",
        "// address, in the clock of the request. *_taken and *_written are high in the clock of the request too.",
        "`default_nettype none",
        "",
        "module bus_registers (",
        "    input  wire         clk,",
        "    input  wire         rst,",
        "",
        "    input  wire         write,",
        f"    input  wire [{ADDRESS_BITS - 1}:0]   write_addr, // of a byte; the word that holds it",
        "    input  wire [31:0]  write_data,",
        "    input  wire [3:0]   write_strb,",
        "    output wire         write_ok,",
        "",
        "    input  wire         read,",
        f"    input  wire [{ADDRESS_BITS - 1}:0]   read_addr,",
        "    output reg  [31:0]  read_data,",
        "    output wire         read_ok,",
        "",
    ]
    ports = [p for f in fields for p in f.ports()]
    out += [f"    {p}{',' if i + 1 < len(ports) else ''}" for i, p in enumerate(ports)]
    out += [");"]
    for r, _ in regs:
        out.append(f"    localparam [{ADDRESS_BITS - 3}:0] {name_of(r).upper():<16} = "
                   f"{ADDRESS_BITS - 2}'h{r.absolute_address // 4:02x};")
    out += [
        "",
        "    function known(input [5:0] word);",
        "        case (word)",
    ]
    names = [name_of(r).upper() for r, _ in regs]
    for i in range(0, len(names), 6):
        out.append(f"            {', '.join(names[i:i + 6])}" + ("," if i + 6 < len(names) else ":"))
    out += [
        "                known = 1'b1;",
        "            default:",
        "                known = 1'b0;",
        "        endcase",
        "    endfunction",
        "",
        f"    wire [{ADDRESS_BITS - 3}:0] write_word = write_addr[{ADDRESS_BITS - 1}:2];",
        f"    wire [{ADDRESS_BITS - 3}:0] read_word  = read_addr[{ADDRESS_BITS - 1}:2];",
        "    assign write_ok = known(write_word);",
        "    assign read_ok  = known(read_word);",
        "",
    ]
    for r, fs in regs:
        for f in fs:
            if f.kind == "written":
                out.append(f"    assign {f.name} = write_data{f.slice};")
            if f.node.get_property("swmod"):
                out.append(f"    assign {name_of(r)}_written = write && write_word == {name_of(r).upper()} && "
                           f"&write_strb;")
            if f.node.get_property("swacc"):
                out.append(f"    assign {name_of(r)}_taken = read && read_word == {name_of(r).upper()};")
    out += ["", "    always @(posedge clk)", "        if (read)", "            case (read_word)"]
    for r, fs in regs:
        value = read_value(fs)
        if value != "32'd0":
            out += [f"                {name_of(r).upper()}:", f"                    read_data <= {value};"]
    out += ["                default:", "                    read_data <= 32'd0;", "            endcase", ""]
    out += ["    always @(posedge clk) begin"]
    for f in stored:
        if f.kind == "pulse":
            out.append(f"        {f.name} <= 1'b0;")
    for r, fs in regs:
        if not any(f.kind in ("setting", "pulse", "cause") for f in fs):
            continue
        out.append(f"        if (write && write_word == {name_of(r).upper()}) begin")
        for f in fs:
            if f.kind in ("setting", "pulse"):
                when = " && ".join(f.lanes())
                out += [f"            if ({when})", f"                {f.name} <= write_data{f.slice};"]
            if f.kind == "cause":
                out += [f"            if ({f.lanes()[0]} && write_data{f.slice})",
                        f"                {f.name} <= 1'b0;"]
        out.append("        end")
    for f in stored:
        if f.kind == "cause":
            out += [f"        if ({f.name}_set) // comes before a 1 that is written in this clock",
                    f"            {f.name} <= 1'b1;"]
    out.append("        if (rst) begin")
    out += [f"            {f.name} <= {f.width}'d{f.reset};" for f in stored]
    out += ["        end", "    end", ""]
    used = sorted({b for f in fields if f.kind != "seen" and f.kind != "constant"
                   for b in range(f.node.low, f.node.high + 1)})
    free = [b for b in range(32) if b not in used]
    bits = ", ".join(f"write_data[{b}]" for b in free)
    out += ["    wire unused_addr = &{1'b0, write_addr[1:0], read_addr[1:0]};"]
    out += [f"    wire unused_data = &{{1'b0, {bits}}};"] if free else []
    out += ["endmodule", "",
            "`default_nettype wire"]
    return "\n".join(out) + "\n"


ACCESS = {"constant": "r", "seen": "r", "setting": "rw", "pulse": "w, pulse", "written": "w", "cause": "rw, 1 clears"}


def page(top):
    out = [f"<!-- {NOTICE} -->", "# Registers", "",
           "Words of 32 bits; addresses count bytes. Bits that are not named read 0. A word at no address of this table",
           "answers with an error (AXI: SLVERR; Wishbone: ERR). After a reset every field holds the value given, and 0",
           "where none is. How they are used: [bus.md](bus.md).", "",
           "| address | register | bits | field | access | reset | what it is |", "|---|---|---|---|---|---|---|"]
    for r in top.children(unroll=False):
        first = next(iter(r.unrolled())) if r.is_array else r
        address, name = f"0x{first.absolute_address:02x}", r.inst_name
        if r.is_array:
            name += f"[{r.array_dimensions[0]}]"
        out.append(f"| {address} | **{name}** | | | | | {r.get_property('desc')} |")
        for f in (Field(first, n) for n in first.fields()):
            bits = f"{f.node.high}:{f.node.low}" if f.width > 1 else f"{f.node.low}"
            reset = f"0x{f.reset:x}" if f.reset else ("" if f.reset is None else "0")
            out.append(f"| | | {bits} | {f.node.inst_name} | {ACCESS[f.kind]} | {reset} | {f.node.get_property('desc')} |")
    return "\n".join(out) + "\n"


def main(table, folder):
    compiler = RDLCompiler()
    compiler.compile_file(table)
    top = compiler.elaborate().top
    os.makedirs(folder, exist_ok=True)
    write = lambda name, text: open(os.path.join(folder, name), "w", encoding="utf-8").write(text)
    write("bus_registers.v", verilog(top))
    write("registers.md", page(top))
    CHeaderExporter().export(top, path=os.path.join(folder, "hardwire_registers.h"))
    IPXACTExporter(vendor="hardwire", library="bus", version="1.0").export(top, os.path.join(folder, "hardwire_registers.xml"))
    HTMLExporter().export(top, os.path.join(folder, "html"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("make_registers.py TABLE.rdl FOLDER")
    main(sys.argv[1], sys.argv[2])
