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
    parameter MAX_LEVELS = 1   // levels a register, in max_tree
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

    output reg                              score_valid, // for observers
    output reg  [HEAD_W-1:0]                score_head,
    output reg  [GROUP_W:0]                 score_group,
    output reg  [ATT_POS*20-1:0]            score,

    output wire                             busy
);
    localparam POS_W  = $clog2(CTX);
    localparam BANK_W = $clog2(ATT_POS);
    localparam DIM_W  = $clog2(HEAD_DIM);
    localparam RAW_W  = 12 + KV_W + DIM_W;
    localparam SUM_W  = 17 + POS_W;            // sum of e, unsigned
    localparam ACC_W  = 17 + KV_W + POS_W;     // sum of e * v
    localparam STEPS  = HEAD_DIM / OUT;
    localparam [HEAD_W-1:0] SLOTS = 1 << SLOTS_W;

    // positions in use: all of a group, and lanes 0 to last_lane of the last one
    wire [GROUP_W:0]   last_group = {1'b0, pos[POS_W-1:BANK_W]};
    wire [BANK_W-1:0]  last_lane  = pos[BANK_W-1:0];
    wire [ATT_POS-1:0] last_used  = ~({ATT_POS{1'b1}} << last_lane << 1);

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

    assign query_head = a_head;
    assign key_read   = a_issue;
    assign key_addr   = {a_row + a_wide[ROW_GROUP_W +: ROW_W], a_group[ROW_GROUP_W-1:0]};

    reg               a1, a1_end, a2, a2_end, a2_first, a3_end, a3_first;
    reg               a1_first;
    reg [HEAD_W-1:0]  a1_head, a2_head;
    reg [GROUP_W:0]   a1_group, a2_group;
    reg [ATT_POS-1:0] a2_used, a3_used;
    reg signed [19:0] running;          // maximum of the head so far
    reg signed [19:0] slot_max [0:(1<<SLOTS_W)-1];

    genvar p, d;
    generate
        for (p = 0; p < ATT_POS; p = p + 1) begin : g_score
            function signed [RAW_W-1:0] dot(input [HEAD_DIM*12-1:0] q);
                integer i;
                reg signed [11:0]     qi;
                reg signed [KV_W-1:0] ki;
                reg signed [RAW_W-1:0] product;
                begin
                    dot = {RAW_W{1'b0}};
                    for (i = 0; i < HEAD_DIM; i = i + 1) begin
                        qi  = q[i*12 +: 12];
                        ki  = key[(p*HEAD_DIM+i)*KV_W +: KV_W];
                        product = qi * ki;
                        dot = dot + product;
                    end
                end
            endfunction

            reg signed [RAW_W-1:0]  raw;
            wire signed [RAW_W+5:0] rounded;
            wire signed [19:0]      limited;
            round_shift #(.W(RAW_W + 6), .S_W(6)) u_round (
                .x({raw, 6'd0}), .s(score_shift_q), .y(rounded)
            );
            saturate #(.IN_W(RAW_W + 6), .OUT_W(20)) u_sat (.x(rounded), .y(limited));
            always @(posedge clk) begin
                if (a1)
                    raw <= dot(query);
                if (a2)
                    score[p*20 +: 20] <= limited;
            end
        end
    endgenerate

    // maximum of the head, a group after the other
    wire              top_valid, top_end, top_first;
    wire [HEAD_W-1:0] top_head;
    wire [19:0]       group_max;
    wire signed [19:0] head_max = top_first || $signed(group_max) > running
                                ? $signed(group_max) : running;
    wire [BANK_W-1:0] unused_lane;
    wire              unused_top_busy;  // b_active covers it

    max_tree #(.N(ATT_POS), .W(20), .LEVELS(MAX_LEVELS), .TAG_W(HEAD_W + 2)) u_max_tree (
        .clk(clk), .rst(rst), .valid(score_valid), .tag({a3_end, a3_first, score_head}),
        .used(a3_used), .x(score), .max_valid(top_valid),
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
        a1       <= a_issue;
        a1_end   <= a_end;
        a1_first <= a_group == {(GROUP_W+1){1'b0}};
        a1_group <= a_group;
        a1_head  <= a_head;

        a2       <= a1;
        {a2_end, a2_first, a2_group, a2_head} <= {a1_end, a1_first, a1_group, a1_head};
        if (a1)
            a2_used <= a1_end ? last_used : {ATT_POS{1'b1}};

        score_valid <= a2;
        {a3_end, a3_first, score_group, score_head} <= {a2_end, a2_first, a2_group, a2_head};
        a3_used  <= a2_used;

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
            {a_active, a1, a2, score_valid} <= 4'd0;
    end

    // --- weigh ---------------------------------------------------------------------------------
    reg               b_active;
    reg [HEAD_W-1:0]  b_head, b_member;
    reg [GROUP_W:0]   b_group;
    reg [ROW_W-1:0]   b_row;
    reg [8:0]         spacing;  // cycles until `divide` can take another head
    wire b_end   = b_group == last_group;
    wire [ROW_W+GROUP_W-1:0] b_wide = {{ROW_W{1'b0}}, b_group[GROUP_W-1:0]};
    wire b_issue = b_active && values_done && scored != b_head
                 && (!b_end || spacing == 9'd0);
    localparam [8:0] SPACING = STEPS + 1; // STEPS <= 256

    reg               b1, b1_end, b1_first, b2, b2_end, b2_first, b3, b3_end, b3_first;
    reg               b4, b4_end, b4_first, b5;
    reg [SLOTS_W-1:0] b1_slot;
    reg [ROW_W+ROW_GROUP_W-1:0] b1_addr, b2_addr;
    reg [ATT_POS-1:0] b2_used, b3_used;
    wire [ATT_POS*20-1:0] waiting;
    wire [ATT_POS*16-1:0] e;
    reg  [HEAD_DIM*ACC_W-1:0] totals; // of a head, for `divide`

    ram #(
        .LANES(1), .W(ATT_POS * 20), .DEPTH(1 << (SLOTS_W + GROUP_W)), .ADDR_W(SLOTS_W + GROUP_W)
    ) u_scores (
        .clk(clk), .we(score_valid),
        .waddr({score_head[SLOTS_W-1:0], score_group[GROUP_W-1:0]}), .wdata(score),
        .re(b_issue), .raddr({b_head[SLOTS_W-1:0], b_group[GROUP_W-1:0]}), .rdata(waiting)
    );
    assign value_read = b2;
    assign value_addr = b2_addr;

    wire signed [19:0] b1_max = slot_max[b1_slot];
    generate
        for (p = 0; p < ATT_POS; p = p + 1) begin : g_weight
            wire [20:0] gap = {b1_max[19], b1_max} - {waiting[p*20+19], waiting[p*20 +: 20]};
            wire [27:0] entry;
            wire [15:0] curve;
            wire signed [16:0] scaled;
            reg [3:0]  frac;
            reg [10:0] whole;
            reg [15:0] weight;
            exp2_rom u_exp2_rom (.clk(clk), .addr(gap[9:4]), .data(entry));
            lerp #(.FRAC_W(4)) u_lerp (.entry(entry), .frac(frac), .y(curve));
            round_shift #(.W(17), .S_W(5)) u_round (.x({1'b0, curve}), .s(whole[4:0]), .y(scaled));
            always @(posedge clk) begin
                if (b1) begin
                    frac  <= gap[3:0];
                    whole <= gap[20:10];
                end
                if (b2)
                    weight <= b2_used[p] && whole <= 11'd16 ? scaled[15:0] : 16'd0;
            end
            assign e[p*16 +: 16] = weight;

            wire unused_sign = scaled[16];
        end

        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_value
            // sum over the positions of e * v[d]; unused positions may hold anything
            function signed [ACC_W-1:0] dot(input [ATT_POS*16-1:0] weights);
                integer i;
                reg signed [16:0]      ei;
                reg signed [KV_W-1:0]  vi;
                reg signed [ACC_W-1:0] product;
                begin
                    dot = {ACC_W{1'b0}};
                    for (i = 0; i < ATT_POS; i = i + 1) begin
                        ei  = {1'b0, weights[i*16 +: 16]};
                        vi  = b3_used[i] ? value[(i*HEAD_DIM+d)*KV_W +: KV_W] : {KV_W{1'b0}};
                        product = ei * vi;
                        dot = dot + product;
                    end
                end
            endfunction

            reg signed [ACC_W-1:0] part, acc;
            wire signed [ACC_W-1:0] next = (b4_first ? {ACC_W{1'b0}} : acc) + part;
            always @(posedge clk) begin
                if (b3)
                    part <= dot(e);
                if (b4)
                    acc <= next;
                if (b4 && b4_end)
                    totals[d*ACC_W +: ACC_W] <= next;
            end
        end
    endgenerate

    function [SUM_W-1:0] add_all(input [ATT_POS*16-1:0] weights);
        integer i;
        begin
            add_all = {SUM_W{1'b0}};
            for (i = 0; i < ATT_POS; i = i + 1)
                add_all = add_all + {{(SUM_W-16){1'b0}}, weights[i*16 +: 16]};
        end
    endfunction

    reg [SUM_W-1:0] sum_part, sum_acc, sum;
    wire [SUM_W-1:0] sum_next = (b4_first ? {SUM_W{1'b0}} : sum_acc) + sum_part;

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
        b1       <= b_issue;
        b1_end   <= b_end;
        b1_first <= b_group == {(GROUP_W+1){1'b0}};
        b1_slot  <= b_head[SLOTS_W-1:0];
        b1_addr  <= {b_row + b_wide[ROW_GROUP_W +: ROW_W], b_group[ROW_GROUP_W-1:0]};

        b2       <= b1;
        {b2_end, b2_first, b2_addr} <= {b1_end, b1_first, b1_addr};
        if (b1)
            b2_used <= b1_end ? last_used : {ATT_POS{1'b1}};

        b3       <= b2;
        {b3_end, b3_first, b3_used} <= {b2_end, b2_first, b2_used};

        b4       <= b3;
        {b4_end, b4_first} <= {b3_end, b3_first};
        if (b3)
            sum_part <= add_all(e);

        if (b4)
            sum_acc <= sum_next;
        if (b4 && b4_end)
            sum <= sum_next;
        b5 <= b4 && b4_end;
        if (start) begin
            b_active <= 1'b1;
            b_head   <= {HEAD_W{1'b0}};
            b_member <= {HEAD_W{1'b0}};
            b_group  <= {(GROUP_W+1){1'b0}};
            b_row    <= row_base;
            weighed  <= {HEAD_W{1'b0}};
        end
        if (rst) begin
            {b_active, b1, b2, b3, b4, b5} <= 6'd0;
            spacing <= 9'd0;
        end
    end

    // --- divide: b5 table | c1 r | c2 multiply, STEPS times | c3 round | out ----------------------
    wire [5:0]        top;
    wire [SUM_W+14:0] aligned = {sum, 15'd0} >> top;     // m, 15 fraction bits
    wire [27:0]       recip_entry;
    wire [15:0]       recip;
    reg  [8:0]        recip_frac;
    reg  [5:0]        shift;                             // stays for SPACING cycles
    reg               c1, c2, c3;
    reg  [15:0]       r;
    reg  [2:0]        att_shift_q;
    reg  [19:0]       step, c3_index, next_index;
    wire              c2_end = step == STEPS[19:0] - 20'd1;

    msb #(.W(SUM_W), .I_W(6)) u_msb (.x(sum), .index(top));
    recip_rom u_recip_rom (.clk(clk), .addr(aligned[14:9]), .data(recip_entry));
    lerp #(.FRAC_W(9)) u_recip_lerp (.entry(recip_entry), .frac(recip_frac), .y(recip));

    generate
        for (d = 0; d < OUT; d = d + 1) begin : g_out
            wire signed [ACC_W-1:0] picked = totals[(step*OUT+d)*ACC_W +: ACC_W];
            wire signed [ACC_W+16:0] product, rounded;
            reg signed [ACC_W+16:0]  product_q;
            wire signed [ACT_W-1:0]  limited;
            mul #(.A_W(ACC_W), .B_W(17)) u_mul (.a(picked), .b({1'b0, r}), .y(product));
            round_shift #(.W(ACC_W + 17), .S_W(6)) u_round (
                .x(product_q), .s(shift), .y(rounded)
            );
            saturate #(.IN_W(ACC_W + 17), .OUT_W(ACT_W)) u_sat (.x(rounded), .y(limited));
            always @(posedge clk) begin
                if (c2)
                    product_q <= product;
                if (c3)
                    out[d*ACT_W +: ACT_W] <= limited;
            end
        end
    endgenerate

    always @(posedge clk) begin
        recip_frac <= aligned[8:0];
        c1         <= b5;
        if (b5)
            shift <= top + 6'd15 - {3'b000, att_shift_q};
        if (c1)
            r <= recip;
        c2 <= c1 || (c2 && !c2_end);
        if (c1)
            step <= 20'd0;
        else if (c2)
            step <= step + 20'd1;
        c3       <= c2;
        c3_index <= next_index;
        if (c2)
            next_index <= next_index + OUT[19:0];
        out_valid <= c3;
        out_index <= c3_index;
        if (start) begin
            next_index  <= 20'd0;
            att_shift_q <= att_shift;
        end
        if (rst)
            {c1, c2, c3, out_valid} <= 4'd0;
    end

    // weighing a head ends after its scores, so b_active covers the first stage
    assign busy = b_active | b1 | b2 | b3 | b4 | b5 | c1 | c2 | c3 | out_valid;

    wire unused_bits = &{1'b0, aligned[SUM_W+14:15], unused_lane, unused_top_busy, top_head,
                         a_wide, b_wide};
endmodule

`default_nettype wire
