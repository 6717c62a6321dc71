// SPDX-License-Identifier: Apache-2.0
// A terminal at the serial line of uart_top: types standard input and writes to standard output
// what comes back. A line is typed when the prompt "> " has come; ^ and a letter type a control
// character, after Enter too (^C). Ends at the prompt after the last line. The line is read bit by
// bit here, by none of the design's code.
//     uart_sim CLOCKS [most clocks]
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

#include "Vuart_top.h"
#include "verilated.h"

namespace
{
struct terminal {
    int clocks;           // a bit
    int pause = 0;        // clocks until the next key
    std::deque<int> keys; // to be typed before the next prompt
    int sending = -1, sent_bits = 0, sent_clocks = 0;
    int got_bits = -1, got_clocks = 0, got = 0;
    bool framing_error = false;
    std::string tail; // of what has come

    // The level of the line into the chip for this clock.
    bool drive()
    {
        if (sending < 0 && pause > 0)
            pause--;
        else if (sending < 0 && !keys.empty()) {
            sending = keys.front() << 1 | 0x200;
            keys.pop_front();
            sent_bits = sent_clocks = 0;
        }
        if (sending < 0)
            return true;
        bool level = sending >> sent_bits & 1;
        if (++sent_clocks == clocks) {
            sent_clocks = 0;
            if (++sent_bits == 10) { // a key waits for the echo of the last: three bytes at most
                sending = -1;
                pause = 40 * clocks;
            }
        }
        return level;
    }

    // One clock of the line out of the chip; the byte that is complete, or -1.
    int listen(bool level)
    {
        if (got_bits < 0) {
            if (!level)
                got_bits = got_clocks = got = 0;
            return -1;
        }
        if (++got_clocks != got_bits * clocks + clocks / 2)
            return -1;
        if (got_bits++ == 9) {
            got_bits = -1;
            framing_error = framing_error || !level;
            return got >> 1;
        }
        got |= level << (got_bits - 1);
        return -1;
    }
};

// The next line of standard input as keys, with Enter; false at the end.
bool read_line(std::deque<int> &keys)
{
    int c = getchar();
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getchar())
        keys.push_back(c == '^' ? getchar() & 31 : c);
    keys.push_back('\r');
    return true;
}
} // namespace

double sc_time_stamp()
{
    return 0;
}

int main(int argc, char **argv)
{
    terminal t;
    t.clocks = argc > 1 ? atoi(argv[1]) : 4;
    long most = argc > 2 ? atol(argv[2]) : 2000000000L, now = 0;
    Vuart_top top;
    top.clk = 0;
    top.rst = 1;
    top.rx = 1;
    for (bool on = true; on && now < most; now++) {
        top.rst = now < 10;
        top.rx = t.drive();
        top.eval();
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        int byte = now < 10 ? -1 : t.listen(top.tx);
        if (byte < 0)
            continue;
        putchar(byte);
        t.tail = (t.tail + (char)byte).substr(t.tail.size() > 2 ? 1 : 0);
        if (t.tail == "\n> ")
            on = read_line(t.keys);
        if (top.failed && byte == '\n' && t.tail == "t\r\n")
            on = false;
    }
    fflush(stdout);
    fprintf(stderr, "%ld clocks%s\n", now, t.framing_error ? ", a framing error" : "");
    return t.framing_error || now >= most || top.failed;
}
