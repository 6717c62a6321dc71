// SPDX-License-Identifier: Apache-2.0
// y = rmsnorm(x), the twin of hw_rmsnorm:
//     ss + eps = m * 4^k, m in [1, 4)       r = 1 / sqrt(m)   (Q1.15, table)
//     t = sat18(rs(4 * x * r, k))           x / sqrt(ss), Q1.17
//     y = sat(rs(t * gain, shift))
// The sum of squares comes ready from the residual. First y SCALAR + TABLE - 1 + VECTOR clocks after `start`,
// one fewer where x has a register of its own (the first word is read while r is registered),
// then VEC a clock.
//
// Scalar stages: total | (half of msb) | k | (m) | table | lerp, TABLE - 1 registers | r. Vector stages:
// read | (x) | (parts of) x * r | (rounded) | t | t * gain | (rounded) | y. Those in brackets are there one by
// one, from the front, as SCALAR goes from 3 to 5 and VECTOR from 5 to 9; the parts of the product last.
`default_nettype none

module rmsnorm #(
    parameter VEC = 8,
    parameter RES_W = 20,
    parameter ACT_W = 8,
    parameter SS_W = 52,
    parameter ADDR_W = 3,       // residual words
    parameter GAIN_ADDR_W = 6,
    parameter SCALAR = 3,
    parameter VECTOR = 5,
    parameter TABLE = 1
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
    output wire                    gain_read,
    output wire [GAIN_ADDR_W-1:0]  gain_addr,
    input  wire [VEC*16-1:0]       gain_data,

    output reg                     y_valid,
    output reg  [ADDR_W-1:0]       y_word,
    output reg  [VEC*ACT_W-1:0]    y,
    output wire                    busy
);
    // --- scalar part ---------------------------------------------------------------------------------
    localparam MSB = SCALAR > 3 ? 1 : 0, SHIFTED = SCALAR > 4 ? 1 : 0, LERP = TABLE - 1;
    localparam AT_K = 1 + MSB, AT_TABLE = AT_K + 1 + SHIFTED, AT_R = AT_TABLE + 1 + LERP;

    wire [AT_R:0]    scalar;         // who is in which stage
    wire             scalar_busy, r_comes, unused_tag;
    reg [SS_W:0]     total;
    wire [5:0]       top;
    reg  [5:0]       k2;             // 2k
    reg  [8:0]       frac;
    wire [27:0]      entry;
    wire [15:0]      root;
    reg  [15:0]      r;
    reg [5:0]        shift_q;
    reg [ADDR_W-1:0] last_q;
    reg [GAIN_ADDR_W-1:0] base_q;
    wire [4:0]       k = k2[5:1];

    pipe #(.STAGES(AT_R)) u_scalar (
        .clk(clk), .rst(rst), .valid(start), .tag(1'b0), .move(scalar), .out_valid(r_comes),
        .out_tag(unused_tag), .busy(scalar_busy)
    );
    msb #(.W(SS_W + 1), .I_W(6), .CUT(MSB)) u_msb (
        .clk(clk), .en(scalar[1]), .x(total), .index(top)
    );

    wire [SS_W+14:0] shifted = {total, 14'd0} >> k2;      // m, 14 fraction bits
    wire [15:0]      m;
    stage #(.N(SHIFTED), .W(16)) u_m (.clk(clk), .en(scalar[AT_K+1]), .d(shifted[15:0]), .q(m));

    rsqrt_rom u_rsqrt_rom (.clk(clk), .re(scalar[AT_TABLE]), .addr(m[15:9]), .data(entry));
    lerp #(.FRAC_W(9), .CLOCKS(LERP)) u_lerp (
        .clk(clk), .move(scalar[AT_TABLE+1 +: (LERP > 0 ? LERP : 1)]), .entry(entry), .frac(frac),
        .y(root)
    );

    always @(posedge clk) begin
        if (start) begin
            total   <= {1'b0, ss} + {{(SS_W-31){1'b0}}, eps};
            shift_q <= shift;
            last_q  <= last_word;
            base_q  <= gain_base;
        end
        if (scalar[AT_K])
            k2 <= {top[5:1], 1'b0};
        if (scalar[AT_TABLE])
            frac <= m[8:0];
        if (r_comes)
            r <= root;
    end

    // --- vector part ---------------------------------------------------------------------------------
    localparam IN = VECTOR > 5 ? 1 : 0, XR = VECTOR > 6 ? 1 : 0, Y = VECTOR > 7 ? 1 : 0,
               PARTS = VECTOR > 8 ? 1 : 0;
    localparam AT_PARTS = 1 + IN, AT_XR = AT_PARTS + PARTS, AT_T = AT_XR + 1 + XR, AT_TG = AT_T + 1;

    reg               a;              // reading beyond the first word
    reg  [ADDR_W-1:0] a_word;
    wire [VECTOR-1:0] vector;
    wire              y_comes, vector_busy;
    wire [ADDR_W-1:0] word_y, word_gain;

    // the first word is registered while r is
    wire   begins    = scalar[AT_R-IN];
    assign read      = begins | a;
    assign read_addr = begins ? {ADDR_W{1'b0}} : a_word;
    pipe #(.STAGES(VECTOR - 1), .TAG_W(ADDR_W)) u_vector (
        .clk(clk), .rst(rst), .valid(read), .tag(read_addr), .move(vector), .out_valid(y_comes),
        .out_tag(word_y), .busy(vector_busy)
    );
    // the gain is read, and registered, while its word becomes t
    stage #(.N(AT_T - 1), .W(ADDR_W)) u_gain_word (
        .clk(clk), .en(vector[AT_T-2:0]), .d(read_addr), .q(word_gain)
    );
    assign gain_read = vector[AT_T-1];
    assign gain_addr = base_q + {{(GAIN_ADDR_W-ADDR_W){1'b0}}, word_gain};

    genvar i;
    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_element
            reg signed [RES_W+18:0] xr;
            reg signed [17:0]       t;
            reg signed [15:0]       gain;
            reg signed [33:0]       tg;
            wire [RES_W-1:0]         x;
            wire signed [RES_W+16:0] xr_next;
            wire signed [RES_W+18:0] xr_shifted, xr_rounded;
            wire signed [17:0] t_next;
            wire signed [33:0] tg_next, tg_shifted, tg_rounded;
            wire signed [ACT_W-1:0] y_next;

            stage #(.N(IN), .W(RES_W)) u_x (
                .clk(clk), .en(vector[1]), .d(read_data[i*RES_W +: RES_W]), .q(x)
            );
            mul_wide #(.A_W(RES_W), .B_W(17), .CUT(PARTS)) u_xr (
                .clk(clk), .en(vector[AT_PARTS]), .a(x), .b({1'b0, r}), .y(xr_next)
            );
            round_shift #(.W(RES_W + 19), .S_W(5)) u_t_round (.x(xr), .s(k), .y(xr_shifted));
            stage #(.N(XR), .W(RES_W + 19)) u_xr_rounded (
                .clk(clk), .en(vector[AT_XR+1]), .d(xr_shifted), .q(xr_rounded)
            );
            saturate #(.IN_W(RES_W + 19), .OUT_W(18)) u_t_sat (.x(xr_rounded), .y(t_next));
            mul #(.A_W(18), .B_W(16)) u_tg (.a(t), .b(gain), .y(tg_next));
            round_shift #(.W(34), .S_W(6)) u_y_round (.x(tg), .s(shift_q), .y(tg_shifted));
            stage #(.N(Y), .W(34)) u_tg_rounded (
                .clk(clk), .en(vector[VECTOR-2]), .d(tg_shifted), .q(tg_rounded)
            );
            saturate #(.IN_W(34), .OUT_W(ACT_W)) u_y_sat (.x(tg_rounded), .y(y_next));
            always @(posedge clk) begin
                if (vector[AT_XR])
                    xr <= {xr_next, 2'b00};
                if (vector[AT_T]) begin
                    t    <= t_next;
                    gain <= gain_data[i*16 +: 16];
                end
                if (vector[AT_TG])
                    tg <= tg_next;
                if (y_comes)
                    y[i*ACT_W +: ACT_W] <= y_next;
            end
        end
    endgenerate

    always @(posedge clk) begin
        a      <= (begins && last_q != {ADDR_W{1'b0}}) || (a && a_word != last_q);
        a_word <= begins ? {{(ADDR_W-1){1'b0}}, 1'b1} : a_word + 1'b1;
        y_valid <= y_comes;
        if (y_comes)
            y_word <= word_y;
        if (rst)
            {a, y_valid} <= 2'b00;
    end

    assign busy = scalar_busy | a | vector_busy | y_valid;

    wire unused_top = &{1'b0, top[0], shifted[SS_W+14:16]};
endmodule

`default_nettype wire
