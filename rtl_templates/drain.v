// SPDX-License-Identifier: Apache-2.0
// Takes finished accumulators to rows of the model: VEC rows a cycle,
//     y[r] = sat24(rs(acc[r] * (256 + mant[r]), shift - exp[r]))        (hw_requant)
// y is signed; shift is 15 to 62, so that shift - exp is never below 0. Three sources share the path: the
// array (a row block), the embedding, and, past the requantizer, the vector input of a slice. Never more
// than one at a time.
//
// Latency: the first rows leave CLOCKS after `block_done`: 3, or 4 (a register between shift and rounding),
// or 5 (another in the product), or 6 (accumulators and scale words again, so that what is picked of a word is not part
// of its ROM's clock). A scale word is read a clock ahead of its accumulators, so that both are
// registered at once. Nothing here waits: whoever starts a block has left room.
`include "isa.vh"
`default_nettype none

module drain #(
    parameter ROWS = 32,
    parameter VEC = 8,
    parameter ACC_W = 32,
    parameter SCALE_ADDR_W = 10,
    parameter CLOCKS = 3,
    // fields of the instruction
    parameter DEST_W = `HW_MATVEC_DEST_W,
    parameter SHIFT2_W = `HW_MATVEC_HIDDEN_SHIFT_W,
    parameter TAG_W = SHIFT2_W + `HW_MATVEC_SHIFT_W + DEST_W
) (
    input  wire                    clk,
    input  wire                    rst,

    // array
    input  wire                    block_next,       // block_done of the next cycle
    input  wire [SCALE_ADDR_W-1:0] block_scale_next, // with block_next: address of its first scale word
    input  wire [19:0]             block_row_next,   // and its block_row, block_rows
    input  wire [19:0]             block_rows_next,
    input  wire                    block_done,
    input  wire [VEC*ACC_W-1:0]    block_early, // its first rows, with block_done
    input  wire [ROWS*ACC_W-1:0]   block_sum,   // all rows, from a cycle later on
    input  wire [TAG_W-1:0]        block_tag, // {hidden_shift, shift, dest} of the instruction
    input  wire [19:0]             block_row,
    input  wire [19:0]             block_rows,

    // embedding: VEC sums of one token's row, one scale for all
    input  wire                    embed_next,  // embed_valid of the next cycle
    input  wire                    embed_valid,
    input  wire                    embed_last,
    input  wire [VEC*ACC_W-1:0]    embed_sum,
    input  wire [19:0]             embed_row,
    input  wire [`HW_EMBED_SHIFT_W-1:0] embed_shift,
    input  wire [SCALE_ADDR_W-1:0] embed_scale, // with embed_next
    input  wire [$clog2(VEC)-1:0]  embed_lane,

    // vector input
    input  wire                    recv_valid,
    input  wire                    recv_last,
    input  wire [VEC*24-1:0]       recv_data,
    input  wire [19:0]             recv_row,
    input  wire [DEST_W-1:0]       recv_dest,
    input  wire [SHIFT2_W-1:0]     recv_shift2,

    // scale ROM
    output wire                    scale_read,
    output wire [SCALE_ADDR_W-1:0] scale_addr,
    input  wire [VEC*12-1:0]       scale_data,

    // rows
    output reg                     y_valid,
    output reg                     y_residual,  // with y_valid, by y_dest: INIT, ADD. Each unit has its own
    output reg                     y_qkv,       // K, Q, V                      register, because this bit
    output reg                     y_hidden,    // HIDDEN                       enables all of its first ones
    output reg                     y_logits,    // LOGITS
    output reg                     y_act,       // ACT
    output reg                     y_last,      // the last rows of the matrix
    output reg  [DEST_W-1:0]       y_dest,
    output reg  [SHIFT2_W-1:0]     y_shift2,
    output reg  [19:0]             y_row,
    output reg  [VEC*24-1:0]       y,           // signed
    output wire                    add_soon,    // rows to ADD leave in two cycles
    output wire [19:0]             add_row,     // with add_soon: their y_row
    output wire                    busy
);
    localparam [19:0] VEC_20  = VEC;
    localparam [19:0] TWICE   = 2 * VEC;
    localparam BLOCK_W = $clog2(ROWS);
    localparam [31:0] BEFORE_LAST = ROWS > VEC ? ROWS - 2 * VEC : 0; // offset of the last group but one
    localparam P_W = ACC_W + 10;

    // --- stage 0: walk over the block ---------------------------------------------------------
    reg                    walking;
    reg [BLOCK_W-1:0]      offset;              // of this group in the block
    reg [TAG_W-1:0]        tag;
    reg [SCALE_ADDR_W-1:0] scale;               // of the group that follows in the block
    reg [19:0]             row, rows;
    reg                    matrix_ends;         // with this group
    reg                    block_ends;          // with the group at offset

    wire        now       = block_done || walking;
    wire [BLOCK_W-1:0] now_off = block_done ? {BLOCK_W{1'b0}} : offset;
    wire [19:0] now_row   = block_done ? block_row : row;
    wire [19:0] now_rows  = block_done ? block_rows : rows;
    wire [TAG_W-1:0] now_tag = block_done ? block_tag : tag;
    wire [SHIFT2_W-1:0] tag_shift2;
    wire [`HW_MATVEC_SHIFT_W-1:0] tag_shift;
    wire [DEST_W-1:0] tag_dest;
    assign {tag_shift2, tag_shift, tag_dest} = now_tag;
    wire        block_end  = block_done ? ROWS == VEC : block_ends;
    wire        goes_on    = now && !matrix_ends && !block_end;

    wire        take = now || embed_valid;
    assign scale_read = block_next || goes_on || embed_next;
    assign scale_addr = embed_next ? embed_scale : block_next ? block_scale_next : scale;

    always @(posedge clk) begin
        walking <= goes_on;
        offset  <= now_off + VEC_20[BLOCK_W-1:0];
        row     <= now_row + VEC_20;
        matrix_ends <= block_next ? block_row_next + VEC_20 >= block_rows_next : now_row + TWICE >= now_rows;
        block_ends  <= now_off == BEFORE_LAST[BLOCK_W-1:0];
        rows    <= now_rows;
        tag     <= now_tag;
        if (block_next || goes_on)
            scale <= (block_next ? block_scale_next : scale) + 1'b1;
        if (rst)
            walking <= 1'b0;
    end

    // --- accumulators, scale words | times mantissas | shifted, rounded and saturated ---------------
    localparam ROUND = CLOCKS > 3 ? 1 : 0, PARTS = CLOCKS > 4 ? 1 : 0, AGAIN = CLOCKS > 5 ? 1 : 0;
    localparam AT_PRODUCT = AGAIN + 1 + PARTS; // registers before
    localparam LANE_W = $clog2(VEC);
    localparam FACT_W = 1 + SHIFT2_W + DEST_W + 20;
    wire [CLOCKS-1:0] move;
    wire              y_comes, way_busy, last_y, unused_tag;
    wire              y_soon = move[CLOCKS-2];  // y_comes of the next cycle
    wire [DEST_W-1:0] dest_soon, dest_y;
    wire [SHIFT2_W-1:0] more_y;
    wire [19:0]       row_y;
    wire [FACT_W-1:0] facts_soon;
    pipe #(.STAGES(CLOCKS - 1)) u_way (
        .clk(clk), .rst(rst), .valid(take), .tag(1'b0), .move(move), .out_valid(y_comes),
        .out_tag(unused_tag), .busy(way_busy)
    );
    // what belongs to rows, a clock before they leave and then
    stage #(.N(CLOCKS - 2), .W(FACT_W)) u_soon (
        .clk(clk), .en(move[CLOCKS-3:0]), .q(facts_soon),
        .d({embed_valid ? embed_last : matrix_ends, tag_shift2,
            embed_valid ? `HW_DST_INIT : tag_dest, embed_valid ? embed_row : now_row})
    );
    stage #(.N(1), .W(FACT_W)) u_end (
        .clk(clk), .en(y_soon), .d(facts_soon), .q({last_y, more_y, dest_y, row_y})
    );
    assign {dest_soon, add_row} = facts_soon[DEST_W+19:0];
    assign add_soon             = y_soon && dest_soon == `HW_DST_ADD;
    wire [`HW_MATVEC_SHIFT_W-1:0] now_shift;
    stage #(.N(AGAIN), .W(`HW_MATVEC_SHIFT_W)) u_shift (
        .clk(clk), .en(move[0]), .d(embed_valid ? embed_shift : tag_shift), .q(now_shift)
    );
    wire [VEC*24-1:0] rounded;

    // offsets are multiples of VEC: row e of a group is one of ROWS / VEC, not of ROWS. The first group is
    // taken from block_early
    localparam [31:0]  IN_GROUP = VEC - 1;
    wire [BLOCK_W-1:0] pick = now_off & ~IN_GROUP[BLOCK_W-1:0];
    wire [ACC_W-1:0]   sums [0:ROWS-1];
    wire [11:0]        scales [0:VEC-1];

    genvar e;
    generate
        for (e = 0; e < ROWS; e = e + 1) begin : g_sum
            localparam AT = e < VEC && ROWS > VEC ? e + VEC : e;
            assign sums[e] = block_sum[AT*ACC_W +: ACC_W];
        end
        for (e = 0; e < VEC; e = e + 1) begin : g_row
            assign scales[e] = scale_data[e*12 +: 12];
            reg  [ACC_W-1:0]        acc_in;
            wire signed [ACC_W-1:0] acc;
            reg signed [P_W-1:0]   product;
            reg [`HW_MATVEC_SHIFT_W-1:0] shift;
            // what the accumulator is multiplied by: one lane's for all rows of the embedding
            wire [LANE_W-1:0]      at = embed_valid ? embed_lane : e[LANE_W-1:0];
            wire [11:0]            word;
            reg [7:0]              mant;
            reg [5:0]              right1;
            wire [5:0]             right2;
            wire signed [P_W-1:0]  p;
            wire signed [P_W:0]    halves, q;
            wire [BLOCK_W-1:0]     mine = pick | e[BLOCK_W-1:0];

            mul_wide #(.A_W(ACC_W), .B_W(10), .CUT(PARTS)) u_mul (
                .clk(clk), .en(move[AGAIN+1]), .a(acc), .b({2'b01, mant}), .y(p)
            );
            stage #(.N(PARTS), .W(6)) u_right (
                .clk(clk), .en(move[AGAIN+1]), .d(right1), .q(right2)
            );
            stage #(.N(AGAIN), .W(12)) u_word (.clk(clk), .en(move[0]), .d(scales[at]), .q(word));
            stage #(.N(AGAIN), .W(ACC_W)) u_acc (.clk(clk), .en(1'b1), .d(acc_in), .q(acc));
            always @(posedge clk) begin
                if (embed_valid)
                    acc_in <= embed_sum[e*ACC_W +: ACC_W];
                else if (now)
                    acc_in <= block_done ? block_early[e*ACC_W +: ACC_W] : sums[mine];
                if (move[AGAIN] || AGAIN != 0) begin // always, where it is beside acc
                    mant   <= word[7:0];
                    right1 <= now_shift - {2'b00, word[11:8]};
                end
                if (move[AT_PRODUCT]) begin
                    product <= p;
                    shift   <= right2;
                end
            end
            shift_half #(.W(P_W), .S_W(6)) u_down (.x(product), .s(shift), .y(halves));
            stage #(.N(ROUND), .W(P_W + 1)) u_halves (.clk(clk), .en(move[CLOCKS-2]), .d(halves), .q(q));
            round_saturate #(.IN_W(P_W), .OUT_W(24)) u_round (.x(q), .y(rounded[e*24 +: 24]));
        end
    endgenerate

    wire        y_next      = y_comes || recv_valid;
    wire [DEST_W-1:0] y_dest_next = recv_valid ? recv_dest : dest_y;
    wire [19:0] y_row_next  = recv_valid ? recv_row : row_y;
    always @(posedge clk) begin
        y_valid    <= y_next;
        y_residual <= y_next && (y_dest_next == `HW_DST_INIT || y_dest_next == `HW_DST_ADD);
        y_qkv      <= y_next && (y_dest_next == `HW_DST_K || y_dest_next == `HW_DST_Q || y_dest_next == `HW_DST_V);
        y_hidden   <= y_next && y_dest_next == `HW_DST_HIDDEN;
        y_logits   <= y_next && y_dest_next == `HW_DST_LOGITS;
        y_act      <= y_next && y_dest_next == `HW_DST_ACT;
        y_last     <= recv_valid ? recv_last : last_y;
        y_dest     <= y_dest_next;
        y_shift2   <= recv_valid ? recv_shift2 : more_y;
        y_row      <= y_row_next;
        if (recv_valid)
            y <= recv_data;
        else if (y_comes)
            y <= rounded;
        if (rst)
            {y_valid, y_residual, y_qkv, y_hidden, y_logits, y_act} <= 6'd0;
    end

    assign busy = now | way_busy | y_valid;

    wire unused_bits = &{1'b0, unused_tag, facts_soon, block_sum[VEC*ACC_W-1:0]};
endmodule

`default_nettype wire
