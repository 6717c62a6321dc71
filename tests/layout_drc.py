#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Design rules of a layout, by KLayout (the program) with the foundry's deck.

    tests/layout_drc.py LAYOUT [--cell NAME | --each]

The deck is that of pip's cf-precheck for the layout's process (tests/layout_pdk.py). Every macro is checked
alone, two at a time; that their outlines hold all polygons and stand further apart than a rule reaches is
checked first. The cells of code are flattened before, which changes no polygon and makes KLayout five times as
fast. --cell: this macro alone. --each: the first macro of each ROM alone; the others of a ROM differ from
it in the code only.
Exit status: 0 no violation, 1 violations (counted by rule), 2 the deck did not run.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import time

import cf_precheck
import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_pdk  # noqa: E402

REACH_NM = 5000  # no rule but that for taps, which every macro keeps alone, reaches further
JOBS = 2


def crowded(layout, pdk):
    """What is wrong with the places of the macros."""
    top, boundary = layout.cell("personality"), layout.layer(*pdk["boundary"])
    outlines = db.Region(top.begin_shapes_rec(boundary))
    wrong = []
    if outlines.sized(REACH_NM // 2).merged().count() != outlines.count():
        wrong.append(f"macros stand less than {REACH_NM} nm apart")
    for index in layout.layer_indexes():
        shapes = top.begin_shapes_rec(index)
        shapes.shape_flags = db.Shapes.SBoxes | db.Shapes.SPaths | db.Shapes.SPolygons  # a pin's name has no area
        if not (db.Region(shapes) - outlines).is_empty():
            wrong.append(f"layer {layout.get_info(index)} leaves the outlines")
    return wrong


def check(args, layout, pdk, name):
    """(rules, {rule: violations}, seconds) of a macro; an error of the deck is a string."""
    options = db.SaveLayoutOptions()
    options.add_cell(layout.cell(name).cell_index())
    options.write_context_info = False
    path = os.path.abspath(f"{args.layout}.{name}")  # KLayout takes a relative report from the folder of the input
    flat, report = f"{path}.gds", f"{path}.drc"
    layout.write(flat, options)
    deck = os.path.join(os.path.dirname(cf_precheck.__file__), "drc_scripts", pdk["deck"])
    switches = {"input": flat, pdk["top"]: name, "report": report, "thr": "1"}
    switches.update((group, "true") for group in pdk["groups"])
    command = ["klayout", "-b", "-r", deck] + [a for k, v in switches.items() for a in ("-rd", f"{k}={v}")]
    if os.path.exists(report):
        os.remove(report)
    begin = time.time()
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    os.remove(flat)
    if run.returncode or not os.path.exists(report):
        return run.stdout[-2000:] + run.stderr[-2000:]
    with open(report) as file:
        text = file.read()
    rules = len(re.findall(r"<category>\s*<name>", text))
    found = collections.Counter(re.findall(r"<item>.*?<category>'?(.*?)'?</category>", text, re.S))
    return rules, found, time.time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("layout")
    parser.add_argument("--cell")
    parser.add_argument("--each", action="store_true")
    args = parser.parse_args()
    pdk, layout = layout_pdk.of(args.layout), db.Layout()
    layout.read(f"{args.layout}/rom.gds")
    wrong = crowded(layout, pdk)
    for cell in layout.each_cell():
        if cell.name.endswith("_code"):
            cell.flatten(True)
    names = [args.cell] if args.cell else \
        sorted({i.cell.name for i in layout.cell("personality").each_inst()})
    if args.each:
        names = [n for n in names if n.endswith("_r00_c00")]
    total, rules = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, result in zip(names, pool.map(lambda name: check(args, layout, pdk, name), names)):
            if isinstance(result, str):
                print(f"{name}: the deck did not run: {result}")
                return 2
            rules.append(result[0])
            total += result[1]
            if result[1] or len(names) == 1:
                print(f"{name}: {result[0]} rules, {result[1].total()} violations, {result[2]:.0f} s")
    print(f"{len(names)} macros, {min(rules)} rules of {pdk['deck']}, {total.total()} violations")
    for line in wrong + [f"DRC {rule}: {n}" for rule, n in total.most_common(10)]:
        print(line)
    return 2 if min(rules) < pdk["rules"] else bool(wrong) or total.total() > 0


sys.exit(main())
