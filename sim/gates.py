# SPDX-License-Identifier: Apache-2.0
"""Faults in netlists: one gate or LUT inverted."""
import random
import re

# What a gate looks like in each target's netlist, and the same inverted. sim/netlist names LUTs by their
# tables.
GATES = [
    (r"(?m)^  (SB_LUT4|LUT4)_([0-9a-f]{4}) ",
     lambda m: f"  {m.group(1)}_{int(m.group(2), 16) ^ 0xffff:04x} "),
    (r"\.(LUT_INIT|INIT)\(16'h([0-9a-f]{4})\)",
     lambda m: f".{m.group(1)}(16'h{int(m.group(2), 16) ^ 0xffff:04x})"),
    (r"\b(NAND|NOR)2X1 ", lambda m: {"NAND": "AND", "NOR": "OR"}[m.group(1)] + "2X1 "),
    (r"(?m)^(  assign [^=]* = )([^\n]* [&|^] [^\n]*);", lambda m: f"{m.group(1)}~({m.group(2)});"),
]


def invert(text, number):
    """The netlist with the gate inverted that `number` chooses, and a line that says which; None, None
    where there is none."""
    for gate, inverse in GATES:
        found = list(re.finditer(gate, text))
        if found:
            m = random.Random(number).choice(found)
            line = text.count("\n", 0, m.start()) + 1
            return (text[:m.start()] + inverse(m) + text[m.end():],
                    f"line {line}: {m.group(0).strip()} => {inverse(m).strip()}")
    return None, None
