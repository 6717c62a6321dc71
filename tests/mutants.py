#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation score of the checks: plants faults in the templates and in emitted ROMs, one at a time, and
counts those that a co-simulation of small designs or a proof finds.

    tests/mutants.py [--count 320] [--seed 1] [--jobs 2] [--only FILE] [--again LIST] [--list]
    tests/mutants.py --stale      only: each line of tests/mutants.explained is still a mutant of a template

Faults are chosen by seed, for each template in proportion to its lines of code, and one fifth of them
in ROMs. A mutant runs on one small design after the other (different geometries, chips and slices)
until a run differs from the reference, takes other clocks than the cycle model says, hangs or crashes.
Registers start with random values, zeros or ones, streams stall, resets of a single clock come in the
middle. A ROM fault that no run sees must be found by tests/prove_roms.py, one in a template must break
a promise of sim/formal, or is proven to be none: equal to the template by induction
(tests/mutant_proof.py).

A mutant whose C++ from Verilator is that of the original on every design is equivalent, and is
replaced by another one; so is one that does not compile. Survivors must be in tests/mutants.explained
("file: line => changed line  # reason"); exit status 1 otherwise. What is there counts as survived and is
not run, as it would take every design and proof; `--again tests/mutants.explained` runs it. A line there
that is no mutant any more, because its template has changed, is a failure. The score
is the killed ones of all that are not proven equal.
"""
import argparse
import concurrent.futures
import functools
import glob
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)
from family_model import VOCAB, write_case  # noqa: E402
from mutant_proof import broken_promise, equivalent  # noqa: E402
from tiny_model import write_bitllama, write_checkpoint, write_tokenizer  # noqa: E402

TEMPLATES = os.path.join(ROOT, "rtl_templates")
EXPLAINED = os.path.join(HERE, "mutants.explained")
ROM_SHARE = 0.2
SIMULATED_FIRST = 3  # designs, before promises are asked: the others take longer
SLOW_PROMISES = {"attention.v"}  # asked after every design

# --- designs ----------------------------------------------------------------------------------------

# dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len, tied, focus, size; quantizer's
# options
MODELS = {
    "a": ((16, 24, 2, 4, 2, 40, 32, True), ["--bits", "8"]),
    # its embedding has levels of its own, and lies in the upper half of the weight ROM
    "b": ((32, 41, 2, 2, 1, 37, 20, False), ["--bits", "6", "-c", "3", "--head-bits", "4"]),
    "c": ((24, 64, 2, 6, 2, 40, 33, True, 2, 0.4), ["--bits", "8", "-c", "2", "--res-bits", "24"]),
    "e": ((32, 16, 2, 8, 8, 40, 12, True, 20), ["--bits", "4", "--kv-bits", "6"]),
    "f": ((16, 16, 2, 1, 1, 40, 12, True), ["--bits", "4"]),
    "g": ((16, 16, 2, 1, 1, 40, 12, True), ["--bits", "4"]),
    "v": ((4, 4, 1, 1, 1, 1 << 19, 8, True), ["--bits", "2", "-c", "2", "--nearest"]),
    "d": ((64, 16, 1, 8, 1, 9000, 9, True), ["--bits", "8"]),
    "t": ((16, 24, 2, 4, 2, 40, 32), []),  # natively ternary
    "q": ("qwen2-windows", ["--bits", "8"]),  # biases, a ring in some layers (family_model.py)
    "n": ("qwen3-layers", ["--bits", "8"]),   # norms over heads, a ring in others
}
# Numbers that a file may hold and no quantizer chooses.
PATCHES = {"f": {"eps_ss": "3000000000"},
           "g": {"layers.1.hidden_shift": "33", "layers.0.attention_norm.shift": "33", "eps_ss": "1"}}
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
CHIP_RUNS = [  # without stalls the clocks are compared with the cycle model
    ["-p", "abc"],
    ["-p", "qm", "--stalls", "5", "--reset-at", "1111"],
    ["-p", "wertz", "--stalls", "8", "--reset-at", "3333"],
    ["-p", "", "--stalls", "9", "--reset-at", "500"],
    ["-p", "go", "--reset-at", "700"],
    ["-p", "hey", "--reset-at", "2600"],
    ["-p", "x", "--count", "3", "--repeat", "1"],
    ["-p", "e", "--stalls", "6", "--repeat", "1"],  # the story ends in design a
    ["-p", "b"],                                    # and here in b
    ["-p", "bcd", "--stalls", "2", "--count", "1", "--repeat", "2"],
    ["-p", ALPHABET + ALPHABET, "--any-length", "--stalls", "4", "--repeat", "1"],
]
SLICE_RUNS = [["-n", "20", "--random", "1"], ["-n", "20"],
              ["-n", "9", "--random", "2", "--stalls", "3", "--reset-at", "411"],
              ["-n", "9", "--random", "5", "--stalls", "7", "--reset-at", "77"],
              ["-n", "33", "--random", "9", "--stalls", "4"]]
# name: model, (rows, cols, vec, att_pos[, lane[, bank bytes[, self-test]]]), slice, runs. In the order in which
# mutants meet them.
DESIGNS = {
    "chip a": ("a", (8, 8, 4, 4), "chip", CHIP_RUNS),
    "chip b": ("b", (16, 8, 4, 8), "chip", CHIP_RUNS),
    "chip c": ("c", (8, 16, 8, 4), "chip", CHIP_RUNS),
    "layer": ("a", (16, 4, 4, 8), "layer:1", SLICE_RUNS),
    # more heads arrive in a clock than are copied; and nothing overlaps a single head
    "many heads": ("e", (16, 16, 16, 4), "op:attention:1", SLICE_RUNS),
    "one head": ("f", (8, 8, 8, 4), "op:attention:1", SLICE_RUNS),
    "swiglu": ("b", (8, 8, 4, 4), "op:swiglu:0", SLICE_RUNS),
    # rows and columns are no powers of two
    "multiply": ("a", (12, 20, 4, 4, "multiply"), "chip", CHIP_RUNS),
    "matrix": ("b", (8, 8, 8, 4), "matrix:layers.0.feed_forward.down:3-21", SLICE_RUNS),
    "matrix wo": ("a", (8, 8, 4, 4), "matrix:layers.0.attention.wo:2-13", SLICE_RUNS),
    # one word holds all activations: a product could start before they have arrived
    "one chunk": ("a", (8, 16, 4, 4), "matrix:layers.0.attention.wo:2-13", SLICE_RUNS),
    # the number of rows takes its whole field
    "all rows": ("v", (64, 4, 4, 4), "matrix:output", [["-n", "1", "--random", "1"]]),
    "argmax": ("b", (8, 8, 4, 4), "op:argmax", SLICE_RUNS),
    "ternary": ("t", (8, 8, 4, 4), "chip", CHIP_RUNS),
    "ternary layer": ("t", (16, 8, 8, 8), "layer:1", SLICE_RUNS),
    # one row block a matrix, whose drain takes longer than its words; the numbers of PATCHES
    "edges": ("g", (32, 8, 4, 4), "chip", CHIP_RUNS),
    "rmsnorm": ("g", (16, 16, 16, 4), "op:rmsnorm:1", SLICE_RUNS),
    "rmsnorm, large eps": ("f", (8, 8, 4, 4), "op:rmsnorm:1", SLICE_RUNS),
    "biases": ("q", (8, 8, 4, 4), "chip", CHIP_RUNS),
    "head norms": ("n", (8, 4, 4, 4), "chip", CHIP_RUNS),
    "banks": ("d", (16, 16, 4, 4), "chip", [["-p", c] for c in "afkp"]),  # tokens of either bank
    "groups": ("a", (8, 8, 4, 4, "select", 256), "chip", CHIP_RUNS[:1]),  # of 16 banks
    "self-test": ("a", (8, 8, 4, 4, "select", 4096, "on"), "chip", CHIP_RUNS[:4]),  # resets come in its middle
}
# Other clocks than the usual ones: the most registers; the shortest pipelines.
LATENCIES = {"chip c": "tree=1,compare=1,rom=4,score=7,weigh=8,drain=6,divide=5,issue=2,act=2", "edges": "least"}
# Every mutant meets the chips and the layer; these designs only where they can add something.
ONLY_FOR = {
    "many heads": {"attention.v", "max_tree.v", "kv_cache.v", "rope.v", "lerp.v", "msb.v", "engine.v"},
    "one head": {"attention.v", "kv_cache.v", "rope.v", "sequencer.v", "engine.v"},
    "swiglu": {"swiglu.v", "lerp.v", "engine.v"},
    "multiply": {"mac_array.v", "array.v", "add_tree.v", "engine.v", "embed.v", "divide.v", "act_buffer.v", "matvec.v", "drain.v"},
    "matrix": {"engine.v", "drain.v", "sequencer.v", "matvec.v", "slice.v"},
    "matrix wo": {"engine.v", "drain.v"},
    "one chunk": {"engine.v", "matvec.v"},
    "all rows": {"engine.v"},
    "argmax": {"argmax.v", "max_tree.v", "engine.v"},
    "ternary": {"side.v", "sequencer.v", "engine.v", "residual.v"},
    "ternary layer": {"side.v", "sequencer.v", "engine.v"},
    "edges": {"engine.v", "drain.v", "matvec.v", "rmsnorm.v", "rsqrt.v", "norm_elements.v", "swiglu.v", "round_shift.v",
              "shift_half.v", "round_saturate.v", "sequencer.v"},
    "rmsnorm": {"rmsnorm.v", "rsqrt.v", "norm_elements.v", "residual.v", "engine.v", "msb.v", "lerp.v"},
    "rmsnorm, large eps": {"rmsnorm.v", "rsqrt.v", "residual.v", "engine.v", "msb.v"},
    "biases": {"qkv.v", "chip.v", "engine.v", "kv_cache.v", "attention.v"},
    "head norms": {"head_norm.v", "rsqrt.v", "norm_elements.v", "qkv.v", "chip.v", "engine.v", "kv_cache.v", "sequencer.v"},
    "banks": {"rom_select.v", "embed.v"},
    "groups": {"rom_select.v"},
    "self-test": {"selftest.v", "crc32.v", "chip.v", "engine.v", "embed.v"},
}
FIRST = {"rom_select.v": ["groups", "banks"], "selftest.v": ["self-test"], "crc32.v": ["self-test"], "side.v": ["ternary", "ternary layer"],
         "mac_array.v": ["multiply"], "qkv.v": ["biases"], "head_norm.v": ["head norms"], "slice.v": ["layer", "matrix"]}


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:300]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


class Design:
    """An emitted design, its original C++ by Verilator, and the parts that all mutants share."""

    SEEDED = """// Every register starts with a value of its own, in every run with another one; in run 3
// all with zeros, in run 4 with ones.
#include <cstdlib>
#include "verilated.h"
static const char *const text = getenv("MUTANT_SEED");
static const int seed = text ? atoi(text) : 1;
static const bool seeded =
    (Verilated::randReset(seed == 3 ? 0 : seed == 4 ? 1 : 2), Verilated::randSeed(seed), true);
"""
    CXX = ["g++", "-std=gnu++17", "-O0", "-w", "-I/usr/share/verilator/include",
           "-I/usr/share/verilator/include/vltstd"]

    def __init__(self, name, work):
        model, geometry, self.slice, self.runs = DESIGNS[name]
        self.name, self.work = name, os.path.join(work, re.sub(r"\W+", "_", name))
        self.model = os.path.join(work, model)
        flags = [f for pair in zip(("--rows", "--cols", "--vec", "--att-pos", "--lane", "--bank-bytes", "--selftest"),
                                   map(str, geometry)) for f in pair]
        if name in LATENCIES:
            flags += ["--latency", LATENCIES[name]]
        must([f"{ROOT}/build/hardwire", "emit", self.model + ".st", "-o", self.work, "--slice",
              self.slice, *flags])
        with open(f"{self.work}/filelist.f") as file:
            self.files = [f for f in file.read().split() if f.endswith(".v")]
        self.define = [] if self.slice == "chip" else ["-DHW_SLICE"]
        self.runtime = os.path.join(work, "verilated.o")
        self.common = ["-include", f"{work}/common.h"]
        if not os.path.exists(self.runtime):
            seeded = os.path.join(work, "seeded.cpp")
            with open(seeded, "w") as file:
                file.write(self.SEEDED)
            parts = []
            for source in ["/usr/share/verilator/include/verilated.cpp", seeded]:
                parts.append(f"{work}/{os.path.basename(source)}.o")
                must(self.CXX + ["-O2", "-c", source, "-o", parts[-1]])
            if os.path.exists("/usr/share/verilator/include/verilated_threads.cpp"):
                parts.append(f"{work}/threads.o")
                must(self.CXX + ["-O2", "-c", "/usr/share/verilator/include/verilated_threads.cpp",
                                 "-o", parts[-1]])
            must(["ld", "-r", "-o", self.runtime, *parts])
            with open(f"{work}/common.h", "w") as file:
                file.write('#include "verilated.h"\n')
            must(self.CXX + ["-x", "c++-header", f"{work}/common.h", "-o", f"{work}/common.h.gch"])
        self.base = self.work + ".base"
        self.original = self.translate({}, self.base)
        assert self.original, f"{name} does not pass Verilator"
        with open(f"{self.base}/Vtap_top.h", "rb") as file:
            self.header = file.read()
        self.bench = self.work + ".bench.o"
        self.compile_bench(self.base, self.bench)
        self.limit = 60
        assert self.build(self.base), f"{name} does not compile"
        begin = os.times().children_user
        found = self.check(self.base)
        if found:
            sys.exit(f"{name}: the original fails: {found}")
        self.limit = 3 + 2 * int(os.times().children_user - begin)

    def compile_bench(self, cpp, to):
        must(self.CXX + [f"-I{ROOT}", f"-I{cpp}", *self.define, "-DHW_RESET_CLOCKS=1", "-O1",
                         "-c",
                         f"{ROOT}/sim/dut_verilator.cpp", "-o", to])

    def translate(self, changed, to):
        """Verilator's C++, with `changed` files (name: path) in place; a hash of it, or None."""
        shutil.rmtree(to, ignore_errors=True)
        sources = [changed.get(f, os.path.join(self.work, f)) for f in self.files]
        try:
            done = run(["verilator", "--cc", "-O3", "--x-assign", "fast", "--x-initial", "unique",
                        "--noassert", "-Wno-fatal", "-Wno-lint", "--top-module", "tap_top", "--Mdir", to,
                        *self.define, f"-I{self.work}/fabric", *sources, f"{ROOT}/sim/tap_top.v"],
                       timeout=120)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            return None
        total = hashlib.sha256()
        for path in sorted(glob.glob(f"{to}/*.cpp") + glob.glob(f"{to}/*.h")):
            with open(path, "rb") as file:
                total.update(os.path.basename(path).encode() + file.read())
        return total.hexdigest()

    def build(self, cpp):
        """Compiles the C++ of a directory to its program; one translation unit is quickest."""
        with open(f"{cpp}/all.cc", "w") as file:
            for path in sorted(glob.glob(f"{cpp}/*.cpp")):
                file.write(f'#include "{os.path.basename(path)}"\n')
        bench = self.bench
        with open(f"{cpp}/Vtap_top.h", "rb") as file:
            if file.read() != self.header:
                bench = f"{cpp}/bench.o"
                self.compile_bench(cpp, bench)
        done = run(self.CXX + self.common + [f"-I{cpp}", f"{cpp}/all.cc", bench, self.runtime,
                               f"{ROOT}/build/libhardwire.a", "-ljansson", "-lnettle", "-lm",
                               "-lpthread", "-o", f"{cpp}/cosim"])
        return done.returncode == 0

    def check(self, cpp):
        """What the runs find, or None. The design's directory is the original: the program is not."""
        for number, options in enumerate(self.runs, 1):
            command = [f"{cpp}/cosim", self.work, "-m", self.model + ".st", "--quiet", *options]
            if self.slice == "chip":
                command += ["-t", self.model + ".tok"]
            try:  # seconds of CPU, and a longer limit on a busy machine's clock
                done = run(command, timeout=20 * self.limit,
                           env={**os.environ, "MUTANT_SEED": str(number)},
                           preexec_fn=lambda: resource.setrlimit(
                               resource.RLIMIT_CPU, (self.limit, self.limit + 1)))
            except subprocess.TimeoutExpired:
                return "hangs"
            if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
                return "hangs"
            if done.returncode:
                said = [l for l in done.stderr.splitlines() if l]
                return said[0] if said else f"ends with status {done.returncode}"
        return None


# --- faults in templates ----------------------------------------------------------------------------

ASSIGN = re.compile(r"^\s*(?:\w+(?:\[[^=;?]*\])?|\{[^}=]*\})\s*(<=)[^;]*;?\s*(?://.*)?$")
SWAPS = {"+": "-", "-": "+", "&&": "||", "||": "&&", "&": "|", "|": "&", "==": "!=", "!=": "==",
         "<": "<=", "<=": "<", ">": ">=", ">=": ">", "<<": ">>", ">>": "<<", ">>>": ">>",
         "!": "", "~": "", "*": "+", "^": "|"}
OPERATOR = re.compile(r">>>|<<|>>|&&|\|\||==|!=|<=|>=|[-+&|<>!~*^](?![:&|])")
TERM = r"!?\w+(?:\[[^\]]*\])?(?: (?:==|!=|<|>|<=|>=) [\w'-]+)?"


# Widths say how much room there is: one bit more is no fault, and one less of a declaration is one only
# where the room is needed. Faults go where values are made.
NOT_HERE = re.compile(r"^\s*(?:wire|reg|output|input)\s+(?:wire\s+|reg\s+)?(?:signed\s+)?\[[^\]]*\]"
                      r"|\{\{\([^{}]*\)\{|\{\w+(?=\{)")
NARROWER = re.compile(r"^\s*localparam\s+\w*(?:_W|DEPTH|WORDS|LANES)\s*=|#\(\.")


def off_by_one(number, rng, down):
    """A neighbour of a literal, in its own base and width."""
    sized = re.fullmatch(r"(\d+)'([bdh])(\w+)", number)
    if not sized:
        return str(int(number) + (-1 if number != "0" and (down or rng.random() < 0.5) else 1))
    width, base, digits = int(sized.group(1)), sized.group(2), sized.group(3)
    radix = {"b": 2, "d": 10, "h": 16}[base]
    value = (int(digits, radix) + (1 if rng.random() < 0.5 else -1)) % (1 << width)
    text = {"b": f"{value:b}", "d": str(value), "h": f"{value:x}"}[base]
    return f"{width}'{base}{text}"


def condition(line):
    """Span of the condition of an `if` on this line, without the parentheses."""
    start = re.search(r"\bif \(", line)
    if not start:
        return None
    depth = 1
    for at in range(start.end(), len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            return start.end(), at
    return None


def mutations(line, rng):
    """(kind, changed line) for every fault this line can have."""
    code, _, remark = line.partition("//")
    code = code.rstrip()
    end = "  //" + remark if remark else ""
    found, nowhere = [], [m.span() for m in NOT_HERE.finditer(code)]
    down = NARROWER.search(code) is not None

    def change(kind, span, text):
        changed = code[:span[0]] + text + code[span[1]:]
        inside = any(n[0] <= span[0] < n[1] for n in nowhere)
        if changed != code and not inside:
            found.append((kind, changed + end))

    assign = ASSIGN.match(code)
    arrow = assign.start(1) if assign else -1
    for m in OPERATOR.finditer(code):
        if m.start() == arrow or code[m.end():m.end() + 1] == ":" or code[:m.start()].endswith("@"):
            continue
        change("operator", m.span(), SWAPS[m.group(0)])
    for m in re.finditer(r"(?<![\w'])(\d+'[bdh][0-9a-fA-F]+|\d+)(?![\w'])", code):
        change("constant", m.span(), off_by_one(m.group(0), rng, down))
    where = condition(code)
    if where:
        text = code[where[0]:where[1]]
        change("condition inverted", where, f"!({text})")
        change("condition dropped", where, "1'b1")
        change("condition never", where, "1'b0")
    for m in re.finditer(rf" (?:&&|\|\||\|) ({TERM})", code):
        change("term dropped", m.span(), "")
    for m in re.compile(rf"({TERM}) (?:&&|\|\||\|) ").finditer(code, arrow + 2 if assign else 0):
        change("term dropped", m.span(), "")
    for m in re.finditer(r"(?<!\^ 1'b1) \?", code):
        change("choice inverted", m.span(), " ^ 1'b1 ?")
    for m in re.finditer(r"\[([^\[\]:+]+)(:|\+:)", code):
        change("range", m.span(1), f"{m.group(1).strip()}-1")
    for m in re.finditer(r"\[([^\[\]]*?[^\[\]\s]) *\+:", code):
        change("range", m.span(1), f"{m.group(1)} + 1")
    if assign and code.endswith(";"):
        first = len(code) - len(code.lstrip())
        change("assignment dropped", (first, len(code)), ";")
    if re.match(r"^\s*(end )?else if ", code) is None and re.search(r"\bif \(", code) is None \
            and assign and code.endswith(";"):
        names = re.match(r"^\s*\{(\w+), (\w+)", code)
        if names:
            change("order", (names.start(1), names.end(2)), f"{names.group(2)}, {names.group(1)}")
    return found


def template_sites(name):
    """Every (line number, kind, line, changed line) of a template, and its lines of code."""
    with open(os.path.join(TEMPLATES, name)) as file:
        lines = file.read().split("\n")
    sites, size = [], 0
    for number, line in enumerate(lines, 1):
        code = line.partition("//")[0].strip()
        if not code or code.startswith(("`", "parameter", "module", "wire unused", "genvar", "input",
                                        "integer", "function")) or "wire unused" in code:
            continue
        size += 1
        # formulas follow the line, so that an edit elsewhere changes nothing here
        for kind, changed in mutations(line, random.Random(line)):
            sites.append((number, kind, line, changed))
    return sites, size


class Mutant:
    def __init__(self, file, number, kind, line, changed, text=None, design=None):
        self.file, self.number, self.kind = file, number, kind
        self.line, self.changed = line.strip(), changed.strip()
        self.text, self.design = text, design  # of a ROM: the whole file, and whose it is
        self.raw = changed

    def source(self):
        if self.text is not None:
            return self.text
        with open(os.path.join(TEMPLATES, self.file)) as file:
            lines = file.read().split("\n")
        lines[self.number - 1] = self.raw
        return "\n".join(lines)

    def key(self):
        return f"{self.file}: {self.line} => {self.changed}"

    def __str__(self):
        return f"{self.file}:{self.number}: {self.kind}: {self.line} => {self.changed}"


def template_mutants(seed, only=None):
    """For each template an endless supply in random order, as iterators, and its share."""
    supply, size = {}, {}
    for path in sorted(glob.glob(f"{TEMPLATES}/*.v")):
        name = os.path.basename(path)
        if only and name != only:
            continue
        sites, size[name] = template_sites(name)
        random.Random(f"{seed}/{name}").shuffle(sites)
        supply[name] = iter([Mutant(name, *s) for s in sites])
    return supply, size


# --- faults in ROMs -----------------------------------------------------------------------------------

WORD = re.compile(r"^( +\d+'d)(\d+)(: data <= \d+'h)([0-9a-f]+);$", re.M)


def rom_mutants(designs, seed):
    """An endless supply of faults in the ROMs of the chips."""
    rng = random.Random(f"{seed}/roms")
    while True:
        design = designs[rng.choice(["chip a", "chip b", "chip c"])]
        files = [f for f in design.files if f.startswith("personality/") or re.search(
            r"(exp2|recip|rsqrt|sigmoid)_rom", f)]
        file = rng.choice(files)
        with open(os.path.join(design.work, file)) as f:
            text = f.read()
        words = list(WORD.finditer(text))
        kind = rng.choice(["bit", "bit", "bit", "swapped", "shifted", "word"])
        w = rng.choice(words)
        if kind == "bit":
            width = int(w.group(3).split("<= ")[1].split("'")[0])
            bit = rng.randrange(width)
            new = f"{int(w.group(4), 16) ^ 1 << bit:0{len(w.group(4))}x}"
            change = text[:w.start(4)] + new + text[w.end(4):]
            say = f"word {w.group(2)} bit {bit}"
        elif kind == "swapped":
            v = rng.choice(words)
            if v.group(4) == w.group(4):
                continue
            a, b = sorted((v, w), key=lambda m: m.start())
            change = text[:a.start(4)] + b.group(4) + text[a.end(4):b.start(4)] + a.group(4) \
                + text[b.end(4):]
            say = f"words {a.group(2)} and {b.group(2)}"
        elif kind == "shifted":
            bits = int(words[0].group(1).strip().split("'")[0])
            say = "every word one address up"
            change = WORD.sub(lambda m: f"{m.group(1)}{(int(m.group(2)) + 1) % (1 << bits)}"
                              f"{m.group(3)}{m.group(4)};", text)
        else:
            new = f"{rng.getrandbits(4 * len(w.group(4))) >> 4:0{len(w.group(4))}x}"
            change = text[:w.start(4)] + new + text[w.end(4):]
            say = f"word {w.group(2)} random"
        if change != text:
            yield Mutant(file, text[:w.start()].count("\n") + 1, f"ROM {kind}", design.name, say,
                         change, design)


# --- running ------------------------------------------------------------------------------------------


class Result:
    def __init__(self, verdict, by="", why="", seconds=0.0):
        self.verdict, self.by, self.why, self.seconds = verdict, by, why, seconds


def judge(mutant, designs, work):
    """killed, survived, equal (proven), equivalent (same C++) or invalid."""
    begin = time.time()
    here = tempfile.mkdtemp(prefix="m.", dir=work)
    try:
        result = judge_in(mutant, designs, here)
    finally:
        shutil.rmtree(here, ignore_errors=True)
    result.seconds = time.time() - begin
    return result


def order(mutant, designs):
    if mutant.design:
        return [mutant.design]
    first = FIRST.get(mutant.file, [])
    return [designs[n] for n in first] + [
        d for n, d in designs.items()
        if n not in first and mutant.file in ONLY_FOR.get(n, {mutant.file})]


def judge_in(mutant, designs, here):
    path = os.path.join(here, os.path.basename(mutant.file))
    with open(path, "w") as file:
        file.write(mutant.source())
    name = mutant.file if mutant.design else f"fabric/{mutant.file}"
    same, asked = True, mutant.design is not None
    for number, design in enumerate(order(mutant, designs)):
        if number >= SIMULATED_FIRST and not asked and not same and mutant.file not in SLOW_PROMISES:
            asked = True
            promise = promise_broken_by(mutant, path, here)
            if promise:
                return Result("killed", "formal", promise)
        cpp = os.path.join(here, "cpp")
        hashed = design.translate({name: path}, cpp)
        if hashed is None:
            if same:
                return Result("invalid")
            return Result("killed", design.name, "does not compile")
        if hashed == design.original:
            continue
        same = False
        if not design.build(cpp):
            return Result("invalid")
        why = design.check(cpp)
        if why:
            return Result("killed", design.name, why)
    if mutant.design:
        return prove(mutant, path, here)
    if same:
        return Result("equivalent")
    promise = None if asked else promise_broken_by(mutant, path, here)
    if promise:
        return Result("killed", "formal", promise)
    how = equivalent(mutant.file, path, here)
    return Result("equal", "proof", how) if how else Result("survived")


def promise_broken_by(mutant, path, here):
    """A promise that the template keeps and the mutant at `path` does not, or None."""
    promise = broken_promise(mutant.file, path, here)
    return promise if promise and keeps_promises(mutant.file) else None


@functools.lru_cache(maxsize=None)
def keeps_promises(file):
    """Whether the template itself keeps its promises: what it breaks, too, tells nothing of a mutant."""
    with tempfile.TemporaryDirectory(prefix="promises.") as here:
        promise = broken_promise(file, os.path.join(TEMPLATES, file), here)
    if promise:
        print(f"{file}: the original breaks a promise, and its mutants are not asked: {promise}", flush=True)
    return promise is None


def prove(mutant, path, here):
    """A ROM fault that no run saw, against the file."""
    copy = os.path.join(here, "design")
    shutil.copytree(mutant.design.work, copy)
    shutil.copy(path, os.path.join(copy, mutant.file))
    done = run([sys.executable, os.path.join(HERE, "prove_roms.py"), "--roms-only", copy,
                mutant.design.model + ".st"])
    if done.returncode == 0:
        return Result("survived")
    return Result("killed", "ROM proof", (done.stdout + done.stderr).split("\n")[0])


class Score:
    """Draws mutants until `count` of them are killed, survive or are proven equal."""

    def __init__(self, args, designs, work):
        self.args, self.designs, self.work = args, designs, work
        self.lock = threading.Lock()
        self.killed, self.survived, self.explained = [], [], []
        self.equal, self.equivalent, self.invalid = [], [], 0
        self.by, self.seconds, self.seen = {}, 0.0, set()
        self.spare = iter(())  # where a small template has no more mutants
        self.reasons = {} if args.again else explanations()

    def one_place(self, supply):
        """Judges mutants of a supply until one is neither invalid nor equivalent."""
        while True:
            with self.lock:
                mutant = next(supply, None) or next(self.spare, None)
                if mutant is None:
                    return
                if str(mutant) in self.seen:
                    continue
                self.seen.add(str(mutant))
                # for one mutant: equal lines elsewhere differ
                reason = self.reasons.pop(mutant.key(), None)
            result = Result("explained", "", reason) if reason else judge(mutant, self.designs, self.work)
            with self.lock:
                self.count(mutant, result)
            if result.verdict in ("killed", "survived", "explained", "equal"):
                return

    def count(self, mutant, result):
        self.seconds += result.seconds
        if self.args.list:
            print(f"{result.verdict:<10} {result.seconds:5.1f} s  {mutant}"
                  + (f"  [{result.by}: {result.why[:110]}]" if result.by else ""), flush=True)
        if result.verdict == "killed":
            self.killed.append(mutant)
            self.by[result.by] = self.by.get(result.by, 0) + 1
        elif result.verdict == "survived":
            self.survived.append(mutant)
        elif result.verdict == "explained":
            self.explained.append((mutant, result.why))
        elif result.verdict == "equal":
            self.equal.append((mutant, result.why))
        elif result.verdict == "equivalent":
            self.equivalent.append(mutant)
        else:
            self.invalid += 1


def shares(count, size):
    """`count` places in proportion to size, the largest remainders first, at least one each."""
    whole = sum(size.values())
    share = {n: max(1, count * s // whole) for n, s in size.items()}
    rest = sorted(size, key=lambda n: (-(count * size[n] % whole), n))
    for name in rest[:max(0, count - sum(share.values()))]:
        share[name] += 1
    return share


def patch(path, fields):
    """Other numbers in the metadata of a quantized file (safetensors: length, JSON, data)."""
    with open(path, "rb") as file:
        raw = file.read()
    end = 8 + struct.unpack_from("<Q", raw)[0]
    header = json.loads(raw[8:end])
    header["__metadata__"].update(fields)
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + raw[end:])


def explanations(path=EXPLAINED):
    """key: reason, from the committed list."""
    reasons = {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    key, _, reason = line.rstrip("\n").partition("  # ")
                    reasons[key.strip()] = reason.strip()
    return reasons


def stale(path=EXPLAINED):
    """Prints the explained mutants that no template has. Returns how many there are."""
    supply, _ = template_mutants(1)
    known = {m.key() for mutants in supply.values() for m in mutants}
    gone = [key for key in explanations(path) if key not in known]
    for key in gone:
        print(f"stale: {key}")
    return len(gone)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="one template, or 'roms'")
    parser.add_argument("--again", metavar="FILE",
                        help="judge the mutants of a list like tests/mutants.explained instead")
    parser.add_argument("--list", action="store_true", help="a line for each mutant")
    parser.add_argument("--keep", help="a directory to work in, instead of a temporary one")
    parser.add_argument("--stale", action="store_true", help="only look for explanations of mutants that are gone")
    args = parser.parse_args()
    if args.stale:
        return min(1, stale())
    work = args.keep or tempfile.mkdtemp(prefix="mutants.")
    os.makedirs(work, exist_ok=True)
    begin = time.time()
    try:
        return score(args, work, begin)
    finally:
        if not args.keep:
            shutil.rmtree(work, ignore_errors=True)


def score(args, work, begin):
    for name, (shape, options) in MODELS.items():
        base, family = os.path.join(work, name), isinstance(shape, str)
        source = base + ("/model" if family else ".bin")
        if family:
            write_case(shape, base)
        else:
            (write_bitllama if name == "t" else write_checkpoint)(source, *shape)
        write_tokenizer(base + ".tok", VOCAB if family else shape[5])
        must([f"{ROOT}/build/hardwire", "quantize", source, "-o", base + ".st", "-q", *options])
        patch(base + ".st", PATCHES.get(name, {}))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        first = Design("chip a", work)  # makes the shared runtime
        rest = list(pool.map(lambda n: Design(n, work), list(DESIGNS)[1:]))
    designs = {d.name: d for d in [first, *rest]}
    print(f"{len(designs)} designs pass, {time.time() - begin:.0f} s; seed {args.seed}", flush=True)

    supply, size = template_mutants(args.seed, args.only)
    in_roms = args.count if args.only == "roms" else 0 if args.only else int(args.count * ROM_SHARE)
    places = [supply[n] for n, k in shares(args.count - in_roms, size).items() for _ in range(k)] \
        if size else []
    roms = rom_mutants(designs, args.seed)
    places += [roms] * in_roms
    if args.again:
        wanted = explanations(args.again)
        places = [iter([m]) for name in sorted(supply) for m in supply[name] if m.key() in wanted]
    s = Score(args, designs, work)
    if supply and not args.again:
        s.spare = supply[max(size, key=size.get)]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(s.one_place, places))
    return summary(s, begin)


def summary(s, begin):
    survived = len(s.survived) + len(s.explained)
    total = len(s.killed) + survived + len(s.equal)
    tried = total - len(s.explained) + len(s.equivalent) + s.invalid
    for mutant, how in sorted(s.equal, key=str):
        print(f"proven equal: {mutant}\n          by {how}")
    for mutant, reason in sorted(s.explained, key=str):
        print(f"explained: {mutant}\n          {reason}")
    for mutant in sorted(s.survived, key=str):
        print(f"survived: {mutant}")
    print("killed by: " + ", ".join(f"{n} {k}" for n, k in sorted(s.by.items(), key=lambda i: -i[1])))
    print(f"not counted: {len(s.equivalent)} equivalent (same C++), {s.invalid} that do not compile")
    cpu = os.times().children_user + os.times().children_system
    print(f"{s.seconds / max(1, tried):.1f} s a mutant ({cpu / max(1, tried):.1f} s of CPU), "
          f"{time.time() - begin:.0f} s in all")
    differ = total - len(s.equal)
    unexplained = 0 if s.args.again else len(s.survived)
    print(f"mutants: {total} total, {len(s.killed)} killed, {len(s.equal)} proven equal, "
          f"{survived} survived ({unexplained} unexplained): "
          f"{100 * len(s.killed) / max(1, differ):.1f}% of those not proven equal are killed")
    return 1 if unexplained or stale() else 0


if __name__ == "__main__":
    sys.exit(main())
