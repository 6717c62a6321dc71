// SPDX-License-Identifier: Apache-2.0
// The order in which attention reads the KV cache: the groups of ATT_POS positions of a head, head after
// head. group_heads heads follow each other that read the same row of the cache; the next row is row_step
// on. A step goes to the next group; after the last one of the last head active is low. `last` is a register, so
// there is no step in the first clock after start.
`default_nettype none

module head_walk #(
    parameter ROW_W = 5,
    parameter GROUP_W = 5,     // log2 of groups of ATT_POS positions in a context
    parameter ROW_GROUP_W = 5, // the same of a row of the KV cache
    parameter HEAD_W = 8
) (
    input  wire                         clk,
    input  wire                         rst,

    input  wire                         start,
    input  wire [HEAD_W-1:0]            heads,       // these three a clock after start
    input  wire [HEAD_W-1:0]            group_heads,
    input  wire [ROW_W-1:0]             row_step,
    input  wire [ROW_W-1:0]             row_base,    // with start
    input  wire [GROUP_W:0]             last_group,  // of each head, from the clock after start on
    input  wire                         step,        // while active

    output reg                          active,
    output reg  [HEAD_W-1:0]            head,        // this one's group is next: heads before it are done
    output reg  [GROUP_W:0]             group,
    output wire                         first,       // group of its head
    output reg                          last,
    output wire [ROW_W+ROW_GROUP_W-1:0] addr         // of the group in the KV cache
);
    reg [HEAD_W-1:0] member; // of the heads that read the same row
    reg [ROW_W-1:0]  row;

    // a head may have more than one row of the cache
    wire [ROW_W+GROUP_W-1:0] group_wide = {{ROW_W{1'b0}}, group[GROUP_W-1:0]};
    assign addr  = {row + group_wide[ROW_GROUP_W +: ROW_W], group[ROW_GROUP_W-1:0]};
    assign first = group == {(GROUP_W+1){1'b0}};

    always @(posedge clk) begin
        last <= !step ? group == last_group
              : last ? last_group == {(GROUP_W+1){1'b0}} : group + 1'b1 == last_group;
        if (step) begin
            group <= last ? {(GROUP_W+1){1'b0}} : group + 1'b1;
            if (last) begin
                head   <= head + 1'b1;
                member <= member + 1'b1;
                if (member == group_heads - 1'b1) begin
                    member <= {HEAD_W{1'b0}};
                    row    <= row + row_step;
                end
                if (head == heads - 1'b1)
                    active <= 1'b0;
            end
        end
        if (start) begin
            active <= 1'b1;
            head   <= {HEAD_W{1'b0}};
            member <= {HEAD_W{1'b0}};
            group  <= {(GROUP_W+1){1'b0}};
            row    <= row_base;
        end
        if (rst)
            active <= 1'b0;
    end

    wire unused_bits = &{1'b0, group_wide};
endmodule

`default_nettype wire
