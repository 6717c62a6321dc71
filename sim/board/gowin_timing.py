#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Longest paths of a placed and routed Gowin design, by the delays that nextpnr writes as SDF.

    sim/board/gowin_timing.py PLACED.sdf MHZ

nextpnr's tables (0.11.1) know LUTs of four inputs alone, no port B that reads, no data into a LUT RAM, no multiplier: what goes
through these is not in the clock that it states. Here LUTs of fewer inputs have the delays of four, port B those of port A, data
those of an address; a path through multipliers is followed, and what it leaves of a clock is what they may take. Prints
JSON: fmax_mhz by the paths with no multiplier, paths_ns by their number of multipliers, multiplier_ns: what each may take at MHZ.
"""
import json
import re
import sys
from collections import defaultdict

MULTIPLIER = "MULT18X18"
DELAY = r"\([-\d.e+]+:[-\d.e+]+:([-\d.e+]+)\)"
PATH = re.compile(rf"\((IOPATH|INTERCONNECT) (\S+) (\S+) {DELAY} {DELAY}\)")
CHECK = re.compile(rf"\(SETUPHOLD \(\w+ (\S+)\) \(\w+ (\S+)\) {DELAY} {DELAY}\)")


def read(path):
    """Arcs {from: [(to, ns)]}, setup {pin: ns}, clock pins, {kind: cells}; pins as `cell/port`."""
    arcs, setup, clocks, kinds = defaultdict(list), {}, set(), defaultdict(list)
    cell = kind = ""
    for line in open(path):
        line = line.replace("\\", "")
        if "(CELLTYPE " in line:
            kind = line.split('"')[1]
        elif "(INSTANCE " in line:
            cell = line.split()[1].rstrip(")")
            kinds[kind].append(cell)
        elif found := PATH.search(line):
            what, source, target, rise, fall = found.groups()
            if what == "IOPATH":
                source, target = f"{cell}/{source}", f"{cell}/{target}"
            arcs[source].append((target, max(float(rise), float(fall)) / 1000))
        elif found := CHECK.search(line):
            pin = f"{cell}/{found[1]}"
            setup[pin] = max(setup.get(pin, 0.0), float(found[3]) / 1000)
            clocks.add(f"{cell}/{found[2]}")
    return arcs, setup, clocks, kinds


def delay(kinds, arcs, kind, source, target):
    """ns of this arc in any cell of a kind; 0 where there is none."""
    for cell in kinds[kind]:
        for pin, ns in arcs.get(f"{cell}/{source}", ()):
            if pin == f"{cell}/{target}":
                return ns
    return 0.0


def complete(arcs, setup, clocks, kinds):
    """Arcs that nextpnr's tables do not have. Returns the nodes inside of multipliers, which every path through one passes."""
    pins = {target for to in list(arcs.values()) for target, _ in to}
    drivers = list(arcs)
    kind_of = {cell: kind for kind, cells in kinds.items() for cell in cells}
    lut = {f"I{i}": delay(kinds, arcs, "LUT4", f"I{i}", "F") for i in range(4)}
    port_a = delay(kinds, arcs, "DP", "CLKA", "DOA0")
    ready = max((ns for pin, ns in setup.items() if "/WAD[" in pin), default=0.0)
    inside = set()
    for pin in pins:
        cell, port = pin.rsplit("/", 1)
        kind = kind_of.get(cell, "")
        if kind in ("LUT1", "LUT2", "LUT3"):
            arcs[pin].append((f"{cell}/F", lut[port]))
        elif kind == "RAM16SDP4" and port.startswith("DI"):
            setup[pin] = ready
        elif kind == MULTIPLIER and re.match(r"[AB]\d", port):
            arcs[pin].append((f"{cell}/*", 0.0))
            inside.add(f"{cell}/*")
    for pin in drivers:
        cell, port = pin.rsplit("/", 1)
        kind = kind_of.get(cell, "")
        if kind == "DP" and port.startswith("DOB"):
            arcs[f"{cell}/CLKB"].append((pin, port_a))
            clocks.add(f"{cell}/CLKB")
        elif kind == MULTIPLIER and port.startswith("DOUT"):
            arcs[f"{cell}/*"].append((pin, 0.0))
    return inside


def longest(arcs, setup, clocks, inside):
    """{number of multipliers: ns of the longest path from a clock to a register}; refuses loops."""
    waits = defaultdict(int)
    for source, to in arcs.items():
        for target, _ in to:
            if target not in clocks:
                waits[target] += 1
    at = defaultdict(dict)
    for clock in clocks:
        at[clock][0] = 0.0
    ready = [pin for pin in set(arcs) if not waits[pin]]
    best, seen = {}, 0
    while ready:
        pin = ready.pop()
        seen += 1
        for count, ns in at[pin].items() if pin in setup else ():
            best[count] = max(best.get(count, 0.0), ns + setup[pin])
        for target, ns in arcs.get(pin, ()):
            if target in clocks:
                continue
            for count, before in at[pin].items():
                count += target in inside
                at[target][count] = max(at[target].get(count, 0.0), before + ns)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    stuck = sum(n > 0 for n in waits.values())
    if stuck:
        sys.exit(f"sim/board/gowin_timing.py: combinational loops, expected none, got {stuck} pins in or behind one")
    return best


def main():
    arcs, setup, clocks, kinds = read(sys.argv[1])
    period = 1000 / float(sys.argv[2])
    best = longest(arcs, setup, clocks, complete(arcs, setup, clocks, kinds))
    if 0 not in best:
        sys.exit(f"sim/board/gowin_timing.py: {sys.argv[1]}: paths between registers, expected some, got none")
    left = [(period - ns) / count for count, ns in best.items() if count]
    print(json.dumps({"fmax_mhz": round(1000 / best[0], 2), "paths_ns": {n: round(ns, 2) for n, ns in sorted(best.items())},
                      "multiplier_ns": round(min(left), 2) if left else None}))


if __name__ == "__main__":
    main()
