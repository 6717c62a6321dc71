#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints with the dimensions of published models and random weights: a Hugging Face folder whose
config.json is the published one but for the number of layers and of vocabulary rows.
    tests/real_shape.py NAME LAYERS VOCAB DIR     writes DIR/model and DIR/tok
NAME: qwen2.5-0.5b, qwen3-0.6b, mistral-7b. Weights are BF16. Python alone, and the same bytes everywhere."""
import json
import os
import random
import struct
import sys

from tiny_model import write_tokenizer

COMMON = {"hidden_act": "silu", "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}
# config.json of Qwen/Qwen2.5-0.5B, Qwen/Qwen3-0.6B, mistralai/Mistral-7B-v0.1
SHAPES = {
    "qwen2.5-0.5b": {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
                     "num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 32768,
                     "max_window_layers": 24, "sliding_window": 32768, "use_sliding_window": False,
                     "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": True},
    "qwen3-0.6b": {"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "head_dim": 128,
                   "num_attention_heads": 16, "num_key_value_heads": 8, "max_position_embeddings": 40960,
                   "max_window_layers": 28, "sliding_window": None, "use_sliding_window": False,
                   "attention_bias": False, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
                   "tie_word_embeddings": True},
    "mistral-7b": {"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336,
                   "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32768,
                   "sliding_window": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                   "tie_word_embeddings": False},
}
BLOCK = 1 << 20  # weights drawn at once


def tensors(c):
    """Names of transformers, shapes, the deviation wanted, and the mean."""
    dim, hidden, heads = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"]
    head = c.get("head_dim") or dim // heads
    q, kv = heads * head, c["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", [c["vocab_size"], dim], 1.0, 0.0
    for l in range(c["num_hidden_layers"]):
        p = f"model.layers.{l}."
        yield p + "input_layernorm.weight", [dim], 0.2, 1.0
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            yield p + f"self_attn.{name}_proj.weight", [rows, dim], dim ** -0.5, 0.0
            if c["model_type"] == "qwen2":
                yield p + f"self_attn.{name}_proj.bias", [rows], 1.0, 0.0
            if c["model_type"] == "qwen3" and name != "v":
                yield p + f"self_attn.{name}_norm.weight", [head], 0.3, 1.5
        yield p + "self_attn.o_proj.weight", [dim, q], q ** -0.5, 0.0
        yield p + "post_attention_layernorm.weight", [dim], 0.2, 1.0
        yield p + "mlp.gate_proj.weight", [hidden, dim], 2 * dim ** -0.5, 0.0
        yield p + "mlp.up_proj.weight", [hidden, dim], dim ** -0.5, 0.0
        yield p + "mlp.down_proj.weight", [dim, hidden], hidden ** -0.5, 0.0
    yield "model.norm.weight", [dim], 0.05, 0.3
    if not c["tie_word_embeddings"]:
        yield "lm_head.weight", [c["vocab_size"], dim], dim ** -0.5, 0.0


def bf16(value):
    return struct.pack("<f", value)[2:]


def drawn(rng, deviation, mean):
    """256 values of a normal law, one for each byte: low and high bytes of their BF16."""
    values = [bf16(rng.gauss(mean, deviation)) for _ in range(256)]
    return bytes(v[0] for v in values), bytes(v[1] for v in values)


def write_weights(file, rng, n, deviation, mean):
    for first in range(0, n, BLOCK):
        low, high = drawn(rng, deviation, mean)
        count = min(BLOCK, n - first)
        which, block = rng.randbytes(count), bytearray(2 * count)
        block[0::2], block[1::2] = which.translate(low), which.translate(high)
        file.write(block)


def write(name, layers, vocab, path):
    config = {**COMMON, **SHAPES[name], "num_hidden_layers": layers, "vocab_size": vocab}
    os.makedirs(f"{path}/model", exist_ok=True)
    with open(f"{path}/model/config.json", "w", encoding="ascii") as file:
        json.dump(config, file)
    header, at = {}, 0
    for tensor, shape, _, _ in tensors(config):
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[tensor] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    rng = random.Random(sorted(SHAPES).index(name))
    with open(f"{path}/model/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, deviation, mean in tensors(config):
            write_weights(file, rng, shape[0] * (shape[1] if len(shape) > 1 else 1), deviation, mean)
    write_tokenizer(f"{path}/tok", vocab)
    print(f"{name}: {layers} layers, {vocab} rows of the vocabulary, {at / 2e6:.1f} M weights")


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
