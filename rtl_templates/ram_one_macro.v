// SPDX-License-Identifier: Apache-2.0
// What a foundry's macro stands for: one port, which writes or reads. Without `re` the last word read stays;
// what a clock with both reads is undefined.
`default_nettype none

module ram_one_macro #(
    parameter W = 8,
    parameter DEPTH = 16,
    parameter ADDR_W = 4
) (
    input  wire              clk,
    input  wire              we,
    input  wire              re,
    input  wire [ADDR_W-1:0] addr,
    input  wire [W-1:0]      wdata,
    output reg  [W-1:0]      rdata
);
    reg [W-1:0] mem [0:DEPTH-1];
    always @(posedge clk) begin
        if (we)
            mem[addr] <= wdata;
        if (re && !we)
            rdata <= mem[addr];
    end
endmodule

`default_nettype wire
