# SPDX-License-Identifier: Apache-2.0
"""Registers of an ECP5's logic into the multipliers beside them, which have registers of their own.

Yosys leaves those unused, so that a path leads from a register over wires to a multiplier, through it and over wires to the
next register: up to 16 ns where the blocks lie far away. Here, on a netlist of synth_ecp5, a multiplier (MULT18X18D) whose
operands both come out of registers takes them in, where what they hold comes out of other registers, so that a wire is all
that is before them; behind logic it would be the path before that grows. A register that others read too stays for them.
Operands may have constant bits: they enter as the others do.

Such registers have one clock and one enable an operand, and no reset. The four multipliers of a block have their enables
between them (CE0 of one is CE0 of all, by fixed connections), and which four these are is for the placer to say: so four
nets are enables of operands' registers, each by its number everywhere, and what has another stays in logic. They are those
that let most multipliers take their registers in. What a constant bit is before its operand first takes something is not
the same, and nothing may depend on it. Output registers are left alone: nextpnr writes no enable of theirs
into a bitstream. From Lattice's sysDSP guide; sim/ecp5_cells.v has the multiplier's model.
"""
import itertools
from collections import Counter

from netlist import Netlist

PLAIN = {"CLKMUX": "CLK", "GSR": "DISABLED", "LSRMUX": "LSR", "REGSET": "RESET"}
OPERANDS = {"A": [f"A{i}" for i in range(18)], "B": [f"B{i}" for i in range(18)]}
CONSTANT = ("0", "1", "x")
ENABLES = 4  # of a block of multipliers


class Registers(Netlist):
    def register(self, bit):
        """The register that a net comes out of, or None."""
        cell = self.cells.get(self.driver.get(bit))
        return cell if cell and cell["type"] == "TRELLIS_FF" else None

    def plain(self, bit):
        """(clock, enable, input) of the register without reset that a net comes out of, or None. An enable of "1": always."""
        cell = self.register(bit)
        if not cell or any(cell["parameters"].get(key, value).strip() != value for key, value in PLAIN.items()):
            return None
        to, mux = cell["connections"], cell["parameters"]["CEMUX"].strip()
        enable = to["CE"][0] if mux == "CE" else "1" if mux == "1" else None
        return (to["CLK"][0], enable, to["DI"][0]) if enable and to.get("LSR", ["0"]) == ["0"] else None


def operand(netlist, cell, ports):
    """(clock, enable, {port: what comes into its register}) of an operand that can be taken in, or None."""
    facts, enters = set(), {}
    for port in ports:
        bit = cell["connections"][port][0]
        if bit in CONSTANT:
            continue
        register = netlist.plain(bit)
        if not register or not netlist.register(register[2]):
            return None
        facts.add(register[:2])
        enters[port] = register[2]
    return (*facts.pop(), enters) if len(facts) == 1 else None


def enables(ready):
    """The nets that enable most of these multipliers, ENABLES of them at most."""
    wanted = Counter(frozenset((a[1], b[1])) for _, a, b in ready)
    nets = sorted(frozenset().union(*wanted), key=str)
    return max(itertools.combinations(nets, min(ENABLES, len(nets))),
               key=lambda four: sum(count for pair, count in wanted.items() if pair.issubset(four)))


def absorb(design, top):
    """Does so to {the JSON of a netlist}: (multipliers, those that took registers in, registers that nobody reads any more)."""
    netlist = Registers(design["modules"][top])
    mults = [cell for cell in netlist.cells.values() if cell["type"] == "MULT18X18D"]
    ready = [(cell, *(operand(netlist, cell, ports) for ports in OPERANDS.values())) for cell in mults]
    ready = [(cell, a, b) for cell, a, b in ready if a and b and a[0] == b[0]]
    number = {net: f"CE{i}" for i, net in enumerate(enables(ready))}
    ready = [(cell, a, b) for cell, a, b in ready if a[1] in number and b[1] in number]
    read_by = Counter()  # inputs that no longer read this net
    for cell, a, b in ready:
        cell["parameters"].update({"REG_INPUTA_CLK": "CLK0", "REG_INPUTA_CE": number[a[1]], "REG_INPUTA_RST": "RST0",
                                   "REG_INPUTB_CLK": "CLK0", "REG_INPUTB_CE": number[b[1]], "REG_INPUTB_RST": "RST0"})
        new = {"CLK0": a[0], "RST0": "0", **{number[net]: net for net in (a[1], b[1])}}
        for port, bit in new.items():
            cell["connections"][port], cell["port_directions"][port] = [bit], "input"
        for port, bit in (*a[2].items(), *b[2].items()):
            read_by.update(cell["connections"][port])
            cell["connections"][port] = [bit]
    gone = [netlist.driver[bit] for bit, count in read_by.items()
            if count == len(netlist.readers[bit]) and bit not in netlist.ports]
    for name in gone:
        del netlist.cells[name]
    return len(mults), len(ready), len(gone)
