# SPDX-License-Identifier: Apache-2.0
"""sim/board/gowin_timing.py: paths of a design of nine cells whose delays are known; a loop is refused. sim/board/paths.py: ends of
an ECP5's paths that are late. The pins of constraints/tangnano20k.cst are those of the board's module, each once. Prints TAP."""
import json
import os
import re
import subprocess

DIR = "build/test/gowin"
failed = False


def ok(name, yes):
    global failed
    failed = failed or not yes
    print(f"{'ok' if yes else 'not ok'} {name}")


def arc(kind, source, target, ps):
    return f"({kind} {source} {target} (1:1:{ps}) (1:1:{ps - 1}))\n"


def cell(kind, name, arcs=(), setup=()):
    return (f'(CELL\n(CELLTYPE "{kind}")\n(INSTANCE {name})\n' + "".join(arc("IOPATH", *a) for a in arcs)
            + "".join(f"(SETUPHOLD (posedge {pin}) (posedge {clock}) ({ps}:{ps}:{ps}) (9:9:9))\n" for pin, clock, ps in setup) + ")\n")


# a -> LUT2 -> b; c -> multiplier -> LUT4 -> multiplier -> b; block RAM's port B -> d; every wire takes 100 ps
CELLS = [cell("DFF", "a", [("CLK", "Q", 200)], [("D", "CLK", 30)]), cell("LUT2", "two"),
         cell("LUT4", "four", [(f"I{i}", "F", 500 + i) for i in range(4)]), cell("MULT18X18", "m0"), cell("MULT18X18", "m1"),
         cell("DFFE", "b", [("CLK", "Q", 200)], [("D", "CLK", 30), ("CE", "CLK", 40)]),
         cell("DP", "ram", [("CLKA", "DOA0", 2000)], [("ADA0", "CLKA", 50), ("ADB0", "CLKB", 60)])]
WIRES = [("a/Q", "two/I1"), ("two/F", "b/D"), ("a/Q", "m0/A3"), ("m0/DOUT7", "four/I2"), ("four/F", "m1/B0"), ("m1/DOUT1", "b/CE"),
         ("a/Q", "ram/ADB0"), ("ram/DOB0", "a/D"), ("clock/O", "a/CLK"), ("clock/O", "ram/CLKB")]


def run(wires):
    path = f"{DIR}/placed.sdf"
    with open(path, "w") as f:
        f.write('(DELAYFILE\n(CELL\n(CELLTYPE "top")\n(INSTANCE )\n' + "".join(arc("INTERCONNECT", *w, 100) for w in wires) + ")\n")
        f.write("".join(CELLS) + ")\n")
    return subprocess.run(["python3", "sim/board/gowin_timing.py", path, "27"], capture_output=True, text=True)


os.makedirs(DIR, exist_ok=True)
said = json.loads(run(WIRES).stdout)
# port B: 2000 + 100 + 30; two multipliers: 200 + 100 + (0 + 100 + 502 + 100 + 0) + 100 + 40
ok(f"longest paths: {said}", said["paths_ns"] == {"0": 2.13, "2": 1.14} and said["fmax_mhz"] == 469.48
   and said["multiplier_ns"] == round((1000 / 27 - 1.142) / 2, 2))
said = json.loads(run([w for w in WIRES if "ram/DOB0" not in w]).stdout)
# the LUT of two inputs: 200 + 100 + 501 + 100 + 30
ok(f"without port B: {said}", said["paths_ns"]["0"] == 0.93)
refused = run(WIRES + [("two/F", "two/I0")])
ok(f"a loop is refused: {refused.stderr.strip()}", refused.returncode == 1 and "loops" in refused.stderr)

# u_a.x[3] -> LUT4 -> u_b.y[0], 500 + 100 + 240 + 100 + 300, and what a constant drives is no path
with open(f"{DIR}/ecp5.sdf", "w") as f:
    f.write('(DELAYFILE\n(CELL\n(CELLTYPE "top")\n(INSTANCE )\n' + "".join(arc("INTERCONNECT", *w, 100) for w in [
        ("u_a.x_TRELLIS_FF_Q_3/Q", "u_b.y_LUT4_Z/A"), ("u_b.y_LUT4_Z/F", "u_b.y_TRELLIS_FF_Q/DI"),
        ("$PACKER_GND/F", "u_b.y_TRELLIS_FF_Q/CE")]) + ")\n")
    f.write(cell("TRELLIS_FF", "u_a.x_TRELLIS_FF_Q_3", [("CLK", "Q", 500)]) + cell("LUT4", "u_b.y_LUT4_Z", [("A", "F", 240)])
            + cell("TRELLIS_FF", "u_b.y_TRELLIS_FF_Q", [("CLK", "Q", 500)], [("DI", "CLK", 300), ("CE", "CLK", 9000)]) + ")\n")
late = [subprocess.run(["python3", "sim/board/paths.py", f"{DIR}/ecp5.sdf", mhz], capture_output=True, text=True).stdout
        for mhz in ("807", "806")]
ok(f"paths of an ECP5: {late}", late == ["2 ends of paths, 1 beyond 1.24 ns\n  1.24     1  u_a.x  ->  u_b.y\n",
                                        "2 ends of paths, 0 beyond 1.24 ns\n"])

text = open("constraints/tangnano20k.cst").read()
pins = dict(re.findall(r'IO_LOC "(\S+)" (\d+);', text))
ports = set()
for width, name in re.findall(r"(?:input|output)\s+wire\s+(?:\[(\d+):0\]\s+)?(\w+)", open("rtl_templates/uart/tangnano20k_top.v").read()):
    ports |= {f"{name}[{i}]" for i in range(int(width) + 1)} if width else {name}
ok(f"{len(ports)} pins of the board, each once", set(pins) == ports and len(set(pins.values())) == len(ports)
   and set(re.findall(r'IO_PORT "(\S+)" IO_TYPE=LVCMOS33', text)) == ports)
raise SystemExit(failed)
