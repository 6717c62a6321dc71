// SPDX-License-Identifier: Apache-2.0
// The query of a layer: written VEC elements a clock, in order, read a head at a time, and how many
// elements are there since the start.
`default_nettype none

module queries #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter MAX_DIM = 64,    // elements of all heads
    parameter HEAD_W = 8
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   start,

    input  wire                   write,
    input  wire [19:0]            row,     // of the first element, a multiple of VEC
    input  wire [VEC*12-1:0]      data,
    output reg  [19:0]            there,

    input  wire                   read,
    input  wire [HEAD_W-1:0]      head,
    output wire [HEAD_DIM*12-1:0] query    // a clock later
);
    localparam LANES = VEC > HEAD_DIM ? VEC : HEAD_DIM;
    localparam WORDS = MAX_DIM > LANES ? (MAX_DIM + LANES - 1) / LANES : 2;
    localparam WORD_W = $clog2(WORDS);

    wire [19:0]         element = {{(20-HEAD_W){1'b0}}, head} * HEAD_DIM;
    wire [19:0]         read_at = element / LANES, write_at = row / LANES, write_lane = row % LANES;
    wire [LANES-1:0]    mask = {{(LANES-VEC){1'b0}}, {VEC{1'b1}}} << write_lane;
    wire [LANES*12-1:0] word;
    reg  [19:0]         lane;   // of the head in its word

    ram #(.LANES(LANES), .W(12), .DEPTH(WORDS), .ADDR_W(WORD_W)) u_ram (
        .clk(clk), .we(write ? mask : {LANES{1'b0}}), .waddr(write_at[WORD_W-1:0]),
        .wdata({(LANES/VEC){data}}), .re(read), .raddr(read_at[WORD_W-1:0]), .rdata(word)
    );
    assign query = word[lane*12 +: HEAD_DIM*12];

    always @(posedge clk) begin
        if (read)
            lane <= element % LANES;
        if (write)
            there <= row + VEC[19:0];
        if (start || rst)
            there <= 20'd0;
    end

    wire unused_bits = &{1'b0, read_at, write_at};
endmodule

`default_nettype wire
