#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the block RAMs back out of a Gowin bitstream and compares them with what was placed and with a design's ROMs.

    gowin_roms.py MODEL.fs PLACED.json DEVICE DESIGN,UART

Needs apycula's tables of the device. Every block RAM of PLACED.json must hold the words that its cell begins with, the others
none. Every column of every ROM of more than 256 words (the others are logic) must be in a block RAM. Exit status 1 where one is not.
"""
import importlib.resources
import json
import re
import sys

from apycula import bslib, chipdb

from patch_check import columns, roms

LOGIC_WORDS = 256
# A word of a block RAM, 18 bits: two bytes and their ninth bits. The place of a bit is known by its own number and the
# address of its byte's last bit, in units of bits without ninths.
WORDS, WORD = 1024, 18
HEIGHT, BITS = 256, 180
BY_ADDRESS = {0x00: 0x00, 0x10: 0x80, 0x20: 0x40, 0x30: 0xc0}


def of_bitstream(path, db):
    """{(row, column) of a block RAM, from 0: 2,048 rows of 9 bits}."""
    grid = bslib.read_bitstream(path)[0]
    below = grid[db.height:]
    table = db.rev_logicinfo("BSRAM_INIT")
    places = sorted(db.simplio_rows)
    assert len(below) in (0, HEIGHT * len(places)), f"{len(below)} rows of block RAM"
    found = {}
    for row in range(db.rows):
        for col in range(db.cols):
            if "BSRAM" not in db[row, col].bels:
                continue
            left = sum(db[0, c].width for c in range(col))
            bottom = HEIGHT * (places.index(row) + 1) - 1
            rows = [0] * (2 * WORDS)
            for word in range(WORDS if len(below) else 0):
                for bit in range(WORD):
                    at = 16 * word + min(bit - bit // 9, 7 + 8 * (bit // 9))
                    y = bottom - BY_ADDRESS[at & 0x30] - (at >> 6 & 0x3f)
                    x = left + table[bit * 4 + (at >> 12)][0] - 1
                    rows[2 * word + bit // 9] |= below[y][x] << bit % 9
            found[row, col] = rows
    return found


def of_cells(path):
    """{(row, column): (width, rows)} of the block RAMs that were placed."""
    cells = json.load(open(path))["modules"]["top"]["cells"].values()
    found = {}
    for cell in cells:
        place = re.fullmatch(r"X(\d+)Y(\d+)/BSRAM\w*", cell["attributes"].get("NEXTPNR_BEL", ""))
        if not place:
            continue
        parameters = cell["parameters"]
        x9 = "X9" in parameters.get("BSRAM_SUBTYPE", cell["attributes"].get("BSRAM_SUBTYPE", ""))
        text = "".join(parameters.get(f"INIT_RAM_{i:02X}", "0" * (288 if x9 else 256))[::-1] for i in range(64))
        size = 9 if x9 else 8
        assert len(text) == 2 * WORDS * size, cell["type"]
        found[int(place[2]), int(place[1])] = [int(text[i:i + size][::-1], 2) for i in range(0, len(text), size)]
    return found


def main():
    with importlib.resources.as_file(importlib.resources.files("apycula") / f"{sys.argv[3]}.msgpack.xz") as path:
        db = chipdb.load_chipdb(path)
    held = of_bitstream(sys.argv[1], db)
    placed = of_cells(sys.argv[2])
    assert placed and placed.keys() <= held.keys(), f"{len(placed)} block RAMs placed, {len(held)} in the bitstream"
    wrong = sum(rows != placed.get(place, [0] * (2 * WORDS)) for place, rows in held.items())
    there = {(width, column) for rows in held.values() for width in (36, 18, 9, 4, 2, 1) for column in columns(rows, width)}
    bits, lost = 0, []
    for name, (width, words) in roms(sys.argv[4].split(",")).items():
        if len(words) <= LOGIC_WORDS:
            continue
        for bit in range(width):
            column = "".join("1" if w >> bit & 1 else "0" for w in words)
            for mode in (36, 18, 9, 4, 2, 1):
                size = 2 * WORDS * 8 // mode if mode < 9 else 2 * WORDS * 9 // mode
                parts = [column[at:at + size].ljust(size, "0") for at in range(0, len(column), size)]
                if all((mode, part) in there or "1" not in part for part in parts):
                    bits += len(column.rstrip("0"))
                    break
            else:
                lost.append(f"{name} bit {bit}")
    print(f"{len(placed)} of {len(held)} block RAMs placed, {wrong} of {len(held)} differ from the bitstream; {bits} ROM bits in it, "
          f"{len(lost)} columns are not{': ' if lost else ''}{', '.join(lost[:5])}")
    sys.exit(1 if wrong or lost or not bits else 0)


if __name__ == "__main__":
    main()
