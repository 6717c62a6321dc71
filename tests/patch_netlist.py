#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A netlist with other memories: patch_netlist.py NETLIST.json BASE.config PATCHED.config OUT.json.

Each DP16KD of the netlist is one block RAM of BASE.config, known by its contents; it gets those of PATCHED.config.
INITVAL_00 to 3F hold 16 words of 18 bits each, 20 bits apart (Lattice TN1264).
"""
import json
import sys

from patch_check import blocks


def rows_of(parameters):
    rows = [0] * 2048
    for i in range(64):
        value = int(parameters[f"INITVAL_{i:02X}"].replace("x", "0"), 2)
        for j in range(16):
            word = value >> (20 * j)
            rows[i * 32 + j * 2], rows[i * 32 + j * 2 + 1] = word & 0x1ff, word >> 9 & 0x1ff
    return rows


def write_rows(parameters, rows):
    for i in range(64):
        value = 0
        for j in range(16):
            value |= (rows[i * 32 + j * 2] | rows[i * 32 + j * 2 + 1] << 9) << (20 * j)
        parameters[f"INITVAL_{i:02X}"] = f"{value:0320b}"


design = json.load(open(sys.argv[1]))
base, patched = blocks(sys.argv[2])[0], blocks(sys.argv[3])[0]
where = {}
for number, rows in base.items():
    where.setdefault(tuple(rows), []).append(number)
changed = 0
for module in design["modules"].values():
    for cell in module["cells"].values():
        if cell["type"] != "DP16KD":
            continue
        rows = rows_of(cell["parameters"])
        if not any(rows):
            continue
        number, = where[tuple(rows)]
        write_rows(cell["parameters"], patched[number])
        changed += 1
json.dump(design, open(sys.argv[4], "w"))
print(f"{changed} memories changed")
