// SPDX-License-Identifier: Apache-2.0
// Multiply-accumulate array: the twin of msa_array.v, with the same ports, sums and clocks.
//
// Every lane looks up the level of its ROM code and multiplies:
//     acc[r] += sum over c of level[code[r][c]] * act[c]
// It selects 8 bits before the register where msa_array.v selects ACT_W + 8 after it, and needs
// ROWS x COLS multipliers in place of COLS x 2^CODE_W: the smaller array where rows are few.
// Stages: level | product (PICK registers: none, its own, one for its halves too) | tree (add_tree.v) | acc.
// With PICK = 2 what is before the accumulators takes in every clock: enables of thousands of registers are the longest wires
// of an FPGA, and who reads a register reads it a clock after its word came.
`default_nettype none

module mac_array #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter CODE_W = 4,
    parameter ACT_W = 8,
    parameter ACC_W = 32,
    parameter TAG_W = 1,
    parameter PICK = 1,
    parameter LEVELS = 1,      // levels a register, in add_tree
    parameter EARLY = ROWS     // rows whose sums leave with `done`
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        valid,
    input  wire                        first, // of a row block: start from zero
    input  wire                        last,  // of a row block
    input  wire [TAG_W-1:0]            tag,   // of the block, with `last`
    input  wire [COLS*ACT_W-1:0]       act,   // signed
    input  wire [(8<<CODE_W)-1:0]      level, // signed, 8 bits each
    input  wire [ROWS*COLS*CODE_W-1:0] code,  // row major

    output wire                        busy,  // a word is on its way
    output wire                        done_next,     // `done` of the next cycle
    output wire [TAG_W-1:0]            done_tag_next, // with done_next: its tag
    output wire                        done,
    output wire [TAG_W-1:0]            done_tag,
    output wire [EARLY*ACC_W-1:0]      early, // signed, with `done`
    output reg  [ROWS*ACC_W-1:0]       sum    // signed
);
    localparam TREE   = ($clog2(COLS) + LEVELS - 1) / LEVELS;
    localparam STAGES = 1 + PICK + TREE;      // before the accumulators
    localparam P_W    = ACT_W + 8;            // a product

    localparam [0:0] FREE = PICK > 1;
    wire [STAGES:0] move;
    wire [STAGES:0] take = move | {(STAGES+1){FREE}};
    wire            in_pipe, near_first, near_last, end_valid, end_first, end_last, unused_tag;
    pipe #(.STAGES(STAGES)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag(1'b0), .move(move), .out_valid(end_valid),
        .out_tag(unused_tag), .busy(in_pipe)
    );
    // what belongs to a word, a clock before the end and there
    stage #(.N(STAGES - 1), .W(2 + TAG_W)) u_near (
        .clk(clk), .en(move[STAGES-2:0]), .d({first, last, tag}), .q({near_first, near_last, done_tag_next})
    );
    stage #(.N(1), .W(2 + TAG_W)) u_end (
        .clk(clk), .en(move[STAGES-1]), .d({near_first, near_last, done_tag_next}),
        .q({end_first, end_last, done_tag})
    );

    reg [COLS*ACT_W-1:0] act_q;

    genvar c, r;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            wire [COLS*P_W-1:0] operands;
            for (c = 0; c < COLS; c = c + 1) begin : g_pick
                wire [CODE_W-1:0] mine = code[(r*COLS+c)*CODE_W +: CODE_W];
                reg signed [7:0]  weight;
                mul_stage #(.N(PICK), .A_W(ACT_W), .B_W(8)) u_mul (
                    .clk(clk), .en(take[1 +: (PICK > 0 ? PICK : 1)]), .a(act_q[c*ACT_W +: ACT_W]), .b(weight),
                    .y(operands[c*P_W +: P_W])
                );
                always @(posedge clk)
                    if (take[0])
                        weight <= level[mine*8 +: 8];
            end

            wire signed [ACC_W-1:0] partial;
            add_tree #(.N(COLS), .W(P_W), .OUT_W(ACC_W), .LEVELS(LEVELS), .STAGES(TREE)) u_tree (
                .clk(clk), .move(take[1+PICK +: TREE]), .x(operands), .sum(partial)
            );

            reg  signed [ACC_W-1:0] acc;
            function [ACC_W-1:0] total(input from_zero, input [ACC_W-1:0] so_far, more);
                total = (from_zero ? {ACC_W{1'b0}} : so_far) + more;
            endfunction
            if (r < EARLY) begin : g_early
                assign early[r*ACC_W +: ACC_W] = total(end_first, acc, partial);
            end
            always @(posedge clk)
                if (end_valid) begin
                    acc <= total(end_first, acc, partial);
                    if (end_last)
                        sum[r*ACC_W +: ACC_W] <= total(end_first, acc, partial);
                end
        end
    endgenerate

    always @(posedge clk) begin
        if (take[0])
            act_q <= act;
    end

    assign done_next = move[STAGES-1] && near_last;
    assign done      = end_valid && end_last;
    assign busy      = valid | in_pipe;

    wire unused_bits = &{1'b0, take, unused_tag};
endmodule

`default_nettype wire
