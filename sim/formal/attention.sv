// SPDX-License-Identifier: Apache-2.0
// The control of attention.v: every group of every head is scored once, in order, when its query and
// the keys are there; weighed once, in order, when the values are there, with the scores and the
// maximum of its own head; the sums of a head are kept until they are divided, one division after the other; every output leaves once, in order.
// Scores are any of eight numbers (saturate_few.v); sums and products are not looked at.
// probe a_issue = dut.u_score.issue
// probe b_issue = dut.u_weigh.issue
// probe waiting = dut.waiting
// probe b1_max = dut.waiting_max
// probe f_at = dut.u_scores.followed
// probe sums = dut.u_weigh.acc_comes
// probe sums_end = dut.u_weigh.acc_end
// probe sums_slot = dut.acc_head
// probe r_comes = dut.total_read
// probe r_slot = dut.total_head
// probe c2 = dut.u_divide.dividing
// probe c2_end = dut.u_divide.last
`default_nettype none

module f_attention #(
    parameter HEAD_DIM = 2,
    parameter ATT_POS = 2,
    parameter OUT = 1,
    parameter CTX = 4,
    parameter ROW_W = 2,
    parameter GROUP_W = 1,
    parameter HEAD_W = 3,
    parameter SLOTS_W = 1,
    parameter SCORE = 2
) (
    input wire clk, rst, start, keys_done, values_done,
    input wire [HEAD_W-1:0] heads, group_heads,
    input wire [ROW_W-1:0] row_base,
    input wire [$clog2(CTX)-1:0] pos,
    input wire [19:0] queries_in
);
    localparam STEPS = HEAD_DIM / OUT;
    localparam POS_W = $clog2(CTX);
    localparam BANK_W = $clog2(ATT_POS);
    wire [HEAD_W-1:0] query_head, score_head;
    wire [ROW_W+GROUP_W-1:0] key_addr, value_addr;
    wire out_valid, score_valid, busy, key_read, value_read;
    wire [19:0] out_index;
    wire [GROUP_W:0] score_group;
    wire [ATT_POS*20-1:0] score;
    attention #(
        .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .OUT(OUT), .KV_W(2), .ACT_W(2), .CTX(CTX),
        .ROW_W(ROW_W), .GROUP_W(GROUP_W), .ROW_GROUP_W(GROUP_W), .HEAD_W(HEAD_W), .SLOTS_W(SLOTS_W),
        .SCORE(SCORE)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .heads(heads), .group_heads(group_heads),
        .row_base(row_base), .row_step({{(ROW_W-1){1'b0}}, 1'b1}), .score_shift(6'd0), .att_shift(3'd0), .pos(pos),
        .queries_in(queries_in), .keys_done(keys_done), .values_done(values_done),
        .query_head(query_head), .query({HEAD_DIM*12{1'b0}}), .key_read(key_read),
        .key_addr(key_addr), .key({ATT_POS*HEAD_DIM*2{1'b0}}), .value_read(value_read),
        .value_addr(value_addr), .value({ATT_POS*HEAD_DIM*2{1'b0}}), .out_valid(out_valid),
        .out_index(out_index), .out(), .score_valid(score_valid), .score_head(score_head),
        .score_group(score_group), .score(score), .busy(busy)
    );
    wire a_issue, b_issue, sums, sums_end, r_comes, c2, c2_end;
    wire [2:0] sums_slot, r_slot;
    wire [ATT_POS*20-1:0] waiting;
    wire signed [19:0] b1_max;
    wire [SLOTS_W+GROUP_W-1:0] f_at;

    // --- the specification ------------------------------------------------------------------
    (* anyconst *) reg [HEAD_W-1:0]  f_head;  // any head, group and position of it
    (* anyconst *) reg [GROUP_W-1:0] f_group;
    (* anyconst *) reg [BANK_W-1:0]  f_lane;
    reg f_past = 1'b0;
    reg running;
    reg [HEAD_W-1:0] n, share;
    reg [ROW_W-1:0] base;
    reg [POS_W-1:0] at;
    reg keys_was, values_was;
    reg [19:0] queries_was;
    wire [GROUP_W:0] last = at / ATT_POS;
    // what is next to be scored, to arrive as a score, to be weighed, to leave
    reg [HEAD_W-1:0] a_head, s_head, w_head;
    reg [GROUP_W:0]  a_group, s_group, w_group;
    reg [19:0]       left;           // outputs so far
    reg [3:0]        kept, divided;  // heads whose sums are in the memory, and have left it
    reg w1;
    reg [SCORE:0] asked;            // clocks ago; to the score with the one stage of its tree
    reg [HEAD_W+ROW_W+GROUP_W-1:0] asked_for;
    reg [HEAD_W-1:0] w_head1;
    reg [GROUP_W:0] w_group1;
    reg [ROW_W-1:0] w_row1;
    wire [ROW_W-1:0] a_row = base + (share == 1 ? a_head : share == 2 ? a_head / 2 : 0);
    wire [HEAD_W+ROW_W+GROUP_W-1:0] asks_for = {a_head, a_row, a_group[GROUP_W-1:0]};
    wire [ROW_W-1:0] w_row = base + (share == 1 ? w_head : share == 2 ? w_head / 2 : 0);
    // of the followed head: its score at the followed place, and its maximum
    reg [19:0] held;
    reg signed [19:0] top;
    wire signed [19:0] s0 = score[19:0], s1 = score[39:20];
    wire both = s_group != last || at[BANK_W-1:0] == 1'b1;
    wire signed [19:0] higher = both && s1 > s0 ? s1 : s0;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (a_issue)
            {a_head, a_group} <= a_group == last ? {a_head + 1'b1, {(GROUP_W+1){1'b0}}}
                                                 : {a_head, a_group + 1'b1};
        {asked, asked_for} <= {asked[SCORE-1:0], a_issue, asks_for};
        if (score_valid) begin
            {s_head, s_group} <= s_group == last ? {s_head + 1'b1, {(GROUP_W+1){1'b0}}}
                                                 : {s_head, s_group + 1'b1};
            if (s_head == f_head) begin
                if (s_group == f_group)
                    held <= score[f_lane*20 +: 20];
                top <= s_group == 0 || higher > top ? higher : top;
            end
        end
        if (b_issue)
            {w_head, w_group} <= w_group == last ? {w_head + 1'b1, {(GROUP_W+1){1'b0}}}
                                                 : {w_head, w_group + 1'b1};
        {w1, w_head1, w_group1, w_row1} <= {b_issue, w_head, w_group, w_row};
        if (out_valid)
            left <= left + OUT;
        kept    <= kept + (sums && sums_end);
        divided <= divided + r_comes;
        {keys_was, values_was, queries_was} <= {keys_done, values_done, queries_in};
        if (start) begin
            {running, n, share, base, at} <= {1'b1, heads, group_heads, row_base, pos};
            {a_head, s_head, w_head, a_group, s_group, w_group, left, kept, divided} <= 0;
            {keys_was, values_was, queries_was} <= 0;
        end
        if (rst)
            {running, asked, w1} <= 0;
    end

    // --- assumptions: the sequencer starts it when idle; kv_cache and the queries only gain ---------
    reg started;
    always @(posedge clk)
        started <= start;
    always @* begin
        if (!f_past)
            assume (rst);
        else
            assume (!rst);
        if (rst || (running && busy))
            assume (!start);
        assume (heads >= 1 && heads <= 4 && (group_heads == 1 || group_heads == 2 || group_heads == 4));
        if (running && !start) begin
            assume (pos == at);
            assume (queries_in >= queries_was);
            assume (keys_done || !keys_was);
            assume (values_done || !values_was);
            assume (!values_done || keys_done);
        end
        if (started)
            assume (!keys_done && !values_done && queries_in == 0);
        assume (f_at == {f_head[SLOTS_W-1:0], f_group});
    end

    always @(posedge clk) if (f_past && !rst && running) begin
        // scoring
        a_range: assert (!a_issue || a_head < n);
        a_ready: assert (!a_issue || (keys_done && queries_in >= (a_head + 1) * HEAD_DIM));
        a_where: assert (!(SCORE > 5 ? asked[0] : a_issue)
                         || (key_read && {query_head, key_addr} == (SCORE > 5 ? asked_for : asks_for)));
        a_alone: assert (key_read == (SCORE > 5 ? asked[0] : a_issue));
        scores:  assert (score_valid == asked[SCORE]);
        s_order: assert (!score_valid || (score_head == s_head && score_group == s_group));
        // weighing
        w_range: assert (!b_issue || w_head < n);
        w_ready: assert (!b_issue || (values_done && w_head < s_head));
        w_where: assert (!w1 || (value_read && value_addr == {w_row1, w_group1[GROUP_W-1:0]}));
        w_score: assert (!(w1 && w_head1 == f_head && w_group1 == f_group)
                         || waiting[f_lane*20 +: 20] == held);
        w_max:   assert (!(w1 && w_head1 == f_head) || b1_max == top);
        // a clock that reads is one in which all is there: the KV banks have one port
        a_there: assert (!key_read || keys_done);
        w_there: assert (!value_read || values_done);
        // dividing
        d_kept:  assert (!(sums && sums_end) || (sums_slot == kept[2:0] && kept - divided < 4'd8));
        d_order: assert (!r_comes || (r_slot == divided[2:0] && kept != divided));
        d_whole: assert (!(r_comes && c2 && !c2_end));
        o_order: assert (!out_valid || (out_index == left && left < n * HEAD_DIM));
        // idle means all done; idle it will be
        is_busy: assert (busy || !(key_read || score_valid || value_read || out_valid));
        all_out: assert (busy || started || left == n * HEAD_DIM);
    end
    reg [5:0] waited;
    always @(posedge clk) begin
        waited <= rst || start || !values_done || queries_in < n * HEAD_DIM ? 6'd0
                : waited == 6'd63 ? waited : waited + 6'd1;
        if (f_past && !rst && running) begin
            c_two:  cover (!busy && !started && n == 2 && last == 1 && out_valid == 0);
            c_full: cover (a_issue && a_head == 2 && $past(!a_issue && keys_done && queries_in == 8));
            c_span: cover (b_issue && $past(!b_issue && w_head < s_head && values_done) && last == 0);
        end
    end
endmodule

`default_nettype wire
