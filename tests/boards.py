#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `hardwire plan --board` predicts beside the cells that synthesis or placement gave (sim/board/measured.json). Prints
a table; fails where a figure is off by more than 15%.

    tests/boards.py BOARD MODEL"""
import json
import subprocess
import sys

MOST = 0.15
KINDS = (("board_logic", ("logic",)), ("board_ram_blocks", ("dp16kd", "bsram")), ("board_multipliers", ("mult18",)))


def main(board, model):
    measured = json.load(open("sim/board/measured.json"))[board]
    assert len(measured["chips"]) >= 4
    worst = 0.0
    for chip in measured["chips"]:
        sizes = [w for name in ("rows", "cols", "vec", "att-pos") for w in ("--" + name, str(chip[name]))]
        said = json.loads(subprocess.run(["build/hardwire", "plan", model, "--board", board, "--ctx", str(chip["ctx"]),
                                          "--json", *sizes], check=True, capture_output=True).stdout)
        line = f"{chip['rows']:3} x {chip['cols']:<3} vec {chip['vec']:<2} att-pos {chip['att-pos']:<3}"
        for key, cells in KINDS:
            cell, = (c for c in cells if c in chip)
            predicted, got = said[key][0], chip[cell]
            off = predicted / got - 1
            worst = max(worst, abs(off))
            line += f" {cell} {predicted:6} / {got:<6} {100 * off:+5.1f}%"
        print(line)
    return worst > MOST


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
