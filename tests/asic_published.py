#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measured cells beside the figures that the foundry published for them, typical corner.

    tests/asic_published.py FIGURES.json

Published: github.com/google/skywater-pdk-libs-sky130_fd_sc_hd, cells/NAME/*__tt_025C_1v80.lib.json. Delays and
edges at the same input edges, between two measured loads along a line; capacitances; setup and hold where
both edges are fast (published at 10 ps, measured at 23 ps). Prints a line a cell. Exit status 1: a figure is further away than TOLERANCE
(of delays and edges, and of capacitances), or than CONSTRAINT_NS, or there was nothing to compare.
"""
import json
import sys

TOLERANCE, CONSTRAINT_NS = 0.20, 0.03
SLEWS = (0.0230506, 0.122474, 0.650743)
# cell: input; its loads (fF); rise, fall, rise edge, fall edge: ns, a row of loads for each of SLEWS; inputs' fF
PUBLISHED = {
    "inv_1": ("A", (3.56533, 25.4232), {
        "rise_delay": ((0.0439316, 0.1679452), (0.0847049, 0.2113354), (0.1928426, 0.4327621)),
        "fall_delay": ((0.0299354, 0.1030737), (0.0579953, 0.1417882), (0.1038849, 0.293973)),
        "rise_slew": ((0.0393699, 0.2159054), (0.054273, 0.216158), (0.144214, 0.2988102)),
        "fall_slew": ((0.0214004, 0.1185653), (0.0408323, 0.120776), (0.1123155, 0.2319551))}, {"A": 2.302}),
    "nand2_1": ("A", (3.46659, 24.0345), {
        "rise_delay": ((0.0487512, 0.1772878), (0.0913957, 0.2206074), (0.2179952, 0.455061)),
        "fall_delay": ((0.0403352, 0.1447142), (0.0698132, 0.1794323), (0.1173683, 0.3328764)),
        "fall_slew": ((0.0345439, 0.1723529), (0.0503344, 0.1744425), (None, None))}, {"A": 2.315, "B": 2.324}),
    "mux2_1": ("A0", (3.51048, 24.6469), {
        "rise_delay": ((0.1125939, 0.2446311), (0.1467602, 0.278792), (0.2332579, 0.370517)),
        "fall_delay": ((0.2765444, 0.3862506), (0.3116636, 0.4212213), (0.5401209, 0.6506041)),
        "rise_slew": ((0.0503840, 0.2244743), (0.0507083, 0.2245012), (0.0652065, 0.2271266)),
        "fall_slew": ((0.0603266, 0.1521236), (0.0603245, 0.1521471), (0.0639824, 0.1534166))}, {}),
    "dfxtp_1": ("CLK", (3.43455, 23.5923), {
        "rise_delay": ((0.2959557, 0.4264703), (0.3330731, 0.4634656), (0.4523242, 0.5826956)),
        "fall_delay": ((0.2860738, 0.3594963), (0.3228766, 0.3962939), (0.4369489, 0.5104241)),
        "fall_slew": ((0.0304365, 0.1141926), (0.0304105, 0.1142203), (0.0304362, 0.1136621))},
        {"CLK": 1.794, "D": 1.678}),
}
FLIP_FLOP = {"setup": {"rise": 0.0508281, "fall": 0.1033184}, "hold": {"rise": -0.0285176, "fall": -0.0468281}}  # dfxtp_1


def at_load(row, loads, load):
    """Along the line between the two measured loads around `load`."""
    i = max(k for k in range(len(loads) - 1) if loads[k] <= load)
    return row[i] + (row[i + 1] - row[i]) * (load - loads[i]) / (loads[i + 1] - loads[i])


def compare(name, cell, slews):
    """[(what, measured / published)]"""
    pin, loads, tables, capacitances = PUBLISHED[name]
    arc = next(a for a in cell["arcs"] if a["pin"] == pin)
    found, n = [], len(cell["loads"])
    for what, rows in tables.items():
        for slew, row in zip(SLEWS, rows):
            i = min(range(len(slews)), key=lambda k: abs(slews[k] - slew))
            assert abs(slews[i] - slew) < 1e-5
            measured = arc[what][n * i:n * (i + 1)]
            found += [(f"{what} at {slew} ns {load} fF", at_load(measured, cell["loads"], load) / want)
                      for load, want in zip(loads, row) if want is not None]
    return found + [(f"capacitance of {p}", cell["capacitance"][p] / want) for p, want in capacitances.items()]


def main():
    with open(sys.argv[1]) as file:
        figures = json.load(file)
    compared = bad = 0
    for name in PUBLISHED:
        cell = figures["cells"].get(name)
        if not cell:
            continue
        ratios = compare(name, cell, figures["slews"])
        off = [f"DIFFERENT {name} {what}: {ratio:.3f} of the published" for what, ratio in ratios
               if abs(ratio - 1) > TOLERANCE]
        if "setup" in cell:
            for kind, edges in FLIP_FLOP.items():
                for edge, want in edges.items():
                    compared += 1
                    if abs(cell[kind][edge][0] - want) > CONSTRAINT_NS:
                        off.append(f"DIFFERENT {name} {kind} of {edge}: {cell[kind][edge][0]:.4f} ns, published {want:.4f}")
        compared, bad = compared + len(ratios), bad + len(off)
        mean = sum(r for _, r in ratios) / len(ratios)
        print(f"{name}: {len(ratios)} figures, {min(r for _, r in ratios):.2f} to {max(r for _, r in ratios):.2f} of the "
              f"published, mean {mean:.2f}")
        print("\n".join(off[:6]), end="\n" if off else "")
    print(f"{compared} figures compared with the foundry's, {bad} further than {TOLERANCE:.0%}")
    return bad > 0 or not compared


if __name__ == "__main__":
    sys.exit(main())
