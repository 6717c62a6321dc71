// SPDX-License-Identifier: Apache-2.0
// Memory with one port: in a clock it is written or read, at the same address input. A word is LANES lanes of
// W bits, each with its own write enable. Without `re` the last word read stays. Both in one clock is an error
// of the caller's: what is read then is undefined (here: the last word read stays).
`include "ram_macro.vh"
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
    wire reads = re && we == {LANES{1'b0}};
    genvar g;
    generate
        if (`HW_RAM_MACRO_WORDS > 0) begin : g_macros
            ram_tiles #(
                .LANES(LANES), .W(W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .ONE_PORT(1),
                .MACRO_WORDS(`HW_RAM_MACRO_WORDS), .MACRO_BITS(`HW_RAM_MACRO_BITS)
            ) u_tiles (
                .clk(clk), .we(we), .waddr(addr), .wdata(wdata), .re(reads), .raddr(addr), .rdata(rdata)
            );
        end else begin : g_array
            for (g = 0; g < LANES; g = g + 1) begin : g_lane
                reg [W-1:0] mem [0:DEPTH-1];
                reg [W-1:0] word;
                always @(posedge clk) begin
                    if (we[g])
                        mem[addr] <= wdata[g*W +: W];
                    if (reads)
                        word <= mem[addr];
                end
                assign rdata[g*W +: W] = word;
            end
        end
    endgenerate
endmodule

`default_nettype wire
