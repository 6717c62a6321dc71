#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes refmodel/function_tables.h: the entries of exp2, reciprocal, reciprocal square root and sigmoid.
`make tables` runs it; tests/test_fixed.c compares every value with a computation of its own."""
import math

HEAD = """// SPDX-License-Identifier: Apache-2.0
// Written by refmodel/make_tables.py: base and step of each entry, Q1.15. tables.h says what of.
#ifndef HW_FUNCTION_TABLES_H
#define HW_FUNCTION_TABLES_H

#include "refmodel/tables.h"

"""
TABLES = (  # name, entries, the first that is addressed, the function of an entry's number
    ("EXP2", 64, 0, lambda i: 2.0 ** (-i / 64)),
    ("RECIP", 64, 0, lambda i: 1 / (1 + i / 64)),
    ("RSQRT", 128, 32, lambda i: 1 / math.sqrt(i / 32)),
    ("SIGMOID", 128, 0, lambda i: 1 / (1 + math.exp(-i / 8))),
)
A_LINE = 6


def main():
    print(HEAD + "// clang-format off\nstatic const struct hw_table function_table[HW_N_TABLES] = {")
    for name, n, first, function in TABLES:
        base = [math.floor(function(i) * 32768 + 0.5) if i >= first else 0 for i in range(n + 1)]
        entries = [f"{{{base[i]}, {base[i + 1] - base[i] if i >= first else 0}}}" for i in range(n)]
        print(f'    [HW_TABLE_{name}] = {{"{name.lower()}", HW_{name}_BITS, HW_{name}_FRAC, {{')
        for i in range(0, n, A_LINE):
            print("        " + ", ".join(entries[i:i + A_LINE]) + ",")
        print("    }},")
    print("};\n// clang-format on\n\n#endif")


if __name__ == "__main__":
    main()
