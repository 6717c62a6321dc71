# SPDX-License-Identifier: Apache-2.0
"""Netlists of sim/asic/synthesize.py: cells, areas, and OpenSTA's paths and power.

Nets are lumps without wires; a clock is ideal. A unit's inputs come from registers and its outputs go to such.
"""
import collections
import hashlib
import json
import os
import re
import subprocess

from synthesize import ram_size, read

FROM_REGISTER, TO_REGISTER = 0.35, 0.10  # ns: CLK to Q and setup of a flip-flop beside the unit
SRAM_ACCESS, SRAM_SETUP = 2.982, 0.815  # ns: a ROM macro of 256 rows x 128 columns, tt (gen/layout/sky130_timing.h)
SRAM_MBIT_MM2 = 16384 / (483.86 * 326.1)  # bits a um2: sky130_sram_2kbyte_1rw_32x512_8 of VLSIDA/sky130_sram_macros, its LEF
BUFFER = re.compile(r"__(buf|clkbuf|inv)_\d+$|^(BUF|INV|CLKBUF)X?\d")


def digest(text, paths):
    total = hashlib.sha256(text.encode())
    for path in paths:
        with open(path, "rb") as file:
            total.update(file.read())
    return total.hexdigest()


class Module:
    """cells: {library cell: count}; inside: {instance: module}; q: {instance of a flip-flop: its output's net}."""

    def __init__(self):
        self.cells, self.inside, self.q = collections.Counter(), {}, {}
        self.ports = []


def parse(path):
    """{name: Module} of a netlist."""
    found, module, instance = {}, None, None
    with open(path) as file:
        for line in file:
            m = re.match(r"module (\w+)\(", line)
            if m:
                module = found[m[1]] = Module()
                module.name = m[1]
            elif line.startswith("  input "):
                module.ports.append(line.split()[-1].rstrip(";"))
            elif m := re.match(r"  (\w+) (\\\S+|\w+) *\($", line):
                kind, instance = m[1], m[2].lstrip("\\")
                module.inside[instance] = kind
                module.cells[kind] += 1
            elif instance and (m := re.match(r"    \.Q\((.*)\)", line)):
                module.q[instance] = m[1].strip().lstrip("\\").replace(" ", "")
    return found


def areas_of(library):
    """{cell: um2} of a Liberty file."""
    return {m[1]: float(m[2]) for m in re.finditer(r"cell ?\(\"?(\w+)\"?\) ?\{.*?area : ([\d.]+)", read(library), re.S)}


def contents(modules, name, areas):
    """Cells of a module, all levels: Counter of library cells; other cells (RAMs, units) are in it too."""
    total = collections.Counter()
    for kind, n in modules[name].cells.items():
        if kind in modules:
            for inner, k in contents(modules, kind, areas).items():
                total[inner] += n * k
        else:
            total[kind] += n
    return total


def bits_of(ram):
    depth, lanes, bits, _ = ram_size(ram)
    return depth * lanes * bits


def sram_library(path, rams):
    """Liberty of the RAMs, by the density of an open macro and the access of a ROM macro: assumptions."""
    text = ["library(sram) {\n  delay_model : table_lookup;\n  time_unit : \"1ns\";\n  voltage_unit : \"1V\";\n"
            "  current_unit : \"1mA\";\n  pulling_resistance_unit : \"1kohm\";\n  leakage_power_unit : \"1nW\";\n"
            "  capacitive_load_unit(1, pf);\n  nom_process : 1;\n  nom_voltage : 1.8;\n  nom_temperature : 25;\n"
            "  bus_naming_style : \"%s[%d]\";"]
    for edge in ("rise", "fall"):
        text += [f"  input_threshold_pct_{edge} : 50;", f"  output_threshold_pct_{edge} : 50;",
                 f"  slew_lower_threshold_pct_{edge} : 20;", f"  slew_upper_threshold_pct_{edge} : 80;"]
    for ram in rams:
        depth, lanes, bits, one_port = ram_size(ram)
        pins = [("we", lanes, "input"), ("re", 1, "input"), ("wdata", lanes * bits, "input"), ("rdata", lanes * bits, "output"),
                *((a, (depth - 1).bit_length(), "input") for a in (["addr"] if one_port else ["waddr", "raddr"]))]
        for name, width, _ in pins:
            text.append(f"  type({ram}_{name}) {{ base_type : array; data_type : bit; bit_width : {width}; "
                        f"bit_from : {width - 1}; bit_to : 0; downto : true; }}")
        text.append(f"  cell({ram}) {{\n    area : {bits_of(ram) / SRAM_MBIT_MM2:.0f};\n"
                    "    pin(clk) { direction : input; clock : true; capacitance : 0.005; }")
        for name, width, way in pins:
            head = f"    pin({name}) {{" if width == 1 else f"    bus({name}) {{ bus_type : {ram}_{name};"
            scalar = lambda k, v: f"{k}(scalar) {{ values(\"{v}\"); }}"
            if way == "input":
                timing = "\n".join(f"      timing() {{ related_pin : \"clk\"; timing_type : {kind}_rising; "
                                   f"{scalar('rise_constraint', v)} {scalar('fall_constraint', v)} }}"
                                   for kind, v in (("setup", SRAM_SETUP), ("hold", 0.0)))
            else:
                timing = "      timing() { related_pin : \"clk\"; timing_type : rising_edge; timing_sense : non_unate; " + " ".join(
                    f"{scalar(f'cell_{e}', SRAM_ACCESS)} {scalar(f'{e}_transition', 0.1)}" for e in ("rise", "fall")) + " }"
            text.append(f"{head} direction : {way}; capacitance : {0.005 if way == 'input' else 0};\n{timing}\n    }}")
        text.append("  }")
    with open(path, "w") as file:
        file.write("\n".join(text) + "\n}\n")


def timed_library(source, path):
    """The macros' Liberty without energies: report.py counts reads itself, as not every macro reads in every clock."""
    text = re.sub(r" +internal_power\(\) \{.*?\n      \}\n", "", read(source), flags=re.S)
    with open(path, "w") as file:
        file.write(text)


def run(out, name, libraries, netlists, top, period, ports, extra):
    """OpenSTA's words on a netlist; `extra`: commands after the constraints. A message of it ends the run. It is not
    asked again while script, libraries and netlists stay the same."""
    script = [*(f"read_liberty {lib}" for lib in libraries), *(f"read_verilog {n}" for n in netlists), f"link_design {top}",
              f"create_clock -name clk -period {period} [get_ports clk]"]
    inputs = " ".join(p for p in ports if p != "clk")
    if inputs:
        script.append(f"set_input_delay {FROM_REGISTER} -clock clk [get_ports {{{inputs}}}]")
    script.append(f"set_output_delay {TO_REGISTER} -clock clk [all_outputs]")
    path, text = f"{out}/{name}.tcl", "\n".join([*script, *extra, ""])
    key = digest(text, [*libraries, *netlists])
    if os.path.exists(f"{out}/{name}.key") and read(f"{out}/{name}.key") == key:
        return read(f"{out}/{name}.sta")
    with open(path, "w") as file:
        file.write(text)
    done = subprocess.run(["sta", "-no_splash", "-exit", path], capture_output=True, text=True)
    said = done.stdout + done.stderr
    with open(f"{out}/{name}.sta", "w") as file:
        file.write(said)
    wrong = [line for line in said.splitlines() if re.match(r"(Error|Warning)", line) or "Internal error" in line]
    if wrong:
        raise SystemExit(f"{path}: {len(wrong)} messages of OpenSTA: {wrong[0]}")
    with open(f"{out}/{name}.key", "w") as file:
        file.write(key)
    return said


def worst(said, modules, top, gating=False):
    """The slowest path of report_checks: needed ns, gates, buffers and inverters of them, start and end by name, and
    whether a multiplier is on it. gating: of those to clock gates, of which a report has one too; None: it has none."""
    paths = re.findall(r"Startpoint: (\S+).*?Endpoint: (\S+)(.*?)slack", said, re.S)
    m = next(((None, *p) for p in paths if ("clock gating" in p[2]) == gating), None)
    if m is None:
        return None
    body = m[3]
    start = float(re.search(r"([\d.]+)\s+clock \S+ \((?:rise|fall) edge\)", body)[1])
    cells = re.findall(r"[v^] (\S+)/\w+(?:\[\d+\])? \((\S+)\)", body)
    arrival = float(re.search(r"([\d.]+)\s+data arrival time", body)[1])
    setup = re.search(r"(-?[\d.]+)\s+-?[\d.]+\s+library setup time", body)
    needed = arrival - start + (-float(setup[1]) if setup else 0 if gating else TO_REGISTER)
    steps = list(dict.fromkeys(cells))
    gates = [kind for _, kind in steps if not re.search(r"dfxtp|^DFF|^ram_|_r\d\d_c\d\d", kind)]
    return {"ns": round(needed, 3), "gates": len(gates), "buffers": sum(bool(BUFFER.search(g)) for g in gates),
            "from": known(modules, top, m[1]), "to": known(modules, top, m[2]),
            "multiplier": any("__mul" in kind_of(modules, top, p) for p, _ in steps)}


def kind_of(modules, top, instance):
    """The module that a cell stands in."""
    kind = top
    for part in instance.split("/")[:-1]:
        kind = modules[kind].inside.get(part, "") if kind in modules else ""
    return kind


def known(modules, top, instance):
    """A register by the net it drives; anything else by its instance."""
    module, path = modules[top], []
    for part in instance.split("/")[:-1]:
        path.append(part)
        module = modules.get(module.inside.get(part))
        if module is None:
            return instance
    last = instance.split("/")[-1]
    return "/".join([*path, module.q.get(last, last)])


def power(said, factor):
    """W of report_power: internal (OpenSTA's, divided by factor), switching, leakage."""
    total = re.search(r"(?m)^Total\s+(\S+)\s+(\S+)\s+(\S+)", said)
    return float(total[1]) / factor, float(total[2]), float(total[3])


def internal_factor(out, library, figures):
    """What OpenSTA makes of a flip-flop's own energy, over what it is: the release of 2019 takes a rise and a fall an edge."""
    energy = sum(json.loads(read(figures))["cells"]["dfxtp_1"]["clock_energy"]) * 1e-15  # J a cycle
    path = f"{out}/one.v"
    with open(path, "w") as file:
        file.write("module one(clk, d, q);\n  input clk;\n  input d;\n  output q;\n  sky130_fd_sc_hd__dfxtp_1 u (.CLK(clk), .D(d), "
                   ".Q(q));\nendmodule\n")
    said = run(out, "one", [library], [path], "one", 10.0, ["clk", "d"], ["set_power_activity -global -activity 0", "report_power"])
    return power(said, 1)[0] / (energy / 10e-9)
