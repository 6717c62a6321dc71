#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the ROM bits back out of a patched configuration and compares them with a design's Verilog.

    patch_check.py BASE.config PATCHED.config BASE_DESIGN,BASE_UART DESIGN,UART

Where a ROM's bits are is found by the words that the base's Verilog and BASE.config both hold. Shares no code with
`hardwire patch`. Every bit of every ROM must be found, and be in PATCHED.config what DESIGN says; what holds no ROM bit
must be equal in both.
"""
import os
import re
import sys


def blocks(path):
    """{number: rows of 9 bits}, and the text without them."""
    found, rest, current = {}, [], None
    for line in open(path):
        if line.startswith(".bram_init"):
            current = found.setdefault(line.split()[1], [])
        elif current is not None and re.fullmatch(r"([0-9a-f]{3}\s*)+", line):
            current += [int(word, 16) for word in line.split()]
        else:
            current = None if line.strip() else current
            rest.append(line)
    assert found and all(len(rows) == 2048 for rows in found.values())
    return found, rest


def roms(folders):
    """{file name: (width, words)} of personality/*.v and text_*_rom.v."""
    found = {}
    for folder in folders:
        for place in (folder, f"{folder}/personality"):
            for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
                if not re.fullmatch(r"(text_\w+_rom|\w+_b\d+(_c\d+)?)\.v", name):
                    continue
                text = open(f"{place}/{name}").read()
                width = int(re.search(r"output reg\s+\[(\d+):0\] data", text).group(1)) + 1
                depth = 2 ** (int(re.search(r"\[(\d+):0\] addr", text).group(1)) + 1)
                words = [0] * depth
                for at, word in re.findall(r"'d(\d+): data <= \d+'h([0-9a-f]+);", text):
                    words[int(at)] = int(word, 16)
                found[name] = (width, words)
    return found


def columns(rows, width):
    """Of a block RAM at this width: one integer a column, the first word lowest."""
    if width >= 9:
        step = width // 9
        words = [sum(rows[at + i] << (9 * i) for i in range(step)) for at in range(0, 2048, step)]
    else:
        words = [rows[at // (8 // width)] >> (at % (8 // width) * width) & (2 ** width - 1) for at in range(2048 * 8 // width)]
    return ["".join("1" if word >> bit & 1 else "0" for word in words) for bit in range(width)]


def main():
    base, rest = blocks(sys.argv[1])
    patched, rest_patched = blocks(sys.argv[2])
    assert rest == rest_patched, "other parts of the configuration differ"
    assert base.keys() == patched.keys()
    before, after = (roms(arg.split(",")) for arg in sys.argv[3:5])
    assert before.keys() == after.keys()
    place = {}  # column of a block at a width -> where
    for number, rows in base.items():
        for width in (36, 18, 9, 4, 2, 1):
            for bit, column in enumerate(columns(rows, width)):
                place.setdefault((width, column), []).append((number, bit))
    bits, used, wrong = 0, set(), 0
    for name, (width, words) in before.items():
        new = after[name]
        assert new[0] == width and len(new[1]) == len(words), name
        for bit in range(width):
            at = 0
            while at < len(words):
                for mode in (36, 18, 9, 4, 2, 1):
                    size = 2048 // (mode // 9) if mode >= 9 else 2048 * 8 // mode
                    part = words[at:at + size]
                    column = "".join("1" if w >> bit & 1 else "0" for w in part).ljust(size, "0")
                    if (mode, column) in place:
                        break
                else:
                    sys.exit(f"{name}: bit {bit}, from word {at}: in no block RAM")
                expected = "".join("1" if w >> bit & 1 else "0" for w in new[1][at:at + size])
                for number, lane in place[mode, column]:
                    used.add(number)
                    wrong += columns(patched[number], mode)[lane][:len(part)] != expected
                bits += len(part)
                at += size
    other = sum(base[n] != patched[n] for n in base if n not in used)
    print(f"{bits} ROM bits in {len(used)} of {len(base)} block RAMs read back; {wrong} columns, {other} other block RAMs differ")
    sys.exit(1 if wrong or other else 0)


if __name__ == "__main__":
    main()
