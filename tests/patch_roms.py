#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ROMs of a design alone, as a design: patch_roms.py DESIGN UART OUT.v.

Each ROM is read at addresses that a counter makes; every bit of every word goes into one pin, so that nothing is
optimized away.
"""
import os
import re
import sys

design, uart, out = sys.argv[1:]
paths = [f"{design}/personality/{n}" for n in sorted(os.listdir(f"{design}/personality"))]
paths += [f"{uart}/{n}" for n in sorted(os.listdir(uart)) if re.fullmatch(r"text_\w+_rom\.v", n)]
text = ["module roms (input wire clk, output reg q);", "    reg [31:0] count;", "    always @(posedge clk) count <= count + 1;"]
folds = []
for path in paths:
    source = open(path).read()
    name = re.search(r"module (\w+)", source).group(1)
    width = int(re.search(r"output reg\s+\[(\d+):0\] data", source).group(1)) + 1
    bits = int(re.search(r"\[(\d+):0\] addr", source).group(1)) + 1
    text += [f"    wire [{width - 1}:0] d_{name};", f"    reg f_{name};",
             f"    {name} u_{name} (.clk(clk), .re(count[31]), .addr(count[{bits - 1}:0]), .data(d_{name}));",
             f"    always @(posedge clk) f_{name} <= ^d_{name};"]
    folds.append(f"f_{name}")
text += [f"    always @(posedge clk) q <= ^{{{', '.join(folds)}}};", "endmodule", ""]
open(out, "w").write("\n".join(open(p).read() for p in paths) + "\n".join(text))
