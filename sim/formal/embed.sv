// SPDX-License-Identifier: Apache-2.0
// What embed.v promises: the groups of a token's row in order, each the sum over its planes of the
// levels that the codes of the token's lane name, with the scale word of the token. ROWS that are no
// power of two take TOKEN_W + 1 cycles more before the first address; with ISSUE = 2 all take two more.
`default_nettype none

module f_embed #(
    parameter ROWS = 4,
    parameter COLS = 4,
    parameter VEC = 2,
    parameter CODE_W = 2,
    parameter ACC_W = 20,
    parameter TOKEN_W = 4,
    parameter WEIGHT_ADDR_W = 6,
    parameter LEVEL_ADDR_W = 3,
    parameter SCALE_ADDR_W = 3,
    parameter ROM = 1,
    parameter ISSUE = 1
) (
    input wire clk, rst, start, pick,
    input wire [$clog2(ROWS)-1:0] pick_lane,
    input wire [(COLS / VEC > 1 ? $clog2(COLS / VEC) : 1)-1:0] pick_group,
    input wire [TOKEN_W-1:0] token,
    input wire [WEIGHT_ADDR_W-1:0] weight_base,
    input wire [LEVEL_ADDR_W-1:0] level_base,
    input wire [SCALE_ADDR_W-1:0] scale_base,
    input wire [19:0] dim,
    input wire [11:0] chunks,
    input wire [13:0] block_words,
    input wire [1:0] last_plane,
    input wire [ROWS*COLS*CODE_W-1:0] code,
    input wire [(8<<CODE_W)-1:0] level
);
    wire [WEIGHT_ADDR_W-1:0] weight_addr;
    wire [LEVEL_ADDR_W-1:0] level_addr;
    wire sum_next, sum_valid, sum_last, busy;
    wire [ROM:0] move;
    wire [19:0] sum_row;
    wire [VEC*ACC_W-1:0] sum;
    wire [SCALE_ADDR_W-1:0] scale_addr;
    wire [$clog2(VEC)-1:0] scale_lane;
    embed #(
        .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .CODE_W(CODE_W), .ACC_W(ACC_W), .TOKEN_W(TOKEN_W),
        .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W),
        .ROM(ROM), .ISSUE(ISSUE)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .token(token), .weight_base(weight_base),
        .level_base(level_base), .scale_base(scale_base), .dim(dim), .chunks(chunks),
        .block_words(block_words), .last_plane(last_plane), .weight_addr(weight_addr),
        .level_addr(level_addr), .move(move), .code(code), .level(level), .sum_next(sum_next), .sum_valid(sum_valid),
        .sum_last(sum_last), .sum_row(sum_row), .sum(sum), .scale_addr(scale_addr),
        .scale_lane(scale_lane), .busy(busy), .pick(pick), .pick_lane(pick_lane), .pick_group(pick_group),
        .part(part)
    );

    wire [VEC*CODE_W-1:0] part;
    (* anyconst *) reg [$clog2(VEC)-1:0] e; // any element of a group
    reg f_past = 1'b0;
    localparam SPLIT = ((ROWS & (ROWS - 1)) == 0 ? 0 : TOKEN_W + 1) + 2 * (ISSUE - 1);
    localparam GROUPS = COLS / VEC;
    reg [4:0] wait0;              // cycles until the first address, and one
    // stage 0: the word that is addressed now
    reg on;
    reg [2:0] group, groups, plane, planes;
    reg [TOKEN_W-1:0] token0;
    reg [WEIGHT_ADDR_W-1:0] weight0;
    reg [LEVEL_ADDR_W-1:0] level0;
    reg [SCALE_ADDR_W-1:0] scale0;
    reg [3:0] chunks0, words0;
    wire end0 = plane + 1 == planes, last0 = group + 1 == groups;
    wire [WEIGHT_ADDR_W-1:0] weight_here =
        weight0 + (token0 / ROWS) * words0
                + (plane == 2 ? 2 * chunks0 : plane == 1 ? chunks0 : 0) + group / GROUPS;
    wire [LEVEL_ADDR_W-1:0] level_here = level0 + plane;
    wire [SCALE_ADDR_W-1:0] scale_here = scale0 + token0 / VEC;
    // stage 1: its data; 2 and 3: the sum
    reg [ROM*7-1:0] way = 0;      // {on, first, end, last, group}, the oldest is stage 1
    wire on1, first1, end1, last1;
    wire [2:0] group1;
    assign {on1, first1, end1, last1, group1} = way[ROM*7-1 -: 7];
    reg [ROM-1:0] on_way = 0;
    reg on2, on3, end2, end3, last2, last3;
    reg [2:0] group2, group3;
    wire [7:0] column = group1 * VEC % COLS + e;
    wire [CODE_W-1:0] mine = code[((token0 % ROWS) * COLS + column)*CODE_W +: CODE_W];
    wire signed [7:0] value = level[mine*8 +: 8];
    reg signed [15:0] acc2, acc3;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (on) begin
            plane <= end0 ? 3'd0 : plane + 3'd1;
            if (end0)
                {group, on} <= {group + 3'd1, !last0};
        end
        way    <= {way, {on, plane == 0, end0, last0, group}};
        on_way <= {on_way, on};
        {on2, end2, last2, group2} <= {on1, end1, last1, group1};
        {on3, end3, last3, group3} <= {on2, end2, last2, group2};
        if (on1)
            acc2 <= (first1 ? 16'sd0 : acc2) + value;
        acc3 <= acc2;
        wait0 <= wait0 != 0 ? wait0 - 5'd1 : 5'd0;
        if (wait0 == 1)
            on <= 1'b1;
        if (start) begin
            {on, group, plane} <= {SPLIT == 0, 6'd0};
            wait0 <= SPLIT;
            {groups, planes} <= {dim[3:1], 1'b0, last_plane} + 6'd1;
            {token0, weight0, level0, scale0} <= {token, weight_base, level_base, scale_base};
            {chunks0, words0} <= {chunks[3:0], block_words[3:0]};
        end
        if (rst)
            {on, way, on_way, on2, on3, wait0} <= 0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst || wait0 != 0 || on || |on_way || on2 || on3)
            assume (!start);
        assume (dim >= VEC && dim <= 12 && dim % VEC == 0 && last_plane <= 2'd2);
        if (busy)
            assume (!pick);
        assume (pick_lane < ROWS && pick_group < GROUPS);
        assume (chunks <= 3 && block_words <= 9);
    end

    always @(posedge clk) if (f_past && !rst) begin
        at_weight: assert (!on || weight_addr == weight_here);
        at_level:  assert (!on || level_addr == level_here);
        on_time:   assert (sum_valid == (on3 && end3));
        foretold:  assert (sum_next == (on2 && end2));
        if (sum_next)
            scale_ahead: assert (scale_addr == scale_here);
        if (sum_valid) begin
            value_is: assert ($signed(sum[e*ACC_W +: ACC_W]) == acc3 * 256);
            row_is:   assert (sum_row == group3 * VEC);
            last_is:  assert (sum_last == last3);
            scale_is: assert (scale_addr == scale_here && scale_lane == token0 % VEC);
        end
        if ($past(pick))
            picked: assert (part[e*CODE_W +: CODE_W]
                            == $past(code[(pick_lane * COLS + pick_group * VEC + e)*CODE_W +: CODE_W]));
        moves:   assert (move == {on_way, on});
        is_busy: assert (busy == (wait0 != 0 || on || |on_way || on2 || on3 && end3));
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_row:  cover (sum_valid && sum_last && group3 == 3 && planes == 2 && token0 == 9);
        c_neg:  cover (sum_valid && acc3 == -250);
        c_next: cover (start && $past(sum_valid && sum_last && f_past));
    end
endmodule

`default_nettype wire
