#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An example: the chip in a LiteX SoC on a ULX3S. Its registers lie at 0x30000000 of the SoC's Wishbone; a host
reaches them over the serial line (litex_server --uart), a processor of LiteX would by the same addresses.

    sim/board/litex_soc.py DESIGN -o FOLDER [--clock HZ] [--baud BAUD]

DESIGN is a folder of `hardwire emit --bus wishbone`. Writes FOLDER/gateware/hardwire_soc.v, the scripts of Yosys and
nextpnr beside it, and FOLDER/csr.csv; builds nothing. Needs pip's litex and migen.
"""
import argparse
import os

from litex.build.generic_platform import IOStandard, Pins, Subsignal
from litex.build.lattice import LatticeECP5Platform
from litex.soc.integration.builder import Builder
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import wishbone
from migen import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal

PINS = [("clk25", 0, Pins("G2"), IOStandard("LVCMOS33")), ("reset", 0, Pins("R1"), IOStandard("LVCMOS33")),
        ("serial", 0, Subsignal("tx", Pins("L4")), Subsignal("rx", Pins("M1")), IOStandard("LVCMOS33"))]
REGISTERS = 0x30000000


class Clocks(Module):
    """The board's clock as it is; a button resets."""
    def __init__(self, platform):
        self.clock_domains.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(platform.request("clk25")), self.cd_sys.rst.eq(platform.request("reset"))]


class Hardwire(Module):
    """hardwire_wb as a slave of 64 words; `irq` for an interrupt controller."""
    def __init__(self, platform, design):
        self.bus = bus = wishbone.Interface(data_width=32, adr_width=30, addressing="word")
        irq = self.irq = Signal()
        self.specials += Instance(
            "hardwire_wb", i_clk_i=ClockSignal(), i_rst_i=ResetSignal(), i_cyc_i=bus.cyc, i_stb_i=bus.stb, i_we_i=bus.we,
            i_adr_i=bus.adr[:6], i_sel_i=bus.sel, i_dat_i=bus.dat_w, o_dat_o=bus.dat_r, o_ack_o=bus.ack, o_err_o=bus.err,
            o_irq_o=irq)
        for line in open(f"{design}/filelist.f"):
            line = line.strip()
            if line.startswith("+incdir+"):
                platform.add_verilog_include_path(os.path.abspath(f"{design}/{line.removeprefix('+incdir+')}"))
            elif line.endswith(".v"):
                platform.add_source(os.path.abspath(f"{design}/{line}"))


class Soc(SoCMini):
    def __init__(self, platform, design, clock, baud):
        self.submodules.crg = Clocks(platform)
        SoCMini.__init__(self, platform, clk_freq=clock, ident="hardwire", ident_version=False)
        self.add_uartbone(baudrate=baud)
        self.submodules.hardwire = Hardwire(platform, design)
        self.bus.add_slave("hardwire", self.hardwire.bus, SoCRegion(origin=REGISTERS, size=0x100, cached=False))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("design")
    options.add_argument("-o", dest="out", required=True)
    options.add_argument("--clock", type=int, default=25000000)
    options.add_argument("--baud", type=int, default=1000000)
    o = options.parse_args()
    platform = LatticeECP5Platform("LFE5U-85F-6BG381C", PINS, toolchain="trellis")
    soc = Soc(platform, o.design, o.clock, o.baud)
    builder = Builder(soc, output_dir=o.out, compile_software=False, compile_gateware=False, csr_csv=f"{o.out}/csr.csv")
    builder.build(build_name="hardwire_soc", run=False)


if __name__ == "__main__":
    main()
