#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares macros.lef with the polygons: sizes, and every pin, which must lie on metal with its own label.

    tests/layout_lef.py LAYOUT
"""
import json
import os
import re
import sys

import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_pdk  # noqa: E402


def main():
    folder, bad, pins = sys.argv[1], 0, 0
    pdk, layout = layout_pdk.of(folder), db.Layout()
    layout.read(f"{folder}/rom.gds")
    with open(f"{folder}/macros.lef") as file:
        lef = dict(re.findall(r"(?ms)^MACRO (\S+)\n(.*?)^END \1\n", file.read()))
    with open(f"{folder}/layout.json") as file:
        macros = json.load(file)["macros"]
    for macro in macros:
        name, text = macro["name"], lef.pop(macro["name"], "")
        cell = layout.cell(name)
        size = re.search(r"SIZE (\S+) BY (\S+) ;", text)
        outline = db.Region(cell.begin_shapes_rec(layout.layer(*pdk["boundary"]))).bbox()
        if not size or (round(float(size[1]) * 1000), round(float(size[2]) * 1000)) != \
                (outline.width(), outline.height()) or outline + cell.bbox() != outline:
            print(f"{name}: size {size and size.groups()}, polygons {cell.bbox()} in {outline}")
            bad += 1
        metal, labels = {}, {}
        for layer, names in pdk["lef"].items():
            drawing, label = (pdk["layers"][n] for n in names)
            metal[layer] = db.Region(cell.begin_shapes_rec(layout.layer(*drawing))).merged()
            labels[layer] = {}
            for shape in cell.shapes(layout.layer(*label)).each():
                labels[layer].setdefault(shape.text.string, []).append(db.Point(shape.text.x, shape.text.y))
        rects = {layer: db.Region() for layer in pdk["lef"]}
        for pin, body in re.findall(r"(?ms)^  PIN (\S+)\n(.*?)^  END \1\n", text):
            for layer, *corners in re.findall(r"LAYER (\S+) ;\s+RECT (\S+) (\S+) (\S+) (\S+) ;", body):
                box = db.Box(*(round(float(c) * 1000) for c in corners))
                pins += 1
                rects[layer].insert(box)
                if not any(box.contains(at) for at in labels[layer].get(pin, ())):
                    print(f"{name}: pin {pin} of LEF has no label of its name in {layer} at {box}")
                    bad += 1
        for layer, region in rects.items():
            if not (region - metal[layer]).is_empty():
                print(f"{name}: pins of LEF that lie on no {layer}: {(region - metal[layer])}")
                bad += 1
        if len(re.findall(r"^  PIN ", text, re.M)) != max(3, (macro["rows"] - 1).bit_length()) + macro["cols"] + 3:
            print(f"{name}: {len(re.findall('PIN', text))} pins, expected address, columns, CLK, VPWR, VGND")
            bad += 1
    print(f"{len(macros)} macros, {pins} rectangles of pins compared, {bad + len(lef)} different")
    return bad + len(lef) != 0


sys.exit(main())
