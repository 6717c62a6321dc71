// SPDX-License-Identifier: Apache-2.0
// Takes finished accumulators to rows of the model: VEC rows a cycle,
//     y[r] = sat24(rs(acc[r] * (256 + mant[r]), shift - exp[r]))        (hw_requant)
// y is signed; shift is 15 to 62, so that shift - exp is never below 0. Three sources share the path: the
// array (a row block), the embedding, and, past the requantizer, the vector input of a slice. Never more
// than one at a time.
//
// Latency: the first rows leave 3 cycles after `block_done`. Nothing here waits: whoever starts a
// block has left room for it.
`include "isa.vh"
`default_nettype none

module drain #(
    parameter ROWS = 32,
    parameter VEC = 8,
    parameter ACC_W = 32,
    parameter SCALE_ADDR_W = 10
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
    output wire [SCALE_ADDR_W-1:0] scale_addr,
    input  wire [VEC*12-1:0]       scale_data,

    // rows
    output reg                     y_valid,
    output reg                     y_last,      // the last rows of the matrix
    output reg  [4:0]              y_dest,
    output reg  [5:0]              y_shift2,
    output reg  [19:0]             y_row,
    output reg  [VEC*24-1:0]       y,           // signed
    output wire [19:0]             y_row_next,  // y_row of the next cycle
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

    // --- stage 1: accumulators times mantissas; stage 2: shift, round, saturate -----------------
    reg        valid1, valid2, last1, last2, one_scale;
    reg [4:0]  dest1, dest2;
    reg [5:0]  shift1, more1, more2;
    reg [19:0] row1, row2;
    reg [$clog2(VEC)-1:0] lane1;
    wire [VEC*24-1:0] rounded;

    // offsets are multiples of VEC: row e of a group is one of ROWS / VEC, not of ROWS
    localparam BLOCK_W = $clog2(ROWS);
    localparam [31:0]  IN_GROUP = VEC - 1;
    wire [BLOCK_W-1:0] pick = now_off[BLOCK_W-1:0] & ~IN_GROUP[BLOCK_W-1:0];

    genvar e;
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_row
            reg signed [ACC_W-1:0] acc;
            reg signed [P_W-1:0]   product;
            reg [5:0]              shift;
            wire [11:0] word = one_scale ? scale_data[lane1*12 +: 12] : scale_data[e*12 +: 12];
            wire signed [P_W-1:0] p, q;
            wire [BLOCK_W-1:0]    mine = pick | e[BLOCK_W-1:0];

            mul #(.A_W(ACC_W), .B_W(10)) u_mul (.a(acc), .b({2'b01, word[7:0]}), .y(p));
            always @(posedge clk) begin
                if (embed_valid)
                    acc <= embed_sum[e*ACC_W +: ACC_W];
                else if (now)
                    acc <= block_sum[mine*ACC_W +: ACC_W];
                if (valid1) begin
                    product <= p;
                    shift   <= shift1 - {2'b00, word[11:8]};
                end
            end
            round_shift #(.W(P_W), .S_W(6)) u_round (.x(product), .s(shift), .y(q));
            saturate #(.IN_W(P_W), .OUT_W(24)) u_sat (.x(q), .y(rounded[e*24 +: 24]));
        end
    endgenerate

    always @(posedge clk) begin
        valid1    <= now || embed_valid;
        last1     <= embed_valid ? embed_last : matrix_end;
        dest1     <= embed_valid ? `HW_DST_INIT : now_tag[4:0];
        shift1    <= embed_valid ? embed_shift : now_tag[10:5];
        more1     <= now_tag[16:11];
        row1      <= embed_valid ? embed_row : now_row;
        one_scale <= embed_valid;
        lane1     <= embed_lane;

        valid2 <= valid1;
        last2  <= last1;
        dest2  <= dest1;
        more2  <= more1;
        row2   <= row1;

        y_valid  <= valid2 || recv_valid;
        y_last   <= recv_valid ? recv_last : last2;
        y_dest   <= recv_valid ? recv_dest : dest2;
        y_shift2 <= recv_valid ? recv_shift2 : more2;
        y_row    <= y_row_next;
        if (recv_valid)
            y <= recv_data;
        else if (valid2)
            y <= rounded;
        if (rst)
            {valid1, valid2, y_valid} <= 3'b000;
    end

    assign y_row_next = recv_valid ? recv_row : row2;
    assign busy = now | valid1 | valid2 | y_valid;
endmodule

`default_nettype wire
