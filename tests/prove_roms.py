#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that the ROMs of an emitted design hold a quantized model, every bit of every word.

    tests/prove_roms.py DESIGN Q.safetensors

Yosys elaborates the Verilog; this script reads the netlist it leaves, works out what each ROM answers
at every address, one clock later, and compares that with what the model's file demands. It owns a
second statement of the ROM layout, made from the headers of rtl_templates/*.v and gen/chip/isa.h and
sharing no code with the emitter; the section LAYOUT below is that statement. Addresses of matrices
are not stated: they are taken from the program ROM, whose other fields are all proven, and then no two
matrices may overlap and every bit that belongs to none must be zero.

It refuses a design with a ROM, or a file in personality/, that it does not know.
Exit status: 0 proven, 1 a difference (named), 2 the proof could not be made.
"""
import argparse
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

GROUP = re.compile(r"_[gb][0-9]+\.v$")  # a module that joins banks, or macros of one; inside of a *_rom
SHOWN = 8  # differences named for one ROM; the rest are counted


class Refused(Exception):
    """The proof cannot be made: a file is not what it must be."""


# --- the quantized model --------------------------------------------------------------------------


class Tensor:
    """Integers of a safetensors file with their shape; at(i, j, ..) picks one."""

    KINDS = {"U8": ("B", 1), "I16": ("h", 2), "U16": ("H", 2)}

    def __init__(self, name, dtype, shape, data):
        if dtype not in self.KINDS:
            raise Refused(f"{name}: expected U8, I16 or U16, got {dtype}")
        letter, size = self.KINDS[dtype]
        if len(data) != size * math.prod(shape):
            raise Refused(f"{name}: {len(data)} bytes do not make {shape} of {dtype}")
        self.name, self.shape = name, shape
        self.values = struct.unpack(f"<{len(data) // size}{letter}", data)

    def at(self, *index):
        flat = 0
        for i, n in zip(index, self.shape):
            flat = flat * n + i
        return self.values[flat]


class Model:
    """safetensors: u64 length of the header, a JSON header, the data. Scalars: strings in
    __metadata__. Every tensor must be asked for before the proof counts as whole."""

    def __init__(self, path):
        with open(path, "rb") as file:
            raw = file.read()
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8:8 + length])
        data = raw[8 + length:]
        self.meta = header.pop("__metadata__")
        if self.meta.get("format") != "hardwire-qmodel-1":
            raise Refused(f"{path}: expected format hardwire-qmodel-1")
        self.tensors, end = {}, 0
        for name, t in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            first, last = t["data_offsets"]
            if first != end or last > len(data):
                raise Refused(f"{path}: {name}: data at {first}, expected {end}")
            self.tensors[name] = Tensor(name, t["dtype"], t["shape"], data[first:last])
            end = last
        if end != len(data):
            raise Refused(f"{path}: {len(data) - end} bytes belong to no tensor")
        self.unused = set(self.tensors)

    def set_context(self, seq_len, lo_w):
        """What a design with a shorter context (emit --ctx), or on a fabric that cuts positions elsewhere
        (emit --fabric), must hold: other rotation tables. lo_w: bits of the low part's address."""
        if not 0 < seq_len <= self.number("seq_len"):
            raise Refused(f"a context of {seq_len}, the model has {self.number('seq_len')}")
        own = [((n - 1).bit_length() + 1) // 2 for n in (seq_len, self.number("seq_len"))]
        self.lo_bits = lo_bits = own[0] if max(1, own[0]) == lo_w else lo_w
        if seq_len == self.number("seq_len") and lo_bits == own[1]:
            return
        self.meta["seq_len"] = str(seq_len)
        rows = {"lo": 1 << lo_bits, "hi": (seq_len + (1 << lo_bits) - 1) >> lo_bits}
        divisor = [float(d) for d in self.meta.get("rope_divisors", "").split()] or [1.0] * (self.number("head_dim") // 2)
        for part, unit in (("hi", 1 << lo_bits), ("lo", 1)):
            for name, f in (("cos", math.cos), ("sin", math.sin)):
                values = [math.floor(f(p * unit * float(self.meta["rope_base"]) ** (-i / len(d)) / d[i]) * 16384 + 0.5)
                          for d in [divisor] for p in range(rows[part]) for i in range(len(d))]
                self.tensors[f"rope.{part}_{name}"] = Tensor(f"rope.{part}_{name}", "I16", [rows[part], len(divisor)],
                                                             struct.pack(f"<{len(values)}h", *values))

    def number(self, name):
        return int(self.meta[name])

    def tensor(self, name):
        self.unused.discard(name)
        return self.tensors[name]


class Matrix:
    """Codes [planes][rows][columns], levels [planes][2^code_bits], a scale word a row."""

    def __init__(self, model, name):
        self.name = name
        self.codes = model.tensor(f"{name}.codes")
        self.levels = model.tensor(f"{name}.levels")
        self.scale = model.tensor(f"{name}.scale")
        self.planes, self.n_out, self.n_in = self.codes.shape
        self.shift = model.number(f"{name}.shift")
        levels = [self.planes, 1 << model.number("code_bits")]
        if self.planes != model.number(f"{name}.planes") or self.levels.shape != levels \
                or self.scale.shape != [self.n_out]:
            raise Refused(f"{name}: the shapes of codes, levels and scale do not agree")


# --- LAYOUT -----------------------------------------------------------------------------------------
#
# weight  One word meets COLS activations with ROWS rows (msa_array.v: code, row major): the code of
#         row r of the block and column c of the chunk is bits [(r*COLS+c)*CODE_W +: CODE_W]. Words
#         follow each other as matvec.v issues them: for each block of ROWS rows, for each plane, for
#         each chunk of COLS columns. The tied classifier serves as embedding (embed.v).
# level   One word a plane (msa_array.v: level, signed, 8 bits each): level k in bits [k*8 +: 8].
# scale   VEC rows a word (drain.v): row r in bits [r%VEC*12 +: 12], {exp[3:0], mant[7:0]}.
# gain    VEC elements a word (rmsnorm.v: gain_data): element i in bits [i%VEC*16 +: 16], signed.
# rope_hi, rope_lo   (rope_angles.v) address {part of the position, pair}, word {sin, cos}, Q1.14,
#         position = hi * 2^ROPE_LO_W + lo.
# program 160 bits an instruction, the fields of each operation as in docs/isa.md; other bits are zero.
# exp2, recip, rsqrt, sigmoid   (lerp.v) {step[11:0], base[15:0]}: base = 32768 f(i) rounded, step =
#         base of i + 1 less base of i, with f: 2^-(i/64); 1 / (1 + i/64); 1 / sqrt(i/32) from i = 32 on,
#         zero before (rmsnorm.v: m >= 1); 1 / (1 + e^-(i/8)).

INSN_BITS = 160
FIELDS = {  # of each operation: least significant bit, width
    "every": {"op": (0, 5), "sample_only": (5, 1)},
    "END": {"positions": (61, 20), "ring": (81, 20)},
    "EMBED": {"planes": (18, 3), "shift": (21, 6), "weight": (33, 28), "dim": (61, 20),
              "chunks": (81, 12), "block_words": (93, 14), "scale": (107, 20), "level": (127, 12),
              "vocab": (139, 20)},
    "NORM": {"target": (14, 4), "gain_shift": (21, 6), "eps": (33, 32), "elements": (65, 20),
             "gain": (85, 20)},
    "MATVEC": {"dest": (9, 5), "source": (14, 4), "planes": (18, 3), "shift": (21, 6),
               "hidden_shift": (27, 6), "weight": (33, 28), "rows": (61, 20), "chunks": (81, 12),
               "last_cols": (93, 12), "scale": (105, 20), "level": (125, 12)},
    "ATTN": {"score_shift": (21, 6), "att_shift": (27, 3), "kv_row": (33, 20), "heads": (61, 12),
             "group_heads": (81, 12), "kv_heads": (93, 12), "kv_step": (105, 12), "window": (117, 20),
             "biased": (137, 1), "bias": (138, 20)},
    "RECV": {"dest": (9, 5), "target": (14, 4), "hidden_shift": (27, 6), "rows": (61, 20)},
    "HEADS": {"k_shift": (21, 6), "q_shift": (27, 6), "k_eps": (33, 32), "q_eps": (65, 32),
              "gain": (97, 20)},
}
OPERATIONS = END, EMBED, NORM, MATVEC, ATTN, RECV, HEADS = (
    "END", "EMBED", "NORM", "MATVEC", "ATTN", "RECV", "HEADS")
INIT, ADD, K, Q, V, HIDDEN, LOGITS, ACT = range(8)
X, A, H = range(3)


class Content:
    """What a ROM must hold: words, and for each what its bits mean."""

    def __init__(self, kind, addr_bits, width):
        self.kind, self.addr_bits, self.width = kind, addr_bits, width
        self.words = {}    # address: (value, describe)
        self.spans = []    # (first, words, owner)

    def claim(self, first, count, owner):
        if first + count > 1 << self.addr_bits:
            raise Refused(f"{self.kind} ROM: {owner} at words {first}-{first + count - 1} is outside")
        for start, n, other in self.spans:
            if first < start + n and start < first + count:
                raise Refused(f"{self.kind} ROM: {owner} and {other} overlap at {first}, {start}")
        self.spans.append((first, count, owner))

    def put(self, address, values, bits, describe):
        """values: the fields of the word, `bits` each, the first in the low bits."""
        text = "".join(format(v & (1 << bits) - 1, f"0{bits}b") for v in reversed(values))
        self.words[address] = (int(text, 2), bits, describe)

    def expected(self, address):
        return self.words.get(address, (0, self.width, None))

    def used_bits(self):
        return len(self.words) * self.width


class Layout:
    """The contents of all ROMs: the rules above, the model, and the addresses in the program."""

    def __init__(self, model, geometry, slice_name, program):
        self.m, self.g, self.slice, self.read_program = model, geometry, slice_name, program
        g = geometry
        half_w = (g["HEAD_DIM"] // 2 - 1).bit_length()
        shape = {
            "weight": (g["WEIGHT_ADDR_W"], g["ROWS"] * g["COLS"] * g["CODE_W"]),
            "scale": (g["SCALE_ADDR_W"], g["VEC"] * 12),
            "level": (g["LEVEL_ADDR_W"], 8 << g["CODE_W"]),
            "gain": (g["GAIN_ADDR_W"], g["VEC"] * 16),
            "rope_hi": (g["ROPE_HI_W"] + half_w, 32),
            "rope_lo": (g["ROPE_LO_W"] + half_w, 32),
            "program": (g["PROG_ADDR_W"], INSN_BITS),
            "exp2": (6, 28), "recip": (6, 28), "rsqrt": (7, 28), "sigmoid": (7, 28),
        }
        self.rom = {kind: Content(kind, *s) for kind, s in shape.items()}
        self.placed = {}
        self.n_insns = 0
        for key, code_w in (("code_bits", "CODE_W"), ("act_bits", "ACT_W"), ("kv_bits", "KV_W"),
                            ("res_bits", "RES_W"), ("head_dim", "HEAD_DIM")):
            if model.number(key) != g[code_w]:
                raise Refused(f"geometry.vh says {code_w} {g[code_w]}, the model {model.number(key)}")
        self.sub_norm, self.qkv_bias, self.qk_norm = (
            int(model.meta.get(key, 0)) for key in ("sub_norm", "qkv_bias", "qk_norm"))
        for key, value in (("SUB_NORM", self.sub_norm), ("QK_NORM", self.qk_norm)):
            if value != g[key]:
                raise Refused(f"geometry.vh says {key} {g[key]}, the model {value}")
        if self.qkv_bias > g["QKV_BIAS"]:
            raise Refused("geometry.vh says QKV_BIAS 0, the model has biases")
        self.window = int(model.meta.get("window", 0))
        if self.window and not g["WINDOW"]:
            raise Refused("geometry.vh says WINDOW 0, the model has one")
        self.functions()
        self.rope()
        self.program()

    # Function tables.
    def functions(self):
        curves = {"exp2": lambda i: 2.0 ** (-i / 64), "recip": lambda i: 1 / (1 + i / 64),
                  "rsqrt": lambda i: 1 / math.sqrt(i / 32) if i >= 32 else None,
                  "sigmoid": lambda i: 1 / (1 + math.exp(-i / 8))}
        for kind, f in curves.items():
            rom = self.rom[kind]
            n = 1 << rom.addr_bits
            rom.claim(0, n, kind)
            for i in range(n):
                here = f(i)
                base = 0 if here is None else math.floor(here * 32768 + 0.5)
                step = 0 if here is None else math.floor(f(i + 1) * 32768 + 0.5) - base
                rom.put(i, [base | (step & 0xfff) << 16], 28, lambda k, i=i: f"entry {i}")

    # Rotation tables: the file's, and those again from math.cos and math.sin.
    def rope(self):
        half, base = self.g["HEAD_DIM"] // 2, float(self.m.meta["rope_base"])
        divisor = [float(d) for d in self.m.meta.get("rope_divisors", "").split()] or [1.0] * half
        for part, unit in (("hi", 1 << self.m.lo_bits), ("lo", 1)):
            cos, sin = self.m.tensor(f"rope.{part}_cos"), self.m.tensor(f"rope.{part}_sin")
            n = cos.shape[0]
            rom = self.rom[f"rope_{part}"]
            rom.claim(0, n * half, f"rope.{part}")
            for p in range(n):
                for i in range(half):
                    angle = p * unit * base ** (-i / half) / divisor[i]
                    for t, f in ((cos, math.cos), (sin, math.sin)):
                        want = math.floor(f(angle) * 16384 + 0.5)
                        if t.at(p, i) != want:
                            raise Refused(f"{t.name}[{p}][{i}]: the file says {t.at(p, i)}, "
                                          f"{f.__name__} {want}")
                    rom.put(p * half + i, [cos.at(p, i), sin.at(p, i)], 16,
                            lambda k, part=part, p=p, i=i:
                            f"rope.{part}_{('cos', 'sin')[k]}[{p}][{i}]")

    # --- program ---

    def insn(self, name, op, **fields):
        """The next instruction: every field not given is zero, one given as None is an address and
        taken from the ROM. Returns the addresses."""
        at = self.n_insns
        self.n_insns += 1
        word = self.read_program(at)
        fields["op"] = OPERATIONS.index(op)
        value, taken, names, covered = 0, {}, [], 0
        for field, (lsb, width) in {**FIELDS["every"], **FIELDS[op]}.items():
            want = fields.pop(field, 0)
            if want is None:
                want = taken[field] = word >> lsb & (1 << width) - 1
            if not 0 <= want < 1 << width:
                raise Refused(f"program: {name}: {field} = {want} does not fit {width} bits")
            value |= want << lsb
            covered |= ((1 << width) - 1) << lsb
            names.append((lsb, width, field))
        # bits between fields must be zero
        lsb = 0
        while lsb < INSN_BITS:
            width = 0
            while lsb + width < INSN_BITS and not covered >> lsb + width & 1:
                width += 1
            if width > 0:
                names.append((lsb, width, f"bits {lsb + width - 1}:{lsb}, which no field covers"))
            lsb += width + 1
        assert not fields
        self.rom["program"].claim(at, 1, name)
        self.rom["program"].words[at] = (value, names, lambda k: f"instruction {at} ({name})")
        return taken

    # Over the residual, or with a region over what attention (A) or SwiGLU (H) made. With norms of
    # both kinds each in a layer has an epsilon of its own, else all have the final norm's.
    def norm(self, name, sample_only=0, region=X):
        gain = self.m.tensor(f"{name}.gain")
        dim = (self.m.number("dim"), self.m.number("n_heads") * self.m.number("head_dim"),
               self.m.number("hidden_dim"))[region]
        eps = self.m.meta[f"{name}.eps_ss" if self.sub_norm and name != "norm" else "eps_ss"]
        at = self.insn(name, NORM, sample_only=sample_only, gain_shift=self.m.number(f"{name}.shift"),
                       target=region, elements=dim, gain=None, eps=int(eps))["gain"]
        self.halves(gain, dim, at)

    def halves(self, tensor, n, at):
        """A vector of n values of 16 bits in the gain ROM, from this address on."""
        rom, vec = self.rom["gain"], self.g["VEC"]
        if tensor.shape != [n]:
            raise Refused(f"{tensor.name}: expected {n} values, got {tensor.shape}")
        rom.claim(at, n // vec, tensor.name)
        for i in range(0, n, vec):
            rom.put(at + i // vec, tensor.values[i:i + vec], 16,
                    lambda k, i=i: f"{tensor.name}[{i + k}]")

    def place(self, matrix, first, last, at):
        """Rows first..last-1 of a matrix at these addresses, once."""
        where = (at["weight"], at["scale"], at["level"])
        if self.placed.setdefault((matrix.name, first, last), where) != where:
            raise Refused(f"program: {matrix.name} is read at two places")
        if ("done", matrix.name, first, last) in self.placed:
            return
        self.placed["done", matrix.name, first, last] = True
        self.place_codes(matrix, first, last, at["weight"])
        rom, vec = self.rom["scale"], self.g["VEC"]
        rom.claim(at["scale"], -(-(last - first) // vec), matrix.name)
        for r in range(first, last, vec):
            rom.put(at["scale"] + (r - first) // vec, matrix.scale.values[r:min(r + vec, last)],
                    12, lambda k, r=r: f"{matrix.scale.name}, row {r + k}")
        rom = self.rom["level"]
        rom.claim(at["level"], matrix.planes, matrix.name)
        n = 1 << self.g["CODE_W"]
        for p in range(matrix.planes):
            rom.put(at["level"] + p, matrix.levels.values[p * n:(p + 1) * n], 8,
                    lambda k, p=p: f"{matrix.levels.name}, plane {p}, level {k}")

    def place_codes(self, matrix, first, last, at):
        rows, cols, rom = self.g["ROWS"], self.g["COLS"], self.rom["weight"]
        n_in, codes = matrix.n_in, matrix.codes.values
        blocks, chunks = -(-(last - first) // rows), -(-n_in // cols)
        rom.claim(at, blocks * matrix.planes * chunks, matrix.name)
        for block in range(blocks):
            top = first + block * rows
            for plane in range(matrix.planes):
                for chunk in range(chunks):
                    left = chunk * cols
                    here = min(cols, n_in - left)
                    word = []
                    for r in range(top, min(top + rows, last)):
                        begin = (plane * matrix.n_out + r) * n_in + left
                        word += codes[begin:begin + here] + (0,) * (cols - here)
                    rom.put(at, word, self.g["CODE_W"],
                            lambda k, plane=plane, top=top, left=left: f"{matrix.codes.name}, plane "
                            f"{plane}, row {top + k // cols}, column {left + k % cols}")
                    at += 1

    def matvec(self, name, dest, region=X, hidden_shift=0, sample_only=0, rows=None, title=None):
        matrix = Matrix(self.m, name)
        first, last = rows or (0, matrix.n_out)
        chunks = -(-matrix.n_in // self.g["COLS"])
        at = self.insn(title or name, MATVEC, dest=dest, source=region, sample_only=sample_only,
                       planes=matrix.planes, shift=matrix.shift, hidden_shift=hidden_shift,
                       weight=None, rows=last - first, chunks=chunks, scale=None, level=None,
                       last_cols=matrix.n_in - (chunks - 1) * self.g["COLS"])
        self.place(matrix, first, last, at)

    def windowed(self, layer):
        return self.window and self.m.meta["windowed"][layer] == "1"

    def kv_step(self, layer):
        """Rows of the KV cache for a head: a layer with a window keeps that alone."""
        kept = self.window if self.windowed(layer) else self.m.number("seq_len")
        return -(-kept // self.g["KV_CTX"])

    # The norms of a head of K and of Q, whose gains lie side by side.
    def head_norms(self, layer):
        p, n = f"layers.{layer}.attention.", self.m.number("head_dim")
        at = self.insn(p + "head_norms", HEADS, gain=None, **{
            f"{x}_{field}": int(self.m.meta[f"{p}{x}_norm.{key}"])
            for x in "kq" for field, key in (("shift", "shift"), ("eps", "eps_ss"))})["gain"]
        for i, x in enumerate("kq"):
            self.halves(self.m.tensor(f"{p}{x}_norm.gain"), n, at + i * n // self.g["VEC"])

    def attention(self, layer, fed=False):
        kv_heads, heads = self.m.number("n_kv_heads"), self.m.number("n_heads")
        biased = self.qkv_bias and not fed
        at = self.insn(f"layers.{layer}.attention", ATTN,
                       score_shift=self.layer_number(layer, "score_shift"),
                       att_shift=self.layer_number(layer, "att_shift"),
                       kv_row=sum(kv_heads * self.kv_step(l) for l in range(layer)),
                       heads=heads, group_heads=heads // kv_heads, kv_heads=kv_heads,
                       kv_step=self.kv_step(layer), window=self.window if self.windowed(layer) else 0,
                       biased=biased, bias=None if biased else 0).get("bias")
        for name, count in ("bk", kv_heads), ("bq", heads), ("bv", kv_heads):
            if biased: # in the order of the rows
                n = count * self.m.number("head_dim")
                self.halves(self.m.tensor(f"layers.{layer}.attention.{name}"), n, at)
                at += n // self.g["VEC"]

    def layer_number(self, layer, name):
        return self.m.number(f"layers.{layer}.{name}")

    def layer(self, l):
        p = f"layers.{l}."
        self.norm(p + "attention_norm")
        if self.qk_norm:
            self.head_norms(l)
        self.attention(l)
        self.matvec(p + "attention.wk", K)
        self.matvec(p + "attention.wq", Q)
        self.matvec(p + "attention.wv", V)
        if self.sub_norm:
            self.norm(p + "attention.sub_norm", region=A)
        self.matvec(p + "attention.wo", ADD, region=A)
        self.norm(p + "ffn_norm")
        self.matvec(p + "feed_forward.gate_up", HIDDEN, hidden_shift=self.layer_number(l, "hidden_shift"))
        if self.sub_norm:
            self.norm(p + "feed_forward.sub_norm", region=H)
        self.matvec(p + "feed_forward.down", ADD, region=H)

    def recv(self, dest, rows, region=X, hidden_shift=0):
        self.insn("recv", RECV, dest=dest, target=region, rows=rows, hidden_shift=hidden_shift)

    def chip(self):
        embed = Matrix(self.m, "tok_embeddings")
        chunks = -(-embed.n_in // self.g["COLS"])
        at = self.insn("tok_embeddings", EMBED, planes=embed.planes,
                       shift=self.m.number("embed_shift"), weight=None, dim=embed.n_in,
                       chunks=chunks, scale=None, level=None,
                       block_words=chunks * embed.planes, vocab=embed.n_out)
        self.place(embed, 0, embed.n_out, at)
        for l in range(self.m.number("n_layers")):
            self.layer(l)
        self.norm("norm", sample_only=1)
        tied = self.m.number("tied")
        self.matvec("tok_embeddings" if tied else "output", LOGITS, sample_only=1, title="output")
        if self.m.unused:
            raise Refused(f"tensors that no ROM holds: {', '.join(sorted(self.m.unused))}")

    def matrix_slice(self, spec):
        name, _, rows = spec.partition(":")
        rows = tuple(map(int, rows.split("-"))) if rows else None
        if name == "output" and self.m.number("tied"):
            name = "tok_embeddings"
        region = A if name.endswith("wo") else H if name.endswith("down") else X
        self.recv(ACT, Matrix(self.m, name).n_in, region)
        self.matvec(name, LOGITS, region=region, rows=rows)

    def operator_slice(self, op, l):
        head_dim, dim = self.m.number("head_dim"), self.m.number("dim")
        kv_dim = self.m.number("n_kv_heads") * head_dim
        if op == "rmsnorm":
            self.recv(INIT, dim)
            self.norm(f"layers.{l}.attention_norm")
        elif op == "attention":
            if self.qk_norm:
                self.head_norms(l)
            self.attention(l, fed=True)
            self.recv(K, kv_dim)
            self.recv(Q, self.m.number("n_heads") * head_dim)
            self.recv(V, kv_dim)
        elif op == "swiglu":
            self.recv(HIDDEN, 2 * self.m.number("hidden_dim"),
                      hidden_shift=self.layer_number(l, "hidden_shift"))
        elif op == "argmax":
            self.recv(LOGITS, self.m.number("vocab_size"))
        else:
            raise Refused(f"slice op:{op} is unknown")

    def program(self):
        kind, _, rest = self.slice.partition(":")
        if self.slice == "chip":
            self.chip()
        elif kind == "layer":
            self.recv(INIT, self.m.number("dim"))
            self.layer(int(rest))
        elif kind == "matrix":
            self.matrix_slice(rest)
        elif kind == "op":
            op, _, l = rest.partition(":")
            self.operator_slice(op, int(l or 0))
        else:
            raise Refused(f"slice {self.slice} is unknown")
        self.insn("end", END, positions=self.m.number("seq_len"), ring=self.window)


# --- the netlist ------------------------------------------------------------------------------------


class Netlist:
    """A ROM module as Yosys left it: memories, registers and a little logic. read(address) is what
    stands at `data` a clock after `addr`; anything that is not such a ROM is refused."""

    def __init__(self, name, module):
        self.name, self.driver, self.cells = name, {}, {}
        ports = module["ports"]
        if sorted(ports) != ["addr", "clk", "data", "re"]:
            raise Refused(f"{name}: expected ports clk, re, addr, data, got {sorted(ports)}")
        self.clk = ports["clk"]["bits"]
        self.addr_bits, self.width = len(ports["addr"]["bits"]), len(ports["data"]["bits"])
        for i, bit in enumerate(ports["addr"]["bits"]):
            self.driver[bit] = ("addr", None, i)
        self.driver[ports["re"]["bits"][0]] = ("re", None, 0)
        for cell_name, cell in module["cells"].items():
            outputs = [p for p, d in cell["port_directions"].items() if d == "output"]
            for port in outputs:
                for i, bit in enumerate(cell["connections"][port]):
                    self.driver[bit] = (cell_name, port, i)
            self.cells[cell_name] = Cell(cell_name, cell)
        self.data = self.runs(ports["data"]["bits"])
        self.memories = [c for c in self.cells.values() if c.type == "$mem_v2"]
        for c in self.cells.values():
            if c.type in (*REGISTERS, "$mem_v2"):
                self.check_clocked(c)
            if c.type in REGISTERS:
                c.inputs = {"EN": self.runs(c.bits["EN"])} if c.type == "$dffe" else {}
            else:
                c.inputs = {p: self.runs(b) for p, b in c.bits.items() if c.directions[p] == "input"}

    def runs(self, bits):
        """A vector as pieces (position, source, port, first bit, width, constant)."""
        pieces = []
        for at, bit in enumerate(bits):
            if bit in ("0", "1"):
                key = ("const", int(bit), None)
            elif bit in self.driver:
                key = self.driver[bit]
            elif self.clk == [bit]:
                key = ("clk", None, 0)
            else:
                key = ("nothing", None, 0)
            last = pieces[-1] if pieces else None
            if last and key[0] not in ("const", "nothing") and last[1:3] == list(key[:2]) \
                    and last[3] + last[4] == key[2]:
                last[4] += 1
            else:
                pieces.append([at, key[0], key[1], key[2], 1])
        return pieces

    def check_clocked(self, c):
        if c.type in REGISTERS:
            good = c.bits["CLK"] == self.clk and c.number("CLK_POLARITY") == 1 \
                and (c.type == "$dff" or c.number("EN_POLARITY") == 1)
        else:
            good = c.number("WR_PORTS") == 0 and c.number("RD_PORTS") == 1 \
                and c.number("OFFSET") == 0
            if c.registered:
                good = good and c.bits["RD_CLK"] == self.clk and c.bits["RD_ARST"] == ["0"] \
                    and c.bits["RD_SRST"] == ["0"] and c.number("RD_CLK_POLARITY") == 1
        if not good:
            raise Refused(f"{self.name}: {c.name}: not a plain register or ROM of one read port")

    # Evaluation, lazily and backwards: `now` remembers what cells put out in a clock, registers ask
    # the clock before it.
    def value(self, pieces, env):
        total = 0
        for at, source, port, first, width in pieces:
            if source == "const":
                total |= port << at
                continue
            if source in ("addr", "re"):
                if env[source] is None:
                    raise Refused(f"{self.name}: data depends on the {source} of its own clock")
                word = env[source]
            elif source in ("clk", "nothing"):
                raise Refused(f"{self.name}: a bit of the data comes from {source}")
            else:
                word = self.output(self.cells[source], first, width, env)
            total |= (word >> first & (1 << width) - 1) << at
        return total

    def output(self, c, first, width, env):
        """The output of a cell; of a register only the bits asked for (others may hang loose)."""
        key = (c.name, first, width) if c.type in REGISTERS else c.name
        if key not in env["now"]:
            if c.registered and env["before"] is None:
                raise Refused(f"{self.name}: data is later than one clock")
            inputs_at = env["before"] if c.registered else env
            if c.registered and not self.enabled(c, inputs_at):
                raise Refused(f"{self.name}: data comes from {c.name}, whose enable was low")
            if c.type in REGISTERS:
                if key not in c.inputs:
                    c.inputs[key] = self.runs(c.bits["D"][first:first + width])
                env["now"][key] = self.value(c.inputs[key], inputs_at) << first
            elif c.type in ("$mux", "$pmux"):  # only what is picked is looked at
                env["now"][key] = self.value(self.picked(c, self.value(c.inputs["S"], env)), env)
            elif c.type == "$mem_v2":
                env["touched"].append(c)
                env["now"][key] = c.word(self.value(c.inputs["RD_ADDR"], inputs_at))
            else:
                env["now"][key] = c.compute({p: self.value(v, env) for p, v in c.inputs.items()})
        return env["now"][key]

    def enabled(self, c, env):
        """Whether a register or a memory takes what is there."""
        port = "RD_EN" if c.type == "$mem_v2" else "EN"
        return port not in c.inputs or self.value(c.inputs[port], env) == 1

    def at_rest(self, address):
        """With `re` low: no memory reads and no register moves."""
        env = {"addr": address, "re": 0, "now": {}, "before": None, "touched": []}
        return not any(self.enabled(c, env) for c in self.cells.values() if c.registered)

    def picked(self, c, s):
        """The word of B whose bit of S is set, A where none is."""
        if s & s - 1:
            raise Refused(f"{c.name}: two cases at once")
        if s not in c.words:
            width, k = len(c.bits["Y"]), s.bit_length() - 1
            c.words[s] = self.runs(c.bits["B"][k * width:(k + 1) * width]) if s else c.inputs["A"]
        return c.words[s]

    def read(self, address):
        """The word, and the memories it came from."""
        touched = []
        before = {"addr": address, "re": 1, "now": {}, "before": None, "touched": touched}
        after = {"addr": None, "re": None, "now": {}, "before": before, "touched": touched}
        return self.value(self.data, after), touched


class Cell:
    def __init__(self, name, cell):
        self.name, self.type = name, cell["type"]
        self.bits, self.directions = cell["connections"], cell["port_directions"]
        self.parameters, self.inputs, self.words = cell["parameters"], {}, {}
        self.file = cell["attributes"].get("src", "?").split("|")[-1].rsplit(":", 1)[0]
        self.registered = self.type in REGISTERS
        if self.type == "$mem_v2":
            self.registered = bool(self.number("RD_CLK_ENABLE"))
            self.size, self.width = self.number("SIZE"), self.number("WIDTH")
            self.init = self.parameters["INIT"]
            if len(self.init) != self.size * self.width or set(self.init) - {"0", "1"}:
                raise Refused(f"{name}: contents not fully defined")
        elif self.type not in (*REGISTERS, "$mux", "$pmux", *COMPUTE):
            raise Refused(f"{name}: a ROM with a cell of type {self.type} is not understood")

    def number(self, parameter):
        return int(self.parameters[parameter], 2)

    def word(self, address):
        if address >= self.size:
            raise Refused(f"{self.name}: address {address} is outside the {self.size} words")
        end = len(self.init) - address * self.width
        return int(self.init[end - self.width:end], 2)

    def compute(self, v):
        # operands of arithmetic as signed numbers where the cell says so
        for port in ("A", "B"):
            if port in v and self.parameters.get(f"{port}_SIGNED", "0")[-1] == "1":
                width = len(self.bits[port])
                v[port] -= (v[port] >> width - 1) << width
        result = COMPUTE[self.type](self, v)
        return result & (1 << len(self.bits["Y"])) - 1


REGISTERS = "$dff", "$dffe"
COMPUTE = {
    "$eq": lambda c, v: int(v["A"] == v["B"]), "$ne": lambda c, v: int(v["A"] != v["B"]),
    "$not": lambda c, v: ~v["A"], "$logic_not": lambda c, v: int(v["A"] == 0),
    "$and": lambda c, v: v["A"] & v["B"], "$or": lambda c, v: v["A"] | v["B"],
    "$reduce_or": lambda c, v: int(v["A"] != 0), "$reduce_bool": lambda c, v: int(v["A"] != 0),
    "$logic_and": lambda c, v: int(v["A"] != 0 and v["B"] != 0),
    "$reduce_and": lambda c, v: int(v["A"] == (1 << len(c.bits["A"])) - 1),
    "$add": lambda c, v: v["A"] + v["B"], "$mul": lambda c, v: v["A"] * v["B"],
    "$shl": lambda c, v: v["A"] << v["B"],
    "$shiftx": lambda c, v: v["A"] >> v["B"] if v["B"] >= 0 else v["A"] << -v["B"],
}

# --- the design -------------------------------------------------------------------------------------


class Design:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "manifest.json")) as file:
            manifest = json.load(file)
        self.slice, self.seq_len = manifest["slice"], manifest["model"]["seq_len"]
        with open(os.path.join(path, "filelist.f")) as file:
            self.files = [line.strip() for line in file if line.strip().endswith(".v")]
        with open(os.path.join(path, "fabric", "geometry.vh")) as file:
            self.geometry = {name: int(value) for name, value in
                             re.findall(r"^`define HW_(\w+) (\d+)$", file.read(), re.M)}
        self.module_file = {}
        for name in self.files:
            with open(os.path.join(path, name)) as file:
                for module in re.findall(r"^\s*module\s+(\w+)", file.read(), re.M):
                    self.module_file[module] = name
        self.macros = []  # (kind, words, bits or None, file), as the files say of themselves; to name one
        for name in self.files:
            with open(os.path.join(path, name)) as file:
                said = re.search(r"^// (\w+) ROM, words (\d+) to (\d+)(?:, bits (\d+) to (\d+))?\.$", file.read(1000), re.M)
            if said:
                first, last, lsb, msb = (int(n) if n else None for n in said.groups()[1:])
                self.macros.append((said[1], range(first, last + 1), range(lsb, msb + 1) if msb is not None else None, name))
        on_disk = {f"personality/{n}" for n in os.listdir(os.path.join(path, "personality"))}
        stray = on_disk - set(self.files)
        if stray:
            raise Refused(f"not in filelist.f: {', '.join(sorted(stray))}")

    def full(self, names):
        return " ".join(f'"{os.path.join(self.path, n)}"' for n in names)


class Yosys:
    """Two runs side by side: the ROM modules in full, and the tree of the whole design."""

    def __init__(self, design, program, with_tree):
        self.dir = tempfile.mkdtemp(prefix="prove_roms.")
        rom_file = [n for n in design.files if n.startswith("personality/") or n.endswith("_rom.v")
                    or n.endswith("/rom_select.v") or GROUP.search(n)]
        incdir = f'-I"{os.path.join(design.path, "fabric")}"'
        parameters = " ".join(f"-chparam {k} {v}" for k, v in design.geometry.items())
        top = "chip" if design.slice == "chip" else "slice"
        # `proc` knows a ROM by itself; memory_dff and memory_collect make one cell of it
        self.roms = self.start(program, "roms", f"""
            read_verilog {incdir} {design.full(rom_file)}
            hierarchy -check
            proc
            opt_dff -nosdff
            memory -nomap
            write_json {self.dir}/roms.json
            flatten *_rom
            clean
            write_json {self.dir}/flat.json""")
        self.tree = with_tree and self.start(program, "tree", f"""
            read_verilog {incdir} {design.full(design.files)}
            hierarchy -check -top {top} {parameters}
            proc
            memory_collect
            select -write {self.dir}/memories t:$mem_v2 r:WR_PORTS=0 %i
            tee -q -o {self.dir}/modules ls""")

    def start(self, program, name, script):
        path = os.path.join(self.dir, name + ".ys")
        with open(path, "w") as file:
            file.write("\n".join(line.strip() for line in script.strip().splitlines()) + "\n")
        return subprocess.Popen([program, "-Q", "-T", "-l", os.path.join(self.dir, name + ".log"),
                                 "-q", "-s", path], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def wait(self):
        for process in filter(None, (self.roms, self.tree)):
            said, _ = process.communicate()
            if process.returncode:
                raise Refused(f"yosys: {said.strip()[-400:]}")
            resized = re.search(r"Resizing cell port \S*_rom\.\w+ .*", said)
            if resized:
                raise Refused(f"a ROM of another width than its user: {resized.group(0)}")

    def lines(self, name):
        with open(os.path.join(self.dir, name)) as file:
            return file.read().split("\n")

    def json(self, name):
        with open(os.path.join(self.dir, name + ".json")) as file:
            return json.load(file)["modules"]

    def close(self):
        for process in filter(None, (self.roms, self.tree)):
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir)


def check_coverage(design, yosys, kinds, modules):
    """Every ROM of the design is one of `kinds` or a bank of one; counts uses in the fabric."""
    known = {f"{kind}_rom" for kind in kinds}
    banks = {}  # module: its wrapper
    for wrapper in sorted(known):
        if wrapper not in modules:
            raise Refused(f"no module {wrapper}")
        inside = [wrapper]  # and the groups in it
        for module in inside:
            for cell in modules[module]["cells"].values():
                file = design.module_file.get(cell["type"], "")
                if file.startswith("personality/"):
                    banks[cell["type"]] = wrapper
                elif GROUP.search(file):
                    inside.append(cell["type"])
    for line in filter(None, yosys.lines("memories") if yosys.tree else ()):
        module = line.split("/")[0].split("\\")[-1]
        if module not in known and module not in banks:
            raise Refused(f"{design.module_file.get(module, module)}: a ROM this proof does not know:"
                          f" {line}")
    for module, file in sorted(design.module_file.items()):
        if file.startswith("personality/") and module not in banks:
            raise Refused(f"{file}: module {module} is a bank of no ROM")
        if file.endswith("_rom.v") and module not in known:
            raise Refused(f"{file}: module {module}: a ROM this proof does not know")
    if not yosys.tree:
        return banks
    in_tree = {line.strip() for line in yosys.lines("modules")}
    absent = sorted((known | set(banks)) - in_tree)
    if absent:
        raise Refused(f"not part of the elaborated design: {', '.join(absent)}")
    return banks


def prove(design, model, yosys):
    """Prints a line a kind; returns the number of differences."""
    flat, modules = yosys.json("flat"), yosys.json("roms")
    program = Netlist("program_rom", flat["program_rom"])
    layout = Layout(model, design.geometry, design.slice, lambda a: program.read(a)[0])
    banks = check_coverage(design, yosys, layout.rom, modules)
    total_bits = total_used = different = 0
    for kind, content in layout.rom.items():
        net = Netlist(f"{kind}_rom", flat[f"{kind}_rom"])
        if (net.addr_bits, net.width) != (content.addr_bits, content.width):
            raise Refused(f"{kind}_rom: 2^{net.addr_bits} words of {net.width} bits, expected "
                          f"2^{content.addr_bits} of {content.width}")
        bad = 0
        if not all(map(net.at_rest, {0, *(1 << i for i in range(net.addr_bits))})):
            raise Refused(f"{kind}_rom: reads while `re` is low")
        for address in range(1 << net.addr_bits):
            got, touched = net.read(address)
            want, fields, describe = content.expected(address)
            if got != want:
                bad += 1
                if bad <= SHOWN:
                    report(design, kind, address, got, want, fields, describe, touched)
        n_banks = sum(1 for w in banks.values() if w == f"{kind}_rom")
        bits = net.width << net.addr_bits
        total_bits, total_used = total_bits + bits, total_used + content.used_bits()
        different += bad
        print(f"{kind:<8} {n_banks or 1:3d} ROM{' ' if (n_banks or 1) == 1 else 's'}  "
              f"{1 << net.addr_bits:7d} words x {net.width:6d} bits {bits:11d} bits, "
              f"{content.used_bits():11d} in use: "
              + (f"{bad} words differ" if bad else "equal to the file"
                 if kind not in ("exp2", "recip", "rsqrt", "sigmoid") else "equal to the function"))
    print(f"total    {total_bits} bits, {total_used} in use, "
          + (f"{different} words differ" if different else "all proven"))
    return different


def report(design, kind, address, got, want, fields, describe, touched):
    """The first field that differs."""
    bit = ((got ^ want) & -(got ^ want)).bit_length() - 1
    if isinstance(fields, list):
        lsb, width, name = next(f for f in fields if f[0] <= bit < f[0] + f[1])
        what = f"{describe(0)}, field {name}"
    else:
        width = fields if describe else 1
        lsb = bit // width * width
        what = describe(bit // width) if describe else "no tensor: must be zero"
    mask = (1 << width) - 1
    # the memory that was read; of macros side by side, of which Yosys may have made logic, the one that says it has the bit
    file = next((c.file for c in touched if "personality" in c.file and not re.search(r"_c\d+\.v$", c.file)), None) \
        or next((os.path.join(design.path, name) for of, words, bits, name in design.macros
                 if of == kind and address in words and (bits is None or bit in bits)), None) \
        or (touched[0].file if touched else f"{kind}_rom.v")
    print(f"DIFFERENT {os.path.relpath(file, design.path) if os.path.dirname(file) else file}: {kind} ROM word "
          f"{address}, bits [{lsb + width - 1}:{lsb}], {what}: ROM {got >> lsb & mask}, "
          f"file {want >> lsb & mask}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("design")
    parser.add_argument("model")
    parser.add_argument("--yosys", default="yosys")
    parser.add_argument("--roms-only", action="store_true",
                        help="do not search the rest of the design for ROMs (quicker)")
    args = parser.parse_args()
    begin, yosys = time.time(), None
    try:
        design = Design(os.path.abspath(args.design))
        yosys = Yosys(design, args.yosys, not args.roms_only)
        model = Model(args.model)
        model.set_context(design.seq_len, design.geometry["ROPE_LO_W"])
        yosys.wait()
        different = prove(design, model, yosys)
    except (Refused, OSError, KeyError, ValueError) as e:
        what = f"{type(e).__name__} {e}" if isinstance(e, KeyError) else e
        print(f"prove_roms: {args.design}: {what}", file=sys.stderr)
        return 2
    finally:
        if yosys:
            yosys.close()
    if args.roms_only:
        print("not searched: ROMs outside the known ones")
    print(f"{args.design}: {design.slice}, {time.time() - begin:.0f} s")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
