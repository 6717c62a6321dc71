#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Area, timing and power of a design in sky130, unit by unit and whole: the tables of docs/asic.md.

    sim/asic/report.py DIR [--page FILE]

DIR: with chip/ (of `hardwire emit`), macros/ (of `hardwire layout`), tt.lib, tt.json and ss.lib (of
sim/asic/library), sky130/ and osu018/ (of sim/asic/synthesize.py), plan.json (of `hardwire plan --json`).
Writes DIR/asic.json; --page: replaces what stands between the page's two markers.
"""
import argparse
import json
import os
import re
import shutil
import sys

import picture
import timing

OSU018 = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib"
PERIOD = 10.0  # ns, of constraints/chip.sdc: what paths are reported against
ACTIVITY = 0.1  # edges a clock of every net, and of inputs
LIMIT = 20  # gates between registers, but for multipliers
MARKERS = ("<!-- asic: written by make asic -->", "<!-- end of asic -->")


class Library:
    """What a set of netlists is timed with."""

    def __init__(self, directory, name, libraries, cells):
        self.netlists, self.libraries, self.cells = f"{directory}/{name}", libraries, timing.areas_of(cells)
        self.out = f"{directory}/sta/{name}"
        os.makedirs(self.out, exist_ok=True)

    def size(self, name):
        """Area and cells of one netlist."""
        held = timing.contents(timing.parse(f"{self.netlists}/{name}.v"), name, self.cells)
        logic = {k: n for k, n in held.items() if k in self.cells}
        return {"um2": round(sum(n * self.cells[k] for k, n in logic.items()), 1), "cells": sum(logic.values()),
                "registers": sum(n for k, n in logic.items() if re.search(r"dfxtp|^DFF", k))}

    def unit(self, name):
        """Area, cells and the worst path of one netlist."""
        path = f"{self.netlists}/{name}.v"
        modules = timing.parse(path)
        said = timing.run(self.out, name, self.libraries, [path], name, PERIOD, modules[name].ports,
                          ["report_checks -path_delay max -digits 3"])
        return {**self.size(name), **(timing.worst(said, modules, name) or {})}


def whole(directory, design, library, corner, factor):
    """The chip with its macros: the worst path between registers, into and out of a ROM, power; hold of the macros."""
    top, names = "chip", [*design["units"], "engine", "chip", *design["roms"]]
    netlists = [f"{directory}/sky130/{n}.v" for n in names]
    modules = {}
    for path in netlists:
        modules.update(timing.parse(path))
    held = f"{directory}/sta/macros_{corner}.lib"
    timing.timed_library(f"{directory}/macros/macros_{corner}.lib", held)
    roms = " ".join(m["name"] for m in json.load(open(f"{directory}/macros/layout.json"))["macros"])
    extra = [f"set roms {{}}; foreach name {{{roms}}} {{ foreach cell [get_cells -hierarchical u_$name] {{ lappend roms $cell }} }}",
             "report_checks -path_delay max -digits 3 -from $roms", "puts {=== to a ROM}",
             "report_checks -path_delay max -digits 3 -to $roms", "puts {=== hold}",
             "report_checks -path_delay min -digits 3 -from $roms", "report_checks -path_delay min -digits 3 -to $roms",
             "set_false_path -from $roms", "set_false_path -to $roms", "puts {=== between registers}",
             "report_checks -path_delay max -digits 3", "puts {=== power}",
             f"set_power_activity -global -activity {ACTIVITY}", "report_power"]
    said = timing.run(library.out, f"whole_{corner}", [f"{directory}/{corner}.lib", held, f"{directory}/sram.lib"], netlists, top,
                      PERIOD, modules[top].ports, extra)
    parts = re.split(r"(?m)^=== .*$", said)
    found = dict(zip(("from_rom", "to_rom", "path"), (timing.worst(parts[i], modules, top) for i in (0, 1, 3))))
    found["enable"] = timing.worst(parts[3], modules, top, gating=True)
    found["hold"] = min(float(slack) for slack in re.findall(r"(-?[\d.]+)\s+slack", parts[2]))
    found["power"] = timing.power(parts[4], factor)
    return found


def rom_cycle(path):
    """(ns: CLK low for charging, high for the access; macro) of the slowest; pJ a read of each macro."""
    text, slowest, energy = open(path).read(), (0, 0, ""), {}
    for name, cell in re.findall(r"  cell\((\w+)\) \{(.*?)(?=\n  cell\(|\Z)", text, re.S):
        low, high = (float(re.search(rf"min_pulse_width_{k} : ([\d.]+)", cell)[1]) for k in ("low", "high"))
        slowest = max(slowest, (low, high, name))
        energy[name] = float(re.search(r"rise_power\(scalar\) \{ values\(\"([\d.]+)\"", cell)[1])
    return slowest, energy


def row(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def units_table(results):
    lines = [row("unit", "um2", "cells", "registers", "ns", "gates (of them buffers)", "slowest path, from register to register",
                 "osu018: um2"), "|---|--:|--:|--:|--:|--:|---|--:|"]
    for name, r in sorted(results.items(), key=lambda item: -item[1]["sky130"]["um2"]):
        s, o = r["sky130"], r.get("osu018", {})
        if not s["cells"]:  # a ROM of one macro
            continue
        path = f"`{s['from']}` to `{s['to']}`" if "ns" in s else ""
        lines.append(row(name, f"{s['um2']:,.0f}", f"{s['cells']:,}", f"{s['registers']:,}", f"{s['ns']:.2f}" if "ns" in s else "",
                         f"{s['gates']} ({s['buffers']})" if "ns" in s else "", path, f"{o['um2']:,.0f}" if o else ""))
    return lines


def through(path):
    return f"{path['ns']:.2f} ns, {path['gates']} gates, `{path['from']}` to `{path['to']}`"


def ppa(layout, design, results, corners, plan):
    """The chip in one table: its lines, and figures."""
    rom_mm2 = sum(m["size_nm"][0] * m["size_nm"][1] for m in layout["macros"]) * 1e-12
    rom_bits = sum(m["rows"] * m["cols"] for m in layout["macros"])
    sram_bits = sum(n * timing.bits_of(ram) for ram, n in design["rams"].items())
    sram_mm2 = sram_bits / timing.SRAM_MBIT_MM2 * 1e-6
    logic_mm2 = sum(r["sky130"]["um2"] for r in results.values()) * 1e-6
    cycles = plan["mean_first_256"]["cycles"]
    lines = [row("the default chip in sky130", "tt 1.8 V 25 C", "ss 1.6 V 100 C"), "|---|--:|--:|",
             row(f"ROM, {rom_bits:,} bits, macros as laid out", f"{rom_mm2:.3f} mm2", ""),
             row(f"SRAM, {sram_bits:,} bits at {timing.SRAM_MBIT_MM2:.3f} Mbit/mm2", f"{sram_mm2:.2f} mm2", ""),
             row("logic, cells alone", f"{logic_mm2:.3f} mm2", ""),
             row("all", f"{rom_mm2 + sram_mm2 + logic_mm2:.2f} mm2", "")]
    both = lambda label, of: lines.append(row(label, *(of(corners[c]) for c in ("tt", "ss"))))
    clock = {}
    both("slowest path between registers", lambda c: f"{c['path']['ns']:.2f} ns")
    both("first half of a clock: the slowest ROM macro charges", lambda c: f"{c['rom'][0]:.2f} ns")
    both("and the slowest address arrives, or enable", lambda c: f"{max(c['to_rom']['ns'], c['enable']['ns']):.2f} ns")
    both("second half: from a ROM's CLK to the register", lambda c: f"{c['from_rom']['ns']:.2f} ns")
    both("least slack of hold at ROM macros and their registers", lambda c: f"{c['hold']:.2f} ns")
    for c, of in corners.items():
        of["halves"] = max(of["rom"][0], of["to_rom"]["ns"], of["enable"]["ns"]), max(of["rom"][1], of["from_rom"]["ns"])
        clock[c] = 1e3 / max(of["path"]["ns"], sum(of["halves"]))
    both("clock, its first half as long as the ROMs need", lambda c: f"{1e3 / max(c['path']['ns'], sum(c['halves'])):.0f} MHz")
    lines.append(row(f"tokens/s, {cycles:,.0f} cycles a token (mean of positions 0-255)", *(f"{clock[c] * 1e6 / cycles:,.0f}" for c in ("tt", "ss"))))
    return lines, {"rom_mm2": rom_mm2, "sram_mm2": sram_mm2, "logic_mm2": logic_mm2, "clock_mhz": clock,
                   "tokens_per_s": {c: clock[c] * 1e6 / cycles for c in clock}, "cycles": cycles}


def power_rows(layout, corners, energy, figures):
    """Energy a token: cells and clock by OpenSTA, ROM by the macros' Liberty."""
    internal, switching, leakage = corners["tt"]["power"]
    cycles, clock = figures["cycles"], figures["clock_mhz"]["tt"] * 1e6
    roms = {}
    for m in layout["macros"]:
        roms.setdefault(m["rom"], {}).setdefault(m["first_word"], []).append(energy[m["name"]])
    read = sum(max(sum(e) for e in rows.values()) for rows in roms.values())  # pJ: a word of each ROM
    logic = (internal + switching) * PERIOD * 1e-9 * cycles + leakage * cycles / clock  # J
    rom = read * 1e-12 * cycles
    figures["energy_uj_token"] = {"logic": logic * 1e6, "rom": rom * 1e6}
    return [row(f"energy a token: logic, at {ACTIVITY} edges a clock of every net", f"{logic * 1e6:.2f} uJ", ""),
            row("energy a token: ROM, a word of each ROM every clock", f"{rom * 1e6:.2f} uJ", ""),
            row("power of both at that clock", f"{(logic + rom) / (cycles / clock) * 1e3:.0f} mW", "")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dir")
    parser.add_argument("--page")
    o = parser.parse_args()
    d = o.dir
    os.makedirs(f"{d}/sta", exist_ok=True)
    design, plan = json.load(open(f"{d}/sky130/design.json")), json.load(open(f"{d}/plan.json"))
    layout = json.load(open(f"{d}/macros/layout.json"))
    timing.sram_library(f"{d}/sram.lib", design["rams"])
    timing.timed_library(f"{d}/macros/macros_tt.lib", f"{d}/sta/macros_tt.lib")
    sky130 = Library(d, "sky130", [f"{d}/tt.lib", f"{d}/sta/macros_tt.lib", f"{d}/sram.lib"], f"{d}/tt.lib")
    osu018 = Library(d, "osu018", [], OSU018)
    factor = timing.internal_factor(sky130.out, f"{d}/tt.lib", f"{d}/tt.json")
    results = {}
    for name in [*design["units"], "engine", "chip", *design["roms"]]:
        # engine and chip are between units: no path of their own
        results[name] = {"sky130": sky130.size(name) if name in ("engine", "chip") else sky130.unit(name),
                         "osu018": osu018.size(name) if os.path.exists(f"{osu018.netlists}/{name}.v") else {}}
        print(name, results[name]["sky130"], flush=True)
    corners, energy = {}, None
    for corner in ("tt", "ss"):
        corners[corner] = whole(d, design, sky130, corner, factor)
        slowest, reads = rom_cycle(f"{d}/macros/macros_{corner}.lib")
        corners[corner]["rom"] = slowest
        energy = energy or reads
    lines, figures = ppa(layout, design, results, corners, plan)
    lines += power_rows(layout, corners, energy, figures)
    deep = {n: r["sky130"] for n, r in sorted(results.items()) if r["sky130"].get("gates", 0) > LIMIT}
    named = lambda multiplier: ", ".join(f"{n} {s['gates']}" for n, s in deep.items() if s["multiplier"] == multiplier) or "none"
    page = ["", *lines, ""]
    page += [f"* {label}: {through(corners['tt'][key])}" for label, key in
             (("slowest between registers", "path"), ("slowest from a ROM", "from_rom"), ("slowest to a ROM", "to_rom"))]
    page += [f"* slowest ROM macro: `{corners['tt']['rom'][2]}`", "", *units_table(results), "",
             f"Units whose slowest path has more than {LIMIT} gates: {named(False)}; through a multiplier: {named(True)}.", ""]
    rams = [(ram, n, timing.ram_size(ram)) for ram, n in sorted(design["rams"].items())]
    picture.write(f"{d}/chip.svg", layout, {n: r["sky130"]["um2"] for n, r in results.items() if r["sky130"]["um2"]},
                  [(f"{words} words of {lanes * bits} bits", timing.bits_of(ram) / timing.SRAM_MBIT_MM2)
                   for ram, n, (words, lanes, bits, _) in rams for _ in range(n)])
    with open(f"{d}/asic.json", "w") as file:
        json.dump({"units": results, "corners": corners, **figures}, file, indent=1)
    print("\n".join(page))
    if o.page:
        shutil.copy(f"{d}/chip.svg", os.path.join(os.path.dirname(o.page), "mask-chip.svg"))
        with open(o.page) as file:
            text = file.read()
        before, rest = text.split(MARKERS[0])
        after = rest.split(MARKERS[1])[1]
        with open(o.page, "w") as file:
            file.write(before + MARKERS[0] + "\n" + "\n".join(page) + "\n" + MARKERS[1] + after)


if __name__ == "__main__":
    sys.exit(main())
