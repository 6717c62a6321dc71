// SPDX-License-Identifier: Apache-2.0
// Stands for round_saturate.v where only the way of the operands is proven: folds what is above the point, so that
// each of its bits shows, and the half with it.
`default_nettype none

module round_saturate #(
    parameter IN_W = 32,
    parameter OUT_W = 8
) (
    input  wire signed [IN_W:0]    x,
    output reg  signed [OUT_W-1:0] y
);
    integer i;
    always @* begin
        y = {{(OUT_W-1){1'b0}}, x[0]};
        for (i = 0; i < IN_W; i = i + 1)
            y[i % OUT_W] = y[i % OUT_W] ^ x[i+1];
    end
endmodule

`default_nettype wire
