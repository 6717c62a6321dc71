// SPDX-License-Identifier: Apache-2.0
// Linear interpolation between two table entries: y = base + rs(step * frac, FRAC_W).
// entry = {step[11:0] signed, base[15:0]}; y is Q1.15 in 0..32768. Twin of hw_table_lerp.
`default_nettype none

module lerp #(
    parameter FRAC_W = 9
) (
    input  wire [27:0]       entry,
    input  wire [FRAC_W-1:0] frac,
    output wire [15:0]       y
);
    localparam P_W = 12 + FRAC_W + 1;

    wire signed [P_W-1:0] product, rounded;

    mul #(.A_W(12), .B_W(FRAC_W + 1)) u_mul (
        .a(entry[27:16]), .b({1'b0, frac}), .y(product)
    );
    localparam [3:0] SHIFT = FRAC_W;
    round_shift #(.W(P_W), .S_W(4)) u_round (.x(product), .s(SHIFT), .y(rounded));

    wire [P_W-1:0] sum = {{(P_W-16){1'b0}}, entry[15:0]} + rounded;
    assign y = sum[15:0];

    wire unused_top = &{1'b0, sum[P_W-1:16]};
endmodule

`default_nettype wire
