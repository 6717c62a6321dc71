#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of the documentation: python3 docs/draw.py [FOLDER] writes flow.svg, datapath.svg, array.svg,
tile.svg, banks.svg and cell.svg into docs/ or FOLDER. All coordinates are written by hand; nothing here depends on time or place."""
import os
import sys
from xml.sax.saxutils import escape

FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"
FILL = {"file": "#fff7e0", "rom": "#e3f0ff", "unit": "#eef7ea", "ram": "#f5e9f7", "soft": "#f2f2f2"}
EDGE = {"file": "#a07800", "rom": "#20609f", "unit": "#3c7a2c", "ram": "#7a3c86", "soft": "#777777"}


class Drawing:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def text(self, x, y, words, size=13, anchor="middle", color="#222222", weight="normal"):
        self.parts.append(f"<text x='{x}' y='{y}' {FONT} font-size='{size}' text-anchor='{anchor}' fill='{color}' "
                          f"font-weight='{weight}'>{escape(words)}</text>")

    def box(self, x, y, w, h, kind, *lines):
        """The first line is the name; the others say more, smaller."""
        self.parts.append(f"<rect x='{x}' y='{y}' width='{w}' height='{h}' rx='5' fill='{FILL[kind]}' "
                          f"stroke='{EDGE[kind]}' stroke-width='1.4'/>")
        top = y + h / 2 - 8 * (len(lines) - 1) + 4.5
        for i, line in enumerate(lines):
            self.text(x + w / 2, top + 16 * i, line, 13 if i == 0 else 11, weight="bold" if i == 0 else "normal")

    def arrow(self, *points, label="", at=None, anchor="middle", dashed=False):
        path = " ".join(f"{x},{y}" for x, y in points)
        dash = " stroke-dasharray='5,4'" if dashed else ""
        self.parts.append(f"<polyline points='{path}' fill='none' stroke='#444444' stroke-width='1.4'{dash} "
                          "marker-end='url(#head)'/>")
        if label:
            x, y = at or ((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2 - 6)
            self.text(x, y, label, 11, anchor, "#444444")

    def save(self, path):
        with open(path, "w") as file:
            file.write(f"<svg xmlns='http://www.w3.org/2000/svg' width='{self.width}' height='{self.height}' "
                       f"viewBox='0 0 {self.width} {self.height}'>\n"
                       "<defs><marker id='head' markerWidth='9' markerHeight='7' refX='8' refY='3.5' orient='auto'>"
                       "<path d='M0,0 L9,3.5 L0,7 z' fill='#444444'/></marker></defs>\n"
                       f"<rect width='{self.width}' height='{self.height}' fill='#ffffff'/>\n")
            file.write("\n".join(self.parts) + "\n</svg>\n")


def flow():
    """From a checkpoint to a chip, and what is compared with what."""
    d = Drawing(900, 320)
    d.box(20, 60, 150, 76, "file", "checkpoint", "GGUF, safetensors,", "llama2.c, bitllama")
    d.box(270, 60, 150, 76, "file", "integer model", "codes, scales, levels:", "Q.safetensors")
    d.box(530, 30, 160, 56, "unit", "fabric/", "a function of the geometry")
    d.box(530, 110, 160, 56, "rom", "personality/", "constants: ROMs, program")
    d.box(760, 60, 120, 76, "soft", "your tools", "FPGA or ASIC")
    d.box(270, 220, 150, 56, "soft", "reference", "integers only, in C")
    d.box(530, 220, 160, 56, "soft", "simulation", "Verilator, Icarus")
    d.arrow((170, 98), (270, 98), label="quantize")
    d.arrow((420, 98), (475, 98), (475, 58), (530, 58))
    d.arrow((475, 98), (475, 138), (530, 138), label="emit", at=(448, 90))
    d.arrow((690, 58), (725, 58), (725, 98), (760, 98))
    d.arrow((690, 138), (725, 138), (725, 98), (760, 98))
    d.arrow((345, 136), (345, 220), label="run", at=(335, 182), anchor="end")
    d.arrow((610, 166), (610, 220), label="sim", at=(620, 198), anchor="start")
    d.arrow((420, 242), (530, 242), dashed=True)
    d.arrow((530, 254), (420, 254), dashed=True)
    d.text(480, 298, "every tensor of every", 11, color="#444444")
    d.text(480, 312, "token must be equal", 11, color="#444444")
    return d


def datapath():
    """What happens to a token. Blue: ROMs of the personality. Violet: RAMs. Green: units of the fabric."""
    d = Drawing(940, 520)
    d.box(20, 20, 130, 46, "rom", "program ROM", "9 words a layer")
    d.box(200, 20, 130, 46, "unit", "sequencer", "only starts things")
    d.text(350, 38, "starts every unit below; data keeps them in order", 11, "start", "#444444")
    d.arrow((150, 43), (200, 43))
    d.text(28, 132, "token in", 12, "start", weight="bold")
    d.box(20, 150, 130, 46, "unit", "embed", "one row")
    d.box(200, 150, 130, 46, "ram", "residual", "and its squares")
    d.box(380, 150, 120, 46, "unit", "RMSNorm", "gains from a ROM")
    d.box(550, 130, 140, 86, "ram", "activations", "X: after a norm", "A: of attention", "H: of SwiGLU")
    d.box(740, 130, 180, 86, "unit", "array", "ROWS x COLS lanes", "a weight word a clock", "acc += level[code] * x")
    d.box(740, 40, 180, 46, "rom", "weight ROM", "banks of up to 256 KiB")
    d.box(740, 260, 180, 46, "unit", "drain", "row scale, rounding")
    d.box(550, 260, 140, 46, "unit", "rotation", "Q and K")
    d.box(380, 260, 120, 46, "ram", "KV cache", "ATT_POS banks")
    d.box(200, 260, 130, 60, "unit", "attention", "scores, exp2,", "weighed sum")
    d.box(380, 370, 120, 46, "unit", "SwiGLU", "silu(gate) * up")
    d.box(550, 370, 140, 46, "unit", "argmax", "greedy")
    d.arrow((85, 138), (85, 150))
    d.arrow((150, 173), (200, 173))
    d.arrow((330, 173), (380, 173))
    d.arrow((500, 173), (550, 173))
    d.arrow((690, 173), (740, 173))
    d.arrow((830, 86), (830, 130))
    d.arrow((830, 216), (830, 260))
    d.arrow((740, 283), (690, 283), label="Q, K", at=(715, 277))
    d.arrow((550, 283), (500, 283), label="K", at=(525, 277))
    d.arrow((770, 306), (770, 340), (440, 340), (440, 306), label="V", at=(600, 334))
    d.arrow((620, 260), (620, 240), (265, 240), (265, 260), label="Q", at=(520, 234))
    d.arrow((380, 290), (330, 290))
    d.arrow((230, 260), (230, 224), (515, 224), (515, 200), (550, 200), label="A", at=(470, 218))
    d.arrow((800, 306), (800, 452), (440, 452), (440, 416), label="gate, up", at=(620, 446))
    d.arrow((380, 393), (346, 393), (346, 350), (526, 350), (526, 212), (550, 212), label="H", at=(362, 384))
    d.arrow((785, 306), (785, 393), (690, 393), label="logits", at=(735, 387))
    d.arrow((830, 306), (830, 492), (180, 492), (180, 186), (200, 186), label="wo, down: added to the residual", at=(480, 486))
    d.arrow((620, 416), (620, 434), (60, 434), label="token out, and into embed again", at=(240, 428))
    d.arrow((60, 434), (60, 196))
    return d


def array():
    """One column of the array: the products are formed once, and each lane selects one by its code."""
    d = Drawing(760, 330)
    d.box(20, 30, 110, 46, "ram", "activation x", "10 bits")
    for i, level in enumerate((-3, -1, 1, 4)):
        x = 190 + 130 * i
        d.box(x, 30, 100, 46, "unit", f"{level} * x")
        d.arrow((x + 50, 76), (x + 50, 140))
    d.arrow((130, 53), (190, 53), label="", at=None)
    d.text(20, 94, "formed once for each", 11, "start", "#444444")
    d.text(20, 109, "of the plane's levels", 11, "start", "#444444")
    d.parts.append("<line x1='190' y1='140' x2='740' y2='140' stroke='#444444' stroke-width='5'/>")
    d.text(20, 145, "products, to all rows", 11, "start", "#444444")
    for i, (row, code, level) in enumerate((("row 0", "01", -1), ("row 1", "11", 4), ("row 2", "00", -3))):
        x = 190 + 185 * i
        d.arrow((x + 70, 142), (x + 70, 180))
        d.box(x, 180, 140, 46, "unit", f"select, {row}", f"code {code}: {level} * x")
        d.arrow((x + 70, 226), (x + 70, 262))
        d.box(x, 262, 140, 46, "ram", "accumulator", "+ the other columns")
    d.text(20, 200, "the code of each row", 11, "start", "#444444")
    d.text(20, 216, "is a ROM's bits", 11, "start", "#444444")
    return d


def tile():
    """The array as tiles, each beside the macros of its slice of the weight ROM."""
    d = Drawing(760, 400)
    d.box(20, 20, 150, 46, "unit", "matvec", "address, chunk")
    d.box(300, 20, 200, 46, "ram", "activations", "COLS x 10 bits")
    d.box(560, 20, 180, 46, "rom", "levels", "2^b of a plane")
    d.parts.append("<line x1='150' y1='100' x2='720' y2='100' stroke='#444444' stroke-width='5'/>")
    d.arrow((400, 66), (400, 98))
    d.arrow((650, 66), (650, 98))
    d.text(20, 104, "to all tiles, the same", 11, "start", "#444444")
    for i, name in enumerate(("tile 0", "tile 1", "tile n")):
        y = 122 + 86 * i
        rows = ("rows 0 to R - 1", "rows R to 2R - 1", "the last R rows")[i]
        d.box(30, y, 170, 62, "rom", "weight ROM slice", rows, "R x COLS x b bits wide")
        d.arrow((200, y + 31), (240, y + 31), label="codes", at=(220, y + 24))
        d.parts.append(f"<rect x='240' y='{y - 6}' width='360' height='74' rx='5' fill='none' stroke='#444444' "
                       "stroke-dasharray='5,4'/>")
        d.text(592, y + 8, name, 11, "end", "#444444")
        d.box(250, y + 10, 100, 46, "unit", "products", "COLS x 2^b")
        d.arrow((350, y + 33), (370, y + 33))
        d.box(370, y + 10, 90, 46, "unit", "R lanes", "select, add")
        d.arrow((460, y + 33), (480, y + 33))
        d.box(480, y + 10, 110, 46, "ram", "R sums", "block and next")
        d.arrow((300, 102), (300, y + 10)) if i == 0 else None
        d.arrow((600, y + 31), (650, y + 31))
    d.box(650, 122, 90, 234, "unit", "drain", "VEC rows", "a clock")
    d.arrow((40, 66), (40, 122))
    return d


def banks():
    """A ROM of many banks: groups of 16, then a tree."""
    d = Drawing(760, 260)
    for g in range(3):
        x = 110 + 220 * g
        for b in range(4):
            name = ("b00", "b01", "...", "b15")[b] if g == 0 else ("", "", "", "")[b]
            d.box(x + 46 * b, 45, 40, 40, "rom", name if g == 0 else "")
            d.arrow((x + 46 * b + 20, 85), (x + 92 if b in (1, 2) else x + 20 + 46 * b, 118))
        d.box(x, 118, 180, 40, "unit", f"group g0{g}" if g < 2 else "group g..", "rom_select of 16")
        d.arrow((x + 90, 158), (x + 90, 200))
    d.box(110, 200, 620, 44, "unit", "a tree of selects, 16 to 1 each", "the number of the bank is registered beside its word: one clock for any size")
    d.text(20, 62, "a bank:", 11, "start", "#444444")
    d.text(20, 77, "up to 256 KiB", 11, "start", "#444444")
    return d


def cell():
    """Two columns of a mask ROM, three rows of them: sky130, to scale, and what they are as a circuit."""
    d, um = Drawing(900, 470), 240  # pixels a um
    row, col, gate, strip, line, cut = 0.43 * um, 0.74 * um, 0.15 * um, 0.47 * um, 0.23 * um, 0.17 * um
    left, bottom = 120, 400  # of the first strip; the middle of the lowest nodes
    ties = ((0, 1, 1, 0), (0, 0, 1, 1))  # of each column, from below: 1 on the bit line, 0 on ground

    def layer(x, y, w, h, style):
        d.parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' {style}/>")

    for c, nodes in enumerate(ties):
        x = left + c * col
        lines = [x + strip / 2 + side * (line + 0.14 * um) / 2 - line / 2 for side in (-1, 1)]
        layer(x, bottom - 3 * row - 30, strip, 3 * row + 60, "fill='#7fc47f'")
        for r in range(4):  # local interconnect of a node
            layer(lines[0] - 4, bottom - r * row - cut / 2, lines[1] + line - lines[0] + 8, cut, "fill='#8a6fb0' fill-opacity='0.6'")
        for at, name in zip(lines, (f"BL {c}", "GND")):
            layer(at, bottom - 3 * row - 40, line, 3 * row + 80, "fill='#3f7fd0' fill-opacity='0.45'")
            d.text(at + line / 2, bottom - 3 * row - 46, name, 11)
        for r, tie in enumerate(nodes):
            for on, at in enumerate(reversed(lines)):
                if r == 0 and on:
                    continue  # node 0 of a block is always on ground
                style = "fill='#141414'" if on == tie else "fill='none' stroke='#141414' stroke-dasharray='4,3'"
                layer(at + (line - cut) / 2, bottom - r * row - cut / 2, cut, cut, style)
    for r in range(3):
        y = bottom - (r + 0.5) * row
        layer(left - 30, y - gate / 2, col + strip + 60, gate, "fill='#d8503c' fill-opacity='0.8'")
        d.text(left - 36, y + 4, f"word line {r}", 11, "end")
    middle = left + (col + strip) / 2
    d.text(middle, 18, "two columns from above, to scale: 0.74 x 0.43 um a bit", 12, weight="bold")
    d.text(middle, 462, "filled: the contact that is there; dashed: where another model may have it", 11)

    x0 = 560
    for c, nodes in enumerate(ties):
        x = x0 + 190 * c
        for at, name in ((x - 50, f"BL {c}"), (x + 50, "GND")):
            d.parts.append(f"<line x1='{at}' y1='{bottom - 3 * row - 40:.1f}' x2='{at}' y2='{bottom + 30}' stroke='#3f7fd0' stroke-width='3'/>")
            d.text(at, bottom - 3 * row - 46, name, 11)
        for r, tie in enumerate(nodes):
            y, to = bottom - r * row, x - 50 if tie else x + 50
            d.parts.append(f"<line x1='{x}' y1='{y:.1f}' x2='{to}' y2='{y:.1f}' stroke='#8a6fb0' stroke-width='3'/>"
                           f"<circle cx='{x}' cy='{y:.1f}' r='4' fill='#3c7a2c'/><rect x='{to - 6}' y='{y - 6:.1f}' width='12' height='12' fill='#141414'/>")
        for r in range(3):
            y, bit = bottom - (r + 0.5) * row, nodes[r] != nodes[r + 1]
            d.parts.append(f"<path d='M{x} {bottom - r * row:.1f}V{y + 14:.1f}H{x + 12}V{y - 14:.1f}H{x}V{bottom - (r + 1) * row:.1f}' fill='none' "
                           "stroke='#3c7a2c' stroke-width='2'/>")
            d.parts.append(f"<path d='M{x + 18} {y - 14:.1f}v28M{x + 18} {y:.1f}h14' stroke='#d8503c' stroke-width='2.5' fill='none'/>")
            d.text(x - 12, y + 6, str(int(bit)), 17, "end", "#b01818" if bit else "#777777", "bold")
    for r in range(3):
        d.text(x0 + 290, bottom - (r + 0.5) * row + 4, f"row {r}", 11, "start")
    d.text(x0 + 95, 18, "the same as a circuit, with the bits of its rows", 12, weight="bold")
    d.text(x0 + 95, 462, "nodes on both sides of a gate differ: the row conducts, a 1", 11)
    return d


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for draw in (flow, datapath, array, tile, banks, cell):
        draw().save(os.path.join(folder, draw.__name__ + ".svg"))
