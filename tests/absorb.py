#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Registers that sim/board/absorb.py hands to multipliers: which are, and that the netlist does the same before
and after, in Icarus, with random operands and enables. Faults planted in absorb.py are heard. Prints TAP."""
import sys

sys.path.insert(0, "sim")
import ecp5_models  # noqa: E402
from netlist_pass import NetlistPass, bench  # noqa: E402

DIR = "build/test/absorb"
CLOCKS, WARM = 600, 200
# What each product is for, and whether its multiplier takes its operands' registers in
DESIGN = """
module dut (input clk, input [4:0] en, input rst, input [63:0] in, output reg [227:0] y);
    reg [63:0] x;               // registers, so that those below are reached by wires
    reg signed [17:0] a, b, shared, other, cleared, some, behind;
    reg signed [17:0] any;      // no enable
    reg signed [17:0] fifth;
    reg [9:0] low, small;       // bits above them are constant
    always @(posedge clk) begin
        x <= in;
        if (en[0]) a <= x[17:0];
        if (en[1]) b <= x[35:18];
        if (en[0]) shared <= x[53:36];
        if (en[2]) other <= x[40:23];
        any <= x[30:13];
        if (en[1]) {low, small} <= x[19:0];
        if (rst) cleared <= 18'd0; else if (en[1]) cleared <= x[20:3];
        if (en[2]) some[8:0] <= x[8:0];
        if (en[3]) some[17:9] <= x[17:9];
        if (en[0]) behind <= x[17:0] ^ x[35:18];
        if (en[3]) fifth <= x[60:43];
        y[35:0]    <= a * b;                // taken: two enables
        y[71:36]   <= shared * other;       // taken
        y[89:72]   <= shared;               // and what it held is read here too
        y[109:90]  <= {1'b1, low} * small;  // taken, constant bits
        y[129:110] <= cleared * any;        // stays: a reset
        y[149:130] <= some * any;           // stays: two enables of one operand
        y[169:150] <= behind * any;         // stays: logic before it
        y[191:170] <= any * any;            // taken
        y[209:192] <= other * other;        // taken
        y[227:210] <= fifth * any;          // stays: a block of multipliers has four enables
    end
endmodule
"""
BENCH = bench({"en": 5, "rst": 1, "in": 64}, 228,
              f"in = {{$random, $random}}; en = n < {WARM // 2} ? 5'h1F : $random; rst = n < {WARM // 2} ? 1'b0 : $random & $random;",
              CLOCKS, WARM)
WANTED = (9, 5, 72)  # multipliers, those that take registers in, registers fewer
FAULTS = {"an enable for both operands": (r"number\[b\[1\]\], \"REG_INPUTB_RST", 'number[a[1]], "REG_INPUTB_RST'),
          "a reset is forgotten": (r' and to\.get\("LSR", \["0"\]\) == \["0"\]', ""),
          "a register that others read goes": (r"if count == len.*not in netlist\.ports", ""),
          "bits of one operand have two enables": (r"if len\(facts\) == 1 else", "if facts else")}


def one_net_a_number(cells):
    """Whether each of CE0 to CE3 is the same net wherever it is used, since the multipliers of a block share them."""
    used = {(port, *bits) for cell in cells.values() if cell["type"] == "MULT18X18D"
            for port, bits in cell["connections"].items() if port.startswith("CE")}
    return len(used) > 1 and len(used) == len({port for port, _ in used}) == len({net for _, net in used})


def main():
    this = NetlistPass(DIR, "sim/board/absorb.py", "absorb", DESIGN, "synth_ecp5", BENCH,
                       [f"{DIR}/{f}" for f in ecp5_models.FILES])
    ecp5_models.write(DIR)
    said = this.run(this.text, "after")
    this.ok(f"what is taken in: {said}", said == WANTED)
    known, wrong = this.differ("after")
    this.ok(f"the netlists do the same: {known} clocks, {wrong} different", known == CLOCKS - WARM and wrong == 0)
    this.ok("each enable has one number", one_net_a_number(this.cells("after")))
    this.plant(FAULTS)
    sys.exit(this.failed)


main()
