// SPDX-License-Identifier: Apache-2.0
// What residual.v promises: a word becomes y or sat(old + y), is read back so, no other word is
// touched; `ss` is the sum of squares since word 0 when `done` says so, 3 cycles after the last word.
// The RAM keeps one followed word; squares are joined operands (mul_joined.v).
// probe f_at = dut.u_ram.followed
// probe f_cell = dut.u_ram.word
// probe f_q = dut.u_ram.q
// probe f_hit = dut.u_ram.hit
// probe f_squares = dut.squares
// probe f_first = dut.first_qq
`default_nettype none

module f_residual #(
    parameter VEC = 2,
    parameter RES_W = 4,
    parameter DEPTH = 8,
    parameter ADDR_W = 3,
    parameter SS_W = 14
) (
    input wire clk, rst, valid, add, last, read,
    input wire [ADDR_W-1:0] addr, addr_next, read_addr,
    input wire [VEC*24-1:0] y
);
    wire [VEC*RES_W-1:0] read_data, wrote_data;
    wire wrote, done, busy;
    wire [ADDR_W-1:0] wrote_addr;
    wire [SS_W-1:0] ss;
    residual #(.VEC(VEC), .RES_W(RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .SS_W(SS_W)) dut (
        .clk(clk), .rst(rst), .valid(valid), .add(add), .last(last), .addr(addr),
        .addr_next(addr_next), .y(y), .read(read), .read_addr(read_addr), .read_data(read_data),
        .wrote(wrote), .wrote_addr(wrote_addr), .wrote_data(wrote_data), .ss(ss), .done(done),
        .busy(busy)
    );
    wire [ADDR_W-1:0] f_at;
    wire [VEC*RES_W-1:0] f_cell, f_q;
    wire f_hit, f_first;
    wire [SS_W-1:0] f_squares;
    wire [SS_W-1:0] f_next = (f_first ? {SS_W{1'b0}} : ss) + f_squares;

    (* anyconst *) reg [ADDR_W-1:0] place;      // any word, any element of it
    (* anyconst *) reg [$clog2(VEC)-1:0] lane;
    localparam signed [25:0] MAX = (1 << (RES_W - 1)) - 1;
    reg f_past = 1'b0;
    reg known;
    reg signed [RES_W-1:0] held;
    reg [ADDR_W-1:0] next_was, addr1, addr2;
    reg read_was, v1, v2, v3, l1, l2, l3;
    wire signed [25:0] old  = add ? held : 0;
    wire signed [23:0] row  = y[lane*24 +: 24];
    wire signed [25:0] wide = old + row;
    wire signed [RES_W-1:0] new_ = wide > MAX ? MAX : wide < -MAX - 1 ? -MAX - 1 : wide;
    // a word's "squares", when it was written, and their sum since word 0
    function [SS_W-1:0] squares(input [VEC*RES_W-1:0] word);
        integer i;
        begin
            squares = 0;
            for (i = 0; i < VEC; i = i + 1)
                squares = squares + {word[i*RES_W +: RES_W], word[i*RES_W +: RES_W]};
        end
    endfunction
    reg [SS_W-1:0] sum1, sum2; // one and two cycles after the word was written
    reg begun1, begun2; // since a word 0
    wire [SS_W-1:0] sum_now = (wrote_addr == 0 ? {SS_W{1'b0}} : sum1) + squares(wrote_data);

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (valid && addr == place && (!add || known))
            {known, held} <= {1'b1, new_};
        {next_was, read_was} <= {addr_next, read};
        {addr1, addr2} <= {addr, addr1};
        {v1, v2, v3} <= {valid, v1, v2};
        {l1, l2, l3} <= {last, l1, l2};
        if (wrote)
            {begun1, sum1} <= {begun1 || wrote_addr == 0, sum_now};
        begun2 <= begun1;
        sum2 <= sum1;
        if (rst)
            {known, v1, v2, v3, begun1, begun2} <= 6'd0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!valid && !read);
        assume (f_at == place);
        if (valid) begin
            // the drain announces a row; RMSNorm reads when nothing is added
            assume (addr == next_was);
            assume (!add || !read_was);
            // rows of a matrix differ, and NORM stands between two matrices
            assume (!add || !((v1 && addr1 == addr) || (v2 && addr2 == addr)));
        end
    end

    reg due;
    reg signed [RES_W-1:0] held1;
    always @(posedge clk) begin
        // a word can be read two cycles after it came
        due <= read && read_addr == place && known && !rst
               && !(v1 && addr1 == place) && !(valid && addr == place);
        held1 <= held;
        if (f_past && !rst) begin
            writes:    assert (wrote == v1 && (!wrote || wrote_addr == addr1));
            its_value: assert (!(wrote && wrote_addr == place && known)
                               || wrote_data[lane*RES_W +: RES_W] == held);
            reads:     assert (!due || read_data[lane*RES_W +: RES_W] == held1 || v2 && addr2 == place);
            on_time:   assert (done == (v3 && l3));
            sum:       assert (!(done && begun2) || ss == sum2);
            is_busy:   assert (busy == (valid || v1 || v2 || v3 && l3));
            l_cell: assert (!known || (v1 && addr1 == place) || f_cell[lane*RES_W +: RES_W] == held);
            l_mid:  assert (!begun1 || (v2 ? f_next : ss) == sum1);
            l_ss:   assert (!(v3 && begun2) || ss == sum2);
        end
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_add:  cover (valid && add && known && addr == place && held == 5 && new_ == 7 && row < 100);
        c_read: cover (due && held1 == -8);
        c_done: cover (done && begun2 && v1 && v2);
    end
endmodule

`default_nettype wire
