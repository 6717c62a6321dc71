# SPDX-License-Identifier: Apache-2.0
"""A design on AXI under the masters and sinks of cocotbext-axi, in Icarus: registers by name from the C header,
answers equal to the reference's, under random back-pressure, aborts and resets. A monitor of its own watches that
what is offered stays.

    test_axi.py DESIGN Q.safetensors FOLDER [TESTS]      SEED= chooses another run; prints TAP"""
import itertools
import random
import sys

from design import ABORTED, BAD, DESIGN, FULL, LIMIT, MORE, SEED, STOP, TOO_LONG, play

if DESIGN:
    import cocotb
    from cocotb.clock import Clock
    from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, with_timeout
    from cocotbext.axi import (AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamFrame, AxiStreamSink,
                               AxiStreamSource)
    from design import ADDRESS, CTX, MANIFEST, MASK, VOCAB, WIDE, reference

    class Bench:
        def __init__(self, dut):
            self.dut, self.rng = dut, random.Random(int(SEED or 1))
            dut.aresetn.value = 0
            dut.s_axi_awprot.value = dut.s_axi_arprot.value = 0
            cocotb.start_soon(Clock(dut.aclk, 10, "ns").start())
            args = dut.aclk, dut.aresetn, False
            self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), *args)
            self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), *args)
            self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), *args)
            self.waits = 0
            self.watcher = cocotb.start_soon(self.watch())

        async def watch(self):
            """What was offered and not taken is offered still, the same; nothing is offered in reset."""
            channels = [[getattr(self.dut, n) for n in names.split()] for names in (
                "m_axis_tvalid m_axis_tready m_axis_tdata m_axis_tlast m_axis_tid m_axis_tuser",
                "s_axi_bvalid s_axi_bready s_axi_bresp", "s_axi_rvalid s_axi_rready s_axi_rdata s_axi_rresp")]
            before, was_reset = [None] * 3, False
            while True:  # inputs are stable from the falling edge to the rising edge that may take it
                await FallingEdge(self.dut.aclk)
                reset = not int(self.dut.aresetn.value)
                for i, (valid, ready, *payload) in enumerate(channels):
                    offered = str(valid.value) == "1"
                    assert not (offered and reset and was_reset), f"{valid._name} in reset"
                    now = [str(p.value) for p in payload] if offered else None
                    if before[i] and not reset:
                        self.waits += 1
                        assert now == before[i], f"{valid._name}: offered {before[i]}, then {now}"
                    before[i] = now if offered and not reset and str(ready.value) != "1" else None
                was_reset = reset

        def pauses(self, chance):
            stalls = lambda: (self.rng.random() < chance for _ in itertools.count())
            for channel in (self.source, self.sink, self.lite.write_if.aw_channel, self.lite.write_if.w_channel,
                            self.lite.write_if.b_channel, self.lite.read_if.ar_channel, self.lite.read_if.r_channel):
                channel.set_pause_generator(stalls() if chance else None)

        async def reset(self, clocks=4):
            self.dut.aresetn.value = 0
            await ClockCycles(self.dut.aclk, clocks)
            self.dut.aresetn.value = 1
            await ClockCycles(self.dut.aclk, 2)
            self.source.clear()
            self.sink.clear()

        async def read(self, name):
            got = await self.lite.read(ADDRESS[name], 4)
            assert got.resp == 0, f"{name}: {got.resp}"
            return int.from_bytes(got.data, "little")

        async def write(self, name, value):
            assert (await self.lite.write(ADDRESS[name], value.to_bytes(4, "little"))).resp == 0, name

        async def field(self, name):
            mask = MASK[name]
            return (await self.read(name.split(".")[0]) & mask) // (mask & -mask)

        async def send(self, prompt, tid=0, keep=0):
            await self.source.send(AxiStreamFrame(prompt, tid=tid, tuser=keep))

        async def answer(self):
            """(tokens, status, tid) of one packet."""
            frame = await with_timeout(self.sink.recv(compact=False), 300, "us")
            data, status, tid = list(frame.tdata), list(frame.tuser), set(frame.tid)
            assert all(s == MORE for s in status[:-1]) and len(tid) == 1, (status, tid)
            if status[-1] >= FULL:
                assert data.pop() == 0
            return data, status[-1], tid.pop()

        def prompt(self, most=4):
            return [self.rng.randrange(VOCAB) for _ in range(self.rng.randrange(1, most + 1))]

        def done(self):
            assert not self.watcher.done(), self.watcher.result()

    async def bench(dut, chance=0.0):
        b = Bench(dut)
        await b.reset()
        b.pauses(chance)
        return b

    @cocotb.test()
    async def registers(dut):
        b = await bench(dut, 0.3)
        assert await b.read("ID") == 0x52495748
        assert (await b.read("VOCAB"), await b.read("CONTEXT")) == (VOCAB, CTX)
        assert (await b.field("LANES.rows"), await b.field("LANES.cols")) == (
            MANIFEST["geometry"]["rows"], MANIFEST["geometry"]["cols"])
        assert (await b.field("MODEL.dim"), await b.field("MODEL.layers")) == (
            MANIFEST["model"]["dim"], MANIFEST["model"]["n_layers"])
        words = await b.lite.read(ADDRESS["PERSONALITY"], 32)
        assert words.data.hex() == MANIFEST["personality_sha256"]
        for name, mask in (("STOP_TOKEN", 0xfffff), ("MAX_TOKENS", 0xffff), ("INTERRUPT_ENABLE", 0xf), ("CONTROL", 3)):
            assert await b.read(name) == 0
            await b.write(name, 0xffffffff if name != "CONTROL" else 0xff)
            assert await b.read(name) == mask, name
            await b.lite.write(ADDRESS[name] + 1, b"\0")  # a byte alone
            assert await b.read(name) == mask & ~0xff00 if mask == 0xffffff else True
            await b.write(name, 0)
        await b.write("ID", 0)
        assert await b.read("ID") == 0x52495748
        for free in sorted(set(range(0, 256, 4)) - set(ADDRESS.values()) - set(range(0x20, 0x40))):
            assert (await b.lite.read(free, 4)).resp == 2 and (await b.lite.write(free, b"1234")).resp == 2, free
        b.done()

    @cocotb.test()
    async def answers(dut):
        b = await bench(dut)
        total = 0
        for chance in (0.0, 0.5, 0.95):
            b.pauses(chance)
            prompts = [b.prompt() for _ in range(2)]
            for i, p in enumerate(prompts):
                await b.send(p, tid=i + 7)
            for i, want in enumerate(reference(prompts)):
                assert await b.answer() == (want, FULL, i + 7)
                total += len(want) + 1
        assert b.waits > 100
        assert await b.read("TOKENS_OUT") == total and await b.read("CYCLES") > await b.read("STALLS")
        await b.write("CONTROL", MASK["CONTROL.clear"])
        assert await b.read("TOKENS_OUT") == await b.read("CYCLES") == await b.read("TOKENS_IN") == 0
        b.done()

    @cocotb.test()
    async def settings(dut):
        b = await bench(dut, 0.4)
        p, more = b.prompt(), b.prompt(3)
        whole, = reference([p])
        await b.write("MAX_TOKENS", 5)
        await b.write("INTERRUPT_ENABLE", MASK["INTERRUPT_ENABLE.done"])
        assert not int(dut.irq.value)
        await b.send(p)
        assert await b.answer() == (whole[:5], LIMIT, 0)
        assert await b.field("STATUS.last") == LIMIT and not await b.field("STATUS.busy")
        assert await b.read("POSITION") == len(p) + 4
        await ClockCycles(dut.aclk, 2)
        assert int(dut.irq.value) and await b.read("INTERRUPT") == 3  # a token, the end
        await b.write("INTERRUPT", 2)
        await ClockCycles(dut.aclk, 2)
        assert not int(dut.irq.value) and await b.read("INTERRUPT") == 1
        # what goes on: by TUSER
        await b.send(more, keep=1)
        after, = reference([p + whole[:4] + more])
        assert await b.answer() == (after[:5], LIMIT, 0)
        stop = next(t for i, t in enumerate(whole) if t not in whole[:i] and i > 0)
        at = whole.index(stop)
        await b.write("MAX_TOKENS", 0)
        await b.write("STOP_TOKEN", stop)
        await b.write("CONTROL", MASK["CONTROL.stop_enable"])
        await b.send(p)
        assert await b.answer() == (whole[:at + 1], STOP, 0)
        await b.write("STOP_TOKEN", stop + WIDE)  # no id: it stops nothing
        await b.send(p)
        assert await b.answer() == (whole, FULL, 0)
        b.done()

    @cocotb.test()
    async def bad_prompts(dut):
        """An id that the chip's wires could not carry, anywhere in a prompt; a prompt that is too long."""
        b = await bench(dut, 0.4)
        good = b.prompt()
        want, = reference([good])
        for n, at in ((1, 0), (4, 0), (4, 2), (4, 3)):
            p = [b.rng.randrange(VOCAB) for _ in range(n)]
            p[at] += WIDE
            await b.send(p, tid=n)
            assert await b.answer() == ([], BAD, n), (n, at)
            await b.send(good)
            assert await b.answer() == (want, FULL, 0)
        await b.write("INTERRUPT", 15)
        await b.send([1] * (CTX + 1))
        assert await b.answer() == ([], TOO_LONG, 0)
        assert await b.read("INTERRUPT") == 6  # the end, an error
        b.done()

    @cocotb.test()
    async def aborts_and_resets(dut):
        b = await bench(dut, 0.3)
        for i in range(4):
            p = b.prompt()
            want, = reference([p])
            await b.send(p)
            await ClockCycles(dut.aclk, b.rng.randrange(20, 1500))
            if i % 2:
                await b.write("CONTROL", MASK["CONTROL.abort"])
                data, status, _ = await b.answer()
                assert data == want[:len(data)] and status in (ABORTED, FULL), (status, data)
            else:
                await b.reset(b.rng.randrange(1, 5))
            await b.send(p, tid=9)
            assert await b.answer() == (want, FULL, 9)
        b.done()


if __name__ == "__main__":
    play("AXI", "hardwire_axi", "test_axi", *sys.argv[1:])
