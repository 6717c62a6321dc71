// SPDX-License-Identifier: Apache-2.0
// Memory with one write port and one registered read port. A word is LANES lanes of W bits, each
// with its own write enable. Without `re` the last word read stays. What a read in the cycle of a write to
// the same word returns is undefined: here it is the old word, but nothing may rely on it, because macros
// differ (tests/collision.sh).
`include "ram_macro.vh"
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
    genvar g;
    generate
        if (`HW_RAM_MACRO_WORDS > 0) begin : g_macros
            ram_tiles #(
                .LANES(LANES), .W(W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .ONE_PORT(0),
                .MACRO_WORDS(`HW_RAM_MACRO_WORDS), .MACRO_BITS(`HW_RAM_MACRO_BITS)
            ) u_tiles (
                .clk(clk), .we(we), .waddr(waddr), .wdata(wdata), .re(re), .raddr(raddr), .rdata(rdata)
            );
        end else begin : g_array
            for (g = 0; g < LANES; g = g + 1) begin : g_lane
                reg [W-1:0] mem [0:DEPTH-1];
                reg [W-1:0] word;
                always @(posedge clk) begin
                    if (we[g])
                        mem[waddr] <= wdata[g*W +: W];
                    if (re)
                        word <= mem[raddr];
                end
                assign rdata[g*W +: W] = word;
            end
        end
    endgenerate
endmodule

`default_nettype wire
