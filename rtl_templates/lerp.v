// SPDX-License-Identifier: Apache-2.0
// Linear interpolation between two table entries: y = base + rs(step * frac, FRAC_W).
// entry = {step[11:0] signed, base[15:0]}; y is Q1.15 in 0..32768. Twin of hw_table_lerp. y follows entry
// and frac by CLOCKS: 0, or 1 (the product is registered), or 2 (entry and frac before it, too).
`default_nettype none

module lerp #(
    parameter FRAC_W = 9,
    parameter CLOCKS = 0
) (
    input  wire              clk,
    input  wire [(CLOCKS > 0 ? CLOCKS : 1)-1:0] move, // of each register
    input  wire [27:0]       entry,
    input  wire [FRAC_W-1:0] frac,
    output wire [15:0]       y
);
    localparam P_W = 12 + FRAC_W + 1;
    localparam ENTRY = CLOCKS > 1 ? 1 : 0, PRODUCT = CLOCKS > 0 ? 1 : 0;
    wire [27:0]       entry_q;
    wire [FRAC_W-1:0] frac_q;
    wire [15:0]       base;
    wire signed [P_W-1:0] product, rounded, step;

    stage #(.N(ENTRY), .W(28 + FRAC_W)) u_entry (
        .clk(clk), .en(move[0]), .d({entry, frac}), .q({entry_q, frac_q})
    );
    stage #(.N(PRODUCT), .W(16 + P_W)) u_step (
        .clk(clk), .en(move[ENTRY*PRODUCT]), .d({entry_q[15:0], product}), .q({base, step})
    );

    mul #(.A_W(12), .B_W(FRAC_W + 1)) u_mul (
        .a(entry_q[27:16]), .b({1'b0, frac_q}), .y(product)
    );
    localparam [3:0] SHIFT = FRAC_W;
    round_shift #(.W(P_W), .S_W(4)) u_round (.x(step), .s(SHIFT), .y(rounded));

    wire [P_W-1:0] sum = {{(P_W-16){1'b0}}, base} + rounded;
    assign y = sum[15:0];

    wire unused_top = &{1'b0, sum[P_W-1:16]};
endmodule

`default_nettype wire
