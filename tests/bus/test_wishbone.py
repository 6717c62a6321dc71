# SPDX-License-Identifier: Apache-2.0
"""A design on Wishbone under the master of cocotbext-wishbone, in Icarus: registers by name, prompts and answers through
TOKEN_IN and TOKEN_OUT equal to the reference's, with idle clocks at random, tokens that are not taken, tokens without
room, half prompts, aborts. A monitor of its own watches the handshake.

    test_wishbone.py DESIGN Q.safetensors FOLDER [TESTS]      SEED= chooses another run; prints TAP"""
import json
import random
import sys

from design import ABORTED, BAD, DESIGN, FULL, LIMIT, MORE, SEED, play

if DESIGN:
    import cocotb
    from cocotb.clock import Clock
    from cocotb.triggers import ClockCycles, FallingEdge
    from cocotbext.wishbone.driver import WBOp, WishboneMaster
    from design import ADDRESS, CTX, MASK, VOCAB, WIDE, reference

    WIRES = {"cyc": "cyc_i", "stb": "stb_i", "we": "we_i", "adr": "adr_i", "datwr": "dat_i", "datrd": "dat_o",
             "ack": "ack_o", "err": "err_o", "sel": "sel_i"}

    def part(name, word):
        """A field of a register's word."""
        return (word & MASK[name]) // (MASK[name] & -MASK[name])

    class Bench:
        def __init__(self, dut):
            self.dut, self.rng = dut, random.Random(int(SEED or 1))
            dut.rst_i.value = 1
            cocotb.start_soon(Clock(dut.clk_i, 10, "ns").start())
            self.answered = 0

        async def watch(self):
            """An answer is one of ack and err, comes to a strobe, and lasts a clock."""
            before = 0
            while True:
                await FallingEdge(self.dut.clk_i)
                ack, err = int(self.dut.ack_o.value), int(self.dut.err_o.value)
                assert not (ack and err) and not (before and (ack or err)), "two answers"
                assert not (ack or err) or int(self.dut.stb_i.value), "an answer to nobody"
                before = ack or err
                self.answered += before

        async def word(self, address, value=None, sel=0xf):
            """(what was read, 1 for ack or 2 for err) of one cycle."""
            op = WBOp(address // 4, value, idle=self.rng.choice([0, 0, 1, 3]), sel=sel)
            answer, = await self.master.send_cycle([op])
            return (int(answer.datrd) if value is None and answer.ack == 1 else None), answer.ack

        async def read(self, name):
            value, code = await self.word(ADDRESS[name])
            assert code == 1, name
            return value

        async def write(self, name, value):
            assert (await self.word(ADDRESS[name], value))[1] == 1, name

        async def send(self, prompt):
            for i, token in enumerate(prompt):
                while not part("STATUS.room", await self.read("STATUS")):
                    pass
                await self.write("TOKEN_IN", token | (i == len(prompt) - 1) << 31)

        async def answer(self):
            """(tokens, status) up to an answer's end."""
            tokens = []
            for _ in range(4000):
                word = await self.read("TOKEN_OUT")
                if not part("TOKEN_OUT.valid", word):
                    await ClockCycles(self.dut.clk_i, self.rng.randrange(1, 60))
                    continue
                status, token = part("TOKEN_OUT.status", word), part("TOKEN_OUT.id", word)
                tokens += [token] if status < FULL else []
                if part("TOKEN_OUT.last", word):
                    return tokens, status
                assert status == MORE
            raise AssertionError("no end")

        def prompt(self, most=4):
            return [self.rng.randrange(VOCAB) for _ in range(self.rng.randrange(1, most + 1))]

        def done(self):
            assert not self.watcher.done(), self.watcher.result()
            assert self.answered > 10

    async def bench(dut):
        b = Bench(dut)
        await ClockCycles(dut.clk_i, 1)  # before it, Icarus does not pass on what a driver puts
        b.master = WishboneMaster(dut, None, dut.clk_i, width=32, timeout=20, signals_dict=WIRES)
        await ClockCycles(dut.clk_i, 4)
        dut.rst_i.value = 0
        await ClockCycles(dut.clk_i, 2)
        b.watcher = cocotb.start_soon(b.watch())
        return b

    @cocotb.test()
    async def registers_and_answers(dut):
        b = await bench(dut)
        assert await b.read("ID") == 0x52495748 and await b.read("VOCAB") == VOCAB
        features = await b.read("FEATURES")
        assert [part(f"FEATURES.{n}", features) for n in ("token_registers", "selftest", "token_bytes", "depth")] == [1, 1, 3, 16]
        assert await b.read("SELFTEST") == await b.read("SELFTEST_CRC") == 0
        assert (await b.word(0xf8))[1] == 2 and (await b.word(0xf8, 1))[1] == 2
        assert not part("TOKEN_OUT.valid", await b.read("TOKEN_OUT"))
        await b.write("STOP_TOKEN", 0xfffff)
        await b.word(ADDRESS["STOP_TOKEN"], 0, sel=1)  # a byte alone changes nothing of a field of three
        assert await b.read("STOP_TOKEN") == 0xfffff
        prompts = [b.prompt(), b.prompt()]
        for p in prompts:
            await b.send(p)
        await b.write("SELFTEST", MASK["SELFTEST.start"])  # waits until no sequence is under way
        for want in reference(prompts):
            assert await b.answer() == (want, FULL)
        while not part("SELFTEST.done", await b.read("SELFTEST")):
            pass
        with open(f"{DESIGN}/manifest.json") as file:
            assert await b.read("SELFTEST_CRC") == json.load(file)["selftest"]["crc32"]
        b.done()

    @cocotb.test()
    async def settings(dut):
        b = await bench(dut)
        p, more = b.prompt(), b.prompt(3)
        whole, = reference([p])
        await b.write("MAX_TOKENS", 5)
        await b.write("INTERRUPT_ENABLE", MASK["INTERRUPT_ENABLE.done"])
        await b.send(p)
        assert await b.answer() == (whole[:5], LIMIT)
        assert int(dut.irq_o.value) and part("STATUS.last", await b.read("STATUS")) == LIMIT
        await b.write("INTERRUPT", 15)
        # a setting travels with the token: keep is taken back before the chip has seen the prompt
        await b.write("CONTROL", MASK["CONTROL.keep"])
        await b.send(more)
        await b.write("CONTROL", 0)
        after, = reference([p + whole[:4] + more])
        assert await b.answer() == (after[:5], LIMIT)
        b.done()

    @cocotb.test()
    async def half_prompts_and_room(dut):
        b = await bench(dut)
        good = b.prompt()
        want, = reference([good])
        first = [[1, 2], [2]]  # answers that nobody takes fill the one queue, half a prompt the other
        for p in first:
            await b.send(p)
        for put in range(64):
            await b.write("TOKEN_IN", 3)
            await ClockCycles(dut.clk_i, 600)
            if part("INTERRUPT.lost", await b.read("INTERRUPT")):
                break
        assert put == 16 and not part("STATUS.room", await b.read("STATUS"))
        for want_first in reference(first):
            assert await b.answer() == (want_first, FULL)
        await b.write("CONTROL", MASK["CONTROL.start"])  # the half prompt is dropped, also what waits of it
        await b.send(good)
        assert await b.answer() == (want, FULL)
        b.done()

    @cocotb.test()
    async def bad_and_aborted(dut):
        b = await bench(dut)
        good = b.prompt()
        want, = reference([good])
        for wide in (WIDE, 1 << 23):  # beyond the chip's wires, and in the highest bit
            await b.send([1, wide, 2])
            assert await b.answer() == ([], BAD)
            await b.send(good)
            assert await b.answer() == (want, FULL)
        for _ in range(3):
            await b.send(good)
            await ClockCycles(dut.clk_i, b.rng.randrange(20, 1500))
            await b.write("CONTROL", MASK["CONTROL.abort"])
            got, status = await b.answer()
            assert status in (ABORTED, FULL) and got == want[:len(got)]
            await b.send(good)
            assert await b.answer() == (want, FULL)
        b.done()


if __name__ == "__main__":
    play("Wishbone", "hardwire_wb", "test_wishbone", *sys.argv[1:])
