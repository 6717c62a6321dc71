# SPDX-License-Identifier: Apache-2.0
"""A chip's areas to scale, as SVG: the ROM macros as laid out, the logic by unit, the SRAM by its RAMs. What is not placed is
a square, divided so that each part has its area."""
import math
from xml.sax.saxutils import escape

COLOUR = {"ROM": "#3d6fb4", "logic": "#5b9a5b", "SRAM": "#c2903d"}
HEIGHT, FRAME, HEAD = 620.0, 24.0, 36.0  # pixels


def treemap(parts, x, y, w, h):
    """[(name, area)] in a box, largest first: [(name, x, y, w, h)]. Rows along the shorter side, each as long as that makes
    its parts squarer."""
    parts, boxes = sorted(parts, key=lambda p: (-p[1], p[0])), []
    scale = w * h / sum(area for _, area in parts)
    while parts:
        short = min(w, h)
        def worst(row):
            depth = sum(a for _, a in row) * scale / short
            return max(max(depth * depth / (a * scale), a * scale / (depth * depth)) for _, a in row)
        n = 1
        while n < len(parts) and worst(parts[:n + 1]) <= worst(parts[:n]):
            n += 1
        depth, at = sum(a for _, a in parts[:n]) * scale / short, 0.0
        for name, area in parts[:n]:
            along = area * scale / depth
            boxes.append((name, x, y + at, depth, along) if w >= h else (name, x + at, y, along, depth))
            at += along
        x, y, w, h = (x + depth, y, w - depth, h) if w >= h else (x, y + depth, w, h - depth)
        parts = parts[n:]
    return boxes


def box(x, y, w, h, colour, name):
    text = [f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="{colour}" fill-opacity="0.45" stroke="#fff"/>']
    size = min(13.0, 1.5 * w / max(len(name), 1), h / 1.4)
    if size >= 5:
        text.append(f'<text x="{x + w / 2:.1f}" y="{y + h / 2 + size / 3:.1f}" font-size="{size:.1f}">{escape(name)}</text>')
    return text


def write(path, layout, units, rams):
    """layout: layout.json; units: {name: um2}; rams: [(name, um2)]."""
    rom_w, rom_h = (nm * 1e-3 for nm in layout["floorplan_nm"])
    groups = {"logic": list(units.items()), "SRAM": rams}
    sides = {k: math.sqrt(sum(a for _, a in parts)) for k, parts in groups.items()}
    scale = HEIGHT / max(rom_h, *sides.values())
    x, foot, body = FRAME, HEAD + HEIGHT, []
    label = lambda at, high, name, mm2: body.append(f'<text x="{at:.1f}" y="{foot - high * scale - 9:.1f}" font-size="15" '
                                                    f'text-anchor="start">{name} {mm2:.2f} mm2</text>')
    label(x, rom_h, "ROM", sum(m["size_nm"][0] * m["size_nm"][1] for m in layout["macros"]) * 1e-12)
    for m in layout["macros"]:
        (mx, my), (w, h) = (tuple(nm * 1e-3 * scale for nm in m[k]) for k in ("at_nm", "size_nm"))
        body += box(x + mx, foot - my - h, w, h, COLOUR["ROM"], "")
    x += max(rom_w * scale, 120) + FRAME
    for name, parts in groups.items():
        side = sides[name] * scale
        label(x, sides[name], name, sides[name] ** 2 * 1e-6)
        for part, bx, by, w, h in treemap(parts, x, foot - side, side, side):
            body += box(bx, by, w, h, COLOUR[name], part)
        x += side + FRAME
    mm = 1000 * scale
    body.append(f'<path d="M{FRAME} {foot + 12:.1f}v8h{mm:.1f}v-8" fill="none" stroke="#333"/>')
    body.append(f'<text x="{FRAME + mm + 8:.1f}" y="{foot + 20:.1f}" font-size="13" text-anchor="start">1 mm</text>')
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{x:.0f}" height="{foot + 32:.0f}" font-family="sans-serif" '
                   'text-anchor="middle">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n")
