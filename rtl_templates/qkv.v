// SPDX-License-Identifier: Apache-2.0
// What becomes of rows of K, Q and V between the drain and the rotation, by family:
//     QKV_BIAS  z = sat24(y + bias), a cycle later                                        (Qwen2)
//     QK_NORM   heads of K and Q pass a norm, those of V take as long: head_norm.v        (Qwen3)
//     neither   z = y, in the same cycle
// Biases are a stream: from address `bias` of the gain ROM on, a word for VEC rows, in the order in
// which rows leave. The ROM must be this unit's (`gain_mine`) from a cycle before the first rows until the
// last rows of V have passed; a design has one of the two features at most.
`default_nettype none

module qkv #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter QKV_BIAS = 0,
    parameter QK_NORM = 0,
    parameter GAIN_ADDR_W = 6,
    parameter LEVELS = 1,      // of head_norm.v, as what follows
    parameter SCALAR = 3,
    parameter VECTOR = 5,
    parameter TABLE = 1
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    start,     // of a layer's attention: rows of K come next
    input  wire                    biased,
    input  wire [GAIN_ADDR_W-1:0]  bias,      // address of the first word

    input  wire                    set_norms, // takes what follows
    input  wire [5:0]              k_shift,
    input  wire [5:0]              q_shift,
    input  wire [31:0]             k_eps,
    input  wire [31:0]             q_eps,
    input  wire [GAIN_ADDR_W-1:0]  gain,      // address of K's gains; Q's come behind them

    input  wire                    valid,
    input  wire [1:0]              kind,      // 0 key, 1 query, 2 value
    input  wire [19:0]             row,
    input  wire [VEC*24-1:0]       y,

    input  wire                    gain_mine, // the gain ROM is this unit's
    output wire                    gain_read,
    output wire [GAIN_ADDR_W-1:0]  gain_addr,
    input  wire [VEC*16-1:0]       gain_data,

    output wire                    z_valid,
    output wire [1:0]              z_kind,
    output wire [19:0]             z_row,
    output wire [VEC*24-1:0]       z,
    output wire                    busy
);
    genvar i;
    generate
        if (QK_NORM != 0) begin : g_norm
            wire [VEC*16-1:0] normed;
            head_norm #(
                .VEC(VEC), .HEAD_DIM(HEAD_DIM), .GAIN_ADDR_W(GAIN_ADDR_W), .LEVELS(LEVELS),
                .SCALAR(SCALAR), .VECTOR(VECTOR), .TABLE(TABLE)
            ) u_head_norm (
                .clk(clk), .rst(rst), .set(set_norms), .k_shift(k_shift), .q_shift(q_shift),
                .k_eps(k_eps), .q_eps(q_eps), .gain(gain), .valid(valid), .kind(kind), .row(row),
                .y(y), .gain_read(gain_read), .gain_addr(gain_addr), .gain_data(gain_data), .z_valid(z_valid),
                .z_kind(z_kind), .z_row(z_row), .z(normed), .busy(busy)
            );
            for (i = 0; i < VEC; i = i + 1) begin : g_row
                assign z[i*24 +: 24] = {{8{normed[i*16+15]}}, normed[i*16 +: 16]};
            end
            wire unused_bias = &{1'b0, start, biased, bias, gain_mine};
        end else if (QKV_BIAS != 0) begin : g_bias
            reg                    on, valid_q;
            reg                    wanted; // the first word is not there yet
            reg [1:0]              kind_q;
            reg [19:0]             row_q;
            reg [VEC*24-1:0]       sum;
            reg [GAIN_ADDR_W-1:0]  at;   // of the word that meets the next rows
            for (i = 0; i < VEC; i = i + 1) begin : g_row
                wire signed [15:0] b = gain_data[i*16 +: 16];
                wire signed [23:0] x = y[i*24 +: 24];
                wire signed [24:0] wide = {x[23], x} + {{9{b[15]}}, b};
                wire signed [23:0] limited;
                saturate #(.IN_W(25), .OUT_W(24)) u_sat (.x(wide), .y(limited));
                always @(posedge clk)
                    if (valid)
                        sum[i*24 +: 24] <= on ? limited : x;
            end
            assign gain_read = gain_mine && (wanted || (valid && on));
            assign gain_addr = valid ? at + 1'b1 : at;
            always @(posedge clk) begin
                at      <= start ? bias : gain_addr;
                valid_q <= valid;
                kind_q  <= kind;
                row_q   <= row;
                if (gain_read)
                    wanted <= 1'b0;
                if (start) begin
                    on     <= biased;
                    wanted <= biased;
                end
                if (rst)
                    {valid_q, wanted} <= 2'd0;
            end
            assign z_valid = valid_q;
            assign z_kind  = kind_q;
            assign z_row   = row_q;
            assign z       = sum;
            assign busy    = valid_q;
            wire unused_norms = &{1'b0, set_norms, k_shift, q_shift, k_eps, q_eps, gain};
        end else begin : g_none
            assign z_valid   = valid;
            assign z_kind    = kind;
            assign z_row     = row;
            assign z         = y;
            assign busy      = 1'b0;
            assign gain_read = 1'b0;
            assign gain_addr = {GAIN_ADDR_W{1'b0}};
            wire unused = &{1'b0, clk, rst, start, biased, bias, set_norms, k_shift, q_shift, k_eps,
                            q_eps, gain, gain_mine, gain_data};
        end
    endgenerate

    // A design without norms of heads has no head_norm.v.
    wire unused_norm = &{1'b0, HEAD_DIM[0], LEVELS != 0, SCALAR != 0, VECTOR != 0, TABLE != 0};
endmodule

`default_nettype wire
