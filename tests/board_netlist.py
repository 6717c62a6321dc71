#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The netlist that sim/board/place placed, as Verilog that Verilator compiles, with a model in its block RAMs.

    board_netlist.py config NETLIST.json OUT.config
    board_netlist.py verilog NETLIST.json BASE.config PATCHED.config DIR [--fault N]
    board_netlist.py json NETLIST.json BASE.config PATCHED.config OUT.json

`config` writes the contents of the block RAMs as nextpnr does, for `hardwire patch`; `json` puts what was patched into the netlist,
which can be placed so; `verilog` does likewise and leaves DIR/netlist.v, the cells' models and uart_top.v, which has the ports
of the chip with a line (rtl_templates/uart/uart_top.v) around the board's. --fault: every Nth LUT is inverted.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim"))
import ecp5_models  # noqa: E402
import luts  # noqa: E402
from patch_check import blocks  # noqa: E402

# 64 parameters of 16 words of 20 bits, of which 18 are used: two rows of 9 (Lattice's sysMEM guide)
PARAMETERS, WORDS, WORD_BITS, ROW_BITS = 64, 16, 20, 9
# A board: the PLL hands its input on; ports that the terminal of sim/uart_main.cpp drives.
BOARD = """`default_nettype none
module EHXPLLL #(
{parameters}
) ({ports});
    assign {{CLKOP, LOCK}} = {{CLKI, 1'b1}};
endmodule

module uart_top #(parameter CLOCKS = 1) (
    input wire clk, rst, rx, output wire tx, listening, telling, busy, failed
);
    wire [7:0] led;
    wire wifi;
    ulx3s_top u_board (.clk_25mhz(clk), .fire1(rst), .ftdi_txd(rx), .ftdi_rxd(tx), .led(led), .wifi_gpio0(wifi));
    assign {{failed, busy, telling, listening}} = {{led[7], led[2:0]}};
endmodule
"""


def of_type(netlist, kind):
    """Of the top: the cells of this type, in the order of their names."""
    cells, = (module["cells"] for module in netlist["modules"].values() if "top" in module["attributes"])
    return [cells[name] for name in sorted(cells) if cells[name]["type"] == kind]


def bits(text):
    """A parameter's bits, the lowest first; what is undefined is 0, as nextpnr takes it."""
    return [int(c == "1") for c in reversed(text)]


def contents(cell):
    """The rows of a block RAM, as in a configuration."""
    rows = []
    for p in range(PARAMETERS):
        value = bits(cell["parameters"][f"INITVAL_{p:02X}"])
        rows += [sum(value[WORD_BITS * (row // 2) + ROW_BITS * (row % 2) + k] << k for k in range(ROW_BITS))
                 for row in range(2 * WORDS)]
    return rows


def write_config(netlist, out):
    with open(out, "w") as f:
        for number, cell in enumerate(of_type(netlist, "DP16KD")):
            rows = contents(cell)
            f.write(f".bram_init {number}\n")
            for at in range(0, len(rows), 8):
                f.write(" ".join(f"{row:03x}" for row in rows[at:at + 8]) + "\n")
            f.write("\n")


def put_back(netlist, base, patched):
    """A block RAM is known by what it holds in BASE: the pattern of --blank, or nothing."""
    before, after = blocks(base)[0], blocks(patched)[0]
    holds = {}
    for number, rows in before.items():
        assert holds.setdefault(tuple(rows), after[number]) == after[number], f"two block RAMs like {number} became different"
    for cell in of_type(netlist, "DP16KD"):
        rows = holds[tuple(contents(cell))]
        for p in range(PARAMETERS):
            value = 0
            for row, held in enumerate(rows[2 * WORDS * p:2 * WORDS * (p + 1)]):
                value |= held << (WORD_BITS * (row // 2) + ROW_BITS * (row % 2))
            cell["parameters"][f"INITVAL_{p:02X}"] = f"{value:0{WORDS * WORD_BITS}b}"


def plant(netlist, n):
    for lut in of_type(netlist, "LUT4")[::n]:
        parameters = lut["parameters"]
        parameters["INIT"] = "".join("1" if c == "0" else "0" for c in parameters["INIT"])


def board(netlist):
    pll, = of_type(netlist, "EHXPLLL")
    return BOARD.format(parameters=",\n".join(f"    parameter {name} = 0" for name in pll["parameters"]),
                        ports=", ".join(f"{pll['port_directions'][name]} wire {name}" for name in pll["connections"]))


def write_verilog(netlist, out):
    os.makedirs(out, exist_ok=True)
    top = netlist["modules"]["ulx3s_top"]
    top["cells"] = {name: cell for name, cell in top["cells"].items() if cell["type"] != "$scopeinfo"}
    with open(f"{out}/netlist.json", "w") as f:
        json.dump({"creator": netlist["creator"], "modules": {"ulx3s_top": top}}, f)
    subprocess.run(["yosys", "-q", "-p", f"read_json {out}/netlist.json; write_verilog -noattr {out}/netlist.v"], check=True)
    with open(f"{out}/netlist.v") as f:
        text = luts.by_table("ecp5", f.read())
    ecp5_models.write(out)
    for name, content in (("netlist.v", text), ("luts.v", luts.models(text)), ("uart_top.v", board(netlist))):
        with open(f"{out}/{name}", "w") as f:
            f.write(content)


def main():
    what, path = sys.argv[1:3]
    with open(path) as f:
        netlist = json.load(f)
    if what == "config":
        write_config(netlist, sys.argv[3])
        return
    put_back(netlist, *sys.argv[3:5])
    if what == "json":
        with open(sys.argv[5], "w") as f:
            json.dump(netlist, f)
        return
    if sys.argv[6:7] == ["--fault"]:
        plant(netlist, int(sys.argv[7]))
    write_verilog(netlist, sys.argv[5])


if __name__ == "__main__":
    main()
