// SPDX-License-Identifier: Apache-2.0
// Multiply-select-add array: ROWS x COLS weights a cycle.
//
// For each of COLS activations the 2^CODE_W products with the plane's levels are formed once; each
// of ROWS lanes selects one product a column with its ROM code and adds:
//     acc[r] += sum over c of level[code[r][c]] * act[c]
// The levels are free integers, so a codebook per plane costs nothing. mac_array.v is the same array
// of lanes that multiply; the geometry says which of the two a fabric has.
//
// Stages: product (PICK = 2: its halves before) | pick (PICK = 0: no register) | tree (add_tree.v) | acc.
// `done` follows the word marked `last` by 1 + PICK + the tree's stages; one word a cycle. With it come the
// block's `tag` and, on their way to the accumulators, the sums of its first EARLY rows. A cycle later `sum`
// has those of all rows, and keeps them until the one after the next `done`: the next row block
// accumulates while it is drained.
`default_nettype none

module msa_array #(
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
    localparam N_LEVELS = 1 << CODE_W;
    localparam PRODUCT  = PICK > 1 ? 2 : 1;   // registers of it
    localparam TREE   = ($clog2(COLS) + LEVELS - 1) / LEVELS;
    localparam STAGES = 1 + PICK + TREE;      // before the accumulators
    localparam P_W    = ACT_W + 8;            // a product
    localparam TREE_W = P_W + $clog2(COLS);   // the sum of a word, at most ACC_W

    wire [STAGES:0] move;
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

    wire [ROWS*COLS*CODE_W-1:0] code_q;       // beside the products
    wire [P_W-1:0] product [0:COLS*N_LEVELS-1];

    genvar c, k, r;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : g_col
            for (k = 0; k < N_LEVELS; k = k + 1) begin : g_level
                mul_stage #(.N(PRODUCT), .A_W(ACT_W), .B_W(8)) u_mul (
                    .clk(clk), .en(move[PRODUCT-1:0]), .a(act[c*ACT_W +: ACT_W]), .b(level[k*8 +: 8]),
                    .y(product[c*N_LEVELS+k])
                );
            end
        end

        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            wire [COLS*P_W-1:0] operands;
            for (c = 0; c < COLS; c = c + 1) begin : g_pick
                localparam [$clog2(COLS)-1:0] COLUMN = c;
                wire [CODE_W-1:0] mine = code_q[(r*COLS+c)*CODE_W +: CODE_W];
                if (PICK != 0) begin : g_register
                    reg [P_W-1:0] picked;
                    always @(posedge clk)
                        if (move[PRODUCT])
                            picked <= product[{COLUMN, mine}];
                    assign operands[c*P_W +: P_W] = picked;
                end else begin : g_wire
                    assign operands[c*P_W +: P_W] = product[{COLUMN, mine}];
                end
            end

            wire [TREE_W-1:0] partial;
            add_tree #(.N(COLS), .W(P_W), .OUT_W(TREE_W), .LEVELS(LEVELS), .STAGES(TREE)) u_tree (
                .clk(clk), .move(move[1+PICK +: TREE]), .x(operands), .sum(partial)
            );

            reg  signed [ACC_W-1:0] acc;
            function [ACC_W-1:0] total(input from_zero, input [ACC_W-1:0] so_far, input [TREE_W-1:0] more);
                total = (from_zero ? {ACC_W{1'b0}} : so_far) + {{(ACC_W-TREE_W){more[TREE_W-1]}}, more};
            endfunction
            if (r < EARLY) begin : g_early
                assign early[r*ACC_W +: ACC_W] = total(end_first, acc, partial);
            end
            always @(posedge clk)
                if (end_valid) begin
                    if (end_last)
                        sum[r*ACC_W +: ACC_W] <= total(end_first, acc, partial);
                    acc <= total(end_first, acc, partial);
                end
        end
    endgenerate

    stage #(.N(PRODUCT), .W(ROWS * COLS * CODE_W)) u_code (
        .clk(clk), .en(move[PRODUCT-1:0]), .d(code), .q(code_q)
    );

    assign done_next = move[STAGES-1] && near_last;
    assign done      = end_valid && end_last;
    assign busy      = valid | in_pipe;

    wire unused_bits = &{1'b0, move, unused_tag};
endmodule

`default_nettype wire
