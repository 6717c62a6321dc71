// SPDX-License-Identifier: Apache-2.0
// The SoC of sim/board/litex_soc.py with a host at its serial line, who speaks LiteX's UARTBone: a command, a count, a
// word's address and the word, high bytes first. Reads lines from stdin, addresses in bytes and values hexadecimal:
//     r ADDRESS          prints the word, or `-` where no answer comes
//     w ADDRESS VALUE
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "Vhardwire_soc.h"
#include "verilated.h"

namespace {
const int CLOCKS = 8; // a bit
std::unique_ptr<Vhardwire_soc> soc;

// What comes out: a byte is sampled in the middle of each bit.
std::vector<uint8_t> heard;
int wait = 0, bits = -1, byte = 0;

void listen()
{
    if (bits < 0) {
        if (!soc->serial_tx)
            bits = 0, wait = CLOCKS + CLOCKS / 2, byte = 0;
        return;
    }
    if (--wait > 0)
        return;
    wait = CLOCKS;
    if (bits < 8) {
        byte |= soc->serial_tx << bits++;
        return;
    }
    if (soc->serial_tx) // the stop bit
        heard.push_back((uint8_t)byte);
    bits = -1;
}

void clock(int n)
{
    while (n-- > 0) {
        soc->clk25 = 1;
        soc->eval();
        soc->clk25 = 0;
        soc->eval();
        listen();
    }
}

void say(uint32_t value, int n_bytes)
{
    for (int i = n_bytes - 1; i >= 0; i--) {
        uint32_t frame = 0x200 | (value >> 8 * i & 0xff) << 1; // start bit 0, stop bit 1
        for (int bit = 0; bit < 10; bit++) {
            soc->serial_rx = frame >> bit & 1;
            clock(CLOCKS);
        }
    }
}
} // namespace

int main(int argc, char **argv)
{
    Verilated::commandArgs(argc, argv);
    soc.reset(new Vhardwire_soc);
    soc->reset = 1;
    soc->serial_rx = 1;
    clock(10);
    soc->reset = 0;
    clock(100);
    char command;
    unsigned address, value;
    while (scanf(" %c %x", &command, &address) == 2) {
        heard.clear();
        say(command == 'w' ? 1 : 2, 1);
        say(1, 1);
        say(address / 4, 4);
        if (command == 'w' && scanf("%x", &value) == 1)
            say(value, 4);
        for (int i = 0; command == 'r' && i < 200 * CLOCKS && heard.size() < 4; i++)
            clock(1);
        if (command == 'r' && heard.size() == 4)
            printf("%02x%02x%02x%02x\n", heard[0], heard[1], heard[2], heard[3]);
        else if (command == 'r')
            puts("-");
        fflush(stdout);
    }
    soc->final();
    soc.reset();
}
