#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Liberty and Verilog of a layout's macros, as the tools that read them see them.

    tests/layout_views.py LAYOUT WORDS

WORDS: of tests/layout_bits.py --words, read from the polygons' transistors. Icarus simulates macros.v: D of
every address while CLK is high is the word, while it is low 0. Yosys links a netlist of all macros to each
Liberty file, and the area is the sum of the polygons' outlines. OpenSTA times CLK to D, with the load and the edge
simulated and with others between, and A's setup and hold: each as the file has it, slower in the slow corner, faster in the
fast one.
"""
import json
import re
import subprocess
import sys
import tempfile

CORNERS = ("ff", "tt", "ss")  # by speed


def bits_of(macro):
    return max(3, (macro["rows"] - 1).bit_length())


def simulate(folder, macros, words):
    """Different words."""
    bench, bad, compared = ["`timescale 1ns/1ns", "module bench;", "reg clk; integer i;"], 0, 0
    for m in macros:
        bits, name = bits_of(m), m["name"]
        bench += [f"reg [{bits - 1}:0] a_{name}; wire [{m['cols'] - 1}:0] d_{name};",
                  f"{name} u_{name} (.CLK(clk), .A(a_{name}), .D(d_{name}));"]
    bench.append("initial begin")
    for m in macros:
        name = m["name"]
        bench += [f"for (i = 0; i < {1 << bits_of(m)}; i = i + 1) begin clk = 0; a_{name} = i; #1;",
                  f"if (d_{name} !== 0) $display(\"idle {name} %0d\", i); clk = 1; #1;",
                  f"$display(\"{name} %0d %h\", i, d_{name}); end"]
    bench.append("end endmodule")
    with tempfile.TemporaryDirectory() as at:
        with open(f"{at}/bench.v", "w") as file:
            file.write("\n".join(bench) + "\n")
        subprocess.run(["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", f"{at}/sim", f"{at}/bench.v",
                        f"{folder}/macros.v"], check=True)
        said = subprocess.run(["vvp", "-n", f"{at}/sim"], check=True, capture_output=True, text=True).stdout
    for line in said.splitlines():
        name, at, value = line.split()
        if name == "idle":
            print(f"DIFFERENT {value}: {at} is not 0 while CLK is low")
            bad += 1
            continue
        want = words[name][int(at)] if int(at) < len(words[name]) else 0
        compared += 1
        if not re.fullmatch("[0-9a-f]+", value) or int(value, 16) != want:
            bad += 1
            print(f"DIFFERENT {name} address {at}: macros.v {value}, polygons {want:#x}")
    expected = sum(1 << bits_of(m) for m in macros)
    print(f"macros.v: {compared} of {expected} addresses compared, {bad} different")
    return bad + (compared != expected)


def netlist(macros):
    ports, body = ["input wire clk"], []
    for m in macros:
        name = m["name"]
        ports += [f"input wire [{bits_of(m) - 1}:0] a_{name}", f"output wire [{m['cols'] - 1}:0] d_{name}"]
        body.append(f"    {name} u_{name} (.CLK(clk), .A(a_{name}), .D(d_{name}));")
    return "module top (\n    " + ",\n    ".join(ports) + "\n);\n" + "\n".join(body) + "\nendmodule\n"


def area(lib, verilog, macros):
    said = subprocess.run(["yosys", "-p", f"read_liberty -lib {lib}; read_verilog {verilog}; hierarchy -check -top top; "
                           f"stat -liberty {lib}"], check=True, capture_output=True, text=True).stdout
    found = float(re.search(r"Chip area for (?:top )?module '\\top': (\S+)", said)[1])
    want = sum(m["size_nm"][0] * m["size_nm"][1] for m in macros) * 1e-6
    print(f"{lib}: Yosys links {len(macros)} macros, {found:.1f} um2; outlines {want:.1f}")
    if abs(found - want) > 0.01 * len(macros):
        print(f"DIFFERENT {lib}: area {found}, outlines {want}")
        return 1
    return 0


def table(cell, what):
    """The four values of a table, and a function: the value at parts (0 to 1) of the way along rows and columns."""
    text = re.search(what + r"\(\w+\) \{ values\((.*?)\);", cell)[1]
    a, b, c, d = (float(v) for v in re.findall(r"[-\d.]+", text))
    return lambda row, col: (1 - row) * ((1 - col) * a + col * b) + row * ((1 - col) * c + col * d)


def time(lib, verilog, macros):
    """Delays and setups in ns by OpenSTA of every macro's D and A, and how many, holds too, differ from the file."""
    with open(lib) as file:
        text = file.read()
    script = [f"read_liberty {lib}", f"read_verilog {verilog}", "link_design top",
              "create_clock -name c -period 40 clk"]  # 20 ns from edge to edge
    want = []
    for m in macros:
        name = m["name"]
        cell = text[text.index(f"cell({name})"):].split("\n  cell(")[0]
        rise, fall = table(cell, "cell_rise"), table(cell, "cell_fall")
        for load, part, slew, slow in ((0.01, 0.0, 0.04, 0.0), (0.035, 0.5, 0.22, 0.5)):
            script += [f"set_load {load} [get_ports d_{name}[0]]", f"set_clock_transition {slew} [get_clocks c]"]
            for edge, of in (("rise", rise), ("fall", fall)):
                script.append(f"puts \"at {name} {edge}\"; report_checks -{edge}_to [get_ports d_{name}[0]] "
                              "-path_delay max -unconstrained -digits 4")
                want.append(of(slow, part) + (20 if edge == "fall" else 0))
        for which, kind in (("setup", "max"), ("hold", "min")):
            script += [f"set_input_delay -clock c 7 [get_ports a_{name}[0]]",
                       f"set_input_transition 0.13 [get_ports a_{name}[0]]", f"puts \"at {name} {which}\"; report_checks "
                       f"-from [get_ports a_{name}[0]] -path_delay {kind} -digits 4"]
            constraint = cell[cell.index(f"timing_type : {which}_"):]
            want.append(table(constraint, "rise_constraint")(0.5, 0.25))
    with tempfile.NamedTemporaryFile("w", suffix=".tcl") as file:
        file.write("\n".join(script) + "\nexit\n")
        file.flush()
        run = subprocess.run(["sta", "-no_splash", "-exit", file.name], capture_output=True, text=True)
    parts, bad, got = re.split(r"(?m)^at (\S+ \S+)$", run.stdout)[1:], 0, []
    for label, part in zip(parts[::2], parts[1::2]):
        m = re.search(r"(-?[\d.]+)\s+data arrival time" if label.split()[1] in ("rise", "fall") else
                      r"(-?[\d.]+)\s+-?[\d.]+\s+library (?:setup|hold) time", part)
        got.append(abs(float(m[1])) if m else None)
    for label, one, expected in zip(parts[::2], got, want):
        if one is None or abs(one - expected) > 0.001:
            bad += 1
            print(f"DIFFERENT {lib} {label}: OpenSTA {one}, Liberty {expected:.4f}")
    if len(got) != len(want):
        print(run.stdout[-600:] + run.stderr[-600:])
    print(f"{lib}: {len(got)} of {len(want)} delays and constraints compared, {bad} different")
    by_corner = [one for label, one in zip(parts[::2], got) if not label.endswith("hold")]  # a hold is that of edges alone
    return by_corner, bad + (len(got) != len(want))


def main():
    folder, words = sys.argv[1:]
    with open(f"{folder}/layout.json") as file:
        macros = json.load(file)["macros"]
    with open(words) as file:
        words = {name: [int(w, 16) for w in of] for name, of in json.load(file).items()}
    bad, times = simulate(folder, macros, words), []
    with tempfile.NamedTemporaryFile("w", suffix=".v") as verilog:
        verilog.write(netlist(macros))
        verilog.flush()
        for corner in CORNERS:
            lib = f"{folder}/macros_{corner}.lib"
            bad += area(lib, verilog.name, macros)
            got, different = time(lib, verilog.name, macros)
            times.append(got)
            bad += different
    for fast, slow in zip(times, times[1:]):
        if not all(a is not None and b is not None and a < b for a, b in zip(fast, slow)):
            print("DIFFERENT: a corner is not slower than the faster one")
            bad += 1
    return bad != 0


sys.exit(main())
