#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what the README states and writes build/bench.json (flat: name to number, the unit in the
name) and build/bench.md (the tables). Run from the repository's root after `make`. What needs
../shared is left out where that is missing: a figure that could not be measured is absent."""
import json
import math
import os
import re
import subprocess
import sys
import time

SHARED = "../shared/models"
TEXT = "../shared/text/tinystories_valid.txt"
STORIES, TOKENIZER = f"{SHARED}/stories260K.bin", f"{SHARED}/tok512.bin"
OUT = "build/bench"
GEOMETRY = {256: "--rows 32 --cols 8", 1024: "--rows 64 --cols 16 --vec 16 --att-pos 64"}
TALOS = "--shape 16,64,1,4,4,28,16 --rows 16 --cols 8 --att-pos 8"
SMOLLM2 = "--shape 576,1536,30,9,3,49152,512 --rows 128 --cols 16 --vec 16 --att-pos 16"
BITLLAMA = f"{SHARED}/bitllama_1M.bin"
BITLLAMA_NLL = 1.3232  # the same tokens, its own evaluation (ternary weights, 8-bit activations) in numpy
TWIN = 4.078  # the default model in float: models/README.md
FLOAT_NLL = 1.2558  # stories260K, first 40,448 tokens: ../shared/models/README.md

figures, tables = {}, []


def run(command, **options):
    print("+", command, file=sys.stderr, flush=True)
    return subprocess.run(command, shell=True, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def table(title, head, rows):
    lines = [f"**{title}**", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    tables.append("\n".join(lines) + "\n")


def quantize(model, name, options=""):
    path = f"{OUT}/{name}.safetensors"
    run(f"build/hardwire quantize {model} -o {path} -q {options}")
    return path


def simulate(path, tokenizer, name, options):
    run(f"build/hardwire sim {path} -t {tokenizer} -o {OUT}/{name} --quiet --json {OUT}/{name}.json {options}")
    with open(f"{OUT}/{name}.json") as file:
        return json.load(file)


def plan(arguments):
    text = run(f"build/hardwire plan {arguments}")
    cycles, busy = re.search(r"mean of positions .*: ([\d.]+) cycles, array busy ([\d.]+)%", text).groups()
    bits = re.search(r"ROM in all +(\d+) bits, ([\d.]+) a weight", text)
    return float(cycles), float(busy), int(bits[1]), float(bits[2])


def nll(path, tokenizer, tokens=40448):
    text = run(f"build/hardwire run {path} -t {tokenizer} --perplexity {TEXT} --tokens {tokens}")
    return float(re.search(r"nll ([\d.]+)", text)[1])


def speed():
    """Cycles a token, single user, greedy, mean over positions 0-255, from the RTL itself."""
    rows, checked, wrong = [], 0, 0
    path = quantize(STORIES, "stories260K-w4", "--bits 4")
    for lanes, geometry in GEOMETRY.items():
        s = simulate(path, TOKENIZER, f"speed-{lanes}", f"-n 256 {geometry}")
        cycles, busy, _, _ = plan(f"{path} {geometry}")
        figures[f"stories260k_cycles_per_token_{lanes}_lanes"] = cycles
        checked, wrong = checked + s["cycle_positions"], wrong + s["cycle_mismatches"]
        rows.append([f"stories260K, 4-bit weights, {lanes} lanes", f"{cycles:.0f}", f"{260032 / cycles:.0f}",
                     f"{busy:.0f}%", f"{1e8 / cycles:,.0f}", s["values_compared"]])
        if lanes == 256:
            figures["stories260k_sim_tokens_per_s"] = round(s["tokens"] / s["seconds"])
            fast = simulate(path, TOKENIZER, "speed-256", f"-n 256 --no-taps {geometry}")
            figures["stories260k_sim_tokens_per_s_without_taps"] = round(fast["tokens"] / fast["seconds"])
            figures["sim_weight_gmac_per_s"] = round(fast["tokens"] / fast["seconds"]) * 260032 / 1e9
    path = quantize(STORIES, "stories260K-w8")
    s = simulate(path, TOKENIZER, "speed-w8", f"-n 256 {GEOMETRY[256]}")
    cycles, busy, _, _ = plan(f"{path} {GEOMETRY[256]}")
    figures["stories260k_w8_cycles_per_token_256_lanes"] = cycles
    checked, wrong = checked + s["cycle_positions"], wrong + s["cycle_mismatches"]
    rows.append(["stories260K, 8-bit weights (two planes), 256 lanes", f"{cycles:.0f}", f"{260032 / cycles:.0f}",
                 f"{busy:.0f}%", f"{1e8 / cycles:,.0f}", s["values_compared"]])
    figures["cycle_model_positions_checked"], figures["cycle_model_mismatches"] = checked, wrong
    return rows


def shapes(rows):
    """Shapes without a checkpoint: the cycle model, which speed() and the tests hold to the RTL."""
    cycles, busy, _, _ = plan(TALOS)
    figures["talos_shape_cycles_per_token"] = cycles
    rows.append(["shape of TALOS-V2 (4,192 weights), 128 lanes", f"{cycles:.0f}", f"{4192 / cycles:.1f}", f"{busy:.0f}%",
                 f"{1e8 / cycles:,.0f}", "cycle model"])
    cycles, busy, _, _ = plan(SMOLLM2)
    figures["smollm2_shape_busy_percent_2048_lanes"] = busy
    rows.append(["shape of SmolLM2-135M, 4-bit weights, 2,048 lanes", f"{cycles:.0f}", f"{134.5e6 / cycles:.0f}",
                 f"{busy:.0f}%", f"{1e8 / cycles:,.0f}", "cycle model"])
    table("Cycles per token, single user, greedy, mean over positions 0-255 (TALOS: 0-15)",
          ["model, lanes", "cycles/token", "weights/cycle", "array busy", "tokens/s at 100 MHz", "tensor values equal"],
          rows)


def emission():
    """Time and peak memory of `emit`."""
    rows, measure = [], ("import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True); "
                         "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    for name, key, arguments in (
            ("stories260K", "260k", f"{OUT}/stories260K-w4.safetensors"),
            ("shape of SmolLM2-135M, 4-bit", "135m", SMOLLM2)):
        start = time.time()
        text = run(f'python3 -c "{measure}" build/hardwire emit {arguments} -o {OUT}/emit-{key}')
        seconds, peak = time.time() - start, int(re.search(r"peak (\d+)", text)[1]) / 1024
        figures[f"emit_{key}_s"] = round(seconds, 2)
        figures[f"emit_{key}_peak_mb"] = round(peak)
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(f"{OUT}/emit-{key}") for f in fs)
        rows.append([name, f"{seconds:.1f}", f"{peak:.0f}", f"{size / 1e6:.1f}"])
        run(f"rm -rf {OUT}/emit-{key}")
    table("Emission", ["model", "seconds", "peak MB", "MB of Verilog"], rows)


def reference():
    text = run(f"build/bench_reference {STORIES} {OUT}/stories260K-w8.safetensors 256")
    plain, integer = (float(x) for x in re.findall(r"per_s ([\d.]+)", text))
    figures["float_c_tokens_per_s"], figures["refmodel_tokens_per_s"] = plain, integer
    figures["refmodel_over_float_c_speed"] = round(integer / plain, 3)
    table("One CPU core, stories260K, 256 tokens", ["program", "tokens/s"],
          [["plain float C, -O3", f"{plain:.0f}"], ["integer reference", f"{integer:.0f}"],
           ["Verilated chip, 256 lanes, every tap compared", f"{figures['stories260k_sim_tokens_per_s']:.0f}"],
           ["Verilated chip, 256 lanes, tokens compared", f"{figures['stories260k_sim_tokens_per_s_without_taps']:.0f}"]])


def fidelity():
    """Perplexity of the integer machine against float, post-training, everything in ROM counted."""
    rows = []
    for label, key, options in (
            ("8 bits", "w8", ""), ("8 bits, nearest", None, "--nearest"),
            ("8 bits, int8 activations and KV", None, "--act-bits 8 --kv-bits 8"),
            ("8 bits, 6-bit activations", None, "--act-bits 6"), ("8 bits, 6-bit KV", None, "--kv-bits 6"),
            ("8 bits, 4-bit KV", None, "--kv-bits 4"),
            ("6 bits", "w6", "--bits 6 --code-bits 3"), ("6 bits, nearest", None, "--bits 6 --code-bits 3 --nearest"),
            ("4 bits, 8-bit embedding", "w4", "--bits 4 --head-bits 8"), ("4 bits", None, "--bits 4"),
            ("4 bits, nearest", None, "--bits 4 --nearest"),
            ("3 bits, 6-bit embedding", None, "--bits 3 --head-bits 6 --code-bits 3")):
        path = quantize(STORIES, "fidelity", options)
        loss = nll(path, TOKENIZER)
        over = 100 * (math.exp(loss - FLOAT_NLL) - 1)
        bits = plan(path)[3]
        if key:
            figures[f"ppl_over_float_percent_stories260k_{key}"] = round(over, 2)
        rows.append([label, f"{math.exp(loss):.3f}", f"{over:+.2f}%", f"{bits:.2f}"])
    table("Fidelity of stories260K (float 3.511)", ["weights", "perplexity", "over float", "ROM bits a weight"], rows)


def ternary():
    """A natively ternary model on a 2-bit fabric, beside its own float evaluation (8-bit activations)."""
    path = quantize(BITLLAMA, "bitllama")
    s = simulate(path, TOKENIZER, "bitllama", f"-n 128 {GEOMETRY[256]}")
    loss, bits = nll(path, TOKENIZER), plan(path)[3]
    figures["ppl_over_float_percent_bitllama"] = round(100 * (math.exp(loss - BITLLAMA_NLL) - 1), 2)
    figures["bitllama_cycles_per_token_256_lanes"] = s["cycles_per_token"]
    figures["bitllama_rom_bits_per_weight"] = bits
    table(f"Natively ternary: bitllama 1M, 2-bit fabric (float {math.exp(BITLLAMA_NLL):.3f})",
          ["weights", "perplexity", "over float", "ROM bits a weight", "cycles/token, 256 lanes", "tensor values equal"],
          [["-1, 0, +1; 8-bit embedding", f"{math.exp(loss):.3f}", f"{figures['ppl_over_float_percent_bitllama']:+.2f}%",
            f"{bits:.2f}", f"{s['cycles_per_token']:.0f}", s["values_compared"]]])


def default_model():
    """The shipped model, 3 and 6 bits, beside its float twin; over the shared text where that is."""
    path = quantize("models/story.bin", "default", "--levels models/story.quant --code-bits 3")
    s = simulate(path, "models/tokenizer.bin", "default", "-n 256")
    figures["default_cycles_per_token_256_lanes"] = s["cycles_per_token"]
    figures["default_rom_bits_per_weight"] = plan(path)[3]
    rows = [["3/6 bits, trained", None, f"{plan(path)[3]:.2f}", s["values_compared"]]]
    if os.path.exists(TEXT):
        loss = nll(path, "models/tokenizer.bin")
        figures["ppl_over_twin_percent_default"] = round(100 * (math.exp(loss) / TWIN - 1), 2)
        rows[0][1] = f"{math.exp(loss):.3f} ({figures['ppl_over_twin_percent_default']:+.1f}%)"
        rows.append(["3 bits, twin rounded (6-bit embedding)", *rounded("--bits 3 --head-bits 6 --code-bits 3"), ""])
        rows.append(["8 bits, twin rounded", *rounded(""), ""])
    table(f"The default model (float twin {TWIN})", ["weights", "perplexity", "ROM bits a weight", "tensor values equal"],
          rows)


def rounded(options):
    path = quantize("models/twin.bin", "twin", options)
    loss = math.exp(nll(path, "models/tokenizer.bin"))
    return f"{loss:.3f} ({100 * (loss / TWIN - 1):+.1f}%)", f"{plan(path)[3]:.2f}"


def main():
    os.makedirs(OUT, exist_ok=True)
    default_model()
    if os.path.exists(STORIES):
        shapes(speed())
        reference()
        emission()
        fidelity()
        ternary()
    with open("build/bench.json", "w") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
    with open("build/bench.md", "w") as file:
        file.write("\n".join(tables))
    print("\n".join(tables))


main()
