// SPDX-License-Identifier: Apache-2.0
// Index of the largest logit, the lowest index on a tie. VEC logits a cycle; `done` 2 cycles after
// the last ones, `best` valid with it. Rows at or beyond `rows` do not take part.
`default_nettype none

module argmax #(
    parameter VEC = 8,
    parameter TOKEN_W = 9
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               valid,
    input  wire               last,
    input  wire [19:0]        row,
    input  wire [19:0]        rows,
    input  wire [VEC*24-1:0]  y,

    output reg                done,
    output reg  [TOKEN_W-1:0] best,
    output wire               busy
);
    localparam LANE_W = $clog2(VEC);

    // {value, lane} of the largest of VEC; a later lane must be strictly larger to win
    function [LANE_W+23:0] largest(input [VEC*24-1:0] values, input [19:0] used);
        integer i;
        reg signed [23:0] top;
        begin
            top = values[23:0];
            largest = {values[23:0], {LANE_W{1'b0}}};
            for (i = 1; i < VEC; i = i + 1)
                if (i < used && $signed(values[i*24 +: 24]) > top) begin
                    top = values[i*24 +: 24];
                    largest = {values[i*24 +: 24], i[LANE_W-1:0]};
                end
        end
    endfunction

    reg               v1, last1, first1;
    reg [LANE_W+23:0] winner;
    reg [19:0]        row1;
    reg signed [23:0] top;
    wire signed [23:0] challenger = winner[LANE_W+23:LANE_W];
    wire [19:0]        place      = row1 + {{(20-LANE_W){1'b0}}, winner[LANE_W-1:0]};

    always @(posedge clk) begin
        v1     <= valid;
        last1  <= last;
        first1 <= row == 20'd0;
        row1   <= row;
        if (valid)
            winner <= largest(y, rows - row);
        if (v1 && (first1 || challenger > top)) begin
            top  <= challenger;
            best <= place[TOKEN_W-1:0];
        end
        done <= v1 && last1;
        if (rst)
            {v1, done} <= 2'b00;
    end

    assign busy = valid | v1 | done;

    wire unused_place = &{1'b0, place};
endmodule

`default_nettype wire
