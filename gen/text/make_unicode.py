#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints gen/text/unicode_ranges.h from Python's own copy of the Unicode character database, which must be of
the version that tokenizers are compared under: python3 gen/text/make_unicode.py > gen/text/unicode_ranges.h"""
import sys
import unicodedata

VERSION = "14.0.0"
# The property White_Space (PropList.txt): of the separators (Zs, Zl, Zp) all, of control characters these.
SPACE_CONTROLS = {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85}


def class_of(code):
    category = unicodedata.category(chr(code))
    if code in SPACE_CONTROLS or category[0] == "Z":
        return "S"
    return category[0] if category[0] in "LN" else None


def ranges():
    """(first, last, class) of all characters that have one, ascending."""
    found = []
    for code in range(sys.maxunicode + 1):
        kind = class_of(code)
        if kind and found and found[-1][1] == code - 1 and found[-1][2] == kind:
            found[-1][1] = code
        elif kind:
            found.append([code, code, kind])
    return found


def main():
    if unicodedata.unidata_version != VERSION:
        sys.exit(f"make_unicode.py: expected a Python with Unicode {VERSION}, got {unicodedata.unidata_version}")
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// clang-format off")
    print(f"// Made by gen/text/make_unicode.py from Unicode {VERSION}: letters (general categories L*), numbers (N*)")
    print("// and white space. {first, last, class}, ascending, both ends included.")
    line = ""
    for first, last, kind in ranges():
        item = f"{{0x{first:X}, 0x{last:X}, {kind}}},"
        if len(line) + 1 + len(item) > 100:
            print(line)
            line = ""
        line += (" " if line else "") + item
    print(line)


main()
