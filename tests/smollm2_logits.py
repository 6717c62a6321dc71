#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent float evaluation beside hardwire's two: a Llama forward pass in numpy over a GGUF file
(dequantized by the package gguf, tokenized by `tokenizers`) against `hardwire run --perplexity --float`:
    tests/smollm2_logits.py MODEL.gguf Q.safetensors TEXT [TOKENS]
TOKENS (400) lie in one window. Every token, every float nll and likeliest token must be equal up to
rounding; prints both float perplexities, the integer machine's, and how often its likeliest token is
that of numpy's logits.
Exit status 1 at a difference. OPENBLAS_NUM_THREADS=1 keeps it to one core."""
import os
import subprocess
import sys
import tempfile

import gguf
import numpy as np

from smollm2_tokens import independent

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Model:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.fields = {k: f.contents() for k, f in reader.fields.items() if k.startswith("llama.")}
        self.bos = int(reader.fields["tokenizer.ggml.bos_token_id"].contents())
        self.bpe, _ = independent(reader)
        self.tensors = {t.name: t for t in reader.tensors}

    def __getitem__(self, name):
        t = self.tensors[name + ".weight"]
        return gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)

    def int(self, key):
        return int(self.fields["llama." + key])


def norm(x, gain, eps):
    return x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + eps).astype(np.float32) * gain


def rotate(x, base):
    """x [t][heads][head_dim]: neighbours form a pair, as the file's converter left them."""
    half = x.shape[2] // 2
    angle = np.arange(x.shape[0])[:, None] * base ** (-np.arange(half) / half)
    c, s = np.cos(angle)[:, None, :].astype(np.float32), np.sin(angle)[:, None, :].astype(np.float32)
    out = np.empty_like(x)
    out[..., 0::2] = x[..., 0::2] * c - x[..., 1::2] * s
    out[..., 1::2] = x[..., 0::2] * s + x[..., 1::2] * c
    return out


def forward(m, tokens):
    heads, kv_heads = m.int("attention.head_count"), m.int("attention.head_count_kv")
    eps, base = m.fields["llama.attention.layer_norm_rms_epsilon"], m.fields["llama.rope.freq_base"]
    embedding, n = m["token_embd"], len(tokens)
    x, hidden = embedding[tokens], np.triu(np.full((n, n), -np.inf, np.float32), 1)
    for layer in range(m.int("block_count")):
        blk = f"blk.{layer}."
        h = norm(x, m[blk + "attn_norm"], eps)
        q, k, v = ((h @ m[blk + f"attn_{p}"].T).reshape(n, count, -1)
                   for p, count in (("q", heads), ("k", kv_heads), ("v", kv_heads)))
        q, k = rotate(q, base), rotate(k, base)
        mixed = np.empty_like(q)
        for head in range(heads):
            kv = head * kv_heads // heads
            score = (q[:, head] @ k[:, kv].T) / np.sqrt(q.shape[2], dtype=np.float32) + hidden
            weight = np.exp(score - score.max(-1, keepdims=True))
            mixed[:, head] = (weight / weight.sum(-1, keepdims=True)) @ v[:, kv]
        x = x + mixed.reshape(n, -1) @ m[blk + "attn_output"].T
        h = norm(x, m[blk + "ffn_norm"], eps)
        gate = h @ m[blk + "ffn_gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ m[blk + "ffn_up"].T)) @ m[blk + "ffn_down"].T
    head = m["output"] if "output.weight" in m.tensors else embedding
    return norm(x, m["output_norm"], eps) @ head.T


def tokens_of(m, path, most):
    """Documents end with <|endoftext|>; each begins with BOS."""
    ids = []
    with open(path, encoding="utf-8") as file:
        for story in file.read(20 * most + 4000).split("<|endoftext|>"):
            if story.strip("\n ") and len(ids) < most:
                ids += [m.bos] + m.bpe.encode(story.strip("\n ")).ids
    return ids[:most]


def main():
    path, quantized, text = sys.argv[1:4]
    most = int(sys.argv[4]) if len(sys.argv) > 4 else 400
    m = Model(path)
    tokens = tokens_of(m, text, most)
    with tempfile.TemporaryDirectory() as folder:
        words = subprocess.run([f"{ROOT}/build/hardwire", "run", quantized, "-t", path, "--perplexity", text,
                                "--tokens", str(most), "--float", path, "--each", f"{folder}/each",
                                "--threads", "1"], check=True, stdout=subprocess.PIPE).stdout.decode()
        rows = [line.split() for line in open(f"{folder}/each", encoding="ascii")]
    if [int(r[0]) for r in rows] != tokens[:-1]:
        sys.exit("expected the tokens of `tokenizers`, got others")
    logits = forward(m, tokens)[:-1].astype(np.float64)
    next_ = np.array(tokens[1:])
    top = logits.max(-1)
    nll = np.log(np.exp(logits - top[:, None]).sum(-1)) + top - logits[np.arange(len(next_)), next_]
    best = logits.argmax(-1)
    ours, ints = np.array([float(r[4]) for r in rows]), np.array([float(r[2]) for r in rows])
    likeliest, machine = np.array([int(r[5]) for r in rows]), np.array([int(r[3]) for r in rows])
    # where float says another token, the two must be as good as equal
    gap = top - logits[np.arange(len(best)), likeliest]
    off = np.abs(ours - nll).max()
    print(f"{len(nll)} positions: perplexity {np.exp(nll.mean()):.4f} in numpy, {np.exp(ours.mean()):.4f} in "
          f"float here (nll off by at most {off:.2g}, likeliest token by {gap.max():.2g}), "
          f"{np.exp(ints.mean()):.4f} of the integer machine ({100 * (np.exp(ints.mean() - nll.mean()) - 1):+.2f}%)")
    print(f"likeliest token of the machine that of numpy's logits: {100 * (machine == best).mean():.2f}% "
          f"({(machine == best).sum()} of {len(best)}); float here: {100 * (likeliest == best).mean():.2f}%")
    print(words, end="")
    sys.exit(0 if off < 2e-3 and gap.max() < 2e-3 else 1)


main()
