// SPDX-License-Identifier: Apache-2.0
// Picks the bank that was addressed a clock ago: a ROM of several banks still takes one clock.
`default_nettype none

module rom_select #(
    parameter W = 8,
    parameter BANKS = 2,
    parameter SEL_W = 1
) (
    input  wire               clk,
    input  wire [SEL_W-1:0]   bank, // high address bits
    input  wire [BANKS*W-1:0] all,
    output wire [W-1:0]       data
);
    reg [SEL_W-1:0] sel;
    always @(posedge clk)
        sel <= bank;
    assign data = all[sel*W +: W];
endmodule

`default_nettype wire
