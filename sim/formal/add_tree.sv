// SPDX-License-Identifier: Apache-2.0
// What add_tree.v promises with pipe.v before it: STAGES clocks after a set of operands, once, their sum,
// with the set's tag. No register feeds an earlier one, so a depth beyond the latency sees all there is to
// see.
`default_nettype none

module f_add_tree #(
    parameter N = 4,
    parameter W = 4,
    parameter OUT_W = 6,
    parameter LEVELS = 1,
    parameter STAGES = ($clog2(N) + LEVELS - 1) / LEVELS
) (
    input wire clk, rst, valid,
    input wire [2:0] tag,
    input wire [N*W-1:0] x
);
    wire sum_valid, busy;
    wire [STAGES:0] move;
    wire [2:0] sum_tag;
    wire signed [OUT_W-1:0] sum;
    pipe #(.STAGES(STAGES), .TAG_W(3)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .move(move), .out_valid(sum_valid),
        .out_tag(sum_tag), .busy(busy)
    );
    add_tree #(.N(N), .W(W), .OUT_W(OUT_W), .LEVELS(LEVELS), .STAGES(STAGES)) dut (
        .clk(clk), .move(move[STAGES-1:0]), .x(x), .sum(sum)
    );

    reg [STAGES-1:0]     f_valid = 0;
    reg [STAGES*3-1:0]   f_tag;
    reg [STAGES*N*W-1:0] f_x;
    reg f_past = 1'b0;
    always @(posedge clk) begin
        f_past  <= 1'b1;
        f_valid <= rst ? 0 : {f_valid, valid};
        f_tag   <= {f_tag, tag};
        f_x     <= {f_x, x};
    end
    wire [N*W-1:0] x_out = f_x[STAGES*N*W-1 -: N*W];
    reg signed [OUT_W-1:0] want;
    integer i;
    always @* begin
        want = 0;
        for (i = 0; i < N; i = i + 1)
            want = want + $signed(x_out[i*W +: W]);
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!valid);
    end
    always @(posedge clk) if (f_past && !rst) begin
        on_time:  assert (sum_valid == f_valid[STAGES-1]);
        sum_is:   assert (!sum_valid || sum == want);
        tag_is:   assert (!sum_valid || sum_tag == f_tag[STAGES*3-1 -: 3]);
        is_busy:  assert (busy == |f_valid);
        c_low:    cover (sum_valid && x_out == {N{{1'b1, {(W-1){1'b0}}}}});
        c_second: cover (sum_valid && $past(sum_valid) && sum != $past(sum));
    end
endmodule

`default_nettype wire
