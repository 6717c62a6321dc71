// SPDX-License-Identifier: Apache-2.0
// Stands for ram_one.v as ram_followed.v does for ram.v. A read in the clock of a write gives anything.
`default_nettype none

module ram_one #(
    parameter LANES = 1,
    parameter W = 8,
    parameter DEPTH = 16,
    parameter ADDR_W = 4
) (
    input  wire               clk,
    input  wire [LANES-1:0]   we,
    input  wire               re,
    input  wire [ADDR_W-1:0]  addr,
    input  wire [LANES*W-1:0] wdata,
    output wire [LANES*W-1:0] rdata
);
    (* anyconst *) reg [ADDR_W-1:0]  followed;
    (* anyseq *)   reg [LANES*W-1:0] anything;
    reg [LANES*W-1:0] word, q;
    reg               hit;
    integer i;
    always @(posedge clk) begin
        for (i = 0; i < LANES; i = i + 1)
            if (we[i] && addr == followed)
                word[i*W +: W] <= wdata[i*W +: W];
        if (re) begin
            q   <= word;
            hit <= addr == followed && we == {LANES{1'b0}};
        end
    end
    assign rdata = hit ? q : anything;
endmodule

`default_nettype wire
