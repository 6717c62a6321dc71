#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ROM banks made of macros (sim/asic/synthesize.py) beside the banks of the design, in Icarus.

    tests/asic_roms.py DESIGN LAYOUT OUT [--plant]

DESIGN, LAYOUT: `hardwire emit` and `hardwire layout` of one model and geometry. Every address, then random ones
with `re` low in half of the clocks; both change after the clock's rise, as from registers. In either half of every
clock both banks give the same word. --plant: with a macro's first word moved by one; --plant-clock: with macros
that read in the first half. Exit status 1: a word differs.
"""
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim", "asic"))
import synthesize  # noqa: E402

SEED, RANDOM = 7, 300


def bench(bank, ports, depth):
    rng = random.Random(f"{SEED} {bank}")
    steps = [(1, a) for a in range(depth)] + [(rng.randrange(2), rng.randrange(depth)) for _ in range(RANDOM)]
    text = [f"module bench_{bank}; reg clk = 1, re = 0; reg [{ports['addr'] - 1}:0] addr; integer bad = 0, n = 0;",
            f"wire [{ports['data'] - 1}:0] x, y; {bank} u_x (.clk(clk), .re(re), .addr(addr), .data(x));",
            f"ref_{bank} u_y (.clk(clk), .re(re), .addr(addr), .data(y)); initial begin"]
    half = "#1 n = n + 1; if (x !== y) bad = bad + 1;"
    text += [f"#1 re = {e}; addr = {a}; #1 clk = 0; {half} #1 clk = 1; {half}" for e, a in steps]
    return "\n".join([*text, f"$display(\"{bank}: %0d words compared, %0d different\", n, bad); end endmodule"])


def main():
    design, layout, out = sys.argv[1:4]
    macros = json.loads(synthesize.read(f"{layout}/layout.json"))["macros"]
    if "--plant" in sys.argv:
        next(m for m in macros if m["rom"] == "scale" and m["first_word"])["first_word"] += 1
    text = []
    for rom in ("scale", "gain", "program"):
        bank = f"{rom}_b00"
        source = synthesize.read(f"{design}/personality/{bank}.v")
        ports = {m[2]: int(m[1]) + 1 for m in re.finditer(r"\[(\d+):0\] (addr|data)", source)}
        words = len(re.findall(r"(?m)^ *\d+'d\d+: data <=", source))
        wrapper = synthesize.rom_wrapper(bank, ports, [m for m in macros if m["rom"] == rom])
        if "--plant-clock" in sys.argv:
            wrapper = wrapper.replace("~(clk | ~re)", "clk & re")
        text.append("\n".join(line for line in wrapper.splitlines() if not line.startswith("(* blackbox")))
        text += [source.replace(f"module {bank}", f"module ref_{bank}"), bench(bank, ports, words)]
    with open(f"{out}/roms_bench.v", "w") as file:
        file.write("\n".join(text) + "\n")
    subprocess.run(["iverilog", "-g2005", "-o", f"{out}/roms_bench", f"{out}/roms_bench.v", f"{layout}/macros.v"], check=True)
    said = subprocess.run(["vvp", "-n", f"{out}/roms_bench"], check=True, capture_output=True, text=True).stdout
    print(said.strip())
    counts = re.findall(r"(\d+) words compared, (\d+) different", said)
    return len(counts) != 3 or any(int(n) <= 2 * RANDOM or int(bad) for n, bad in counts)


if __name__ == "__main__":
    sys.exit(main())
