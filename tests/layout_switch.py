# SPDX-License-Identifier: Apache-2.0
"""Reads every word of a macro by switch-level simulation of its transistors, all addresses at once.

A transistor is (kind, gate, {source, drain}, ...), nets by name, as tests/layout_bits.py extracts them from
polygons. A net has two sets of addresses, as the bits of two integers: where it is driven high, and where low.
A transistor conducts where its gate is driven, not where it is unknown; a net in both sets is a short.
"""
import collections


class Short(Exception):
    pass


class Circuit:
    def __init__(self, found):
        self.devices = [(kind == "nfet", gate, *(tuple(ends) * 2)[:2]) for kind, gate, ends, *_ in found]
        self.of = collections.defaultdict(list)
        for i, (_, *nets) in enumerate(self.devices):
            for net in set(nets):
                self.of[net].append(i)

    def drive(self, inputs, high=(), low=()):
        """inputs: {net: its high addresses}, `all` of them under None. Returns high, low: {net: addresses}."""
        every = inputs[None]
        high, low = collections.defaultdict(int, high), collections.defaultdict(int, low)
        fixed = {"VPWR": every, "VGND": 0, **{k: v for k, v in inputs.items() if k}}
        for net, at in fixed.items():
            high[net], low[net] = at, every & ~at
        queue = collections.deque([*fixed, *(k for k in high if k not in fixed)])
        last = collections.deque()  # bit lines, once all else rests: every word line changes them
        waits = set(queue)
        while queue or last:
            net = queue.popleft() if queue else last.popleft()
            waits.discard(net)
            for i in self.of[net]:
                is_n, gate, a, b = self.devices[i]
                on = high[gate] if is_n else low[gate]
                if not on:
                    continue
                for one, other in ((a, b), (b, a)):
                    if other in fixed:
                        continue
                    h, l = high[other] | on & high[one], low[other] | on & low[one]
                    if h & l:
                        raise Short(f"{other} is driven high and low at address {(h & l & -(h & l)).bit_length() - 1}")
                    if h != high[other] or l != low[other]:
                        high[other], low[other] = h, l
                        if other not in waits:
                            waits.add(other)
                            (last if other.startswith("BL") else queue).append(other)
        return high, low


def read(found, rows, cols):
    """[word of each row], [what is wrong], by the pins alone but for the word lines' names in messages."""
    bits = max(3, (rows - 1).bit_length())
    n = 1 << bits
    every, circuit, wrong = (1 << n) - 1, Circuit(found), []
    address = {f"A[{i}]": sum(1 << a for a in range(n) if a >> i & 1) for i in range(bits)}
    lines, outputs = [f"WL[{r}]" for r in range(rows)], [f"D[{c}]" for c in range(cols)]
    charged, idle = circuit.drive({None: every, "CLK": 0, **address})
    for net in (*lines, *outputs):
        if idle[net] != every:
            wrong.append(f"{net} is not low while CLK is low")
    high, low = circuit.drive({None: every, "CLK": every, **address})
    for row, net in enumerate(lines):
        expected = 1 << row
        if high[net] != expected or low[net] != every & ~expected:
            at = [a for a in range(n) if high[net] >> a & 1]
            wrong.append(f"{net} is high at addresses {at}, low at {low[net].bit_count()} of {n - 1}")
    kept = {f"BL[{c}]": charged[f"BL[{c}]"] & ~low[f"BL[{c}]"] for c in range(cols)}
    held = {net: at | kept.get(net, 0) for net, at in high.items()}
    high, low = circuit.drive({None: every, "CLK": every, **address}, held, low)
    words = [0] * n
    for c, net in enumerate(outputs):
        if high[net] | low[net] != every:
            wrong.append(f"{net} is unknown at some address")
        for a in range(n):
            words[a] |= (high[net] >> a & 1) << c
    for a in range(rows, n):
        if words[a]:
            wrong.append(f"address {a}, beyond the last row, reads {words[a]:#x}")
    return words[:rows], wrong
