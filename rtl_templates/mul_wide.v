// SPDX-License-Identifier: Apache-2.0
// Signed product of a wide number and one of at most 18 bits. CUT = 1: the products of a's high part and
// its low 17 bits, each no wider than a multiplier block, are registered and then added; otherwise
// combinational.
`default_nettype none

module mul_wide #(
    parameter A_W = 27,
    parameter B_W = 10,
    parameter CUT = 0
) (
    input  wire                      clk,
    input  wire                      en,
    input  wire signed [A_W-1:0]     a,
    input  wire signed [B_W-1:0]     b,
    output wire signed [A_W+B_W-1:0] y
);
    localparam LOW = 17;

    generate
        if (CUT == 0 || A_W <= LOW + 1) begin : g_one
            wire [A_W+B_W-1:0] product;
            mul #(.A_W(A_W), .B_W(B_W)) u_mul (.a(a), .b(b), .y(product));
            stage #(.N(CUT), .W(A_W + B_W)) u_cut (.clk(clk), .en(en), .d(product), .q(y));
        end else begin : g_two
            wire [A_W-LOW+B_W-1:0] high, high_q;
            wire [LOW+B_W:0]       low, low_q;
            mul #(.A_W(A_W - LOW), .B_W(B_W)) u_high (.a(a[A_W-1:LOW]), .b(b), .y(high));
            mul #(.A_W(LOW + 1), .B_W(B_W)) u_low (.a({1'b0, a[LOW-1:0]}), .b(b), .y(low));
            stage #(.N(1), .W(A_W + 2 * B_W + 1)) u_cut (
                .clk(clk), .en(en), .d({high, low}), .q({high_q, low_q})
            );
            wire [A_W+B_W-1:0] low_wide = {{(A_W-LOW-1){low_q[LOW+B_W]}}, low_q};
            assign y = {high_q, {LOW{1'b0}}} + low_wide;
        end
    endgenerate
endmodule

`default_nettype wire
