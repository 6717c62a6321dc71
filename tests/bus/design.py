# SPDX-License-Identifier: Apache-2.0
"""What the benches of the buses have in common: a design's registers and numbers, the reference's answers, a run in
Icarus."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

DESIGN, MODEL, SEED = (os.environ.get(n, "") for n in ("DESIGN", "MODEL", "SEED"))
MORE, STOP, LIMIT, FULL, TOO_LONG, BAD, ABORTED = range(7)


def header(design):
    """Addresses from the offsets in the IP-XACT, masks from the C header: {name: address}, {name: mask}."""
    with open(f"{design}/bus/hardwire_registers.xml") as file:
        text = file.read()
    address = {}
    for body in re.findall(r"<ipxact:register>(.*?)</ipxact:register>", text, re.S):
        name = re.search(r"<ipxact:name>(\w+)<", body).group(1)
        address[name] = int(re.search(r"<ipxact:addressOffset>'h([0-9a-f]+)<", body).group(1), 16)
    mask = {f"{r}.{f.lower()}": int(m, 16) for r, f, m in
            re.findall(r"#define HARDWIRE__(\w+?)__(\w+)_bm (0x[0-9a-f]+)", open(f"{design}/bus/hardwire_registers.h").read())}
    return address, mask


def reference(prompts):
    text = "".join(" ".join(map(str, p)) + "\n" for p in prompts)
    out = subprocess.run(["build/answers", MODEL], input=text, capture_output=True, text=True, check=True).stdout
    return [[int(w) for w in line.split()] for line in out.splitlines()]


if DESIGN:
    ADDRESS, MASK = header(DESIGN)
    MANIFEST = json.load(open(f"{DESIGN}/manifest.json"))
    VOCAB, CTX = (MANIFEST["model"][n] for n in ("vocab_size", "seq_len"))
    WIDE = 1 << MANIFEST["geometry"]["token_bits"]  # the first id that the chip's wires cannot carry


def play(name, top, module, design, model, folder, tests=""):
    """Runs the tests of a module whose names match; prints TAP."""
    from cocotb_tools.runner import get_runner
    sources = [os.path.abspath(f"{design}/{line.strip()}") for line in open(f"{design}/filelist.f")
               if line.rstrip().endswith(".v")]
    build = f"{folder}/icarus-{module}"
    runner = get_runner("icarus")
    runner.build(sources=sources, includes=[os.path.abspath(f"{design}/{d}") for d in ("fabric", "bus")],
                 hdl_toplevel=top, build_dir=build, build_args=["-g2005"], timescale=("1ns", "1ps"), always=True)
    results = runner.test(test_module=module, hdl_toplevel=top, build_dir=build, test_dir=os.getcwd(),
                          results_xml=os.path.abspath(f"{folder}/results.xml"), test_filter=tests or None,
                          extra_env={"DESIGN": design, "MODEL": model, "PYTHONPATH": "tests/bus",
                                     "PYTHONDONTWRITEBYTECODE": "1", "COCOTB_LOG_LEVEL": "WARNING",
                                     "PYTHONWARNINGS": "ignore"})
    for case in xml.etree.ElementTree.parse(results).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        if case.find("skipped") is None:
            print(f"{'not ok' if bad else 'ok'} {name}: {case.get('name').replace('_', ' ')}")
