// SPDX-License-Identifier: Apache-2.0
// y = floor((x + 2^(s-1)) / 2^s): the one rounding rule, ties towards +infinity.
// Twin of hw_round_shift in refmodel/fixed.h. Combinational.
//
// One extra bit below the binary point survives the shift, so s = 0 needs no special case:
//     x s | -3 1  -1 1   1 1   3 1   5 2   6 2
//     y   |   -1     0     1     2     1     2
`default_nettype none

module round_shift #(
    parameter W = 32,
    parameter S_W = 6
) (
    input  wire signed [W-1:0] x,
    input  wire [S_W-1:0]      s,
    output wire signed [W-1:0] y
);
    wire signed [W:0] twice = $signed({x, 1'b0}) >>> s;
    wire signed [W:0] up    = twice + {{W{1'b0}}, 1'b1};
    assign y = up[W:1];

    wire unused_half = up[0];
endmodule

`default_nettype wire
