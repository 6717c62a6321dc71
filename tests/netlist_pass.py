# SPDX-License-Identifier: Apache-2.0
"""For tests of what sim/board does to a netlist of Yosys: the design before and after, in Icarus, with random inputs."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, "sim/board")  # what a file there imports


def bench(inputs, outputs, drive, clocks, warm):
    """Verilog that drives module `before` and module `after` alike and counts clocks from `warm` on. inputs: {port of dut
    beside clk: bits}; outputs: bits of y; drive: statements that set them in clock n."""
    names = ["clk", *inputs]
    ports = ", ".join(f".{name}({name})" for name in names)
    regs = "\n".join(f"    reg [{bits - 1}:0] {name};" for name, bits in inputs.items())
    return f"""
module tb;
    reg clk = 0;
{regs}
    wire [{outputs - 1}:0] y0, y1;
    integer n, wrong = 0, known = 0;
    before u_before ({ports}, .y(y0));
    after  u_after  ({ports}, .y(y1));
    initial begin
        for (n = 0; n < {clocks}; n = n + 1) begin
            {drive}
            #1 clk = 1; #1 clk = 0;
            if (n >= {warm}) begin
                if (y0 !== y1) wrong = wrong + 1;
                if (^y0 !== 1'bx) known = known + 1;
            end
        end
        $display("%0d %0d", known, wrong);
    end
endmodule
"""


def yosys(script):
    subprocess.run(["yosys", "-q", "-p", script], check=True)


class NetlistPass:
    """`function` of a file of sim/board, on a design (module dut) that `flow` synthesizes; `models` say what cells do."""

    def __init__(self, folder, source, function, design, flow, bench, models):
        self.dir, self.source, self.function, self.models, self.failed = folder, source, function, models, False
        os.makedirs(folder, exist_ok=True)
        for name, text in (("dut.v", design), ("bench.v", bench)):
            with open(f"{folder}/{name}", "w") as f:
                f.write(text)
        yosys(f"read_verilog {folder}/dut.v; {flow} -top dut -json {folder}/netlist.json; rename dut before; "
              f"opt_clean -purge; write_verilog -noattr {folder}/before.v")
        with open(source) as f:
            self.text = f.read()

    def ok(self, name, yes):
        self.failed = self.failed or not yes
        print(f"{'ok' if yes else 'not ok'} {name}", flush=True)

    def run(self, text, name):
        """What this text of the file says to the netlist, which it leaves as module `after` in NAME.json and NAME.v."""
        scope = {}
        exec(compile(text, self.source, "exec"), scope)
        with open(f"{self.dir}/netlist.json") as f:
            design = json.load(f)
        said = scope[self.function](design, "dut")
        with open(f"{self.dir}/{name}.json", "w") as f:
            json.dump(design, f)
        yosys(f"read_json {self.dir}/{name}.json; rename dut after; opt_clean -purge; write_verilog -noattr {self.dir}/{name}.v")
        return said

    def cells(self, name):
        with open(f"{self.dir}/{name}.json") as f:
            return json.load(f)["modules"]["dut"]["cells"]

    def differ(self, name):
        """What the bench counts: clocks whose outputs are known, clocks that differ."""
        files = [f"{self.dir}/{f}" for f in ("bench.v", "before.v", f"{name}.v")] + self.models
        subprocess.run(["iverilog", "-g2005", "-s", "tb", f"-I{self.dir}", "-o", f"{self.dir}/{name}.vvp", *files], check=True)
        said = subprocess.run(["vvp", "-n", f"{self.dir}/{name}.vvp"], check=True, capture_output=True, text=True).stdout
        return tuple(map(int, said.split()[-2:]))

    def plant(self, faults):
        """Each {name: (pattern, what stands there instead)} must make the netlists differ."""
        for fault, (pattern, planted) in faults.items():
            faulty, count = re.subn(pattern, lambda _: planted, self.text)
            assert count == 1, (fault, count)
            self.run(faulty, "faulty")
            known, wrong = self.differ("faulty")
            self.ok(f"{fault}: heard in {wrong} of {known} clocks", wrong > 0)
