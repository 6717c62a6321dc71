# SPDX-License-Identifier: Apache-2.0
"""What the checks of a layout know of its process: GDSII layers by their manuals' numbers, the layer that holds
the code, the greatest distance to a tap, the deck of design rules. layout.json names the process."""
import json

SKY130 = {
    "layers": {"nwell": (64, 20), "diff": (65, 20), "tap": (65, 44), "poly": (66, 20), "nsdm": (93, 44),
               "psdm": (94, 20), "licon": (66, 44), "li": (67, 20), "mcon": (67, 44), "met1": (68, 20),
               "via": (68, 44), "met2": (69, 20), "via2": (69, 44), "met3": (70, 20), "via3": (70, 44), "met4": (71, 20),
               "li_text": (67, 5), "met1_text": (68, 5), "met2_text": (69, 5), "strap_text": (71, 5)},
    "levels": (("met2", "via2", "met3"), ("met3", "via3", "met4")),  # up to the straps of power
    "boundary": (235, 4),
    "lef": {"met1": ("met1", "met1_text"), "met4": ("met4", "strap_text")},
    "tap_nm": 15000,  # LU.2, which the deck has not
    "deck": "sky130A_mr.drc", "top": "top_cell", "groups": ("feol", "beol", "offgrid", "seal"), "rules": 250,
    "line_nm": 370, "address_nm": 400,  # from bit line to ground; between the lines of a bit of the address
}
GF180MCU = {  # metal 1 is the local interconnect, via 1 its contact to metal 2
    "layers": {"nwell": (21, 0), "diff": (22, 0), "tap": (22, 0), "poly": (30, 0), "nsdm": (32, 0), "psdm": (31, 0),
               "licon": (33, 0), "li": (34, 0), "mcon": (35, 0), "met1": (36, 0), "via": (38, 0), "met2": (42, 0),
               "via2": (40, 0), "met3": (46, 0), "li_text": (34, 10), "met1_text": (36, 10), "met2_text": (42, 10),
               "strap_text": (46, 10)},
    "levels": (("met2", "via2", "met3"),),
    "boundary": (0, 0),
    "lef": {"Metal2": ("met1", "met1_text"), "Metal4": ("met3", "strap_text")},
    "tap_nm": 20000,  # DF.13, DF.14
    "deck": "gf180mcuD_mr.drc", "top": "topcell", "groups": ("feol", "beol", "offgrid"), "rules": 600,
    "line_nm": 560, "address_nm": 560,
}
PROCESSES = {"sky130": SKY130, "gf180mcuD": GF180MCU}


def of(folder):
    """The process of the layout in a folder."""
    with open(f"{folder}/layout.json") as file:
        return PROCESSES[json.load(file)["pdk"]]
