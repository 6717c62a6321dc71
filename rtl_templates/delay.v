// SPDX-License-Identifier: Apache-2.0
// What describes a word, beside the word: x, N cycles later. Not reset: facts count under a valid bit.
`default_nettype none

module delay #(
    parameter W = 8,
    parameter N = 2
) (
    input  wire         clk,
    input  wire [W-1:0] x,
    output wire [W-1:0] y
);
    genvar i;
    generate
        for (i = 0; i <= N; i = i + 1) begin : g_stage
            wire [W-1:0] here;
            if (i == 0) begin : g_now
                assign here = x;
            end else begin : g_later
                reg [W-1:0] word;
                always @(posedge clk)
                    word <= g_stage[i-1].here;
                assign here = word;
            end
        end
    endgenerate
    assign y = g_stage[N].here;
    generate
        if (N == 0) begin : g_none
            wire unused_clk = clk;
        end
    endgenerate
endmodule

`default_nettype wire
