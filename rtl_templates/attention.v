// SPDX-License-Identifier: Apache-2.0
// Attention of one layer for one token, the twin of hw_attention. Heads go one after the other
// through three stages that overlap; a stage handles ATT_POS positions a cycle:
//
//   score    raw = q . k, s = sat20(rs(64 * raw, score_shift)), maximum of the head
//   weigh    e = 2^(s - max) (table, Q1.15), sum += e, acc[d] += e * v[d]
//   divide   r = 1 / sum (table), out[d] = sat(rs(acc[d] * r, 15 + msb(sum) - att_shift))
//
// score_shift is 0 to 40; att_shift 0 to 7: the output is finer than the values. Scores are log2 units
// with 10 fraction bits. They wait in one of SLOTS buffers between the first two stages. The exact
// maximum is subtracted, and integer sums have no order, so the result does not depend on ATT_POS.
//
// Registers, those in brackets one by one from the front as the parameter grows from its least:
//   score   SCORE 2 to 6    read | (key, query) | (products) | tree of HEAD_DIM | (rounded) | score; 6: (address) before all
//   weigh   WEIGH 3 to 7    read | (score) | (gap) | table | lerp | (curve) | e | (products) | tree of ATT_POS | acc
//   1 / sum RECIP 2 to 4    (half of msb) | (m) | table | lerp | r
//   divide  DIVIDE 2 to 4   (parts of the) product | (rounded) | out
// lerp has TABLE - 1 of its own. A division follows the other: sums wait in a memory of their own.
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
    parameter LEVELS = 1,      // levels a register, in max_tree and add_tree
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

    output reg                              out_valid,
    output reg  [19:0]                      out_index,
    output reg  [OUT*ACT_W-1:0]             out,

    output wire                             score_valid, // for observers
    output wire [HEAD_W-1:0]                score_head,
    output wire [GROUP_W:0]                 score_group,
    output reg  [ATT_POS*20-1:0]            score,

    output wire                             busy
);
    localparam POS_W  = $clog2(CTX);
    localparam LEAVES = ATT_POS > 1 ? ATT_POS : 2; // of the trees; what is not a position is zero and not used
    localparam DIM_W  = $clog2(HEAD_DIM);
    localparam RAW_W  = 12 + KV_W + DIM_W;
    localparam SUM_W  = 17 + POS_W;            // sum of e, unsigned
    localparam ACC_W  = 17 + KV_W + POS_W;     // sum of e * v
    localparam STEPS  = HEAD_DIM / OUT;
    localparam [HEAD_W-1:0] SLOTS = 1 << SLOTS_W;

    // positions in use: all of a group, and lanes 0 to last_lane of the last one
    wire [GROUP_W:0]   last_group = {1'b0, pos[POS_W-1:$clog2(ATT_POS)]};
    wire [POS_W-1:0]   last_lane  = pos % ATT_POS[POS_W-1:0];
    reg  [ATT_POS-1:0] last_used;
    always @(posedge clk)
        last_used <= ~({ATT_POS{1'b1}} << last_lane << 1);
    localparam LERP = TABLE - 1;

    // --- score ---------------------------------------------------------------------------------
    reg [HEAD_W-1:0]  a_head, a_member, scored, weighed; // heads issued, scored, weighed
    reg [GROUP_W:0]   a_group;
    reg [ROW_W-1:0]   a_row;
    reg [5:0]         score_shift_q;
    reg [HEAD_W-1:0]  heads_q, group_q;
    reg [ROW_W-1:0]   step_q;
    reg [19:0]        a_needed;
    reg               a_active;
    wire [HEAD_W-1:0] in_flight = a_head - weighed;
    wire a_issue = a_active && keys_done && queries_in >= a_needed
                 && in_flight < SLOTS;
    wire a_end   = a_group == last_group;
    wire [ROW_W+GROUP_W-1:0] a_wide = {{ROW_W{1'b0}}, a_group[GROUP_W-1:0]}; // {row of the head, group}

    localparam KEYS = SCORE > 2 ? 1 : 0, A_PRODUCTS = SCORE > 3 ? 1 : 0, A_ROUND = SCORE > 4 ? 1 : 0,
               AHEAD = SCORE > 5 ? 1 : 0;
    localparam A_TREE = ($clog2(HEAD_DIM) + LEVELS - 1) / LEVELS;
    localparam AT_DOT = AHEAD + 1 + KEYS, AT_A_TREE = AT_DOT + A_PRODUCTS, AT_RAW = AT_A_TREE + A_TREE,
               AT_SCORE = AT_RAW + A_ROUND; // registers before

    wire [AT_SCORE+1:0] a_move;
    wire                score_end, score_first, score_busy;
    pipe #(.STAGES(AT_SCORE + 1), .TAG_W(2 + GROUP_W + 1 + HEAD_W)) u_score (
        .clk(clk), .rst(rst), .valid(a_issue),
        .tag({a_end, a_group == {(GROUP_W+1){1'b0}}, a_group, a_head}), .move(a_move),
        .out_valid(score_valid), .out_tag({score_end, score_first, score_group, score_head}),
        .busy(score_busy)
    );
    assign key_read = a_move[AHEAD];
    stage #(.N(AHEAD), .W(HEAD_W + ROW_W + ROW_GROUP_W)) u_key_addr (
        .clk(clk), .en(a_issue), .q({query_head, key_addr}),
        .d({a_head, a_row + a_wide[ROW_GROUP_W +: ROW_W], a_group[ROW_GROUP_W-1:0]})
    );

    reg signed [19:0] running;          // maximum of the head so far
    reg signed [19:0] slot_max [0:(1<<SLOTS_W)-1];
    wire [HEAD_DIM*12-1:0] query_q;
    stage #(.N(KEYS), .W(HEAD_DIM * 12)) u_query (
        .clk(clk), .en(a_move[AHEAD+1]), .d(query), .q(query_q)
    );

    genvar p, d;
    generate
        for (p = 0; p < ATT_POS; p = p + 1) begin : g_score
            wire [HEAD_DIM*KV_W-1:0]        key_q;
            wire [HEAD_DIM*(12+KV_W)-1:0]   product;
            wire signed [RAW_W-1:0]  raw;
            wire signed [RAW_W+5:0] rounded, rounded_q;
            wire signed [19:0]      limited;
            stage #(.N(KEYS), .W(HEAD_DIM * KV_W)) u_key (
                .clk(clk), .en(a_move[AHEAD+1]), .d(key[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W]), .q(key_q)
            );
            for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_product
                mul_stage #(.N(A_PRODUCTS), .A_W(12), .B_W(KV_W)) u_mul (
                    .clk(clk), .en(a_move[AT_DOT]), .a(query_q[d*12 +: 12]),
                    .b(key_q[d*KV_W +: KV_W]), .y(product[d*(12+KV_W) +: 12+KV_W])
                );
            end
            add_tree #(
                .N(HEAD_DIM), .W(12 + KV_W), .OUT_W(RAW_W), .LEVELS(LEVELS), .STAGES(A_TREE)
            ) u_dot (.clk(clk), .move(a_move[AT_A_TREE +: A_TREE]), .x(product), .sum(raw));
            round_shift #(.W(RAW_W + 6), .S_W(6)) u_round (
                .x({raw, 6'd0}), .s(score_shift_q), .y(rounded)
            );
            stage #(.N(A_ROUND), .W(RAW_W + 6)) u_rounded (
                .clk(clk), .en(a_move[AT_RAW]), .d(rounded), .q(rounded_q)
            );
            saturate #(.IN_W(RAW_W + 6), .OUT_W(20)) u_sat (.x(rounded_q), .y(limited));
            always @(posedge clk)
                if (a_move[AT_SCORE])
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
    wire              unused_top_busy;  // b_active covers it

    max_tree #(.N(LEAVES), .W(20), .LEVELS(LEVELS), .TAG_W(HEAD_W + 2)) u_max_tree (
        .clk(clk), .rst(rst), .valid(score_valid), .tag({score_end, score_first, score_head}),
        .used({{(LEAVES-ATT_POS){1'b0}}, used}), .x({{(LEAVES-ATT_POS)*20{1'b0}}, score}), .max_valid(top_valid),
        .max_tag({top_end, top_first, top_head}), .max(group_max), .index(unused_lane),
        .busy(unused_top_busy)
    );

    always @(posedge clk) begin
        if (a_issue) begin
            a_group <= a_end ? {(GROUP_W+1){1'b0}} : a_group + 1'b1;
            if (a_end) begin
                a_head   <= a_head + 1'b1;
                a_needed <= a_needed + HEAD_DIM[19:0];
                a_member <= a_member + 1'b1;
                if (a_member == group_q - 1'b1) begin
                    a_member <= {HEAD_W{1'b0}};
                    a_row    <= a_row + step_q;
                end
                if (a_head == heads_q - 1'b1)
                    a_active <= 1'b0;
            end
        end
        if (top_valid) begin
            running <= head_max;
            if (top_end) begin
                slot_max[top_head[SLOTS_W-1:0]] <= head_max;
                scored <= scored + 1'b1;
            end
        end
        if (start) begin
            a_active      <= 1'b1;
            a_head        <= {HEAD_W{1'b0}};
            a_member      <= {HEAD_W{1'b0}};
            a_group       <= {(GROUP_W+1){1'b0}};
            a_row         <= row_base;
            a_needed      <= HEAD_DIM[19:0];
            scored        <= {HEAD_W{1'b0}};
            heads_q       <= heads;
            group_q       <= group_heads;
            step_q        <= row_step;
            score_shift_q <= score_shift;
        end
        if (rst)
            a_active <= 1'b0;
    end

    // --- weigh ---------------------------------------------------------------------------------
    reg               b_active;
    reg [HEAD_W-1:0]  b_head, b_member;
    reg [GROUP_W:0]   b_group;
    reg [ROW_W-1:0]   b_row;
    reg [8:0]         spacing;  // clocks until another head may end: each divides STEPS clocks long
    wire b_end   = b_group == last_group;
    wire [ROW_W+GROUP_W-1:0] b_wide = {{ROW_W{1'b0}}, b_group[GROUP_W-1:0]};
    wire b_issue = b_active && values_done && scored != b_head
                 && (!b_end || spacing == 9'd0);
    localparam [8:0] SPACING = STEPS - 1; // STEPS <= 256

    localparam WAIT = WEIGH > 3 ? 1 : 0, GAP = WEIGH > 4 ? 1 : 0, CURVE = WEIGH > 5 ? 1 : 0,
               B_PRODUCTS = WEIGH > 6 ? 1 : 0;
    localparam B_TREE = ($clog2(LEAVES) + LEVELS - 1) / LEVELS;
    localparam AT_GAP = 1 + WAIT, AT_TABLE = AT_GAP + GAP, AT_CURVE = AT_TABLE + 1 + LERP,
               AT_WEIGHT = AT_CURVE + CURVE, AT_E = AT_WEIGHT + 1, AT_B_TREE = AT_E + B_PRODUCTS,
               AT_ACC = AT_B_TREE + B_TREE; // registers before

    wire [AT_ACC:0]   b_move;
    wire              acc_comes, acc_end, acc_first, weigh_busy;
    wire [2:0]        acc_head;
    reg               b5;       // the sums of a head are there
    pipe #(.STAGES(AT_ACC), .TAG_W(5)) u_weigh (
        .clk(clk), .rst(rst), .valid(b_issue),
        .tag({b_end, b_group == {(GROUP_W+1){1'b0}}, b_head[2:0]}), .move(b_move),
        .out_valid(acc_comes), .out_tag({acc_end, acc_first, acc_head}), .busy(weigh_busy)
    );
    wire              use_end;  // the positions whose e is next are the last ones
    wire [ATT_POS-1:0] use_now = use_end ? last_used : {ATT_POS{1'b1}};
    wire [SLOTS_W-1:0] b1_slot;
    stage #(.N(AT_WEIGHT), .W(1)) u_end (
        .clk(clk), .en(b_move[AT_WEIGHT-1:0]), .d(b_end), .q(use_end)
    );
    stage #(.N(1), .W(SLOTS_W)) u_slot (
        .clk(clk), .en(b_move[0]), .d(b_head[SLOTS_W-1:0]), .q(b1_slot)
    );
    // values are read so that they meet their e, in a register
    stage #(.N(AT_E - 2), .W(ROW_W + ROW_GROUP_W)) u_value_addr (
        .clk(clk), .en(b_move[AT_E-3:0]), .q(value_addr),
        .d({b_row + b_wide[ROW_GROUP_W +: ROW_W], b_group[ROW_GROUP_W-1:0]})
    );
    assign value_read = b_move[AT_E-2];

    wire [ATT_POS*20-1:0] waiting, waiting_q;
    wire [ATT_POS*17-1:0] e, e_q;             // 16 bits, as signed numbers
    reg  [ATT_POS*HEAD_DIM*KV_W-1:0] value_q; // unused positions count as zero: they may hold anything

    ram #(
        .LANES(1), .W(ATT_POS * 20), .DEPTH(1 << (SLOTS_W + GROUP_W)), .ADDR_W(SLOTS_W + GROUP_W)
    ) u_scores (
        .clk(clk), .we(score_valid),
        .waddr({score_head[SLOTS_W-1:0], score_group[GROUP_W-1:0]}), .wdata(score),
        .re(b_issue), .raddr({b_head[SLOTS_W-1:0], b_group[GROUP_W-1:0]}), .rdata(waiting)
    );

    wire signed [19:0] b1_max = slot_max[b1_slot];
    wire signed [19:0] gap_max;
    stage #(.N(WAIT), .W(ATT_POS * 20 + 20)) u_waiting (
        .clk(clk), .en(b_move[1]), .d({b1_max, waiting}), .q({gap_max, waiting_q})
    );
    generate
        for (p = 0; p < ATT_POS; p = p + 1) begin : g_weight
            wire [20:0] gap_in = {gap_max[19], gap_max}
                               - {waiting_q[p*20+19], waiting_q[p*20 +: 20]};
            wire [20:0] gap;
            wire [27:0] entry;
            wire [15:0] curve_in, curve;
            wire [10:0] whole;
            wire signed [16:0] scaled;
            reg [3:0]  frac;
            reg [15:0] weight;
            stage #(.N(GAP), .W(21)) u_gap (.clk(clk), .en(b_move[AT_GAP]), .d(gap_in), .q(gap));
            exp2_rom u_exp2_rom (
                .clk(clk), .re(b_move[AT_TABLE]), .addr(gap[9:4]), .data(entry)
            );
            lerp #(.FRAC_W(4), .CLOCKS(LERP)) u_lerp (
                .clk(clk), .move(b_move[AT_TABLE+1 +: (LERP > 0 ? LERP : 1)]), .entry(entry),
                .frac(frac), .y(curve_in)
            );
            stage #(.N(CURVE), .W(16)) u_curve (
                .clk(clk), .en(b_move[AT_CURVE]), .d(curve_in), .q(curve)
            );
            stage #(.N(AT_WEIGHT - AT_TABLE), .W(11)) u_whole (
                .clk(clk), .en(b_move[AT_WEIGHT-1:AT_TABLE]), .d(gap[20:10]), .q(whole)
            );
            round_shift #(.W(17), .S_W(5)) u_round (.x({1'b0, curve}), .s(whole[4:0]), .y(scaled));
            always @(posedge clk) begin
                if (b_move[AT_TABLE])
                    frac <= gap[3:0];
                if (b_move[AT_WEIGHT]) begin
                    weight <= use_now[p] && whole <= 11'd16 ? scaled[15:0] : 16'd0;
                    value_q[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W] <=
                        use_now[p] ? value[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W] : {HEAD_DIM*KV_W{1'b0}};
                end
            end
            assign e[p*17 +: 17] = {1'b0, weight};

            wire unused_sign = scaled[16];
        end
    endgenerate

    wire [HEAD_DIM*ACC_W-1:0] acc_next;
    generate
        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_value
            wire [LEAVES*(17+KV_W)-1:0] product;
            wire signed [ACC_W-1:0] part;
            reg  signed [ACC_W-1:0] acc;
            for (p = 0; p < ATT_POS; p = p + 1) begin : g_product
                mul_stage #(.N(B_PRODUCTS), .A_W(17), .B_W(KV_W)) u_mul (
                    .clk(clk), .en(b_move[AT_E]), .a(e[p*17 +: 17]),
                    .b(value_q[(p*HEAD_DIM+d)*KV_W +: KV_W]), .y(product[p*(17+KV_W) +: 17+KV_W])
                );
            end
            for (p = ATT_POS; p < LEAVES; p = p + 1) begin : g_none
                assign product[p*(17+KV_W) +: 17+KV_W] = {(17+KV_W){1'b0}};
            end
            add_tree #(
                .N(LEAVES), .W(17 + KV_W), .OUT_W(ACC_W), .LEVELS(LEVELS), .STAGES(B_TREE)
            ) u_dot (.clk(clk), .move(b_move[AT_B_TREE +: B_TREE]), .x(product), .sum(part));
            assign acc_next[d*ACC_W +: ACC_W] = (acc_first ? {ACC_W{1'b0}} : acc) + part;
            always @(posedge clk)
                if (acc_comes)
                    acc <= acc_next[d*ACC_W +: ACC_W];
        end
    endgenerate

    wire [SUM_W-1:0] sum_part;
    reg  [SUM_W-1:0] sum_acc;  // since the head's first group; with b5: of the head
    wire [SUM_W-1:0] sum_next = (acc_first ? {SUM_W{1'b0}} : sum_acc) + sum_part;
    stage #(.N(B_PRODUCTS), .W(ATT_POS * 17)) u_e (
        .clk(clk), .en(b_move[AT_E]), .d(e), .q(e_q)
    );
    add_tree #(.N(LEAVES), .W(17), .OUT_W(SUM_W), .LEVELS(LEVELS), .STAGES(B_TREE)) u_sum (
        .clk(clk), .move(b_move[AT_B_TREE +: B_TREE]), .x({{(LEAVES-ATT_POS)*17{1'b0}}, e_q}), .sum(sum_part)
    );

    always @(posedge clk) begin
        if (spacing != 9'd0)
            spacing <= spacing - 1'b1;
        if (b_issue) begin
            b_group <= b_end ? {(GROUP_W+1){1'b0}} : b_group + 1'b1;
            if (b_end) begin
                spacing  <= SPACING;
                b_head   <= b_head + 1'b1;
                weighed  <= weighed + 1'b1;
                b_member <= b_member + 1'b1;
                if (b_member == group_q - 1'b1) begin
                    b_member <= {HEAD_W{1'b0}};
                    b_row    <= b_row + step_q;
                end
                if (b_head == heads_q - 1'b1)
                    b_active <= 1'b0;
            end
        end
        if (acc_comes)
            sum_acc <= sum_next;
        b5 <= acc_comes && acc_end;
        if (start) begin
            b_active <= 1'b1;
            b_head   <= {HEAD_W{1'b0}};
            b_member <= {HEAD_W{1'b0}};
            b_group  <= {(GROUP_W+1){1'b0}};
            b_row    <= row_base;
            weighed  <= {HEAD_W{1'b0}};
        end
        if (rst) begin
            {b_active, b5} <= 2'd0;
            spacing <= 9'd0;
        end
    end

    // --- 1 / sum, a head at any clock ---------------------------------------------------------------
    localparam HALF = RECIP > 2 ? 1 : 0, MID = RECIP > 3 ? 1 : 0;
    localparam AT_M = HALF, AT_RECIP = AT_M + MID, AT_R = AT_RECIP + 1 + LERP; // registers before
    wire [AT_R:0]     r_move;
    wire              r_comes, recip_busy, unused_r;
    wire [5:0]        top;
    wire [SUM_W-1:0]  sum_m;
    wire [SUM_W+14:0] aligned = {sum_m, 15'd0} >> top;   // m, 15 fraction bits
    wire [14:0]       m;
    wire [27:0]       recip_entry;
    wire [15:0]       recip;
    reg  [8:0]        recip_frac;
    wire [5:0]        top_r;
    reg  [2:0]        att_shift_q;

    pipe #(.STAGES(AT_R)) u_recip (
        .clk(clk), .rst(rst), .valid(b5), .tag(1'b0), .move(r_move), .out_valid(r_comes),
        .out_tag(unused_r), .busy(recip_busy)
    );
    msb #(.W(SUM_W), .I_W(6), .CUT(HALF)) u_msb (
        .clk(clk), .en(r_move[0]), .x(sum_acc), .index(top)
    );
    stage #(.N(HALF), .W(SUM_W)) u_sum_m (.clk(clk), .en(r_move[0]), .d(sum_acc), .q(sum_m));
    stage #(.N(MID), .W(15)) u_m (.clk(clk), .en(r_move[AT_M]), .d(aligned[14:0]), .q(m));
    recip_rom u_recip_rom (
        .clk(clk), .re(r_move[AT_RECIP]), .addr(m[14:9]), .data(recip_entry)
    );
    lerp #(.FRAC_W(9), .CLOCKS(LERP)) u_recip_lerp (
        .clk(clk), .move(r_move[AT_RECIP+1 +: (LERP > 0 ? LERP : 1)]), .entry(recip_entry),
        .frac(recip_frac), .y(recip)
    );
    stage #(.N(AT_R - AT_M), .W(6)) u_top (
        .clk(clk), .en(r_move[AT_R-1:AT_M]), .d(top), .q(top_r)
    );

    // the sums of a head wait here for their r; no more than AT_R + 1 heads are on the way
    wire [HEAD_DIM*ACC_W-1:0] totals;
    reg  [2:0]                r_head;
    ram #(.LANES(1), .W(HEAD_DIM * ACC_W), .DEPTH(8), .ADDR_W(3)) u_totals (
        .clk(clk), .we(acc_comes && acc_end), .waddr(acc_head), .wdata(acc_next),
        .re(r_comes), .raddr(r_head), .rdata(totals)
    );

    // --- divide: STEPS clocks a head -----------------------------------------------------------------
    localparam PARTS = DIVIDE > 2 ? 1 : 0, C_ROUND = DIVIDE > 3 ? 1 : 0;
    localparam STEP_W = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam [19:0] LAST_STEP = STEPS - 1;
    reg               c2;
    reg  [15:0]       r;
    reg  [5:0]        shift_c;                           // of this head
    reg  [STEP_W-1:0] step;
    reg  [19:0]       next_index;
    wire              c2_end = step == LAST_STEP[STEP_W-1:0];
    wire [DIVIDE-1:0] c_move;
    wire              out_comes, divide_busy;
    wire [19:0]       index_out;
    wire [5:0]        shift;
    pipe #(.STAGES(DIVIDE - 1), .TAG_W(20)) u_divide (
        .clk(clk), .rst(rst), .valid(c2), .tag(next_index), .move(c_move), .out_valid(out_comes),
        .out_tag(index_out), .busy(divide_busy)
    );
    stage #(.N(1 + PARTS), .W(6)) u_shift (
        .clk(clk), .en(c_move[PARTS:0]), .d(shift_c), .q(shift)
    );

    wire [ACC_W-1:0] words [0:HEAD_DIM-1];
    generate
        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_word
            assign words[d] = totals[d*ACC_W +: ACC_W];
        end
        for (d = 0; d < OUT; d = d + 1) begin : g_out
            wire [19:0]              at = {{(20-STEP_W){1'b0}}, step} * OUT[19:0] + d[19:0];
            wire signed [ACC_W-1:0]  picked = words[at[DIM_W-1:0]];
            wire signed [ACC_W+16:0] product, rounded, rounded_q;
            reg signed [ACC_W+16:0]  product_q;
            wire signed [ACT_W-1:0]  limited;
            mul_wide #(.A_W(ACC_W), .B_W(17), .CUT(PARTS)) u_mul (
                .clk(clk), .en(c_move[0]), .a(picked), .b({1'b0, r}), .y(product)
            );
            round_shift #(.W(ACC_W + 17), .S_W(6)) u_round (
                .x(product_q), .s(shift), .y(rounded)
            );
            stage #(.N(C_ROUND), .W(ACC_W + 17)) u_rounded (
                .clk(clk), .en(c_move[DIVIDE-2]), .d(rounded), .q(rounded_q)
            );
            saturate #(.IN_W(ACC_W + 17), .OUT_W(ACT_W)) u_sat (.x(rounded_q), .y(limited));
            always @(posedge clk) begin
                if (c_move[PARTS])
                    product_q <= product;
                if (out_comes)
                    out[d*ACT_W +: ACT_W] <= limited;
            end
            wire unused_at = &{1'b0, at};
        end
    endgenerate

    always @(posedge clk) begin
        if (r_move[AT_RECIP])
            recip_frac <= m[8:0];
        if (r_comes) begin
            r       <= recip;
            shift_c <= top_r + 6'd15 - {3'b000, att_shift_q};
            r_head  <= r_head + 1'b1;
        end
        c2 <= r_comes || (c2 && !c2_end);
        if (r_comes)
            step <= {STEP_W{1'b0}};
        else if (c2)
            step <= step + 1'b1;
        if (c2)
            next_index <= next_index + OUT[19:0];
        out_valid <= out_comes;
        if (out_comes)
            out_index <= index_out;
        if (start) begin
            next_index  <= 20'd0;
            att_shift_q <= att_shift;
            r_head      <= 3'd0;
        end
        if (rst)
            {c2, out_valid} <= 2'd0;
    end

    // weighing a head ends after its scores, so b_active covers the first stage
    assign busy = b_active | weigh_busy | b5 | recip_busy | c2 | divide_busy | out_valid;

    wire unused_bits = &{1'b0, aligned[SUM_W+14:15], unused_lane, unused_top_busy, top_head, score_busy,
                         a_move, b_move, r_move, c_move, unused_r, a_wide, b_wide};
endmodule

`default_nettype wire
