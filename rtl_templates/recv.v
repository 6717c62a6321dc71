// SPDX-License-Identifier: Apache-2.0
// Vectors from outside (RECV): takes words of VEC rows until all have come, and says of each its first
// row and whether it is the last. `facts` of the instruction stay until the next start.
`default_nettype none

module recv #(
    parameter VEC = 8,
    parameter FACTS_W = 13
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               start,   // while not busy
    input  wire [19:0]        rows,    // 1 and more
    input  wire [FACTS_W-1:0] facts,

    input  wire               s_valid,
    output wire               s_ready,

    output wire               take,
    output wire               last,
    output reg  [19:0]        row,
    output reg  [FACTS_W-1:0] kept,    // facts
    output reg                busy
);
    reg [19:0] all;

    assign s_ready = busy;
    assign take    = busy && s_valid;
    assign last    = row + VEC[19:0] >= all;

    always @(posedge clk) begin
        if (take) begin
            row <= row + VEC[19:0];
            if (last)
                busy <= 1'b0;
        end
        if (start)
            {busy, row, all, kept} <= {1'b1, 20'd0, rows, facts};
        if (rst)
            busy <= 1'b0;
    end
endmodule

`default_nettype wire
