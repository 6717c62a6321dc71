// SPDX-License-Identifier: Apache-2.0
// Signed product: the only place of a `*` outside address arithmetic and the two dot products of
// attention.v. Combinational.
`default_nettype none

module mul #(
    parameter A_W = 16,
    parameter B_W = 16,
    parameter Y_W = A_W + B_W // or more: sign extension
) (
    input  wire signed [A_W-1:0] a,
    input  wire signed [B_W-1:0] b,
    output wire signed [Y_W-1:0] y
);
    assign y = a * b;
endmodule

`default_nettype wire
