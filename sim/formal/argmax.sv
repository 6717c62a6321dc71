// SPDX-License-Identifier: Apache-2.0
// What argmax.v promises: a cycle and the latency of max_tree after the last logits, once, the lowest
// index among those of the largest logit, rows beyond the end not counted. The links (l_*) to the inside
// are those of a tree of one register, which LEVELS = 2 makes of four lanes.
// probe f_v1 = dut.word_valid
// probe f_top = dut.top
// probe f_high = dut.challenger
// probe f_lane = dut.lane
// probe f_row1 = dut.word_row
`default_nettype none

module f_argmax #(
    parameter VEC = 4,
    parameter TOKEN_W = 4,
    parameter LEVELS = 1
) (
    input wire clk, rst, valid,
    input wire [VEC*24-1:0] y
);
    localparam LANE_W = $clog2(VEC);
    localparam MOST = 1 << TOKEN_W;
    localparam LATENCY = (LANE_W + LEVELS - 1) / LEVELS; // of the tree
    (* anyconst *) reg [19:0]        rows;
    (* anyconst *) reg [TOKEN_W-1:0] other, claim; // any two rows
    always @*
        assume (rows >= 20'd1 && rows <= MOST && other < rows && claim < rows);

    reg [19:0] row;   // rows come in order from 0
    wire last = row + VEC >= rows;
    wire done, busy;
    wire [TOKEN_W-1:0] best;
    argmax #(.VEC(VEC), .TOKEN_W(TOKEN_W), .LEVELS(LEVELS)) dut (
        .clk(clk), .rst(rst), .valid(valid), .last(last), .row(row), .rows(rows), .y(y),
        .done(done), .best(best), .busy(busy)
    );
    wire f_v1;
    wire signed [23:0] f_top, f_high;
    wire [LANE_W-1:0] f_lane;
    wire [19:0] f_row1;

    // the logits of the two rows, and when an answer is due
    reg f_past = 1'b0;
    reg signed [23:0] mine, yours; // of other, of claim
    reg [LATENCY:0] lasts;
    wire last1 = lasts[0];
    wire last2 = lasts[LATENCY]; // an answer is due
    reg other1, other2, claim1, claim2; // the row is in the word being compared; has been
    reg any2;                           // a word of this vector has been
    wire [19:0] f_winner = f_row1 + f_lane;
    wire other_now = valid && other >= row && other < row + VEC;
    wire claim_now = valid && claim >= row && claim < row + VEC;
    always @(posedge clk) begin
        f_past <= 1'b1;
        lasts  <= {lasts, valid && last};
        if (valid) begin
            row <= last ? 20'd0 : row + VEC;
        end
        {other1, claim1} <= {other_now, claim_now};
        if (f_v1) begin
            other2 <= other1 || other2;
            claim2 <= claim1 || claim2;
            any2   <= 1'b1;
        end
        if (valid && row == 20'd0)
            {other2, claim2, any2} <= 3'd0;
        if (other_now)
            mine <= y[other[LANE_W-1:0]*24 +: 24];
        if (claim_now)
            yours <= y[claim[LANE_W-1:0]*24 +: 24];
        if (rst) begin
            row <= 20'd0;
            {other1, other2, claim1, claim2, any2} <= 5'd0;
            lasts <= 0;
        end
    end
    // rows of this vector that have been compared
    reg [19:0] l_seen;
    always @(posedge clk)
        if (f_v1)
            l_seen <= last1 ? rows : f_row1 + VEC;

    always @* begin
        if (!f_past)
            assume (rst);
        assume (!valid || !rst);
        if (|lasts[LATENCY-1:0]) // the next vector comes later than the answer
            assume (!valid);
    end

    always @(posedge clk) if (f_past && !rst) begin
        on_time:  assert (done == last2);
        in_range: assert (!done || best < rows);
        largest:  assert (!done || best != claim || yours >= mine);
        first:    assert (!done || best != claim || yours > mine || best <= other);
        is_busy:  assert (busy || !(valid || |lasts));
    end
    always @(posedge clk) if (LATENCY == 1 && f_past && !rst) begin
        // what holds between words: `top` is the maximum so far, `best` its first place
        l_row:    assert (row < rows && row[LANE_W-1:0] == 0);
        l_v1:     assert (!f_v1 || f_row1 == (last1 ? (rows - 1) / VEC * VEC : row - VEC));
        l_first:  assert (!f_v1 || last1 || row != 0);
        l_late:   assert (!last1 || f_v1);
        l_word:   assert (!other1 || (f_v1 && other >= f_row1 && other < f_row1 + VEC));
        l_word2:  assert (!claim1 || (f_v1 && claim >= f_row1 && claim < f_row1 + VEC));
        l_wordb:  assert (!f_v1 || other1 == (other >= f_row1 && other < f_row1 + VEC));
        l_word2b: assert (!f_v1 || claim1 == (claim >= f_row1 && claim < f_row1 + VEC));
        l_high:   assert (!f_v1 || !other1 || f_high > mine || (f_high == mine && f_winner <= other));
        l_high2:  assert (!f_v1 || !claim1 || f_winner != claim || f_high == yours);
        l_place:  assert (!f_v1 || (f_winner < rows && f_winner < f_row1 + VEC));
        l_top:    assert (!other2 || f_top > mine || (f_top == mine && best <= other));
        l_top2:   assert (!any2 || best < l_seen);
        l_top3:   assert (!any2 || best != claim || (claim2 && f_top == yours));
        l_seen2:  assert (!any2 || (l_seen <= rows && l_seen != 0));
        l_other2: assert (other2 == (any2 && other < l_seen));
        l_claim2: assert (claim2 == (any2 && claim < l_seen));
        l_next:   assert (!f_v1 || (f_row1 == 0 ? !any2 : any2 && l_seen == f_row1));
        l_next2:  assert (f_v1 || row == 0 || (any2 && l_seen == row));
        l_done:   assert (!last2 || (any2 && l_seen == rows));
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_last:  cover (done && rows == 20'd7 && best == 6);
        c_tie:   cover (done && rows > VEC && mine == yours && other == VEC && best == 1 && claim == 1);
        c_again: cover (done && rows > VEC && $past(done && f_past, 5));
    end
endmodule

`default_nettype wire
