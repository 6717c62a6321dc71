// SPDX-License-Identifier: Apache-2.0
// Stands for round_shift.v where only the way of the operands is proven: x marked with s.
`default_nettype none

module round_shift #(
    parameter W = 32,
    parameter S_W = 6
) (
    input  wire signed [W-1:0] x,
    input  wire [S_W-1:0]      s,
    output wire signed [W-1:0] y
);
    assign y = x ^ {{(W-S_W){1'b0}}, s};
endmodule

`default_nettype wire
