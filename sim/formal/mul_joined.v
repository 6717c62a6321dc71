// SPDX-License-Identifier: Apache-2.0
// Stands for mul.v where only the way of the operands is proven: joins them, so that every pair of
// operands gives another "product".
`default_nettype none

module mul #(
    parameter A_W = 16,
    parameter B_W = 16,
    parameter Y_W = A_W + B_W
) (
    input  wire signed [A_W-1:0] a,
    input  wire signed [B_W-1:0] b,
    output wire signed [Y_W-1:0] y
);
    wire signed [A_W+B_W-1:0] joined = {a, b};
    assign y = joined;
endmodule

`default_nettype wire
