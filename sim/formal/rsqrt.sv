// SPDX-License-Identifier: Apache-2.0
// What rsqrt.v promises: r, k and the tag of an operand SCALAR + TABLE clocks after it, foretold by one and by
// two clocks, and kept until the next ones; operands in any rhythm, one a clock at most.
// The product is joined operands, the rounding a marked one, the table names its address.
`default_nettype none

module f_rsqrt #(
    parameter W = 18,
    parameter TAG_W = 2,
    parameter SCALAR = 3,
    parameter TABLE = 1
) (
    input wire clk, rst, valid,
    input wire [W-1:0] total,
    input wire [TAG_W-1:0] tag
);
    localparam LATE = SCALAR + TABLE;
    wire r_soon, r_comes, busy;
    wire [15:0] r;
    wire [4:0] k;
    wire [TAG_W-1:0] r_tag;
    rsqrt #(.W(W), .TAG_W(TAG_W), .SCALAR(SCALAR), .TABLE(TABLE)) dut (
        .clk(clk), .rst(rst), .valid(valid), .total(total), .tag(tag), .r_soon(r_soon),
        .r_comes(r_comes), .r(r), .k(k), .r_tag(r_tag), .busy(busy)
    );

    wire [15:0] r_in;
    wire [4:0]  k_in;
    rsqrt_want #(.W(W)) want (.total(total), .r(r_in), .k(k_in));

    integer i;
    reg f_past = 1'b0, known;
    reg [LATE-1:0] there;                    // an operand, so many clocks ago and one
    reg [20+TAG_W:0] past [0:LATE-1];        // r, k and tag of it
    reg [20+TAG_W:0] last;                   // of the last one that is out
    wire [20+TAG_W:0] now = there[LATE-1] ? past[LATE-1] : last;
    always @(posedge clk) begin
        f_past <= 1'b1;
        there  <= {there[LATE-2:0], valid};
        past[0] <= {r_in, k_in, tag};
        for (i = 1; i < LATE; i = i + 1)
            past[i] <= past[i-1];
        last <= now;
        known <= known || there[LATE-1];
        if (rst)
            {there, known} <= {(LATE+1){1'b0}};
    end
    always @* begin
        assume (rst == !f_past);
        assume (!valid || total != {W{1'b0}});
    end
    always @(posedge clk) if (f_past && !rst) begin
        its_own: assert (!(known || there[LATE-1]) || {r, k, r_tag} == now);
        comes:   assert (r_comes == there[LATE-2]);
        soon:    assert (r_soon == there[LATE-3]);
        is_busy: assert (busy == (there != {LATE{1'b0}}));
    end
    always @(posedge clk)
        three: cover (f_past && &there[LATE-1:LATE-3] && k == 5'd8);
endmodule

`default_nettype wire
