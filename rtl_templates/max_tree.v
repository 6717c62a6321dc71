// SPDX-License-Identifier: Apache-2.0
// The largest of N signed values and its index, the lowest index on a tie. `used` is ones below zeros:
// values from some index on take no part.
//
// A tree of pairs with a register after every LEVELS levels, the last one included: LATENCY cycles
// from `valid` to `done`, one set of values a cycle. Registers load under their own valid.
`default_nettype none

module max_tree #(
    parameter N = 8,
    parameter W = 20,
    parameter LEVELS = 1,
    // derived
    parameter INDEX_W = N > 1 ? $clog2(N) : 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               valid,
    input  wire [N*W-1:0]     x,
    input  wire [N-1:0]       used,
    output wire               done,
    output wire [W-1:0]       max,   // signed, stays until the next
    output wire [INDEX_W-1:0] index,
    output wire               busy   // something is on its way
);
    localparam DEPTH   = INDEX_W;                       // levels of pairs
    localparam LATENCY = (DEPTH + LEVELS - 1) / LEVELS; // registers on the way
    localparam P       = 1 << DEPTH;                    // leaves, those beyond N unused
    localparam [W-1:0] LOWEST = {1'b1, {(W-1){1'b0}}};

    reg [LATENCY:1] at; // valid after that many registers
    generate
        if (LATENCY > 1) begin : g_at
            always @(posedge clk)
                at <= rst ? {LATENCY{1'b0}} : {at[LATENCY-1:1], valid};
        end else begin : g_at
            always @(posedge clk)
                at <= valid && !rst;
        end
    endgenerate
    wire [LATENCY:0] here = {at, valid};
    assign done = here[LATENCY];
    assign busy = |at;

    // Nodes are numbered as in a heap: 1 is the root, 2 i and 2 i + 1 are below i, leaf k is P + k.
    // A node holds the larger of the two below it; `first` says that the left one, of lower indices, is.
    genvar i;
    generate
        for (i = 2 * P - 1; i > 0; i = i - 1) begin : g_node
            wire [W-1:0]       value;
            wire [INDEX_W-1:0] place;
            if (i >= P) begin : g_leaf
                if (i - P < N) begin : g_value
                    assign value = used[i-P] ? x[(i-P)*W +: W] : LOWEST;
                end else begin : g_none
                    assign value = LOWEST;
                end
                assign place = {INDEX_W{1'b0}};
            end else begin : g_pair
                localparam HEIGHT = DEPTH - ($clog2(i + 1) - 1); // of this node above the leaves
                localparam [INDEX_W-1:0] RIGHT = 1 << (HEIGHT - 1);
                wire first = $signed(g_node[2*i].value) >= $signed(g_node[2*i+1].value);
                wire [W-1:0]       larger = first ? g_node[2*i].value : g_node[2*i+1].value;
                wire [INDEX_W-1:0] where  = first ? g_node[2*i].place : g_node[2*i+1].place | RIGHT;
                if (HEIGHT % LEVELS == 0 || i == 1) begin : g_register
                    reg [W-1:0]       value_q;
                    reg [INDEX_W-1:0] place_q;
                    always @(posedge clk)
                        if (here[(HEIGHT-1)/LEVELS])
                            {value_q, place_q} <= {larger, where};
                    assign {value, place} = {value_q, place_q};
                end else begin : g_wire
                    assign {value, place} = {larger, where};
                end
            end
        end
    endgenerate
    assign max   = g_node[1].value;
    assign index = g_node[1].place;
endmodule

`default_nettype wire
