// SPDX-License-Identifier: Apache-2.0
// N registers one after the other, as many as the latency table wants; 0: wires. `en` comes from pipe.v:
// a register takes only what somebody waits for. Where an operand is registered again it is always 1: a multiplier's own
// register then needs no enable (sim/board/absorb.py), and what comes in moves no more often than its first register.
`default_nettype none

module stage #(
    parameter N = 1,
    parameter W = 8
) (
    input  wire                     clk,
    input  wire [(N > 0 ? N : 1)-1:0] en,
    input  wire [W-1:0]             d,
    output wire [W-1:0]             q
);
    genvar i;
    generate
        if (N > 0) begin : g_register
            for (i = 0; i < N; i = i + 1) begin : g_at
                reg [W-1:0] d_q;
                if (i == 0) begin : g_first
                    always @(posedge clk)
                        if (en[i])
                            d_q <= d;
                end else begin : g_next
                    always @(posedge clk)
                        if (en[i])
                            d_q <= g_at[i-1].d_q;
                end
            end
            assign q = g_at[N-1].d_q;
        end else begin : g_wire
            assign q = d;
            wire unused_clock = &{1'b0, clk, en};
        end
    endgenerate
endmodule

`default_nettype wire
