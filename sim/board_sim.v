// SPDX-License-Identifier: Apache-2.0
// The netlist of a ULX3S between the ports that sim/uart_main.cpp drives, and a PLL that passes its clock on.
module board_sim (
    input  wire clk,
    input  wire rst,
    input  wire rx,
    output wire tx,
    output wire failed
);
    wire [7:0] led;
    wire       unused_gpio;
    ulx3s_top u_board (
        .clk_25mhz(clk), .fire1(rst), .ftdi_txd(rx), .ftdi_rxd(tx), .led(led), .wifi_gpio0(unused_gpio)
    );
    assign failed = led[7];
endmodule

module EHXPLLL (
    input  wire CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC,
                ENCLKOP,
    output wire CLKOP, LOCK, CLKINTFB
);
    parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "", DPHASE_SOURCE = "", OUTDIVIDER_MUXA = "",
              OUTDIVIDER_MUXB = "", OUTDIVIDER_MUXC = "", OUTDIVIDER_MUXD = "", CLKOP_ENABLE = "", FEEDBK_PATH = "";
    parameter CLKI_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0, CLKFB_DIV = 1;
    assign CLKOP = CLKI;
    assign LOCK = 1'b1;
    assign CLKINTFB = 1'b0;
endmodule
