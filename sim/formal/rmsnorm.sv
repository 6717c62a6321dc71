// SPDX-License-Identifier: Apache-2.0
// What rmsnorm.v promises: from `start` on, at fixed times, every word is read once, in order, meets
// its gain, and leaves as y with its number; r and k come from ss + eps as of the start.
// Products are joined operands, roundings marked ones, saturations folded, the table names its
// address: the way of every
// operand is proven, the arithmetic is leaf.sv's matter.
`default_nettype none

module f_rmsnorm #(
    parameter VEC = 2,
    parameter RES_W = 4,
    parameter ACT_W = 6,
    parameter SS_W = 32,
    parameter ADDR_W = 2,
    parameter GAIN_ADDR_W = 3
) (
    input wire clk, rst, start,
    input wire [31:0] eps,
    input wire [5:0] shift,
    input wire [ADDR_W-1:0] last_word,
    input wire [GAIN_ADDR_W-1:0] gain_base,
    input wire [SS_W-1:0] ss,
    input wire [VEC*RES_W-1:0] read_data,
    input wire [VEC*16-1:0] gain_data
);
    wire read, y_valid, busy;
    wire [ADDR_W-1:0] read_addr, y_word;
    wire gain_read;
    wire [GAIN_ADDR_W-1:0] gain_addr;
    wire [VEC*ACT_W-1:0] y;
    rmsnorm #(
        .VEC(VEC), .RES_W(RES_W), .ACT_W(ACT_W), .SS_W(SS_W), .ADDR_W(ADDR_W),
        .GAIN_ADDR_W(GAIN_ADDR_W)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .eps(eps), .shift(shift), .last_word(last_word),
        .gain_base(gain_base), .ss(ss), .read(read), .read_addr(read_addr),
        .read_data(read_data), .gain_read(gain_read), .gain_addr(gain_addr), .gain_data(gain_data), .y_valid(y_valid),
        .y_word(y_word), .y(y), .busy(busy)
    );

    (* anyconst *) reg [$clog2(VEC)-1:0] lane;
    reg f_past = 1'b0;
    reg [4:0] t;                  // cycles since start; 0: idle
    reg [SS_W:0] total;
    reg [5:0] shift0;
    reg [ADDR_W-1:0] last0;
    reg [GAIN_ADDR_W-1:0] base0;
    wire running = t != 0 && t <= 8 + last0;

    wire [15:0] r;
    wire [4:0] k;
    rsqrt_want #(.W(SS_W + 1)) want (.total(total), .r(r), .k(k));
    reg [15:0] r0;
    reg [4:0] k0;

    // one element's way: x (its data cycle) | xr | t | tg | y
    wire [RES_W-1:0] x = read_data[lane*RES_W +: RES_W];
    reg signed [RES_W+18:0] xr1;
    reg signed [17:0] t2;
    reg [15:0] gain2;
    reg signed [33:0] tg3;
    reg signed [ACT_W-1:0] y4;
    wire signed [RES_W+18:0] xr_marked = xr1 ^ {{(RES_W+14){1'b0}}, k0};
    wire signed [33:0] tg_marked = tg3 ^ {28'd0, shift0};
    function [17:0] fold18(input [RES_W+18:0] x_in);
        integer j;
        begin
        fold18 = 0;
        for (j = 0; j < RES_W + 19; j = j + 18)
            fold18 = fold18 ^ (x_in >> j);
        end
    endfunction
    function [ACT_W-1:0] fold_y(input [33:0] x_in);
        integer j;
        begin
        fold_y = 0;
        for (j = 0; j < 34; j = j + ACT_W)
            fold_y = fold_y ^ (x_in >> j);
        end
    endfunction
    wire [4:0] read_word = t - 5'd3, gain_word = t - 5'd4, y_now = t - 5'd8;
    wire [GAIN_ADDR_W-1:0] gain_here = base0 + gain_word;

    always @(posedge clk) begin
        f_past <= 1'b1;
        t <= start ? 5'd1 : t >= 8 + last0 ? 5'd0 : t == 0 ? 5'd0 : t + 5'd1;
        if (start)
            {total, shift0, last0, base0} <= {{1'b0, ss} + eps, shift, last_word, gain_base};
        if (t == 3)
            {r0, k0} <= {r, k};
        xr1 <= {x, 1'b0, r0, 2'b00};
        t2  <= fold18(xr_marked);
        gain2 <= gain_data[lane*16 +: 16];
        tg3 <= {t2, gain2};
        y4  <= fold_y(tg_marked);
        if (rst)
            t <= 5'd0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst || running)
            assume (!start);
    end

    always @(posedge clk) if (f_past && !rst) begin
        reads:    assert (read == (t >= 3 && t <= 3 + last0));
        in_order: assert (!read || read_addr == read_word);
        gain:     assert (!(t >= 4 && t <= 4 + last0) || gain_addr == gain_here);
        at_rest:  assert (gain_read == (t >= 4 && t <= 4 + last0));
        on_time:  assert (y_valid == (t >= 8 && t <= 8 + last0));
        number:   assert (!y_valid || y_word == y_now);
        value:    assert (!y_valid || y[lane*ACT_W +: ACT_W] == y4);
        is_busy:  assert (busy == running);
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_one:   cover (y_valid && last0 == 0 && y4 == 5);
        c_four:  cover (y_valid && y_now == 3);
        c_again: cover (start && $past(y_valid && f_past));
        c_k:     cover (t == 4 && k0 == 16);
    end
endmodule

`default_nettype wire
