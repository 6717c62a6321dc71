#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A read of the slowest column, by ngspice with the foundry's transistor models.

    tests/layout_access.py LAYOUT PDK

LAYOUT: with macros.spice. PDK: the folder of its process's models, see tests/layout_characterize.py. The column is the one
with the most nodes on its bit line, every transistor of it as in macros.spice, the charging transistor and the
inverter too. PRE_N charges the bit line from 0 V within 14 ns and rises; then the word line rises within
50 ps at a strap; the column's gate is the 64th from there. The row furthest from the inverter with a 1 is
read, and in a second run one with a 0. Wires: those of tests/layout_models.py; 10 fF at the output, an assumption. Then, in the typical corner, a row of every class, a 1 and a 0 in whatever column
has one: the row at the inverter, the first and the last between two rows of taps, one amid them.
Exit status: 0, in every corner the 1 arrives and the 0 stays; the typical 1 within 10 ns; so in every class.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

import layout_models

FAR = 64  # columns of poly from a strap
TARGET_NS = 10


def columns(path):
    """{macro, column: {row: (drain, source)}}, {macro, column: {"c", "p", "n": (kind, drain, gate, source, W)}}"""
    net = {"VPWR": "power", "VGND": "0", "PRE_N": "charge"}
    found, ends, macro = collections.defaultdict(dict), collections.defaultdict(dict), None
    with open(path) as file:
        for line in file:
            if line.startswith(".subckt"):
                macro = line.split()[1]
            m = re.match(r"X(\d+)_(\d+) (\S+) \S+ (\S+) ", line)
            if m:
                found[macro, int(m[2])][int(m[1])] = m[3], m[4]
            m = re.match(r"X([cpn])(\d+) (\S+) (\S+) (\S+) \S+ \S*?([np]fet)_0\dv\d w=(\S+) ", line)
            if m:
                at = [net.get(n, "b0" if n.startswith("BL") else "d") for n in m.group(3, 4, 5)]
                ends[macro, int(m[2])][m[1]] = m[6], *at, float(m[7])
    return found, ends


def deck(kit, corner, volt, celsius, column, ends, read):
    ohm = kit.metal_ohm * kit.row / kit.line_w
    bit = kit.device("bit", kit.bit, True)
    text = [*kit.first(f"column, {corner}", celsius), kit.model("nfet", corner, kit.bit, "bit"), f"Vp power 0 {volt}",
            f"Vw w0 0 pulse(0 {volt} 16n 50p 50p 100n 200n)",
            f"Vc charge 0 pulse(0 {volt} 14n 50p 50p 100n 200n)", "Cout d 0 10f", f"Cend b0 0 {kit.end * kit.line_ff}f"]
    for name, (kind, drain, gate, source, width) in ends.items():
        text += [kit.model(kind, corner, width, name),
                 f"M{name} {drain} {gate} {source} {source} {kit.device(name, width, False)}"]
    for i in range(FAR // 4):
        text.append(f"Rw{i} w{i} w{i + 1} {kit.poly_ohm * kit.col / kit.length * 4:.1f}")
        text.append(f"Mw{i} 0 w{i + 1} 0 0 {bit} m=4")
    for row, (drain, source) in column.items():
        text.append(f"Rb{row} b{row} b{row + 1} {ohm:.3f}")
        text.append(f"Cb{row} b{row} 0 {kit.row * kit.line_ff + kit.node_ff * drain.startswith('BL'):.4g}f")
        gate = f"w{FAR // 4}" if row == read else "0"
        drain, source = (f"b{row}" if net.startswith("BL") else "0" for net in (drain, source))
        text.append(f"Mt{row} {drain} {gate} {source} 0 {bit}")
    text += [".tran 20p 22n uic",
             f".meas tran t50 trig v(w0) val={volt / 2} rise=1 targ v(b0) val={volt / 2} fall=1 td=15n",
             f".meas tran out trig v(w0) val={volt / 2} rise=1 targ v(d) val={volt / 2} rise=1 td=15n",
             ".meas tran charged find v(b0) at=13.9n", ".meas tran before find v(d) at=15.9n",
             ".meas tran line find v(b0) at=21.9n", ".meas tran last find v(d) at=21.9n", ".end"]
    return "\n".join(text) + "\n"


def ngspice(text):
    """What it says, in one thread: more of them take three times as long together where cores are busy."""
    with tempfile.NamedTemporaryFile("w", suffix=".spice") as file:
        file.write(text)
        file.flush()
        return subprocess.run(["ngspice", "-b", file.name], capture_output=True, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout


def run(text):
    said = ngspice(text)
    return {m[1]: float(m[2]) for m in re.finditer(r"^(\w+)\s+=\s+([-+.\de]+)", said, re.M)}


def read_classes(kit, macro, found, ends):
    """Reads a 1 and a 0 in a row of every class."""
    corner, volt, celsius = kit.corners[0]
    rows = max(len(column) for (name, _), column in found.items() if name == macro)
    good = True
    for what, row in (("at the inverter", 0), ("last of a block", min(rows, kit.tap_rows) - 1),
                      ("first of a block", (rows - 1) // kit.tap_rows * kit.tap_rows), ("amid a block", rows // 2 // kit.tap_rows * kit.tap_rows + 9)):
        for bit in (1, 0):
            column = next((c for (name, c), of in found.items() if name == macro and (of[row][0] != of[row][1]) == bit), None)
            if column is None:
                print(f"row {row}, {what}: no column has a {bit}")
                continue
            seen = run(deck(kit, corner, volt, celsius, found[macro, column], ends[macro, column], row))["last"]
            right = seen > 0.9 * volt if bit else seen < 0.1 * volt
            print(f"row {row}, {what}, column {column}: a {bit} reads as {seen:.3f} V{'' if right else ': WRONG'}")
            good &= right
    return good


def main():
    layout, pdk = sys.argv[1:]
    kit = layout_models.of_layout(layout, pdk)
    found, last = columns(f"{layout}/macros.spice")
    load = {key: sum(d.startswith("BL") for d, _ in c.values()) for key, c in found.items()}
    rows = max(len(c) for c in found.values())
    key = max((k for k in found if len(found[k]) == rows), key=lambda k: (load[k], k))
    column = found[key]
    one = max(r for r, (d, s) in column.items() if d != s)
    zero = max(r for r, (d, s) in column.items() if d == s)
    print(f"{key[0]}, bit line {key[1]}: {rows} rows, {load[key]} nodes on it; row {one} is read, then {zero}")
    good = True
    for corner, volt, celsius in kit.corners:
        up, down = (run(deck(kit, corner, volt, celsius, column, last[key], row)) for row in (one, zero))
        if "out" not in up or "last" not in down:
            print(f"{corner}: the output does not rise: {up}, {down}")
            good = False
            continue
        print(f"{corner} {volt} V {celsius} C: charged to {up['charged']:.2f} V in 14 ns; from the word line to 50% of the "
              f"bit line {up['t50'] * 1e9:.2f} ns, of the output {up['out'] * 1e9:.2f} ns; of a 0 the bit line stays at "
              f"{down['line']:.2f} V for 6 ns, the output at {down['last']:.3f} V")
        good &= up["before"] < 0.1 * volt and up["last"] > 0.9 * volt and up["charged"] > 0.95 * volt
        good &= down["last"] < 0.1 * volt and (corner != "tt" or up["out"] * 1e9 <= TARGET_NS)
    return not (good & read_classes(kit, key[0], found, last))


if __name__ == "__main__":
    sys.exit(main())
