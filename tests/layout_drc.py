#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Design rules of a layout, by KLayout (the program) with the foundry's deck.

    tests/layout_drc.py LAYOUT [--cell NAME]

The deck is sky130A_mr.drc of pip's cf-precheck: its groups feol, beol, offgrid and seal. The cells of code
are flattened before, which changes no polygon and makes KLayout five times as fast.
Exit status: 0 no violation, 1 violations (counted by rule), 2 the deck did not run.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

import cf_precheck
import klayout.db as db


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("layout")
    parser.add_argument("--cell", default="personality")
    args = parser.parse_args()
    layout = db.Layout()
    layout.read(f"{args.layout}/rom.gds")
    for cell in layout.each_cell():
        if cell.name.endswith("_code"):
            cell.flatten(True)
    options = db.SaveLayoutOptions()
    options.add_cell(layout.cell(args.cell).cell_index())
    options.write_context_info = False
    flat, report = f"{args.layout}.flat.gds", f"{args.layout}.drc"
    layout.write(flat, options)
    deck = os.path.join(os.path.dirname(cf_precheck.__file__), "drc_scripts", "sky130A_mr.drc")
    switches = {"input": flat, "top_cell": args.cell, "report": report, "thr": "1"}
    switches.update((group, "true") for group in ("feol", "beol", "offgrid", "seal"))
    command = ["klayout", "-b", "-r", deck] + [a for k, v in switches.items() for a in ("-rd", f"{k}={v}")]
    if os.path.exists(report):
        os.remove(report)
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    os.remove(flat)
    if run.returncode or not os.path.exists(report):
        print(run.stdout[-2000:] + run.stderr[-2000:])
        return 2
    with open(report) as file:
        text = file.read()
    found = collections.Counter(re.findall(r"<item>.*?<category>'?(.*?)'?</category>", text, re.S))
    rules = len(re.findall(r"<category>\s*<name>", text))
    print(f"{args.cell}: {rules} rules, {sum(found.values())} violations")
    for rule, n in found.most_common(10):
        print(f"DRC {rule}: {n}")
    return 2 if rules < 250 else found.total() > 0


sys.exit(main())
