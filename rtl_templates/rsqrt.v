// SPDX-License-Identifier: Apache-2.0
// 1 / sqrt of a sum of squares, as hw_rmsnorm takes it:
//     total = m * 4^k, m in [1, 4)       r = 1 / sqrt(m)   (Q1.15, by table, 16384 to 32768)
// `total` is 1 or more; m has 14 fraction bits. An operand a clock. Its r, its k and its tag are there
// SCALAR + TABLE clocks later, and stay until the next ones are.
//
// Registers: total | (half of msb) | k | (m) | table | lerp, TABLE - 1 of them | r. Those in brackets are
// there one by one, from the front, as SCALAR goes from 3 to 5.
`default_nettype none

module rsqrt #(
    parameter W = 55,          // of total, 16 to 64
    parameter TAG_W = 1,
    parameter SCALAR = 3,
    parameter TABLE = 1
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             valid,
    input  wire [W-1:0]     total,
    input  wire [TAG_W-1:0] tag,     // what belongs to it

    output wire             r_soon,  // r is there two clocks later
    output wire             r_comes, // r is there in the next clock
    output reg  [15:0]      r,
    output wire [4:0]       k,
    output wire [TAG_W-1:0] r_tag,
    output wire             busy
);
    localparam HALF = SCALAR > 3 ? 1 : 0, M = SCALAR > 4 ? 1 : 0, LERP = TABLE - 1;
    localparam AT_K = 1 + HALF, AT_TABLE = AT_K + 1 + M, AT_R = AT_TABLE + 1 + LERP;

    wire [AT_R+1:0] move;
    wire            there;
    reg  [W-1:0]    total_q;
    wire [W-1:0]    total_k;         // beside its k
    wire [5:0]      top;
    reg  [4:0]      k_q;
    wire [W+13:0]   shifted = {total_k, 14'd0} >> {k_q, 1'b0};
    wire [15:0]     m;
    reg  [8:0]      frac;
    wire [27:0]     entry;
    wire [15:0]     root;

    pipe #(.STAGES(AT_R + 1), .TAG_W(TAG_W)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .move(move), .out_valid(there),
        .out_tag(r_tag), .busy(busy)
    );
    msb #(.W(W), .I_W(6), .CUT(HALF)) u_msb (
        .clk(clk), .en(move[1]), .x(total_q), .index(top)
    );
    stage #(.N(AT_K), .W(W)) u_total (
        .clk(clk), .en(move[AT_K:1]), .d(total_q), .q(total_k)
    );
    stage #(.N(M), .W(16)) u_m (.clk(clk), .en(move[AT_K+1]), .d(shifted[15:0]), .q(m));
    rsqrt_rom u_rsqrt_rom (.clk(clk), .re(move[AT_TABLE]), .addr(m[15:9]), .data(entry));
    lerp #(.FRAC_W(9), .CLOCKS(LERP)) u_lerp (
        .clk(clk), .move(move[AT_TABLE+1 +: (LERP > 0 ? LERP : 1)]), .entry(entry), .frac(frac),
        .y(root)
    );
    stage #(.N(AT_R - AT_K), .W(5)) u_k (.clk(clk), .en(move[AT_R:AT_K+1]), .d(k_q), .q(k));

    always @(posedge clk) begin
        if (valid)
            total_q <= total;
        if (move[AT_K])
            k_q <= top[5:1];
        if (move[AT_TABLE])
            frac <= m[8:0];
        if (r_comes)
            r <= root;
    end

    assign r_soon  = move[AT_R-1];
    assign r_comes = move[AT_R];

    wire unused_bits = &{1'b0, top[0], shifted[W+13:16], there};
endmodule

`default_nettype wire
