// SPDX-License-Identifier: Apache-2.0
// Stands for shift_half.v where only the way of the operands is proven: x marked with s, and no half.
`default_nettype none

module shift_half #(
    parameter W = 32,
    parameter S_W = 6
) (
    input  wire signed [W-1:0] x,
    input  wire [S_W-1:0]      s,
    output wire signed [W:0]   y
);
    assign y = {x ^ {{(W-S_W){1'b0}}, s}, 1'b0};
endmodule

`default_nettype wire
