#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Netlists of every unit of a design in standard cells, by Yosys.

    sim/asic/synthesize.py DESIGN LAYOUT LIBRARY -o DIR [--only UNIT,...] [--jobs N]

DESIGN: a folder that `hardwire emit` made; LAYOUT: that of `hardwire layout` for the same model and geometry;
LIBRARY: a Liberty file, of sim/asic/library or of osu018. A unit is a module of the engine, with the parameters
that this design gives it; `engine` and `chip` are what is left between them, `NAME_b00` a ROM: its macros and
what chooses among them. RAMs of at least RAM_WORDS words stay cells, smaller ones are flip-flops.
Writes DIR/UNIT.v, and DIR/design.json: what each unit has inside. A netlist is not made again while what it
is made from stays the same. Modules that a unit has more than once (multipliers, trees, tables) are kept as modules.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import inspect
import json
import os
import re
import subprocess
import sys

RAM_WORDS = 64
# modules of the engine that are no unit of their own, and those that a unit keeps if it has several
LEAVES = {"stage", "pipe", "ram", "ram_one", "mul", "saturate", "round_shift", "shift_half", "round_saturate", "msb"}
KEPT = {"add_tree", "max_tree", "mul", "round_shift", "shift_half", "round_saturate", "mul_wide", "mul_stage", "lerp", "divide", "exp2_rom",
        "sigmoid_rom", "recip_rom", "rsqrt_rom"}
SYNTH_PERIOD_PS = 5000  # what the mapper sizes gates for


def read(path):
    with open(path) as file:
        return file.read()


def digest(*texts):
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def yosys(script, log):
    done = subprocess.run(["yosys", "-q", "-p", "; ".join(script)], capture_output=True, text=True)
    with open(log, "w") as file:
        file.write(done.stdout + done.stderr)
    if done.returncode:
        raise SystemExit(f"yosys: see {log}")


def elaborate(design, out):
    """DIR/design.il: the design with plain names: BASE, or BASE_ and six digits of a hash of its parameters if there
    are several; a RAM is ram_WORDSxLANESxBITS, or ram_one_..., see ram_size."""
    key = digest(read(f"{design}/manifest.json"), inspect.getsource(elaborate))
    if os.path.exists(f"{out}/design.key") and read(f"{out}/design.key") == key:
        return
    files = [f"{design}/{line.strip()}" for line in open(f"{design}/filelist.f") if line.strip().endswith(".v")]
    yosys([f"read_verilog -I{design}/fabric {' '.join(files)}", "blackbox *_b[0-9][0-9]", "hierarchy -check -top chip_top",
           f"write_rtlil {out}/raw.il"], f"{out}/elaborate.log")
    text = read(f"{out}/raw.il")
    found = re.findall(r"(?ms)^module (\$paramod\S+)\n(.*?)^end$", text)
    names, used = {}, collections.Counter(name.split("\\")[1] for name, _ in found)
    for name, body in found:
        base = name.split("\\")[1]
        if base in ("ram", "ram_one"):
            p = {k: int(v) for k, v in re.findall(r"(?m)^  parameter \\(\w+) (\d+)", body)}
            names[name] = f"\\{base}_{p['DEPTH']}x{p['LANES']}x{p['W']}"
        else:
            names[name] = f"\\{base}" + (f"_{digest(name)[:6]}" if used[base] > 1 else "")
    if len(set(names.values())) != len(names):
        raise SystemExit(f"{out}/raw.il: two modules of one name")
    text = re.sub(r"\$paramod\S+", lambda m: names.get(m[0], m[0]), text)
    with open(f"{out}/design.il", "w") as file:
        file.write(text)
    os.remove(f"{out}/raw.il")
    with open(f"{out}/design.key", "w") as file:
        file.write(key)


def modules_of(out):
    """{module: (text, {module inside: count}, {port: width})}"""
    text, found = read(f"{out}/design.il"), {}
    for name, body in re.findall(r"(?ms)^module \\(\S+)\n(.*?)^end$", text):
        inside = collections.Counter(re.findall(r"(?m)^  cell \\(\S+) ", body))
        ports = {m[3]: int(m[1] or 1) for m in re.finditer(r"(?m)^  wire (?:width (\d+) )?(?:.*?)(input|output) \d+ .*?\\(\S+)$", body)}
        found[name] = body, inside, ports
    return found


def ram_size(module):
    """(words, lanes, bits of a lane, whether one port both reads and writes) by a RAM's name; None: no RAM."""
    m = re.fullmatch(r"ram_(one_)?(\d+)x(\d+)x(\d+)", module)
    return (int(m[2]), int(m[3]), int(m[4]), bool(m[1])) if m else None


def base_of(name):
    return re.sub(r"_[0-9a-f]{6}$", "", name)


def below(modules, unit, stop):
    """How often each module is inside of `unit`, at any depth; nothing in `stop` is opened."""
    total = collections.Counter()
    for name, count in modules[unit][1].items():
        total[name] += count
        if name in modules and name not in stop:
            for inner, n in below(modules, name, stop).items():
                total[inner] += n * count
    return total


def rom_wrapper(name, ports, macros):
    """Verilog of a ROM bank from its macros. Its register is a row of flip-flops behind them. Macros read in the second half
    of a clock, when `re` says so: their CLK is the clock's complement, gated by `re`, which changes in the first half. Rows
    are chosen by addresses beyond the last row of all macros but one, which then read as 0."""
    address, width = ports["addr"], ports["data"]
    firsts = sorted({m["first_word"] for m in macros})
    text = [f"module {name} (input wire clk, input wire re, input wire [{address - 1}:0] addr, output reg [{width - 1}:0] data);",
            "wire read = ~(clk | ~re);"]
    for m in macros:
        bits = max(3, (m["rows"] - 1).bit_length())
        first = m["first_word"]
        if len(firsts) == 1:
            text.append(f"wire [{bits - 1}:0] a_{m['name']} = addr;")
        else:
            if m["rows"] == 1 << bits:
                raise SystemExit(f"{m['name']}: every address is a row; no address leaves it at 0")
            text.append(f"wire [{address - 1}:0] w_{m['name']} = addr - {address}'d{first};")
            text.append(f"wire [{bits - 1}:0] a_{m['name']} = addr >= {address}'d{first} && w_{m['name']} < {address}'d{m['rows']} ? "
                        f"w_{m['name']}[{bits - 1}:0] : {{{bits}{{1'b1}}}};")
        text.append(f"wire [{m['cols'] - 1}:0] d_{m['name']}; {m['name']} u_{m['name']} (.CLK(read), .A(a_{m['name']}), "
                    f".D(d_{m['name']}));")
        text.append(f"wire [{width - 1}:0] part_{m['name']} = {{{{{width}{{1'b0}}}}, d_{m['name']}}} << {m['first_bit']};")
    text.append("always @(posedge clk) if (re) data <= " + " | ".join(f"part_{m['name']}" for m in macros) + ";\nendmodule")
    stubs = [f"(* blackbox *) module {m['name']} (input wire CLK, input wire [{max(3, (m['rows'] - 1).bit_length()) - 1}:0] A, "
             f"output wire [{m['cols'] - 1}:0] D); endmodule" for m in macros]
    return "\n".join(stubs + text) + "\n"


def plain(text):
    """A module without where it stood in its file and without running numbers, which other modules change."""
    return re.sub(r"\$\d+", "$", re.sub(r"(?m)^ *attribute .*\n|[\w./]+\.v:[\d.]+(-[\d.]+)?", "", text))


class Mapper:
    """Maps units to a library."""

    def __init__(self, out, library, design, macros):
        self.out, self.library, self.modules = out, library, modules_of(design)
        text = read(library)
        self.sky130 = "sky130_fd_sc_hd__inv_1" in text
        self.digest = digest(text, inspect.getsource(Mapper), str(sorted(KEPT)))
        self.design, self.macros = design, macros
        self.rams = [m for m in self.modules if ram_size(m) and ram_size(m)[0] >= RAM_WORDS]
        self.roms = [m for m in self.modules if re.search(r"_b\d\d$", m)]
        self.units = [m for m in self.modules["engine"][1] if m in self.modules and base_of(m) not in LEAVES and
                      not m.endswith("_rom") and not ram_size(m)]

    def finish(self, name):
        constr = f"{self.out}/constr"
        if self.sky130:
            with open(constr, "w") as file:
                file.write("set_driving_cell sky130_fd_sc_hd__buf_2\nset_load 20 [all_outputs]\n")
            sized = f"-constr {constr} -D {SYNTH_PERIOD_PS} "
            tie = "hilomap -hicell sky130_fd_sc_hd__conb_1 HI -locell sky130_fd_sc_hd__conb_1 LO"
        else:
            sized, tie = "", "opt_clean"
        return [f"dfflibmap -liberty {self.library}", f"abc -liberty {self.library} {sized}", "setundef -zero", tie, "splitnets",
                "opt_clean -purge", f"write_verilog -noattr -simple-lhs {self.out}/{name}.part"]

    def map(self, unit):
        """DIR/UNIT.v; modules inside of it get its name before theirs."""
        stop = set(self.rams) | set(self.roms) | (set(self.units) if unit in ("engine", "chip") else set())
        if unit == "chip":
            stop.add("engine")
        stop.discard(unit)
        if unit in self.roms:
            rom = re.sub(r"_b\d\d$", "", unit)
            source = rom_wrapper(unit, self.modules[unit][2], [m for m in self.macros if m["rom"] == rom])
            with open(f"{self.out}/{unit}.rtl", "w") as file:
                file.write(source)
            script = [f"read_verilog {self.out}/{unit}.rtl", f"hierarchy -top {unit}"]
            inside = []
        else:
            inside = below(self.modules, unit, stop)
            source = "".join(self.modules[m][0] for m in sorted({unit, *inside} - stop) if m in self.modules)
            kept = [m for m, n in inside.items() if base_of(m) in KEPT and n > 1 and m in self.modules]
            script = [f"read_rtlil {self.design}/design.il", *(f"blackbox {m}" for m in sorted(stop) if m in self.modules),
                      f"hierarchy -top {unit}", *(f"setattr -mod -set keep_hierarchy 1 {m}" for m in sorted(kept))]
        key = digest(plain(source), self.digest)
        path = f"{self.out}/{unit}.v"
        if os.path.exists(path) and open(path).readline() == f"// {key}\n":
            return unit, False
        yosys([*script, f"synth -flatten -top {unit}", *self.finish(unit)], f"{self.out}/{unit}.log")
        text = read(f"{self.out}/{unit}.part")
        for inner in set(re.findall(r"(?m)^module (\w+)", text)) - {unit}:
            text = re.sub(rf"(?m)^(module |  ){inner}\b(?= [^=])(?!;)", rf"\g<1>{unit}__{inner}", text)
            text = re.sub(rf"(?m)^module {inner}\(", f"module {unit}__{inner}(", text)
        with open(path, "w") as file:
            file.write(f"// {key}\n" + text)
        os.remove(f"{self.out}/{unit}.part")
        return unit, True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("design")
    parser.add_argument("layout")
    parser.add_argument("library")
    parser.add_argument("-o", dest="out", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    o = parser.parse_args()
    os.makedirs(o.out, exist_ok=True)
    shared = os.path.dirname(o.out.rstrip("/")) or "."
    elaborate(o.design, shared)
    mapper = Mapper(o.out, o.library, shared, json.loads(read(f"{o.layout}/layout.json"))["macros"])
    size = lambda u: len(mapper.modules[u][0]) if u in mapper.modules else 0
    todo = o.only.split(",") if o.only else sorted([*mapper.units, "engine", "chip", *mapper.roms], key=size)
    with open(f"{o.out}/design.json", "w") as file:
        json.dump({"units": sorted(mapper.units), "rams": {r: below(mapper.modules, "chip", set())[r] for r in mapper.rams},
                   "roms": mapper.roms}, file, indent=1)
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for unit, made in pool.map(mapper.map, todo):
            print(f"{unit}{'' if made else ', as before'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
