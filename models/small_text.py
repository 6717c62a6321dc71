#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The text and the vocabulary that models/small.bin was trained on.

    models/small_text.py TINYSTORIES TEXT [TOKENIZER]

Copies stories, which `<|endoftext|>` separates, with typographic quotes and dashes as ASCII; leaves out a story with any
other character than those of CHARACTERS. TOKENIZER: writes 128 pieces in llama2.c's layout: three special ones, every
character, and the merges of byte pair encoding that fill the rest, the most frequent pair first.
"""
import collections
import re
import struct
import sys

PIECES = 128
SPECIAL = [b"<unk>", b"\n<s>\n", b"\n</s>\n"]
MARK = "<|endoftext|>"
CHARACTERS = " \n\"'!,.?-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ASCII = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2014": "-"})


def stories(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        for story in f.read().translate(ASCII).split(MARK):
            story = re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t]+", " ", story.strip()))
            if story and not set(story) - set(CHARACTERS):
                yield story


def merges(texts, count):
    """Pieces of two or more characters: count times, the most frequent pair of neighbours in a word becomes one. Of equal
    pairs, the first in alphabetical order."""
    words = collections.Counter(word for text in texts for word in re.findall(r" ?[A-Za-z]+", " " + text))
    cut = {word: list(word) for word in words}
    made = []
    while len(made) < count:
        pairs = collections.Counter()
        for word, parts in cut.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        made.append(left + right)
        for parts in cut.values():
            i = 0
            while i + 1 < len(parts):
                if parts[i] == left and parts[i + 1] == right:
                    parts[i:i + 2] = [left + right]
                i += 1
    return made


def write_tokenizer(path, texts):
    frequent = collections.Counter("".join(texts))
    characters = sorted(CHARACTERS, key=lambda c: (-frequent[c], c))
    made = merges(texts, PIECES - len(SPECIAL) - len(characters))
    pieces = SPECIAL + [piece.encode() for piece in characters + made]
    scores = [0.0] * 3 + [-1000.0 - i for i in range(len(characters))] + [-float(i) for i in range(len(made))]
    with open(path, "wb") as f:
        f.write(struct.pack("<i", max(map(len, pieces))))
        for score, piece in zip(scores, pieces):
            f.write(struct.pack("<fi", score, len(piece)) + piece)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    texts = list(stories(sys.argv[1]))
    with open(sys.argv[2], "w", encoding="ascii") as f:
        f.write(f"\n{MARK}\n".join(texts) + "\n")
    if len(sys.argv) == 4:
        write_tokenizer(sys.argv[3], texts)


if __name__ == "__main__":
    main()
