// SPDX-License-Identifier: Apache-2.0
// cos and sin of every rotation pair at the current position, once a token, from two small ROMs:
// position = hi * 2^LO_W + lo, and the angles add:
//     cos = rs(ch * cl - sh * sl, 14)    sin = rs(sh * cl + ch * sl, 14)      (hw_rope_angles)
// A pair a clock; its angles follow its addresses by CLOCKS: 3 (words, sums, angles), or 4 (the words again), or 5 (the
// products), or 6 (the words a third time). All are there HEAD_DIM / 2 + CLOCKS clocks after `start`, long before the first
// key needs them.
`default_nettype none

module rope_angles #(
    parameter HALF = 4,   // HEAD_DIM / 2
    parameter HALF_W = 2, // log2
    parameter HI_W = 4,
    parameter LO_W = 4,
    parameter CLOCKS = 3
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    start,
    input  wire [HI_W+LO_W-1:0]    pos,
    output wire                    read,
    output wire [HI_W+HALF_W-1:0]  hi_addr,
    output wire [LO_W+HALF_W-1:0]  lo_addr,
    input  wire [31:0]             hi_data, // {sin, cos}, Q1.14
    input  wire [31:0]             lo_data,
    output reg  [HALF*32-1:0]      angles,  // {sin, cos} of each pair
    output wire                    busy
);
    localparam WORD = CLOCKS > 5 ? 2 : CLOCKS > 3 ? 1 : 0, PRODUCT = CLOCKS > 4 ? 1 : 0;
    localparam WORDS = WORD > 0 ? WORD : 1;
    localparam AT_SUM = 1 + WORD + PRODUCT; // registers before the sums

    reg                a;      // a pair's addresses are asked for
    reg [HALF_W-1:0]   a_pair;
    wire [HALF_W-1:0]  pair;
    wire [CLOCKS-1:0]  move;
    wire               comes, way_busy;
    reg signed [32:0]  cos_sum, sin_sum;
    wire signed [15:0] ch, sh, cl, sl;
    wire signed [31:0] cc, ss, sc, cs;
    wire signed [32:0] cos_r, sin_r;
    wire signed [15:0] cos_s, sin_s;

    assign read    = a;
    assign hi_addr = {pos[HI_W+LO_W-1:LO_W], a_pair};
    assign lo_addr = {pos[LO_W-1:0], a_pair};

    pipe #(.STAGES(CLOCKS - 1), .TAG_W(HALF_W)) u_way (
        .clk(clk), .rst(rst), .valid(a), .tag(a_pair), .move(move), .out_valid(comes),
        .out_tag(pair), .busy(way_busy)
    );
    localparam [1:0] AGAIN = 2'b10; // what is registered again takes in every clock (stage.v)
    stage #(.N(WORD), .W(64)) u_word (
        .clk(clk), .en(move[1 +: WORDS] | AGAIN[WORDS-1:0]), .d({hi_data, lo_data}), .q({sh, ch, sl, cl})
    );
    mul_stage #(.N(PRODUCT)) u_cc (.clk(clk), .en(move[AT_SUM-1]), .a(ch), .b(cl), .y(cc));
    mul_stage #(.N(PRODUCT)) u_ss (.clk(clk), .en(move[AT_SUM-1]), .a(sh), .b(sl), .y(ss));
    mul_stage #(.N(PRODUCT)) u_sc (.clk(clk), .en(move[AT_SUM-1]), .a(sh), .b(cl), .y(sc));
    mul_stage #(.N(PRODUCT)) u_cs (.clk(clk), .en(move[AT_SUM-1]), .a(ch), .b(sl), .y(cs));
    round_shift #(.W(33), .S_W(4)) u_cos_round (.x(cos_sum), .s(4'd14), .y(cos_r));
    round_shift #(.W(33), .S_W(4)) u_sin_round (.x(sin_sum), .s(4'd14), .y(sin_r));
    saturate #(.IN_W(33), .OUT_W(16)) u_cos_sat (.x(cos_r), .y(cos_s));
    saturate #(.IN_W(33), .OUT_W(16)) u_sin_sat (.x(sin_r), .y(sin_s));

    always @(posedge clk) begin
        a      <= start || (a && a_pair != {HALF_W{1'b1}});
        a_pair <= a ? a_pair + 1'b1 : {HALF_W{1'b0}};
        if (move[AT_SUM]) begin
            cos_sum <= {cc[31], cc} - {ss[31], ss};
            sin_sum <= {sc[31], sc} + {cs[31], cs};
        end
        if (comes)
            angles[pair*32 +: 32] <= {sin_s, cos_s};
        if (rst)
            a <= 1'b0;
    end

    assign busy = a | way_busy;
endmodule

`default_nettype wire
