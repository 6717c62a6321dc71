#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A LibreLane configuration of a design with its ROM macros placed.

    sim/asic/librelane_config.py DESIGN LAYOUT ASIC.json -o DIR        writes DIR
    sim/asic/librelane_config.py --check DIR/config.json     by LibreLane's own variables; run by its Python

DESIGN: `hardwire emit`, LAYOUT: `hardwire layout`, of one model and geometry. ASIC.json, of sim/asic/report.py
for the same geometry: area of the logic, and the clock. RAMs are flip-flops, BIT each. DIR/config.json, roms.v (banks made of macros), models.v (the macros as ports alone). The die is
a square for macros and logic at DENSITY; macros stand in shelves from its lower edge up, CHANNEL between them. Straps of
metal 5 run so close that one of power and one of ground cross those of metal 4 in every macro.
The check: types and names of all variables of LibreLane's Classic flow, files that are there, macros inside of
the die, apart, and crossed by metal 5. It runs no step: no place and route has been run.
"""
import argparse
import json
import math
import os
import re
import sys

DENSITY, CHANNEL, EDGE = 0.40, 30.0, 40.0  # of the area beside macros; um between macros; um to the die's edge
MET5_W, MET5_SPACE, MET5_PITCH = 1.6, 1.7, 153.18  # um: straps of metal 5; the pitch at most
BIT = 43.0  # um2 of a RAM's bit as a flip-flop: that of act_buffer, which is a RAM of 3,200 bits and little else


def place(sizes, width):
    """Shelves, tallest first: {name: (x, y)}, and the height, um."""
    at, x, y, shelf = {}, EDGE, EDGE, 0.0
    for name, (w, h) in sorted(sizes.items(), key=lambda item: (-item[1][1], item[0])):
        if x + w + EDGE > width and x > EDGE:
            x, y, shelf = EDGE, y + shelf + CHANNEL, 0.0
        at[name] = round(x, 3), round(y, 3)
        x, shelf = x + w + CHANNEL, max(shelf, h)
    return at, y + shelf + EDGE


def write(design, layout, measured, out):
    import synthesize
    measured = json.loads(synthesize.read(measured))
    memories = json.loads(synthesize.read(f"{design}/manifest.json"))["memories"]
    bits = sum(m["depth"] * m["width"] * m["instances"] for m in memories if m["kind"] == "RAM")
    logic, period = measured["logic_mm2"] * 1e6 + BIT * bits, math.ceil(1e4 / measured["clock_mhz"]["ss"]) / 10
    macros = json.loads(synthesize.read(f"{layout}/layout.json"))["macros"]
    os.makedirs(out, exist_ok=True)
    sizes = {m["name"]: (m["size_nm"][0] * 1e-3, m["size_nm"][1] * 1e-3) for m in macros}
    held = sum((w + CHANNEL) * (h + CHANNEL) for w, h in sizes.values())
    side = math.ceil(math.sqrt(held + logic / DENSITY) / 10) * 10.0 + 2 * EDGE
    at, height = place(sizes, side)
    if height > side:
        raise SystemExit(f"{layout}: macros {height:.0f} um high, die {side:.0f} um")
    banks, models, instances = [], [], {}
    files = [line.strip() for line in open(f"{design}/filelist.f") if line.strip().endswith(".v")]
    for file in files:
        if not file.startswith("personality/"):
            continue
        text = synthesize.read(f"{design}/{file}")
        bank = re.search(r"(?m)^module (\w+)", text)[1]
        ports = {m[2]: int(m[1]) + 1 for m in re.finditer(r"\[(\d+):0\] (addr|data)", text)}
        of = [m for m in macros if m["rom"] == re.sub(r"_b\d\d$", "", bank)]
        for line in synthesize.rom_wrapper(bank, ports, of).splitlines():
            (models if line.startswith("(* blackbox *)") else banks).append(line)
        for m in of:
            instances[m["name"]] = f"u_chip.u_engine.{instance_of(design, bank)}.u_{m['name']}"
    for name, lines in (("roms.v", banks), ("models.v", models)):
        with open(f"{out}/{name}", "w") as file:
            file.write("\n".join(lines) + "\n")
    relative = lambda path: "dir::" + os.path.relpath(path, out)
    config = {
        "meta": {"version": 2, "flow": "Classic"},
        "DESIGN_NAME": "chip_top", "CLOCK_PORT": "clk", "CLOCK_PERIOD": period,
        "VERILOG_FILES": [relative(f"{design}/{f}") for f in files if not f.startswith("personality/")] + ["dir::roms.v"],
        "VERILOG_INCLUDE_DIRS": [relative(f"{design}/fabric")], "EXTRA_VERILOG_MODELS": ["dir::models.v"],
        "FP_SIZING": "absolute", "DIE_AREA": [0, 0, side, side], "PL_TARGET_DENSITY_PCT": round(100 * DENSITY + 5),
        "PDN_HWIDTH": MET5_W, "PDN_HSPACING": MET5_SPACE, "PDN_HPITCH": met5_pitch(sizes),
        "PDN_MACRO_CONNECTIONS": [f"{i} VPWR VGND VPWR VGND" for i in instances.values()],
        "MACROS": {m["name"]: {
            "gds": [relative(f"{layout}/rom.gds")], "lef": [relative(f"{layout}/macros.lef")],
            "lib": {f"*_{corner}_*": [relative(f"{layout}/macros_{corner}.lib")] for corner in ("tt", "ss", "ff")},
            "instances": {instances[m["name"]]: {"location": list(at[m["name"]]), "orientation": "N"}}} for m in macros},
    }
    with open(f"{out}/config.json", "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    print(f"{out}/config.json: {len(macros)} macros, die {side:.0f} x {side:.0f} um")


def instance_of(design, bank):
    """u_NAME_rom.u_b00: the bank's path below the engine."""
    rom = re.sub(r"_b\d\d$", "", bank)
    with open(f"{design}/fabric/engine.v") as file:
        name = re.search(rf"{rom}_rom\s+(\w+)\s*\(", file.read())
    if not name:
        raise SystemExit(f"{design}/fabric/engine.v: no instance of {rom}_rom")
    return f"{name[1]}.u_{bank[-3:]}"


def met5_pitch(sizes):
    """um between straps of one net: each macro, wherever it stands, has a whole one over it."""
    return min(MET5_PITCH, math.floor(min(h for _, h in sizes.values()) - MET5_W))


def uncrossed(pitch, width, sizes):
    """Macros that no strap of metal 5 need cross."""
    return [f"{name}: {h:.2f} um high, straps of metal 5 are {pitch} um apart" for name, (_, h) in sizes.items() if h < pitch + width]


def overlaps(config, sizes):
    """Pairs of macros that are closer than they may be, and macros that leave the die."""
    boxes, wrong = {}, []
    for name, macro in config["MACROS"].items():
        for where in macro["instances"].values():
            (x, y), (w, h) = where["location"], sizes[name]
            boxes[name] = x, y, x + w, y + h
    x0, y0, x1, y1 = config["DIE_AREA"]
    for name, (a, b, c, d) in boxes.items():
        if a < x0 or b < y0 or c > x1 or d > y1:
            wrong.append(f"{name} leaves the die")
        wrong += [f"{name} on {other}" for other, (e, f, g, h) in boxes.items() if name < other and a < g and e < c and b < h and f < d]
    return wrong


def sizes_of(lef):
    with open(lef) as file:
        return {m[1]: (float(m[2]), float(m[3])) for m in
                re.finditer(r"MACRO (\S+).*?SIZE (\S+) BY (\S+) ;", file.read(), re.S)}


def check(path):
    from librelane.common import GenericDict
    from librelane.config import Config
    from librelane.flows import Flow
    with open(path) as file:
        config = json.load(file)
    here = os.path.dirname(os.path.abspath(path))
    resolve = lambda v: os.path.join(here, v[5:]) if isinstance(v, str) and v.startswith("dir::") else \
        [resolve(x) for x in v] if isinstance(v, list) else {k: resolve(x) for k, x in v.items()} if isinstance(v, dict) else v
    config = resolve(config)
    flow = Flow.factory.get(config.pop("meta")["flow"])
    sizes = sizes_of(next(iter(config["MACROS"].values()))["lef"][0])
    wrong = overlaps(config, sizes) + uncrossed(config["PDN_HPITCH"], config["PDN_HWIDTH"], sizes)
    variables = flow.get_all_config_variables(flow)
    _, warnings, errors = Config._Config__process_variable_list(GenericDict(config), variables, {}, on_unknown_key="error",
                                                                missing_ok=True)
    for line in [*wrong, *warnings, *errors]:
        print(f"WRONG {line}")
    print(f"{path}: {len(config)} variables of {len(variables)} that LibreLane's Classic flow has; {len(config['MACROS'])} macros")
    return bool(wrong or warnings or errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("design", nargs="?")
    parser.add_argument("layout", nargs="?")
    parser.add_argument("measured", nargs="?")
    parser.add_argument("-o", dest="out")
    parser.add_argument("--check")
    o = parser.parse_args()
    if o.check:
        return check(o.check)
    if not (o.measured and o.out):
        parser.error("expected DESIGN, LAYOUT, ASIC.json and -o")
    return write(o.design, o.layout, o.measured, o.out)


if __name__ == "__main__":
    sys.exit(main())
