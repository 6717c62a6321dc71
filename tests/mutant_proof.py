# SPDX-License-Identifier: Apache-2.0
"""What a proof says about a mutant that no simulation killed; used by tests/mutants.py.

`equivalent`: the mutated template equals the original, by induction. Both are cut at their registers
and at memories and ROMs, joined so that they share every input, and unrolled for some clocks by Yosys;
SAT does the rest. Registers that the mutant can change are found by counterexamples, and are then free
to differ; outputs, what goes to memories and ROMs, and all other registers must stay equal. A product
is any function of its operands:
    base: after a reset, from one arbitrary state of both;
    step: after K clocks in which they were equal, whatever the registers that may differ hold.
So it holds for every input and all time. A wire of OBSERVED is compared only where its condition holds,
which is what the module's header says of it; nothing is assumed about inputs. Bits that nobody defines
are 0 in both.

`broken_promise`: a promise of sim/formal that the mutant breaks: the bounded checks of every job that
has the template among its sources, without the links that name registers inside.
"""
import glob
import json
import os
import re
import resource
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TEMPLATES = os.path.join(ROOT, "rtl_templates")
DEPTHS = (1, 2, 4)
SECONDS = 60  # of CPU, for one question to SAT

# Small, where the defaults are large; the lanes are alike. A proof is about these parameters, so every
# structure that they choose between is here, and the mutant has survived the designs of other ones.
ENGINE = {"ROWS": 8, "COLS": 4, "CODE_W": 2, "VEC": 8, "ATT_POS": 4, "HEAD_DIM": 4, "CTX": 16,
          "MAX_DIM": 16, "MAX_Q_DIM": 16, "MAX_HIDDEN": 16, "MAX_KV_DIM": 8, "KV_ROWS": 2}
ATTENTION = {"HEAD_DIM": 2, "ATT_POS": 2, "OUT": 2, "KV_W": 2, "CTX": 8, "GROUP_W": 2}
SCORES = {"HEAD_DIM": 2, "ATT_POS": 2, "KV_W": 2, "GROUP_W": 2}
KV_CACHE = {"VEC": 4, "HEAD_DIM": 4, "ATT_POS": 4, "CTX": 8, "KV_ROWS": 2, "MAX_KV_DIM": 4,
            "ROW_W": 1, "GROUP_W": 1, "KV_W": 4}
PARAMETERS = {
    "engine": [{**ENGINE, "SUB_NORM": 1}, {**ENGINE, "LANE": 1, "VEC": 4, "HEAD_DIM": 8}],
    "attention": [ATTENTION, {**ATTENTION, "OUT": 1}],
    "attention_score": [SCORES], "attention_weigh": [{**SCORES, "SUM_W": 20, "ACC_W": 22}],
    "attention_divide": [{"HEAD_DIM": 2, "OUT": out, "SUM_W": 20, "ACC_W": 22} for out in (2, 1)],
    "head_walk": [{"ROW_W": 3, "GROUP_W": 2, "ROW_GROUP_W": 1, "HEAD_W": 3}],
    "kv_cache": [KV_CACHE, {**KV_CACHE, "VEC": 2}, {**KV_CACHE, "HEAD_DIM": 2}],
    "msa_array": [{"ROWS": 4, "COLS": 4, "CODE_W": 2, "ACC_W": 24}],
    "mac_array": [{"ROWS": 4, "COLS": 4, "CODE_W": 2, "ACC_W": 24}],
    "array": [{"ROWS": 4, "TILE": 2, "COLS": 4, "CODE_W": 2, "ACC_W": 24}],
    "drain": [{"ROWS": 8, "VEC": 4, "ACC_W": 24}, {"ROWS": 4, "VEC": 4, "ACC_W": 24}],
    "embed": [{"ROWS": 4, "COLS": 4, "VEC": 4, "CODE_W": 2, "ACC_W": 24},
              {"ROWS": 4, "COLS": 8, "VEC": 4, "CODE_W": 2, "ACC_W": 24}],
    "rope": [{"VEC": 4, "HEAD_DIM": 4}, {"VEC": 4, "HEAD_DIM": 2}, {"VEC": 4, "HEAD_DIM": 8}],
    "sequencer": [{"SUB_NORM": 0}, {"SUB_NORM": 1}],
    "side": [{"VEC": 4, "OUT": 4}, {"VEC": 4, "OUT": 2}],
    "rmsnorm": [{"VEC": 4}], "rsqrt": [{"TAG_W": 2}, {"TAG_W": 2, "SCALAR": 5, "TABLE": 3}],
    "norm_elements": [{"VEC": 4}, {"VEC": 4, "VECTOR": 9}], "head_norm": [{"VEC": 4}, {"VEC": 4, "HEAD_DIM": 4}],
    "swiglu": [{"VEC": 4}], "residual": [{"VEC": 4}], "argmax": [{"VEC": 4}],
    "max_tree": [{"N": 4, "W": 4}, {"N": 8, "W": 4, "LEVELS": 2}],
}
# Outputs that mean something only together with another: {module: {output: condition}}, in Verilog.
OBSERVED = {
    "rmsnorm": {"y": "y_valid", "y_word": "y_valid", "read_addr": "read"},
    "norm_elements": {"y": "y_valid", "y_word": "y_valid", "y_tag": "y_valid", "read_word": "read",
                      "gain_word": "gain_read", "gain_tag": "gain_read"},
    "head_norm": {"z": "z_valid", "z_kind": "z_valid", "z_row": "z_valid", "gain_addr": "gain_read"},
    "swiglu": {"h": "h_valid", "h_index": "h_valid"},
    "rope": {"z_query": "z_valid && z_kind == 2'd1", "z_kv": "z_valid && z_kind != 2'd1",
             "z_kind": "z_valid", "z_row": "z_valid"},
    "attention": {"out": "out_valid", "out_index": "out_valid", "score": "score_valid",
                  "score_head": "score_valid", "score_group": "score_valid"},
    "attention_score": {"score": "score_valid", "score_head": "score_valid", "score_group": "score_valid",
                        "max": "max_valid", "max_slot": "max_valid"},
    "head_walk": {"head": "active", "group": "active", "first": "active", "last": "active", "addr": "active"},
    "attention_weigh": {"acc": "acc_valid", "acc_head": "acc_valid", "sum": "sum_valid"},
    "attention_divide": {"out": "out_valid", "out_index": "out_valid"},
    "residual": {"wrote_addr": "wrote", "wrote_data": "wrote", "ss": "done"},
    "side": {"wrote_addr": "wrote", "wrote_data": "wrote", "ss": "done"},
    "msa_array": {"sum": "done"}, "mac_array": {"sum": "done"}, "array": {"sum": "done"},
    "argmax": {"best": "done"},
    "max_tree": {"max": "max_valid", "index": "max_valid", "max_tag": "max_valid"},
    "drain": {"y": "y_valid", "y_last": "y_valid", "y_dest": "y_valid", "y_row": "y_valid",
              "y_shift2": "y_valid"},
    "embed": {"sum": "sum_valid", "sum_last": "sum_valid", "sum_row": "sum_valid"},
    "chip": {"m_token_status": "m_token_valid", "m_token_last": "m_token_valid",
             "m_token_data": "m_token_valid && m_token_status < 3'd3"},  # others bring no token
    "sequencer": {"seq_len": "done && !refused", "refused": "done",
                  "insn": "issue_embed || issue_norm || issue_attn || issue_recv || matvec_valid"},
}


def run(command, log, limit=SECONDS):
    """Exit status and output."""
    with open(log, "w") as file:
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT,
                                preexec_fn=lambda: resource.setrlimit(
                                    resource.RLIMIT_CPU, (limit, limit + 1))).returncode
    with open(log, errors="replace") as file:
        return status, file.read()


# --- one copy, cut at its registers -----------------------------------------------------------------

def outside(path):
    with open(path) as file:
        return os.path.basename(path) == "mul.v" or "posedge" in file.read()


class Cut:
    """The combinational rest of a template: inputs and outputs by name, {name: width}."""

    def __init__(self, module, path, name, work, parameters):
        self.module, self.name = module, name
        self.json = f"{work}/{name}.json"
        chosen = "".join(f"chparam -set {k} {v} {module}; " for k, v in parameters.items())
        others = [p for p in glob.glob(f"{TEMPLATES}/*.v")
                  if os.path.basename(p) not in (f"{module}.v", "chip_top.v", "slice_top.v")]
        # what has no clock is part of the copy; products, memories, other units stay outside
        leaves = " ".join(p for p in others if not outside(p))
        units = " ".join(p for p in others if outside(p))
        status, text = run(
            ["yosys", "-p", f"read_verilog -lib -I{TEMPLATES} {units}; read_verilog -I{TEMPLATES} {path} {leaves}; {chosen}"
             f"hierarchy -top {module}; proc; flatten; memory -nordff -nomap; memory_map; opt_expr; opt_clean; "
             f"dffunmap; setundef -zero; opt_clean; rename -top {name}; write_json {self.json}"], f"{work}/{name}.log")
        if status:
            raise ValueError(f"{module}: Yosys: {text[-300:]}")
        with open(self.json) as file:
            self.netlist = json.load(file)
        self.netlist["modules"] = {n: m for n, m in self.netlist["modules"].items() if n == name}
        self.body = self.netlist["modules"][name]
        self.products = []
        self.registers, self.ports = {}, {p: (v["direction"], len(v["bits"]))
                                          for p, v in self.body["ports"].items()}
        self.cut_registers()
        self.cut_instances()
        with open(self.json, "w") as file:
            json.dump(self.netlist, file)

    def port(self, name, direction, bits):
        self.body["ports"][name] = {"direction": direction, "bits": bits}
        self.ports[name] = (direction, len(bits))

    def cut_registers(self):
        """`NAME.q` and `NAME.d` for every register, by the name of the wire that holds it."""
        place = {}  # bit: wire and index
        for wire, net in sorted(self.body["netnames"].items(), key=lambda n: (n[0].count("."), n[0])):
            if not net["hide_name"]:
                for i, bit in enumerate(net["bits"]):
                    place.setdefault(bit, (wire, i))
        found = {}
        for name, cell in list(self.body["cells"].items()):
            if cell["type"] != "$dff":
                if re.match(r"\$(_?s?dff|_?a?ld|dlatch|mem)", cell["type"]):
                    raise ValueError(f"{self.module}: a cell {cell['type']}")
                continue
            for d, q in zip(cell["connections"]["D"], cell["connections"]["Q"]):
                wire, i = place.get(q, (name, q))
                found.setdefault(wire, {})[i] = (d, q)
            del self.body["cells"][name]
        for wire, bits in found.items():
            order = sorted(bits)
            self.registers[wire] = len(order)
            self.port(f"{wire}.d", "output", [bits[i][0] for i in order])
            self.port(f"{wire}.q", "input", [bits[i][1] for i in order])

    def cut_instances(self):
        """Outputs of an instance become inputs, and the other way round."""
        for name, cell in list(self.body["cells"].items()):
            if cell["type"].startswith("$") and not cell["type"].startswith("$paramod"):
                continue
            for port, bits in cell["connections"].items():
                direction = cell.get("port_directions")  # none of an emitted ROM: clk, addr, data
                outward = direction[port] == "output" if direction else port == "data"
                self.port(f"{name}:{port}", "input" if outward else "output", bits)
            if re.search(r"(^|\\)mul$|^\$paramod.*\\mul(\\|$)", cell["type"]):
                self.products.append(name)
            del self.body["cells"][name]

    def facing(self, direction):
        return {p: w for p, (d, w) in self.ports.items()
                if d == direction and not p.endswith((".d", ".q"))}

    def of_product(self, port):
        return port.rpartition(":")[0] in self.products


# --- two copies, unrolled ---------------------------------------------------------------------------

def escaped(name):
    return "\\" + name + " "


class Twins:
    def __init__(self, module, gold, gate, work):
        self.module, self.gold, self.gate, self.work = module, gold, gate, work
        if gold.products != gate.products or gold.facing("input") != gate.facing("input") or gold.facing("output") != gate.facing("output"):
            raise ValueError("other ports")
        self.alike = {r for r in gold.registers if gate.registers.get(r) == gold.registers[r]}

    def instance(self, copy, t, shared):
        """One clock of one copy: outputs into wires of its own, registers from the clock before."""
        pins = []
        for port, (direction, width) in copy.ports.items():
            here = f"{copy.name}{t}:{port}"
            if port.endswith(".q"):
                register = port[:-2]
                owner = "gold" if register in shared else copy.name
                here = f"q{t}:{owner}:{register}"
            elif direction == "input" and not copy.of_product(port):
                here = f"in{t}:{port}"
            elif port.endswith(".d"):
                here = f"{copy.name}{t}:{port}"
            self.wires[here] = width
            pins.append(f".{escaped(port)}({escaped(here)})")
        self.lines.append(f"{copy.name} {escaped(f'u_{copy.name}{t}')} ({', '.join(pins)});")

    def differs(self, t, port):
        """An output that is looked at in clock t and not the same."""
        condition = OBSERVED.get(self.module, {}).get(port)
        unequal = f"{escaped(f'gold{t}:{port}')} != {escaped(f'gate{t}:{port}')}"
        if condition is None:
            return f"({unequal})"
        names = sorted(set(re.findall(r"[a-z]\w+", re.sub(r"\d+'\w+", "", condition))))
        for name in names:
            condition = re.sub(rf"(?<![\w:'\\])\b{name}\b", lambda m: f"\\gold{t}:{name} ", condition)
        return f"(({condition}) && {unequal})"

    def top(self, depth, base):
        """The unrolled pair as Verilog. `bad`: something differs that must not, at the end of a step,
        or in any clock of the base."""
        self.wires, self.lines, bad, before = {}, [], [], []
        outputs = sorted(p for p in self.gold.facing("output") if not self.gold.of_product(p))
        last = depth
        for t in range(depth + 1 if base else depth):
            shared = self.alike
            if t == 0 and base:
                shared = set(self.gold.registers) & set(self.gate.registers)
            elif base:
                shared = set()
            for copy in (self.gold, self.gate):
                self.instance(copy, t, shared)
                for register, width in copy.registers.items():
                    if t > 0 and (copy.name == "gold" or register not in shared):
                        to = f"q{t}:{copy.name}:{register}"
                        self.wires[to] = width
                        self.lines.append(f"assign {escaped(to)} = {escaped(f'{copy.name}{t - 1}:{register}.d')};")
            for name in self.gold.products:
                same = " && ".join(f"{escaped(f'gold{t}:{name}:{p}')} == {escaped(f'gate{t}:{name}:{p}')}"
                                   for p in "ab")
                self.lines.append(f"always @* assume (!({same}) || {escaped(f'gold{t}:{name}:y')} == "
                                  f"{escaped(f'gate{t}:{name}:y')});")
            if t > 0 or not base:
                where = bad if base or t == last - 1 else before
                where += [(f"out {p}", self.differs(t, p)) for p in outputs]
            if t < last and (base or t == last - 1):
                bad += [(f"reg {r}", f"({escaped(f'gold{t}:{r}.d')} != {escaped(f'gate{t}:{r}.d')})")
                        for r in sorted(self.alike)]
            elif t < last:
                before += [(f"reg {r}", f"({escaped(f'gold{t}:{r}.d')} != {escaped(f'gate{t}:{r}.d')})")
                           for r in sorted(self.alike)]
        if base and "rst" in self.gold.ports:
            self.lines.append(f"always @* assume ({escaped('in0:rst')} == 1'b1);")
        if before:
            self.lines.append(f"always @* assume (!({' || '.join(b for _, b in before)}));")
        names = {}
        for _, b in bad:
            names.setdefault(b, f"bad{len(names)}")
        text = "".join(f"(* keep *) wire {n} = {b};\n" for b, n in names.items())
        # what no instance drives is free
        driven = {f"{c}{t}:{p}" for c in ("gold", "gate") for t in range(depth + 1)
                  for p, (d, _) in self.gold.ports.items() if d == "output"}
        assigned = {l.split("\\")[1].split(" ")[0] for l in self.lines if l.startswith("assign")}
        free = [w for w in self.wires if w not in driven and w not in assigned]
        ports = ", ".join(f"input [{self.wires[w] - 1}:0] {escaped(w)}" for w in free)
        inner = "".join(f"wire [{self.wires[w] - 1}:0] {escaped(w)};\n" for w in self.wires if w not in free)
        with open(f"{self.work}/top.v", "w") as file:
            file.write(f"module top ({ports}, output bad);\n{inner}" + "\n".join(self.lines) + "\n"
                       + text + f"assign bad = {' || '.join(names.values())};\nendmodule\n")
        return [(what, names[b]) for what, b in bad]

    def ask(self, depth, base):
        """None: nothing can differ. Else what differs in a counterexample; [] where SAT gives up."""
        bad = self.top(depth, base)
        show = " ".join(sorted({f"-show {n}" for _, n in bad}))
        status, text = run(
            ["yosys", "-p", f"read_json {self.gold.json}; read_json {self.gate.json}; "
             f"read_verilog -formal {self.work}/top.v; hierarchy -top top; proc; flatten; opt_clean -purge; "
             f"opt_expr -full; opt_merge -share_all; opt -full -share_all; opt_clean -purge; "
             f"sat -set-assumes -prove bad 0 {show} top"], f"{self.work}/sat.log")
        if "SAT proof finished - no model found: SUCCESS" in text:
            return None
        if "ERROR: " in text:
            raise ValueError(f"{self.module}: Yosys: {text[-300:]}")
        values = dict(re.findall(r"\\(bad\d+) +(\d) ", text))
        return [what for what, n in bad if values.get(n) == "1"]

    def prove(self, depth):
        """Lets registers differ until the rest is an invariant."""
        base = False  # the step first: it says which registers differ
        while True:
            differs = self.ask(depth, base)
            if differs is None and base:
                return True
            if differs is None:
                base = True
                continue
            registers = {d[4:] for d in differs if d.startswith("reg ")}
            if not registers:
                return False
            self.alike -= registers
            base = False


def equivalent(file, mutated, work):
    """A sentence that says how the mutant was proven equal to the template, or None."""
    module, depths, loose = file[:-2], set(), set()
    try:
        for parameters in PARAMETERS.get(module, [{}]):
            gold = Cut(module, f"{TEMPLATES}/{file}", "gold", work, parameters)
            gate = Cut(module, mutated, "gate", work, parameters)
            for depth in DEPTHS:
                twins = Twins(module, gold, gate, work)
                if twins.prove(depth):
                    break
            else:
                return None
            depths.add(depth)
            loose |= set(gold.registers) - twins.alike
    except ValueError:
        return None  # cannot be cut alike
    return f"induction over {max(depths)} clocks" + (
        f", whatever {', '.join(sorted(loose))} hold" if loose else "")


def broken_promise(file, mutated, work):
    """The first promise of sim/formal that does not hold of the mutant, or None."""
    module = file[:-2]
    with open(f"{ROOT}/sim/formal/jobs") as jobs:
        fields = [line.split("|") for line in jobs if "|" in line and not line.startswith("#")]
    about = [f[0].strip() for f in fields if f[1].split()[0] == module]
    shutil.copytree(TEMPLATES, f"{work}/rtl", dirs_exist_ok=True)
    shutil.copy(mutated, f"{work}/rtl/{file}")
    for job in about:
        done = subprocess.run(["sim/formal/run", "promises", job], cwd=ROOT, capture_output=True,
                              text=True, errors="replace",
                              env={**os.environ, "TEMPLATES": f"{work}/rtl", "OUT": f"{work}/formal",
                                   "TIMEOUT": str(20 * SECONDS)},
                              preexec_fn=lambda: resource.setrlimit(
                                  resource.RLIMIT_CPU, (SECONDS, SECONDS + 1)))
        failed = re.search(r"Assert failed in [^:]*: (\S+)", done.stdout)
        if failed:
            return f"{job}: {failed.group(1)}"
    return None
