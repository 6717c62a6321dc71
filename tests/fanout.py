#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies that sim/board/fanout.py makes of registers and LUTs: of which, and that the netlist does the same before and after,
in Icarus, with random inputs. Faults planted in fanout.py are heard. Prints TAP."""
import sys
from collections import Counter

from netlist_pass import NetlistPass, bench

DIR = "build/test/fanout"
CLOCKS, WARM = 120, 20
DESIGN = """
module dut (input clk, rst, en, pin, input [31:0] in, output reg [239:0] y);
    reg [31:0] x;
    reg        few, some, many, held, synchronized, cleared;
    wire       logic_some = x[0] ^ x[1] & x[2] | x[3];
    integer    i;
    always @(posedge clk) begin
        x <= in;
        few          <= x[4];           // 8 readers
        some         <= x[5];           // 40: copies
        many         <= x[6];           // 60: a global net is better
        if (en) held <= x[7] ^ held;    // 24: copies, and reads itself
        synchronized <= pin;            // 20, and a pin drives it
        cleared      <= rst;            // 20, and resets
        for (i = 0; i < 240; i = i + 1) begin
            if (i < 8)        y[i] <= few ^ x[i % 32];
            else if (i < 48)  y[i] <= some ^ x[i % 32];
            else if (i < 108) y[i] <= many ^ x[i % 32];
            else if (i < 132) y[i] <= held ^ x[i % 32];
            else if (i < 152) y[i] <= synchronized ^ x[i % 32];
            else if (i < 172) y[i] <= cleared ? 1'b0 : x[i % 32];
            else if (i < 212) y[i] <= y[i] ^ (logic_some & x[i % 32] & in[i % 32] & en); // the LUT of logic_some, too
            else              y[i] <= x[i % 32];
        end
        if (rst) y[211:172] <= 40'd0;
        if (rst) held <= 1'b0;
    end
endmodule
"""
BENCH = bench({"rst": 1, "en": 1, "pin": 1, "in": 32}, 240,
              f"in = $random; {{rst, en, pin}} = n < {WARM // 2} ? 3'b110 : $random & 3'b011 | {{3{{n % 50 == 0}}}};", CLOCKS, WARM)
FAULTS = {"a copy of a LUT has no table": (r"\{\*\*cell, \"connections\"", '{**cell, "parameters": {}, "connections"'),
          "a copy is always enabled": (r"list\(bits\) for port, bits in", '["1"] if port == "CE" else list(bits) for port, bits in'),
          "a copy reads what it drives": (r"list\(bits\) for port, bits in",
                                          '[new + made] if port == "D" else list(bits) for port, bits in')}


def readers(cells):
    """{name of a register or a LUT: how many inputs read it}, and those that reset somebody."""
    reads, resets = Counter(), set()
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                reads.update(bits)
                resets.update(bits if port in ("RESET", "SET", "CLEAR", "PRESET") else ())
    drives = {name: cell["connections"].get("Q" if cell["type"].startswith("DFF") else "F", [None])[0]
              for name, cell in cells.items()}
    return {name: reads[net] for name, net in drives.items() if net}, {name for name, net in drives.items() if net in resets}


def main():
    this = NetlistPass(DIR, "sim/board/fanout.py", "spread", DESIGN, "synth_gowin -nowidelut", BENCH,
                       ["/usr/share/yosys/gowin/cells_sim.v"])
    copies = this.run(this.text, "after")
    before, _ = readers(this.cells("netlist"))
    after, resets = readers(this.cells("after"))
    tall = {name for name, n in before.items() if 10 < n <= 50}
    stays = {name for name in tall if after[name] == before[name]}
    this.ok(f"{copies} copies, of {len(tall - stays)} of {len(tall)} that 11 to 50 read", copies >= 6 and len(tall - stays) >= 3)
    this.ok("what resets others and what a pin drives stay alone",
            len(stays) == 2 and len(stays & resets) == 1 and any("synchronized" in name for name in stays))
    known, wrong = this.differ("after")
    this.ok(f"the netlists do the same: {known} clocks, {wrong} different", known == CLOCKS - WARM and wrong == 0)
    this.plant(FAULTS)
    sys.exit(this.failed)


main()
