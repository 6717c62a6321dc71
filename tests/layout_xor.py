#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The XOR of two layouts, every layer of every macro, by KLayout; and `hardwire layout --diff`'s counts.

    tests/layout_xor.py A B DIFF

DIFF: what `hardwire layout --diff A B` has printed. Exit status 0: the code's layer alone differs, and as DIFF says.
"""
import os
import re
import sys

import klayout.db as db

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout_pdk  # noqa: E402


def main():
    layouts = []
    for path in sys.argv[1:3]:
        layouts.append(db.Layout())
        layouts[-1].read(f"{path}/rom.gds")
    said = {}
    with open(sys.argv[3]) as file:
        for line in file:
            m = re.match(r"layer (\d+)/(\d+): (\d+) shapes only in A, (\d+) only in B", line)
            if m:
                said[int(m[1]), int(m[2])] = int(m[3]), int(m[4])
    layers = {(i.layer, i.datatype) for layout in layouts for i in layout.layer_infos()}
    different = {}
    for number in sorted(layers):
        regions = [db.Region(layout.cell("personality").begin_shapes_rec(layout.layer(*number)))
                   for layout in layouts]
        only = [(one - other).count() for one, other in (regions, reversed(regions))]
        if any(only):
            different[number] = tuple(only)
    print(f"{len(layers)} layers, XOR not empty on {different}; --diff: {said}")
    return not (set(different) == {layout_pdk.of(sys.argv[1])["layers"]["mcon"]} and different == said)


sys.exit(main())
