// SPDX-License-Identifier: Apache-2.0
// Signed product with N registers behind it, 0 or 1, which takes what is there with `en`. The product is
// formed in the register's block: a simulator then multiplies where operands move, and not in every clock.
`default_nettype none

module mul_stage #(
    parameter N = 1,
    parameter A_W = 16,
    parameter B_W = 16
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [A_W-1:0]     a,
    input  wire signed [B_W-1:0]     b,
    output wire signed [A_W+B_W-1:0] y
);
    generate
        if (N == 0) begin : g_wire
            assign y = a * b;
            wire unused_clock = &{1'b0, clk, en};
        end else begin : g_register
            reg signed [A_W+B_W-1:0] product;
            always @(posedge clk)
                if (en)
                    product <= a * b;
            assign y = product;
        end
    endgenerate
endmodule

`default_nettype wire
