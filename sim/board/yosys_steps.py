# SPDX-License-Identifier: Apache-2.0
"""Runs steps of pip's pyosys, one an argument."""
import sys

from pyosys import libyosys as ys

design = ys.Design()
for step in sys.argv[1:]:
    ys.run_pass(step, design)
