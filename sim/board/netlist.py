# SPDX-License-Identifier: Apache-2.0
"""Netlists of Yosys, as JSON, between synthesis and placement."""
import json
from collections import defaultdict
from contextlib import contextmanager


@contextmanager
def edited(path):
    """The netlist of a file, which is written again with what was done to it."""
    with open(path) as f:
        design = json.load(f)
    yield design
    with open(path, "w") as f:
        json.dump(design, f)


class Netlist:
    """Who drives a net of a module, by name, and who reads it: (cell, port, bit of the port). ports: nets of the module's own."""

    def __init__(self, module):
        self.cells, self.driver, self.readers = module["cells"], {}, defaultdict(list)
        self.ports = {bit for port in module["ports"].values() for bit in port["bits"]}
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                for i, bit in enumerate(bits):
                    if cell["port_directions"][port] == "output":
                        self.driver[bit] = name
                    else:
                        self.readers[bit].append((name, port, i))
