// SPDX-License-Identifier: Apache-2.0
// Memory with one port: in a clock it is written or read, at the same address input. A word is LANES lanes of
// W bits, each with its own write enable. Without `re` the last word read stays. Both in one clock is an error
// of the caller's: what is read then is undefined (here: the last word read stays).
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
    output reg  [LANES*W-1:0] rdata
);
    wire reads = re && we == {LANES{1'b0}};
    genvar g;
    generate
        for (g = 0; g < LANES; g = g + 1) begin : g_lane
            reg [W-1:0] mem [0:DEPTH-1];
            always @(posedge clk) begin
                if (we[g])
                    mem[addr] <= wdata[g*W +: W];
                if (reads)
                    rdata[g*W +: W] <= mem[addr];
            end
        end
    endgenerate
endmodule

`default_nettype wire
