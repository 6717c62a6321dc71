// SPDX-License-Identifier: Apache-2.0
// What max_tree.v promises: LATENCY cycles after a set, once, the value and index of the lowest of its
// largest used candidates, with its tag. No register feeds an earlier one, so a depth beyond the latency
// sees all there is to see.
`default_nettype none

module f_max_tree #(
    parameter N = 4,
    parameter W = 4,
    parameter LEVELS = 1
) (
    input wire clk, rst, valid,
    input wire [2:0] tag,
    input wire [N-1:0] used,
    input wire [N*W-1:0] x
);
    localparam LATENCY = ($clog2(N) + LEVELS - 1) / LEVELS;
    wire max_valid, busy;
    wire [2:0] max_tag;
    wire signed [W-1:0] max;
    wire [$clog2(N)-1:0] index;
    max_tree #(.N(N), .W(W), .LEVELS(LEVELS), .TAG_W(3)) dut (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .used(used), .x(x),
        .max_valid(max_valid), .max_tag(max_tag), .max(max), .index(index), .busy(busy)
    );

    // the sets on their way; the oldest is the one that leaves
    reg [LATENCY-1:0]     f_valid = 0;
    reg [LATENCY*3-1:0]   f_tag;
    reg [LATENCY*N-1:0]   f_used;
    reg [LATENCY*N*W-1:0] f_x;
    reg f_past = 1'b0;
    always @(posedge clk) begin
        f_past  <= 1'b1;
        f_valid <= rst ? 0 : {f_valid, valid};
        f_tag   <= {f_tag, tag};
        f_used  <= {f_used, used};
        f_x     <= {f_x, x};
    end
    wire [2:0]     tag_out  = f_tag[LATENCY*3-1 -: 3];
    wire [N-1:0]   used_out = f_used[LATENCY*N-1 -: N];
    wire [N*W-1:0] x_out    = f_x[LATENCY*N*W-1 -: N*W];
    (* anyconst *) reg [$clog2(N)-1:0] other; // any candidate
    wire signed [W-1:0] rival = x_out[other*W +: W], claimed = x_out[index*W +: W];

    always @* begin
        if (!f_past)
            assume (rst);
        assume (!valid || used != 0);
        assume (other < N);
    end
    always @(posedge clk) if (f_past && !rst) begin
        on_time: assert (max_valid == f_valid[LATENCY-1]);
        is_busy: assert (busy == (f_valid != 0));
        if (max_valid) begin
            its_tag: assert (max_tag == tag_out);
            in_use:  assert (index < N && used_out[index]);
            value:   assert (max == claimed);
            largest: assert (!used_out[other] || rival <= max);
            first:   assert (!used_out[other] || rival != max || index <= other);
        end
        c_high: cover (max_valid && index == N - 1 && max < 0);
        c_tie:  cover (max_valid && used_out[other] && other > index && rival == max);
    end
endmodule

`default_nettype wire
