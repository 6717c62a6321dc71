#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A picture of a macro of `hardwire layout`, drawn by KLayout from its GDS: docs/mask-macro.png.

    docs/draw_macro.py LAYOUT MACRO FILE.png [WIDTH]     run by a Python that has pip's klayout
"""
import os
import sys

import klayout.lay as lay

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import layout_pdk  # noqa: E402

# from below up; straps of power and what leads up to them are hatched, so that bits are seen below them
COLOURS = (("nwell", 0xf3efe2), ("diff", 0x58a868), ("tap", 0xa8925a), ("poly", 0xd8503c), ("li", 0x9a86c4), ("met1", 0x4f8fd8),
           ("met2", 0xe0a63a), ("mcon", 0x141414), ("met3", 0x8c2d7a), ("met4", 0x1c6e6e))
HATCHED = {"met3": 8, "met4": 4}  # KLayout's patterns
SETTINGS = {"background-color": "#ffffff", "grid-visible": "false", "text-visible": "false", "cell-box-visible": "false"}


def main():
    folder, macro, path = sys.argv[1:4]
    width = int(sys.argv[4]) if len(sys.argv) > 4 else 1600
    layers, view = layout_pdk.of(folder)["layers"], lay.LayoutView()
    view.load_layout(f"{folder}/rom.gds", 0)
    cell = view.active_cellview()
    cell.cell_name = macro
    view.max_hier()
    view.clear_layers()
    for name, value in SETTINGS.items():
        view.set_config(name, value)
    for name, colour in COLOURS:
        if name not in layers:
            continue
        node = lay.LayerPropertiesNode()
        node.source = "%d/%d@1" % layers[name]
        node.fill_color = node.frame_color = 0xff000000 | colour
        node.dither_pattern, node.width, node.transparent, node.visible = HATCHED.get(name, 0), 1 if name in HATCHED else 0, True, True
        view.insert_layer(view.end_layers(), node)
    box = cell.cell.dbbox()
    view.save_image_with_options(path, width, round(width * box.height() / box.width()), 0, 2, 0, box, False)


main()
