// SPDX-License-Identifier: Apache-2.0
// Picks the bank that was addressed a clock ago: a ROM of several banks still takes one clock. Up to
// 16 banks; a caller with fewer ties the other words, and the bits of `bank` above its own, to zero.
// A case, not one vector of all words: simulators then copy one word and do not join sixteen first.
`default_nettype none

module rom_select #(
    parameter W = 8
) (
    input  wire         clk,
    input  wire         re,   // a word is read; without it the last one stays
    input  wire [3:0]   bank, // high address bits
    input  wire [W-1:0] w00, w01, w02, w03,
    input  wire [W-1:0] w04, w05, w06, w07,
    input  wire [W-1:0] w08, w09, w10, w11,
    input  wire [W-1:0] w12, w13, w14, w15,
    output reg  [W-1:0] data
);
    reg [3:0] sel;
    always @(posedge clk)
        if (re)
            sel <= bank;
    always @*
        case (sel)
            4'd0: data = w00;
            4'd1: data = w01;
            4'd2: data = w02;
            4'd3: data = w03;
            4'd4: data = w04;
            4'd5: data = w05;
            4'd6: data = w06;
            4'd7: data = w07;
            4'd8: data = w08;
            4'd9: data = w09;
            4'd10: data = w10;
            4'd11: data = w11;
            4'd12: data = w12;
            4'd13: data = w13;
            4'd14: data = w14;
            default: data = w15;
        endcase
endmodule

`default_nettype wire
