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
// probe f_matrix_ends = dut.matrix_ends
// probe f_block_ends = dut.block_ends
`default_nettype none

module f_drain #(
    parameter ROWS = 4,
    parameter VEC = 2,
    parameter ACC_W = 16,
    parameter SCALE_ADDR_W = 3
) (
    input wire clk, rst,
    input wire block_next, block_done, embed_next,
    input wire [VEC*ACC_W-1:0] block_early,
    input wire [ROWS*ACC_W-1:0] block_sum,
    input wire [16:0] block_tag,
    input wire [SCALE_ADDR_W-1:0] block_scale_next, embed_scale,
    input wire [19:0] block_row_next, block_rows_next, block_row, block_rows, embed_row, recv_row,
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
    wire y_valid, y_residual, y_qkv, y_hidden, y_logits, y_act, y_last, add_soon, scale_read, busy;
    wire [4:0] y_dest;
    wire [5:0] y_shift2;
    wire [19:0] y_row, add_row;
    wire [VEC*24-1:0] y;
    wire [SCALE_ADDR_W-1:0] scale_addr;
    wire [1:0] f_full;
    wire f_walking;
    wire f_matrix_ends, f_block_ends;
    wire [19:0] f_row, f_rows;
    wire [$clog2(ROWS)-1:0] f_offset;
    wire [16:0] f_tag;
    wire [SCALE_ADDR_W-1:0] f_scale;

    drain #(.ROWS(ROWS), .VEC(VEC), .ACC_W(ACC_W), .SCALE_ADDR_W(SCALE_ADDR_W)) dut (
        .clk(clk), .rst(rst), .block_next(block_next), .block_scale_next(block_scale_next),
        .block_row_next(block_row_next), .block_rows_next(block_rows_next), .block_done(block_done),
        .block_early(block_early), .block_sum(block_sum), .block_tag(block_tag), .block_row(block_row),
        .block_rows(block_rows), .embed_next(embed_next), .embed_valid(embed_valid), .embed_last(embed_last),
        .embed_sum(embed_sum), .embed_row(embed_row), .embed_shift(embed_shift),
        .embed_scale(embed_scale), .embed_lane(embed_lane), .recv_valid(recv_valid),
        .recv_last(recv_last), .recv_data(recv_data), .recv_row(recv_row),
        .recv_dest(recv_dest), .recv_shift2(recv_shift2),
        .scale_read(scale_read), .scale_addr(scale_addr), .scale_data(scale_data), .y_valid(y_valid), .y_residual(y_residual), .y_qkv(y_qkv), .y_hidden(y_hidden),
        .y_logits(y_logits), .y_act(y_act), .y_last(y_last), .y_dest(y_dest),
        .y_shift2(y_shift2), .y_row(y_row), .y(y), .add_soon(add_soon),
        .add_row(add_row), .busy(busy)
    );

    // --- the specification: which group leaves now, from the block as it came -----------------
    (* anyconst *) reg [LANE_W-1:0] lane; // any element of a group
    reg f_past = 1'b0;
    reg [ROWS*ACC_W-1:0] sum0;       // of the block, as they are a clock after it is done
    reg fresh;                       // it is that clock
    reg [16:0] tag0;
    reg [SCALE_ADDR_W-1:0] scale0; // first word of the block that is done next or was done last
    reg [19:0] row0, rows0, group0;  // group0: groups given so far
    reg walking;
    reg next0, embed0;               // promised a clock ago
    reg [19:0] next_row0, next_rows0; // with next0
    wire [19:0] group = block_done ? 20'd0 : group0;
    wire [19:0] first = (block_done ? block_row : row0) + group * VEC;
    wire [19:0] rows  = block_done ? block_rows : rows0;
    wire        out0  = block_done || walking;
    wire        more  = group + 1 < ROWS / VEC && first + VEC < rows;
    wire        on0   = out0 && more; // another group comes
    // one group on its way: at the accumulators, times its mantissa, shifted
    reg out1, out2, out3, last1, last2, last3, array1, array2, array3;
    reg [4:0] dest1, dest2, dest3;
    reg [5:0] more1, more2, more3, shift1, shift2, exp1;
    reg [19:0] row1, row2, row3;
    reg [7:0] mant1;
    reg signed [ACC_W-1:0] acc1;
    reg signed [P_W-1:0] p2;
    reg [23:0] y3;
    wire [16:0] tag = block_done ? block_tag : tag0;
    wire [11:0] word = scale_data[(embed_valid ? embed_lane : lane)*12 +: 12];
    wire signed [P_W-1:0] rounded = p2 ^ {{(P_W-6){1'b0}}, shift2};
    wire [19:0] element = group * VEC + lane;
    wire [SCALE_ADDR_W-1:0] scale_after = scale0 + group0 + 1'b1;
    wire [SCALE_ADDR_W-1:0] scale_more = scale0 + group + 1'b1;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (block_done)
            {tag0, row0, rows0} <= {block_tag, block_row, block_rows};
        if (fresh)
            sum0 <= block_sum;
        fresh <= block_done;
        if (block_next)
            scale0 <= block_scale_next;
        walking <= on0;
        group0  <= group + 20'd1;

        out1   <= out0 || embed_valid;
        array1 <= out0;
        acc1   <= embed_valid ? embed_sum[lane*ACC_W +: ACC_W]
                : block_done ? block_early[lane*ACC_W +: ACC_W] : block_sum[element*ACC_W +: ACC_W];
        {exp1, mant1} <= {2'b00, word};
        {last1, dest1, more1, shift1, row1} <= embed_valid
            ? {embed_last, 5'd0, 6'd0, embed_shift, embed_row}
            : {!(first + VEC < rows), tag[4:0], tag[16:11], tag[10:5], first};
        p2 <= {acc1, 2'b01, mant1};
        {out2, array2, last2, dest2, more2, row2} <= {out1, array1, last1, dest1, more1, row1};
        shift2 <= shift1 - exp1;

        {out3, array3} <= {out2 || recv_valid, out2 && array2};
        {last3, dest3, more3, row3} <= recv_valid ? {recv_last, recv_dest, recv_shift2, recv_row}
                                                  : {last2, dest2, more2, row2};
        y3 <= recv_valid ? recv_data[lane*24 +: 24]
            : rounded > 8388607 ? 24'h7fffff : rounded < -8388608 ? 24'h800000 : rounded[23:0];
        {next0, embed0} <= {block_next, embed_next};
        {next_row0, next_rows0} <= {block_row_next, block_rows_next};
        if (rst)
            {walking, out1, out2, out3, next0, embed0} <= 6'd0;
    end

    // --- assumptions: the sequencer's order, matvec's room, the array's patience ----------------
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!block_done && !embed_valid && !recv_valid);
        assume (!(block_done && walking));
        assume (!(embed_valid && out0));
        if (rst)
            assume (!block_next && !embed_next);
        assume (!(embed_next && (block_next || on0)));
        assume (!(block_next && on0));
        if (f_past)
            assume ({block_done, embed_valid} == {next0, embed0});
        if (block_done)
            assume ({block_row, block_rows} == {next_row0, next_rows0});
        assume (!(recv_valid && (out0 || embed_valid || out1 || out2)));
        if (walking && !fresh)
            assume (block_sum == sum0);
        assume (block_rows < 20'd100000 && block_row < block_rows);
    end

    always @(posedge clk) if (f_past && !rst) begin
        // a clock before a group its scale word is read; else the ROM rests
        scale_begins: assert (!block_next || scale_addr == block_scale_next);
        scale_walks:  assert (!on0 || scale_addr == scale_more);
        scale_embeds: assert (!embed_next || scale_addr == embed_scale);
        scale_rests:  assert (scale_read == (block_next || on0 || embed_next));
        on_time: assert (y_valid == out3);
        // each unit is told what y_valid and y_dest say
        told: assert ({y_residual, y_qkv, y_hidden, y_logits, y_act}
                      == ({5{y_valid}} & {y_dest <= 1, y_dest >= 2 && y_dest <= 4, y_dest == 5, y_dest == 6, y_dest == 7}));
        foretold: assert (add_soon == (out1 && dest1 == 1) && (!add_soon || add_row == row1));
        if (y_valid) begin
            last_one:   assert (y_last == last3);
            to_dest:    assert (y_dest == dest3);
            its_row:    assert (y_row == row3);
            its_shift2: assert (y_shift2 == more3 || !(array3 || $past(recv_valid)));
            its_value:  assert (y[lane*24 +: 24] == y3);
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
            l_ends: assert (f_matrix_ends == (f_row + VEC >= f_rows) && f_block_ends == (f_offset + VEC >= ROWS));
        if (walking)
            l_scale: assert (f_scale == scale_after);
        if (block_done)
            l_begun: assert (f_scale == scale0 + 1'b1 && f_matrix_ends == (block_row + VEC >= block_rows));
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
