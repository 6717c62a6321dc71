# SPDX-License-Identifier: Apache-2.0
"""The SoC of sim/board/litex_soc.py in Verilator (Icarus turns in circles in LiteX's combinational blocks): a host on
its serial line (uartbone.cpp) reads the chip's registers and has a prompt answered as the reference answers it.

    DESIGN=... MODEL=Q.safetensors test_litex.py FOLDER SOC.v      prints TAP"""
import os
import random
import subprocess
import sys

import design
from design import FULL, MORE

REGISTERS = 0x30000000
TRIES = 2000


class Host:
    def __init__(self, program, folder):
        self.job = subprocess.Popen([program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, address):
        print(f"r {REGISTERS + address:x}", file=self.job.stdin, flush=True)
        word = self.job.stdout.readline().strip()
        assert word != "-", f"{address:#x}: no answer"
        return int(word, 16)

    def write(self, address, value):
        print(f"w {REGISTERS + address:x} {value:x}", file=self.job.stdin, flush=True)


def part(name, word):
    mask = design.MASK[name]
    return (word & mask) // (mask & -mask)


def build(folder, soc):
    """The Verilated SoC. LiteX's own Verilog may say what it likes; it reads a file beside it."""
    sources = [f"{design.DESIGN}/{line.strip()}" for line in open(f"{design.DESIGN}/filelist.f") if line.rstrip().endswith(".v")]
    subprocess.run(["verilator", "--cc", "--exe", "--build", "-O3", "-Wno-lint", "-Wno-fatal", "--noassert", "--top-module", "hardwire_soc",
                    "--Mdir", os.path.abspath(f"{folder}/soc"), "-o", "soc", f"-I{design.DESIGN}/fabric", f"-I{design.DESIGN}/bus",
                    soc, *sources, os.path.abspath("tests/bus/uartbone.cpp")], check=True, stdout=sys.stderr)
    return os.path.abspath(f"{folder}/soc/soc")


def main(folder, soc):
    host = Host(build(folder, soc), os.path.dirname(soc))
    read = lambda name: host.read(design.ADDRESS[name])
    assert read("ID") == 0x52495748 and read("VOCAB") == design.VOCAB
    print("ok LiteX: registers at their addresses")
    host.write(design.ADDRESS["STOP_TOKEN"], 0xfffff)
    rng = random.Random(int(design.SEED or 1))
    prompt = [rng.randrange(design.VOCAB) for _ in range(3)]
    for i, token in enumerate(prompt):
        host.write(design.ADDRESS["TOKEN_IN"], token | (i == len(prompt) - 1) << 31)
    tokens, status = [], MORE
    for _ in range(TRIES):
        word = read("TOKEN_OUT")
        if part("TOKEN_OUT.valid", word):
            status = part("TOKEN_OUT.status", word)
            tokens += [part("TOKEN_OUT.id", word)] if status < FULL else []
        if status != MORE:
            break
    assert (tokens, status) == (design.reference([prompt])[0], FULL), (tokens, status)
    print("ok LiteX: a prompt over the serial line")


if __name__ == "__main__":
    main(*sys.argv[1:])
