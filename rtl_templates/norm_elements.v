// SPDX-License-Identifier: Apache-2.0
// The elements of a norm, from the r and k of their vector (rsqrt.v):
//     t = sat18(rs(4 * x * r, k))           x / sqrt(ss), Q1.17
//     y = sat(rs(t * gain, shift))
// A vector's words are read from 0 to last_word, one a clock, the first one so that it meets r in the clock in
// which r is there: with r_comes, or, where x has a register, with r_soon. A word leaves VECTOR clocks after it was
// read. Vectors may follow each other without a gap, for r, k and tag stay until the next ones are there.
//
// Registers: read | (x) | (parts of) x * r | (shifted) | t | (again) | t * gain | (shifted) | y. Those in brackets are there
// one by one, from the front, as VECTOR goes from 5 to 10; the parts of the product and t again last.
`default_nettype none

module norm_elements #(
    parameter VEC = 8,
    parameter X_W = 20,
    parameter Y_W = 8,
    parameter WORD_W = 3,
    parameter TAG_W = 1,
    parameter VECTOR = 5
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               r_soon,    // r is there two clocks later
    input  wire               r_comes,   // r is there in the next clock
    input  wire [15:0]        r,
    input  wire [4:0]         k,
    input  wire [TAG_W-1:0]   tag,       // of this vector
    input  wire [WORD_W-1:0]  last_word, // of the vector that is read

    output wire               read,
    output wire [WORD_W-1:0]  read_word,
    input  wire [VEC*X_W-1:0] x,         // a clock later

    output wire               gain_read,
    output wire [WORD_W-1:0]  gain_word,
    output wire [TAG_W-1:0]   gain_tag,
    input  wire [VEC*16-1:0]  gain,      // a clock later
    input  wire [5:0]         shift,     // with it

    output wire               y_valid,
    output wire [WORD_W-1:0]  y_word,
    output wire [TAG_W-1:0]   y_tag,
    output reg  [VEC*Y_W-1:0] y,
    output wire               busy
);
    localparam IN = VECTOR > 5 ? 1 : 0, XR = VECTOR > 6 ? 1 : 0, Y = VECTOR > 7 ? 1 : 0,
               PARTS = VECTOR > 8 ? 1 : 0, AGAIN = VECTOR > 9 ? 1 : 0;
    localparam AT_R = 1 + IN, AT_XR = AT_R + PARTS, AT_T = AT_XR + 1 + XR, AT_TG = AT_T + 1 + AGAIN,
               AT_GAIN = AT_T - 1, AT_Y = VECTOR - 1;

    // --- words: read, their gains, y -----------------------------------------------------------
    reg               a;              // reading beyond the first word
    reg  [WORD_W-1:0] a_word;
    wire              begins = IN != 0 ? r_soon : r_comes;
    wire [VECTOR:0]   move;
    wire              unused_tag, elements_busy;

    assign read      = begins | a;
    assign read_word = begins ? {WORD_W{1'b0}} : a_word;

    always @(posedge clk) begin
        a      <= (begins && last_word != {WORD_W{1'b0}}) || (a && a_word != last_word);
        a_word <= begins ? {{(WORD_W-1){1'b0}}, 1'b1} : a_word + 1'b1;
        if (rst)
            a <= 1'b0;
    end

    pipe #(.STAGES(VECTOR)) u_pipe (
        .clk(clk), .rst(rst), .valid(read), .tag(1'b0), .move(move), .out_valid(y_valid),
        .out_tag(unused_tag), .busy(elements_busy)
    );
    // a gain is read, and registered, while its word becomes t
    stage #(.N(AT_GAIN), .W(WORD_W)) u_gain_word (
        .clk(clk), .en(move[AT_GAIN-1:0]), .d(read_word), .q(gain_word)
    );
    stage #(.N(AT_GAIN - AT_R), .W(TAG_W)) u_gain_tag (
        .clk(clk), .en(move[AT_R +: (AT_GAIN > AT_R ? AT_GAIN - AT_R : 1)]), .d(tag), .q(gain_tag)
    );
    stage #(.N(VECTOR - AT_GAIN), .W(WORD_W + TAG_W)) u_y_word (
        .clk(clk), .en(move[AT_Y:AT_GAIN]), .d({gain_word, gain_tag}), .q({y_word, y_tag})
    );
    assign gain_read = move[AT_GAIN];

    // --- elements --------------------------------------------------------------------------------
    wire [4:0] k_xr;                  // beside x * r
    wire [5:0] shift_tg;              // beside t * gain
    stage #(.N(1 + PARTS), .W(5)) u_k (.clk(clk), .en(move[AT_XR:AT_R]), .d(k), .q(k_xr));
    stage #(.N(2 + AGAIN), .W(6)) u_shift (.clk(clk), .en(move[AT_TG:AT_T]), .d(shift), .q(shift_tg));

    genvar i;
    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_element
            reg signed [X_W+18:0] xr;
            reg signed [17:0]     t;
            reg signed [15:0]     gain_t;
            reg signed [33:0]     tg;
            wire [X_W-1:0]         x_r;
            wire signed [X_W+16:0] xr_next;
            wire signed [X_W+19:0] xr_halves, xr_shifted;
            wire signed [17:0]     t_next;
            wire signed [17:0]     t_tg;      // at their product
            wire signed [15:0]     gain_tg;
            wire signed [33:0]     tg_next;
            wire signed [34:0]     tg_halves, tg_shifted;
            wire signed [Y_W-1:0]  y_next;

            stage #(.N(IN), .W(X_W)) u_x (
                .clk(clk), .en(move[1]), .d(x[i*X_W +: X_W]), .q(x_r)
            );
            mul_wide #(.A_W(X_W), .B_W(17), .CUT(PARTS)) u_xr (
                .clk(clk), .en(move[AT_R]), .a(x_r), .b({1'b0, r}), .y(xr_next)
            );
            shift_half #(.W(X_W + 19), .S_W(5)) u_t_down (.x(xr), .s(k_xr), .y(xr_halves));
            stage #(.N(XR), .W(X_W + 20)) u_xr_shifted (
                .clk(clk), .en(move[AT_XR+1]), .d(xr_halves), .q(xr_shifted)
            );
            round_saturate #(.IN_W(X_W + 19), .OUT_W(18)) u_t_round (.x(xr_shifted), .y(t_next));
            stage #(.N(AGAIN), .W(18 + 16)) u_again (
                .clk(clk), .en(1'b1), .d({t, gain_t}), .q({t_tg, gain_tg})
            );
            mul #(.A_W(18), .B_W(16)) u_tg (.a(t_tg), .b(gain_tg), .y(tg_next));
            shift_half #(.W(34), .S_W(6)) u_y_down (.x(tg), .s(shift_tg), .y(tg_halves));
            stage #(.N(Y), .W(35)) u_tg_shifted (
                .clk(clk), .en(move[AT_Y-1]), .d(tg_halves), .q(tg_shifted)
            );
            round_saturate #(.IN_W(34), .OUT_W(Y_W)) u_y_round (.x(tg_shifted), .y(y_next));
            always @(posedge clk) begin
                if (move[AT_XR])
                    xr <= {xr_next, 2'b00};
                if (move[AT_T]) begin
                    t      <= t_next;
                    gain_t <= gain[i*16 +: 16];
                end
                if (move[AT_TG])
                    tg <= tg_next;
                if (move[AT_Y])
                    y[i*Y_W +: Y_W] <= y_next;
            end
        end
    endgenerate

    assign busy = a | elements_busy;
endmodule

`default_nettype wire
