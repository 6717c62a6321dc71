#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines for the encoder, into DIR/lines, and their tokens by the C encoder: uart_lines.py TOKENIZER DIR N.

Words of stories, words cut and glued, characters of two to four bytes, bytes that are no UTF-8.
"""
import random
import struct
import subprocess
import sys

tokenizer, directory, count = sys.argv[1:]
r = random.Random(7)
words = open("tests/stories260K.txt", "rb").read().split()
others = ["é", "ö", "“", "”", "’", "…", "😀", "€", "  ", "--", "123", "<s>", "<0x41>", "\x01", "\x7f"]


def word():
    kind = r.randrange(10)
    if kind < 6:
        return r.choice(words)
    if kind < 7:
        return r.choice(words)[: r.randrange(1, 4)] + r.choice(words)
    if kind < 9:
        return r.choice(others).encode()
    return bytes(r.choice([b for b in range(1, 256) if b != 10]) for _ in range(r.randrange(1, 4)))


def line():
    text = b""
    for _ in range(r.randrange(1, 6)):
        text += word() + (b" " if r.randrange(5) else b"")
    return text[:100]


lines = [b"", b" ", b"a", b"\x80", b"\xf0\x9f\x98\x80", b"aaaaaaaaaaaaaaaaaaaa", b"Once upon a time" * 5]
lines += [line() for _ in range(int(count))]
with open(f"{directory}/lines", "wb") as f:
    f.write(b"".join(text + b"\n" for text in lines))
told = subprocess.run(["build/encode", tokenizer, "512"], check=True, stdout=subprocess.PIPE,
                      input=b"".join(struct.pack("<I", len(text)) + text for text in lines)).stdout.decode()
answers = told.splitlines()
assert len(answers) == len(lines)
for answer in answers:
    print(" ".join(["ids", "1"] + [word for word in answer.split() if word != "lossy"]))
