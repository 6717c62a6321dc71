#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the bits of a layout's ROMs back from its polygons and compares them with the quantized file.

    tests/layout_bits.py LAYOUT DESIGN Q.safetensors [--spice] [--words FILE] [--only ROM ...]

LAYOUT: a folder that `hardwire layout` has made. DESIGN: `hardwire emit` of the same model and geometry,
whose geometry.vh alone is read. KLayout finds the transistors: poly over diffusion, and what contacts and
metals connect. A bit is 1 where a transistor lies between its bit line and ground, and where a switch-level
simulation of all transistors of the macro, decoder included, reads it at its address (tests/layout_switch.py).
Nothing of the generator's knowledge of where a bit lies is used: the nets have the names of labels. The words
that they must make are those of tests/prove_roms.py, which shares no code with the emitter.
--spice: compares every transistor with macros.spice as well: gate, source, drain, bulk, width, length. A net
without a name, inside a NAND, is known by the gates of the transistors on it.
--words: writes the words of each macro, as JSON.
--only: these ROMs; the program's is always needed, for the addresses.
Exit status: 0 equal, 1 a difference (named), 2 no comparison.
"""
import argparse
import collections
import json
import os
import re
import sys

import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_pdk  # noqa: E402
import layout_switch  # noqa: E402
import prove_roms  # noqa: E402

SHOWN = 8


class Wrong(Exception):
    pass


def split(layer):
    """Diffusion of transistors and taps: a tap has the implant of its well's kind."""
    all_of = layer["diff"] + layer["tap"]
    tap = (all_of & layer["nwell"] & layer["nsdm"]) + ((all_of - layer["nwell"]) & layer["psdm"])
    return all_of - tap, tap.merged()


def extract(layout, cell, pdk):
    """The transistors of a macro: (kind, gate, {source, drain}, bulk, width um, length um), nets by name."""
    top = layout.cell(cell)
    if top is None:
        raise Wrong(f"{cell}: no such cell")
    shapes = db.RecursiveShapeIterator(layout, top, [])
    l2n = db.LayoutToNetlist(shapes)
    layer = {}
    for name, (number, datatype) in pdk["layers"].items():
        index = layout.layer(number, datatype)
        layer[name] = l2n.make_text_layer(index, name) if name.endswith("text") else l2n.make_layer(index, name)
    diffusion, tap = split(layer)
    ends = diffusion - layer["poly"]
    substrate = l2n.make_layer("substrate")  # one net, to which the taps outside of the well connect
    substrate.insert(top.bbox())
    kinds = {"pfet": diffusion & layer["nwell"], "nfet": diffusion - layer["nwell"]}
    for kind, diff in kinds.items():
        l2n.extract_devices(db.DeviceExtractorMOS4Transistor(kind),
                            {"SD": diff - layer["poly"], "G": diff & layer["poly"], "tS": ends, "tD": ends,
                             "P": layer["poly"], "tG": layer["poly"],
                             "W": layer["nwell"] if kind == "pfet" else substrate})
    taps = {"nwell": tap & layer["nwell"], "substrate": tap - layer["nwell"]}
    for name, region in (("ends", ends), *(("tap_" + n, t) for n, t in taps.items())):
        l2n.register(region, name)
    stack = [(ends, "licon"), (layer["poly"], "licon"), *((t, "licon") for t in taps.values()),
             (layer["li"], "licon"), (layer["li"], "mcon"), (layer["met1"], "mcon"), (layer["met1"], "via"),
             (layer["met2"], "via"), *((layer[n], cut) for low, cut, high in pdk["levels"] for n in (low, high))]
    levels = [n for _, *of in pdk["levels"] for n in of]
    for one in (ends, substrate, *taps.values(),
                *(layer[n] for n in ("nwell", "poly", "licon", "li", "mcon", "met1", "via", "met2", *levels))):
        l2n.connect(one)
    for one, cut in stack:
        l2n.connect(one, layer[cut])
    l2n.connect(substrate, taps["substrate"])
    l2n.connect(layer["nwell"], taps["nwell"])
    l2n.connect(layer["li"], layer["li_text"])
    l2n.connect(layer["met1"], layer["met1_text"])
    l2n.connect(layer["met2"], layer["met2_text"])
    l2n.connect(layer[levels[-1]], layer["strap_text"])
    for kind, region, tap in (("n", kinds["nfet"], taps["substrate"]), ("p", kinds["pfet"], taps["nwell"])):
        if not (region - tap.interacting(layer["licon"]).sized(pdk["tap_nm"])).is_empty():
            raise Wrong(f"{cell}: diffusion of {kind} further than {pdk['tap_nm']} nm from a tap")
    l2n.extract_netlist()
    net = l2n.netlist()
    net.flatten()
    circuit = net.circuit_by_name(cell)
    straps = [n.expanded_name() for n in circuit.each_net() if re.match("VPWR|VGND", n.expanded_name())]
    if sorted(straps) != ["VGND", "VPWR"]:
        raise Wrong(f"{cell}: straps are of nets {', '.join(sorted(straps))}, expected one VGND and one VPWR")
    found = []
    for device in circuit.each_device():
        g, s, d, b = (device.net_for_terminal(t) for t in ("G", "S", "D", "B"))
        found.append((device.device_class().name, g.expanded_name(),
                      frozenset((s.expanded_name(), d.expanded_name())), b.expanded_name(),
                      round(device.parameter("W"), 3), round(device.parameter("L"), 3)))
    return found


def known_by_gates(found):
    """Nets without a label, $n, and inner ones of macros.spice, NAME.n: by the gates of their transistors."""
    gates = collections.defaultdict(list)
    for _, gate, ends, *_ in found:
        for net in ends:
            if net.startswith("$") or "." in net:
                gates[net].append(gate)
    names = {net: "between " + " ".join(sorted(at)) for net, at in gates.items()}
    return [(kind, gate, frozenset(names.get(e, e) for e in ends), *rest) for kind, gate, ends, *rest in found]


def check_ends(found, macro):
    """Every column's transistor that charges, and its inverter; the other transistors are returned."""
    ends = set()
    for c in range(macro["cols"]):
        bit, out = f"BL[{c}]", f"D[{c}]"
        ends |= {("pfet", "PRE_N", frozenset((bit, "VPWR")), "VPWR"), ("pfet", bit, frozenset((out, "VPWR")), "VPWR"),
                 ("nfet", bit, frozenset((out, "VGND")), "VGND")}
    missing = ends - {f[:4] for f in found}
    if missing:
        raise Wrong(f"{macro['name']}: no transistor {sorted(map(str, missing))[0]} at the end of a column")
    rest = [f for f in found if f[:4] not in ends]
    if len(found) - len(rest) != len(ends):
        raise Wrong(f"{macro['name']}: {len(found) - len(rest)} transistors at the ends of columns, not {len(ends)}")
    decoder = re.compile(r"(CLK|ENB?|PREB|(A|AP|AN|LB?|GB?|WB)\[\d+\])")  # gates; all else must be bits
    return [f for f in rest if not decoder.fullmatch(f[1])]


def bits(found, macro):
    """Words of the macro, as integers, from transistors between bit line and ground."""
    rows, cols = macro["rows"], macro["cols"]
    if len(found) != rows * cols:
        raise Wrong(f"{macro['name']}: {len(found)} transistors, expected {rows * cols}")
    words, seen = [0] * rows, set()
    for kind, gate, ends, bulk, *_ in found:
        row = re.fullmatch(r"WL\[(\d+)\]", gate)
        lines = [re.fullmatch(r"BL\[(\d+)\]", e) for e in ends if e != "VGND"]
        if kind != "nfet" or not row or bulk != "VGND" or not all(lines):
            raise Wrong(f"{macro['name']}: a transistor of gate {gate}, ends {', '.join(ends)}, bulk {bulk}")
        if len(lines) == 2:
            raise Wrong(f"{macro['name']}: a transistor between two bit lines, {', '.join(ends)}")
        if lines and "VGND" in ends:
            cell = int(row[1]), int(lines[0][1])
            if cell in seen:
                raise Wrong(f"{macro['name']}: row {cell[0]}, bit line {cell[1]}: two transistors")
            seen.add(cell)
            words[cell[0]] |= 1 << cell[1]
    return words


def spice(path):
    """Transistors of each subcircuit of macros.spice, as extract() gives them."""
    found, name = {}, None
    with open(path) as file:
        for line in file:
            if line.startswith(".subckt"):
                name = line.split()[1]
                found[name] = []
            elif line.startswith("X"):
                _, d, g, s, b, model, w, l = line.split()
                found[name].append(("nfet" if "nfet" in model else "pfet", g, frozenset((s, d)), b, float(w[2:]), float(l[2:])))
    return found


def read_all(found, macro):
    """Words, by simulation of every address."""
    try:
        words, wrong = layout_switch.read(found, macro["rows"], macro["cols"])
    except layout_switch.Short as e:
        raise Wrong(f"{macro['name']}: {e}") from e
    if wrong:
        raise Wrong(f"{macro['name']}: {wrong[0]}" + (f", and {len(wrong) - 1} more" if wrong[1:] else ""))
    return words


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("layout")
    parser.add_argument("design")
    parser.add_argument("model")
    parser.add_argument("--spice", action="store_true")
    parser.add_argument("--words", metavar="FILE")
    parser.add_argument("--only", nargs="+", metavar="ROM")
    args = parser.parse_args()
    with open(f"{args.layout}/layout.json") as file:
        about = json.load(file)
    design = prove_roms.Design(os.path.abspath(args.design))
    model = prove_roms.Model(args.model)
    model.set_context(design.seq_len, design.geometry["ROPE_LO_W"])
    layout = db.Layout()
    layout.read(f"{args.layout}/rom.gds")
    netlist = spice(f"{args.layout}/macros.spice") if args.spice else {}
    rom, every, different, transistors = collections.defaultdict(dict), {}, 0, 0
    for macro in about["macros"]:
        if args.only and macro["rom"] not in args.only:
            continue
        found = extract(layout, macro["name"], layout_pdk.PROCESSES[about["pdk"]])
        transistors += len(found)
        if args.spice and collections.Counter(known_by_gates(found)) != \
                collections.Counter(known_by_gates(netlist[macro["name"]])):
            different += 1
            print(f"DIFFERENT {macro['name']}: transistors of the polygons and of macros.spice")
        words = every[macro["name"]] = bits(check_ends(found, macro), macro)
        for row, (word, seen) in enumerate(zip(words, read_all(found, macro))):
            if word != seen:
                raise Wrong(f"{macro['name']}: address {row} reads {seen:#x}, its transistors are {word:#x}")
            at = rom[macro["rom"]]
            at[macro["first_word"] + row] = at.get(macro["first_word"] + row, 0) | word << macro["first_bit"]
    if args.words:
        with open(args.words, "w") as file:
            json.dump({name: [f"{w:x}" for w in words] for name, words in every.items()}, file)
    want = prove_roms.Layout(model, design.geometry, design.slice, lambda a: rom["program"].get(a, 0))
    total = 0
    for kind, words in rom.items():
        content, bad = want.rom[kind], 0
        for address in sorted(set(words) | set(content.words)):
            expected, _, describe = content.expected(address)
            got = words.get(address)
            total += content.width
            if got != expected:
                bad += 1
                if bad <= SHOWN:
                    print(f"DIFFERENT {kind} ROM word {address}: polygons {got:#x}, file {expected:#x}"
                          if got is not None else f"DIFFERENT {kind} ROM word {address}: no macro holds it")
        different += bad
    print(f"{transistors} transistors, {total} bits compared with {args.model}, {different} different"
          + (", and with macros.spice" if args.spice else ""))
    return different != 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Wrong, prove_roms.Refused, OSError, KeyError, ValueError) as e:
        print(f"layout_bits: {type(e).__name__ + ' ' if isinstance(e, KeyError) else ''}{e}", file=sys.stderr)
        sys.exit(2)
