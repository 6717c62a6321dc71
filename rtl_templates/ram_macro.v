// SPDX-License-Identifier: Apache-2.0
// What a foundry's macro stands for: one port that writes, one that reads. Without `re` the last word read
// stays; what a read returns in the clock of a write to the same word is undefined.
`default_nettype none

module ram_macro #(
    parameter W = 8,
    parameter DEPTH = 16,
    parameter ADDR_W = 4
) (
    input  wire              clk,
    input  wire              we,
    input  wire [ADDR_W-1:0] waddr,
    input  wire [W-1:0]      wdata,
    input  wire              re,
    input  wire [ADDR_W-1:0] raddr,
    output reg  [W-1:0]      rdata
);
    reg [W-1:0] mem [0:DEPTH-1];
    always @(posedge clk) begin
        if (we)
            mem[waddr] <= wdata;
        if (re)
            rdata <= mem[raddr];
    end
endmodule

`default_nettype wire
