// SPDX-License-Identifier: Apache-2.0
// Where a layer puts this token's keys and values, and the last position that attention reads. A layer
// without a window has all positions; one with a window has a ring, which is full once it has gone round.
`default_nettype none

module kv_ring #(
    parameter WINDOW = 0,      // whether there are layers with one
    parameter POS_W = 9
) (
    input  wire             clk,
    input  wire             start,
    input  wire [19:0]      window, // of the layer, with start; 0: none
    input  wire [POS_W-1:0] pos,
    input  wire [POS_W-1:0] ring_pos, // pos modulo the window

    output reg  [POS_W-1:0] write,    // from the clock after start on
    output reg  [POS_W-1:0] last
);
    wire        ringed = WINDOW != 0 && window != 20'd0;
    wire [19:0] pos_20 = {{(20-POS_W){1'b0}}, pos};
    wire [19:0] full   = window - 20'd1;
    always @(posedge clk)
        if (start) begin
            write <= ringed ? ring_pos : pos;
            last  <= ringed && pos_20 >= window ? full[POS_W-1:0] : pos;
        end

    wire unused_full = &{1'b0, full};
endmodule

`default_nettype wire
