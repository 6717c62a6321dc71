// SPDX-License-Identifier: Apache-2.0
// x / BY and x % BY of an unsigned x by a constant, a bit a cycle: `done` and both results come
// W + 1 cycles after `start`, and the results stay until the next start.
`default_nettype none

module divide #(
    parameter W = 9,
    parameter BY = 24       // at least 2
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  start,
    input  wire [W-1:0]          x,
    output reg                   done,
    output reg  [W-1:0]          quotient,
    output reg  [$clog2(BY)-1:0] rest,
    output wire                  busy
);
    localparam REST_W = $clog2(BY);
    localparam [REST_W:0] BY_WIDE = BY;

    reg  [W-1:0]    left; // bit k: a step is due, k of them after it
    wire [REST_W:0] top  = {rest, quotient[W-1]};
    wire            fits = top >= BY_WIDE;
    wire [REST_W:0] less = top - BY_WIDE;

    always @(posedge clk) begin
        done <= left[0];
        left <= left >> 1;
        if (left != {W{1'b0}}) begin
            quotient <= (quotient << 1) | {{(W-1){1'b0}}, fits};
            rest     <= fits ? less[REST_W-1:0] : top[REST_W-1:0];
        end
        if (start) begin
            left     <= {1'b1, {(W-1){1'b0}}};
            quotient <= x;
            rest     <= {REST_W{1'b0}};
        end
        if (rst)
            {left, done} <= {(W+1){1'b0}};
    end

    assign busy = left != {W{1'b0}} | done;

    wire unused_bits = &{1'b0, less};
endmodule

`default_nettype wire
