// SPDX-License-Identifier: Apache-2.0
// Stands for saturate.v where only the way of the operands is proven: folds x, so that each of its
// bits shows.
`default_nettype none

module saturate #(
    parameter IN_W = 32,
    parameter OUT_W = 8
) (
    input  wire signed [IN_W-1:0]  x,
    output reg  signed [OUT_W-1:0] y
);
    integer i;
    always @* begin
        y = {OUT_W{1'b0}};
        for (i = 0; i < IN_W; i = i + 1)
            y[i % OUT_W] = y[i % OUT_W] ^ x[i];
    end
endmodule

`default_nettype wire
