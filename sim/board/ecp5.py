# SPDX-License-Identifier: Apache-2.0
"""Synthesis for an ECP5, as sim/board/place, sim/board/costs and sim/timing do it: pip's pyosys, in build/venv-board."""
import glob
import re
import subprocess

VENV = "build/venv-board"
CELLS = {"lut4": ("LUT4",), "carry": ("CCU2C",), "ff": ("TRELLIS_FF",), "dp16kd": ("DP16KD",),
         "mult18": ("MULT18X18D",), "dpr16x4": ("TRELLIS_DPR16X4",)}


def sources(folder):
    """Verilog of a folder that `hardwire emit` or `hardwire uart` made."""
    listed = (line.strip() for line in open(f"{folder}/filelist.f"))
    return [f"{folder}/{name}" for name in listed if name.endswith(".v")]


def logic(cells):
    """Places for logic (TRELLIS_COMB) that these cells take, as nextpnr packs them: a carry cell two, a small RAM with the
    LUTs that lead around it about twelve."""
    return cells["lut4"] + 2 * cells["carry"] + 12 * cells["dpr16x4"]


def kinds_of(cells):
    """Of {type of cell: number}: {kind: number}, by CELLS."""
    return {name: sum(cells.get(c, 0) for c in kinds) for name, kinds in CELLS.items()}


def yosys(out, steps):
    """Runs these commands; {type of cell: number} of the last, which writes out/stat.txt, or None where one fails."""
    with open(f"{out}/yosys.log", "w") as log:
        if subprocess.run([f"{VENV}/bin/python", "sim/board/yosys_steps.py", *steps], stdout=log, stderr=log).returncode:
            return None
    cells = {}
    for line in open(f"{out}/stat.txt"):
        words = line.split()
        if len(words) == 2 and words[0].isdigit():
            cells[words[1]] = int(words[0])
    return cells


def lanes(top):
    """Commands before `synth_ecp5 -run coarse:`. Products of activations and levels (10 x 8 bits, or halves of them) are rows
    of carry cells (row_mul.v), since the multipliers are too few for them; every tile keeps activations of its own, which
    Yosys would make one register with wires to all rows."""
    return [f"synth_ecp5 -top {top} -run begin:coarse",
            "proc", "setattr -set keep 1 */w:act_q %ci1 t:$dff %i",
            "select -set products t:$mul r:A_WIDTH=10 %i r:B_WIDTH<=8 %i",
            "chtype -set $__row_mul @products",
            "techmap -map sim/board/row_mul.v t:$__row_mul"]


def deep(out):
    """Commands that put ROMs of more than 2,048 words, and RAMs of 1,025 to 2,048, into block RAMs as deep as they are, and so
    narrow. Left alone, Yosys takes the fewest block RAMs, ROMs as 2,048 x 9 bits, RAMs as 512 x 36, and a choice of up to four
    for every bit, on wires across the chip."""
    stock = open(glob.glob(f"{VENV}/lib/python*/site-packages/pyosys/share/lattice/brams_16kd.txt")[0]).read()
    steps = []
    for width, fewest, most, ports in ((9, 1024, 2048, 1), (4, 2048, 4096, 0), (2, 4096, 8192, 0), (1, 8192, 1 << 30, 0)):
        library = f"{out}/deep_{width}.txt"
        with open(library, "w") as f:
            f.write(re.sub(r"(port srs?w? .*\{)", rf"\1 width {width};", stock))
        steps += [f"select -set deep t:$mem_v2 r:WR_PORTS={ports} %i r:SIZE>{fewest} %i r:SIZE<={most} %i",
                  f"memory_libmap -lib {library} @deep"]
    return steps


def until_block_rams(out, top):
    """Commands of `synth_ecp5` after `hierarchy`, up to its map_ram. Every ROM goes to block RAM, where a patch can reach it."""
    return [*lanes(top), f"synth_ecp5 -top {top} -run coarse:map_ram", 'setattr -set rom_style "block" t:$mem_v2 r:WR_PORTS=0 %i',
            *deep(out)]


def synthesize(out, top, files, includes, parameters={}, netlist=False):
    """{kind of cell: number}, or None where Yosys fails: out/yosys.log says why. netlist: leaves out/netlist.json."""
    chosen = " ".join(f"-chparam {name} {value}" for name, value in parameters.items())
    steps = [f"read_verilog -defer {' '.join('-I' + i for i in includes)} {' '.join(files)}", f"hierarchy -top {top} {chosen}",
             *until_block_rams(out, top),
             f"synth_ecp5 -top {top} -run map_ram:" + (f" -json {out}/netlist.json" if netlist else ""),
             f"tee -o {out}/stat.txt stat"]
    cells = yosys(out, steps)
    return cells and kinds_of(cells)
