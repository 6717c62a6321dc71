// SPDX-License-Identifier: Apache-2.0
// The way of a word from the ROMs and the activations to the array: STAGES registers, of which the ROMs'
// own address takes the first AHEAD. Columns beyond the matrix count as zero, whatever the memory holds
// there. embed.v reads words on the same way, without activations; its moves are `other`.
`default_nettype none

module word_way #(
    parameter COLS = 8,
    parameter ACT_W = 8,
    parameter CODES_W = 1024,  // of a word
    parameter LEVELS_W = 128,
    parameter COUNT_W = 10,
    parameter TAG_W = 80,
    parameter STAGES = 0,      // 0 or more
    parameter AHEAD = 0        // 0, or 1 of STAGES
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  valid,
    input  wire [TAG_W-1:0]      tag,
    input  wire [COUNT_W-1:0]    cols,   // that count
    input  wire [COLS*ACT_W-1:0] act_in,
    input  wire [CODES_W-1:0]    code_in,
    input  wire [LEVELS_W-1:0]   level_in,
    input  wire [STAGES:0]       other,
    input  wire                  all,    // every register takes what comes

    output wire                  out_valid,
    output wire [TAG_W-1:0]      out_tag,
    output wire [COLS*ACT_W-1:0] act,
    output wire [CODES_W-1:0]    code,
    output wire [LEVELS_W-1:0]   level,
    output wire                  busy
);
    localparam AFTER = STAGES - AHEAD; // behind the ROMs
    localparam TAKES = AFTER > 0 ? AFTER : 1;

    wire [STAGES:0]       move;
    wire [STAGES:0]       any  = move | other | {(STAGES+1){all}};
    wire [TAKES-1:0]      take = any[AHEAD +: TAKES];
    wire [COLS*ACT_W-1:0] act_counted;
    genvar c;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : g_col
            assign act_counted[c*ACT_W +: ACT_W] = c < cols ? act_in[c*ACT_W +: ACT_W] : {ACT_W{1'b0}};
        end
    endgenerate

    pipe #(.STAGES(STAGES), .TAG_W(TAG_W)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .move(move), .out_valid(out_valid),
        .out_tag(out_tag), .busy(busy)
    );
    // What the last register takes stays. The ones before take in every clock: the ROMs hold their word.
    wire [TAKES:0] follow = {take[TAKES-1], {TAKES{1'b1}}};
    stage #(.N(AFTER), .W(CODES_W)) u_code (.clk(clk), .en(follow[TAKES:1]), .d(code_in), .q(code));
    stage #(.N(AFTER), .W(LEVELS_W)) u_level (.clk(clk), .en(follow[TAKES:1]), .d(level_in), .q(level));
    stage #(.N(STAGES), .W(COLS * ACT_W)) u_act (
        .clk(clk), .en(move[(STAGES > 0 ? STAGES : 1)-1:0]), .d(act_counted), .q(act)
    );

    wire unused_moves = &{1'b0, any, take, follow};
endmodule

`default_nettype wire
