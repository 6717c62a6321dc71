#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tokens of a GGUF file's byte-level BPE, as build/encode makes them, against the package
`tokenizers` with the same vocabulary: tests/smollm2_tokens.py MODEL.gguf [TEXT-OR-FOLDER...]
Texts: the files given (.gz too, cut into pieces), words of every script of Unicode, emoji sequences,
digits, runs of whitespace, control characters, random code points. Prints how many texts and tokens
were compared; exit status 1 at a difference. Needs the packages gguf and tokenizers."""
import gzip
import os
import random
import struct
import subprocess
import sys
import unicodedata

import gguf
from tokenizers import Tokenizer, models, pre_tokenizers

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
rng = random.Random(int(os.environ.get("SEED", "1")))


def independent(reader):
    """The tokenizer in a gguf.GGUFReader's file, and how many tokens it has."""
    fields = reader.fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    pre = fields["tokenizer.ggml.pre"].contents()
    if pre != "smollm":
        sys.exit(f"expected the words of smollm, got {pre}")
    bpe = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    return bpe, len(tokens)


def bytes_to_letters():
    """GPT-2's: printable Latin-1 stands for itself, the others for U+0100 on."""
    plain = {*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)}
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b if b in plain else 256 + others.index(b)) for b in range(256)}


def of_files(paths):
    for path in paths:
        names = [path] if os.path.isfile(path) else [
            os.path.join(d, f) for d, _, files in os.walk(path) for f in files]
        for name in sorted(names):
            with (gzip.open if name.endswith(".gz") else open)(name, "rb") as file:
                text = file.read().decode("utf-8", "ignore")
            at = 0
            while at < len(text):
                n = rng.choice((20, 200, 2000, 20000))
                yield text[at:at + n]
                at += n


def by_script():
    """Letters, marks and digits by the first word of their names: LATIN, CYRILLIC, DEVANAGARI ..."""
    scripts = {}
    for point in range(0x20, 0x30000):
        name = unicodedata.name(chr(point), "")
        if name and unicodedata.category(chr(point))[0] in "LMNPS":
            scripts.setdefault(name.split(" ")[0].split("-")[0], []).append(chr(point))
    return scripts


def words(scripts):
    usual = list(" ' .,!?-\n") + ["'s", "'t", "'ll", " 1", "42"]
    for letters in scripts.values():
        for _ in range(24):
            yield "".join(rng.choice((" ", "", "", "\n", "\t")) + "".join(
                rng.choice(letters) if rng.random() < 0.9 else rng.choice(usual)
                for _ in range(rng.randint(1, 12))) for _ in range(rng.randint(1, 20)))


def emoji():
    people, tones = "👨👩🧑👧👦🧔👮🏃🤷", ["", "🏻", "🏼", "🏽", "🏾", "🏿"]
    things = ["🚀", "⚕️", "🌾", "🍳", "🎓", "🏫", "💻", "🔧", "❤️", "♂️", "♀️", "🦰", "⚖️"]
    flags = [chr(0x1F1E6 + i) for i in range(26)]
    for _ in range(4000):
        parts = [rng.choice(people) + rng.choice(tones) for _ in range(rng.randint(1, 4))]
        parts += [rng.choice(things)] if rng.random() < 0.5 else []
        one = "\u200d".join(parts)
        keycap = rng.choice("0123456789#*") + "\ufe0f\u20e3"
        yield rng.choice(("", " ", "so ")) + one + rng.choice((
            "", "!", " ok", keycap, rng.choice(flags) + rng.choice(flags), "\ufe0e", " 3"))


def oddities(scripts):
    space = [" ", "  ", "\n", "\r\n", "\t", "\v", "\f", "\x85", "\xa0", "\u1680", "\u2003", "\u2028",
             "\u2029", "\u202f", "\u205f", "\u3000", "\u200b", "\ufeff", "\x1c", "\x1f"]
    control = [chr(i) for i in (*range(1, 32), *range(127, 160))]
    digits = [c for v in scripts.values() for c in v if unicodedata.category(c)[0] == "N"]
    mixed = ["'s", "'S", "'re", "'ve", "'", "a", "Z", "é", "漢", "👩", "<|im_start|>", "<|endoftext|>", "_"]
    for _ in range(12000):
        pool = rng.choice((space, control, digits, space + mixed, digits + mixed + space,
                           control + mixed + space, [*"0123456789"], [*"0123456789.,- "]))
        yield "".join(rng.choice(pool) for _ in range(rng.randint(1, 24)))
    for _ in range(8000):  # any code point that can be written
        yield "".join(chr(rng.choice((rng.randrange(1, 0xD800), rng.randrange(0xE000, 0x110000),
                                      rng.randrange(1, 0x3000)))) for _ in range(rng.randint(1, 40)))
    yield "a" * 5000 + " " * 5000 + "7" * 500 + "\n" * 700


def main():
    bpe, size = independent(gguf.GGUFReader(sys.argv[1]))
    letters = bytes_to_letters()
    known = {b for b in range(256) if bpe.token_to_id(letters[b]) is not None}
    print(f"{256 - len(known)} bytes without a piece:", *(f"{b:02x}" for b in range(256) if b not in known))
    scripts = by_script()
    kinds = {"files": list(of_files(sys.argv[2:])), "scripts": list(words(scripts)),
             "emoji": list(emoji()), "whitespace, digits, controls, code points": list(oddities(scripts))}
    texts = [t for part in kinds.values() for t in part if t]
    raw = [t.encode() for t in texts]
    ours = subprocess.run([f"{ROOT}/build/encode", sys.argv[1], str(size)], check=True,
                          input=b"".join(struct.pack("<I", len(r)) + r for r in raw),
                          stdout=subprocess.PIPE).stdout.decode().splitlines()
    if len(ours) != len(texts):
        sys.exit(f"expected {len(texts)} lines of tokens, got {len(ours)}")
    count, bad = 0, 0
    for begin in range(0, len(texts), 1000):
        for text, line, want in zip(texts[begin:begin + 1000], ours[begin:begin + 1000],
                                    bpe.encode_batch(texts[begin:begin + 1000],
                                                     add_special_tokens=False)):
            lossy = line.endswith("lossy")
            got = [int(i) for i in line.removesuffix("lossy").split()]
            count += len(want.ids)
            if lossy != (not set(text.encode()) <= known):
                sys.exit(f"{ascii(text[:100])}: {'does not come' if lossy else 'comes'} back from its tokens")
            if got != want.ids:
                bad += 1
                at = next((i for i, (a, b) in enumerate(zip(got, want.ids)) if a != b), 0)
                if bad <= 10:
                    print(f"different: {ascii(text[:100])} at token {at}: expected "
                          f"{want.ids[at:at + 8]}, got {got[at:at + 8]}")
    plain = sum(len(r) for r in raw)
    other = sum(len(t.encode()) for t in texts if not t.isascii())
    print(f"{len(texts)} texts ({', '.join(f'{len(v)} {k}' for k, v in kinds.items())}; {plain} bytes, "
          f"{other} of them in texts beyond ASCII): {count} tokens compared, {bad} texts different")
    sys.exit(1 if bad or count == 0 else 0)


if __name__ == "__main__":
    main()
