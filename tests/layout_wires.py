#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Capacitances of the wires of a macro, extracted from its polygons, against those that
tests/layout_characterize.py simulates.

    tests/layout_wires.py LAYOUT MACRO

LAYOUT: with macros.spice. KLayout finds the polygons of a net. Plates: to the nearest layer below and above. Sides:
C / (distance + offset) to the nearest polygon of another net in the layer, up to 2 um. Fringe, to the substrate: of
edges that have no neighbour within 0.5 um (least), of all edges (most). Coefficients: of tests/layout_models.py.
Exit status: 0, what is assumed of each net is at least the middle of least and most.
"""
import os
import re
import sys

import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_models  # noqa: E402
import layout_pdk  # noqa: E402

STACK = ("met2", "met1", "li", "poly")
REACH_NM, NEAR_UM = 2000, 0.5
JOINED = (("poly", "licon"), ("li", "licon"), ("li", "mcon"), ("met1", "mcon"), ("met1", "via"), ("met2", "via"),
          ("li", "li_text"), ("met1", "met1_text"), ("met2", "met2_text"))


def netlist(layout, cell, pdk):
    """LayoutToNetlist of the wires, its layers by name."""
    l2n = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, cell, []))
    layer = {}
    for name, number in pdk["layers"].items():
        index = layout.layer(*number)
        layer[name] = l2n.make_text_layer(index, name) if name.endswith("text") else l2n.make_layer(index, name)
    for name in (*STACK, "licon", "mcon", "via"):
        l2n.connect(layer[name])
    for a, b in JOINED:
        l2n.connect(layer[a], layer[b])
    l2n.extract_netlist()
    return l2n, layer


def plates(kit, name, own, every):
    """fF to what lies below and above; its own polygons between hide what is behind them."""
    below, above, total = own[name], own[name], 0.0
    for low in STACK[STACK.index(name) + 1:]:
        below = below - own[low]
        total += (below & every[low]).area() * kit.plate[name, low]
        below = below - every[low]
    if name != "poly":
        total += (below & every["diff"]).area() * kit.diffusion[name]
        below = below - every["diff"]
    total += below.area() * kit.substrate[name][0]
    for high in reversed(STACK[:STACK.index(name)]):
        total += ((above - own[high]) & every[high]).area() * kit.plate[high, name]
        above = above - every[high]
    return total * 1e-9


def sides(kit, name, own, every):
    """fF to neighbours in the layer, and the um of edges that have one within NEAR_UM."""
    coefficient, offset = kit.side[name]
    total = near = 0.0
    for pair in own[name].separation_check(every[name] - own[name], REACH_NM, False, db.Region.Projection).each():
        distance, length = pair.distance() * 1e-3, pair.first.length() * 1e-3
        if distance > 0:
            total += length * coefficient / (distance + offset)
            near += length if distance < NEAR_UM else 0
    return total * 1e-3, near


def extracted(kit, own, every):
    """(least, most) fF of a net."""
    least = most = 0.0
    for name in STACK:
        if own[name].is_empty():
            continue
        side, near = sides(kit, name, own, every)
        edges, fringe = own[name].perimeter() * 1e-3, kit.substrate[name][1] * 1e-3
        least += plates(kit, name, own, every) + side + max(edges - near, 0) * fringe
        most += plates(kit, name, own, every) + side + edges * fringe
    return least, most


def nodes_of(path, macro, bit_line):
    """How many nodes of a column lie on its bit line: each ends two transistors, but the last of a block."""
    rows, inside = {}, False
    with open(path) as file:
        for line in file:
            if line.startswith(".subckt"):
                inside = line.split()[1] == macro
            m = re.match(r"X(\d+)_\d+ (\S+) \S+ (\S+) ", line) if inside else None
            if m and bit_line in (m[2], m[3]):
                rows[int(m[1])] = m[2] == bit_line
    return sum(rows.values())


def main():
    folder, name = sys.argv[1:]
    pdk, kit, layout = layout_pdk.of(folder), layout_models.of_layout(folder), db.Layout()
    layout.read(f"{folder}/rom.gds")
    cell = layout.cell(name)
    array = next(i.cell.name for i in cell.each_inst() if re.fullmatch(r"a\d+x\d+", i.cell.name))
    rows, cols = (int(n) for n in re.findall(r"\d+", array))
    every = {n: db.Region(cell.begin_shapes_rec(layout.layer(*pdk["layers"][n]))).merged() for n in (*STACK, "diff")}
    gates = every["poly"] & every["diff"]
    every["poly"] = every["poly"] - gates
    l2n, layer = netlist(layout, cell, pdk)
    nets = {net.expanded_name(): net for net in l2n.netlist().circuit_by_name(name).each_net()}
    bits = max(3, (rows - 1).bit_length())
    lengths = kit.lengths(rows, cols)
    watched = {f"WL[{rows // 2}]": "word", "AP[0]": "low", f"AP[{bits - 1}]": "up", "EN": "en", "G[2]": "group",
               "L[2]": "column", "PRE_N": "pre"}
    bad = 0
    for net in (f"BL[{cols // 2}]", "BL[5]", *watched):
        own = {n: l2n.shapes_of_net(nets[net], layer[n], True).merged() for n in STACK}
        own["poly"] = own["poly"] - gates
        least, most = extracted(kit, own, every)
        assumed = kit.bit_line_ff(rows, nodes_of(f"{folder}/macros.spice", name, net)) \
            if net.startswith("BL") else lengths[watched[net]] * kit.wire_ff
        right = assumed >= (least + most) / 2
        print(f"{name} {net}: extracted {least:.1f} to {most:.1f} fF, assumed {assumed:.1f}{'' if right else '; DIFFERENT'}",
              flush=True)
        bad += not right
    return bad != 0


sys.exit(main())
