// SPDX-License-Identifier: Apache-2.0
// What drain.v promises: every group of VEC rows of a block, the embedding or a vector leaves once,
// in order, at its time, with its own row number, scale word and destination.
// Arithmetic is replaced by stand-ins that lose nothing: mul_joined.v joins its operands, and
// round_marked.v marks x with s. So a row that reads a wrong accumulator, mantissa or shift shows,
// and no multiplier stands in the way. What the leaves compute is leaf.sv's matter.
// probe f_full = dut.u_way.g_pipe.full
// probe f_walking = dut.walking
// probe f_offset = dut.offset
// probe f_row = dut.row
// probe f_rows = dut.rows
// probe f_tag = dut.tag
// probe f_scale = dut.scale
// probe f_one = dut.one_scale
`default_nettype none

module f_drain #(
    parameter ROWS = 4,
    parameter VEC = 2,
    parameter ACC_W = 16,
    parameter SCALE_ADDR_W = 3
) (
    input wire clk, rst,
    input wire block_done,
    input wire [ROWS*ACC_W-1:0] block_sum,
    input wire [16:0] block_tag,
    input wire [SCALE_ADDR_W-1:0] block_scale, embed_scale,
    input wire [19:0] block_row, block_rows, embed_row, recv_row,
    input wire embed_valid, embed_last, recv_valid, recv_last,
    input wire [VEC*ACC_W-1:0] embed_sum,
    input wire [5:0] embed_shift, recv_shift2,
    input wire [$clog2(VEC)-1:0] embed_lane,
    input wire [VEC*24-1:0] recv_data,
    input wire [4:0] recv_dest,
    input wire [VEC*12-1:0] scale_data
);
    localparam P_W = ACC_W + 10;
    localparam LANE_W = $clog2(VEC);
    wire y_valid, y_residual, y_qkv, y_hidden, y_logits, y_act, y_last, y_next, scale_read, busy;
    wire [4:0] y_dest, y_dest_next;
    wire [5:0] y_shift2;
    wire [19:0] y_row, y_row_next;
    wire [VEC*24-1:0] y;
    wire [SCALE_ADDR_W-1:0] scale_addr;
    wire [1:0] f_full;
    wire f_walking, f_one;
    wire [19:0] f_offset, f_row, f_rows;
    wire [16:0] f_tag;
    wire [SCALE_ADDR_W-1:0] f_scale;

    drain #(.ROWS(ROWS), .VEC(VEC), .ACC_W(ACC_W), .SCALE_ADDR_W(SCALE_ADDR_W)) dut (
        .clk(clk), .rst(rst), .block_done(block_done), .block_sum(block_sum),
        .block_tag(block_tag), .block_scale(block_scale), .block_row(block_row),
        .block_rows(block_rows), .embed_valid(embed_valid), .embed_last(embed_last),
        .embed_sum(embed_sum), .embed_row(embed_row), .embed_shift(embed_shift),
        .embed_scale(embed_scale), .embed_lane(embed_lane), .recv_valid(recv_valid),
        .recv_last(recv_last), .recv_data(recv_data), .recv_row(recv_row),
        .recv_dest(recv_dest), .recv_shift2(recv_shift2),
        .scale_read(scale_read), .scale_addr(scale_addr), .scale_data(scale_data), .y_valid(y_valid), .y_residual(y_residual), .y_qkv(y_qkv), .y_hidden(y_hidden),
        .y_logits(y_logits), .y_act(y_act), .y_last(y_last), .y_dest(y_dest),
        .y_shift2(y_shift2), .y_row(y_row), .y(y), .y_next(y_next),
        .y_dest_next(y_dest_next), .y_row_next(y_row_next), .busy(busy)
    );

    // --- the specification: which group leaves now, from the block as it came -----------------
    (* anyconst *) reg [LANE_W-1:0] lane; // any element of a group
    reg f_past = 1'b0;
    reg [ROWS*ACC_W-1:0] sum0;
    reg [16:0] tag0;
    reg [SCALE_ADDR_W-1:0] scale0;
    reg [19:0] row0, rows0, group0;  // group0: groups given so far
    reg walking;
    wire [19:0] group = block_done ? 20'd0 : group0;
    wire [19:0] first = (block_done ? block_row : row0) + group * VEC;
    wire [19:0] rows  = block_done ? block_rows : rows0;
    wire        out0  = block_done || walking;
    wire        more  = group + 1 < ROWS / VEC && first + VEC < rows;
    // one group on its way: at the accumulators, times its mantissa, shifted
    reg out1, out2, out3, last1, last2, last3, array1, array2, array3;
    reg [4:0] dest1, dest2, dest3;
    reg [5:0] more1, more2, more3, shift1, shift2;
    reg [19:0] row1, row2, row3;
    reg one1;
    reg [LANE_W-1:0] lane1;
    reg signed [ACC_W-1:0] acc1;
    reg signed [P_W-1:0] p2;
    reg [23:0] y3;
    wire [16:0] tag = block_done ? block_tag : tag0;
    wire [SCALE_ADDR_W-1:0] scale = block_done ? block_scale : scale0;
    wire [11:0] word = scale_data[(one1 ? lane1 : lane)*12 +: 12];
    wire signed [P_W-1:0] rounded = p2 ^ {{(P_W-6){1'b0}}, shift2};
    wire [19:0] element = group * VEC + lane;
    wire [SCALE_ADDR_W-1:0] scale_old = scale0 + group0;
    wire [SCALE_ADDR_W-1:0] scale_now = scale + group;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (block_done)
            {sum0, tag0, scale0, row0, rows0} <= {block_sum, block_tag, block_scale, block_row,
                                                  block_rows};
        walking <= out0 && more;
        group0  <= group + 20'd1;

        out1   <= out0 || embed_valid;
        array1 <= out0;
        acc1   <= embed_valid ? embed_sum[lane*ACC_W +: ACC_W]
                              : block_sum[element*ACC_W +: ACC_W];
        {one1, lane1} <= {embed_valid, embed_lane};
        {last1, dest1, more1, shift1, row1} <= embed_valid
            ? {embed_last, 5'd0, 6'd0, embed_shift, embed_row}
            : {!(first + VEC < rows), tag[4:0], tag[16:11], tag[10:5], first};
        p2 <= {acc1, 2'b01, word[7:0]};
        {out2, array2, last2, dest2, more2, row2} <= {out1, array1, last1, dest1, more1, row1};
        shift2 <= shift1 - word[11:8];

        {out3, array3} <= {out2 || recv_valid, out2 && array2};
        {last3, dest3, more3, row3} <= recv_valid ? {recv_last, recv_dest, recv_shift2, recv_row}
                                                  : {last2, dest2, more2, row2};
        y3 <= recv_valid ? recv_data[lane*24 +: 24]
            : rounded > 8388607 ? 24'h7fffff : rounded < -8388608 ? 24'h800000 : rounded[23:0];
        if (rst)
            {walking, out1, out2, out3} <= 4'd0;
    end

    // --- assumptions: the sequencer's order, matvec's room, the array's patience ----------------
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!block_done && !embed_valid && !recv_valid);
        assume (!(block_done && walking));
        assume (!(embed_valid && out0));
        assume (!(recv_valid && (out0 || embed_valid || out1 || out2)));
        if (walking)
            assume (block_sum == sum0);
        assume (block_rows < 20'd100000 && block_row < block_rows);
    end

    always @(posedge clk) if (f_past && !rst) begin
        scale_walks:  assert (!out0 || scale_addr == scale_now);
        scale_embeds: assert (!embed_valid || scale_addr == embed_scale);
        // the scale ROM rests where no group comes
        scale_rests:  assert (scale_read == (out0 || embed_valid));
        on_time: assert (y_valid == out3);
        // each unit is told what y_valid and y_dest say
        told: assert ({y_residual, y_qkv, y_hidden, y_logits, y_act}
                      == ({5{y_valid}} & {y_dest <= 1, y_dest >= 2 && y_dest <= 4, y_dest == 5, y_dest == 6, y_dest == 7}));
        foretold: assert (y_next == (out2 || recv_valid));
        if (y_valid) begin
            last_one:   assert (y_last == last3);
            to_dest:    assert (y_dest == dest3);
            its_row:    assert (y_row == row3);
            its_shift2: assert (y_shift2 == more3 || !(array3 || $past(recv_valid)));
            its_value:  assert (y[lane*24 +: 24] == y3);
            row_next:   assert ($past(y_row_next) == y_row && $past(y_dest_next) == y_dest);
        end
        is_busy: assert (busy || !(out0 || out1 || out2 || out3));
        is_idle: assert (!busy || out0 || out1 || out2 || out3);
        // for induction
        l_valid: assert (f_full == {out2, out1});
        l_walk:  assert (f_walking == walking);
        if (walking)
            l_at: assert (f_offset == group0 * VEC && f_row == row0 + group0 * VEC && f_rows == rows0
                          && f_tag == tag0 && group0 >= 1 && group0 < ROWS / VEC
                          && row0 < rows0 && rows0 < 20'd100000 && f_row < f_rows);
        if (walking)
            l_scale: assert (f_scale == scale_old);
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_short: cover (y_valid && y_last && array3 && $past(y_valid && !y_last && array3) && row3 != 2);
        c_full:  cover (block_done && $past(walking && f_past));
        c_sat:   cover (y_valid && array3 && y3 == 24'h800000 && last3);
        c_embed: cover (y_valid && y_last && !array3 && !$past(recv_valid));
        c_recv:  cover (y_valid && $past(y_valid) && $past(recv_valid) && !$past(recv_valid, 2));
    end
endmodule

`default_nettype wire
