// SPDX-License-Identifier: Apache-2.0
// The ULX3S around uart_top. The clock comes from the PLL that ecppll makes (module pll, of 25 MHz).
// LEDs: 0 waits for a line, 1 tells a story, 2 the chip works, 6 the PLL is locked, 7 the self-test failed.
// Button FIRE1 resets. CLOCKS: clocks of the PLL a bit of the serial line.
`default_nettype none

module ulx3s_top #(
    parameter CLOCKS = 25
) (
    input  wire       clk_25mhz,
    input  wire       fire1,
    input  wire       ftdi_txd,  // into the FPGA
    output wire       ftdi_rxd,  // out of it
    output wire [7:0] led,
    output wire       wifi_gpio0 // high: the ESP32 stays away
);
    wire clk, locked, rst, listening, telling, busy, failed;
    pll u_pll (.clkin(clk_25mhz), .clkout0(clk), .locked(locked));
    board_reset u_reset (.clk(clk), .locked(locked), .button(fire1), .rst(rst));

    uart_top #(.CLOCKS(CLOCKS)) u_chip (
        .clk(clk), .rst(rst), .rx(ftdi_txd), .tx(ftdi_rxd), .listening(listening),
        .telling(telling), .busy(busy), .failed(failed)
    );
    assign led = {failed, locked, 3'b000, busy, telling, listening};
    assign wifi_gpio0 = 1'b1;
endmodule

`default_nettype wire
