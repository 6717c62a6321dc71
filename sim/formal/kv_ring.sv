// SPDX-License-Identifier: Apache-2.0
// What kv_ring.v promises: in a layer without a window a token goes to its position and all up to it is read; with one it
// goes to its position modulo the window, and `last` is the last of the places that hold a token that is seen.
`default_nettype none

module f_kv_ring #(parameter POS_W = 4) (
    input wire clk, start,
    input wire [19:0] window,
    input wire [POS_W-1:0] pos
);
    wire [POS_W-1:0] write, last, place = window == 0 ? pos : pos % window;
    kv_ring #(.WINDOW(1), .POS_W(POS_W)) dut (
        .clk(clk), .start(start), .window(window), .pos(pos), .ring_pos(place), .write(write), .last(last)
    );

    (* anyconst *) reg [POS_W-1:0] token; // any earlier one, or the token itself
    reg due = 1'b0, seen;
    reg [POS_W-1:0] at, here;
    always @(posedge clk)
        if (start) begin
            due  <= 1'b1;
            seen <= token <= pos && (window == 0 || token + window > pos);
            at   <= window == 0 ? token : token % window;
            here <= place;
        end
    always @*
        assume (window <= 1 << POS_W);
    always @(posedge clk) if (due) begin
        a_write: assert (write == here);
        a_last:  assert (!seen || at <= last);
    end
    // and not more than is there: each place up to `last` is that of a token that is seen
    (* anyconst *) reg [POS_W-1:0] spot;
    reg [POS_W:0] newest;
    reg held = 1'b0;
    always @(posedge clk)
        if (start) begin
            newest = window == 0 ? spot : spot <= place ? pos - place + spot : pos - place - window + spot;
            held  <= spot < (window == 0 ? (1 << POS_W) : window) && (window == 0 ? spot <= pos : spot <= place || pos - place >= window);
        end
    always @(posedge clk)
        no_more: assert (!due || spot > last || held);
    always @(posedge clk)
        c_ring: cover (due && last + 1 == 5 && here == 2);
endmodule

`default_nettype wire
