// SPDX-License-Identifier: Apache-2.0
// Attention of one layer for one token, the twin of hw_attention. Heads go one after the other
// through three stages, the first two by ATT_POS positions a clock:
//
//   score    (attention_score.v)   s = q . k, maximum of the head
//   weigh    (attention_weigh.v)   e = 2^(s - max), sum += e, acc[d] += e * v[d]
//   divide   (attention_divide.v)  out[d] = acc[d] / sum
//
// They overlap: between the first two, scores wait in one of SLOTS buffers; before the third, sums in
// one of eight. The exact maximum is subtracted, and integer sums have no order, so the result does not
// depend on ATT_POS. Scores are log2 units with 10 fraction bits.
`default_nettype none

module attention #(
    parameter HEAD_DIM = 8,
    parameter ATT_POS = 16,
    parameter OUT = 8,         // elements of the output a cycle, divides HEAD_DIM
    parameter KV_W = 8,
    parameter ACT_W = 8,
    parameter CTX = 512,
    parameter ROW_W = 5,
    parameter GROUP_W = 5,     // log2(CTX / ATT_POS)
    parameter ROW_GROUP_W = 5, // the same of a row of the KV cache
    parameter HEAD_W = 8,
    parameter SLOTS_W = 2,
    parameter LEVELS = 1,      // levels a register, in add_tree
    parameter ROUNDS = 1,      // the same in max_tree
    parameter SCORE = 2,
    parameter WEIGH = 3,
    parameter RECIP = 2,
    parameter DIVIDE = 2,
    parameter TABLE = 1
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire                             start,
    input  wire [HEAD_W-1:0]                heads,
    input  wire [HEAD_W-1:0]                group_heads, // heads that share a KV head
    input  wire [ROW_W-1:0]                 row_base,
    input  wire [ROW_W-1:0]                 row_step,       // rows of a KV head
    input  wire [5:0]                       score_shift,
    input  wire [2:0]                       att_shift,
    input  wire [$clog2(CTX)-1:0]           pos,         // the last one that is seen, from 0

    input  wire [19:0]                      queries_in,  // elements of q written
    input  wire                             keys_done,
    input  wire                             values_done,

    output wire [HEAD_W-1:0]                query_head,
    input  wire [HEAD_DIM*12-1:0]           query,
    output wire                             key_read,
    output wire [ROW_W+ROW_GROUP_W-1:0]     key_addr,
    input  wire [ATT_POS*HEAD_DIM*KV_W-1:0] key,
    output wire                             value_read,
    output wire [ROW_W+ROW_GROUP_W-1:0]     value_addr,
    input  wire [ATT_POS*HEAD_DIM*KV_W-1:0] value,

    output wire                             out_valid,
    output wire [19:0]                      out_index,
    output wire [OUT*ACT_W-1:0]             out,

    output wire                             score_valid, // for observers
    output wire [HEAD_W-1:0]                score_head,
    output wire [GROUP_W:0]                 score_group,
    output wire [ATT_POS*20-1:0]            score,

    output wire                             busy
);
    localparam POS_W = $clog2(CTX);
    localparam SUM_W = 16 + POS_W;        // CTX times e, 0 to 2^15
    localparam ACC_W = 15 + KV_W + POS_W; // the same times v, signed: -2^(ACC_W - 1) is all that CTX of them reach

    // positions in use: all of a group, and lanes 0 to last_lane of the last one
    wire [GROUP_W:0]   last_group = {1'b0, pos[POS_W-1:$clog2(ATT_POS)]};
    wire [POS_W-1:0]   last_lane  = pos % ATT_POS[POS_W-1:0];
    reg  [ATT_POS-1:0] last_used;
    always @(posedge clk)
        last_used <= ~({ATT_POS{1'b1}} << last_lane << 1);

    // of this layer
    reg  [HEAD_W-1:0]  heads_q, group_heads_q;
    reg  [ROW_W-1:0]   row_step_q;
    always @(posedge clk)
        if (start)
            {heads_q, group_heads_q, row_step_q} <= {heads, group_heads, row_step};

    wire [HEAD_W-1:0]  scored, weighed;
    wire               max_valid;
    wire [SLOTS_W-1:0] max_slot;
    wire signed [19:0] max;

    attention_score #(
        .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .KV_W(KV_W), .ROW_W(ROW_W), .GROUP_W(GROUP_W),
        .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W), .SLOTS_W(SLOTS_W), .LEVELS(LEVELS),
        .ROUNDS(ROUNDS), .SCORE(SCORE)
    ) u_score (
        .clk(clk), .rst(rst), .start(start), .heads(heads_q), .group_heads(group_heads_q),
        .row_base(row_base), .row_step(row_step_q), .score_shift(score_shift), .last_group(last_group),
        .last_used(last_used), .queries_in(queries_in), .keys_done(keys_done), .weighed(weighed),
        .query_head(query_head), .query(query), .key_read(key_read), .key_addr(key_addr), .key(key),
        .score_valid(score_valid), .score_head(score_head), .score_group(score_group), .score(score),
        .max_valid(max_valid), .max_slot(max_slot), .max(max), .scored(scored)
    );

    // --- scores that wait, and the maximum of each head -------------------------------------------
    wire                       score_read;
    wire [SLOTS_W+GROUP_W-1:0] score_addr;
    wire [ATT_POS*20-1:0]      waiting;
    reg  [SLOTS_W-1:0]         waiting_slot;
    reg  signed [19:0]         slot_max [0:(1<<SLOTS_W)-1];
    wire signed [19:0]         waiting_max = slot_max[waiting_slot];

    ram #(
        .LANES(1), .W(ATT_POS * 20), .DEPTH(1 << (SLOTS_W + GROUP_W)), .ADDR_W(SLOTS_W + GROUP_W)
    ) u_scores (
        .clk(clk), .we(score_valid),
        .waddr({score_head[SLOTS_W-1:0], score_group[GROUP_W-1:0]}), .wdata(score),
        .re(score_read), .raddr(score_addr), .rdata(waiting)
    );
    always @(posedge clk) begin
        if (max_valid)
            slot_max[max_slot] <= max;
        if (score_read)
            waiting_slot <= score_addr[GROUP_W +: SLOTS_W];
    end

    wire                      acc_valid, sum_valid, weigh_busy;
    wire [2:0]                acc_head;
    wire [HEAD_DIM*ACC_W-1:0] acc;
    wire [SUM_W-1:0]          sum;

    attention_weigh #(
        .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .KV_W(KV_W), .ROW_W(ROW_W), .GROUP_W(GROUP_W),
        .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W), .SLOTS_W(SLOTS_W), .SUM_W(SUM_W), .ACC_W(ACC_W),
        .SPACING(HEAD_DIM / OUT), .LEVELS(LEVELS), .WEIGH(WEIGH), .TABLE(TABLE)
    ) u_weigh (
        .clk(clk), .rst(rst), .start(start), .heads(heads_q), .group_heads(group_heads_q),
        .row_base(row_base), .row_step(row_step_q), .last_group(last_group), .last_used(last_used),
        .values_done(values_done), .scored(scored), .weighed(weighed), .score_read(score_read),
        .score_addr(score_addr), .waiting(waiting), .waiting_max(waiting_max),
        .value_read(value_read), .value_addr(value_addr), .value(value), .acc_valid(acc_valid),
        .acc_head(acc_head), .acc(acc), .sum_valid(sum_valid), .sum(sum), .busy(weigh_busy)
    );

    // --- sums that wait for their 1 / sum: fewer heads than it has words are on the way ---------------
    wire                      total_read, divide_busy;
    wire [2:0]                total_head;
    wire [HEAD_DIM*ACC_W-1:0] total;

    ram #(.LANES(1), .W(HEAD_DIM * ACC_W), .DEPTH(8), .ADDR_W(3)) u_totals (
        .clk(clk), .we(acc_valid), .waddr(acc_head), .wdata(acc),
        .re(total_read), .raddr(total_head), .rdata(total)
    );

    attention_divide #(
        .HEAD_DIM(HEAD_DIM), .OUT(OUT), .ACT_W(ACT_W), .SUM_W(SUM_W), .ACC_W(ACC_W), .RECIP(RECIP),
        .DIVIDE(DIVIDE), .TABLE(TABLE)
    ) u_divide (
        .clk(clk), .rst(rst), .start(start), .att_shift(att_shift), .sum_valid(sum_valid), .sum(sum),
        .acc_read(total_read), .acc_head(total_head), .acc(total), .out_valid(out_valid),
        .out_index(out_index), .out(out), .busy(divide_busy)
    );

    // weighing a head ends after its scores, so it covers the first stage
    assign busy = weigh_busy | divide_busy;

    wire unused_head = &{1'b0, score_head, score_group};
endmodule

`default_nettype wire
