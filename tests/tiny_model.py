# SPDX-License-Identifier: Apache-2.0
"""Random Llama checkpoints of a few hundred weights, and a tokenizer, for scripts that need many
small designs. Layouts: llama2.c version 0 (gen/read/import_llama2c.c) and its tokenizer.bin; bitllama
(gen/read/import_bitllama.c)."""
import random
import struct


def write_checkpoint(path, dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len,
                     tied=True, focus=2, size=1, seed=1):
    """Gaussian weights, large enough that scores, gates and saturations see their whole range.
    focus: how sharp attention is, the deviation of wq and wk. size: of the residual."""
    rng = random.Random(seed)
    head_dim = dim // n_heads
    kv_dim = head_dim * n_kv_heads

    with open(path, "wb") as file:
        def tensor(n, deviation, mean=0.0):
            file.write(struct.pack(f"<{n}f", *(rng.gauss(mean, deviation) for _ in range(n))))

        file.write(struct.pack("<7i", dim, hidden_dim, n_layers, n_heads, n_kv_heads,
                               vocab_size if tied else -vocab_size, seq_len))
        tensor(vocab_size * dim, size)                            # embedding
        tensor(n_layers * dim, 0.2, 1.0)                          # attention norm
        tensor(n_layers * dim * dim, focus / dim ** 0.5)          # wq
        tensor(n_layers * kv_dim * dim, focus / dim ** 0.5)       # wk
        tensor(n_layers * kv_dim * dim, 1 / dim ** 0.5)           # wv
        tensor(n_layers * dim * dim, size / dim ** 0.5)           # wo
        tensor(n_layers * dim, 0.2, 1.0)                          # ffn norm
        tensor(n_layers * hidden_dim * dim, 2 / dim ** 0.5)       # gate
        tensor(n_layers * dim * hidden_dim, size / hidden_dim ** 0.5)  # down
        tensor(n_layers * hidden_dim * dim, 1 / dim ** 0.5)       # up
        tensor(dim, 0.2, 1.0)                                     # final norm
        file.write(bytes(seq_len * head_dim * 4))                 # rotations: unread
        if not tied:
            tensor(vocab_size * dim, 1.0)


def write_bitllama(path, dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len,
                   focus=2, size=1, seed=1):
    """Natively ternary, tied. A norm divides by its length too; the factors of matrices undo that."""
    rng = random.Random(seed)
    kv_dim = dim // n_heads * n_kv_heads
    with open(path, "wb") as file:
        def floats(n, deviation, mean=0.0):
            file.write(struct.pack(f"<{n}f", *(rng.gauss(mean, deviation) for _ in range(n))))

        def ternary(rows, cols, factor):
            for _ in range(n_layers):
                file.write(struct.pack("<f", factor * cols ** 0.5))
                file.write(bytes(sum(rng.choice((0, 1, 3)) << 2 * i for i in range(4))
                                 for _ in range(rows * cols // 4)))

        file.write(struct.pack("<Ii7iB", 0x616b3432, 1, dim, hidden_dim, n_layers, n_heads, n_kv_heads,
                               vocab_size, seq_len, 1).ljust(256, b"\0"))
        floats(dim, 0.2, 1.0)
        floats(vocab_size * dim, size)
        ternary(dim, dim, focus)
        ternary(kv_dim, dim, focus)
        ternary(kv_dim, dim, 1)
        ternary(dim, dim, size)
        ternary(hidden_dim, dim, 2)
        ternary(dim, hidden_dim, size)
        ternary(hidden_dim, dim, 1)


def write_tokenizer(path, vocab_size):
    """Three special pieces, then a, b, .. z, aa, bb, .."""
    with open(path, "wb") as file:
        file.write(struct.pack("<I", 64))
        for i in range(vocab_size):
            letter, times = (i - 3) % 26, 1 + (i - 3) // 26
            piece = [b"<unk>", b"\n<s>\n", b"\n</s>\n"][i] if i < 3 else \
                b"x%d" % i if times > 60 else bytes([97 + letter]) * times
            file.write(struct.pack("<fI", -float(i), len(piece)) + piece)
