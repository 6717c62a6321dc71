// SPDX-License-Identifier: Apache-2.0
// The second stage of attention: e = 2^(s - max) (table, Q1.15), sum += e, acc[d] += e * v[d], of
// ATT_POS positions a clock, head after head. A head is weighed when the values and its maximum are
// there, and ends no sooner than SPACING clocks after the one before: so long is a division.
//
// Registers, those in brackets one by one from the front as WEIGH grows from 3 to 7; 8: e and the values again, before the
// products:
//   read | (score) | (gap) | table | lerp | (curve) | e | (products) | tree of ATT_POS | acc
// lerp has TABLE - 1 of its own.
`default_nettype none

module attention_weigh #(
    parameter HEAD_DIM = 8,
    parameter ATT_POS = 16,
    parameter KV_W = 8,
    parameter ROW_W = 5,
    parameter GROUP_W = 5,     // log2 of groups of ATT_POS positions in a context
    parameter ROW_GROUP_W = 5, // the same of a row of the KV cache
    parameter HEAD_W = 8,
    parameter SLOTS_W = 2,
    parameter SUM_W = 25,      // sum of e, unsigned
    parameter ACC_W = 32,      // sum of e * v
    parameter SPACING = 1,     // 1 to 256
    parameter LEVELS = 1,
    parameter WEIGH = 3,
    parameter TABLE = 1
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire                             start,
    input  wire [HEAD_W-1:0]                heads,      // these three a clock after start
    input  wire [HEAD_W-1:0]                group_heads,
    input  wire [ROW_W-1:0]                 row_step,
    input  wire [ROW_W-1:0]                 row_base,
    input  wire [GROUP_W:0]                 last_group, // stable from start to !busy
    input  wire [ATT_POS-1:0]               last_used,

    input  wire                             values_done,
    input  wire [HEAD_W-1:0]                scored,     // heads whose scores and maximum are there
    output wire [HEAD_W-1:0]                weighed,    // heads whose scores have been read

    output wire                             score_read, // the word and the maximum come a clock later
    output wire [SLOTS_W+GROUP_W-1:0]       score_addr,
    input  wire [ATT_POS*20-1:0]            waiting,
    input  wire signed [19:0]               waiting_max,
    output wire                             value_read,
    output wire [ROW_W+ROW_GROUP_W-1:0]     value_addr,
    input  wire [ATT_POS*HEAD_DIM*KV_W-1:0] value,

    output wire                             acc_valid,  // the sums of a head, and its number
    output wire [2:0]                       acc_head,
    output wire [HEAD_DIM*ACC_W-1:0]        acc,
    output reg                              sum_valid,  // a clock later
    output wire [SUM_W-1:0]                 sum,

    output wire                             busy
);
    localparam LEAVES = ATT_POS > 1 ? ATT_POS : 2; // of the trees; what is not a position is zero
    localparam LERP = TABLE - 1;
    localparam [31:0] APART = SPACING - 1;
    reg  [8:0]        spacing;  // clocks until another head may end
    wire              active, first, last;
    wire [GROUP_W:0]  group;
    wire [ROW_W+ROW_GROUP_W-1:0] addr;
    wire issue = active && values_done && scored != weighed
                 && (!last || spacing == 9'd0);
    head_walk #(.ROW_W(ROW_W), .GROUP_W(GROUP_W), .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W)) u_walk (
        .clk(clk), .rst(rst), .start(start), .heads(heads), .group_heads(group_heads),
        .row_step(row_step), .row_base(row_base), .last_group(last_group), .step(issue),
        .active(active), .head(weighed), .group(group), .first(first), .last(last), .addr(addr)
    );

    localparam WAIT = WEIGH > 3 ? 1 : 0, GAP = WEIGH > 4 ? 1 : 0, CURVE = WEIGH > 5 ? 1 : 0,
               PRODUCTS = WEIGH > 6 ? 1 : 0, AGAIN = WEIGH > 7 ? 1 : 0;
    localparam VALUES = PRODUCTS; // of the cache's word, beside other stages: it takes no clock
    localparam TREE = ($clog2(LEAVES) + LEVELS - 1) / LEVELS;
    localparam AT_GAP = 1 + WAIT, AT_TABLE = AT_GAP + GAP, AT_CURVE = AT_TABLE + 1 + LERP,
               AT_WEIGHT = AT_CURVE + CURVE, AT_E = AT_WEIGHT + 1 + AGAIN, AT_TREE = AT_E + PRODUCTS,
               AT_ACC = AT_TREE + TREE; // registers before

    localparam [0:0] FREE = WEIGH > 7; // products and sums take in every clock, as in mac_array.v
    wire [AT_ACC:0]   move;
    wire [AT_ACC:0]   take = move | {(AT_ACC+1){FREE}};
    wire              acc_comes, acc_end, acc_first, weigh_busy;
    pipe #(.STAGES(AT_ACC), .TAG_W(5)) u_weigh (
        .clk(clk), .rst(rst), .valid(issue),
        .tag({last, first, weighed[2:0]}), .move(move),
        .out_valid(acc_comes), .out_tag({acc_end, acc_first, acc_head}), .busy(weigh_busy)
    );
    wire              use_end;  // the positions whose e is next are the last ones
    wire [ATT_POS-1:0] use_now = use_end ? last_used : {ATT_POS{1'b1}};
    stage #(.N(AT_WEIGHT), .W(1)) u_end (
        .clk(clk), .en(move[AT_WEIGHT-1:0]), .d(last), .q(use_end)
    );
    // values are read so that they meet their e, in a register
    stage #(.N(AT_WEIGHT - 1 - VALUES), .W(ROW_W + ROW_GROUP_W)) u_value_addr (
        .clk(clk), .en(move[AT_WEIGHT-2-VALUES:0]), .d(addr), .q(value_addr)
    );
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] value_read_q;
    assign value_read = move[AT_WEIGHT-1-VALUES];
    stage #(.N(VALUES), .W(ATT_POS * HEAD_DIM * KV_W)) u_value (
        .clk(clk), .en(move[AT_WEIGHT-1]), .d(value), .q(value_read_q)
    );
    assign score_read = issue;
    assign score_addr = {weighed[SLOTS_W-1:0], group[GROUP_W-1:0]};

    wire [ATT_POS*20-1:0] waiting_q;
    wire [ATT_POS*17-1:0] e_in, e, e_q;        // 16 bits, as signed numbers
    reg  [ATT_POS*HEAD_DIM*KV_W-1:0] value_in; // unused positions count as zero: they may hold anything
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] value_q;
    stage #(.N(AGAIN), .W(ATT_POS * (17 + HEAD_DIM * KV_W))) u_operands (
        .clk(clk), .en(1'b1), .d({e_in, value_in}), .q({e, value_q})
    );

    wire signed [19:0] gap_max;
    stage #(.N(WAIT), .W(ATT_POS * 20 + 20)) u_waiting (
        .clk(clk), .en(move[1]), .d({waiting_max, waiting}), .q({gap_max, waiting_q})
    );
    genvar p, d;
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
            stage #(.N(GAP), .W(21)) u_gap (.clk(clk), .en(move[AT_GAP]), .d(gap_in), .q(gap));
            exp2_rom u_exp2_rom (
                .clk(clk), .re(move[AT_TABLE]), .addr(gap[9:4]), .data(entry)
            );
            lerp #(.FRAC_W(4), .CLOCKS(LERP)) u_lerp (
                .clk(clk), .move(move[AT_TABLE+1 +: (LERP > 0 ? LERP : 1)]), .entry(entry),
                .frac(frac), .y(curve_in)
            );
            stage #(.N(CURVE), .W(16)) u_curve (
                .clk(clk), .en(move[AT_CURVE]), .d(curve_in), .q(curve)
            );
            stage #(.N(AT_WEIGHT - AT_TABLE), .W(11)) u_whole (
                .clk(clk), .en(move[AT_WEIGHT-1:AT_TABLE]), .d(gap[20:10]), .q(whole)
            );
            round_shift #(.W(17), .S_W(5)) u_round (.x({1'b0, curve}), .s(whole[4:0]), .y(scaled));
            always @(posedge clk) begin
                if (move[AT_TABLE])
                    frac <= gap[3:0];
                if (move[AT_WEIGHT]) begin
                    weight <= use_now[p] && whole <= 11'd16 ? scaled[15:0] : 16'd0;
                    value_in[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W] <=
                        use_now[p] ? value_read_q[p*HEAD_DIM*KV_W +: HEAD_DIM*KV_W] : {HEAD_DIM*KV_W{1'b0}};
                end
            end
            assign e_in[p*17 +: 17] = {1'b0, weight};

            wire unused_sign = scaled[16];
        end
    endgenerate

    generate
        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_value
            wire [LEAVES*(17+KV_W)-1:0] product;
            wire signed [ACC_W-1:0] part;
            reg  signed [ACC_W-1:0] so_far;
            for (p = 0; p < ATT_POS; p = p + 1) begin : g_product
                mul_stage #(.N(PRODUCTS), .A_W(17), .B_W(KV_W)) u_mul (
                    .clk(clk), .en(take[AT_E]), .a(e[p*17 +: 17]),
                    .b(value_q[(p*HEAD_DIM+d)*KV_W +: KV_W]), .y(product[p*(17+KV_W) +: 17+KV_W])
                );
            end
            for (p = ATT_POS; p < LEAVES; p = p + 1) begin : g_none
                assign product[p*(17+KV_W) +: 17+KV_W] = {(17+KV_W){1'b0}};
            end
            add_tree #(
                .N(LEAVES), .W(17 + KV_W), .OUT_W(ACC_W), .LEVELS(LEVELS), .STAGES(TREE)
            ) u_dot (.clk(clk), .move(take[AT_TREE +: TREE]), .x(product), .sum(part));
            assign acc[d*ACC_W +: ACC_W] = (acc_first ? {ACC_W{1'b0}} : so_far) + part;
            always @(posedge clk)
                if (acc_comes)
                    so_far <= acc[d*ACC_W +: ACC_W];
        end
    endgenerate

    wire [SUM_W-1:0] sum_part;
    reg  [SUM_W-1:0] sum_acc;  // since the head's first group; with sum_valid: of the head
    wire [SUM_W-1:0] sum_next = (acc_first ? {SUM_W{1'b0}} : sum_acc) + sum_part;
    stage #(.N(PRODUCTS), .W(ATT_POS * 17)) u_e (
        .clk(clk), .en(take[AT_E]), .d(e), .q(e_q)
    );
    add_tree #(.N(LEAVES), .W(17), .OUT_W(SUM_W), .LEVELS(LEVELS), .STAGES(TREE)) u_sum (
        .clk(clk), .move(take[AT_TREE +: TREE]), .x({{(LEAVES-ATT_POS)*17{1'b0}}, e_q}), .sum(sum_part)
    );

    always @(posedge clk) begin
        if (spacing != 9'd0)
            spacing <= spacing - 1'b1;
        if (issue && last)
            spacing <= APART[8:0];
        if (acc_comes)
            sum_acc <= sum_next;
        sum_valid <= acc_comes && acc_end;
        if (rst) begin
            sum_valid <= 1'b0;
            spacing   <= 9'd0;
        end
    end

    assign acc_valid = acc_comes && acc_end;
    assign sum       = sum_acc;
    assign busy      = active | weigh_busy | sum_valid;

    wire unused_bits = &{1'b0, take, group[GROUP_W]};
endmodule

`default_nettype wire
