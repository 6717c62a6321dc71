#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A design and its serial line, synthesized for a Tang Nano 20K (GW2AR-18).

    sim/board/gowin.py DESIGN UART -o DIR

DESIGN and UART are folders of `hardwire emit` and `hardwire uart`. Leaves DIR/netlist.json and DIR/board.json (flat: cells,
seconds). Where a kind of block does not suffice, the exit status is 1. Yosys comes by pip into build/venv-board.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

import ecp5

HAS = {"lut4": 20736, "bsram": 46, "mult18": 48}
# Widths of products that are rows of adders (narrow_mul.v): of function tables, of the squares of the residual. The 48
# multipliers do not suffice for them.
NARROW = ((12, 5), (12, 10), (9, 9), (8, 9))
MULTIPLIERS = {"MULT36X36": 4, "MULT18X18": 1, "MULT9X9": 0.5, "MULTALU18X18": 1, "MULTALU36X18": 2, "MULTADDALU18X18": 2}


def count(cells):
    """Yosys' cells as the device counts: LUTs with the carries, which take a LUT each, and halves of a multiplier."""
    def of(pattern):
        return sum(n for name, n in cells.items() if re.fullmatch(pattern, name))
    return {"lut4": of("LUT[1-4]"), "alu": of("ALU"), "ff": of("DFF.*"), "ram16": of("RAM16.*"),
            "bsram": of("(SDP|SP|DP|pROM)(X9|B|X9B)?"),
            "mult18": sum(cells.get(name, 0) * n for name, n in MULTIPLIERS.items())}


def synthesize(out, top, files, includes, netlist=False):
    """As ecp5.synthesize. ROMs of at most 256 words are logic: the weights take half of the block RAMs."""
    steps = [f"read_verilog -defer {' '.join('-I' + i for i in includes)} {' '.join(files)}",
             f"synth_gowin -top {top} -family gw2a -run begin:coarse", "proc"]
    for i, (a, b) in enumerate(NARROW):
        steps += [f"select -set products{i} t:$mul r:A_WIDTH={a} %i r:B_WIDTH={b} %i",
                  f"chtype -set $__narrow_mul @products{i}"]
    steps += ["techmap -map sim/board/narrow_mul.v t:$__narrow_mul",
              f"synth_gowin -top {top} -family gw2a -run coarse:map_ram",
              'setattr -set rom_style "logic" t:$mem_v2 r:WR_PORTS=0 %i r:SIZE<=256 %i',
              f"synth_gowin -top {top} -family gw2a -run map_ram:" + (f" -json {out}/netlist.json" if netlist else ""),
              f"tee -o {out}/stat.txt stat"]
    cells = ecp5.yosys(out, steps)
    return cells and count(cells)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("design")
    options.add_argument("uart")
    options.add_argument("-o", dest="out", required=True)
    o = options.parse_args()
    os.makedirs(o.out, exist_ok=True)
    subprocess.run(["sh", "-ec", ". sim/board/tools.sh"], check=True)
    begin = time.time()
    cells = synthesize(o.out, "tangnano20k_top",
                       ecp5.sources(o.design) + ecp5.sources(o.uart)
                       + ["rtl_templates/uart/tangnano20k_top.v", "rtl_templates/uart/board_reset.v"],
                       [f"{o.design}/fabric", o.uart], netlist=True)
    if cells is None:
        sys.exit(f"sim/board/gowin.py: synthesis: see {o.out}/yosys.log")
    result = {**cells, "synthesis_s": round(time.time() - begin)}
    with open(f"{o.out}/board.json", "w") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    print(result)
    for name, most in HAS.items():
        used = cells["lut4"] + cells["alu"] if name == "lut4" else cells[name]
        if used > most:
            sys.exit(f"sim/board/gowin.py: {o.design}: {name}, expected at most {most}, got {used:g}")


if __name__ == "__main__":
    main()
