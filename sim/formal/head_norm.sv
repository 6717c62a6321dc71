// SPDX-License-Identifier: Apache-2.0
// What head_norm.v promises: heads of rows in, in any rhythm, the same rows out, once each, in order,
// with their kind and number, the first ones of a head LATE clocks after its last have come. A word of K or Q
// meets the r and k of its own head, whose sum of squares begins with the eps of its kind, the gain of its place,
// and the shift of its kind; a word of V r = 1, k = 17, gain 1, shift 0 (which is x: leaf.sv, f_pass).
// Products are joined operands, roundings marked ones, saturations folded, r and k name their sum (rsqrt.sv):
// an element's way is proven, the arithmetic is leaf.sv's matter. One word of one head is followed.
`default_nettype none

module f_head_norm #(
    parameter VEC = 2,
    parameter HEAD_DIM = 4,
    parameter GAIN_ADDR_W = 3,
    parameter LEVELS = 1,
    parameter SCALAR = 3,
    parameter VECTOR = 5,
    parameter TABLE = 1
) (
    input wire clk, rst, set, valid,
    input wire [1:0] kind,
    input wire [VEC*24-1:0] y,
    input wire [VEC*16-1:0] gain_data,
    input wire [GAIN_ADDR_W-1:0] gain
);
    localparam WORDS = HEAD_DIM / VEC;
    localparam TREE  = ($clog2(VEC) + LEVELS - 1) / LEVELS;
    localparam LATE  = TREE + SCALAR + TABLE + VECTOR - (VECTOR > 5 ? 1 : 0);
    localparam GAIN  = LATE - 4 - (VECTOR > 7 ? 1 : 0) - (VECTOR > 9 ? 1 : 0); // its gain is asked for
    localparam SS_W  = 32 + $clog2(HEAD_DIM);
    localparam [5:0] K_SHIFT = 6'd3, Q_SHIFT = 6'd5;
    localparam [31:0] K_EPS = 32'd1, Q_EPS = 32'd2;
    wire gain_read;
    wire [GAIN_ADDR_W-1:0] gain_addr;
    wire z_valid, busy;
    wire [1:0] z_kind;
    wire [19:0] z_row;
    wire [VEC*16-1:0] z;
    reg [19:0] row;              // of the words that come in

    head_norm #(
        .VEC(VEC), .HEAD_DIM(HEAD_DIM), .GAIN_ADDR_W(GAIN_ADDR_W), .LEVELS(LEVELS), .SCALAR(SCALAR),
        .VECTOR(VECTOR), .TABLE(TABLE)
    ) dut (
        .clk(clk), .rst(rst), .set(set), .k_shift(K_SHIFT), .q_shift(Q_SHIFT), .k_eps(K_EPS), .q_eps(Q_EPS),
        .gain(gain), .valid(valid), .kind(kind), .row(row), .y(y), .gain_read(gain_read), .gain_addr(gain_addr),
        .gain_data(gain_data), .z_valid(z_valid), .z_kind(z_kind), .z_row(z_row), .z(z), .busy(busy)
    );

    reg f_past = 1'b0;
    reg [7:0] in, out;           // words
    reg [1:0] head_kind;         // of the head that comes in
    wire head_begin = in % WORDS == 0;
    wire head_end   = in % WORDS == WORDS - 1;
    (* anyconst *) reg [7:0] f_head, f_word;
    (* anyconst *) reg [$clog2(VEC)-1:0] lane;
    reg [1:0]  f_kind;
    reg [19:0] f_row;            // of its first word
    reg [7:0]  since;            // cycles since its last word came in; 0: not yet
    reg [GAIN_ADDR_W-1:0] base;
    reg is_set;
    reg [15:0] f_x;              // an element of the word that is followed
    reg [SS_W-1:0] f_total;      // eps and squares of the head that is followed
    reg [15:0] f_gain;
    wire [7:0] f_now = in / WORDS;
    wire [7:0] out_head = out / WORDS, out_word = out % WORDS;

    // as the stand-ins make them: 24 bits folded to 16; a square; squares of a word
    function [15:0] limited(input [23:0] x);
        limited = x[15:0] ^ {8'd0, x[23:16]};
    endfunction
    function [SS_W-1:0] square(input [15:0] x);
        square = {{(SS_W-32){x[15]}}, x, x};
    endfunction
    reg [SS_W-1:0] part;
    integer e;
    always @* begin
        part = {SS_W{1'b0}};
        for (e = 0; e < VEC; e = e + 1)
            part = part + square(limited(y[e*24 +: 24]));
    end

    // r and k of the head
    wire [15:0] r = f_kind == 2'd2 ? 16'h8000
                  : f_total[15:0] ^ f_total[31:16] ^ {{(48-SS_W){1'b0}}, f_total[SS_W-1:32]};
    wire [4:0]  k = f_kind == 2'd2 ? 5'd17 : f_total[4:0];

    // the way of x
    function [17:0] fold18(input [34:0] x);
        fold18 = x[17:0] ^ {1'b0, x[34:18]};
    endfunction
    function [15:0] fold16(input [33:0] x);
        fold16 = x[15:0] ^ x[31:16] ^ {14'd0, x[33:32]};
    endfunction
    wire [34:0] xr = {f_x, 1'b0, r, 2'b00} ^ {30'd0, k};
    wire [5:0]  shift = f_kind == 2'd2 ? 6'd0 : f_kind == 2'd1 ? Q_SHIFT : K_SHIFT;
    wire [33:0] tg = {fold18(xr), f_kind == 2'd2 ? 16'd1 : f_gain} ^ {28'd0, shift};

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (set)
            {base, is_set} <= {gain, 1'b1};
        if (valid) begin
            in  <= in + 8'd1;
            row <= row + VEC;
            if (head_begin)
                head_kind <= kind;
            if (f_now == f_head) begin
                f_total <= (head_begin ? (kind == 2'd1 ? Q_EPS : K_EPS) : f_total) + part;
                if (head_begin)
                    {f_kind, f_row} <= {kind, row};
                if (in % WORDS == f_word)
                    f_x <= limited(y[lane*24 +: 24]);
                if (head_end)
                    since <= 8'd1;
            end
        end
        if (since != 8'd0 && since != 8'd255)
            since <= since + 8'd1;
        if (since == GAIN + 1 + f_word)
            f_gain <= gain_data[lane*16 +: 16];
        if (z_valid)
            out <= out + 8'd1;
        if (rst) begin
            {in, out, since, is_set} <= 25'd0;
            row <= 20'd0;
        end
    end

    // four bits of an element are free, the highest among them: what a bit's way is, it is for all
    genvar g;
    generate
        for (g = 0; g < VEC; g = g + 1) begin : g_few
            always @* assume (y[g*24+3 +: 20] == 20'd0);
            always @* assume (gain_data[g*16+4 +: 12] == 12'd0);
        end
    endgenerate
    always @* begin
        if (!f_past)
            assume (rst);
        else
            assume (!rst);
        assume (kind <= 2'd2);
        assume (!set || (in == out && !busy && !valid && in == 8'd0));
        assume (!valid || (is_set && (head_begin || kind == head_kind)));
        assume (in < 8'd200 && f_head < 8'd8 && f_word < WORDS);
    end

    wire [GAIN_ADDR_W-1:0] its_addr = base + (f_kind == 2'd1 ? WORDS : 0) + f_word;

    always @(posedge clk) if (f_past && !rst) begin
        never_more: assert (!z_valid || out < in);
        // the words of a head follow each other from LATE clocks after its last one on
        on_time:    assert (since == 8'd0 || (since >= LATE && since < LATE + WORDS) == (z_valid && out_head == f_head));
        if (z_valid && out_head == f_head) begin
            its_kind: assert (z_kind == f_kind);
            its_row:  assert (z_row == f_row + out_word * VEC);
            value:    assert (out_word != f_word || z[lane*16 +: 16] == fold16(tg));
        end
        if (since == GAIN + f_word && f_kind != 2'd2)
            its_gain: assert (gain_addr == its_addr);
        // words of a value, and no words, want no gain
        asks:       assert (!(since >= GAIN && since < GAIN + WORDS) || gain_read == (f_kind != 2'd2));
        at_rest:    assert (!gain_read || busy);
        is_busy:    assert (since == 8'd0 || since >= LATE + WORDS || busy);
    end
    always @(posedge clk) begin
        two_heads: cover (f_past && out == 2 * WORDS && f_head == 8'd1 && since >= LATE);
    end
endmodule

`default_nettype wire
