// SPDX-License-Identifier: Apache-2.0
// What msa_array.v and mac_array.v promise alike: three cycles after the word marked `last`, once,
// each row's sum of level[code] * act over the words since `first`; it stays until the next, and
// `busy` covers every word on its way.
`default_nettype none

module f_array #(
    parameter LANE = 0, // 1: mac_array
    parameter ROWS = 2,
    parameter COLS = 2,
    parameter CODE_W = 1,
    parameter ACT_W = 2,
    parameter ACC_W = 16
) (
    input wire clk, rst, valid, first, last,
    input wire [COLS*ACT_W-1:0] act,
    input wire [(8<<CODE_W)-1:0] level,
    input wire [ROWS*COLS*CODE_W-1:0] code
);
    wire busy, done;
    wire [ROWS*ACC_W-1:0] sum;
    generate
        if (LANE == 0) begin : g_select
            msa_array #(
                .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W)
            ) dut (
                .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .act(act),
                .level(level), .code(code), .busy(busy), .done(done), .sum(sum)
            );
        end else begin : g_multiply
            mac_array #(
                .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .ACT_W(ACT_W), .ACC_W(ACC_W)
            ) dut (
                .clk(clk), .rst(rst), .valid(valid), .first(first), .last(last), .act(act),
                .level(level), .code(code), .busy(busy), .done(done), .sum(sum)
            );
        end
    endgenerate

    // one arbitrary row: what it adds in this cycle, by the definition
    (* anyconst *) reg [$clog2(ROWS)-1:0] row;
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
    reg [2:0] word, ended;                // words, and ends of blocks, of the last three cycles
    reg signed [ACC_W-1:0] of1, of2, of3; // their totals
    reg answered;
    reg signed [ACC_W-1:0] answer;        // what `sum` has to be since then
    wire signed [ACC_W-1:0] now = (first ? 0 : total) + dot;
    always @(posedge clk) begin
        f_past <= 1'b1;
        if (valid) begin
            open  <= 1'b1;
            total <= now;
        end
        word  <= {word[1:0], valid};
        ended <= {ended[1:0], valid && last};
        {of1, of2, of3} <= {now, of1, of2};
        if (ended[1])
            {answered, answer} <= {1'b1, of2};
        if (rst)
            {open, word, ended, answered} <= 8'd0;
    end

    always @* begin
        assume (f_past || rst);
        assume (!valid || first || open);
        assume (!rst || !valid);
    end

    reg steady = 1'b0; // `sum` was known a cycle ago
    reg [ROWS*ACC_W-1:0] sum_was;
    always @(posedge clk)
        {steady, sum_was} <= {answered && !rst, sum};
    always @*
        stays: assert (!steady || done || sum == sum_was);
    always @(posedge clk) if (f_past && !rst) begin
        on_time:  assert (done == ended[2]);
        dot_of:   assert (!answered || $signed(sum[row*ACC_W +: ACC_W]) == answer);
        is_busy:  assert (busy || !(valid || word[0] || word[1] || done));
        is_idle:  assert (!busy || valid || word != 3'd0);
        c_low:    cover (done && answer == -16'sd512 - 16'sd512);
        c_high:   cover (done && answer == 16'sd512 + 16'sd512 + 16'sd127);
        c_second: cover (done && $past(done) && answer != $past(answer));
    end
endmodule

`default_nettype wire
