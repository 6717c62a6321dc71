#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A llama2.c checkpoint (version 0) as a Hugging Face folder: config.json and two shards with their
index: tests/hf_folder.py MODEL.bin FOLDER [F32|F16|BF16]
Written from the formats' descriptions: rows of Q and K of a head go from interleaved RoPE pairs to
halves; F16 and BF16 are rounded to nearest, ties to even."""
import json
import os
import struct
import sys
from array import array


def read(path):
    with open(path, "rb") as file:
        dim, hidden, layers, heads, kv_heads, vocab, ctx = struct.unpack("<7i", file.read(28))
        data = array("f", file.read())
    tied, vocab, head = vocab > 0, abs(vocab), dim // heads
    kv, at, model = head * kv_heads, 0, {}
    if sys.byteorder == "big":
        data.byteswap()
    table = [("model.embed_tokens", 1, [vocab, dim]), ("input_layernorm", layers, [dim]),
             ("self_attn.q_proj", layers, [dim, dim]), ("self_attn.k_proj", layers, [kv, dim]),
             ("self_attn.v_proj", layers, [kv, dim]), ("self_attn.o_proj", layers, [dim, dim]),
             ("post_attention_layernorm", layers, [dim]), ("mlp.gate_proj", layers, [hidden, dim]),
             ("mlp.down_proj", layers, [dim, hidden]), ("mlp.up_proj", layers, [hidden, dim]),
             ("model.norm", 1, [dim])]
    for name, count, shape in table + ([] if tied else [("lm_head", 1, [vocab, dim])]):
        if name == "lm_head":
            at += ctx * head  # rotations
        for layer in range(count):
            full = name if name.startswith(("model.", "lm_head")) else f"model.layers.{layer}.{name}"
            n = shape[0] * (shape[1] if len(shape) > 1 else 1)
            model[full + ".weight"] = (shape, halves(data[at:at + n], shape, head)
                                       if name.endswith((".q_proj", ".k_proj")) else data[at:at + n])
            at += n
    config = {"model_type": "llama", "hidden_size": dim, "intermediate_size": hidden,
              "num_hidden_layers": layers, "num_attention_heads": heads,
              "num_key_value_heads": kv_heads, "vocab_size": vocab, "max_position_embeddings": ctx,
              "tie_word_embeddings": tied, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
              "hidden_act": "silu"}
    return config, model


def halves(data, shape, head):
    out, cols = array("f"), shape[1]
    for first in range(0, shape[0], head):
        for row in [*range(0, head, 2), *range(1, head, 2)]:
            out.extend(data[(first + row) * cols:(first + row + 1) * cols])
    return out


def stored(data, dtype):
    if dtype == "F32":
        return struct.pack(f"<{len(data)}f", *data)
    if dtype == "F16":
        return struct.pack(f"<{len(data)}e", *data)
    bits = struct.unpack(f"<{len(data)}I", struct.pack(f"<{len(data)}f", *data))
    return struct.pack(f"<{len(data)}H", *((b + 0x7fff + (b >> 16 & 1)) >> 16 for b in bits))


def write_shard(path, tensors, dtype):
    header, raw = {"__metadata__": {"format": "pt"}}, b""
    for name, (shape, data) in tensors.items():
        bytes_ = stored(data, dtype)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(raw), len(raw) + len(bytes_)]}
        raw += bytes_
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + raw)


def main():
    config, model = read(sys.argv[1])
    folder, dtype = sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "F32"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=1)
    names, index = list(model), {}
    for i, part in enumerate((names[:len(names) // 2], names[len(names) // 2:])):
        shard = f"model-0000{i + 1}-of-00002.safetensors"
        write_shard(f"{folder}/{shard}", {n: model[n] for n in part}, dtype)
        index.update({n: shard for n in part})
    with open(f"{folder}/model.safetensors.index.json", "w") as file:
        json.dump({"metadata": {}, "weight_map": index}, file, indent=1)


main()
