// SPDX-License-Identifier: Apache-2.0
// What head_norm.v promises: heads of rows in, in any rhythm, the same rows out, once each, in order,
// with their kind and number, the first ones of a head 12 cycles after its last have come; rows of V
// unchanged but for the limit of 16 bits; every other element is the one that came in under its number, times the r of its own head,
// and meets the gain of its place.
// Products are joined operands, roundings marked ones, saturations folded, the table names its address:
// an element's way is proven, the arithmetic is leaf.sv's matter. One word of one head is followed.
`default_nettype none

module f_head_norm #(
    parameter VEC = 2,
    parameter HEAD_DIM = 4,
    parameter GAIN_ADDR_W = 3
) (
    input wire clk, rst, set, valid,
    input wire [1:0] kind,
    input wire [VEC*24-1:0] y,
    input wire [VEC*16-1:0] gain_data,
    input wire [GAIN_ADDR_W-1:0] gain
);
    localparam WORDS = HEAD_DIM / VEC;
    wire gain_read;
    wire [GAIN_ADDR_W-1:0] gain_addr;
    wire z_valid, busy;
    wire [1:0] z_kind;
    wire [19:0] z_row;
    wire [VEC*16-1:0] z;
    reg [19:0] row;              // of the words that come in

    head_norm #(.VEC(VEC), .HEAD_DIM(HEAD_DIM), .GAIN_ADDR_W(GAIN_ADDR_W)) dut (
        .clk(clk), .rst(rst), .set(set), .k_shift(6'd3), .q_shift(6'd5), .k_eps(32'd1), .q_eps(32'd2),
        .gain(gain), .valid(valid), .kind(kind), .row(row), .y(y), .gain_read(gain_read), .gain_addr(gain_addr),
        .gain_data(gain_data), .z_valid(z_valid), .z_kind(z_kind), .z_row(z_row), .z(z), .busy(busy)
    );

    reg f_past = 1'b0;
    reg [7:0] in, out;           // words
    reg [1:0] head_kind;         // of the head that comes in
    wire head_begin = in % WORDS == 0;
    wire head_end   = in % WORDS == WORDS - 1;
    (* anyconst *) reg [7:0] f_head;
    reg [1:0]  f_kind;
    reg [19:0] f_row;            // of its first word
    reg [7:0]  since;            // cycles since its last word came in; 0: not yet
    reg known;
    reg [GAIN_ADDR_W-1:0] base;
    reg is_set;
    reg [VEC*24-1:0] f_first;    // its first word
    wire [7:0] f_now = in / WORDS;
    wire [7:0] out_head = out / WORDS, out_word = out % WORDS;

    // a row of 24 bits as 16: what does not fit becomes the largest or the smallest
    function [15:0] limited(input [23:0] x);
        limited = x[23:15] == 9'd0 || &x[23:15] ? x[15:0] : {x[23], {15{!x[23]}}};
    endfunction

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (set)
            {base, is_set} <= {gain, 1'b1};
        if (valid) begin
            in  <= in + 8'd1;
            row <= row + VEC;
            if (head_begin)
                head_kind <= kind;
            if (f_now == f_head && head_begin)
                {f_kind, f_row, f_first} <= {kind, row, y};
            if (f_now == f_head && head_end)
                since <= 8'd1;
        end
        if (since != 8'd0 && since != 8'd255)
            since <= since + 8'd1;
        if (z_valid)
            out <= out + 8'd1;
        if (rst) begin
            {in, out, since, is_set} <= 25'd0;
            row <= 20'd0;
        end
    end

    always @* begin
        if (!f_past)
            assume (rst);
        else
            assume (!rst);
        assume (kind <= 2'd2);
        assume (!set || (in == out && !busy && !valid && in == 8'd0));
        assume (!valid || (is_set && (head_begin || kind == head_kind)));
        assume (in < 8'd200 && f_head < 8'd8);
    end

    wire [GAIN_ADDR_W-1:0] last_gain = base + (f_kind == 2'd1 ? WORDS : 0) + WORDS - 1;
    reg [GAIN_ADDR_W-1:0] gain_was, gain_was2;
    always @(posedge clk)
        {gain_was, gain_was2} <= {gain_addr, gain_was};

    always @(posedge clk) if (f_past && !rst) begin
        never_more: assert (!z_valid || out < in);
        // the words of a head follow each other from 12 cycles after its last one on
        on_time:    assert (since == 8'd0 || (since >= 8'd12 && since < 8'd12 + WORDS) == (z_valid && out_head == f_head));
        if (z_valid && out_head == f_head) begin
            its_kind: assert (z_kind == f_kind);
            its_row:  assert (z_row == f_row + out_word * VEC);
            // a value passes as it is, limited to 16 bits
            as_it_is: assert (f_kind != 2'd2 || out_word != 8'd0 || z[15:0] == limited(f_first[23:0]));
        end
        // three cycles before a word leaves, its gain is asked for: seen two later
        if (since == 8'd10 + WORDS && f_kind != 2'd2 && WORDS > 1)
            its_gain: assert (gain_was2 == last_gain);
        // words of a value, and no words, want no gain
        asks:       assert (!(since >= 8'd9 && since < 8'd9 + WORDS) || gain_read == (f_kind != 2'd2));
        at_rest:    assert (!gain_read || busy);
        is_busy:    assert (since == 8'd0 || since >= 8'd12 + WORDS || busy);
    end
    always @(posedge clk) begin
        two_heads: cover (f_past && out == 2 * WORDS && f_head == 8'd1 && since >= 8'd12);
    end
endmodule

`default_nettype wire
