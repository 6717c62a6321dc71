// SPDX-License-Identifier: Apache-2.0
// x / 2^s with one bit below the point: y = floor(2 * x / 2^s), in halves. round_saturate.v rounds it; between the two
// a register may stand. Combinational.
`default_nettype none

module shift_half #(
    parameter W = 32,
    parameter S_W = 6
) (
    input  wire signed [W-1:0] x,
    input  wire [S_W-1:0]      s,
    output wire signed [W:0]   y
);
    assign y = $signed({x, 1'b0}) >>> s;
endmodule

`default_nettype wire
