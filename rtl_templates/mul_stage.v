// SPDX-License-Identifier: Apache-2.0
// Signed product with N registers behind it, 0 to 2, each of which takes what is there with its `en`. The product is
// formed in the register's block: a simulator then multiplies where operands move, and not in every clock.
// N = 2: the products of a and the two halves of b are registered, then their sum.
`default_nettype none

module mul_stage #(
    parameter N = 1,
    parameter A_W = 16,
    parameter B_W = 16         // 2 or more
) (
    input  wire                       clk,
    input  wire [(N > 0 ? N : 1)-1:0] en,
    input  wire signed [A_W-1:0]      a,
    input  wire signed [B_W-1:0]      b,
    output wire signed [A_W+B_W-1:0]  y
);
    localparam LOW = B_W / 2;

    generate
        if (N == 0) begin : g_wire
            assign y = a * b;
            wire unused_clock = &{1'b0, clk, en};
        end else if (N == 1) begin : g_register
            reg signed [A_W+B_W-1:0] product;
            always @(posedge clk)
                if (en[0])
                    product <= a * b;
            assign y = product;
        end else begin : g_halves
            wire signed [B_W-LOW-1:0]     b_high = b[B_W-1:LOW];
            wire signed [LOW:0]           b_low  = {1'b0, b[LOW-1:0]};
            reg  signed [A_W+B_W-LOW-1:0] high;
            reg  signed [A_W+LOW-1:0]     low;  // |b_low| < 2^LOW
            reg  signed [A_W+B_W-1:0]     product;
            always @(posedge clk) begin
                if (en[0]) begin
                    high <= a * b_high;
                    low  <= a * b_low;
                end
                if (en[1])
                    product <= {high, {LOW{1'b0}}} + {{(B_W-LOW){low[A_W+LOW-1]}}, low};
            end
            assign y = product;
        end
    endgenerate
endmodule

`default_nettype wire
