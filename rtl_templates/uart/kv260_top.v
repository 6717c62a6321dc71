// SPDX-License-Identifier: Apache-2.0
// The KV260's programmable logic around uart_top: constraints/kv260.xdc. The board gives the logic no clock but the
// processor's PL_CLK0; its boot loader or an overlay sets it to CLOCKS MHz. The serial line and two lamps are at
// the PMOD connector, so that no driver is needed. PL_RESETN0 resets.
`default_nettype none

module kv260_top #(
    parameter CLOCKS = 50 // of PL_CLK0, a bit of the serial line: 1,000,000 baud
) (
    input  wire pmod_rx,  // into the FPGA
    output wire pmod_tx,  // out of it
    output wire listening,
    output wire failed    // the self-test
);
    wire [3:0]  ps_clk;
    wire [95:0] ps_gpio;
    wire        clk, rst, telling, busy;
    wire        resetn = ps_gpio[95]; // PL_RESETN0
    PS8 u_ps (.PLCLK(ps_clk), .EMIOGPIOO(ps_gpio));
    BUFG_PS u_clk (.I(ps_clk[0]), .O(clk));
    board_reset u_reset (.clk(clk), .locked(resetn), .button(1'b0), .rst(rst));

    uart_top #(.CLOCKS(CLOCKS)) u_chip (
        .clk(clk), .rst(rst), .rx(pmod_rx), .tx(pmod_tx), .listening(listening), .telling(telling),
        .busy(busy), .failed(failed)
    );
    wire unused = &{1'b0, telling, busy, ps_clk[3:1], ps_gpio[94:0]};
endmodule

`default_nettype wire
