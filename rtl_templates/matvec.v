// SPDX-License-Identifier: Apache-2.0
// Issues the words of one matrix-vector product to the array: for each row block, each plane, each
// chunk of COLS columns, one weight word and one activation word a cycle.
//
// A word waits until its activations are there (`available` elements of the source region), and the
// last word of a block until the previous block's drain leaves room. Matrices follow each other
// without a bubble: the next one is taken in the cycle of the last word.
// ISSUE = 2: whether they are there is a register, so a word comes a clock later than they do, and the first
// word of a matrix a clock after the last of the one before.
// Stage 1 outputs (s1_*) are aligned with the data of the memories addressed in stage 0. What the drain
// must know of a block travels beside its words, through the array.
`default_nettype none

module matvec #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter VEC = 8,
    parameter WEIGHT_ADDR_W = 12,
    parameter LEVEL_ADDR_W = 6,
    parameter SCALE_ADDR_W = 10,
    parameter CHUNK_W = 6, // address bits of a region of activations, in chunks
    parameter COUNT_W = 12, // elements of a region
    parameter TAG_W = 17,  // of what the drain must know of a matrix
    parameter ISSUE = 1
) (
    input  wire                     clk,
    input  wire                     rst,

    // one instruction
    input  wire                     insn_valid,
    output wire                     insn_ready,
    input  wire [WEIGHT_ADDR_W-1:0] insn_weight,
    input  wire [LEVEL_ADDR_W-1:0]  insn_level,
    input  wire [SCALE_ADDR_W-1:0]  insn_scale,
    input  wire [19:0]              insn_rows,
    input  wire [CHUNK_W-1:0]       insn_last_chunk, // chunks - 1
    input  wire [COUNT_W-1:0]       insn_last_cols,  // columns used in the last chunk
    input  wire [1:0]               insn_last_plane, // planes - 1
    input  wire [TAG_W-1:0]         insn_tag,        // dest, shifts: handed to the drain

    // activations
    output reg  [1:0]               region,
    input  wire [1:0]               insn_region,
    input  wire [COUNT_W-1:0]       available,

    // memories
    output wire                     read,   // a word is issued: all of them are read
    output wire [WEIGHT_ADDR_W-1:0] weight_addr,
    output wire [LEVEL_ADDR_W-1:0]  level_addr,
    output wire [CHUNK_W-1:0]       act_chunk,

    // array
    output reg                      s1_valid,
    output reg                      s1_first,
    output reg                      s1_last,
    output reg  [COUNT_W-1:0]       s1_cols,  // columns used in this chunk
    output reg  [TAG_W-1:0]         s1_tag,   // for the drain of the word's row block
    output reg  [SCALE_ADDR_W-1:0]  s1_scale,
    output reg  [19:0]              s1_row,   // first row
    output reg  [19:0]              s1_rows,  // rows of the matrix
    output wire                     busy
);
    localparam BLOCK_GROUPS = ROWS / VEC;
    localparam GROUP_W      = $clog2(BLOCK_GROUPS) + 1;
    localparam [19:0] ROWS_20 = ROWS;
    localparam [19:0] VEC_20  = VEC;

    reg                     active;
    reg [WEIGHT_ADDR_W-1:0] weight;
    reg [LEVEL_ADDR_W-1:0]  level;
    reg [SCALE_ADDR_W-1:0]  scale;
    reg [19:0]              row, rows;
    reg [CHUNK_W-1:0]       chunk, last_chunk;
    reg [COUNT_W-1:0]       last_cols;
    reg [COUNT_W-1:0]       done_cols;  // of the chunks before
    reg [COUNT_W-1:0]       needed;     // elements, for this chunk
    reg [1:0]               plane, last_plane;
    reg [TAG_W-1:0]         tag;
    reg [GROUP_W-1:0]       drain;      // cycles until another block may end
    reg                     at_last_chunk, next_last, last_block; // next_last: the chunk after it is the last
    reg                     block_end;  // the last chunk of the last plane

    wire matrix_end    = block_end && last_block;
    wire [COUNT_W-1:0] cols_here = at_last_chunk ? last_cols : COLS[COUNT_W-1:0];
    wire there;                         // the activations of this chunk
    wire issue = active && there && (!block_end || drain == {GROUP_W{1'b0}});
    wire take  = insn_valid && insn_ready;

    wire [19:0]        next_row  = row + ROWS_20;
    wire [CHUNK_W-1:0] next_chunk = at_last_chunk ? {CHUNK_W{1'b0}} : chunk + 1'b1;
    wire [1:0]         next_plane = !at_last_chunk ? plane : plane == last_plane ? 2'd0 : plane + 1'b1;
    wire [COUNT_W-1:0] next_done = at_last_chunk ? {COUNT_W{1'b0}} : done_cols + COLS[COUNT_W-1:0];
    wire [COUNT_W-1:0] next_needed = next_done + (next_last ? last_cols : COLS[COUNT_W-1:0]);
    wire               there_now = available >= needed;
    generate
        if (ISSUE > 1) begin : g_seen
            reg there_q;
            always @(posedge clk)
                there_q <= !take && (issue ? available >= next_needed : there_now);
            assign there = there_q;
        end else begin : g_now
            assign there = there_now;
        end
    endgenerate

    // groups of VEC rows to drain in this block
    wire [19:0] rows_left = rows - row;
    wire [19:0] groups    = (rows_left + VEC_20 - 20'd1) / VEC_20;
    wire [GROUP_W-1:0] block_groups =
        groups >= BLOCK_GROUPS[19:0] ? BLOCK_GROUPS[GROUP_W-1:0] : groups[GROUP_W-1:0];

    assign insn_ready  = !active || (issue && matrix_end);
    assign read        = issue;
    assign weight_addr = weight;
    assign level_addr  = level + {{(LEVEL_ADDR_W-2){1'b0}}, plane};
    assign act_chunk   = chunk;

    always @(posedge clk) begin
        s1_valid <= issue;
        s1_first <= chunk == {CHUNK_W{1'b0}} && plane == 2'd0;
        s1_last  <= block_end;
        s1_cols  <= cols_here;
        {s1_tag, s1_scale, s1_row, s1_rows} <= {tag, scale, row, rows};

        if (drain != {GROUP_W{1'b0}})
            drain <= drain - 1'b1;
        if (issue) begin
            weight    <= weight + 1'b1;
            chunk     <= next_chunk;
            at_last_chunk <= next_last;
            next_last <= next_last ? last_chunk == {CHUNK_W{1'b0}} : next_chunk + 1'b1 == last_chunk;
            done_cols <= next_done;
            needed    <= next_needed;
            plane     <= next_plane;
            block_end <= next_last && next_plane == last_plane;
            if (block_end) begin
                row        <= next_row;
                last_block <= next_row + ROWS_20 >= rows;
                scale <= scale + BLOCK_GROUPS[SCALE_ADDR_W-1:0];
                drain <= block_groups - 1'b1;
            end
            if (matrix_end)
                active <= 1'b0;
        end
        if (take) begin
            active     <= 1'b1;
            weight     <= insn_weight;
            level      <= insn_level;
            scale      <= insn_scale;
            row        <= 20'd0;
            rows       <= insn_rows;
            last_block <= ROWS_20 >= insn_rows;
            chunk      <= {CHUNK_W{1'b0}};
            done_cols  <= {COUNT_W{1'b0}};
            needed     <= insn_last_chunk == {CHUNK_W{1'b0}} ? insn_last_cols : COLS[COUNT_W-1:0];
            last_chunk <= insn_last_chunk;
            at_last_chunk <= insn_last_chunk == {CHUNK_W{1'b0}};
            next_last  <= insn_last_chunk[CHUNK_W-1:1] == {(CHUNK_W-1){1'b0}}; // 0 or 1
            last_cols  <= insn_last_cols;
            plane      <= 2'd0;
            last_plane <= insn_last_plane;
            block_end  <= insn_last_chunk == {CHUNK_W{1'b0}} && insn_last_plane == 2'd0;
            tag        <= insn_tag;
            region     <= insn_region;
        end
        if (rst) begin
            active   <= 1'b0;
            s1_valid <= 1'b0;
            drain    <= {GROUP_W{1'b0}};
        end
    end

    assign busy = active | s1_valid;
endmodule

`default_nettype wire
