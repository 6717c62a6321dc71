// SPDX-License-Identifier: Apache-2.0
// Reads one token's row out of the weight ROM: the classifier's words serve as the embedding, so a
// tied model stores the table once. VEC elements a cycle and plane; their sums over the planes
// enter the drain, scaled by 256:  sum[e] = (sum over planes of level[code]) << 8.
//
// The token's row is lane `token % ROWS` of block `token / ROWS`; where ROWS is no power of two,
// divide.v finds them in TOKEN_W + 1 cycles before the first address. With ISSUE = 2 the product of the block's address
// has registers before and after it, a cycle each.
//
// While idle, the self-test picks here: the part of the word that is at hand, by lane and group of columns.
`default_nettype none

module embed #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter VEC = 8,
    parameter CODE_W = 4,
    parameter ACC_W = 32,
    parameter TOKEN_W = 9,
    parameter WEIGHT_ADDR_W = 12,
    parameter LEVEL_ADDR_W = 6,
    parameter SCALE_ADDR_W = 10,
    parameter ROM = 1,                             // clocks from an address to its word
    parameter ISSUE = 1
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        start,
    input  wire [TOKEN_W-1:0]          token,
    input  wire [WEIGHT_ADDR_W-1:0]    weight_base,
    input  wire [LEVEL_ADDR_W-1:0]     level_base,
    input  wire [SCALE_ADDR_W-1:0]     scale_base,
    input  wire [19:0]                 dim,
    input  wire [11:0]                 chunks,      // words of a plane
    input  wire [13:0]                 block_words, // words of a row block
    input  wire [1:0]                  last_plane,

    output wire [WEIGHT_ADDR_W-1:0]    weight_addr,
    output wire [LEVEL_ADDR_W-1:0]     level_addr,
    output wire [ROM:0]                move,       // an address is out, and k clocks ago
    input  wire [ROWS*COLS*CODE_W-1:0] code,
    input  wire [(8<<CODE_W)-1:0]      level,

    output wire                        sum_next,    // sum_valid of the next cycle
    output reg                         sum_valid,
    output reg                         sum_last,
    output reg  [19:0]                 sum_row,     // element of the residual
    output wire [VEC*ACC_W-1:0]        sum,
    output reg  [SCALE_ADDR_W-1:0]     scale_addr,
    output reg  [$clog2(VEC)-1:0]      scale_lane,
    output wire                        busy,        // owns the weight and level ROM

    input  wire                        pick,        // selftest.v, while not busy
    input  wire [$clog2(ROWS)-1:0]     pick_lane,
    input  wire [(COLS / VEC > 1 ? $clog2(COLS / VEC) : 1)-1:0] pick_group,
    output reg  [VEC*CODE_W-1:0]       part         // a clock after the pick
);
    localparam ROW_W  = $clog2(ROWS);
    localparam VEC_W  = $clog2(VEC);
    localparam LINE_W = COLS * CODE_W;
    localparam PART_W = VEC * CODE_W;
    localparam GROUPS  = COLS / VEC;               // of a word
    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam [31:0] LAST_GROUP = GROUPS - 1;

    // row block and lane of the token
    localparam POWER = (ROWS & (ROWS - 1)) == 0;   // they are its digits
    wire               split, splitting;
    wire [TOKEN_W-1:0] block;
    wire [ROW_W-1:0]   row;
    generate
        if (POWER) begin : g_shift
            wire [ROW_W+TOKEN_W-1:0] wide = {{ROW_W{1'b0}}, token}; // a vocabulary may be smaller
            assign {split, splitting} = {start, 1'b0};
            assign block = token >> ROW_W;
            assign row   = wide[ROW_W-1:0];
            wire unused = &{1'b0, wide};
        end else begin : g_divide
            divide #(.W(TOKEN_W), .BY(ROWS)) u_divide (
                .clk(clk), .rst(rst), .start(start), .x(token), .done(split), .quotient(block),
                .rest(row), .busy(splitting)
            );
        end
    endgenerate

    // address part: groups of VEC elements, planes innermost
    reg                     active;
    reg [19:0]              element, last_element;
    reg [GROUP_W-1:0]       group;                 // of the word
    reg [1:0]               plane, planes;
    reg [WEIGHT_ADDR_W-1:0] base_q, block_base, word, plane_offset, stride;
    reg [13:0]              words_q;
    reg [LEVEL_ADDR_W-1:0]  levels;
    reg [ROW_W-1:0]         lane;

    // what is wanted in the clock of start comes from the instruction
    wire [WEIGHT_ADDR_W-1:0] base  = ISSUE == 1 && POWER ? weight_base : base_q;
    wire [13:0]              words = POWER ? block_words : words_q;
    wire                known, knowing;            // block and row are
    wire [13:0]         known_words;
    wire [TOKEN_W-1:0]  known_block;
    wire [ROW_W-1:0]    known_row;
    wire [ISSUE-1:0]    unused_known;
    pipe #(.STAGES(ISSUE - 1), .TAG_W(ROW_W + 14 + TOKEN_W)) u_known (
        .clk(clk), .rst(rst), .valid(split), .tag({row, words, block}), .move(unused_known), .out_valid(known),
        .out_tag({known_row, known_words, known_block}), .busy(knowing)
    );
    wire [TOKEN_W+13:0] offset = {{TOKEN_W{1'b0}}, known_words} * {14'd0, known_block};
    // wide enough for an address of any width to be cut out
    wire [WEIGHT_ADDR_W+TOKEN_W+13:0] offset_wide = {{WEIGHT_ADDR_W{1'b0}}, offset};
    wire [WEIGHT_ADDR_W+11:0] chunks_wide = {{WEIGHT_ADDR_W{1'b0}}, chunks};
    // wider than any part taken of it: a vocabulary may be smaller than VEC
    localparam WIDE_W = SCALE_ADDR_W + VEC_W + TOKEN_W;
    wire [WIDE_W-1:0]   token_wide = {{(WIDE_W-TOKEN_W){1'b0}}, token};

    wire                     placed, placing;      // the block's address is there
    wire [ROW_W-1:0]         placed_row;
    wire [WEIGHT_ADDR_W-1:0] placed_offset;
    wire [ISSUE-1:0]         unused_place;
    pipe #(.STAGES(ISSUE - 1), .TAG_W(ROW_W + WEIGHT_ADDR_W)) u_place (
        .clk(clk), .rst(rst), .valid(known), .tag({known_row, offset_wide[WEIGHT_ADDR_W-1:0]}), .move(unused_place),
        .out_valid(placed), .out_tag({placed_row, placed_offset}), .busy(placing)
    );

    assign weight_addr = block_base + plane_offset + word;
    assign level_addr  = levels + {{(LEVEL_ADDR_W-2){1'b0}}, plane};

    // data part: q is the data cycle, qq the addition
    wire             q, q_first, q_end, q_last, on_way;
    reg              qq, qq_first, qq_end, qq_last;
    wire [19:0]      q_element;
    wire [GROUP_W-1:0] q_group;
    reg [19:0]       qq_element;
    pipe #(.STAGES(ROM), .TAG_W(23 + GROUP_W)) u_way (
        .clk(clk), .rst(rst), .valid(active),
        .tag({plane == 2'd0, plane == planes, element == last_element, element, group}),
        .move(move), .out_valid(q), .out_tag({q_first, q_end, q_last, q_element, q_group}), .busy(on_way)
    );
    reg [(8<<CODE_W)-1:0] level_q;
    wire [LINE_W-1:0] lines [0:ROWS-1];            // of the word, a row each
    wire [LINE_W-1:0] line = lines[pick ? pick_lane : lane];
    wire [PART_W-1:0] parts [0:GROUPS-1];          // of the line

    genvar e;
    generate
        for (e = 0; e < ROWS; e = e + 1) begin : g_line
            assign lines[e] = code[e*LINE_W +: LINE_W];
        end
        for (e = 0; e < GROUPS; e = e + 1) begin : g_part
            assign parts[e] = line[e*PART_W +: PART_W];
        end
        for (e = 0; e < VEC; e = e + 1) begin : g_element
            reg signed [10:0] acc;
            wire [CODE_W-1:0] mine  = part[e*CODE_W +: CODE_W];
            wire signed [7:0] value = level_q[mine*8 +: 8];
            always @(posedge clk)
                if (qq)
                    acc <= (qq_first ? 11'sd0 : acc) + {{3{value[7]}}, value};
            assign sum[e*ACC_W +: ACC_W] = {{(ACC_W-19){acc[10]}}, acc, 8'd0};
        end
    endgenerate

    always @(posedge clk) begin
        if (active) begin
            plane        <= plane == planes ? 2'd0 : plane + 1'b1;
            plane_offset <= plane == planes ? {WEIGHT_ADDR_W{1'b0}} : plane_offset + stride;
            if (plane == planes) begin
                element <= element + VEC[19:0];
                group   <= group == LAST_GROUP[GROUP_W-1:0] ? {GROUP_W{1'b0}} : group + 1'b1;
                word    <= group == LAST_GROUP[GROUP_W-1:0] ? word + 1'b1 : word;
                active  <= element != last_element;
            end
        end
        qq         <= q;
        {qq_first, qq_end, qq_last, qq_element} <= {q_first, q_end, q_last, q_element};
        if (q || pick)
            part <= parts[pick ? pick_group : q_group];
        if (q)
            level_q <= level;

        sum_valid <= sum_next;
        sum_last  <= qq_last;
        sum_row   <= qq_element;

        if (start) begin
            base_q       <= weight_base;
            words_q      <= block_words;
            element      <= 20'd0;
            last_element <= dim - VEC[19:0];
            group        <= {GROUP_W{1'b0}};
            word         <= {WEIGHT_ADDR_W{1'b0}};
            plane        <= 2'd0;
            planes       <= last_plane;
            plane_offset <= {WEIGHT_ADDR_W{1'b0}};
            stride       <= chunks_wide[WEIGHT_ADDR_W-1:0];
            levels       <= level_base;
            scale_addr   <= scale_base + token_wide[SCALE_ADDR_W+VEC_W-1:VEC_W];
            scale_lane   <= token_wide[VEC_W-1:0];
        end
        if (placed) begin
            active     <= 1'b1;
            block_base <= base + placed_offset;
            lane       <= placed_row;
        end
        if (rst)
            {active, qq, sum_valid} <= 3'd0;
    end

    assign sum_next = qq && qq_end;
    assign busy = splitting | knowing | placing | active | on_way | qq | sum_valid;

    wire unused_bits = &{1'b0, unused_known, unused_place, offset_wide, chunks_wide, token_wide};
endmodule

`default_nettype wire
