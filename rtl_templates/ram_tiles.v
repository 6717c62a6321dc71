// SPDX-License-Identifier: Apache-2.0
// A memory of ram.v or ram_one.v (ONE_PORT: waddr is raddr) as rows and columns of macros: a row holds MACRO_WORDS
// words, a column at most MACRO_BITS bits of one lane, so that no macro needs a mask. Only the row that a word is
// in is read. What a macro gives stays until the next read, and so does the choice among rows.
`default_nettype none

module ram_tiles #(
    parameter LANES = 1,
    parameter W = 8,
    parameter DEPTH = 16,
    parameter ADDR_W = 4,
    parameter ONE_PORT = 0,
    parameter MACRO_WORDS = 16, // a power of two from 2
    parameter MACRO_BITS = 8
) (
    input  wire               clk,
    input  wire [LANES-1:0]   we,
    input  wire [ADDR_W-1:0]  waddr,
    input  wire [LANES*W-1:0] wdata,
    input  wire               re,
    input  wire [ADDR_W-1:0]  raddr,
    output wire [LANES*W-1:0] rdata
);
    localparam ROWS    = (DEPTH + MACRO_WORDS - 1) / MACRO_WORDS;
    localparam WORDS   = DEPTH < MACRO_WORDS ? DEPTH : MACRO_WORDS;
    localparam AT_W    = ROWS > 1 ? $clog2(MACRO_WORDS) : ADDR_W;
    localparam ROW_W   = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam COLUMNS = (W + MACRO_BITS - 1) / MACRO_BITS;

    wire [ADDR_W+ROW_W-1:0] wwide = {{ROW_W{1'b0}}, waddr}, rwide = {{ROW_W{1'b0}}, raddr};
    wire [ROW_W-1:0]        wrow = wwide[AT_W +: ROW_W], rrow = rwide[AT_W +: ROW_W];
    wire [LANES*W-1:0]      word [0:ROWS-1];
    reg  [ROW_W-1:0]        row; // that was read
    always @(posedge clk)
        if (re)
            row <= rrow;
    assign rdata = word[row];

    genvar r, l, c;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            localparam [31:0] ROW = r;
            wire             here_r = re && rrow == ROW[ROW_W-1:0];
            wire [LANES-1:0] here_w = wrow == ROW[ROW_W-1:0] ? we : {LANES{1'b0}};
            for (l = 0; l < LANES; l = l + 1) begin : g_lane
                for (c = 0; c < COLUMNS; c = c + 1) begin : g_column
                    localparam BITS = c < COLUMNS - 1 ? MACRO_BITS : W - c * MACRO_BITS;
                    if (ONE_PORT != 0) begin : g_one
                        ram_one_macro #(.W(BITS), .DEPTH(WORDS), .ADDR_W(AT_W)) u_macro (
                            .clk(clk), .we(here_w[l]), .re(here_r), .addr(raddr[AT_W-1:0]),
                            .wdata(wdata[l*W+c*MACRO_BITS +: BITS]),
                            .rdata(word[r][l*W+c*MACRO_BITS +: BITS])
                        );
                    end else begin : g_two
                        ram_macro #(.W(BITS), .DEPTH(WORDS), .ADDR_W(AT_W)) u_macro (
                            .clk(clk), .we(here_w[l]), .waddr(waddr[AT_W-1:0]),
                            .wdata(wdata[l*W+c*MACRO_BITS +: BITS]), .re(here_r),
                            .raddr(raddr[AT_W-1:0]), .rdata(word[r][l*W+c*MACRO_BITS +: BITS])
                        );
                    end
                end
            end
        end
    endgenerate

    wire unused_bits = &{1'b0, wwide, rwide};
endmodule

`default_nettype wire
