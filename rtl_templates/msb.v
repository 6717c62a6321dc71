// SPDX-License-Identifier: Apache-2.0
// Index of the highest set bit; 0 for x = 0 and x = 1. Combinational, by halving.
`default_nettype none

module msb #(
    parameter W = 64,
    parameter I_W = 6 // 2^I_W >= W
) (
    input  wire [W-1:0]   x,
    output reg  [I_W-1:0] index
);
    reg [(1<<I_W)-1:0] rest;
    integer k;

    always @* begin
        rest  = {{((1 << I_W) - W){1'b0}}, x};
        index = {I_W{1'b0}};
        for (k = I_W - 1; k >= 0; k = k - 1)
            if ((rest >> (1 << k)) != 0) begin
                index[k] = 1'b1;
                rest     = rest >> (1 << k);
            end
    end
endmodule

`default_nettype wire
