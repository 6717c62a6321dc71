// SPDX-License-Identifier: Apache-2.0
// The array as tiles of TILE rows. A tile (msa_array.v, or mac_array.v where LANE is 1) has the products of
// all columns, and the lanes and accumulators of its rows; its codes are its own slice of the weight ROM's
// word, so it lies beside the macros that hold them. From outside come activations and levels, for all tiles
// the same; what leaves are sums.
//
// All tiles take a word in the same clock, so `sum` and the clocks are those of one tile of ROWS rows. What
// describes a row block (`tag`) travels in the first tile alone.
`default_nettype none

module array #(
    parameter ROWS = 32,
    parameter TILE = ROWS,     // divides ROWS
    parameter COLS = 8,
    parameter CODE_W = 4,
    parameter LANE = 0,
    parameter ACT_W = 8,
    parameter ACC_W = 32,
    parameter TAG_W = 1,
    parameter PICK = 1,
    parameter LEVELS = 1,      // levels a register, in add_tree
    parameter EARLY = ROWS     // rows whose sums leave with `done`
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        valid,
    input  wire                        first, // of a row block: start from zero
    input  wire                        last,  // of a row block
    input  wire [TAG_W-1:0]            tag,   // of the block, with `last`
    input  wire [COLS*ACT_W-1:0]       act,   // signed
    input  wire [(8<<CODE_W)-1:0]      level, // signed, 8 bits each
    input  wire [ROWS*COLS*CODE_W-1:0] code,  // row major

    output wire                        busy,  // a word is on its way
    output wire                        done_next,     // `done` of the next cycle
    output wire [TAG_W-1:0]            done_tag_next, // with done_next: its tag
    output wire                        done,
    output wire [TAG_W-1:0]            done_tag,
    output wire [EARLY*ACC_W-1:0]      early, // signed, with `done`
    output wire [ROWS*ACC_W-1:0]       sum    // signed, a cycle later
);
    localparam TILES  = ROWS / TILE;
    localparam CODES  = TILE * COLS * CODE_W;
    localparam SUMS   = TILE * ACC_W;
    wire [TILES-1:0] tile_busy, tile_next, tile_done;
    assign busy = tile_busy[0];
    assign done_next = tile_next[0];
    assign done = tile_done[0];

    genvar t;
    generate
        if (ROWS % TILE != 0) begin : g_check
            rows_must_be_a_multiple_of_tile u_error ();
        end
        for (t = 0; t < TILES; t = t + 1) begin : g_tile
            localparam FACTS_W = t == 0 ? TAG_W : 1;
            localparam REST    = EARLY > t * TILE ? EARLY - t * TILE : 0;
            localparam MINE    = REST > TILE ? TILE : REST > 0 ? REST : 1;
            wire [MINE*ACC_W-1:0] tile_early;
            if (REST > 0) begin : g_early
                assign early[t*SUMS +: MINE*ACC_W] = tile_early;
            end else begin : g_not_early
                wire unused_early = &{1'b0, tile_early};
            end
            wire [FACTS_W-1:0] facts, next_facts, done_facts;
            if (t == 0) begin : g_facts
                assign facts    = tag;
                assign done_tag_next = next_facts;
                assign done_tag = done_facts;
            end else begin : g_no_facts
                assign facts = 1'b0;
                wire unused_facts = &{1'b0, next_facts, done_facts};
            end
            if (LANE == 0) begin : g_select
                msa_array #(
                    .ROWS(TILE), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W),
                    .TAG_W(FACTS_W), .PICK(PICK), .LEVELS(LEVELS), .EARLY(MINE)
                ) u_tile (
                    .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .tag(facts),
                    .act(act), .level(level), .code(code[t*CODES +: CODES]), .busy(tile_busy[t]),
                    .done_next(tile_next[t]), .done_tag_next(next_facts), .done(tile_done[t]),
                    .done_tag(done_facts), .early(tile_early), .sum(sum[t*SUMS +: SUMS])
                );
            end else begin : g_multiply
                mac_array #(
                    .ROWS(TILE), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W),
                    .TAG_W(FACTS_W), .PICK(PICK), .LEVELS(LEVELS), .EARLY(MINE)
                ) u_tile (
                    .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .tag(facts),
                    .act(act), .level(level), .code(code[t*CODES +: CODES]), .busy(tile_busy[t]),
                    .done_next(tile_next[t]), .done_tag_next(next_facts), .done(tile_done[t]),
                    .done_tag(done_facts), .early(tile_early), .sum(sum[t*SUMS +: SUMS])
                );
            end
        end
    endgenerate

    wire unused_step = &{1'b0, tile_busy, tile_next, tile_done}; // all are the first one's
endmodule

`default_nettype wire
