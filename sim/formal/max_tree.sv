// SPDX-License-Identifier: Apache-2.0
// What max_tree.v promises: LATENCY cycles after `valid`, once, the largest of the values in use and
// the lowest index that has it; both stay until the next.
// probe f_at = dut.at
`default_nettype none

module f_max_tree #(
    parameter N = 5,
    parameter W = 3,
    parameter LEVELS = 1
) (
    input wire clk, rst, valid,
    input wire [N*W-1:0] x,
    input wire [N-1:0] used
);
    localparam INDEX_W = $clog2(N);
    localparam LATENCY = (INDEX_W + LEVELS - 1) / LEVELS;
    (* anyconst *) reg [INDEX_W-1:0] other; // any value
    wire done, busy;
    wire signed [W-1:0] max;
    wire [INDEX_W-1:0] index;
    wire [LATENCY:1] f_at;
    max_tree #(.N(N), .W(W), .LEVELS(LEVELS)) dut (
        .clk(clk), .rst(rst), .valid(valid), .x(x), .used(used), .done(done), .max(max),
        .index(index), .busy(busy)
    );

    // the sets on their way, the oldest last
    reg f_past = 1'b0;
    reg [N*W-1:0] set [0:LATENCY-1];
    reg [N-1:0]   use [0:LATENCY-1];
    reg [LATENCY-1:0] on_way;
    reg signed [W-1:0] max_was;
    reg [INDEX_W-1:0] index_was;
    integer i;
    always @(posedge clk) begin
        f_past <= 1'b1;
        {max_was, index_was} <= {max, index};
        on_way <= rst ? 0 : {on_way, valid};
        set[0] <= x;
        use[0] <= used;
        for (i = 1; i < LATENCY; i = i + 1) begin
            set[i] <= set[i-1];
            use[i] <= use[i-1];
        end
    end
    wire [N*W-1:0] then = set[LATENCY-1];
    wire [N-1:0]   then_used = use[LATENCY-1];
    wire signed [W-1:0] others = then[other*W +: W];
    wire signed [W-1:0] mine   = then[index*W +: W];

    always @* begin
        if (!f_past)
            assume (rst);
        assume (other < N);
        assume (!valid || (used[0] && (used & (used + 1'b1)) == 0)); // ones below zeros
    end
    always @(posedge clk) if (f_past && !rst) begin
        on_time: assert (done == on_way[LATENCY-1]);
        largest: assert (!done || !then_used[other] || max >= others);
        is_one:  assert (!done || (index < N && then_used[index] && max == mine));
        first:   assert (!done || !then_used[other] || others < max || index <= other);
        stays:   assert (done || $past(rst) || {max, index} == {max_was, index_was});
        is_busy: assert (busy == |on_way);
        l_way:   assert (f_at == on_way);
        c_last:  cover (done && index == N - 1);
        c_tie:   cover (done && index == 1 && others == max && other == 2 && then_used[other]);
        c_pipe:  cover (done && $past(done) && max > max_was);
    end
endmodule

`default_nettype wire
