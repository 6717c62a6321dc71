#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ends of paths that a clock does not leave time for, by the units where they begin and end: what is to be cut next.

    sim/board/paths.py PLACED.sdf MHZ [GROUPS]

PLACED.sdf is nextpnr's (--sdf) of a placed or routed ECP5. Says how many ends of paths there are and how many are too late;
then, a line a group (40), the worst of it in ns, how many, the register or memory where it begins and where it ends, digits as #.
"""
import re
import sys
from collections import defaultdict

from gowin_timing import read

CONSTANT = "$PACKER"  # nextpnr's ground and supply drive carries, but never change
LEAF = re.compile(r"_(LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_FF|DP16KD|PDPW16KD|MULT18X18D|DPR16X4)_.*|\$.*")


def arrivals(arcs, clocks):
    """{pin: ns after the clock}, {pin: the one before it on its longest path}."""
    waits = defaultdict(int)
    for to in arcs.values():
        for target, _ in to:
            waits[target] += target not in clocks
    at, before = dict.fromkeys(clocks, 0.0), {}
    ready = [pin for pin in arcs if not waits[pin]]
    while ready:
        pin = ready.pop()
        if pin.startswith(CONSTANT):
            at[pin] = float("-inf")
        since = at.setdefault(pin, 0.0)
        for target, ns in arcs.get(pin, ()):
            if target in clocks:
                continue
            if target not in at or since + ns > at[target]:
                at[target], before[target] = since + ns, pin
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    return at, before


def begin(before, pin):
    """The output of the register or memory where the longest path to a pin begins."""
    behind = pin
    while pin in before:
        behind, pin = pin, before[pin]
    return behind


def unit(pin):
    """`u_drain.g_row[#].mant` of a pin of one of its cells."""
    return re.sub(r"\d+", "#", LEAF.sub("", pin.rsplit("/", 1)[0]))


def late(sdf, period):
    """Number of ends, and {(unit, unit): ns of each end beyond the period, the worst first}."""
    arcs, setup, clocks, _ = read(sdf)
    at, before = arrivals(arcs, clocks)
    groups = defaultdict(list)
    for pin, needs in setup.items():
        ns = at.get(pin, 0.0) + needs
        if ns > period:
            groups[unit(begin(before, pin)), unit(pin)].append(ns)
    return len(setup), {key: sorted(ns, reverse=True) for key, ns in groups.items()}


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    period = 1000 / float(sys.argv[2])
    ends, groups = late(sys.argv[1], period)
    print(f"{ends} ends of paths, {sum(map(len, groups.values()))} beyond {period:.2f} ns")
    for (start, end), ns in sorted(groups.items(), key=lambda g: -g[1][0])[:int(sys.argv[3]) if len(sys.argv) > 3 else 40]:
        print(f"{ns[0]:6.2f} {len(ns):5d}  {start}  ->  {end}")


if __name__ == "__main__":
    main()
