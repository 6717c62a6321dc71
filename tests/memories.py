#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manifest.json's list of memories against the design that Icarus elaborates: every ram.v, ram_one.v, ROM bank and
function table that there is, with its depth, width and mask, and no other. Each memory of the copy that is
elaborated says so at time 0; so does each module, and filelist.f names the files of these and no other.
A generated file says whose it is and ends with the SHA-256 of its other lines. A size that is off by one,
a file too many, one too few and a changed digit must be seen. Prints TAP."""
import collections
import hashlib
import json
import os
import re
import shutil
import subprocess

OUT = "build/test/memories"
RAM = """
module ram #(parameter LANES = 1, parameter W = 8, parameter DEPTH = 16, parameter ADDR_W = 4) (
    input wire clk, input wire [LANES-1:0] we, input wire [ADDR_W-1:0] waddr,
    input wire [LANES*W-1:0] wdata, input wire re, input wire [ADDR_W-1:0] raddr,
    output wire [LANES*W-1:0] rdata);
    initial $display("RAM %0d %0d %0d", DEPTH, LANES * W, W);
endmodule
"""
RAM_ONE = """
module ram_one #(parameter LANES = 1, parameter W = 8, parameter DEPTH = 16, parameter ADDR_W = 4) (
    input wire clk, input wire [LANES-1:0] we, input wire re, input wire [ADDR_W-1:0] addr,
    input wire [LANES*W-1:0] wdata, output wire [LANES*W-1:0] rdata);
    initial $display("RAM_ONE %0d %0d %0d", DEPTH, LANES * W, W);
endmodule
"""
MACROS = {"ram_macro.v": """
module ram_macro #(parameter W = 8, parameter DEPTH = 16, parameter ADDR_W = 4) (
    input wire clk, input wire we, input wire [ADDR_W-1:0] waddr, input wire [W-1:0] wdata, input wire re,
    input wire [ADDR_W-1:0] raddr, output wire [W-1:0] rdata);
    initial $display("RAM %0d %0d %0d", DEPTH, W, W);
endmodule
""", "ram_one_macro.v": """
module ram_one_macro #(parameter W = 8, parameter DEPTH = 16, parameter ADDR_W = 4) (
    input wire clk, input wire we, input wire re, input wire [ADDR_W-1:0] addr, input wire [W-1:0] wdata,
    output wire [W-1:0] rdata);
    initial $display("RAM_ONE %0d %0d %0d", DEPTH, W, W);
endmodule
"""}
WHOLE = {"ram.v": RAM, "ram_one.v": RAM_ONE}
KINDS = {"1 read": "ROM", "1 read, 1 write": "RAM", "1 read or write": "RAM_ONE"}
SMALL = "--rows 8 --cols 8 --vec 4 --att-pos 4"
DESIGNS = {  # options of emit, or a case of model_of
    "plain": ("--shape 64,172,5,8,4,512,256 --rows 32 --cols 8 --vec 8 --att-pos 16", None),
    "tiny, banks of 128 bytes": ("--shape 8,12,1,2,1,30,16 --rows 4 --cols 4 --vec 4 --att-pos 4 --bank-bytes 128",
                                 None),
    "head wider than vec": ("--shape 64,96,2,2,1,100,64 --rows 8 --cols 4 --vec 4 --att-pos 8", None),
    "groups of banks": ("--shape 64,172,2,8,4,512,256 --rows 8 --cols 8 --vec 8 --att-pos 4 --bank-bytes 256", None),
    "macros side by side": ("--shape 64,172,2,8,4,512,256 --rows 8 --cols 8 --vec 8 --att-pos 4 --rom-macro 200x60", None),
    "RAMs of macros": ("--shape 64,172,2,8,4,512,256 --rows 8 --cols 8 --vec 8 --att-pos 4 --ram-macro 64x24", None),
    "RAMs of small macros, a bit wide": ("--shape 16,24,2,4,2,64,64 --rows 4 --cols 4 --vec 4 --att-pos 4"
                                         " --ram-macro 2x1", None),
    "lanes that multiply, a slice": ("--shape 64,172,2,8,4,512,256 --rows 16 --cols 16 --vec 4 --att-pos 4"
                                     " --lane multiply --slice layer:0", None),
    "rows that are no power of two": ("--shape 24,48,2,3,1,100,64 --rows 12 --cols 12 --vec 4 --att-pos 4", None),
    "norms of heads, windows": (None, "qwen3-layers"),
    "biases, windows": (None, "qwen2-windows"),
    "a side buffer": (None, "ternary"),
}


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def model_of(case, folder):
    """A quantized model, and options of emit that fit it: a case of family_model.py, or of tests/shape.c."""
    if case == "ternary":
        quantize, geometry = run(["build/shape", "1", folder]).splitlines()[:2]
        source, options = f"{folder}/shape.bin", quantize.split()
    else:
        run(["python3", "tests/family_model.py", case, folder])
        source, options, geometry = f"{folder}/model", ["--nearest"], SMALL
    run(["build/hardwire", "quantize", source, "-o", f"{folder}/q.safetensors", "-q", *options])
    return [f"{folder}/q.safetensors", *geometry.split()]


def emit(options, case, folder):
    """The design in folder/design."""
    chosen = model_of(case, folder) if case else options.split()
    run(["build/hardwire", "emit", *chosen, "-o", f"{folder}/design", "--quiet"])


def announce(path, text):
    """A ROM that says its size at time 0."""
    if "case (addr)" not in text or "output reg" not in text or "/rom_select" in path:
        return text
    addr = int(re.search(r"input  wire \[(\d+):0\] addr", text).group(1)) + 1
    data = int(re.search(r"output reg  \[(\d+):0\] data", text).group(1)) + 1
    return text.replace("endmodule", f'    initial $display("ROM {1 << addr} {data} 0");\nendmodule', 1)


def elaborated(folder):
    """The memories that there are, {(kind, depth, width, mask): instances}, and the modules."""
    design, copy = f"{folder}/design", f"{folder}/copy"
    os.makedirs(copy)
    files = []
    cut = json.load(open(f"{design}/manifest.json"))["geometry"]["ram_words"] > 0
    for line in open(f"{design}/filelist.f"):
        path = line.strip()
        if not path.endswith(".v"):
            continue
        name = os.path.basename(path)
        text = (MACROS if cut else WHOLE).get(name) or announce(path, open(f"{design}/{path}").read())
        files.append(f"{copy}/{name}")
        says = f'    initial $display("MODULE {name[:-2]}");\nendmodule'
        open(files[-1], "w").write(re.sub(r"^endmodule", says, text, count=1, flags=re.M))
    tops = [t for t in ("chip_top", "slice_top") if f"{copy}/{t}.v" in files]
    whole = json.load(open(f"{design}/manifest.json"))["slice"] == "chip"
    top = "chip_top" if whole else "slice_top"
    assert top in tops, tops
    run(["iverilog", "-g2005", "-s", top, f"-I{design}/fabric", "-o", f"{folder}/a.vvp", *files])
    said = run(["vvp", "-n", f"{folder}/a.vvp"], timeout=60)
    found = collections.Counter()
    for kind, *numbers in re.findall(r"^(RAM|RAM_ONE|ROM) (\d+) (\d+) (\d+)$", said, re.M):
        found[(kind, *map(int, numbers))] += 1
    return found, set(re.findall(r"^MODULE (\w+)$", said, re.M))


def sources(folder):
    """The modules that filelist.f names."""
    return {os.path.basename(line.strip())[:-2] for line in open(f"{folder}/design/filelist.f")
            if line.strip().endswith(".v")}


def verilog(folder):
    return [f"{folder}/design/{part}/{name}" for part in ("fabric", "personality")
            for name in sorted(os.listdir(f"{folder}/design/{part}"))]


def unsealed(path, text):
    """What is wrong with the first and the last line of a file, or None."""
    if os.path.exists(f"rtl_templates/{os.path.basename(path)}") and not path.endswith(("latency.vh", "ram_macro.vh")):
        return None if text.startswith("// SPDX-License-Identifier: Apache-2.0\n") else "no licence"
    if not text.startswith("// SPDX-License-Identifier: LicenseRef-hardwire-output\n// Generated by hardwire "):
        return "no notice"
    lines = text.splitlines(keepends=True)
    digest = hashlib.sha256("".join(lines[:-1]).encode()).hexdigest()
    return None if lines[-1] == f"// SHA-256 of the lines above: {digest}\n" else "another hash"


def listed(memories):
    found = collections.Counter()
    for m in memories:
        assert m["kind"] == KINDS[m["ports"]][:3], m
        found[(KINDS[m["ports"]], m["depth"], m["width"], m.get("mask", 0))] += m["instances"]
    return found


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    memories = there = None
    for number, (name, (options, case)) in enumerate(DESIGNS.items()):
        folder = f"{OUT}/{number}"
        os.makedirs(folder)
        emit(options, case, folder)
        memories = json.load(open(f"{folder}/design/manifest.json"))["memories"]
        there, modules = elaborated(folder)
        ok = there == listed(memories) and sum(there.values()) > 20
        print(f"{'ok' if ok else 'not ok'} {name}: {sum(there.values())} memories, as manifest.json lists them")
        if not ok:
            for key in sorted(set(there) | set(listed(memories))):
                if there[key] != listed(memories)[key]:
                    print(f"# {key}: {there[key]} in the design, {listed(memories)[key]} in the list")
        same = modules == sources(folder)
        print(f"{'ok' if same else 'not ok'} {name}: filelist.f names {len(modules)} modules, all of them in use")
        if not same:
            print(f"# in one of the two only: {' '.join(sorted(modules ^ sources(folder)))}")
        wrong = [f"{path}: {why}" for path in verilog(folder) if (why := unsealed(path, open(path).read()))]
        print(f"{'not ok' if wrong else 'ok'} {name}: licence and hash in {len(verilog(folder))} files")
        for line in wrong[:5]:
            print(f"# {line}")
    files, path = sources(folder), f"{folder}/design/fabric/gain_rom.v"
    text = open(path).read()
    seen = {"a file too many": modules != files | {"spare"}, "a file too few": modules != files - {"side"},
            "a changed digit": unsealed(path, text.replace("data", "dato", 1)), "a line less": unsealed(
                path, text[text.index("\n") + 1:]), "no hash": unsealed(path, text[:text.rindex("// SHA")])}
    for plant, found in seen.items():
        print(f"{'ok' if found else 'not ok'} {plant} is seen")
    for field in ("depth", "width", "instances"):
        wrong = [dict(m) for m in memories]
        wrong[0][field] += 1
        print(f"{'ok' if listed(wrong) != there else 'not ok'} a wrong {field} is seen")


main()
