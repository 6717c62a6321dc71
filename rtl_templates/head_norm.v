// SPDX-License-Identifier: Apache-2.0
// A norm over each head of K and Q, as hw_rmsnorm over HEAD_DIM elements of 16 bits:
//     ss + eps = m * 4^k, m in [1, 4)       r = 1 / sqrt(m)   (Q1.15, table)
//     t = sat18(rs(4 * x * r, k))           x / sqrt(ss), Q1.17
//     z = sat16(rs(t * gain, shift))
// Rows are kept until their head is whole, and then read again, while the next head comes in: heads
// may follow each other without a gap, and nothing waits. Rows of V pass unchanged, and take as long,
// so that the order stays. The first rows of a head leave 12 cycles after its last ones have come.
// VEC <= HEAD_DIM.
`default_nettype none

module head_norm #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter GAIN_ADDR_W = 6
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    set,       // takes what follows; no head is on its way
    input  wire [5:0]              k_shift,
    input  wire [5:0]              q_shift,
    input  wire [31:0]             k_eps,
    input  wire [31:0]             q_eps,
    input  wire [GAIN_ADDR_W-1:0]  gain,      // address of K's gains; Q's come behind them

    input  wire                    valid,     // whole heads, rows in order
    input  wire [1:0]              kind,      // 0 key, 1 query, 2 value
    input  wire [19:0]             row,
    input  wire [VEC*24-1:0]       y,

    output wire                    gain_read,
    output wire [GAIN_ADDR_W-1:0]  gain_addr,
    input  wire [VEC*16-1:0]       gain_data,

    output reg                     z_valid,
    output reg  [1:0]              z_kind,
    output reg  [19:0]             z_row,
    output reg  [VEC*16-1:0]       z,
    output wire                    busy
);
    localparam WORDS  = HEAD_DIM / VEC;         // of a head
    localparam WORD_W = $clog2(WORDS) + 1;
    localparam KEPT_W = $clog2(WORDS + 8);      // words between a write and its read: WORDS + 6
    localparam SS_W   = 32 + $clog2(HEAD_DIM) + 1;
    localparam [1:0] QUERY = 2'd1, VALUE = 2'd2;
    localparam [31:0]       LAST_32 = WORDS - 1;
    localparam [WORD_W-1:0] LAST = LAST_32[WORD_W-1:0];
    localparam [19:0] BACK = HEAD_DIM - VEC;    // rows from a head's first word to its last

    reg [5:0]             k_shift_q, q_shift_q;
    reg [31:0]            k_eps_q, q_eps_q;
    reg [GAIN_ADDR_W-1:0] k_gain, q_gain;

    always @(posedge clk)
        if (set) begin
            {k_shift_q, q_shift_q, k_eps_q, q_eps_q} <= {k_shift, q_shift, k_eps, q_eps};
            k_gain <= gain;
            q_gain <= gain + WORDS[GAIN_ADDR_W-1:0];
        end

    // --- rows in -------------------------------------------------------------------------------
    wire [VEC*16-1:0] x, kept;
    reg  [VEC*32-1:0] square;
    reg  [KEPT_W-1:0] put, get;
    reg  [WORD_W-1:0] word;     // of the head that comes in
    wire              head_end = word == LAST;
    wire              again;    // a word is read again

    genvar i;
    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_in
            wire signed [15:0] limited;
            wire signed [31:0] product;
            saturate #(.IN_W(24), .OUT_W(16)) u_sat (.x(y[i*24 +: 24]), .y(limited));
            mul #(.A_W(16), .B_W(16)) u_square (.a(limited), .b(limited), .y(product));
            assign x[i*16 +: 16] = limited;
            always @(posedge clk)
                if (valid)
                    square[i*32 +: 32] <= product;
        end
    endgenerate

    ram #(.LANES(1), .W(VEC * 16), .DEPTH(1 << KEPT_W), .ADDR_W(KEPT_W)) u_kept (
        .clk(clk), .we(valid), .waddr(put), .wdata(x), .re(again), .raddr(get), .rdata(kept)
    );

    // --- the scalar of a head: s1 squares | s2 sum of a word | s3 sum of the head | s4 k | s5 table
    //     | s6 r --------------------------------------------------------------------------------
    function [SS_W-1:0] add_all(input [VEC*32-1:0] squares);
        integer n;
        begin
            add_all = {SS_W{1'b0}};
            for (n = 0; n < VEC; n = n + 1)
                add_all = add_all + {{(SS_W-32){1'b0}}, squares[n*32 +: 32]};
        end
    endfunction

    reg [1:0]        in1, in2;                    // a word is there, the last of its head
    reg              end3, end4, end5, end6;
    reg [1:0]        kind1, kind2, kind3, kind4, kind5, kind6;
    reg [19:0]       row1, row2, row3, row4, row5, row6;
    reg [SS_W-1:0]   part, sum, total, total4;
    reg              fresh;                       // sum: no word of this head yet
    reg [5:0]        k4;                          // 2k
    reg [4:0]        k5, k6;
    reg [8:0]        frac;
    reg [15:0]       r6;
    wire [5:0]       top;
    wire [27:0]      entry;
    wire [15:0]      root;
    wire [SS_W-1:0]  whole = (fresh ? {SS_W{1'b0}} : sum) + part;
    wire [31:0]      eps   = kind2 == QUERY ? q_eps_q : k_eps_q;
    wire [SS_W+13:0] shifted = {total4, 14'd0} >> k4; // m, 14 fraction bits
    wire [15:0]      m = shifted[15:0];

    msb #(.W(SS_W), .I_W(6)) u_msb (.clk(clk), .en(1'b0), .x(total), .index(top));
    rsqrt_rom u_rsqrt_rom (.clk(clk), .re(end4), .addr(m[15:9]), .data(entry));
    lerp #(.FRAC_W(9)) u_lerp (
        .clk(clk), .move(1'b0), .entry(entry), .frac(frac), .y(root)
    );

    always @(posedge clk) begin
        if (valid) begin
            put  <= put + 1'b1;
            word <= head_end ? {WORD_W{1'b0}} : word + 1'b1;
        end
        in1 <= {valid && head_end, valid};
        in2 <= in1;
        {end3, end4, end5, end6} <= {in2[1], end3, end4, end5};
        {kind1, kind2, kind3, kind4, kind5, kind6} <= {kind, kind1, kind2, kind3, kind4, kind5};
        {row1, row2, row3, row4, row5, row6}       <= {row, row1, row2, row3, row4, row5};

        part <= add_all(square);
        if (in2[0]) begin
            sum   <= whole;
            fresh <= in2[1];
        end
        total  <= whole + {{(SS_W-32){1'b0}}, eps};
        total4 <= total;
        k4     <= {top[5:1], 1'b0};
        k5     <= k4[5:1];
        k6     <= k5;
        frac   <= m[8:0];
        r6     <= root;
        if (rst) begin
            {in1, in2, end3, end4, end5, end6} <= 8'd0;
            word  <= {WORD_W{1'b0}};
            put   <= {KEPT_W{1'b0}};
            fresh <= 1'b1;
        end
    end

    // --- rows out: a read | b x * r | c t | d t * gain | e round | z -----------------------------
    reg              a, b, c, d, e;
    reg [1:0]        a_kind, b_kind, c_kind, d_kind, e_kind;
    reg [19:0]       a_row, b_row, c_row, d_row, e_row;
    reg [WORD_W-1:0] a_word, b_word, c_word;
    reg [15:0]       a_r, b_r;
    reg [4:0]        a_k, b_k, c_k;
    reg [VEC*16-1:0] c_x, d_x, e_x;
    wire [5:0]       e_shift = e_kind == QUERY ? q_shift_q : k_shift_q;
    assign again = a;
    wire [GAIN_ADDR_W-1:0] c_base = c_kind == QUERY ? q_gain : k_gain;
    assign gain_read = c && c_kind != VALUE;
    assign gain_addr = c_base + c_index;
    wire [GAIN_ADDR_W+WORD_W-1:0] c_wide = {{GAIN_ADDR_W{1'b0}}, c_word};
    wire [GAIN_ADDR_W-1:0] c_index = c_wide[GAIN_ADDR_W-1:0];

    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_out
            reg signed [34:0]  xr;
            reg signed [17:0]  t;
            reg signed [33:0]  tg;
            wire signed [32:0] xr_next;
            wire signed [34:0] xr_shifted;
            wire signed [17:0] t_next;
            wire signed [33:0] tg_next, tg_shifted;
            wire signed [15:0] z_next;

            mul #(.A_W(16), .B_W(17)) u_xr (.a(kept[i*16 +: 16]), .b({1'b0, b_r}), .y(xr_next));
            round_shift #(.W(35), .S_W(5)) u_t_round (.x(xr), .s(c_k), .y(xr_shifted));
            saturate #(.IN_W(35), .OUT_W(18)) u_t_sat (.x(xr_shifted), .y(t_next));
            mul #(.A_W(18), .B_W(16)) u_tg (.a(t), .b(gain_data[i*16 +: 16]), .y(tg_next));
            round_shift #(.W(34), .S_W(6)) u_z_round (.x(tg), .s(e_shift), .y(tg_shifted));
            saturate #(.IN_W(34), .OUT_W(16)) u_z_sat (.x(tg_shifted), .y(z_next));
            always @(posedge clk) begin
                if (b)
                    xr <= {xr_next, 2'b00};
                if (c)
                    t <= t_next;
                if (d)
                    tg <= tg_next;
                if (e)
                    z[i*16 +: 16] <= e_kind == VALUE ? e_x[i*16 +: 16] : z_next;
            end
        end
    endgenerate

    always @(posedge clk) begin
        a <= end6 || (a && a_word != LAST);
        if (end6) begin
            a_kind <= kind6;
            a_row  <= row6 - BACK;
            a_word <= {WORD_W{1'b0}};
            a_r    <= r6;
            a_k    <= k6;
        end else begin
            a_row  <= a_row + VEC[19:0];
            a_word <= a_word + 1'b1;
        end
        if (a)
            get <= get + 1'b1;
        {b, c, d, e, z_valid} <= {a, b, c, d, e};
        {b_kind, c_kind, d_kind, e_kind, z_kind} <= {a_kind, b_kind, c_kind, d_kind, e_kind};
        {b_row, c_row, d_row, e_row, z_row}      <= {a_row, b_row, c_row, d_row, e_row};
        {b_word, c_word} <= {a_word, b_word};
        b_r <= a_r;
        {b_k, c_k} <= {a_k, b_k};
        if (b)
            c_x <= kept;
        {d_x, e_x} <= {c_x, d_x};
        if (rst) begin
            {a, b, c, d, e, z_valid} <= 6'd0;
            get <= {KEPT_W{1'b0}};
        end
    end

    assign busy = in1[1] | in2[1] | end3 | end4 | end5 | end6 | a | b | c | d | e | z_valid;

    wire unused_bits = &{1'b0, top[0], shifted[SS_W+13:16], c_wide};
endmodule

`default_nettype wire
