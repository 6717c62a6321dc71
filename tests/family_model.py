#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small random checkpoints of other families than Llama, and what they say, from the published
equations of transformers' modeling_*.py in double precision, with nothing of hardwire's:
    tests/family_model.py CASE DIR      writes DIR/model (Hugging Face), DIR/model.gguf, DIR/tok, DIR/text
    tests/family_model.py CASE DIR EACH compares a file of `run --perplexity --float --each`
    tests/family_model.py --config FILE SEED DIR   writes DIR, a Hugging Face folder of these settings
Exit status 1 where a float nll is off by more than 1e-4."""
import json
import math
import os
import random
import struct
import sys

from tiny_model import write_tokenizer

VOCAB, CTX, BOS = 40, 30, 1
SHAPE = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": VOCAB,
         "max_position_embeddings": CTX, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
         "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": BOS, "eos_token_id": 2}
CASES = {
    "qwen2": {"model_type": "qwen2", "num_hidden_layers": 2, "use_sliding_window": False, "sliding_window": 8},
    "qwen2-windows": {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 6,
                      "max_window_layers": 1, "tie_word_embeddings": False},
    "qwen3": {"model_type": "qwen3", "head_dim": 16, "num_hidden_layers": 2, "attention_bias": False,
              "rope_theta": 1000000.0, "rms_norm_eps": 1e-6},
    "qwen3-layers": {"model_type": "qwen3", "head_dim": 8, "num_key_value_heads": 1,
                     "use_sliding_window": True, "sliding_window": 5,
                     "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
    "mistral": {"model_type": "mistral", "head_dim": None, "num_hidden_layers": 2, "sliding_window": 8},
    "mistral-5": {"model_type": "mistral", "sliding_window": 5, "num_attention_heads": 2,
                  "num_key_value_heads": 2, "head_dim": 8},
}


def completed(config, seed):
    """Settings of config.json, and what the weights need beside them."""
    config = {**SHAPE, **config, "seed": seed}
    config["head"] = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    return config


def config_of(case):
    return completed(CASES[case], sorted(CASES).index(case) + 1)


def windows(config):
    """Positions that each layer sees, or None: all."""
    n, window = config["num_hidden_layers"], config.get("sliding_window")
    if config["model_type"] == "mistral":
        return [window] * n
    if not config.get("use_sliding_window"):
        return [None] * n
    types = config.get("layer_types")
    return [window if (types[l] == "sliding_attention" if types else l >= config["max_window_layers"])
            else None for l in range(n)]


def tensors(config):
    """Names of transformers, shapes, values; drawn in this order."""
    rng = random.Random(config["seed"])
    vocab = config["vocab_size"]
    dim, hidden, head = config["hidden_size"], config["intermediate_size"], config["head"]
    q, kv = head * config["num_attention_heads"], head * config["num_key_value_heads"]
    model = {}

    def tensor(name, shape, deviation, mean=0.0):
        n = math.prod(shape)
        values = [rng.gauss(mean, deviation) for _ in range(n)]
        if name in ("model.embed_tokens.weight", "lm_head.weight"): # short rows are seldom the largest logit: stories do not end at once
            values[:3 * shape[1]] = [0.1 * v for v in values[:3 * shape[1]]]
        model[name] = (shape, list(struct.unpack(f"<{n}f", struct.pack(f"<{n}f", *values))))

    tensor("model.embed_tokens.weight", [vocab, dim], 1.0)
    for l in range(config["num_hidden_layers"]):
        p = f"model.layers.{l}."
        tensor(p + "input_layernorm.weight", [dim], 0.2, 1.0)
        tensor(p + "self_attn.q_proj.weight", [q, dim], 2 / dim ** 0.5)
        tensor(p + "self_attn.k_proj.weight", [kv, dim], 2 / dim ** 0.5)
        tensor(p + "self_attn.v_proj.weight", [kv, dim], 1 / dim ** 0.5)
        tensor(p + "self_attn.o_proj.weight", [dim, q], 1 / q ** 0.5)
        if config["model_type"] == "qwen2":
            tensor(p + "self_attn.q_proj.bias", [q], 1.0)
            tensor(p + "self_attn.k_proj.bias", [kv], 3.0)
            tensor(p + "self_attn.v_proj.bias", [kv], 0.5)
        if config["model_type"] == "qwen3":
            tensor(p + "self_attn.q_norm.weight", [head], 0.5, 1.5)
            tensor(p + "self_attn.k_norm.weight", [head], 0.5, 1.5)
        tensor(p + "post_attention_layernorm.weight", [dim], 0.2, 1.0)
        tensor(p + "mlp.gate_proj.weight", [hidden, dim], 2 / dim ** 0.5)
        tensor(p + "mlp.up_proj.weight", [hidden, dim], 1 / dim ** 0.5)
        tensor(p + "mlp.down_proj.weight", [dim, hidden], 1 / hidden ** 0.5)
    tensor("model.norm.weight", [dim], 0.05, 0.3)
    if not config["tie_word_embeddings"]:
        tensor("lm_head.weight", [vocab, dim], 1.0)
    return model


# --- files

def write_folder(config, model, path):
    os.makedirs(path, exist_ok=True)
    shown = {k: v for k, v in config.items() if k not in ("seed", "head")}
    with open(f"{path}/config.json", "w", encoding="ascii") as file:
        json.dump(shown, file)
    header, data = {}, b""
    for name, (shape, values) in model.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(f"{path}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


GGUF_NAME = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
             "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
             "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
             "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down"}


def interleaved(values, head, cols):
    """Rows of a head: halves become pairs, as llama.cpp's converter does for its llama architecture."""
    out = []
    for first in range(0, len(values) // cols, head):
        for i in range(head // 2):
            for row in (first + i, first + i + head // 2):
                out += values[row * cols:(row + 1) * cols]
    return out


def write_gguf(config, model, path):
    def text(s):
        return struct.pack("<Q", len(s.encode())) + s.encode()

    def array(kind, items):
        pack = {8: text, 6: lambda v: struct.pack("<f", v), 5: lambda v: struct.pack("<i", v)}[kind]
        return struct.pack("<IQ", kind, len(items)) + b"".join(map(pack, items))

    llama = config["model_type"] == "mistral"
    arch = "llama" if llama else config["model_type"]
    seen = set(windows(config))
    if len(seen) > 1:
        return # no key of such files says it
    pairs = [("general.architecture", 8, text(arch))]
    number = {"context_length": CTX, "embedding_length": config["hidden_size"],
              "feed_forward_length": config["intermediate_size"],
              "block_count": config["num_hidden_layers"],
              "attention.head_count": config["num_attention_heads"],
              "attention.head_count_kv": config["num_key_value_heads"],
              "attention.key_length": config["head"], "attention.value_length": config["head"],
              "rope.dimension_count": config["head"]}
    if None not in seen:
        number["attention.sliding_window"] = seen.pop()
    pairs += [(f"{arch}.{k}", 4, struct.pack("<I", v)) for k, v in number.items()]
    pairs += [(f"{arch}.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", config["rms_norm_eps"])),
              (f"{arch}.rope.freq_base", 6, struct.pack("<f", config["rope_theta"])),
              ("tokenizer.ggml.model", 8, text("llama")),
              ("tokenizer.ggml.tokens", 9, array(8, ["<unk>", "<s>", "</s>"] + [f"t{i}" for i in range(3, VOCAB)])),
              ("tokenizer.ggml.scores", 9, array(6, [-float(i) for i in range(VOCAB)])),
              ("tokenizer.ggml.token_type", 9, array(5, [2, 3, 3] + [1] * (VOCAB - 3))),
              ("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", BOS)),
              ("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 2))]
    infos, data = b"", b""
    for name, (shape, values) in model.items():
        stem, kind = name.rsplit(".", 1)
        if stem.startswith("model.layers."):
            layer, stem = stem[len("model.layers."):].split(".", 1)
            full = f"blk.{layer}.{GGUF_NAME[stem]}.{kind}"
        else:
            full = f"{GGUF_NAME[stem]}.{kind}"
        if llama and stem in ("self_attn.q_proj", "self_attn.k_proj"):
            values = interleaved(values, config["head"], shape[1])
        infos += text(full) + struct.pack("<I", len(shape)) + \
            b"".join(struct.pack("<Q", n) for n in reversed(shape)) + struct.pack("<IQ", 0, len(data))
        data += struct.pack(f"<{len(values)}f", *values)
        data += bytes(-len(data) % 32)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(model), len(pairs))
    head += b"".join(text(k) + struct.pack("<I", kind) + v for k, kind, v in pairs) + infos
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32) + data)


# --- the equations

def matvec(tensor, x):
    (rows, cols), w = tensor
    return [sum(a * b for a, b in zip(w[r * cols:(r + 1) * cols], x)) for r in range(rows)]


def rms_norm(x, gain, eps):
    scale = 1 / math.sqrt(sum(v * v for v in x) / len(x) + eps)
    return [v * scale * g for v, g in zip(x, gain)]


def rotate(x, pos, base):
    """apply_rotary_pos_emb: x * cos + rotate_half(x) * sin"""
    half, out = len(x) // 2, [0.0] * len(x)
    for i in range(half):
        angle = pos * base ** (-2 * i / len(x))
        out[i] = x[i] * math.cos(angle) - x[i + half] * math.sin(angle)
        out[i + half] = x[i + half] * math.cos(angle) + x[i] * math.sin(angle)
    return out


class Sequence:
    def __init__(self, config, model):
        self.c, self.m, self.cache = config, model, [[] for _ in range(config["num_hidden_layers"])]

    def heads(self, p, which, x, n):
        c, head = self.c, self.c["head"]
        y = matvec(self.m[f"{p}self_attn.{which}_proj.weight"], x)
        bias = self.m.get(f"{p}self_attn.{which}_proj.bias")
        if bias:
            y = [a + b for a, b in zip(y, bias[1])]
        y = [y[h * head:(h + 1) * head] for h in range(n)]
        gain = self.m.get(f"{p}self_attn.{which}_norm.weight")
        return [rms_norm(v, gain[1], c["rms_norm_eps"]) for v in y] if gain else y

    def forward(self, token):
        c, m = self.c, self.m
        dim, pos, n, kv = c["hidden_size"], len(self.cache[0]), c["num_attention_heads"], c["num_key_value_heads"]
        x = m["model.embed_tokens.weight"][1][token * dim:(token + 1) * dim]
        for l, window in enumerate(windows(c)):
            p = f"model.layers.{l}."
            h = rms_norm(x, m[p + "input_layernorm.weight"][1], c["rms_norm_eps"])
            q = [rotate(v, pos, c["rope_theta"]) for v in self.heads(p, "q", h, n)]
            k = [rotate(v, pos, c["rope_theta"]) for v in self.heads(p, "k", h, kv)]
            self.cache[l].append((k, self.heads(p, "v", h, kv)))
            seen = self.cache[l][-window:] if window else self.cache[l]
            mixed = []
            for i in range(n):
                j = i * kv // n
                score = [sum(a * b for a, b in zip(q[i], keys[j])) / math.sqrt(c["head"]) for keys, _ in seen]
                weight = [math.exp(s - max(score)) for s in score]
                mixed += [sum(w * values[j][d] for w, (_, values) in zip(weight, seen)) / sum(weight)
                          for d in range(c["head"])]
            x = [a + b for a, b in zip(x, matvec(m[p + "self_attn.o_proj.weight"], mixed))]
            h = rms_norm(x, m[p + "post_attention_layernorm.weight"][1], c["rms_norm_eps"])
            gate, up = matvec(m[p + "mlp.gate_proj.weight"], h), matvec(m[p + "mlp.up_proj.weight"], h)
            act = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)]
            x = [a + b for a, b in zip(x, matvec(m[p + "mlp.down_proj.weight"], act))]
        x = rms_norm(x, m["model.norm.weight"][1], c["rms_norm_eps"])
        return matvec(m["model.embed_tokens.weight" if c["tie_word_embeddings"] else "lm_head.weight"], x)


def compare(config, model, path):
    worst, sequence, rows = 0.0, None, [line.split() for line in open(path, encoding="ascii")]
    for i, row in enumerate(rows):
        token, after, nll = int(row[0]), int(row[1]), float(row[4])
        if i % CTX == 0: # a window
            sequence = Sequence(config, model)
        logits = sequence.forward(token)
        top = max(logits)
        expected = math.log(sum(math.exp(v - top) for v in logits)) + top - logits[after]
        worst = max(worst, abs(nll - expected))
    machine = sum(float(r[2]) for r in rows) / len(rows)
    floats = sum(float(r[4]) for r in rows) / len(rows)
    print(f"{len(rows)} positions: float nll off by at most {worst:.2g}; "
          f"mean nll {floats:.4f}, of the integer machine {machine:.4f}")
    return len(rows) < CTX or worst > 1e-4 or abs(machine - floats) > 0.05


def write(config, model, path):
    os.makedirs(path, exist_ok=True)
    write_folder(config, model, f"{path}/model")
    write_gguf(config, model, f"{path}/model.gguf")
    write_tokenizer(f"{path}/tok", VOCAB)
    rng = random.Random(7)
    with open(f"{path}/text", "w", encoding="ascii") as file:
        print("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(2 * CTX)), end="", file=file)


def write_case(case, path):
    config = config_of(case)
    write(config, tensors(config), path)


def main():
    if sys.argv[1] == "--config":
        file, seed, path = sys.argv[2:]
        config = completed(json.load(open(file, encoding="ascii")), int(seed))
        return write_folder(config, tensors(config), path)
    case, path = sys.argv[1:3]
    if len(sys.argv) == 3:
        return write_case(case, path)
    config = config_of(case)
    return compare(config, tensors(config), sys.argv[3])


if __name__ == "__main__":
    sys.exit(main())
