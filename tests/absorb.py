#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Registers that sim/board/absorb.py hands to multipliers: which are, and that the netlist does the same before
and after, in Icarus, with random operands and enables. Faults planted in absorb.py are heard. Prints TAP."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, "sim")
import ecp5_models  # noqa: E402

DIR = "build/test/absorb"
SOURCE = "sim/board/absorb.py"
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
BENCH = f"""
module tb;
    reg clk = 0;
    reg [4:0] en;
    reg rst;
    reg [63:0] x;
    wire [227:0] y0, y1;
    integer n, wrong = 0, known = 0;
    before u_before (.clk(clk), .en(en), .rst(rst), .in(x), .y(y0));
    after  u_after  (.clk(clk), .en(en), .rst(rst), .in(x), .y(y1));
    initial begin
        for (n = 0; n < {CLOCKS}; n = n + 1) begin
            x = {{$random, $random}};
            en = n < {WARM // 2} ? 5'h1F : $random;
            rst = n < {WARM // 2} ? 1'b0 : $random & $random;
            #1 clk = 1; #1 clk = 0;
            if (n >= {WARM}) begin
                if (y0 !== y1) wrong = wrong + 1;
                if (^y0 !== 1'bx) known = known + 1;
            end
        end
        $display("%0d %0d", known, wrong);
    end
endmodule
"""
WANTED = (9, 5, 72)  # multipliers, those that take registers in, registers fewer
FAULTS = {"an enable for both operands": (r"number\[b\[1\]\], \"REG_INPUTB_RST", 'number[a[1]], "REG_INPUTB_RST'),
          "a reset is forgotten": (r' and to\.get\("LSR", \["0"\]\) == \["0"\]', ""),
          "a register that others read goes": (r"if count == netlist\.sinks\[bit\]", ""),
          "bits of one operand have two enables": (r"if len\(facts\) == 1 else", "if facts else")}
failed = False


def ok(name, yes):
    global failed
    failed = failed or not yes
    print(f"{'ok' if yes else 'not ok'} {name}", flush=True)


def yosys(script):
    subprocess.run(["yosys", "-q", "-p", script], check=True)


def absorbed(text, name):
    """What this absorb.py says to the netlist, which it leaves as Verilog of module `after` in DIR/NAME.v."""
    scope = {}
    exec(compile(text, SOURCE, "exec"), scope)
    with open(f"{DIR}/netlist.json") as f:
        design = json.load(f)
    said = scope["absorb"](design, "dut")
    with open(f"{DIR}/{name}.json", "w") as f:
        json.dump(design, f)
    yosys(f"read_json {DIR}/{name}.json; rename dut after; opt_clean -purge; write_verilog -noattr {DIR}/{name}.v")
    return said


def one_net_a_number(name):
    """Whether each of CE0 to CE3 is the same net wherever it is used, since the multipliers of a block share them."""
    with open(f"{DIR}/{name}.json") as f:
        cells = json.load(f)["modules"]["dut"]["cells"].values()
    used = {(port, *bits) for cell in cells if cell["type"] == "MULT18X18D" for port, bits in cell["connections"].items()
            if port.startswith("CE")}
    return len(used) > 1 and len(used) == len({port for port, _ in used}) == len({net for _, net in used})


def differ(name):
    """(clocks compared whose outputs are known, clocks that differ)"""
    files = [f"{DIR}/{f}" for f in ("bench.v", "before.v", f"{name}.v", *ecp5_models.FILES)]
    subprocess.run(["iverilog", "-g2005", "-s", "tb", f"-I{DIR}", "-o", f"{DIR}/{name}.vvp", *files], check=True)
    said = subprocess.run(["vvp", "-n", f"{DIR}/{name}.vvp"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, said.split()[-2:]))


def main():
    os.makedirs(DIR, exist_ok=True)
    for name, text in (("dut.v", DESIGN), ("bench.v", BENCH)):
        with open(f"{DIR}/{name}", "w") as f:
            f.write(text)
    ecp5_models.write(DIR)
    yosys(f"read_verilog {DIR}/dut.v; synth_ecp5 -top dut -json {DIR}/netlist.json; rename dut before; opt_clean -purge; "
          f"write_verilog -noattr {DIR}/before.v")
    with open(SOURCE) as f:
        text = f.read()
    said = absorbed(text, "after")
    ok(f"what is taken in: {said}", said == WANTED)
    known, wrong = differ("after")
    ok(f"the netlists do the same: {known} clocks, {wrong} different", known == CLOCKS - WARM and wrong == 0)
    ok("each enable has one number", one_net_a_number("after"))
    for fault, (pattern, planted) in FAULTS.items():
        faulty, count = re.subn(pattern, lambda _: planted, text)
        assert count == 1, (fault, count)
        absorbed(faulty, "faulty")
        known, wrong = differ("faulty")
        ok(f"{fault}: heard in {wrong} of {known} clocks", wrong > 0)
    sys.exit(failed)


main()
