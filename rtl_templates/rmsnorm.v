// SPDX-License-Identifier: Apache-2.0
// y = rmsnorm(x), the twin of hw_rmsnorm:
//     ss + eps = m * 4^k, m in [1, 4)       r = 1 / sqrt(m)   (Q1.15, table)
//     t = sat18(rs(4 * x * r, k))           x / sqrt(ss), Q1.17
//     y = sat(rs(t * gain, shift))
// The sum of squares comes ready from the residual. First y 8 cycles after `start`, then VEC a cycle.
`default_nettype none

module rmsnorm #(
    parameter VEC = 8,
    parameter RES_W = 20,
    parameter ACT_W = 8,
    parameter SS_W = 52,
    parameter ADDR_W = 3,       // residual words
    parameter GAIN_ADDR_W = 6
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    start,
    input  wire [31:0]             eps,
    input  wire [5:0]              shift,
    input  wire [ADDR_W-1:0]       last_word, // dim / VEC - 1
    input  wire [GAIN_ADDR_W-1:0]  gain_base,
    input  wire [SS_W-1:0]         ss,

    output wire                    read,
    output wire [ADDR_W-1:0]       read_addr,
    input  wire [VEC*RES_W-1:0]    read_data,
    output wire [GAIN_ADDR_W-1:0]  gain_addr,
    input  wire [VEC*16-1:0]       gain_data,

    output reg                     y_valid,
    output reg  [ADDR_W-1:0]       y_word,
    output reg  [VEC*ACT_W-1:0]    y,
    output wire                    busy
);
    // --- scalar part: start | n1: k | n2: table | n3: r ----------------------------------------
    reg              n1, n2, n3;
    reg [SS_W:0]     total;
    wire [5:0]       top;
    reg  [5:0]       k2;                 // 2k
    reg  [4:0]       k;
    reg  [8:0]       frac;
    wire [27:0]      entry;
    wire [15:0]      root;
    reg  [15:0]      r;
    reg [5:0]        shift_q;
    reg [ADDR_W-1:0] last_q;
    reg [GAIN_ADDR_W-1:0] base_q;

    msb #(.W(SS_W + 1), .I_W(6)) u_msb (.x(total), .index(top));

    wire [SS_W+14:0] shifted = {total, 14'd0} >> k2;      // m, 14 fraction bits
    wire [15:0]      m       = shifted[15:0];

    rsqrt_rom u_rsqrt_rom (.clk(clk), .addr(m[15:9]), .data(entry));
    lerp #(.FRAC_W(9)) u_lerp (.entry(entry), .frac(frac), .y(root));

    always @(posedge clk) begin
        if (start) begin
            total   <= {1'b0, ss} + {{(SS_W-31){1'b0}}, eps};
            shift_q <= shift;
            last_q  <= last_word;
            base_q  <= gain_base;
        end
        k2   <= {top[5:1], 1'b0};
        frac <= m[8:0];
        if (n2)
            k <= k2[5:1];
        if (n3)
            r <= root;
        n1 <= start;
        n2 <= n1;
        n3 <= n2;
        if (rst)
            {n1, n2, n3} <= 3'b000;
    end

    // --- vector part: a read | b x | c x * r | d t | e t * gain | y -------------------------------
    reg               a, b, c, d, e;
    reg [ADDR_W-1:0]  a_word, b_word, c_word, d_word, e_word;

    assign read      = n3 | a;
    assign read_addr = n3 ? {ADDR_W{1'b0}} : a_word;
    assign gain_addr = base_q + {{(GAIN_ADDR_W-ADDR_W){1'b0}}, c_word};

    genvar i;
    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_element
            reg signed [RES_W+18:0] xr;
            reg signed [17:0]       t;
            reg signed [33:0]       tg;
            wire signed [RES_W+16:0] xr_next;
            wire signed [RES_W+18:0] xr_shifted;
            wire signed [17:0] t_next;
            wire signed [33:0] tg_next, tg_shifted;
            wire signed [ACT_W-1:0] y_next;

            mul #(.A_W(RES_W), .B_W(17)) u_xr (
                .a(read_data[i*RES_W +: RES_W]), .b({1'b0, r}), .y(xr_next)
            );
            round_shift #(.W(RES_W + 19), .S_W(5)) u_t_round (.x(xr), .s(k), .y(xr_shifted));
            saturate #(.IN_W(RES_W + 19), .OUT_W(18)) u_t_sat (.x(xr_shifted), .y(t_next));
            mul #(.A_W(18), .B_W(16)) u_tg (.a(t), .b(gain_data[i*16 +: 16]), .y(tg_next));
            round_shift #(.W(34), .S_W(6)) u_y_round (.x(tg), .s(shift_q), .y(tg_shifted));
            saturate #(.IN_W(34), .OUT_W(ACT_W)) u_y_sat (.x(tg_shifted), .y(y_next));
            always @(posedge clk) begin
                if (b)
                    xr <= {xr_next, 2'b00};
                if (c)
                    t <= t_next;
                if (d)
                    tg <= tg_next;
                if (e)
                    y[i*ACT_W +: ACT_W] <= y_next;
            end
        end
    endgenerate

    always @(posedge clk) begin
        a      <= (n3 && last_q != {ADDR_W{1'b0}}) || (a && a_word != last_q);
        a_word <= n3 ? {{(ADDR_W-1){1'b0}}, 1'b1} : a_word + 1'b1;
        {b, c, d, e, y_valid} <= {read, b, c, d, e};
        b_word <= read_addr;
        c_word <= b_word;
        d_word <= c_word;
        e_word <= d_word;
        y_word <= e_word;
        if (rst)
            {a, b, c, d, e, y_valid} <= 6'd0;
    end

    assign busy = n1 | n2 | n3 | a | b | c | d | e | y_valid;

    wire unused_top = &{1'b0, top[0], shifted[SS_W+14:16]};
endmodule

`default_nettype wire
