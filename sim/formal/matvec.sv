// SPDX-License-Identifier: Apache-2.0
// What matvec.v promises: for each instruction the words of all blocks, planes and chunks, each once,
// in order, with its addresses and marks, not before its activations are there; the block's facts
// beside every word; and room for the drain (which drain.sv assumes).
// probe f_active = dut.active
// probe f_room = dut.drain
// probe f_chunk = dut.chunk
// probe f_plane = dut.plane
// probe f_row = dut.row
// probe f_needed = dut.needed
// probe f_done_cols = dut.done_cols
// probe f_scale = dut.scale
// probe f_rows = dut.rows
// probe f_tag = dut.tag
// probe f_last_chunk = dut.last_chunk
// probe f_last_plane = dut.last_plane
// probe f_last_cols = dut.last_cols
// probe f_level = dut.level
// probe f_last_block = dut.last_block
// probe f_at_last = dut.at_last_chunk
// probe f_next_last = dut.next_last
// probe f_there = dut.there
// probe f_block_end = dut.block_end
`default_nettype none

module f_matvec #(
    parameter ROWS = 4,
    parameter COLS = 2,
    parameter VEC = 2,
    parameter WEIGHT_ADDR_W = 6,
    parameter LEVEL_ADDR_W = 3,
    parameter SCALE_ADDR_W = 4,
    parameter CHUNK_W = 2,
    parameter COUNT_W = 4,
    parameter ISSUE = 1
) (
    input wire clk, rst, insn_valid,
    input wire [WEIGHT_ADDR_W-1:0] insn_weight,
    input wire [LEVEL_ADDR_W-1:0] insn_level,
    input wire [SCALE_ADDR_W-1:0] insn_scale,
    input wire [19:0] insn_rows,
    input wire [CHUNK_W-1:0] insn_last_chunk,
    input wire [COUNT_W-1:0] insn_last_cols, available,
    input wire [1:0] insn_last_plane, insn_region,
    input wire [16:0] insn_tag
);
    localparam MOST = 12; // rows: three blocks
    wire insn_ready, read, s1_valid, s1_first, s1_last, busy;
    wire [1:0] region;
    wire [WEIGHT_ADDR_W-1:0] weight_addr;
    wire [LEVEL_ADDR_W-1:0] level_addr;
    wire [CHUNK_W-1:0] act_chunk;
    wire [COUNT_W-1:0] s1_cols;
    wire [16:0] s1_tag;
    wire [SCALE_ADDR_W-1:0] s1_scale;
    wire [19:0] s1_row, s1_rows;
    matvec #(
        .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .WEIGHT_ADDR_W(WEIGHT_ADDR_W),
        .LEVEL_ADDR_W(LEVEL_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W), .CHUNK_W(CHUNK_W),
        .COUNT_W(COUNT_W), .ISSUE(ISSUE)
    ) dut (
        .clk(clk), .rst(rst), .insn_valid(insn_valid), .insn_ready(insn_ready),
        .insn_weight(insn_weight), .insn_level(insn_level), .insn_scale(insn_scale),
        .insn_rows(insn_rows), .insn_last_chunk(insn_last_chunk),
        .insn_last_cols(insn_last_cols), .insn_last_plane(insn_last_plane), .insn_tag(insn_tag),
        .region(region), .insn_region(insn_region), .available(available),
        .read(read), .weight_addr(weight_addr), .level_addr(level_addr), .act_chunk(act_chunk),
        .s1_valid(s1_valid), .s1_first(s1_first), .s1_last(s1_last), .s1_cols(s1_cols),
        .s1_tag(s1_tag), .s1_scale(s1_scale), .s1_row(s1_row), .s1_rows(s1_rows), .busy(busy)
    );
    wire f_active, f_last_block, f_at_last, f_next_last, f_there, f_block_end;
    wire [$clog2(ROWS / VEC):0] f_room;
    wire [1:0] f_plane, f_last_plane;
    wire [CHUNK_W-1:0] f_chunk, f_last_chunk;
    wire [COUNT_W-1:0] f_needed, f_done_cols, f_last_cols;
    wire [19:0] f_row, f_rows;
    wire [SCALE_ADDR_W-1:0] f_scale;
    wire [LEVEL_ADDR_W-1:0] f_level;
    wire [16:0] f_tag;

    // --- the specification: word n of the instruction that was taken last ------------------------
    reg f_past = 1'b0;
    reg have;                       // an instruction is running
    reg [5:0] n;                    // words issued of it
    reg [WEIGHT_ADDR_W-1:0] weight;
    reg [LEVEL_ADDR_W-1:0] level;
    reg [SCALE_ADDR_W-1:0] scale;
    reg [19:0] rows;
    reg [2:0] chunks, planes, cols;
    reg [2:0] chunk, plane, block;
    reg [16:0] tag;
    reg [1:0] from;
    wire take = insn_valid && insn_ready;
    wire [2:0] blocks = rows > 2 * ROWS ? 3'd3 : rows > ROWS ? 3'd2 : 3'd1;
    // by the triple's own order, chunks fastest, then planes, then blocks
    wire [2:0] chunk_next = chunk + 1 == chunks ? 3'd0 : chunk + 3'd1;
    wire [2:0] plane_next = chunk + 1 != chunks ? plane : plane + 1 == planes ? 3'd0 : plane + 3'd1;
    wire last_of_block  = chunk == chunks - 1 && plane == planes - 1;
    wire last_of_matrix = last_of_block && block == blocks - 1;
    wire [2:0] width    = chunk == chunks - 1 ? cols : COLS;
    // of the word at hand; with ISSUE = 2 as it was a clock ago, and not yet in the first clock of a matrix
    wire there_now  = available >= chunk * COLS + width;
    wire there_next = available >= chunk_next * COLS + (chunk_next == chunks - 1 ? cols : COLS);
    reg  there_late;
    wire there = ISSUE > 1 ? there_late : there_now;
    // the expected word of a cycle ago
    reg was, was_first, was_last;
    reg [2:0] was_width;
    // a block's facts come with its words
    localparam T = 17 + SCALE_ADDR_W + 40;
    reg [T-1:0] t1;
    reg e1;
    reg [7:0] room;                  // cycles until the drain has taken the block before
    wire [7:0] left   = rows[7:0] - block * ROWS;
    wire [7:0] groups = left >= ROWS ? ROWS / VEC : (left + VEC - 1) / VEC;
    // the word that must be issued now
    wire go = have && there && (!last_of_block || room == 0);
    wire [SCALE_ADDR_W-1:0] scale_here = scale + block * (ROWS / VEC);
    wire [WEIGHT_ADDR_W-1:0] weight_here = weight + n;
    wire [19:0] row_here = block * ROWS;
    wire [LEVEL_ADDR_W-1:0] level_here = level + plane;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (go) begin
            n <= n + 6'd1;
            {chunk, plane} <= {chunk_next, plane_next};
            if (last_of_block)
                block <= block + 3'd1;
            if (last_of_matrix)
                have <= 1'b0;
        end
        there_late <= !take && (go ? there_next : there_now);
        room <= go && last_of_block ? groups - 8'd1 : room == 0 ? 8'd0 : room - 8'd1;
        if (take) begin
            have <= 1'b1;
            n    <= 6'd0;
            {chunk, plane, block} <= 9'd0;
            {weight, level, scale, rows} <= {insn_weight, insn_level, insn_scale, insn_rows};
            {tag, from} <= {insn_tag, insn_region};
            chunks <= insn_last_chunk + 3'd1;
            planes <= insn_last_plane + 3'd1;
            cols   <= insn_last_cols;
        end
        {was, was_first, was_last} <= {go, chunk == 0 && plane == 0, last_of_block};
        was_width <= width;
        t1 <= {tag, scale_here, row_here, rows};
        e1 <= go && last_of_block;
        if (rst)
            {have, was, room, e1} <= 11'd0;
    end

    // --- assumptions ----------------------------------------------------------------------------
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!insn_valid);
        assume (insn_rows >= 20'd1 && insn_rows <= MOST);
        assume (insn_last_cols >= 1 && insn_last_cols <= COLS);
        assume (insn_last_plane <= 2'd1 && insn_last_chunk <= 2'd2);
    end

    always @(posedge clk) if (f_past && !rst) begin
        ready:    assert (insn_ready == (!have || (go && last_of_matrix)));
        each_word: assert (s1_valid == was);
        // the memories rest where no word is issued
        at_rest:  assert (read == go);
        // word n is chunk, plane, block in that order
        if (have)
            order: assert (n == (block * planes + plane) * chunks + chunk);
        // addresses, at the time of issue
        if (go) begin
            at_weight: assert (weight_addr == weight_here);
            at_level:  assert (level_addr == level_here);
            at_chunk:  assert (act_chunk == chunk);
            at_region: assert (region == from);
        end
        // with ISSUE = 2 too, no word before its activations
        if (ISSUE > 1 && go)
            in_time: assert ($past(available) >= chunk * COLS + width);
        // marks, with the memories' data
        marks: assert (!s1_valid || (s1_first == was_first && s1_last == was_last
                                     && s1_cols == was_width));
        // with a word: the facts of its block
        facts: assert (!s1_valid || {s1_tag, s1_scale, s1_row, s1_rows} == t1);
        is_busy: assert (busy == (have || was));
        // for induction
        l_have: assert (f_active == have && f_room == room && room < ROWS / VEC);
        l_walk: assert (walk < ROWS / VEC);
        if (have) begin
            l_in:   assert (chunk < chunks && plane < planes && block < blocks && chunks <= 3'd3
                            && planes <= 3'd2 && rows >= 1 && rows <= MOST && cols >= 1
                            && cols <= COLS && chunks >= 1 && planes >= 1);
            l_at:   assert (f_chunk == chunk && f_plane == plane && f_row == block * ROWS
                            && f_done_cols == chunk * COLS && f_needed == chunk * COLS + width && f_scale == scale_here);
            l_word: assert (weight_addr == weight_here);
            l_insn: assert (f_rows == rows && f_tag == tag && f_last_chunk + 1 == chunks
                            && f_last_plane + 1 == planes && f_last_cols == cols
                            && f_level == level && region == from);
            l_ends: assert (f_last_block == (block == blocks - 1) && f_at_last == (chunk == chunks - 1) && f_there == there
                            && f_block_end == last_of_block
                            && f_next_last == (chunks == 1 || (chunk != chunks - 1 && chunk + 1 == chunks - 1)));
        end
    end

    // the drain's side, as drain.sv has it: a block comes no earlier than its predecessor has left. The
    // array between is a fixed number of clocks.
    reg [7:0] walk; // groups the drain has still to take after this cycle
    wire [19:0] to_take = s1_rows - s1_row;
    wire [7:0] taken = to_take >= ROWS ? ROWS / VEC : (to_take + VEC - 1) / VEC;
    always @(posedge clk) begin
        walk <= rst ? 8'd0 : e1 ? taken - 8'd1 : walk == 0 ? 8'd0 : walk - 8'd1;
        if (f_past && !rst)
            drain_room: assert (!e1 || walk == 0);
        if (f_past && !rst) begin
            c_chain: cover (take && go && last_of_matrix && blocks == 2);
            c_tail:  cover (e1 && s1_row != 0 && s1_rows == s1_row + 1);
            c_wait:  cover (have && there && !go && planes == 1);
            c_starve: cover (s1_valid && s1_last && !$past(s1_valid) && chunks == 2 && planes == 2);
        end
    end
endmodule

`default_nettype wire
