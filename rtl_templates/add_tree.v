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

    // Level 0 holds the operands, level DEPTH the sum; a node without a partner is passed on. Nodes are as
    // wide as their level needs, extended by hand: what Yosys takes for an unsigned sum that may overflow
    // stays an adder of its own.
    genvar level, i;
    generate
        for (level = 0; level <= DEPTH; level = level + 1) begin : g_level
            localparam NODES = (N + (1 << level) - 1) >> level;
            localparam BELOW = level == 0 ? N : (N + (1 << level) / 2 - 1) >> (level > 0 ? level - 1 : 0);
            localparam STAGE = (level + LEVELS - 1) / LEVELS; // registers up to here
            localparam HERE  = W + level < OUT_W ? W + level : OUT_W;
            localparam MORE  = level > 0 && W + level <= OUT_W ? 1 : 0; // bits than a level below
            for (i = 0; i < NODES; i = i + 1) begin : g_node
                wire [HERE-1:0] node;
                if (level == 0) begin : g_operand
                    assign node = x[i*W +: W];
                end else begin : g_sum
                    wire [HERE-1:0] left, right, both;
                    if (MORE != 0) begin : g_wider
                        assign left = {g_level[level-1].g_node[2*i].node[HERE-2],
                                       g_level[level-1].g_node[2*i].node};
                    end else begin : g_same
                        assign left = g_level[level-1].g_node[2*i].node;
                    end
                    if (2 * i + 1 == BELOW) begin : g_single
                        assign both = left;
                        assign right = {HERE{1'b0}};
                        wire unused_right = &{1'b0, right};
                    end else begin : g_pair
                        if (MORE != 0) begin : g_wider
                            assign right = {g_level[level-1].g_node[2*i+1].node[HERE-2],
                                            g_level[level-1].g_node[2*i+1].node};
                        end else begin : g_same
                            assign right = g_level[level-1].g_node[2*i+1].node;
                        end
                        assign both = left + right;
                    end
                    if (level % LEVELS == 0 || level == DEPTH) begin : g_register
                        reg [HERE-1:0] both_q;
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

    localparam TOP_W = W + DEPTH < OUT_W ? W + DEPTH : OUT_W;
    wire signed [TOP_W-1:0] top = g_level[DEPTH].g_node[0].node;
    generate
        if (OUT_W > TOP_W) begin : g_extend
            assign sum = {{(OUT_W-TOP_W){top[TOP_W-1]}}, top};
        end else begin : g_sum
            assign sum = top;
        end
    endgenerate
endmodule

`default_nettype wire
