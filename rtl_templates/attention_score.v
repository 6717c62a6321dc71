// SPDX-License-Identifier: Apache-2.0
// The first stage of attention: raw = q . k, s = sat20(rs(64 * raw, score_shift)) of ATT_POS positions
// a clock, head after head, and the maximum of each. A head is scored when its query is there and
// fewer than 2^SLOTS_W heads wait to be weighed (SLOTS_W < HEAD_W). score_shift is 0 to 40.
//
// Registers, those in brackets one by one from the front as SCORE grows from 2 to 7:
//   read | (key, query) | (products) | tree of HEAD_DIM | (shifted) | score; 6: (address) before all; 7: (key, query) again
`default_nettype none

module attention_score #(
    parameter HEAD_DIM = 8,
    parameter ATT_POS = 16,
    parameter KV_W = 8,
    parameter ROW_W = 5,
    parameter GROUP_W = 5,     // log2 of groups of ATT_POS positions in a context
    parameter ROW_GROUP_W = 5, // the same of a row of the KV cache
    parameter HEAD_W = 8,
    parameter SLOTS_W = 2,
    parameter LEVELS = 1,
    parameter ROUNDS = 1,
    parameter SCORE = 2
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire                             start,
    input  wire [HEAD_W-1:0]                heads,       // these three a clock after start
    input  wire [HEAD_W-1:0]                group_heads,
    input  wire [ROW_W-1:0]                 row_step,
    input  wire [ROW_W-1:0]                 row_base,
    input  wire [5:0]                       score_shift,
    input  wire [GROUP_W:0]                 last_group,  // stable while scores are on the way
    input  wire [ATT_POS-1:0]               last_used,   // positions of that group

    input  wire [19:0]                      queries_in,
    input  wire                             keys_done,
    input  wire [HEAD_W-1:0]                weighed,     // heads whose slot is free again

    output wire [HEAD_W-1:0]                query_head,
    input  wire [HEAD_DIM*12-1:0]           query,
    output wire                             key_read,
    output wire [ROW_W+ROW_GROUP_W-1:0]     key_addr,
    input  wire [ATT_POS*HEAD_DIM*KV_W-1:0] key,

    output wire                             score_valid,
    output wire [HEAD_W-1:0]                score_head,
    output wire [GROUP_W:0]                 score_group,
    output reg  [ATT_POS*20-1:0]            score,

    output wire                             max_valid,   // of a head, after all of its scores
    output wire [SLOTS_W-1:0]               max_slot,
    output wire signed [19:0]               max,
    output reg  [HEAD_W-1:0]                scored       // heads whose maximum is there
);
    localparam LEAVES = ATT_POS > 1 ? ATT_POS : 2; // of the tree; what is not a position is zero and not used
    localparam DIM_W  = $clog2(HEAD_DIM);
    localparam RAW_W  = 12 + KV_W + DIM_W;

    reg  [5:0]        score_shift_q;
    wire              active, first, last;
    wire [HEAD_W-1:0] head;         // the one that is next, heads before it are issued
    wire [GROUP_W:0]  group;
    wire [ROW_W+ROW_GROUP_W-1:0] addr;
    wire [HEAD_W-1:0] asked = queries_in[DIM_W +: HEAD_W]; // heads whose query is there
    // as many heads wait as there are slots: there are never more
    wire full = head[SLOTS_W:0] == {!weighed[SLOTS_W], weighed[SLOTS_W-1:0]};
    wire issue = active && keys_done && asked != head && !full;
    head_walk #(.ROW_W(ROW_W), .GROUP_W(GROUP_W), .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W)) u_walk (
        .clk(clk), .rst(rst), .start(start), .heads(heads), .group_heads(group_heads),
        .row_step(row_step), .row_base(row_base), .last_group(last_group), .step(issue),
        .active(active), .head(head), .group(group), .first(first), .last(last), .addr(addr)
    );

    localparam KEYS = SCORE > 6 ? 2 : SCORE > 2 ? 1 : 0, PRODUCTS = SCORE > 3 ? 1 : 0, ROUND = SCORE > 4 ? 1 : 0,
               AHEAD = SCORE > 5 ? 1 : 0;
    localparam TAKES = KEYS > 0 ? KEYS : 1;
    localparam TREE = ($clog2(HEAD_DIM) + LEVELS - 1) / LEVELS;
    localparam AT_DOT = AHEAD + 1 + KEYS, AT_TREE = AT_DOT + PRODUCTS, AT_RAW = AT_TREE + TREE,
               AT_SCORE = AT_RAW + ROUND; // registers before

    localparam [0:0] FREE = SCORE > 6; // products and sums take in every clock, as in mac_array.v
    wire [AT_SCORE+1:0] move;
    wire [AT_SCORE+1:0] take = move | {(AT_SCORE+2){FREE}};
    wire                score_end, score_first, score_busy;
    pipe #(.STAGES(AT_SCORE + 1), .TAG_W(2 + GROUP_W + 1 + HEAD_W)) u_score (
        .clk(clk), .rst(rst), .valid(issue),
        .tag({last, first, group, head}), .move(move),
        .out_valid(score_valid), .out_tag({score_end, score_first, score_group, score_head}),
        .busy(score_busy)
    );
    assign key_read = move[AHEAD];
    stage #(.N(AHEAD), .W(HEAD_W + ROW_W + ROW_GROUP_W)) u_key_addr (
        .clk(clk), .en(issue), .d({head, addr}), .q({query_head, key_addr})
    );

    reg signed [19:0] running;          // maximum of the head so far
    localparam [1:0] AGAIN = 2'b10;     // what is registered again takes in every clock (stage.v)
    wire [TAKES-1:0] key_takes = move[AHEAD+1 +: TAKES] | AGAIN[TAKES-1:0];
    wire [HEAD_DIM*12-1:0] query_q;
    stage #(.N(KEYS), .W(HEAD_DIM * 12)) u_query (
        .clk(clk), .en(key_takes), .d(query), .q(query_q)
    );

    genvar p, d;
    generate
        for (p = 0; p < ATT_POS; p = p + 1) begin : g_score
            wire [HEAD_DIM*KV_W-1:0]        key_q;
            wire [HEAD_DIM*(12+KV_W)-1:0]   product;
            wire signed [RAW_W-1:0]  raw;
            wire signed [RAW_W+6:0] halves, halves_q;
            wire signed [19:0]      limited;
            stage #(.N(KEYS), .W(HEAD_DIM * KV_W)) u_key (
                .clk(clk), .en(key_takes), .d(key[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W]), .q(key_q)
            );
            for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_product
                mul_stage #(.N(PRODUCTS), .A_W(12), .B_W(KV_W)) u_mul (
                    .clk(clk), .en(take[AT_DOT]), .a(query_q[d*12 +: 12]),
                    .b(key_q[d*KV_W +: KV_W]), .y(product[d*(12+KV_W) +: 12+KV_W])
                );
            end
            add_tree #(
                .N(HEAD_DIM), .W(12 + KV_W), .OUT_W(RAW_W), .LEVELS(LEVELS), .STAGES(TREE)
            ) u_dot (.clk(clk), .move(take[AT_TREE +: TREE]), .x(product), .sum(raw));
            shift_half #(.W(RAW_W + 6), .S_W(6)) u_down (
                .x({raw, 6'd0}), .s(score_shift_q), .y(halves)
            );
            stage #(.N(ROUND), .W(RAW_W + 7)) u_halves (
                .clk(clk), .en(move[AT_RAW]), .d(halves), .q(halves_q)
            );
            round_saturate #(.IN_W(RAW_W + 6), .OUT_W(20)) u_round (.x(halves_q), .y(limited));
            always @(posedge clk)
                if (move[AT_SCORE])
                    score[p*20 +: 20] <= limited;
        end
    endgenerate

    // maximum of the head, a group after the other
    wire              top_valid, top_end, top_first;
    wire [HEAD_W-1:0] top_head;
    wire [19:0]       group_max;
    wire signed [19:0] head_max = top_first || $signed(group_max) > running
                                ? $signed(group_max) : running;
    wire [$clog2(LEAVES)-1:0] unused_lane;
    wire [ATT_POS-1:0] used = score_end ? last_used : {ATT_POS{1'b1}};
    wire              unused_top_busy;  // the weighing of the head covers it

    max_tree #(.N(LEAVES), .W(20), .LEVELS(ROUNDS), .TAG_W(HEAD_W + 2)) u_max_tree (
        .clk(clk), .rst(rst), .valid(score_valid), .tag({score_end, score_first, score_head}),
        .used({{(LEAVES-ATT_POS){1'b0}}, used}), .x({{(LEAVES-ATT_POS)*20{1'b0}}, score}), .max_valid(top_valid),
        .max_tag({top_end, top_first, top_head}), .max(group_max), .index(unused_lane),
        .busy(unused_top_busy)
    );

    always @(posedge clk) begin
        if (top_valid) begin
            running <= head_max;
            if (top_end)
                scored <= scored + 1'b1;
        end
        if (start) begin
            scored        <= {HEAD_W{1'b0}};
            score_shift_q <= score_shift;
        end
    end

    assign max_valid = top_valid && top_end;
    assign max_slot  = top_head[SLOTS_W-1:0];
    assign max       = head_max;

    wire unused_bits = &{1'b0, unused_lane, unused_top_busy, top_head, score_busy, take, queries_in};
endmodule

`default_nettype wire
