# SPDX-License-Identifier: Apache-2.0
"""Verilog models of the ECP5's cells, for simulating netlists of synth_ecp5."""
import os
import re
import shutil

SHARE = "/usr/share/yosys/ecp5"
HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ["cells.v", "ecp5_cells.v"]


def write(out):
    """Leaves FILES and what they include in the folder `out`. Yosys' DP16KD is a black box; ecp5_cells.v has a model of it."""
    for name in ("cells_ff.vh", "cells_io.vh"):
        shutil.copy(f"{SHARE}/{name}", f"{out}/{name}")
    shutil.copy(f"{HERE}/ecp5_cells.v", f"{out}/ecp5_cells.v")
    with open(f"{SHARE}/cells_sim.v") as file:
        cells = re.sub(r"\(\* blackbox \*\)\s*module DP16KD.*?endmodule", "", file.read(), flags=re.S)
    with open(f"{out}/cells.v", "w") as file:
        file.write(cells)
