// SPDX-License-Identifier: Apache-2.0
// Takes finished accumulators to rows of the model: VEC rows a cycle,
//     y[r] = sat24(rs(acc[r] * (256 + mant[r]), shift - exp[r]))        (hw_requant)
// y is signed; shift is 15 to 62, so that shift - exp is never below 0. Three sources share the path: the
// array (a row block), the embedding, and, past the requantizer, the vector input of a slice. Never more
// than one at a time.
//
// Latency: the first rows leave CLOCKS after `block_done`: 3, or 4 (a register behind the scale ROM), or 5
// (another between rounding and saturation), or 6 (another in the product). Nothing here waits: whoever starts a block has left room.
`include "isa.vh"
`default_nettype none

module drain #(
    parameter ROWS = 32,
    parameter VEC = 8,
    parameter ACC_W = 32,
    parameter SCALE_ADDR_W = 10,
    parameter CLOCKS = 3
) (
    input  wire                    clk,
    input  wire                    rst,

    // array
    input  wire                    block_done,
    input  wire [ROWS*ACC_W-1:0]   block_sum,
    input  wire [16:0]             block_tag, // {hidden_shift[5:0], shift[5:0], dest[4:0]}
    input  wire [SCALE_ADDR_W-1:0] block_scale,
    input  wire [19:0]             block_row,
    input  wire [19:0]             block_rows,

    // embedding: VEC sums of one token's row, one scale for all
    input  wire                    embed_valid,
    input  wire                    embed_last,
    input  wire [VEC*ACC_W-1:0]    embed_sum,
    input  wire [19:0]             embed_row,
    input  wire [5:0]              embed_shift,
    input  wire [SCALE_ADDR_W-1:0] embed_scale,
    input  wire [$clog2(VEC)-1:0]  embed_lane,

    // vector input
    input  wire                    recv_valid,
    input  wire                    recv_last,
    input  wire [VEC*24-1:0]       recv_data,
    input  wire [19:0]             recv_row,
    input  wire [4:0]              recv_dest,
    input  wire [5:0]              recv_shift2,

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
    output reg  [4:0]              y_dest,
    output reg  [5:0]              y_shift2,
    output reg  [19:0]             y_row,
    output reg  [VEC*24-1:0]       y,           // signed
    output wire                    y_next,      // y_valid of the next cycle
    output wire [4:0]              y_dest_next, // with y_next: its y_dest, y_row
    output wire [19:0]             y_row_next,
    output wire                    busy
);
    localparam [19:0] VEC_20  = VEC;
    localparam [19:0] ROWS_20 = ROWS;
    localparam P_W = ACC_W + 10;

    // --- stage 0: walk over the block ---------------------------------------------------------
    reg                    walking;
    reg [19:0]             offset;              // of this group in the block
    reg [16:0]             tag;
    reg [SCALE_ADDR_W-1:0] scale;
    reg [19:0]             row, rows;

    wire        now       = block_done || walking;
    wire [19:0] now_off   = block_done ? 20'd0 : offset;
    wire [19:0] now_row   = block_done ? block_row : row;
    wire [19:0] now_rows  = block_done ? block_rows : rows;
    wire [16:0] now_tag   = block_done ? block_tag : tag;
    wire [SCALE_ADDR_W-1:0] now_scale = block_done ? block_scale : scale;
    wire        matrix_end = now_row + VEC_20 >= now_rows;
    wire        block_end  = now_off + VEC_20 >= ROWS_20;

    wire        take = now || embed_valid;
    assign scale_read = take;
    assign scale_addr = embed_valid ? embed_scale : now_scale;

    always @(posedge clk) begin
        walking <= now && !matrix_end && !block_end;
        offset  <= now_off + VEC_20;
        row     <= now_row + VEC_20;
        rows    <= now_rows;
        tag     <= now_tag;
        scale   <= now_scale + 1'b1;
        if (rst)
            walking <= 1'b0;
    end

    // --- accumulators, scale words | times mantissas | shifted and rounded, saturated ---------------
    localparam SCALE = CLOCKS > 3 ? 1 : 0, ROUND = CLOCKS > 4 ? 1 : 0,
               PARTS = CLOCKS > 5 ? 1 : 0;
    localparam AT_PARTS = 1 + SCALE, AT_PRODUCT = AT_PARTS + PARTS; // registers before
    localparam LANE_W = $clog2(VEC);
    localparam FACT_W = 1 + 5 + 6 + 20;
    wire [CLOCKS-1:0] move;
    wire              y_comes, way_busy, last_y;
    wire [4:0]        dest_y;
    wire [5:0]        more_y;
    wire [19:0]       row_y;
    pipe #(.STAGES(CLOCKS - 1), .TAG_W(FACT_W)) u_way (
        .clk(clk), .rst(rst), .valid(take),
        .tag({embed_valid ? embed_last : matrix_end, embed_valid ? `HW_DST_INIT : now_tag[4:0],
              now_tag[16:11], embed_valid ? embed_row : now_row}),
        .move(move), .out_valid(y_comes), .out_tag({last_y, dest_y, more_y, row_y}), .busy(way_busy)
    );
    // with the scale word
    reg              one_scale;
    reg [5:0]        shift1;
    reg [LANE_W-1:0] lane1;
    always @(posedge clk)
        if (take) begin
            one_scale <= embed_valid;
            shift1    <= embed_valid ? embed_shift : now_tag[10:5];
            lane1     <= embed_lane;
        end
    wire [VEC*24-1:0] rounded;

    // offsets are multiples of VEC: row e of a group is one of ROWS / VEC, not of ROWS
    localparam BLOCK_W = $clog2(ROWS);
    localparam [31:0]  IN_GROUP = VEC - 1;
    wire [BLOCK_W-1:0] pick = now_off[BLOCK_W-1:0] & ~IN_GROUP[BLOCK_W-1:0];
    wire [ACC_W-1:0]   sums [0:ROWS-1];
    wire [11:0]        scales [0:VEC-1];

    genvar e;
    generate
        for (e = 0; e < ROWS; e = e + 1) begin : g_sum
            assign sums[e] = block_sum[e*ACC_W +: ACC_W];
        end
        for (e = 0; e < VEC; e = e + 1) begin : g_row
            assign scales[e] = scale_data[e*12 +: 12];
            reg signed [ACC_W-1:0] acc;
            reg signed [P_W-1:0]   product;
            reg [5:0]              shift;
            wire [LANE_W-1:0]      at = one_scale ? lane1 : e[LANE_W-1:0];
            wire [11:0]            word = scales[at];
            wire signed [ACC_W-1:0] acc1;
            wire [7:0]             mant1;
            wire [5:0]             right1, right2;
            wire signed [P_W-1:0]  p, q, q1;
            wire [BLOCK_W-1:0]     mine = pick | e[BLOCK_W-1:0];

            stage #(.N(SCALE), .W(ACC_W + 14)) u_scale (
                .clk(clk), .en(move[1]), .d({acc, word[7:0], shift1 - {2'b00, word[11:8]}}),
                .q({acc1, mant1, right1})
            );
            mul_wide #(.A_W(ACC_W), .B_W(10), .CUT(PARTS)) u_mul (
                .clk(clk), .en(move[AT_PARTS]), .a(acc1), .b({2'b01, mant1}), .y(p)
            );
            stage #(.N(PARTS), .W(6)) u_right (
                .clk(clk), .en(move[AT_PARTS]), .d(right1), .q(right2)
            );
            always @(posedge clk) begin
                if (embed_valid)
                    acc <= embed_sum[e*ACC_W +: ACC_W];
                else if (now)
                    acc <= sums[mine];
                if (move[AT_PRODUCT]) begin
                    product <= p;
                    shift   <= right2;
                end
            end
            round_shift #(.W(P_W), .S_W(6)) u_round (.x(product), .s(shift), .y(q));
            stage #(.N(ROUND), .W(P_W)) u_rounded (.clk(clk), .en(move[CLOCKS-2]), .d(q), .q(q1));
            saturate #(.IN_W(P_W), .OUT_W(24)) u_sat (.x(q1), .y(rounded[e*24 +: 24]));
        end
    endgenerate

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

    assign y_next      = y_comes || recv_valid;
    assign y_dest_next = recv_valid ? recv_dest : dest_y;
    assign y_row_next  = recv_valid ? recv_row : row_y;
    assign busy = now | way_busy | y_valid;
endmodule

`default_nettype wire
