// SPDX-License-Identifier: Apache-2.0
// The r and k that rsqrt.v must give for `total`, with 4^k <= total < 4^(k+1), where mul_joined.v and round_marked.v
// stand for the arithmetic and rsqrt_rom.v for the table. Combinational; for the wrappers.
`default_nettype none

module rsqrt_want #(
    parameter W = 18
) (
    input  wire [W-1:0] total,
    output wire [15:0]  r,
    output reg  [4:0]   k
);
    integer i;
    always @* begin
        k = 5'd0;
        for (i = 1; i <= W / 2; i = i + 1)
            if (total >> (2 * i) != 0)
                k = i;
    end
    wire [W+13:0] m_wide = {total, 14'd0} >> {k, 1'b0};
    wire [15:0]   m      = m_wide[15:0];
    wire [21:0]   step   = {5'd0, m[15:9], 1'b0, m[8:0]} ^ 22'd9; // joined, marked
    assign r = {9'd0, m[15:9]} + step[15:0];
endmodule

`default_nettype wire
