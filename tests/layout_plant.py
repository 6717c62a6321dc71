#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages a macro of a layout.

    tests/layout_plant.py LAYOUT MACRO WHAT

contact: one tie of the code moves to the other line. strap: a pad loses its via. rows: two rows of the code
change places. shift: one tie moves by 20 nm. tap: the rows of taps are lost. drain: the
n-transistors of odd columns lose what ties them to the output. decoder: an input of the lowest group moves to the
complement's line. power: the first strap of power loses its cuts.
metal: a word line's wire grows by 5 nm.
"""
import json
import os
import sys

import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_pdk  # noqa: E402


def main():
    folder, name, what = sys.argv[1:]
    with open(f"{folder}/layout.json") as file:
        macro = next(m for m in json.load(file)["macros"] if m["name"] == name)
    pdk, layout = layout_pdk.of(folder), db.Layout()
    layout.read(f"{folder}/rom.gds")
    code = layout.cell(f"{name}_code")
    layers = {name: layout.layer(*number) for name, number in pdk["layers"].items()}
    mcon, via, met2, line = layers["mcon"], layers["via"], layers["met2"], pdk["line_nm"]
    array = layout.cell(f"a{macro['rows']}x{macro['cols']}")
    code.flatten(True)
    if what == "contact":
        shape = next(iter(code.shapes(mcon).each()))
        at = next(i for i in layout.cell(name).each_inst() if i.cell.name == code.name).trans.disp.x
        bit_lines = {s.text.x - at for s in layout.cell(name).shapes(layers["met1_text"]).each()
                     if s.text.string.startswith("BL[")}
        shape.transform(db.Trans(line if shape.bbox().center().x in bit_lines else -line, 0))
    elif what == "strap":
        array.flatten(True)
        cuts = sorted(array.shapes(via).each(), key=lambda s: (s.bbox().bottom, s.bbox().left))
        cuts = [c for c in cuts if c.bbox().left > 0]  # right of the decoder
        row = next(c.bbox().bottom for c in cuts if c.bbox().bottom > 0)  # every strap of the lowest word line
        for cut in cuts:
            if cut.bbox().bottom == row:
                cut.delete()
    elif what == "rows":
        heights = sorted({s.bbox().bottom for s in code.shapes(mcon).each()})
        a, b = heights[1], heights[2]
        for shape in list(code.shapes(mcon).each()):
            if shape.bbox().bottom in (a, b):
                shape.transform(db.Trans(0, a + b - 2 * shape.bbox().bottom))
    elif what == "shift":
        next(iter(code.shapes(mcon).each())).transform(db.Trans(20, 0))
    elif what == "tap":
        layout.cell("hw_tap").shapes(layers["licon"]).clear()
    elif what == "drain":
        cell = layout.cell("hw_sense_odd")
        ties = sorted(cell.shapes(mcon).each(), key=lambda s: (s.bbox().left, s.bbox().bottom))
        ties[-6].delete()  # of the track of output and power, from below: n, p, four of power
    elif what == "decoder":
        array.flatten(True)
        top = layout.cell(name)
        at = next(s.text.y for s in top.shapes(layers["met2_text"]).each() if s.text.string == "WL[0]")
        at -= next(i for i in top.each_inst() if i.cell.name == array.name).trans.disp.y
        cuts = [s for s in array.shapes(via).each() if s.bbox().center().y == at]  # of the lowest word line's height
        min(cuts, key=lambda s: s.bbox().left).transform(db.Trans(pdk["address_nm"], 0))
    elif what == "power":
        array.flatten(True)
        strap = min((s.bbox() for s in array.shapes(layers[pdk["levels"][-1][2]]).each()), key=lambda b: b.left)
        for cut in list(array.shapes(layers[pdk["levels"][-1][1]]).each()):
            if cut.bbox().inside(strap):
                cut.delete()
    elif what == "metal":
        array.flatten(True)
        shape = next(iter(array.shapes(met2).each()))
        shape.box = shape.bbox().enlarged(0, 5)
    options = db.SaveLayoutOptions()
    options.write_context_info = False
    layout.write(f"{folder}/rom.gds", options)


main()
