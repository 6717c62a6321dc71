// SPDX-License-Identifier: Apache-2.0
// h = silu(gate) * up for VEC / 2 pairs of rows (gate, up, gate, up, ...), the twin of hw_swiglu:
//     silu = rs(gate * sigmoid(gate), 15)     gate 18 bits, 10 fraction bits; sigmoid Q1.15
//     h    = sat(rs(silu * up, shift))        up 16 bits
// sigmoid(a) for a in [0, 16) is interpolated, 1 above; sigmoid(-a) = 1 - sigmoid(a). 5 cycles.
`default_nettype none

module swiglu #(
    parameter VEC = 8,
    parameter ACT_W = 8
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     valid,
    input  wire [19:0]              row,
    input  wire [5:0]               shift,
    input  wire [VEC*24-1:0]        y,

    output reg                      h_valid,
    output reg  [19:0]              h_index, // of the first of VEC / 2 elements
    output reg  [VEC/2*ACT_W-1:0]   h,
    output wire                     busy
);
    reg        v1, v2, v3, v4;
    reg [19:0] i1, i2, i3, i4;
    reg [5:0]  s1, s2, s3, s4;

    genvar i;
    generate
        for (i = 0; i < VEC / 2; i = i + 1) begin : g_pair
            wire signed [17:0] gate;
            wire signed [15:0] up;
            wire [17:0] size = gate[17] ? -gate : gate; // |gate|, 0..2^17
            wire [27:0] entry;
            wire [15:0] curve;
            reg signed [17:0] gate1, gate2, silu3;
            reg signed [15:0] up1, up2, up3;
            reg [6:0]  frac1;
            reg        flat1;
            reg signed [16:0] sigmoid2;
            reg signed [33:0] product4;
            wire [16:0] positive = flat1 ? 17'd32768 : {1'b0, curve};
            wire signed [34:0] gs, gs_r;
            wire signed [33:0] su, su_r;
            wire signed [ACT_W-1:0] h_next;

            saturate #(.IN_W(24), .OUT_W(18)) u_gate (.x(y[2*i*24 +: 24]), .y(gate));
            saturate #(.IN_W(24), .OUT_W(16)) u_up (.x(y[(2*i+1)*24 +: 24]), .y(up));
            sigmoid_rom u_sigmoid_rom (.clk(clk), .addr(size[13:7]), .data(entry));
            lerp #(.FRAC_W(7)) u_lerp (.entry(entry), .frac(frac1), .y(curve));
            mul #(.A_W(18), .B_W(17)) u_gs (.a(gate2), .b(sigmoid2), .y(gs));
            round_shift #(.W(35), .S_W(4)) u_gs_round (.x(gs), .s(4'd15), .y(gs_r));
            mul #(.A_W(18), .B_W(16)) u_su (.a(silu3), .b(up3), .y(su));
            round_shift #(.W(34), .S_W(6)) u_su_round (.x(product4), .s(s4), .y(su_r));
            saturate #(.IN_W(34), .OUT_W(ACT_W)) u_h (.x(su_r), .y(h_next));

            always @(posedge clk) begin
                if (valid) begin
                    gate1 <= gate;
                    up1   <= up;
                    frac1 <= size[6:0];
                    flat1 <= |size[17:14];
                end
                if (v1) begin
                    gate2    <= gate1;
                    up2      <= up1;
                    sigmoid2 <= gate1[17] ? 17'd32768 - positive : positive;
                end
                if (v2) begin
                    silu3 <= gs_r[17:0];
                    up3   <= up2;
                end
                if (v3)
                    product4 <= su;
                if (v4)
                    h[i*ACT_W +: ACT_W] <= h_next;
            end

            wire unused_bits = &{1'b0, gs_r[34:18]};
        end
    endgenerate

    always @(posedge clk) begin
        {v1, v2, v3, v4, h_valid} <= {valid, v1, v2, v3, v4};
        i1 <= {1'b0, row[19:1]};
        i2 <= i1;
        i3 <= i2;
        i4 <= i3;
        h_index <= i4;
        s1 <= shift;
        s2 <= s1;
        s3 <= s2;
        s4 <= s3;
        if (rst)
            {v1, v2, v3, v4, h_valid} <= 5'd0;
    end

    assign busy = valid | v1 | v2 | v3 | v4 | h_valid;

    wire unused_row = row[0];
endmodule

`default_nettype wire
