#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The netlist that sim/board/gowin.py places, as Verilog that Verilator compiles.

    gowin_netlist.py NETLIST.json DIR [--fault N]

Leaves DIR/netlist.v, cells.v, gowin_cells.v and uart_top.v, which has the ports of the chip with a line (rtl_templates/uart/uart_top.v)
around the board's. --fault: every Nth LUT is inverted.
"""
import json
import os
import re
import shutil
import subprocess
import sys

SHARE = "/usr/share/yosys/gowin/cells_sim.v"
CELLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim", "gowin_cells.v")
TOP = "tangnano20k_top"
BOARD = """`default_nettype none
module uart_top #(parameter CLOCKS = 1) (
    input wire clk, rst, rx, output wire tx, listening, telling, busy, failed
);
    wire [5:0] led_n;
    tangnano20k_top u_board (.clk_27mhz(clk), .s1(rst), .uart_rx(rx), .uart_tx(tx), .led_n(led_n));
    assign {failed, busy, telling, listening} = {~led_n[5], ~led_n[2:0]};
endmodule
"""


def plant(cells, n):
    luts = [cells[name] for name in sorted(cells) if re.fullmatch("LUT[1-4]", cells[name]["type"])]
    for lut in luts[::n]:
        table = lut["parameters"]["INIT"]
        lut["parameters"]["INIT"] = "".join("1" if c == "0" else "0" for c in table)


def main():
    path, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    with open(path) as f:
        netlist = json.load(f)
    top = netlist["modules"][TOP]
    cells = top["cells"] = {name: cell for name, cell in top["cells"].items() if cell["type"] != "$scopeinfo"}
    if sys.argv[3:4] == ["--fault"]:
        plant(cells, int(sys.argv[4]))
    with open(f"{out}/netlist.json", "w") as f:
        json.dump({"creator": netlist["creator"], "modules": {TOP: top}}, f)
    subprocess.run(["yosys", "-q", "-p", f"read_json {out}/netlist.json; write_verilog -noattr {out}/netlist.v"], check=True)
    with open(SHARE) as f:
        models = f.read()
    with open(CELLS) as f:
        own = f.read()
    shutil.copy(CELLS, f"{out}/gowin_cells.v")
    used = sorted({cell["type"] for cell in cells.values()} - set(re.findall(r"(?m)^module (\w+)", own)))
    with open(f"{out}/cells.v", "w") as f:
        for kind in used:
            module, = re.findall(rf"(?ms)^module {kind}\b.*?^endmodule", models)
            f.write(re.sub(r"specify.*?endspecify", "", module, flags=re.S) + "\n")
    with open(f"{out}/uart_top.v", "w") as f:
        f.write(BOARD)


if __name__ == "__main__":
    main()
