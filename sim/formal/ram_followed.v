// SPDX-License-Identifier: Apache-2.0
// Stands for ram.v: keeps one arbitrary word, `followed`, and reads anything elsewhere. A wrapper
// that fixes `followed` by an assumption sees a RAM of any depth at the cost of one word.
`default_nettype none

module ram #(
    parameter LANES = 1,
    parameter W = 8,
    parameter DEPTH = 16,
    parameter ADDR_W = 4
) (
    input  wire               clk,
    input  wire [LANES-1:0]   we,
    input  wire [ADDR_W-1:0]  waddr,
    input  wire [LANES*W-1:0] wdata,
    input  wire               re,
    input  wire [ADDR_W-1:0]  raddr,
    output wire [LANES*W-1:0] rdata
);
    (* anyconst *) reg [ADDR_W-1:0]  followed;
    (* anyseq *)   reg [LANES*W-1:0] anything;
    reg [LANES*W-1:0] word, q;      // while `re` stays away, `anything` may still change
    reg               hit;
    integer i;
    always @(posedge clk) begin
        for (i = 0; i < LANES; i = i + 1)
            if (we[i] && waddr == followed)
                word[i*W +: W] <= wdata[i*W +: W];
        if (re) begin
            q   <= word;
            hit <= raddr == followed;
        end
    end
    assign rdata = hit ? q : anything;
endmodule

`default_nettype wire
