// SPDX-License-Identifier: Apache-2.0
// Largest of N signed candidates and its index, by halving: of two that are equal the one with the lower
// index wins, and one that is not `used` loses against any that is. Some candidate must be used.
//
// A register follows every LEVELS levels of comparison and the last one, so that a result comes
// ceil(log2(N) / LEVELS) cycles after its candidates; one set of candidates a cycle. `tag` is whatever
// belongs to a set: it travels beside it.
`default_nettype none

module max_tree #(
    parameter N = 16,          // 2 or more
    parameter W = 20,
    parameter LEVELS = 1,
    parameter TAG_W = 1
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 valid,
    input  wire [TAG_W-1:0]     tag,
    input  wire [N-1:0]         used,
    input  wire [N*W-1:0]       x,

    output wire                 max_valid,
    output wire [TAG_W-1:0]     max_tag,
    output wire [W-1:0]         max,
    output wire [$clog2(N)-1:0] index,
    output wire                 busy     // a set is between input and output
);
    localparam DEPTH   = $clog2(N);
    localparam LATENCY = (DEPTH + LEVELS - 1) / LEVELS;
    localparam NODE_W  = 1 + W + DEPTH;  // {used, x, index}

    wire [LATENCY:0] move;
    pipe #(.STAGES(LATENCY), .TAG_W(TAG_W)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .move(move), .out_valid(max_valid),
        .out_tag(max_tag), .busy(busy)
    );

    // --- rounds of comparison: round 0 holds the candidates, round DEPTH the winner ----------------
    // The two rounds before a register are fought in its own block, as in add_tree.v, and at the same time: the
    // second by all who may meet in it, so that its path is one comparison and two choices.
    function beats(input [NODE_W-1:0] right, left);
        beats = right[NODE_W-1]
              && (!left[NODE_W-1] || $signed(right[DEPTH +: W]) > $signed(left[DEPTH +: W]));
    endfunction
    function [NODE_W-1:0] winner(input [NODE_W-1:0] left, right);
        winner = beats(right, left) ? right : left;
    endfunction
    function [NODE_W-1:0] winner_of_four(input [NODE_W-1:0] a, b, c, d);
        reg over_a, over_b; // by the winner of c and d
        begin
            over_a = beats(d, c) ? beats(d, a) : beats(c, a);
            over_b = beats(d, c) ? beats(d, b) : beats(c, b);
            winner_of_four = (beats(b, a) ? over_b : over_a) ? winner(c, d) : winner(a, b);
        end
    endfunction

    genvar round, i;
    generate
        for (round = 0; round <= DEPTH; round = round + 1) begin : g_round
            localparam STAGE = (round + LEVELS - 1) / LEVELS; // registers up to here
            localparam TAKES = round % LEVELS == 0 || round == DEPTH ? 1 : 0; // a register
            localparam FOUR  = TAKES != 0 && round > 1 && (round - 1) % LEVELS != 0 ? 1 : 0;
            localparam INNER = TAKES == 0 && ((round + 1) % LEVELS == 0 || round + 1 == DEPTH) ? 1 : 0;

            for (i = 0; i < 1 << (DEPTH - round) && INNER == 0; i = i + 1) begin : g_node
                wire [NODE_W-1:0] node;
                if (round == 0) begin : g_candidate
                    localparam [DEPTH-1:0] INDEX = i;
                    if (i < N) begin : g_given
                        assign node = {used[i], x[i*W +: W], INDEX};
                    end else begin : g_none
                        assign node = {NODE_W{1'b0}};
                    end
                end else if (FOUR != 0) begin : g_four
                    reg [NODE_W-1:0] node_q;
                    always @(posedge clk)
                        if (move[STAGE-1])
                            node_q <= winner_of_four(g_round[round-2].g_node[4*i].node,
                                                     g_round[round-2].g_node[4*i+1].node,
                                                     g_round[round-2].g_node[4*i+2].node,
                                                     g_round[round-2].g_node[4*i+3].node);
                    assign node = node_q;
                end else if (TAKES != 0) begin : g_two
                    reg [NODE_W-1:0] node_q;
                    always @(posedge clk)
                        if (move[STAGE-1])
                            node_q <= winner(g_round[round-1].g_node[2*i].node,
                                             g_round[round-1].g_node[2*i+1].node);
                    assign node = node_q;
                end else begin : g_wire
                    assign node = winner(g_round[round-1].g_node[2*i].node,
                                         g_round[round-1].g_node[2*i+1].node);
                end
            end
        end
    endgenerate

    wire [NODE_W-1:0] best = g_round[DEPTH].g_node[0].node;
    assign index     = best[DEPTH-1:0];
    assign max       = best[DEPTH +: W];

    wire unused_bits = &{1'b0, best[NODE_W-1], move[LATENCY]};
endmodule

`default_nettype wire
