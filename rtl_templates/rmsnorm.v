// SPDX-License-Identifier: Apache-2.0
// y = rmsnorm(x), the twin of hw_rmsnorm: 1 / sqrt(ss + eps) of rsqrt.v, y of norm_elements.v.
// The sum of squares comes ready from the residual. First y SCALAR + TABLE - 1 + VECTOR clocks after `start`,
// one fewer where x has a register of its own (the first word is read while r is registered),
// then VEC a clock.
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

    output wire                    y_valid,
    output wire [ADDR_W-1:0]       y_word,
    output wire [VEC*ACT_W-1:0]    y,
    output wire                    busy
);
    wire                   r_soon, r_comes, r_busy, y_busy, r_tag, gain_tag, y_tag;
    wire [15:0]            r;
    wire [4:0]             k;
    wire [ADDR_W-1:0]      gain_word;
    reg  [5:0]             shift_q;
    reg  [ADDR_W-1:0]      last_q;
    reg  [GAIN_ADDR_W-1:0] base_q;

    always @(posedge clk)
        if (start) begin
            shift_q <= shift;
            last_q  <= last_word;
            base_q  <= gain_base;
        end

    rsqrt #(.W(SS_W + 1), .SCALAR(SCALAR), .TABLE(TABLE)) u_rsqrt (
        .clk(clk), .rst(rst), .valid(start), .total({1'b0, ss} + {{(SS_W-31){1'b0}}, eps}),
        .tag(1'b0), .r_soon(r_soon), .r_comes(r_comes), .r(r), .k(k), .r_tag(r_tag), .busy(r_busy)
    );
    norm_elements #(
        .VEC(VEC), .X_W(RES_W), .Y_W(ACT_W), .WORD_W(ADDR_W), .VECTOR(VECTOR)
    ) u_elements (
        .clk(clk), .rst(rst), .r_soon(r_soon), .r_comes(r_comes), .r(r), .k(k), .tag(1'b0),
        .last_word(last_q), .read(read), .read_word(read_addr), .x(read_data),
        .gain_read(gain_read), .gain_word(gain_word), .gain_tag(gain_tag), .gain(gain_data),
        .shift(shift_q), .y_valid(y_valid), .y_word(y_word), .y_tag(y_tag), .y(y), .busy(y_busy)
    );
    assign gain_addr = base_q + {{(GAIN_ADDR_W-ADDR_W){1'b0}}, gain_word};
    assign busy      = r_busy | y_busy;

    wire unused_tags = &{1'b0, r_tag, gain_tag, y_tag};
endmodule

`default_nettype wire
