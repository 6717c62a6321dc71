#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flips the lowest bit of the words in the middle of a ROM bank: uart_flip.py FILE."""
import re
import sys

lines = open(sys.argv[1]).read().split("\n")
words = [i for i, line in enumerate(lines) if re.search(r"'d\d+: data <= \d+'h[0-9a-f]+;", line)]
for i in words[len(words) // 4: len(words) // 2]:
    lines[i] = re.sub(r"([0-9a-f]);$", lambda m: f"{int(m.group(1), 16) ^ 1:x};", lines[i])
open(sys.argv[1], "w").write("\n".join(lines))
