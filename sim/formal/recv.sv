// SPDX-License-Identifier: Apache-2.0
// What recv.v promises: of an instruction of `rows` rows it takes the words that come, each once, in order, the last
// of them as such and no more; it is busy until then; the instruction's facts stay.
// probe all = dut.all
`default_nettype none

module f_recv #(parameter VEC = 2) (
    input wire clk, rst, start, s_valid,
    input wire [19:0] rows,
    input wire [3:0] facts
);
    wire s_ready, take, last, busy;
    wire [19:0] row;
    wire [3:0] kept;
    recv #(.VEC(VEC), .FACTS_W(4)) dut (
        .clk(clk), .rst(rst), .start(start), .rows(rows), .facts(facts), .s_valid(s_valid),
        .s_ready(s_ready), .take(take), .last(last), .row(row), .kept(kept), .busy(busy)
    );

    wire [19:0] all;
    reg f_past = 1'b0;
    reg running;
    reg [19:0] n, taken;    // rows in all, and those that came
    reg [3:0] want;
    always @(posedge clk) begin
        f_past <= 1'b1;
        if (s_valid && s_ready)
            taken <= taken + VEC;
        if (s_valid && s_ready && taken + VEC >= n)
            running <= 1'b0;
        if (start)
            {running, n, taken, want} <= {1'b1, rows, 20'd0, facts};
        if (rst)
            running <= 1'b0;
    end
    always @* begin
        assume (rst == !f_past);
        assume (!start || (!busy && rows >= 1 && rows <= 6));
    end
    always @(posedge clk) if (f_past && !rst) begin
        a_busy:  assert (busy == running && s_ready == running);
        a_take:  assert (take == (running && s_valid));
        a_order: assert (!take || (row == taken && kept == want && last == (taken + VEC >= n)));
        l_all:   assert (!running || (row == taken && all == n && kept == want && n >= 1 && n <= 6 && taken < n));
    end
    always @(posedge clk)
        c_three: cover (f_past && take && last && row == 2 * VEC);
endmodule

`default_nettype wire
