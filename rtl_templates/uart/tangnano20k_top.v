// SPDX-License-Identifier: Apache-2.0
// The Tang Nano 20K around uart_top, at the 27 MHz of its crystal. LEDs light when low: 0 waits for a line, 1 tells a
// story, 2 the chip works, 5 the self-test failed. Button S1 resets. CLOCKS: clocks a bit of the serial line, of 115,200 baud.
`default_nettype none

module tangnano20k_top #(
    parameter CLOCKS = 234
) (
    input  wire       clk_27mhz,
    input  wire       s1,
    input  wire       uart_rx, // into the FPGA
    output wire       uart_tx,
    output wire [5:0] led_n
);
    wire rst;
    board_reset u_reset (.clk(clk_27mhz), .locked(1'b1), .button(s1), .rst(rst));

    wire listening, telling, busy, failed;
    uart_top #(.CLOCKS(CLOCKS)) u_chip (
        .clk(clk_27mhz), .rst(rst), .rx(uart_rx), .tx(uart_tx), .listening(listening),
        .telling(telling), .busy(busy), .failed(failed)
    );
    assign led_n = ~{failed, 2'b00, busy, telling, listening};
endmodule

`default_nettype wire
