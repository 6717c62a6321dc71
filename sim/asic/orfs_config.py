#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A configuration of OpenROAD-flow-scripts, platform sky130hd, of the chip and floorplan that LibreLane's has.

    sim/asic/orfs_config.py LIBRELANE/config.json constraints/chip.sdc -o DIR    writes DIR
    sim/asic/orfs_config.py --check DIR/config.mk variables.yaml                 by the flow's own list of variables

LIBRELANE/config.json: of sim/asic/librelane_config.py, beside it roms.v and models.v. DIR/config.mk, macros.tcl (each
macro's place), pdn.tcl (power: straps of metal 5 close enough for every macro), chip.sdc (with LibreLane's period). variables.yaml: of the flow's scripts, as pip's dv-flow-liborfs has it.
The check: make reads config.mk; every variable is one of the flow, what it requires is there, so are all files; macros.tcl
places every macro of the LEF once, inside of the core and apart, and metal 5 crosses each. It runs no step: no place and route has been run.
"""
import argparse
import json
import os
import re
import subprocess
import sys

import librelane_config

MARGIN = 10.0  # um from the die to the core
KNOWN = {"DESIGN_CONFIG"}  # what this file takes from the flow
# Rails, straps of metal 4 beside macros, straps of metal 5 over them: these meet the macros' own straps of metal 4.
PDN = """add_global_connection -net VDD -pin_pattern {{^(VDD|VPWR|VPB)$}} -power
add_global_connection -net VSS -pin_pattern {{^(VSS|VGND|VNB)$}} -ground
global_connect
set_voltage_domain -name CORE -power VDD -ground VSS
define_pdn_grid -name grid -voltage_domains CORE -pins met5
add_pdn_stripe -grid grid -layer met1 -width 0.48 -followpins
add_pdn_stripe -grid grid -layer met4 -width 1.6 -pitch 55.2 -offset 13.8
add_pdn_stripe -grid grid -layer met5 -width {width} -spacing {space} -pitch {pitch} -offset {offset}
add_pdn_connect -grid grid -layers {{met1 met4}}
add_pdn_connect -grid grid -layers {{met4 met5}}
define_pdn_grid -macro -default -name macros -voltage_domains CORE -halo {{2 2 2 2}} -grid_over_boundary
add_pdn_connect -grid macros -layers {{met4 met5}}
"""


def write(source, constraints, out):
    with open(source) as file:
        config = json.load(file)
    os.makedirs(out, exist_ok=True)
    here = os.path.dirname(source)
    path = lambda name: "$(dir $(DESIGN_CONFIG))" + os.path.relpath(os.path.join(here, name[len("dir::"):]), out)
    macros = config["MACROS"].values()
    views = {kind: sorted({path(f) for m in macros for f in m[kind]}) for kind in ("gds", "lef")}
    libs = sorted({path(f) for m in macros for f in m["lib"]["*_tt_*"]})
    x0, y0, x1, y1 = config["DIE_AREA"]
    values = {
        "PLATFORM": ["sky130hd"], "DESIGN_NAME": [config["DESIGN_NAME"]],
        "VERILOG_FILES": [path(f) for f in config["VERILOG_FILES"] + config["EXTRA_VERILOG_MODELS"]],
        "VERILOG_INCLUDE_DIRS": [path(f) for f in config["VERILOG_INCLUDE_DIRS"]],
        "SDC_FILE": ["$(dir $(DESIGN_CONFIG))chip.sdc"], "MACRO_PLACEMENT_TCL": ["$(dir $(DESIGN_CONFIG))macros.tcl"],
        "PDN_TCL": ["$(dir $(DESIGN_CONFIG))pdn.tcl"],
        "ADDITIONAL_LEFS": views["lef"], "ADDITIONAL_GDS": views["gds"], "ADDITIONAL_LIBS": libs,
        "DIE_AREA": [x0, y0, x1, y1], "CORE_AREA": [x0 + MARGIN, y0 + MARGIN, x1 - MARGIN, y1 - MARGIN],
        "PLACE_DENSITY": [config["PL_TARGET_DENSITY_PCT"] / 100],
    }
    with open(f"{out}/config.mk", "w") as file:
        file.write("# OpenROAD-flow-scripts: make DESIGN_CONFIG=.../config.mk in its folder flow. Untried.\n")
        for name, words in values.items():
            file.write(f"export {name} = " + " \\\n    ".join(str(w) for w in words) + "\n")
    with open(f"{out}/macros.tcl", "w") as file:
        for macro in macros:
            for name, at in macro["instances"].items():
                x, y = at["location"]
                file.write(f"place_macro -macro_name {{{name}}} -location {{{x} {y}}} -orientation R0\n")
    with open(f"{out}/pdn.tcl", "w") as file:
        width, space, pitch = (config[f"PDN_H{k}"] for k in ("WIDTH", "SPACING", "PITCH"))
        file.write(PDN.format(width=width, space=space, pitch=pitch, offset=pitch / 2))
    with open(constraints) as file:
        text, n = re.subn(r"(?m)^set period .*$", f"set period {config['CLOCK_PERIOD']}", file.read())
    if n != 1:
        raise SystemExit(f"{constraints}: expected one line 'set period', got {n}")
    with open(f"{out}/chip.sdc", "w") as file:
        file.write(text)
    print(f"{out}/config.mk: {len(values)} variables, {len(macros)} macros")


def exported(path):
    """{variable: words} that config.mk gives the flow."""
    script = "old := $(.VARIABLES)\ninclude $(DESIGN_CONFIG)\nall:\n\t@$(foreach v,$(filter-out old $(old),$(.VARIABLES)),echo '$v $($v)';)\n"
    said = subprocess.run(["make", "-s", "-f", "-", f"DESIGN_CONFIG={path}"], input=script, capture_output=True, text=True)
    if said.returncode:
        raise SystemExit(f"{path}: make: {said.stderr.strip()}")
    words = (line.split() for line in said.stdout.splitlines())
    return {name: of for name, *of in words if name not in KNOWN}


def check(path, variables):
    import yaml
    with open(variables) as file:
        known = yaml.safe_load(file)
    values = exported(os.path.abspath(path))
    wrong = [f"unknown variable {v}" for v in values if v not in known]
    wrong += [f"{v} is required" for v, of in known.items() if of.get("required") and not values.get(v)]
    files = [f for v, of in values.items() if v.endswith(("_FILES", "_FILE", "_DIRS", "_TCL", "_LEFS", "_GDS", "_LIBS")) for f in of]
    wrong += [f"{f}: no such file" for f in files if not os.path.exists(f)]
    sizes = {k: s for f in values.get("ADDITIONAL_LEFS", []) if os.path.exists(f) for k, s in librelane_config.sizes_of(f).items()}
    placed = {}
    with open(values["MACRO_PLACEMENT_TCL"][0]) as file:
        for line in file:
            m = re.fullmatch(r"place_macro -macro_name \{(\S+)\.u_(\S+)\} -location \{([\d.]+) ([\d.]+)\} -orientation R0\n", line)
            if not m or m[2] in placed:
                wrong.append(f"macros.tcl: {line.strip()}")
            else:
                placed[m[2]] = {"instances": {m[1]: {"location": [float(m[3]), float(m[4])]}}}
    wrong += [f"{name} is not placed once" for name in sizes.keys() ^ placed.keys()]
    with open(values["PDN_TCL"][0]) as file:
        met5 = re.search(r"-layer met5 -width ([\d.]+) .*-pitch ([\d.]+)", file.read())
    wrong += librelane_config.uncrossed(float(met5[2]), float(met5[1]), sizes)
    core = {"DIE_AREA": [float(v) for v in values.get("CORE_AREA", [])], "MACROS": {k: v for k, v in placed.items() if k in sizes}}
    wrong += librelane_config.overlaps(core, sizes) if len(core["DIE_AREA"]) == 4 else ["CORE_AREA: expected four numbers"]
    for line in wrong:
        print(f"WRONG {line}")
    print(f"{path}: {len(values)} variables of {len(known)} that the flow has, {len(files)} files; {len(placed)} macros")
    return bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", help="config.json, or config.mk to check")
    parser.add_argument("other", help="constraints, or variables.yaml")
    parser.add_argument("-o", dest="out")
    parser.add_argument("--check", action="store_true")
    o = parser.parse_args()
    if o.check:
        return check(o.source, o.other)
    if not o.out:
        parser.error("expected -o")
    return write(o.source, o.other, o.out)


if __name__ == "__main__":
    sys.exit(main())
