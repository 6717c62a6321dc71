// SPDX-License-Identifier: Apache-2.0
// Rotates VEC rows (pairs 2i, 2i+1) of keys or queries, or passes values, 2 cycles:
//     a' = sat(rs(a * cos - b * sin, s))    b' = sat(rs(a * sin + b * cos, s))   (hw_rope_rotate)
// s = 14 + 15 - (bits of the result): one rounding. Rows enter with 16 bits.
`default_nettype none

module rope #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter KV_W = 8
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

    reg        valid_q;
    reg [1:0]  kind_q;
    reg [19:0] row_q;
    wire [5:0] shift = kind_q == 2'd1 ? Q_SHIFT : KV_SHIFT;

    genvar i;
    generate
        for (i = 0; i < VEC / 2; i = i + 1) begin : g_pair
            wire [19:0] place = row + 2 * i;
            wire [HALF_W-1:0] index = place[HALF_W:1];
            wire [31:0] angle = angles[index*32 +: 32];
            wire signed [15:0] a, b;
            wire signed [KV_W-1:0] va, vb;
            wire signed [32:0] ac, bs, as, bc;
            reg signed [32:0] even, odd;
            wire signed [32:0] even_r, odd_r;
            wire signed [11:0] even_q, odd_q;
            wire signed [KV_W-1:0] even_k, odd_k;
            reg signed [KV_W-1:0] va_q, vb_q;

            saturate #(.IN_W(24), .OUT_W(16)) u_a (.x(y[2*i*24 +: 24]), .y(a));
            saturate #(.IN_W(24), .OUT_W(16)) u_b (.x(y[(2*i+1)*24 +: 24]), .y(b));
            saturate #(.IN_W(24), .OUT_W(KV_W)) u_va (.x(y[2*i*24 +: 24]), .y(va));
            saturate #(.IN_W(24), .OUT_W(KV_W)) u_vb (.x(y[(2*i+1)*24 +: 24]), .y(vb));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_ac (.a(a), .b(angle[15:0]),  .y(ac));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_bs (.a(b), .b(angle[31:16]), .y(bs));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_as (.a(a), .b(angle[31:16]), .y(as));
            mul #(.A_W(16), .B_W(16), .Y_W(33)) u_bc (.a(b), .b(angle[15:0]),  .y(bc));
            round_shift #(.W(33), .S_W(6)) u_even (.x(even), .s(shift), .y(even_r));
            round_shift #(.W(33), .S_W(6)) u_odd  (.x(odd),  .s(shift), .y(odd_r));
            saturate #(.IN_W(33), .OUT_W(12)) u_even_q (.x(even_r), .y(even_q));
            saturate #(.IN_W(33), .OUT_W(12)) u_odd_q  (.x(odd_r),  .y(odd_q));
            saturate #(.IN_W(33), .OUT_W(KV_W)) u_even_k (.x(even_r), .y(even_k));
            saturate #(.IN_W(33), .OUT_W(KV_W)) u_odd_k  (.x(odd_r),  .y(odd_k));

            always @(posedge clk) begin
                if (valid) begin
                    even <= ac - bs;
                    odd  <= as + bc;
                    va_q <= va;
                    vb_q <= vb;
                end
                if (valid_q) begin
                    z_query[2*i*12 +: 24]    <= {odd_q, even_q};
                    z_kv[2*i*KV_W +: 2*KV_W] <= kind_q == 2'd2 ? {vb_q, va_q} : {odd_k, even_k};
                end
            end

            wire unused_place = &{1'b0, place};
        end
    endgenerate

    always @(posedge clk) begin
        valid_q <= valid;
        z_valid <= valid_q;
        kind_q  <= kind;
        z_kind  <= kind_q;
        row_q   <= row;
        z_row   <= row_q;
        if (rst)
            {valid_q, z_valid} <= 2'b00;
    end

    assign busy = valid | valid_q | z_valid;
endmodule

`default_nettype wire
