#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether two configurations hold the same block RAMs, whatever their order in the file: patch_same.py A B.

ecpunpack leaves memories of zeros out.
"""
import sys

from patch_check import blocks

a, b = ({n: rows for n, rows in blocks(path)[0].items() if any(rows)} for path in sys.argv[1:3])
different = sorted(n for n in a.keys() | b.keys() if a.get(n) != b.get(n))
print(f"{len(a)} block RAMs, {len(different)} differ")
sys.exit(1 if different else 0)
