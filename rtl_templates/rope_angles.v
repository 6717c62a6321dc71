// SPDX-License-Identifier: Apache-2.0
// cos and sin of every rotation pair at the current position, once a token, from two small ROMs:
// position = hi * 2^LO_W + lo, and the angles add:
//     cos = rs(ch * cl - sh * sl, 14)    sin = rs(sh * cl + ch * sl, 14)      (hw_rope_angles)
// One pair a cycle; ready HEAD_DIM / 2 + 3 cycles after `start`, long before the first key needs it.
`default_nettype none

module rope_angles #(
    parameter HALF = 4,   // HEAD_DIM / 2
    parameter HALF_W = 2, // log2
    parameter HI_W = 4,
    parameter LO_W = 4
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    start,
    input  wire [HI_W+LO_W-1:0]    pos,
    output wire [HI_W+HALF_W-1:0]  hi_addr,
    output wire [LO_W+HALF_W-1:0]  lo_addr,
    input  wire [31:0]             hi_data, // {sin, cos}, Q1.14
    input  wire [31:0]             lo_data,
    output reg  [HALF*32-1:0]      angles,  // {sin, cos} of each pair
    output wire                    busy
);
    reg              a, b, c;
    reg [HALF_W-1:0] a_pair, b_pair, c_pair;
    reg signed [32:0] cos_sum, sin_sum;
    wire signed [31:0] cc, ss, sc, cs;
    wire signed [32:0] cos_r, sin_r;
    wire signed [15:0] cos_s, sin_s;

    assign hi_addr = {pos[HI_W+LO_W-1:LO_W], a_pair};
    assign lo_addr = {pos[LO_W-1:0], a_pair};

    mul #(.A_W(16), .B_W(16)) u_cc (.a(hi_data[15:0]),  .b(lo_data[15:0]),  .y(cc));
    mul #(.A_W(16), .B_W(16)) u_ss (.a(hi_data[31:16]), .b(lo_data[31:16]), .y(ss));
    mul #(.A_W(16), .B_W(16)) u_sc (.a(hi_data[31:16]), .b(lo_data[15:0]),  .y(sc));
    mul #(.A_W(16), .B_W(16)) u_cs (.a(hi_data[15:0]),  .b(lo_data[31:16]), .y(cs));
    round_shift #(.W(33), .S_W(4)) u_cos_round (.x(cos_sum), .s(4'd14), .y(cos_r));
    round_shift #(.W(33), .S_W(4)) u_sin_round (.x(sin_sum), .s(4'd14), .y(sin_r));
    saturate #(.IN_W(33), .OUT_W(16)) u_cos_sat (.x(cos_r), .y(cos_s));
    saturate #(.IN_W(33), .OUT_W(16)) u_sin_sat (.x(sin_r), .y(sin_s));

    always @(posedge clk) begin
        a      <= start || (a && a_pair != {HALF_W{1'b1}});
        a_pair <= a ? a_pair + 1'b1 : {HALF_W{1'b0}};
        {b, c} <= {a, b};
        b_pair <= a_pair;
        c_pair <= b_pair;
        if (b) begin
            cos_sum <= {cc[31], cc} - {ss[31], ss};
            sin_sum <= {sc[31], sc} + {cs[31], cs};
        end
        if (c)
            angles[c_pair*32 +: 32] <= {sin_s, cos_s};
        if (rst)
            {a, b, c} <= 3'b000;
    end

    assign busy = a | b | c;
endmodule

`default_nettype wire
