// SPDX-License-Identifier: Apache-2.0
// Index of the largest logit, the lowest index on a tie. VEC logits a cycle; `done` comes one cycle and
// the latency of max_tree after the last ones, `best` valid with it. Rows at or beyond `rows` do not
// take part.
`default_nettype none

module argmax #(
    parameter VEC = 8,
    parameter TOKEN_W = 9,
    parameter LEVELS = 1       // levels a register, in max_tree
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               valid,
    input  wire               last,
    input  wire [19:0]        row,
    input  wire [19:0]        rows,
    input  wire [VEC*24-1:0]  y,

    output reg                done,
    output reg  [TOKEN_W-1:0] best,
    output wire               busy
);
    localparam LANE_W = $clog2(VEC);

    // of a word: its largest logit, the lane of it, and what is known of the word
    wire              word_valid, word_last, tree_busy;
    wire [19:0]       word_row;
    wire [23:0]       challenger;
    wire [LANE_W-1:0] lane;
    wire [LANE_W-1:0] rest = rows[LANE_W-1:0]; // of the last word; 0: all
    wire [VEC-1:0]    used = last && rest != {LANE_W{1'b0}} ? ~({VEC{1'b1}} << rest) : {VEC{1'b1}};

    max_tree #(.N(VEC), .W(24), .LEVELS(LEVELS), .TAG_W(21)) u_max_tree (
        .clk(clk), .rst(rst), .valid(valid), .tag({last, row}), .used(used), .x(y),
        .max_valid(word_valid), .max_tag({word_last, word_row}), .max(challenger), .index(lane),
        .busy(tree_busy)
    );

    reg signed [23:0] top;     // largest so far; its row is `best`
    wire [19:0] winner = word_row + {{(20-LANE_W){1'b0}}, lane};

    always @(posedge clk) begin
        if (word_valid && (word_row == 20'd0 || $signed(challenger) > top)) begin
            top  <= challenger;
            best <= winner[TOKEN_W-1:0];
        end
        done <= word_valid && word_last;
        if (rst)
            done <= 1'b0;
    end

    assign busy = valid | tree_busy | done;

    wire unused_bits = &{1'b0, winner, rows};
endmodule

`default_nettype wire
