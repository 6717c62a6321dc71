// SPDX-License-Identifier: Apache-2.0
// What residual.v promises: a word becomes y or sat(old + y), is read back so, no other word is
// touched; `ss` is the sum of squares since word 0 when `done` says so, D cycles after the last word.
// The RAM keeps one followed word; squares are joined operands (mul_joined.v).
// probe f_at = dut.u_ram.followed
// probe f_cell = dut.u_ram.word
// probe f_q = dut.u_ram.q
// probe f_hit = dut.u_ram.hit
`default_nettype none

module f_residual #(
    parameter VEC = 2,
    parameter RES_W = 4,
    parameter DEPTH = 8,
    parameter ADDR_W = 3,
    parameter SS_W = 14,
    parameter SQUARE = 1
) (
    input wire clk, rst, valid, last, read, soon,
    input wire [ADDR_W-1:0] addr, addr_soon, read_addr,
    input wire [VEC*24-1:0] y
);
    wire [VEC*RES_W-1:0] read_data, wrote_data;
    wire wrote, done, busy;
    wire [ADDR_W-1:0] wrote_addr;
    wire [SS_W-1:0] ss;
    residual #(.VEC(VEC), .RES_W(RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .SS_W(SS_W), .SQUARE(SQUARE)) dut (
        .clk(clk), .rst(rst), .valid(valid), .last(last), .addr(addr),
        .soon(soon), .addr_soon(addr_soon), .y(y), .read(read), .read_addr(read_addr), .read_data(read_data),
        .wrote(wrote), .wrote_addr(wrote_addr), .wrote_data(wrote_data), .ss(ss), .done(done),
        .busy(busy)
    );
    wire [ADDR_W-1:0] f_at;
    wire [VEC*RES_W-1:0] f_cell, f_q;
    wire f_hit;
    localparam TREE = $clog2(2 * VEC), D = 2 + SQUARE + TREE, LO = RES_W / 2, HI = RES_W - LO;

    (* anyconst *) reg [ADDR_W-1:0] place;      // any word, any element of it
    (* anyconst *) reg [$clog2(VEC)-1:0] lane;
    localparam signed [25:0] MAX = (1 << (RES_W - 1)) - 1;
    reg f_past = 1'b0;
    reg rst1;
    reg known;
    reg signed [RES_W-1:0] held;
    reg [ADDR_W-1:0] soon1_at, soon2_at, addr1, addr2, addr3;
    reg read1, read2, soon1, soon2, v1, v2, v3; // of the clocks before
    reg [D-1:0] v, l;                       // rows, last rows of the last clocks
    wire add = soon2;                       // what was announced two clocks before
    wire signed [25:0] old  = add ? held : 0;
    wire signed [23:0] row  = y[lane*24 +: 24];
    wire signed [25:0] wide = old + row;
    wire signed [RES_W-1:0] new_ = wide > MAX ? MAX : wide < -MAX - 1 ? -MAX - 1 : wide;
    // a word's "squares", when it was written, and their sum since word 0
    function [SS_W-1:0] squares(input [VEC*RES_W-1:0] word);
        integer i;
        reg [LO:0] lo;
        reg [HI-1:0] hi;
        reg [2*LO+1:0] ll;
        reg signed [HI+LO:0] mixed;
        reg signed [SS_W-1:0] wide;
        begin
            squares = 0;
            for (i = 0; i < VEC; i = i + 1) begin
                lo = {1'b0, word[i*RES_W +: LO]};
                hi = word[i*RES_W+LO +: HI];
                ll = {lo, lo};
                mixed = {hi, lo};
                wide = mixed;
                squares = squares + {hi, hi, ll[2*LO-1:0]} + (wide <<< (LO + 1));
            end
        end
    endfunction
    reg [SS_W-1:0] sum1;              // a cycle after the word was written
    reg begun1;                       // since a word 0
    localparam WAY = TREE + SQUARE;
    reg [WAY*SS_W-1:0] sums;          // of the clocks before
    reg [WAY-1:0] begun;
    wire [SS_W-1:0] sum_d = sums[(WAY-1)*SS_W +: SS_W];
    wire begun_d = begun[WAY-1];
    wire [SS_W-1:0] sum_now = (wrote_addr == 0 ? {SS_W{1'b0}} : sum1) + squares(wrote_data);

    always @(posedge clk) begin
        f_past <= 1'b1;
        rst1 <= rst;
        if (valid && addr == place && (!add || known))
            {known, held} <= {1'b1, new_};
        {soon1_at, read1, soon1} <= {addr_soon, read, soon};
        {soon2_at, read2, soon2} <= {soon1_at, read1, soon1};
        {addr1, addr2, addr3} <= {addr, addr1, addr2};
        {v1, v2, v3} <= {valid, v1, v2};
        v <= {v, valid};
        l <= {l, last};
        if (wrote)
            {begun1, sum1} <= {begun1 || wrote_addr == 0, sum_now};
        begun <= {begun, begun1};
        sums <= {sums, sum1};
        if (rst)
            {known, v1, v2, v3, v, begun1, begun, soon1, soon2} <= 0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!valid && !read);
        if (rst1)
            assume (!valid); // the drain's rows are registers that a reset clears
        assume (f_at == place);
        if (valid) begin
            // the drain announces a row that is added; RMSNorm reads when nothing is added
            assume (!add || addr == soon2_at);
            assume (!add || !read2);
            // rows of a matrix differ, and NORM stands between two matrices
            assume (!add || !((v1 && addr1 == addr) || (v2 && addr2 == addr) || (v3 && addr3 == addr)));
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
            on_time:   assert (done == (v[D-1] && l[D-1]));
            sum:       assert (!(done && begun_d) || ss == sum_d);
            is_busy:   assert (busy == (valid || |v[D-2:0] || v[D-1] && l[D-1]));
            l_cell: assert (!known || (v1 && addr1 == place) || f_cell[lane*RES_W +: RES_W] == held);
            l_ss:   assert (!begun_d || ss == sum_d);
        end
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_add:  cover (valid && add && known && addr == place && held == 5 && new_ == 7 && row < 100);
        c_read: cover (due && held1 == -8);
        c_done: cover (done && begun_d && v1 && v2);
    end
endmodule

`default_nettype wire
