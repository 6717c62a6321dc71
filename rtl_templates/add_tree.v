// SPDX-License-Identifier: Apache-2.0
// Sum of N signed numbers, by halving: adders of two operands each, which is half the LUTs of one
// expression of N (Yosys makes full adders of that).
//
// A register follows every LEVELS levels of addition and the last one, so that a sum comes
// STAGES = ceil(log2(N) / LEVELS) clocks after its operands; one set of operands a clock. `move[k]`
// says that stage k takes a set (pipe.v). OUT_W holds any sum, or the sum is taken modulo 2^OUT_W.
//
// The levels before a register, up to three, are added in its own block: a simulator then adds where a set
// moves, and not in every clock.
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

    // Level 0 holds the operands and zeros up to a power of two, level DEPTH the sum. Nodes are as wide as
    // their level needs, extended by hand: what Yosys takes for an unsigned sum that may overflow stays an
    // adder of its own.
    genvar level, i;
    generate
        for (level = 0; level <= DEPTH; level = level + 1) begin : g_level
            localparam STAGE = (level + LEVELS - 1) / LEVELS; // registers up to here
            localparam HERE  = W + level < OUT_W ? W + level : OUT_W;
            localparam BELOW = level < 1 ? W : W + level - 1 < OUT_W ? W + level - 1 : OUT_W;
            localparam UNDER = level < 2 ? W : W + level - 2 < OUT_W ? W + level - 2 : OUT_W;
            localparam LEAST = level < 3 ? W : W + level - 3 < OUT_W ? W + level - 3 : OUT_W;
            localparam TAKES = level % LEVELS == 0 || level == DEPTH ? 1 : 0; // a register
            localparam SINCE = level < 1 ? 0 : (level - 1) % LEVELS + 1; // levels above the register before
            localparam NEXT  = (level / LEVELS + 1) * LEVELS < DEPTH ? (level / LEVELS + 1) * LEVELS : DEPTH;
            localparam INNER = TAKES == 0 && NEXT - level < 3 ? 1 : 0;   // added in the block of the next register

            for (i = 0; i < 1 << (DEPTH - level) && INNER == 0; i = i + 1) begin : g_node
                wire [HERE-1:0] node;
                if (level == 0) begin : g_operand
                    if (i < N) begin : g_given
                        assign node = x[i*W +: W];
                    end else begin : g_zero
                        assign node = {W{1'b0}};
                    end
                end else if (TAKES != 0 && SINCE > 1) begin : g_more
                    reg [HERE-1:0] node_q;
                    if (SINCE > 2) begin : g_eight
                        function [UNDER-1:0] two(input [LEAST-1:0] a, b);
                            two = {{(UNDER-LEAST){a[LEAST-1]}}, a} + {{(UNDER-LEAST){b[LEAST-1]}}, b};
                        endfunction
                        function [BELOW-1:0] two_of_two(input [UNDER-1:0] a, b);
                            two_of_two = {{(BELOW-UNDER){a[UNDER-1]}}, a} + {{(BELOW-UNDER){b[UNDER-1]}}, b};
                        endfunction
                        function [HERE-1:0] both(input [BELOW-1:0] a, b);
                            both = {{(HERE-BELOW){a[BELOW-1]}}, a} + {{(HERE-BELOW){b[BELOW-1]}}, b};
                        endfunction
                        always @(posedge clk)
                            if (move[STAGE-1])
                                node_q <= both(two_of_two(two(g_level[level-3].g_node[8*i].node,
                                                              g_level[level-3].g_node[8*i+1].node),
                                                          two(g_level[level-3].g_node[8*i+2].node,
                                                              g_level[level-3].g_node[8*i+3].node)),
                                               two_of_two(two(g_level[level-3].g_node[8*i+4].node,
                                                              g_level[level-3].g_node[8*i+5].node),
                                                          two(g_level[level-3].g_node[8*i+6].node,
                                                              g_level[level-3].g_node[8*i+7].node)));
                    end else begin : g_four
                        function [HERE-1:0] four(input [UNDER-1:0] n0, n1, n2, n3);
                            reg [BELOW-1:0] left, right;
                            begin
                                left  = {{(BELOW-UNDER){n0[UNDER-1]}}, n0} + {{(BELOW-UNDER){n1[UNDER-1]}}, n1};
                                right = {{(BELOW-UNDER){n2[UNDER-1]}}, n2} + {{(BELOW-UNDER){n3[UNDER-1]}}, n3};
                                four  = {{(HERE-BELOW){left[BELOW-1]}}, left}
                                      + {{(HERE-BELOW){right[BELOW-1]}}, right};
                            end
                        endfunction
                        always @(posedge clk)
                            if (move[STAGE-1])
                                node_q <= four(g_level[level-2].g_node[4*i].node,
                                               g_level[level-2].g_node[4*i+1].node,
                                               g_level[level-2].g_node[4*i+2].node,
                                               g_level[level-2].g_node[4*i+3].node);
                    end
                    assign node = node_q;
                end else begin : g_two
                    function [HERE-1:0] two(input [BELOW-1:0] a, b);
                        two = {{(HERE-BELOW){a[BELOW-1]}}, a} + {{(HERE-BELOW){b[BELOW-1]}}, b};
                    endfunction
                    if (TAKES != 0) begin : g_register
                        reg [HERE-1:0] node_q;
                        always @(posedge clk)
                            if (move[STAGE-1])
                                node_q <= two(g_level[level-1].g_node[2*i].node,
                                              g_level[level-1].g_node[2*i+1].node);
                        assign node = node_q;
                    end else begin : g_wire
                        assign node = two(g_level[level-1].g_node[2*i].node,
                                          g_level[level-1].g_node[2*i+1].node);
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
