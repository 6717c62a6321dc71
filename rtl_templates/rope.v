// SPDX-License-Identifier: Apache-2.0
// Rotates VEC rows (pairs 2i, 2i+1) of keys or queries, or passes values:
//     a' = sat(rs(a * cos - b * sin, s))    b' = sat(rs(a * sin + b * cos, s))   (hw_rope_rotate)
// s = 14 + 15 - (bits of the result): one rounding. Rows enter with 16 bits. z follows y by CLOCKS: 2, or 3
// (rows and angles are registered), or 4 (the products, too), or 5 (shifted, then rounded), or 6 (rows and angles
// again).
`default_nettype none

module rope #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter KV_W = 8,
    parameter CLOCKS = 2
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire                       valid,
    input  wire [1:0]                 kind,   // 0 key, 1 query, 2 value
    input  wire [19:0]                row,
    input  wire [VEC*24-1:0]          y,
    input  wire [HEAD_DIM/2*32-1:0]   angles, // {sin, cos} of each pair, Q1.14

    output reg                        z_valid,
    output reg  [1:0]                 z_kind,
    output reg  [19:0]                z_row,
    output reg  [VEC*12-1:0]          z_query, // 12 bits each
    output reg  [VEC*KV_W-1:0]        z_kv,
    output wire                       busy
);
    localparam HALF   = HEAD_DIM / 2;
    localparam HALF_W = $clog2(HALF);
    localparam [5:0] Q_SHIFT  = 14 + 15 - 12;
    localparam [5:0] KV_SHIFT = 14 + 15 - KV_W;

    localparam IN = CLOCKS > 5 ? 2 : CLOCKS > 2 ? 1 : 0, PRODUCT = CLOCKS > 3 ? 1 : 0, ROUND = CLOCKS > 4 ? 1 : 0;
    localparam AT_SUM = IN + PRODUCT; // registers before the sum
    localparam TAKES = IN > 0 ? IN : 1;
    localparam [1:0] AGAIN = 2'b10;   // what is registered again takes in every clock (stage.v)

    wire [CLOCKS-1:0] move;
    wire              z_comes, way_busy;
    wire [1:0]        kind_z, kind_sum;
    wire [19:0]       row_z;
    pipe #(.STAGES(CLOCKS - 1), .TAG_W(22)) u_way (
        .clk(clk), .rst(rst), .valid(valid), .tag({kind, row}), .move(move), .out_valid(z_comes),
        .out_tag({kind_z, row_z}), .busy(way_busy)
    );
    stage #(.N(AT_SUM + 1), .W(2)) u_kind (.clk(clk), .en(move[AT_SUM:0]), .d(kind), .q(kind_sum));
    wire [5:0] shift = kind_sum == 2'd1 ? Q_SHIFT : KV_SHIFT;

    genvar i, h;
    wire [31:0] angle_of [0:HALF-1];
    generate
        for (h = 0; h < HALF; h = h + 1) begin : g_angle
            assign angle_of[h] = angles[h*32 +: 32];
        end
        for (i = 0; i < VEC / 2; i = i + 1) begin : g_pair
            wire [19:0] element = row + 2 * i;
            wire [HALF_W-1:0] index = element[HALF_W:1];
            wire [31:0] angle;
            wire signed [15:0] a_in, b_in, a, b;
            wire signed [KV_W-1:0] va, vb, va_z, vb_z;
            wire signed [32:0] ac_in, bs_in, as_in, bc_in, ac, bs, as, bc;
            reg signed [32:0] even, odd;
            wire signed [33:0] even_h, odd_h, even_s, odd_s; // in halves
            wire signed [11:0] even_q, odd_q;
            wire signed [KV_W-1:0] even_k, odd_k;

            saturate #(.IN_W(24), .OUT_W(16)) u_a (.x(y[2*i*24 +: 24]), .y(a_in));
            saturate #(.IN_W(24), .OUT_W(16)) u_b (.x(y[(2*i+1)*24 +: 24]), .y(b_in));
            saturate #(.IN_W(24), .OUT_W(KV_W)) u_va (.x(y[2*i*24 +: 24]), .y(va));
            saturate #(.IN_W(24), .OUT_W(KV_W)) u_vb (.x(y[(2*i+1)*24 +: 24]), .y(vb));
            stage #(.N(IN), .W(64)) u_in (
                .clk(clk), .en(move[TAKES-1:0] | AGAIN[TAKES-1:0]), .d({a_in, b_in, angle_of[index]}), .q({a, b, angle})
            );
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_ac (.a(a), .b(angle[15:0]),  .y(ac_in));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_bs (.a(b), .b(angle[31:16]), .y(bs_in));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_as (.a(a), .b(angle[31:16]), .y(as_in));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_bc (.a(b), .b(angle[15:0]),  .y(bc_in));
            stage #(.N(PRODUCT), .W(4 * 33)) u_product (
                .clk(clk), .en(move[IN]), .d({ac_in, bs_in, as_in, bc_in}), .q({ac, bs, as, bc})
            );
            shift_half #(.W(33), .S_W(6)) u_even (.x(even), .s(shift), .y(even_h));
            shift_half #(.W(33), .S_W(6)) u_odd  (.x(odd),  .s(shift), .y(odd_h));
            stage #(.N(ROUND), .W(68)) u_shifted (
                .clk(clk), .en(move[AT_SUM+1]), .d({even_h, odd_h}), .q({even_s, odd_s})
            );
            round_saturate #(.IN_W(33), .OUT_W(12)) u_even_q (.x(even_s), .y(even_q));
            round_saturate #(.IN_W(33), .OUT_W(12)) u_odd_q  (.x(odd_s),  .y(odd_q));
            round_saturate #(.IN_W(33), .OUT_W(KV_W)) u_even_k (.x(even_s), .y(even_k));
            round_saturate #(.IN_W(33), .OUT_W(KV_W)) u_odd_k  (.x(odd_s),  .y(odd_k));
            stage #(.N(CLOCKS - 1), .W(2 * KV_W)) u_value (
                .clk(clk), .en(move[CLOCKS-2:0]), .d({vb, va}), .q({vb_z, va_z})
            );

            always @(posedge clk) begin
                if (move[AT_SUM]) begin
                    even <= ac - bs;
                    odd  <= as + bc;
                end
                if (z_comes) begin
                    z_query[2*i*12 +: 24]    <= {odd_q, even_q};
                    z_kv[2*i*KV_W +: 2*KV_W] <= kind_z == 2'd2 ? {vb_z, va_z} : {odd_k, even_k};
                end
            end

            wire unused_element = &{1'b0, element};
        end
    endgenerate

    always @(posedge clk) begin
        z_valid <= z_comes;
        if (z_comes)
            {z_kind, z_row} <= {kind_z, row_z};
        if (rst)
            z_valid <= 1'b0;
    end

    assign busy = valid | way_busy | z_valid;
endmodule

`default_nettype wire
