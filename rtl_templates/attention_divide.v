// SPDX-License-Identifier: Apache-2.0
// The third stage of attention: r = 1 / sum (table), out[d] = sat(rs(acc[d] * r, 15 + msb(sum) -
// att_shift)), HEAD_DIM / OUT clocks a head. att_shift is 0 to 7: the output is finer than the values.
// Heads come at any clock, but no sooner than their divisions take.
//
// Registers, those in brackets one by one from the front as RECIP and DIVIDE grow from 2 to 4; DIVIDE = 5: (sum)
// before all:
//   1 / sum   (half of msb) | (m) | table | lerp | r
//   divide    (sum) | (parts of the) product | (shifted) | out
// lerp has TABLE - 1 of its own.
`default_nettype none

module attention_divide #(
    parameter HEAD_DIM = 8,
    parameter OUT = 8,         // elements of the output a clock, divides HEAD_DIM
    parameter ACT_W = 8,
    parameter SUM_W = 25,
    parameter ACC_W = 32,
    parameter RECIP = 2,
    parameter DIVIDE = 2,
    parameter TABLE = 1
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      start,
    input  wire [2:0]                att_shift,

    input  wire                      sum_valid,
    input  wire [SUM_W-1:0]          sum,
    output wire                      acc_read,  // the head whose r is there; acc a clock later, and kept
    output reg  [2:0]                acc_head,
    input  wire [HEAD_DIM*ACC_W-1:0] acc,

    output reg                       out_valid,
    output reg  [19:0]               out_index,
    output reg  [OUT*ACT_W-1:0]      out,

    output wire                      busy
);
    localparam DIM_W = $clog2(HEAD_DIM);
    localparam STEPS = HEAD_DIM / OUT;
    localparam LERP  = TABLE - 1;

    // --- 1 / sum ----------------------------------------------------------------------------------
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
        .clk(clk), .rst(rst), .valid(sum_valid), .tag(1'b0), .move(r_move), .out_valid(r_comes),
        .out_tag(unused_r), .busy(recip_busy)
    );
    msb #(.W(SUM_W), .I_W(6), .CUT(HALF)) u_msb (
        .clk(clk), .en(r_move[0]), .x(sum), .index(top)
    );
    stage #(.N(HALF), .W(SUM_W)) u_sum_m (.clk(clk), .en(r_move[0]), .d(sum), .q(sum_m));
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

    // --- divide: STEPS clocks a head -----------------------------------------------------------------
    localparam PARTS = DIVIDE > 2 ? 1 : 0, ROUND = DIVIDE > 3 ? 1 : 0, PICK = DIVIDE > 4 ? 1 : 0;
    localparam STEP_W = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam [19:0] LAST_STEP = STEPS - 1;
    reg               dividing;
    reg  [15:0]       r;
    reg  [5:0]        shift_next;  // of this head
    reg  [STEP_W-1:0] step;
    reg  [19:0]       next_index;
    wire              last = step == LAST_STEP[STEP_W-1:0];
    wire [DIVIDE-1:0] move;
    wire              out_comes, divide_busy;
    wire [19:0]       index_out;
    wire [5:0]        shift;
    pipe #(.STAGES(DIVIDE - 1), .TAG_W(20)) u_divide (
        .clk(clk), .rst(rst), .valid(dividing), .tag(next_index), .move(move), .out_valid(out_comes),
        .out_tag(index_out), .busy(divide_busy)
    );
    stage #(.N(PICK + 1 + PARTS), .W(6)) u_shift (
        .clk(clk), .en(move[PICK+PARTS:0]), .d(shift_next), .q(shift)
    );
    wire [15:0] r_picked; // of the sums that are picked
    stage #(.N(PICK), .W(16)) u_r (.clk(clk), .en(move[0]), .d(r), .q(r_picked));

    wire [ACC_W-1:0] words [0:HEAD_DIM-1];
    genvar d;
    generate
        for (d = 0; d < HEAD_DIM; d = d + 1) begin : g_word
            assign words[d] = acc[d*ACC_W +: ACC_W];
        end
        for (d = 0; d < OUT; d = d + 1) begin : g_out
            wire [19:0]              at = {{(20-STEP_W){1'b0}}, step} * OUT[19:0] + d[19:0];
            wire signed [ACC_W-1:0]  picked;
            wire signed [ACC_W+16:0] product;
            wire signed [ACC_W+17:0] halves, halves_q;
            reg signed [ACC_W+16:0]  product_q;
            wire signed [ACT_W-1:0]  limited;
            stage #(.N(PICK), .W(ACC_W)) u_picked (
                .clk(clk), .en(move[0]), .d(words[at[DIM_W-1:0]]), .q(picked)
            );
            mul_wide #(.A_W(ACC_W), .B_W(17), .CUT(PARTS)) u_mul (
                .clk(clk), .en(move[PICK]), .a(picked), .b({1'b0, r_picked}), .y(product)
            );
            shift_half #(.W(ACC_W + 17), .S_W(6)) u_down (.x(product_q), .s(shift), .y(halves));
            stage #(.N(ROUND), .W(ACC_W + 18)) u_halves (
                .clk(clk), .en(move[DIVIDE-2]), .d(halves), .q(halves_q)
            );
            round_saturate #(.IN_W(ACC_W + 17), .OUT_W(ACT_W)) u_round (.x(halves_q), .y(limited));
            always @(posedge clk) begin
                if (move[PICK+PARTS])
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
            r          <= recip;
            shift_next <= top_r + 6'd15 - {3'b000, att_shift_q};
            acc_head   <= acc_head + 1'b1;
        end
        dividing <= r_comes || (dividing && !last);
        if (r_comes)
            step <= {STEP_W{1'b0}};
        else if (dividing)
            step <= step + 1'b1;
        if (dividing)
            next_index <= next_index + OUT[19:0];
        out_valid <= out_comes;
        if (out_comes)
            out_index <= index_out;
        if (start) begin
            next_index  <= 20'd0;
            att_shift_q <= att_shift;
            acc_head    <= 3'd0;
        end
        if (rst)
            {dividing, out_valid} <= 2'd0;
    end

    assign acc_read = r_comes;
    assign busy     = recip_busy | dividing | divide_busy | out_valid;

    wire unused_bits = &{1'b0, aligned[SUM_W+14:15], r_move, move, unused_r};
endmodule

`default_nettype wire
