#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The models of LUTs that sim/luts.py writes against the vendors' own cells, in Icarus: 400 tables by
seed, each under all 81 inputs of 0, 1 and x. A wrong table must be seen. Prints TAP."""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../sim"))
import luts  # noqa: E402

OUT = "build/test/luts"
SHARE = "/usr/share/yosys"
BENCH = """
module bench;
    reg [3:0] in;
    integer at, bit, digits, errors;
    wire [{last}:0] vendor, model;
{instances}
    initial begin
        errors = 0;
        for (at = 0; at < 81; at = at + 1) begin
            digits = at;
            for (bit = 0; bit < 4; bit = bit + 1) begin
                in[bit] = digits % 3 == 2 ? 1'bx : digits % 3;
                digits = digits / 3;
            end
            #1 if (vendor !== model) errors = errors + 1;
        end
        $display("%0d of 81 inputs differ", errors);
    end
endmodule
"""


def differing(target, tables, modelled):
    """How many of the 81 inputs tell `tables` in the vendor's cells from `modelled` in ours."""
    cell, parameter, inputs, output = luts.CELLS[target]
    with open(f"{SHARE}/{target}/cells_sim.v") as file:
        vendor = re.search(rf"(?ms)^module {cell}\b.*?^endmodule", file.read()).group(0)
    vendor = re.sub(r"(?ms)\bspecify\b.*?\bendspecify\b|^`[^\n]*|`\w+", "", vendor.replace(cell, "vendor_cell", 1))
    ports = ", ".join(f".{port}(in[{i}])" for i, port in enumerate(inputs))
    vendors, models = ("\n".join(
        f"    {name} #(.{parameter}(16'h{table:04x})) {wire}_{i} (.{output}({wire}[{i}]), {ports});"
        for i, table in enumerate(chosen))
        for name, wire, chosen in (("vendor_cell", "vendor", tables), (cell, "model", modelled)))
    models = luts.by_table(target, models)
    path = f"{OUT}/{target}.v"
    bench = BENCH.format(last=len(tables) - 1, instances=vendors + "\n" + models)
    with open(path, "w") as file:
        file.write("\n".join([vendor, luts.models(bench), bench]))
    subprocess.run(["iverilog", "-g2005", "-s", "bench", "-o", path + "vp", path], check=True)
    words = subprocess.run(["vvp", "-n", path + "vp"], check=True, capture_output=True, text=True).stdout
    return int(re.fullmatch(r"(\d+) of 81 inputs differ\n", words).group(1))


def main():
    os.makedirs(OUT, exist_ok=True)
    tables = random.Random(1).sample(range(1 << 16), 400) + [0, 0xffff, 0xaaaa, 0x8000]
    failed = False
    for target in luts.CELLS:
        same = differing(target, tables, tables) == 0
        print("ok" if same else "not ok", f"{target}: {len(tables)} tables under 81 inputs")
        wrong = tables[:7] + [tables[7] ^ 0x0400] + tables[8:]
        seen = differing(target, tables, wrong) > 0
        print("ok" if seen else "not ok", f"{target}: a changed bit of a table is seen")
        failed |= not (same and seen)
    sys.exit(failed)


main()
