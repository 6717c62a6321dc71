# SPDX-License-Identifier: Apache-2.0
"""LUTs of a netlist as an event simulator runs them fast: a module for each table in use, around a
user-defined primitive of the table's prime implicants. An unknown input makes the output unknown only
where the table differs, as in the vendors' models: tests/test_luts.py compares them."""
import re
from itertools import product

# Cell, parameter, ports from the table's lowest address bit up, output.
CELLS = {"ice40": ("SB_LUT4", "LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
         "ecp5": ("LUT4", "INIT", ("A", "B", "C", "D"), "Z")}
CUBES = list(product("01?", repeat=4))  # input 0 first


def minterms(cube):
    """The addresses of a table that a cube covers, as a mask."""
    mask = 0
    for address in range(16):
        if all(c in ("?", str(address >> i & 1)) for i, c in enumerate(cube)):
            mask |= 1 << address
    return mask


MASKS = {cube: minterms(cube) for cube in CUBES}


def primes(table):
    """The cubes on which `table` (16 bits) is 1, without those inside another."""
    inside = [c for c in CUBES if MASKS[c] & ~table == 0]
    return [c for c in inside if not any(MASKS[c] | MASKS[d] == MASKS[d] for d in inside if d != c)]


def model(target, table):
    """Verilog of one table: the module CELL_HHHH. Verilator, which has no primitives and no unknown
    values, looks the table up."""
    cell, _, inputs, output = CELLS[target]
    name = f"{cell}_{table:04x}"
    rows = [f"    {' '.join(cube)} : {value};" for value in (0, 1)
            for cube in primes(table if value else table ^ 0xffff)]
    ports = ", ".join([output, *inputs])
    return "\n".join([
        "`ifndef VERILATOR", f"primitive table_{table:04x} ({ports});", f"    output {output};",
        f"    input {', '.join(inputs)};", "    table", *rows, "    endtable", "endprimitive", "`endif",
        f"module {name} (output wire {output}, input wire {', '.join(inputs)});", "`ifdef VERILATOR",
        f"    wire [15:0] lut = 16'h{table:04x};",
        f"    assign {output} = lut[{{{', '.join(reversed(inputs))}}}];",
        "`else", f"    table_{table:04x} lut ({ports});", "`endif", "endmodule", ""])


def by_table(target, netlist):
    """The text of a netlist with every LUT as an instance of its table's module."""
    cell, parameter, _, _ = CELLS[target]
    return re.sub(rf"\b{cell} #\(\s*\.{parameter}\(16'h([0-9a-f]{{4}})\)\s*\) ", rf"{cell}_\1 ", netlist)


def models(netlist):
    """Verilog of the tables' modules that a text of by_table() instantiates; empty: no LUTs."""
    found = {(target, int(m, 16)) for target, (cell, *_) in CELLS.items()
             for m in re.findall(rf"(?m)^\s*{cell}_([0-9a-f]{{4}}) ", netlist)}
    return "\n".join(model(target, table) for target, table in sorted(found))
