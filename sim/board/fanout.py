# SPDX-License-Identifier: Apache-2.0
"""Registers and LUTs that many cells read, as several that a few read each, on a netlist of synth_gowin.

nextpnr takes nets of 11 to 50 distant readers to long wires before its router begins, which costs seconds a net and a third
of the whole flow. Here what drives such a net gets copies, and each copy the readers whose names, and so whose places in
the design, are neighbours. What resets others stays alone, and so does a register that a pin drives: a copy of what
synchronizes an input may see it a clock later.
"""
import re

from netlist import Netlist

FEW, MANY = 10, 50
RESETS = ("RESET", "SET", "CLEAR", "PRESET")
ROUNDS = 8  # a copy reads what its original reads, so that another net may come to have many readers


def output(cell):
    """The output of a register or a LUT, or None."""
    return "Q" if cell["type"].startswith("DFF") else "F" if re.fullmatch("LUT[1-4]", cell["type"]) else None


def neighbours(reader):
    """Sorts readers by name, numbers in it by value."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", reader[0])], reader[1:]


def from_pin(netlist, bit):
    return bit in netlist.driver and netlist.cells[netlist.driver[bit]]["type"] == "IBUF"


def copy_once(module, new):
    """Copies what drives nets of more than FEW readers, MANY at most, now; `new` is the first number of a net that is free.
    How many copies."""
    netlist = Netlist(module)
    cells, readers, alone = netlist.cells, netlist.readers, set(netlist.ports)
    for cell in cells.values():
        for port in RESETS:
            alone.update(cell["connections"].get(port, ()))
    made = 0
    for name, cell in sorted(cells.items()):
        out = output(cell)
        if not out:
            continue
        net, = cell["connections"][out]
        if (net in alone or not FEW < len(readers[net]) <= MANY
                or any(from_pin(netlist, bit) for bit in cell["connections"].get("D", ()))):
            continue
        moves, parts = sorted(readers[net], key=neighbours), -(-len(readers[net]) // FEW)
        for part in range(1, parts):
            copy = f"{name}_copy{new + made}"
            connections = {port: list(bits) for port, bits in cell["connections"].items()}
            cells[copy] = {**cell, "connections": {**connections, out: [new + made]}}
            module["netnames"][f"{copy}_{out}"] = {"hide_name": 0, "bits": [new + made], "attributes": {}}
            for reader, port, i in moves[len(moves) * part // parts:len(moves) * (part + 1) // parts]:
                cells[reader]["connections"][port][i] = new + made
            made += 1
    return made


def spread(design, top):
    """Does so to {the JSON of a netlist}. How many copies."""
    module, copies = design["modules"][top], 0
    new = 1 + max(bit for net in module["netnames"].values() for bit in net["bits"] if isinstance(bit, int))
    for _ in range(ROUNDS):
        made = copy_once(module, new + copies)
        if not made:
            break
        copies += made
    return copies
