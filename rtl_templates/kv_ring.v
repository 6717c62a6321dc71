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

    output wire [POS_W-1:0] write,
    output wire [POS_W-1:0] last
);
    generate
        if (WINDOW != 0) begin : g_window
            reg  [POS_W-1:0] write_q, last_q;
            wire [19:0]      pos_20 = {{(20-POS_W){1'b0}}, pos};
            wire [19:0]      full   = window - 20'd1;
            always @(posedge clk)
                if (start) begin
                    write_q <= window != 20'd0 ? ring_pos : pos;
                    last_q  <= window != 20'd0 && pos_20 >= window ? full[POS_W-1:0] : pos;
                end
            assign {write, last} = {write_q, last_q};
            wire unused_full = &{1'b0, full};
        end else begin : g_none
            assign {write, last} = {pos, pos};
            wire unused_window = &{1'b0, clk, start, ring_pos, window};
        end
    endgenerate
endmodule

`default_nettype wire
