#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets (tests/fuzz_readers.c), a directory each: tests/make_corpus.py DIR
All from generated models of a few weights: every checkpoint format and version, every storage type of
GGUF, tokenizers of each kind, a quantized file, its manifest, a file of levels."""
import json
import os
import random
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from tiny_model import write_bitllama, write_checkpoint, write_tokenizer  # noqa: E402

HARDWIRE = os.path.join(os.path.dirname(HERE), "build", "hardwire")
out = sys.argv[1]


def put(target, name, data):
    os.makedirs(f"{out}/{target}", exist_ok=True)
    with open(f"{out}/{target}/{name}", "wb") as file:
        file.write(data)


def floats(n, value=0.5):
    return struct.pack(f"<{n}f", *[value] * n)


# --- llama2.c -----------------------------------------------------------------------------------------

def llama2c():
    for tied in (True, False):
        path = f"{out}/tmp.bin"
        write_checkpoint(path, 4, 2, 1, 2, 1, 3, 2, tied)
        with open(path, "rb") as file:
            put("llama2c", f"v0_{'tied' if tied else 'untied'}", file.read())
        os.remove(path)
    dims = struct.pack("<7i", 4, 2, 1, 2, 1, 3, 2)
    head = b"24ka" + struct.pack("<i", 1) + dims + b"\1"
    norms, matrices = 3 * 4, 3 * 4 + 4 * 4 + 2 * 4 * 2 + 4 * 4 + 3 * 8
    put("llama2c", "v1", head.ljust(256, b"\0") + floats(norms + matrices))
    head = b"24ka" + struct.pack("<i", 2) + dims + b"\1" + struct.pack("<i", 4)
    data = b"".join(bytes(n) + floats(n // 4) for n in (12, 16, 8, 8, 16, 8, 8, 8))
    put("llama2c", "v2", head.ljust(256, b"\0") + floats(norms) + data)

    write_bitllama(path, 4, 4, 1, 2, 1, 3, 2)
    with open(path, "rb") as file:
        put("llama2c", "bitllama", file.read())
    os.remove(path)


# --- GGUF ---------------------------------------------------------------------------------------------

U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "BF16": (30, 1, 2), "Q8_0": (8, 32, 34),
         "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24),
         "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210),
         "TQ1_0": (34, 256, 54), "TQ2_0": (35, 256, 66)}


def text(s):
    s = s.encode() if isinstance(s, str) else s
    return struct.pack("<Q", len(s)) + s


def value(kind, v):
    return {U32: lambda: struct.pack("<I", v), I32: lambda: struct.pack("<i", v),
            F32: lambda: struct.pack("<f", v), BOOL: lambda: struct.pack("<?", v),
            STRING: lambda: text(v)}[kind]()


def pair(key, kind, v):
    if isinstance(v, list):
        return text(key) + struct.pack("<IIQ", ARRAY, kind, len(v)) + b"".join(
            value(kind, i) for i in v)
    return text(key) + struct.pack("<I", kind) + value(kind, v)


def gguf(pairs, tensors, version=3):
    """tensors: name, dims (fastest first), type, data"""
    head, data = b"", b""
    for name, dims, kind, raw in tensors:
        head += text(name) + struct.pack("<I", len(dims)) + b"".join(
            struct.pack("<Q", d) for d in dims) + struct.pack("<IQ", kind, len(data))
        data += raw + bytes(-len(raw) % 32)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(
        pair(*p) for p in pairs) + head
    return head + bytes(-len(head) % 32) + data


def gguf_model(name, untied=False, version=3):
    kind, block, size = TYPES[name]
    dim = max(block, 4)

    def tensor(label, n_in, n_out=None):
        fits = n_in % block == 0 and n_out
        k, b, s = (kind, block, size) if fits else TYPES["F32"]
        n = n_in * (n_out or 1) // b
        raw = floats(n) if k == 0 else bytes(range(1, 1 + size % 64)).ljust(s, b"\1") * n
        return label + ".weight", [n_in] + ([n_out] if n_out else []), k, raw

    pairs = [("general.architecture", STRING, "llama"), ("llama.embedding_length", U32, dim),
             ("llama.feed_forward_length", U32, 2), ("llama.block_count", U32, 1),
             ("llama.attention.head_count", U32, 1), ("llama.attention.key_length", U32, 2),
             ("llama.attention.value_length", U32, 2), ("llama.context_length", U32, 4),
             ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
             ("llama.rope.freq_base", F32, 10000.0), ("llama.rope.dimension_count", U32, 2)]
    tensors = [tensor("token_embd", dim, 2), tensor("output_norm", dim),
               tensor("blk.0.attn_norm", dim), tensor("blk.0.ffn_norm", dim),
               tensor("blk.0.attn_q", dim, 2), tensor("blk.0.attn_k", dim, 2),
               tensor("blk.0.attn_v", dim, 2), tensor("blk.0.attn_output", 2, dim),
               tensor("blk.0.ffn_gate", dim, 2), tensor("blk.0.ffn_up", dim, 2),
               tensor("blk.0.ffn_down", 2, dim)]
    if untied:
        tensors.append(tensor("output", dim, 2))
    return gguf(pairs, tensors, version)


PIECES = ["<unk>", "<s>", "</s>", "a", "b", "ab", "\u2581", "\u2581a", "<0xC3>", "<0xA9>", "c", "1"]


def gguf_tokenizers():
    bytes_pairs = ["a b", "ab c"]
    llama = [("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.tokens", STRING, PIECES),
             ("tokenizer.ggml.scores", F32, [-float(i) for i in range(len(PIECES))]),
             ("tokenizer.ggml.token_type", I32, [2, 3, 3, 1, 1, 1, 1, 1, 6, 6, 1, 4]),
             ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2),
             ("tokenizer.ggml.add_space_prefix", BOOL, True)]
    put("tokenizer_gguf", "llama", gguf(llama, []) + b"ab ab c")
    pieces = ["<|end|>", "a", "b", "c", "ab", "abc", "\u0120", "1", "2"]
    for pre in ("smollm", "gpt-2"):
        bpe = [("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, pre),
               ("tokenizer.ggml.tokens", STRING, pieces),
               ("tokenizer.ggml.merges", STRING, bytes_pairs),
               ("tokenizer.ggml.token_type", I32, [3] + [1] * 8),
               ("tokenizer.ggml.eos_token_id", U32, 0)]
        put("tokenizer_gguf", pre, gguf(bpe, []) + b"abc 12 ba")


# --- Hugging Face ---------------------------------------------------------------------------------------

CONFIG = {"model_type": "llama", "hidden_size": 4, "intermediate_size": 2, "num_hidden_layers": 1,
          "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 3, "hidden_act": "silu",
          "max_position_embeddings": 3, "tie_word_embeddings": True, "rms_norm_eps": 1e-5,
          "rope_theta": 10000.0}
LAYER = "model.layers.0."
SHAPES = {"model.embed_tokens": [3, 4], "model.norm": [4], LAYER + "input_layernorm": [4],
          LAYER + "post_attention_layernorm": [4], LAYER + "self_attn.q_proj": [4, 4],
          LAYER + "self_attn.k_proj": [2, 4], LAYER + "self_attn.v_proj": [2, 4],
          LAYER + "self_attn.o_proj": [4, 4], LAYER + "mlp.gate_proj": [2, 4],
          LAYER + "mlp.up_proj": [2, 4], LAYER + "mlp.down_proj": [4, 2]}


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def safetensors(shapes, dtype="F32"):
    header, data = {}, b""
    for name, shape in shapes.items():
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        raw = floats(n) if dtype == "F32" else b"\x00\x3c" * n
        header[name + ".weight"] = {"dtype": dtype, "shape": shape,
                                    "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return struct.pack("<Q", len(compact(header))) + compact(header) + data


def joined(*parts):
    return b"".join(struct.pack("<H", len(p)) for p in parts[:-1]) + b"".join(parts)


def folders():
    for dtype in ("F32", "F16", "BF16"):
        put("folder", dtype, joined(compact(CONFIG), b"", safetensors(SHAPES, dtype), b""))
    untied = dict(CONFIG, tie_word_embeddings=False, head_dim=2,
                  rope_parameters={"rope_type": "default", "rope_theta": 5e5})
    shapes = dict(SHAPES, lm_head=[3, 4])
    put("folder", "untied", joined(compact(untied), b"", safetensors(shapes, "F16"), b""))
    names = list(SHAPES)
    first, second = ({n: SHAPES[n] for n in part} for part in (names[:6], names[6:]))
    index = {"weight_map": {n + ".weight": "model.safetensors" if n in first else "2.safetensors"
                            for n in names}}
    put("folder", "shards", joined(compact(CONFIG), compact(index), safetensors(first, "F16"),
                                   safetensors(second, "F16")))


def json_tokenizers():
    config = compact({"bos_token_id": 1, "eos_token_id": [2]})
    added = [{"id": i, "content": PIECES[i], "special": True} for i in range(3)]
    metaspace = {"added_tokens": added, "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": None, "model": {
            "type": "BPE", "byte_fallback": True, "unk_token": "<unk>",
            "vocab": {p: i for i, p in enumerate(PIECES)}, "merges": ["a b", ["\u2581", "a"]]}}
    pieces = ["<unk>", "a", "b", "ab", "\u0120", "1", "2", "\u0120a"]
    levels = {"added_tokens": added[:1], "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]},
        "model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)},
                  "merges": ["a b", "\u0120 a"]}}
    for name, tokenizer in (("metaspace", metaspace), ("byte_level", levels)):
        put("tokenizer_json", name, joined(b"", compact(tokenizer)))
        put("tokenizer_json", name + "_folder", joined(config, compact(tokenizer)))


# --- what the program writes -----------------------------------------------------------------------------

def own_files():
    base = f"{out}/tmp"
    write_checkpoint(base + ".bin", 4, 2, 1, 1, 1, 3, 2, True)
    random.seed(1)
    for bits, untied in (("4", False), ("8", True)):
        write_checkpoint(base + ".bin", 4, 2, 1, 1, 1, 3, 2, not untied)
        subprocess.run([HARDWIRE, "quantize", base + ".bin", "-o", base + ".st", "-q", "--bits", bits,
                        "-c", "2" if bits == "4" else "4"], check=True)
        with open(base + ".st", "rb") as file:
            put("quantized", bits, file.read())
    write_checkpoint(base + ".bin", 8, 8, 1, 2, 1, 8, 8, True)
    subprocess.run([HARDWIRE, "quantize", base + ".bin", "-o", base + ".st", "-q", "--act-bits", "8",
                    "--kv-bits", "8"], check=True)
    subprocess.run([HARDWIRE, "emit", base + ".st", "-o", base, "--rows", "4", "--cols", "4", "--vec",
                    "4", "--att-pos", "4"], check=True, stdout=subprocess.DEVNULL)
    with open(base + "/manifest.json") as file:
        manifest = json.load(file)
    # of the many hashes two will do
    manifest["files"] = dict(list(manifest["files"].items())[:2])
    for name in ("chip", "layer:0", "op:argmax", "matrix:output:1-3"):
        put("manifest", name.replace(":", "_"), compact(dict(manifest, slice=name)))
    subprocess.run(["rm", "-rf", base, base + ".bin", base + ".st"], check=True)
    grid = "layers.0.attention.wq bits 3 levels -82 -57 -33 -11 11 33 57 82\n"
    put("levels", "two", ("hardwire-quant 2\nact x 1\n" + grid + "tok bits 2 levels -2 -1 1 2\n").encode())


os.makedirs(out, exist_ok=True)
llama2c()
for kind_name in TYPES:
    put("gguf", kind_name, gguf_model(kind_name))
put("gguf", "untied", gguf_model("F16", untied=True, version=2))
gguf_tokenizers()
folders()
json_tokenizers()
write_tokenizer(f"{out}/tmp.tok", 16)
with open(f"{out}/tmp.tok", "rb") as tokenizer_file:
    put("tokenizer_bin", "letters", tokenizer_file.read())
os.remove(f"{out}/tmp.tok")
own_files()
