#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a terminal shows: a filter that moves back where backspaces say so, and rings for no bell."""
import sys

for text in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n"):
    row, cursor = [], 0
    for char in text:
        if char == "\b":
            cursor -= 1
            assert cursor >= 2, "backspace over the prompt"
        elif char != "\a":
            row[cursor:cursor + 1] = [char]
            cursor += 1
    sys.stdout.buffer.write(("".join(row[:cursor]) + "\n").encode("utf-8", "surrogateescape"))
