// SPDX-License-Identifier: Apache-2.0
// Index of the highest set bit; 0 for x = 0 and x = 1. By halving; CUT = 1: a register in the middle, which
// takes what is there with `en`; otherwise combinational.
`default_nettype none

module msb #(
    parameter W = 64,
    parameter I_W = 6, // 2^I_W >= W; 2 or more
    parameter CUT = 0
) (
    input  wire           clk,
    input  wire           en,
    input  wire [W-1:0]   x,
    output wire [I_W-1:0] index
);
    localparam LOW = I_W / 2, HIGH = I_W - LOW, REST_W = 1 << LOW;

    reg [(1<<I_W)-1:0] rest;
    reg [HIGH-1:0]     high;
    reg [LOW-1:0]      low;
    reg [REST_W-1:0]   last;
    wire [REST_W-1:0]  half; // of which the low bits are the index
    wire [HIGH-1:0]    high_q;
    integer k;

    always @* begin
        rest = {{((1 << I_W) - W){1'b0}}, x};
        high = {HIGH{1'b0}};
        for (k = HIGH - 1; k >= 0; k = k - 1)
            if ((rest >> (REST_W << k)) != 0) begin
                high[k] = 1'b1;
                rest    = rest >> (REST_W << k);
            end
    end
    stage #(.N(CUT), .W(REST_W + HIGH)) u_cut (
        .clk(clk), .en(en), .d({rest[REST_W-1:0], high}), .q({half, high_q})
    );
    always @* begin
        last = half;
        low  = {LOW{1'b0}};
        for (k = LOW - 1; k >= 0; k = k - 1)
            if ((last >> (1 << k)) != 0) begin
                low[k] = 1'b1;
                last   = last >> (1 << k);
            end
    end
    assign index = {high_q, low};
endmodule

`default_nettype wire
