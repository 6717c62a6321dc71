// SPDX-License-Identifier: Apache-2.0
// Sum of N signed numbers, by halving: adders of two operands each, which is half the LUTs of one
// expression of N (Yosys makes full adders of that).
//
// A register follows every LEVELS levels of addition and the last one, so that a sum comes
// STAGES = ceil(log2(N) / LEVELS) clocks after its operands; one set of operands a clock. `move[k]`
// says that stage k takes a set (pipe.v). OUT_W holds any sum, or the sum is taken modulo 2^OUT_W.
`default_nettype none

module add_tree #(
    parameter N = 8,           // 2 or more
    parameter W = 16,
    parameter OUT_W = 19,      // W or more
    parameter LEVELS = 1,
    parameter STAGES = 3       // derived
) (
    input  wire                    clk,
    input  wire [STAGES-1:0]       move,
    input  wire [N*W-1:0]          x,      // signed
    output wire signed [OUT_W-1:0] sum
);
    localparam DEPTH = $clog2(N);

    generate
        if (STAGES != (DEPTH + LEVELS - 1) / LEVELS || OUT_W < W || N < 2) begin : g_check
            stages_is_levels_by_register u_error ();
        end
    endgenerate

    // level 0 holds the operands, level DEPTH the sum; a node without a partner is passed on
    genvar level, i;
    generate
        for (level = 0; level <= DEPTH; level = level + 1) begin : g_level
            localparam NODES = (N + (1 << level) - 1) >> level;
            localparam BELOW = level == 0 ? N : (N + (1 << level) / 2 - 1) >> (level > 0 ? level - 1 : 0);
            localparam STAGE = (level + LEVELS - 1) / LEVELS; // registers up to here
            for (i = 0; i < NODES; i = i + 1) begin : g_node
                wire signed [OUT_W-1:0] node;
                if (level == 0) begin : g_operand
                    assign node = {{(OUT_W-W+1){x[i*W+W-1]}}, x[i*W +: W-1]};
                end else begin : g_sum
                    wire signed [OUT_W-1:0] both;
                    if (2 * i + 1 < BELOW) begin : g_pair
                        assign both = g_level[level-1].g_node[2*i].node
                                    + g_level[level-1].g_node[2*i+1].node;
                    end else begin : g_single
                        assign both = g_level[level-1].g_node[2*i].node;
                    end
                    if (level % LEVELS == 0 || level == DEPTH) begin : g_register
                        reg signed [OUT_W-1:0] both_q;
                        always @(posedge clk)
                            if (move[STAGE-1])
                                both_q <= both;
                        assign node = both_q;
                    end else begin : g_wire
                        assign node = both;
                    end
                end
            end
        end
    endgenerate

    assign sum = g_level[DEPTH].g_node[0].node;
endmodule

`default_nettype wire
