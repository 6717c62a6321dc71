// SPDX-License-Identifier: Apache-2.0
// What head_walk.v promises: groups 0 to last_group of head 0, then of head 1, to the last one of `heads`, a step each;
// head h reads the rows of the cache from row_base + h / group_heads * row_step on; then it is not active.
`default_nettype none

module f_head_walk #(
    parameter ROW_W = 4,
    parameter GROUP_W = 2,
    parameter ROW_GROUP_W = 1,
    parameter HEAD_W = 3
) (
    input wire clk, rst, start, step,
    input wire [ROW_W-1:0] row_base
);
    (* anyconst *) reg [HEAD_W-1:0] heads, group_heads;
    (* anyconst *) reg [ROW_W-1:0] row_step;
    (* anyconst *) reg [GROUP_W:0] last_group;
    (* anyseq *) reg [GROUP_W:0] another; // before the clock after start
    wire active, first, last;
    wire [HEAD_W-1:0] head;
    wire [GROUP_W:0] group;
    wire [ROW_W+ROW_GROUP_W-1:0] addr;
    head_walk #(.ROW_W(ROW_W), .GROUP_W(GROUP_W), .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W)) dut (
        .clk(clk), .rst(rst), .start(start), .heads(heads), .group_heads(group_heads), .row_step(row_step),
        .row_base(row_base), .last_group(running ? last_group : another), .step(step), .active(active), .head(head), .group(group),
        .first(first), .last(last), .addr(addr)
    );

    reg f_past = 1'b0, running, fresh; // fresh: the first clock after start
    reg [7:0] steps; // since the start
    reg [ROW_W-1:0] base;
    wire [7:0] groups = last_group + 1, at_head = steps / groups, at_group = steps % groups;
    wire [ROW_W-1:0] row = base + at_head / group_heads * row_step + (at_group >> ROW_GROUP_W);
    always @(posedge clk) begin
        f_past <= 1'b1;
        fresh  <= start;
        if (step)
            steps <= steps + 1;
        if (step && steps + 1 == heads * groups)
            running <= 1'b0;
        if (start)
            {running, steps, base} <= {1'b1, 8'd0, row_base};
        if (rst)
            running <= 1'b0;
    end
    always @* begin
        assume (rst == !f_past);
        assume (heads >= 1 && group_heads >= 1 && last_group < 1 << GROUP_W);
        assume (!start || !active);
        assume (!step || (active && !fresh));
    end
    always @(posedge clk) if (f_past && !rst) begin
        a_active: assert (active == running);
        a_place:  assert (!running || (head == at_head && group == at_group));
        a_ends:   assert (!running || fresh || (first == (at_group == 0) && last == (at_group == last_group)));
        a_addr:   assert (!running || addr == {row, at_group[ROW_GROUP_W-1:0]});
    end
    always @(posedge clk)
        c_shared: cover (f_past && !active && steps == 6 && heads == 3 && group_heads == 2 && row_step == 2);
endmodule

`default_nettype wire
