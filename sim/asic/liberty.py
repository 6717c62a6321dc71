#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a Liberty file from what sim/asic/characterize.py has measured.

    sim/asic/liberty.py FIGURES.json -o FILE

Units: ns, V, pF, nW; energies in pJ, beside which a reader adds C V^2 / 2 an edge of the load. The energy of a
flip-flop's output, with the middle edge and load, stands at its D: at Q, OpenSTA would take it at every edge of CLK.
"""
import argparse
import json
import re
import sys

EDGES = ("rise", "fall")


def numbers(values, scale=1.0):
    return ", ".join(f"{v * scale:.6f}" for v in values)


def table(name, template, values, columns, scale=1.0, indexes=()):
    rows = [numbers(values[i:i + columns], scale) for i in range(0, len(values), columns)]
    lines = [f"{name}({template}) {{"] + [f"  {i}" for i in indexes]
    return lines + ["  values(" + ", \\\n    ".join(f'"{row}"' for row in rows) + ");", "}"]


def indent(lines):
    return ["  " + line for part in lines for line in part.split("\n")]


def group(head, body):
    return [head + " {", *indent(body), "}"]


def scalar_power(edges):
    """internal_power of an input, fJ of its rise and its fall."""
    body = [line for edge, value in zip(EDGES, edges) for line in table(f"{edge}_power", "scalar", [value], 1, 1e-3)]
    return group("internal_power()", body)


def output(name, function, cell, sequential):
    body = ["direction : output;", f"function : \"{function}\";"]
    if not cell["arcs"]:
        return group(f"pin({name})", body)
    body.append(f"max_capacitance : {cell['loads'][-1] * 1e-3:.6f};")
    n, index = len(cell["loads"]), [f"index_2(\"{numbers(cell['loads'], 1e-3)}\");"]
    for arc in cell["arcs"]:
        timing = [f"related_pin : \"{arc['pin']}\";"]
        timing += ["timing_type : rising_edge;", "timing_sense : non_unate;"] if sequential else \
            [f"timing_sense : {arc['sense']}_unate;"]
        power = [f"related_pin : \"{arc['pin']}\";"]
        for edge in EDGES:
            timing += table(f"cell_{edge}", "delay", arc[f"{edge}_delay"], n, indexes=index)
            timing += table(f"{edge}_transition", "delay", arc[f"{edge}_slew"], n, indexes=index)
            power += table(f"{edge}_power", "energy", arc[f"{edge}_energy"], n, 1e-3, index)
        body += group("timing()", timing)
        if not sequential:
            body += group("internal_power()", power)
    return group(f"pin({name})", body)


def flip_flop_pins(cell):
    """CLK and D."""
    arc, = cell["arcs"]
    middle = len(arc["rise_energy"]) // 2
    switching = [data + arc[f"{edge}_energy"][middle] for edge, data in zip(EDGES, cell["data_energy"])]
    clk = ["direction : input;", "clock : true;", f"capacitance : {cell['capacitance']['CLK'] * 1e-3:.6f};"]
    d = ["direction : input;", f"capacitance : {cell['capacitance']['D'] * 1e-3:.6f};"]
    for kind in ("setup", "hold"):
        body = ["related_pin : \"CLK\";", f"timing_type : {kind}_rising;"]
        for edge in EDGES:  # rows: edges of D, which are index_2
            at = cell[kind][edge]
            by_clock = [at[0], at[2], at[1], at[3]]
            body += table(f"{edge}_constraint", "constraint", by_clock, 2)
        d += group("timing()", body)
    return group("pin(CLK)", clk + scalar_power(cell["clock_energy"])) + \
        group("pin(D)", d + scalar_power(switching))


def write_cell(name, cell):
    body = [f"area : {cell['area']:.4f};"]
    values = [value for _, value in cell["leakage"]]
    if values:
        body.append(f"cell_leakage_power : {sum(values) / len(values):.9f};")
        for inputs, value in cell["leakage"]:
            if "Q" not in inputs:
                when = " & ".join(p if v else "!" + p for p, v in inputs.items())
                body += group("leakage_power()", [f"when : \"{when}\";", f"value : {value:.9f};"])
    sequential = "setup" in cell
    if sequential:
        body += group("ff(IQ, IQ_N)", ["clocked_on : \"CLK\";", "next_state : \"D\";"]) + flip_flop_pins(cell)
    else:
        for pin, ff in cell["capacitance"].items():
            body += group(f"pin({pin})", ["direction : input;", f"capacitance : {ff * 1e-3:.6f};"])
    for pin, function in cell["function"].items():
        body += output(pin, function, cell, sequential)
    return group(f"cell(sky130_fd_sc_hd__{name})", body)


def library(figures):
    corner, volt, celsius = figures["corner"], figures["volt"], figures["celsius"]
    n = len(figures["slews"])
    loads = next(c["loads"] for c in figures["cells"].values() if c["loads"])
    head = ["delay_model : table_lookup;", "time_unit : \"1ns\";", "voltage_unit : \"1V\";", "current_unit : \"1mA\";",
            "pulling_resistance_unit : \"1kohm\";", "leakage_power_unit : \"1nW\";", "capacitive_load_unit(1, pf);",
            "nom_process : 1;", f"nom_voltage : {volt:.2f};", f"nom_temperature : {celsius};"]
    head += group(f"operating_conditions({corner})", ["process : 1;", f"voltage : {volt:.2f};", f"temperature : {celsius};"])
    head.append(f"default_operating_conditions : {corner};")
    for side in ("input", "output"):
        head += [f"{side}_threshold_pct_{edge} : 50;" for edge in EDGES]
    for side, percent in (("lower", 20), ("upper", 80)):
        head += [f"slew_{side}_threshold_pct_{edge} : {percent};" for edge in EDGES]
    for name in ("delay", "energy"):
        kind = "lu_table_template" if name == "delay" else "power_lut_template"
        edge = "net_transition" if name == "delay" else "transition_time"
        head += group(f"{kind}({name})", [f"variable_1 : input_{edge};", "variable_2 : total_output_net_capacitance;",
                                          f"index_1(\"{numbers(figures['slews'])}\");", f"index_2(\"{numbers(loads, 1e-3)}\");"])
    ends = numbers(figures["ends"])
    head += group("lu_table_template(constraint)", ["variable_1 : related_pin_transition;", "variable_2 : constrained_pin_transition;",
                                                    f"index_1(\"{ends}\");", f"index_2(\"{ends}\");"])
    assert n * len(loads) == len(next(c for c in figures["cells"].values() if c["arcs"])["arcs"][0]["rise_delay"])
    cells = [line for name, cell in figures["cells"].items() for line in write_cell(name, cell)]
    return "\n".join(["/* Measured by sim/asic/characterize.py: ngspice, the foundry's models and polygons. */",
                      *group(f"library(sky130_hd_{corner})", head + cells)]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figures")
    parser.add_argument("-o", dest="out", required=True)
    o = parser.parse_args()
    with open(o.figures) as file:
        text = library(json.load(file))
    with open(o.out, "w") as file:
        file.write(text)
    print(f"{o.out}: {len(re.findall(r'(?m)^  cell', text))} cells")


if __name__ == "__main__":
    sys.exit(main())
