#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures, and writes build/bench.json (flat: name to number, the unit in the name), build/bench.md (the
tables) and, where every table could be measured, docs/benchmarks.md between its two markers. Run from the
repository's root after `make`. What needs ../shared is left out where that is missing: a figure that could
not be measured is absent. With the argument `calibration`: writes that table of docs/economics.md alone."""
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer  # noqa: E402

SHARED = "../shared/models"
TEXT = "../shared/text/tinystories_valid.txt"
STORIES, TOKENIZER = f"{SHARED}/stories260K.bin", f"{SHARED}/tok512.bin"
OUT = "build/bench"
GEOMETRY = {256: "--rows 32 --cols 8", 1024: "--rows 64 --cols 16 --vec 16 --att-pos 64"}
TALOS = "--rows 16 --cols 4 --vec 4 --att-pos 4 --target xilinx"
STORIES_SHAPE = "--shape 64,172,5,8,4,512,512"
SMOLLM2 = "--shape 576,1536,30,9,3,49152,512 --rows 128 --cols 16 --vec 16 --att-pos 16"
SMOLLM2_FITTED = "--shape 576,1536,30,9,3,49152,512 --rows 192 --cols 192 --vec 64 --att-pos 256"
LLAMA_8B = ("--shape 4096,14336,32,32,8,128256,8192,untied --bits 3 --wide-bits 6 --code-bits 3"
            " --rows 128 --cols 32 --vec 16 --att-pos 64")
WIDE = "--rows 128 --cols 16 --vec 16 --att-pos 4"
BITLLAMA = f"{SHARED}/bitllama_1M.bin"
BITLLAMA_NLL = 1.3232  # the same tokens, its own evaluation (ternary weights, 8-bit activations) in numpy
SMOLLM2_LONG = "--shape 576,1536,30,9,3,49152,8192 --rows 128 --cols 16 --vec 16"
FLOAT_PERPLEXITY = 4.078  # the default model in float: models/README.md
FLOAT_NLL = 1.2558  # stories260K, first 40,448 tokens: ../shared/models/README.md

PAGE = "docs/benchmarks.md"
BEGIN, END = "<!-- tables: written by make bench -->\n", "<!-- end of tables -->\n"
ECONOMICS = "docs/economics.md"
CALIBRATION_BEGIN, CALIBRATION_END = "<!-- calibration: written by make calibration -->\n", "<!-- end of calibration -->\n"

figures, tables = {}, []


def run(command, **options):
    print("+", command, file=sys.stderr, flush=True)
    return subprocess.run(command, shell=True, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def table(title, head, rows):
    tables.append(f"**{title}**\n\n{markdown(head, rows)}")


def quantize(model, name, options=""):
    path = f"{OUT}/{name}.safetensors"
    run(f"build/hardwire quantize {model} -o {path} -q {options}")
    return path


def simulate(path, tokenizer, name, options):
    run(f"build/hardwire sim {path} -t {tokenizer} -o {OUT}/{name} --quiet --json {OUT}/{name}.json {options}")
    with open(f"{OUT}/{name}.json") as file:
        return json.load(file)


def fastest(path, tokenizer, name, options):
    """The least seconds a position of three runs, on a design that simulate() has compiled."""
    runs = [simulate(path, tokenizer, name, options) for _ in range(3)]
    return min(s["seconds"] / s["cycle_positions"] for s in runs)


def plan(arguments):
    text = run(f"build/hardwire plan {arguments}")
    cycles, busy = re.search(r"mean of positions .*: ([\d.]+) cycles, array busy ([\d.]+)%", text).groups()
    bits = re.search(r"ROM in all +(\d+) bits, ([\d.]+) a weight", text)
    return float(cycles), float(busy), int(bits[1]), float(bits[2])


def nll(path, tokenizer, tokens=40448):
    text = run(f"build/hardwire run {path} -t {tokenizer} --perplexity {TEXT} --tokens {tokens}")
    return float(re.search(r"nll ([\d.]+)", text)[1])


def score(path, tokenizer, float_model, tokens=40448):
    """Integer and float nll over the text, top-1 agreement in percent."""
    text = run(f"build/hardwire run {path} -t {tokenizer} --perplexity {TEXT} --tokens {tokens} --float {float_model}")
    return tuple(float(x) for x in re.search(r"nll ([\d.]+)(?s:.*)float nll ([\d.]+).*agreement ([\d.]+)%", text).groups())


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
                     f"{busy:.0f}%", s["values_compared"]])
    path = quantize(STORIES, "stories260K-w8")
    s = simulate(path, TOKENIZER, "speed-w8", f"-n 256 {GEOMETRY[256]}")
    cycles, busy, _, _ = plan(f"{path} {GEOMETRY[256]}")
    figures["stories260k_w8_cycles_per_token_256_lanes"] = cycles
    checked, wrong = checked + s["cycle_positions"], wrong + s["cycle_mismatches"]
    rows.append(["stories260K, 8-bit weights (two planes), 256 lanes", f"{cycles:.0f}", f"{260032 / cycles:.0f}",
                 f"{busy:.0f}%", s["values_compared"]])
    figures["cycle_model_positions_checked"], figures["cycle_model_mismatches"] = checked, wrong
    return rows


def shapes(rows):
    """Shapes without a checkpoint: the cycle model, which speed() and the tests hold to the RTL."""
    cycles, busy, _, _ = plan(SMOLLM2)
    figures["smollm2_shape_busy_percent_2048_lanes"] = busy
    rows.append(["shape of SmolLM2-135M, 4-bit weights, 2,048 lanes", f"{cycles:.0f}", f"{134.5e6 / cycles:.0f}",
                 f"{busy:.0f}%", "cycle model"])
    cycles, busy, _, bits = plan(SMOLLM2_FITTED)
    figures["smollm2_shape_cycles_36864_lanes"], figures["smollm2_shape_bits_weight_36864_lanes"] = cycles, bits
    rows.append([f"the same, 192 x 192 lanes, {bits} ROM bits a weight", f"{cycles:.0f}", f"{134.5e6 / cycles:.0f}",
                 f"{busy:.0f}%", "cycle model"])
    table("Cycles per token, single user, greedy, mean over positions 0-255 (TALOS: 0-15)",
          ["model, lanes", "cycles/token", "weights/cycle", "array busy", "tensor values equal"],
          rows)


def talos(rows):
    """The shape of TALOS-V2 (one layer, dim 16, 4 heads, hidden 64, vocab 27, context 16), random weights: a
    whole chip in Verilator, and its size on Xilinx. The gate makes 4,528 weights of TALOS's 4,192."""
    write_checkpoint(f"{OUT}/talos.bin", 16, 64, 1, 4, 4, 27, 16)
    write_tokenizer(f"{OUT}/talos.tok", 27)
    path = quantize(f"{OUT}/talos.bin", "talos", "--bits 4 --act-bits 8 --kv-bits 8 --res-bits 16")
    s = simulate(path, f"{OUT}/talos.tok", "talos", f"-n 16 {TALOS}")
    assert s["cycle_mismatches"] == 0
    cycles, busy, _, _ = plan(f"{path} {TALOS}")
    cells = dict(re.findall(r"^  (\w+) (\d+)$", run(f'sim/synth {path} "{TALOS}" xilinx'), re.M))
    luts = sum(int(n) for name, n in cells.items() if re.fullmatch(r"LUT\d", name))
    dsps = int(cells["DSP48E1"])
    figures["talos_shape_cycles_per_token"] = cycles
    figures["talos_shape_lut"], figures["talos_shape_dsp"] = luts, dsps
    rows.append([f"shape of TALOS-V2, 4-bit weights, 64 lanes, {luts:,} LUT6 + {dsps} DSP (Yosys, Xilinx)",
                 f"{cycles:.0f}", f"{4528 / cycles:.1f}", f"{busy:.0f}%", s["values_compared"]])


def curves():
    """Cycles a token against lanes and against the context, by the cycle model."""
    rows = []
    for r, c in ((8, 8), (16, 8), (32, 8), (32, 16), (64, 16), (128, 16), (256, 16)):
        cycles, busy, _, _ = plan(f"{STORIES_SHAPE} --rows {r} --cols {c} --vec 8 --att-pos 16")
        wide, wide_busy, _, _ = plan(f"{STORIES_SHAPE} --rows {r} --cols {c} --vec {min(r, c)} --att-pos 64")
        figures[f"curve_cycles_per_token_{r * c}_lanes"] = cycles
        rows.append([f"{r * c:,} ({r} x {c})", f"{cycles:.0f}", f"{busy:.0f}%", f"{wide:.0f}", f"{wide_busy:.0f}%"])
    table("Cycles per token against lanes, shape of stories260K, mean over positions 0-255 (cycle model)",
          ["lanes", "vec 8, 16 positions a cycle", "array busy", "vec = least of rows, columns; 64 positions a cycle",
           "array busy"], rows)
    rows = []
    for positions in (4, 16, 64, 256):
        text = run(f"build/hardwire plan {SMOLLM2_LONG} --att-pos {positions}")
        at = {int(p): int(n) for p, n in re.findall(r"position (\d+) +(\d+) cycles", text)}
        figures[f"curve_cycles_position_8191_{positions}_positions"] = at[8191]
        rows.append([positions] + [f"{at[p]:,}" for p in (0, 255, 1023, 4095, 8191)])
    table("Cycles per token against context, shape of SmolLM2-135M, 2,048 lanes, by positions a cycle (cycle model)",
          ["positions a cycle", "at position 0", "255", "1,023", "4,095", "8,191"], rows)


def lanes():
    """What a lane costs: small arrays alone, by Yosys, and where the geometry goes from one kind to the other."""
    rows = []
    for target, unit in (("xilinx", "LUT6"), ("ecp5", "LUT4"), ("ice40", "LUT4"), ("osu018", "NAND2")):
        for bits, cols in ((4, 8), (3, 8), (4, 16), (3, 16)):
            cells = run(f"sim/lanes 4 {cols} {bits} 8 {target}").split()
            row = [f"{target}, {unit}", bits, cols]
            for at, lane in ((2, "select"), (6, "multiply")):
                assert cells[at - 1] == lane
                each, blocks = int(cells[at]) / (4 * cols), int(cells[at + 1]) / (4 * cols)
                figures[f"lane_{target}_{lane}_{bits}_bit_{cols}_columns_{unit.lower()}"] = round(each, 1)
                row.append(f"{each:.0f}" + (f" + {blocks:g} DSP" if blocks else ""))
            few = [r for r in (4, 8, 16, 32, 64, 128, 256, 512, 1024) if re.search(r"codes, multiply", run(
                f"build/hardwire plan {STORIES_SHAPE} --bits {bits} --code-bits {bits} --rows {r} --cols {cols} --vec 4 "
                f"--target {target}"))]
            rows.append(row + [f"multiply, to {max(few)} rows" if few else "select"])
    table("LUTs or gates a lane, tiles of 4 rows, 8-bit activations (Yosys); rows share a column's products",
          ["target", "code bits", "columns", "multiply-select-add", "multiply-accumulate", "chosen, by rows of a tile"], rows)


def emission():
    """Time and peak memory of `emit`. The 8B shape is left out where the disk has no room for it."""
    rows, measure = [], ("import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True); "
                         "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    for name, key, arguments in (
            ("stories260K", "260k", f"{OUT}/stories260K-w4.safetensors"),
            ("shape of SmolLM2-135M, 4-bit", "135m", SMOLLM2),
            ("shape of Llama 3.1 8B, 3 bits (embedding, classifier, wk, wv: 6)", "8b_shape", LLAMA_8B)):
        if key == "8b_shape" and shutil.disk_usage(OUT).free < 8e9:
            continue
        start = time.time()
        text = run(f'python3 -c "{measure}" build/hardwire emit {arguments} -o {OUT}/emit-{key}')
        seconds, peak = time.time() - start, int(re.search(r"peak (\d+)", text)[1]) / 1024
        figures[f"emit_{key}_s"] = round(seconds, 2)
        figures[f"emit_{key}_peak_mb"] = round(peak)
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(f"{OUT}/emit-{key}") for f in fs)
        rows.append([name, f"{seconds:.1f}", f"{peak:.0f}", f"{size / 1e6:.1f}"])
        run(f"rm -rf {OUT}/emit-{key}")
    table("Emission", ["model", "seconds", "peak MB", "MB of Verilog"], rows)


def one_core():
    """Tokens a second of one core, the best of three: plain float C, the integer reference, the simulated chip."""
    text = run(f"build/bench_reference {STORIES} {OUT}/stories260K-w8.safetensors 256")
    plain, integer = (float(x) for x in re.findall(r"per_s ([\d.]+)", text))
    figures["float_c_tokens_per_s"], figures["refmodel_tokens_per_s"] = plain, integer
    figures["refmodel_over_float_c_speed"] = round(integer / plain, 3)
    path = f"{OUT}/stories260K-w4.safetensors"
    taps, none = (fastest(path, TOKENIZER, "speed-256", f"-n 256 {o} {GEOMETRY[256]}") for o in ("", "--no-taps"))
    figures["stories260k_sim_tokens_per_s"] = round(1 / taps)
    figures["stories260k_sim_tokens_per_s_without_taps"] = round(1 / none)
    weights, wide = wide_chip()
    figures["sim_weight_gmac_per_s_256_lanes"] = round(260032 / none / 1e9, 3)
    figures["sim_weight_gmac_per_s_2048_lanes"] = round(weights / wide / 1e9, 3)
    table("One CPU core, stories260K, 256 tokens", ["program", "tokens/s", "G weights/s"],
          [["plain float C, -O3", f"{plain:.0f}", f"{260032 * plain / 1e9:.2f}"],
           ["integer reference, 8-bit weights", f"{integer:.0f}", f"{260032 * integer / 1e9:.2f}"],
           ["Verilated chip, 256 lanes, every tap compared", f"{1 / taps:.0f}", f"{260032 / taps / 1e9:.2f}"],
           ["Verilated chip, 256 lanes, tokens compared", f"{1 / none:.0f}", f"{260032 / none / 1e9:.2f}"],
           [f"the same with 2,048 lanes, {weights / 1e6:.1f} M weights", f"{1 / wide:.0f}", f"{weights / wide / 1e9:.2f}"]])


def wide_chip():
    """2,048 lanes, which two layers of dim 512 keep busy: weights, seconds a position. Random weights, 4 bits."""
    write_checkpoint(f"{OUT}/wide.bin", 512, 1536, 2, 8, 4, 512, 64)
    write_tokenizer(f"{OUT}/wide.tok", 512)
    path = quantize(f"{OUT}/wide.bin", "wide", "--bits 4 --act-bits 8")
    options = f"-p {'abcdefghijklmnopqrstuvwxyz' * 2} {WIDE}"  # a prompt, as a story could end
    simulate(path, f"{OUT}/wide.tok", "wide", options)  # ends the bench where a tensor differs
    weights = 2 * (2 * 512 * 512 + 2 * 512 * 256 + 3 * 512 * 1536) + 512 * 512
    return weights, fastest(path, f"{OUT}/wide.tok", "wide", f"{options} --no-taps")


def fidelity():
    """The integer machine against float: perplexity, the same next token, everything in ROM counted; every width that
    differs for the chip simulated for 64 tokens, each tensor compared."""
    rows, tune = [], "--tune 512"
    for label, key, verify, options in (
            ("8 bits", "w8", True, ""), ("8 bits, nearest", None, False, "--nearest"),
            ("8 bits, int8 activations and KV", "w8a8", True, "--act-bits 8 --kv-bits 8"),
            ("8 bits, 6-bit activations", "w8a6", True, "--act-bits 6"),
            ("8 bits, 6-bit KV", "w8kv6", True, "--kv-bits 6"), ("8 bits, 4-bit activations", "w8a4", True, "--act-bits 4"),
            ("8 bits, 4-bit KV", "w8kv4", True, "--kv-bits 4"),
            ("6 bits", "w6", True, "--bits 6 --code-bits 3"), ("6 bits, nearest", None, False, "--bits 6 --code-bits 3 --nearest"),
            ("4 bits, tuned (`--tune 512`)", "w4_tuned", True, f"--bits 4 {tune}"),
            ("4 bits, 8-bit embedding, tuned", "w4e8_tuned", True, f"--bits 4 --head-bits 8 {tune}"),
            ("4 bits, 8-bit embedding", "w4", False, "--bits 4 --head-bits 8"), ("4 bits", "w4e4", True, "--bits 4"),
            ("4 bits, nearest", None, False, "--bits 4 --nearest"),
            ("3 bits, 6-bit embedding, tuned", "w3e6_tuned", True, f"--bits 3 --head-bits 6 --code-bits 3 {tune}"),
            ("3 bits, 6-bit embedding", "w3e6", False, "--bits 3 --head-bits 6 --code-bits 3")):
        path = quantize(STORIES, "fidelity", options)
        loss, float_loss, agreed = score(path, TOKENIZER, STORIES)
        if abs(float_loss - FLOAT_NLL) > 1e-4:
            sys.exit(f"bench: float nll: expected {FLOAT_NLL}, got {float_loss}")
        over = 100 * (math.exp(loss - float_loss) - 1)
        _, _, total, bits = plan(path)
        if key:
            figures[f"ppl_over_float_percent_stories260k_{key}"] = round(over, 2)
            figures[f"top1_agreement_percent_stories260k_{key}"] = agreed
        tokens = simulate(path, TOKENIZER, "fidelity", f"-n 64 {GEOMETRY[256]}")["tokens"] if verify else ""
        rows.append([label, f"{math.exp(loss):.3f}", f"{over:+.2f}%", f"{agreed:.1f}%", f"{bits:.2f}", f"{total:,}", tokens])
    table(f"Fidelity of stories260K (float {math.exp(FLOAT_NLL):.3f})",
          ["weights", "perplexity", "over float", "same next token", "ROM bits a weight", "ROM bits", "tokens equal in RTL"],
          rows)


def ternary():
    """A natively ternary model on a 2-bit fabric, beside its own float evaluation (8-bit activations)."""
    path = quantize(BITLLAMA, "bitllama")
    s = simulate(path, TOKENIZER, "bitllama", f"-n 128 {GEOMETRY[256]}")
    loss, bits = nll(path, TOKENIZER), plan(path)[3]
    figures["ppl_over_float_percent_bitllama"] = round(100 * (math.exp(loss - BITLLAMA_NLL) - 1), 2)
    figures["bitllama_cycles_per_token_256_lanes"] = s["cycles_per_token"]
    figures["bitllama_rom_bits_per_weight"] = bits
    table(f"Natively ternary: bitllama 1M, 2-bit fabric (its own evaluation, 8-bit activations: {math.exp(BITLLAMA_NLL):.3f})",
          ["weights", "perplexity", "over float", "ROM bits a weight", "cycles/token, 256 lanes", "tensor values equal"],
          [["-1, 0, +1; 8-bit embedding", f"{math.exp(loss):.3f}", f"{figures['ppl_over_float_percent_bitllama']:+.2f}%",
            f"{bits:.2f}", f"{s['cycles_per_token']:.0f}", s["values_compared"]]])


def default_model():
    """The shipped model, 3 and 6 bits, beside its float model; over the shared text where that is."""
    path = quantize("models/story.bin", "default", "--levels models/story.quant --code-bits 3")
    s = simulate(path, "models/tokenizer.bin", "default", "-n 256")
    figures["default_cycles_per_token_256_lanes"] = s["cycles_per_token"]
    figures["default_rom_bits_per_weight"] = plan(path)[3]
    rows = [["3/6 bits, trained", *beside_float(path, "default"), s["values_compared"]]]
    if os.path.exists(TEXT):
        for label, key, options in (("3 bits, float model rounded (6-bit embedding)", "float_w3e6", "--bits 3 --head-bits 6 --code-bits 3"),
                                    ("8 bits, float model rounded", "float_w8", "")):
            rows.append([label, *beside_float(quantize("models/float.bin", "float", options), key), ""])
    table(f"The default model (float model {FLOAT_PERPLEXITY}), text it was not trained on",
          ["weights", "perplexity", "same next token as the float model", "ROM bits a weight", "tensor values equal"], rows)


def beside_float(path, key):
    """Perplexity over TEXT and the float model's, agreement with it, ROM bits a weight."""
    _, _, _, bits = plan(path)
    if not os.path.exists(TEXT):
        return "", "", f"{bits:.2f}"
    loss, float_loss, agreed = score(path, "models/tokenizer.bin", "models/float.bin")
    if abs(math.exp(float_loss) - FLOAT_PERPLEXITY) > 1e-3:
        sys.exit(f"bench: float model: expected {FLOAT_PERPLEXITY}, got {math.exp(float_loss):.4f}")
    over = 100 * (math.exp(loss - float_loss) - 1)
    figures[f"ppl_over_float_percent_{key}"], figures[f"top1_agreement_percent_{key}"] = round(over, 2), agreed
    return f"{math.exp(loss):.3f} ({over:+.1f}%)", f"{agreed:.1f}%", f"{bits:.2f}"


def write_page(path, text, begin=BEGIN, end=END):
    """What lies between the markers of the page becomes `text`; the rest is written by hand and stays."""
    with open(path) as file:
        page = file.read()
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        sys.exit(f"{path}: expected one {begin.strip()} and one {end.strip()} after it")
    with open(path, "w") as file:
        file.write(page[:page.index(begin)] + begin + "\n" + text + "\n" + page[page.index(end):])


CALIBRATION_HEAD = ["system", "figure", "published", "predicted", "ratio", "role"]


def calibration_rows():
    """Published figures of hardwired systems beside what the planner computes for them."""
    return json.loads(run("build/hardwire plan --calibration --json"))


def three_digits(x):
    return f"{float(f'{x:.3g}'):,.6g}"


def calibration_cells(rows):
    return [[r["system"], r["result"], f"{r['published']:,.6g}", three_digits(r["predicted"]),
             f"{r['ratio']:.2f}", r["role"]] for r in rows]


def calibration():
    """Its table is that of docs/economics.md (make calibration)."""
    for r in calibration_rows():
        name = re.sub(r"\W+", "_", r["system"].lower())
        figures[f"calibration_ratio_{name}_{r['result']}"] = r["ratio"]


def calibration_table():
    """The table of docs/economics.md."""
    return markdown(CALIBRATION_HEAD, calibration_cells(calibration_rows()))


def main():
    os.makedirs(OUT, exist_ok=True)
    calibration()
    default_model()
    whole = os.path.exists(STORIES) and os.path.exists(TEXT)
    if os.path.exists(STORIES):
        rows = speed()
        talos(rows)
        shapes(rows)
        curves()
        lanes()
        one_core()
        emission()
        fidelity()
        ternary()
    with open("build/bench.json", "w") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
    with open("build/bench.md", "w") as file:
        file.write("\n".join(tables))
    if whole:
        write_page(PAGE, "\n".join(tables))
    print("\n".join(tables))


if __name__ == "__main__":
    if sys.argv[1:] == ["calibration"]:
        write_page(ECONOMICS, calibration_table(), CALIBRATION_BEGIN, CALIBRATION_END)
    else:
        main()
