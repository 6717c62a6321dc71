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
    genvar round, i;
    generate
        for (round = 0; round <= DEPTH; round = round + 1) begin : g_round
            localparam NODES = 1 << (DEPTH - round);
            localparam STAGE = (round + LEVELS - 1) / LEVELS; // registers up to here
            wire [NODES*NODE_W-1:0] node;
            for (i = 0; i < NODES; i = i + 1) begin : g_node
                if (round > 0) begin : g_winner
                    wire [NODE_W-1:0] left  = g_round[round-1].node[2*i*NODE_W +: NODE_W];
                    wire [NODE_W-1:0] right = g_round[round-1].node[(2*i+1)*NODE_W +: NODE_W];
                    wire right_wins = right[NODE_W-1]
                        && (!left[NODE_W-1] || $signed(right[DEPTH +: W]) > $signed(left[DEPTH +: W]));
                    wire [NODE_W-1:0] winner = right_wins ? right : left;
                    if (round % LEVELS == 0 || round == DEPTH) begin : g_register
                        reg [NODE_W-1:0] winner_q;
                        always @(posedge clk)
                            if (move[STAGE-1])
                                winner_q <= winner;
                        assign node[i*NODE_W +: NODE_W] = winner_q;
                    end else begin : g_wire
                        assign node[i*NODE_W +: NODE_W] = winner;
                    end
                end else if (i < N) begin : g_candidate
                    localparam [DEPTH-1:0] INDEX = i;
                    assign node[i*NODE_W +: NODE_W] = {used[i], x[i*W +: W], INDEX};
                end else begin : g_none
                    assign node[i*NODE_W +: NODE_W] = {NODE_W{1'b0}};
                end
            end
        end
    endgenerate

    wire [NODE_W-1:0] best = g_round[DEPTH].node;
    assign index     = best[DEPTH-1:0];
    assign max       = best[DEPTH +: W];

    wire unused_bits = &{1'b0, best[NODE_W-1], move[LATENCY]};
endmodule

`default_nettype wire
