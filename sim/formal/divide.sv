// SPDX-License-Identifier: Apache-2.0
// What divide.v promises: quotient and rest of x by a constant, W + 1 cycles after its start, once.
`default_nettype none

module f_divide #(
    parameter W = 4,
    parameter BY = 3
) (
    input wire clk, rst, start,
    input wire [W-1:0] x
);
    wire done, busy;
    wire [W-1:0] quotient;
    wire [$clog2(BY)-1:0] rest;
    divide #(.W(W), .BY(BY)) dut (
        .clk(clk), .rst(rst), .start(start), .x(x), .done(done), .quotient(quotient),
        .rest(rest), .busy(busy)
    );

    reg f_past = 1'b0, known = 1'b0;
    reg [W-1:0] x0;
    reg [5:0] left = 6'd0; // cycles until done, and it
    always @(posedge clk) begin
        f_past <= 1'b1;
        left   <= left != 0 ? left - 6'd1 : 6'd0;
        if (left == 1)
            known <= 1'b1;
        if (start)
            {x0, left, known} <= {x, 6'd1 + W[5:0], 1'b0};
        if (rst)
            {left, known} <= 0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        assume (!start || left == 0);
    end
    always @(posedge clk) if (f_past) begin
        on_time: assert (done == (left == 1));
        is_busy: assert (busy == (left != 0));
        if (left == 1 || known) begin
            sum:   assert (quotient * BY + rest == x0);
            small: assert (rest < BY);
        end
        c_most: cover (done && x0 == {W{1'b1}} && known == 0);
    end
endmodule

`default_nettype wire
