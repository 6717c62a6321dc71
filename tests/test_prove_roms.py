#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/prove_roms.py itself: it proves designs of many geometries, and finds each planted fault.

    tests/test_prove_roms.py [HARDWIRE]     (build/hardwire)
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from tiny_model import write_checkpoint  # noqa: E402

# name: model (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len, tied), quantizer,
# rows cols vec att_pos [bank_bytes], slices
DESIGNS = {
    "planes": ((16, 24, 2, 4, 2, 40, 32, True), ["--bits", "8"], (8, 8, 4, 4),
               ["chip", "layer:1", "op:attention:1"]),
    "untied, 3 bits, ragged": ((24, 20, 1, 3, 1, 37, 20, False), ["--bits", "6", "-c", "3"],
                               (16, 16, 8, 4), ["chip", "matrix:layers.0.attention.wo:3-17",
                                                "op:rmsnorm:0", "op:swiglu:0"]),
    "2 bits": ((32, 48, 1, 2, 2, 19, 9, True), ["--bits", "4", "-c", "2", "--head-bits", "8"],
               (4, 32, 4, 8), ["chip", "op:argmax"]),
    "a tree of banks": ((16, 24, 2, 4, 2, 40, 32, True), ["--bits", "8"], (8, 8, 4, 4, 256), ["chip"]),
    "four banks": ((64, 16, 1, 8, 1, 9000, 9, True), ["--bits", "8"], (16, 16, 4, 4), ["chip"]),
}


class Case:
    """A design that can be damaged: edits go to a copy."""

    def __init__(self, work, design, model):
        self.work, self.design, self.model = work, design, model

    def prove(self, *options, design=None):
        done = subprocess.run([sys.executable, os.path.join(HERE, "prove_roms.py"), *options,
                               design or self.design, self.model], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def damaged(self, edit, *options):
        copy = os.path.join(self.work, "damaged")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.design, copy)
        edit(copy)
        return self.prove(*options, design=copy)


def edit_file(name, change):
    def edit(design):
        path = os.path.join(design, name)
        with open(path) as file:
            text = file.read()
        changed = change(text)
        assert changed != text, f"{name}: nothing to damage"
        with open(path, "w") as file:
            file.write(changed)
    return edit


def flip(word, bit):
    """Flips a bit of a ROM's word."""
    def change(text):
        def one(match):
            return f"{match.group(1)}{int(match.group(2), 16) ^ 1 << bit:x};"
        return re.sub(rf"(\n *\d+'d{word}: data <= \d+'h)([0-9a-f]+);", one, text)
    return change


def drop(word):
    return lambda text: re.sub(rf"\n *\d+'d{word}: .*", "", text)


def exchange(a, b):
    return lambda text: re.sub(rf"\b({a}|{b})\b", lambda m: b if m.group(1) == a else a, text)


def swap_files(a, b):
    def edit(design):
        for name, change in ((a, exchange(a[:-2], b[:-2])), (b, exchange(a[:-2], b[:-2]))):
            edit_file(f"personality/{name}", change)(design)
        paths = [os.path.join(design, "personality", n) for n in (a, b)]
        os.rename(paths[0], paths[0] + ".x")
        os.rename(paths[1], paths[0])
        os.rename(paths[0] + ".x", paths[1])
    return edit


def add_rom(design):
    """A ROM that nobody asked for, hidden in a template."""
    cases = "".join(f"            6'd{i}: table_q <= 8'd{i * 37 % 251};\n" for i in range(64))
    edit_file("fabric/argmax.v", lambda text: text.replace(
        "    assign busy", "    reg [7:0] table_q;\n    always @(posedge clk)\n        case (row[5:0])\n"
        + cases + "            default: table_q <= 8'd0;\n        endcase\n"
        "    assign busy = ^table_q |", 1).replace("| = ", "| "))(design)


# fault: (edit, exit status, what must be said)
SMALL = {
    "weight bit": (edit_file("personality/weight_b00.v", flip(5, 77)), 1,
                   r"DIFFERENT personality/weight_b00.v: weight ROM word 5, bits \[79:76\], "
                   r"tok_embeddings.codes, plane 0, row 10, column 11: ROM \d+, file \d+"),
    "scale bit": (edit_file("personality/scale_b00.v", flip(1, 13)), 1,
                  r"scale_b00.v: .*tok_embeddings.scale, row 5: ROM \d+, file \d+"),
    "level bit": (edit_file("personality/level_b00.v", flip(1, 8)), 1,
                  r"level_b00.v: .*tok_embeddings.levels, plane 1, level 1"),
    "gain bit": (edit_file("personality/gain_b00.v", flip(1, 17)), 1,
                 r"gain_b00.v: .*layers.0.attention_norm.gain\[5\]"),
    "rotation bit": (edit_file("personality/rope_hi_b00.v", flip(2, 16)), 1,
                     r"rope_hi_b00.v: .*rope.hi_sin\[1\]\[0\]"),
    "program: shift": (edit_file("personality/program_b00.v", flip(3, 21)), 1,
                       r"program_b00.v: .*instruction 3 \(layers.0.attention.wk\), field shift"),
    "program: address": (edit_file("personality/program_b00.v", flip(3, 33)), 2, r"overlap"),
    "exp2 bit": (edit_file("fabric/exp2_rom.v", flip(9, 3)), 1, r"exp2_rom.v: .*entry 9"),
    "dropped word": (edit_file("personality/weight_b00.v", drop(8)), 1, r"weight ROM word 8,"),
    "word after the last": (edit_file("personality/weight_b00.v", lambda t: t.replace(
        "            default: data <= 256'd0", "            8'd255: data <= 256'd1;\n"
        "            default: data <= 256'd0")), 1, r"word 255, .*no tensor: must be zero"),
    "falling edge": (edit_file("personality/gain_b00.v", lambda t: t.replace("posedge", "negedge")),
                     2, r"not a plain register"),
    "no register": (edit_file("personality/gain_b00.v", lambda t: t.replace("posedge clk", "*")), 2,
                    r"dlatch is not understood"),
    "narrow": (edit_file("fabric/scale_rom.v", lambda t: re.sub(r"addr\)", "addr ^ 1)", t)), 2,
               r"not understood|expected"),
    "no enable": (edit_file("personality/gain_b00.v", lambda t: t.replace("if (re)", "")), 2,
                  r"gain_rom: reads while `re` is low"),
    "never at rest": (edit_file("fabric/gain_rom.v", lambda t: t.replace(".re(re)", ".re(1'b1)")), 2,
                      r"gain_rom: reads while `re` is low"),
    "hidden ROM": (add_rom, 2, r"argmax.v: a ROM this proof does not know"),
    "stray file": (lambda d: shutil.copy(f"{d}/personality/gain_b00.v", f"{d}/personality/x.v"), 2,
                   r"not in filelist.f: personality/x.v"),
}
BANKS = {
    "swapped banks": (swap_files("weight_b00.v", "weight_b01.v"), 1, r"weight_b00.v: weight ROM word 0"),
    "swapped instances": (edit_file("fabric/weight_rom.v", exchange("weight_b00", "weight_b01")), 1,
                          r"weight ROM word 0,"),
    "bank not selected": (edit_file("fabric/rom_select.v", lambda t: t.replace(
        "sel <= bank", "sel <= 0")), 2, r"data comes from .*, whose enable was low"),
    "bank not read": (edit_file("fabric/weight_rom.v", lambda t: t.replace(
        "== 2'd1)", "== 2'd0)")), 2, r"data comes from .*, whose enable was low"),
    "late bank": (edit_file("fabric/rom_select.v", lambda t: t.replace(
        "case (sel)", "case (bank)")), 2, r"its own clock"),
}


def main():
    hardwire = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/hardwire")
    failed = count = 0

    def expect(name, result, status, text):
        nonlocal failed, count
        count += 1
        if result[0] != status or not re.search(text, result[1]):
            failed += 1
            print(f"FAILED {name}: expected status {status} and /{text}/, got {result[0]}:\n{result[1]}")
        else:
            said = re.search(text, result[1])
            line = result[1][result[1].rfind("\n", 0, said.start()) + 1:].split("\n")[0]
            print(f"ok     {name}: {line[:150]}")

    with tempfile.TemporaryDirectory(prefix="prove.") as work:
        for name, (shape, options, geometry, slices) in DESIGNS.items():
            base = os.path.join(work, name.replace(" ", "_").replace(",", ""))
            write_checkpoint(base + ".bin", *shape)
            subprocess.run([hardwire, "quantize", base + ".bin", "-o", base + ".st", "-q", *options],
                           check=True)
            for part in slices:
                flags = [f for pair in zip(("--rows", "--cols", "--vec", "--att-pos", "--bank-bytes"),
                                           map(str, geometry)) for f in pair]
                subprocess.run([hardwire, "emit", base + ".st", "-o", base, "--slice", part, *flags],
                               check=True)
                case = Case(work, base, base + ".st")
                whole = part in ("chip", "layer:1")
                expect(f"{name}, {part}", case.prove(*[] if whole else ["--roms-only"]), 0,
                       "all proven")
                if part == "chip":
                    for fault, (edit, status, text) in {"planes": SMALL, "four banks": BANKS}.get(
                            name, {}).items():
                        expect(f"{name}, {fault}", case.damaged(
                            edit, *[] if fault == "hidden ROM" else ["--roms-only"]), status, text)
    print(f"prove_roms: {count} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
