// SPDX-License-Identifier: Apache-2.0
// What msa_array.v, mac_array.v and array.v, of tiles of either, promise alike: LATENCY clocks after the word marked `last`, once,
// `done`, foretold a clock before, with that word's tag and the first rows' sums of level[code] * act over the
// words since `first`; a clock later the sums of all rows, which stay until the one after the next `done`;
// `busy` covers every word on its way.
`default_nettype none

module f_array #(
    parameter LANE = 0, // 1: mac_array
    parameter TILE = 0, // rows of a tile of array.v; 0: one of the two by itself
    parameter ROWS = 2,
    parameter COLS = 2,
    parameter CODE_W = 1,
    parameter ACT_W = 2,
    parameter ACC_W = 16,
    parameter PICK = 0,
    parameter LEVELS = 1,
    parameter EARLY = 1
) (
    input wire clk, rst, valid, first, last,
    input wire [1:0] tag,
    input wire [COLS*ACT_W-1:0] act,
    input wire [(8<<CODE_W)-1:0] level,
    input wire [ROWS*COLS*CODE_W-1:0] code
);
    localparam LATENCY = 1 + PICK + ($clog2(COLS) + LEVELS - 1) / LEVELS;
    wire busy, done_next, done;
    wire [1:0] done_tag_next, done_tag;
    wire [EARLY*ACC_W-1:0] early;
    wire [ROWS*ACC_W-1:0] sum;
    generate
        if (TILE != 0) begin : g_tiles
            array #(
                .ROWS(ROWS), .TILE(TILE), .COLS(COLS), .CODE_W(CODE_W), .LANE(LANE), .ACT_W(ACT_W),
                .ACC_W(ACC_W), .TAG_W(2), .PICK(PICK), .LEVELS(LEVELS), .EARLY(EARLY)
            ) dut (
                .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .tag(tag), .act(act),
                .level(level), .code(code), .busy(busy), .done_next(done_next),
                .done_tag_next(done_tag_next), .done(done), .done_tag(done_tag), .early(early), .sum(sum)
            );
        end else if (LANE == 0) begin : g_select
            msa_array #(
                .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W),
                .TAG_W(2), .PICK(PICK), .LEVELS(LEVELS), .EARLY(EARLY)
            ) dut (
                .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .tag(tag), .act(act),
                .level(level), .code(code), .busy(busy), .done_next(done_next),
                .done_tag_next(done_tag_next), .done(done), .done_tag(done_tag), .early(early), .sum(sum)
            );
        end else begin : g_multiply
            mac_array #(
                .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W),
                .TAG_W(2), .PICK(PICK), .LEVELS(LEVELS), .EARLY(EARLY)
            ) dut (
                .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .tag(tag), .act(act),
                .level(level), .code(code), .busy(busy), .done_next(done_next),
                .done_tag_next(done_tag_next), .done(done), .done_tag(done_tag), .early(early), .sum(sum)
            );
        end
    endgenerate

    // one arbitrary row: what it adds in this cycle, by the definition
    (* anyconst *) reg [$clog2(ROWS+1)-1:0] row;
    reg signed [ACC_W-1:0] dot;
    reg signed [7:0]       weight;
    integer c, i;
    always @* begin
        dot = 0;
        for (c = 0; c < COLS; c = c + 1) begin
            weight = level[code[(row*COLS+c)*CODE_W +: CODE_W]*8 +: 8];
            for (i = 0; i < ACT_W; i = i + 1) // the highest bit of act is negative
                if (act[c*ACT_W+i])
                    dot = i == ACT_W - 1 ? dot - (weight <<< i) : dot + (weight <<< i);
        end
    end

    reg f_past = 1'b0;
    reg open;                             // a row block has begun
    reg signed [ACC_W-1:0] total;         // of its words so far
    reg [LATENCY-1:0] word, ended;        // words, and ends of blocks, of the last clocks
    reg [LATENCY*ACC_W-1:0] of;           // their totals
    reg [LATENCY*2-1:0] tags;             // and tags
    reg answered, done_was;
    reg signed [ACC_W-1:0] answer;        // what `sum` has to be since then
    wire signed [ACC_W-1:0] now = (first ? 0 : total) + dot;
    always @(posedge clk) begin
        f_past <= 1'b1;
        if (valid) begin
            open  <= 1'b1;
            total <= now;
        end
        word  <= {word, valid};
        ended <= {ended, valid && last};
        of    <= {of, now};
        tags  <= {tags, tag};
        if (ended[LATENCY-1])
            {answered, answer} <= {1'b1, of[(LATENCY-1)*ACC_W +: ACC_W]};
        done_was <= done;
        if (rst)
            {open, word, ended, answered} <= 0;
    end

    always @* begin
        assume (row < ROWS);
        assume (f_past || rst);
        assume (!valid || first || open);
        assume (!rst || !valid);
    end

    reg steady = 1'b0; // `sum` was known a cycle ago
    reg [ROWS*ACC_W-1:0] sum_was;
    always @(posedge clk)
        {steady, sum_was} <= {answered && !rst, sum};
    always @*
        stays: assert (!steady || done_was || sum == sum_was);
    always @(posedge clk) if (f_past && !rst) begin
        on_time:  assert (done == ended[LATENCY-1]);
        foretold: assert (done_next == ended[LATENCY-2] && (!done_next || done_tag_next == tags[(LATENCY-2)*2 +: 2]));
        dot_of:   assert (!answered || $signed(sum[row*ACC_W +: ACC_W]) == answer);
        tag_of:   assert (!done || done_tag == tags[(LATENCY-1)*2 +: 2]);
        early_of: assert (!done || row >= EARLY || $signed(early[row*ACC_W +: ACC_W]) == $signed(of[(LATENCY-1)*ACC_W +: ACC_W]));
        is_busy:  assert (busy || !(valid || |word));
        is_idle:  assert (!busy || valid || word != 0);
        c_low:    cover (done_was && answer == -16'sd512 - 16'sd512);
        c_high:   cover (done_was && answer == 16'sd512 + 16'sd512 + 16'sd127);
        c_second: cover (done_was && $past(done_was) && answer != $past(answer));
    end
endmodule

`default_nettype wire
