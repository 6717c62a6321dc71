// SPDX-License-Identifier: Apache-2.0
// The Arty A7-100T around uart_top: constraints/arty-a7.xdc. The chip's clock is 800 MHz / DIVIDE, of the board's
// 100 MHz. LEDs: 4 waits for a line, 5 tells a story, 6 the chip works, 7 the self-test failed. The red
// button resets.
`default_nettype none

module arty_a7_top #(
    parameter DIVIDE = 16,  // 50 MHz
    parameter CLOCKS = 50   // of the chip, a bit of the serial line: 1,000,000 baud
) (
    input  wire       clk100,
    input  wire       ck_rstn,      // low while the button is pressed
    input  wire       uart_txd_in,  // into the FPGA
    output wire       uart_rxd_out, // out of it
    output wire [3:0] led
);
    wire board_clk, loop, divided, clk, locked, rst;
    IBUF u_in (.I(clk100), .O(board_clk));
    MMCME2_BASE #(
        .CLKIN1_PERIOD(10), .CLKFBOUT_MULT_F(8), .DIVCLK_DIVIDE(1), .CLKOUT0_DIVIDE_F(DIVIDE)
    ) u_clock (
        .CLKIN1(board_clk), .CLKFBIN(loop), .CLKFBOUT(loop), .CLKOUT0(divided), .LOCKED(locked),
        .RST(1'b0), .PWRDWN(1'b0)
    );
    BUFG u_clk (.I(divided), .O(clk));
    board_reset u_reset (.clk(clk), .locked(locked), .button(!ck_rstn), .rst(rst));

    uart_top #(.CLOCKS(CLOCKS)) u_chip (
        .clk(clk), .rst(rst), .rx(uart_txd_in), .tx(uart_rxd_out), .listening(led[0]),
        .telling(led[1]), .busy(led[2]), .failed(led[3])
    );
endmodule

`default_nettype wire
