// SPDX-License-Identifier: Apache-2.0
// h = silu(gate) * up for VEC / 2 pairs of rows (gate, up, gate, up, ...), the twin of hw_swiglu:
//     silu = rs(gate * sigmoid(gate), 15)     gate 18 bits, 10 fraction bits; sigmoid Q1.15
//     h    = sat(rs(silu * up, shift))        up 16 bits
// sigmoid(a) for a in [0, 16) is interpolated, 1 above; sigmoid(-a) = 1 - sigmoid(a).
//
// Stages: (gate, up, |gate|) | table | lerp (TABLE - 1 registers) | (curve) | sigmoid | (gate * sigmoid) |
// silu | silu * up | (shifted) | h. Those in brackets have a register each with CLOCKS = 9, none with 5, and
// one by one from the front in between, the curve last; h follows y by CLOCKS + TABLE - 1.
`default_nettype none

module swiglu #(
    parameter VEC = 8,
    parameter ACT_W = 8,
    parameter CLOCKS = 5,
    parameter TABLE = 1
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
    localparam IN = CLOCKS > 5 ? 1 : 0, SILU = CLOCKS > 6 ? 1 : 0, ROUND = CLOCKS > 7 ? 1 : 0,
               CURVE = CLOCKS > 8 ? 1 : 0;
    localparam LERP   = TABLE - 1;
    localparam STAGES = CLOCKS + TABLE - 1;
    // registers before the table's word, the curve, sigmoid, silu and its product with up
    localparam AT_TABLE = IN, AT_CURVE = IN + 1 + LERP, AT_SIGMOID = AT_CURVE + CURVE,
               AT_GS = AT_SIGMOID + 1, AT_SILU = AT_GS + SILU, AT_SU = AT_SILU + 1;

    wire [STAGES-1:0] move;
    wire              h_comes, way_busy;
    wire [19:0]       row_h;
    pipe #(.STAGES(STAGES - 1), .TAG_W(20)) u_way (
        .clk(clk), .rst(rst), .valid(valid), .tag({1'b0, row[19:1]}), .move(move),
        .out_valid(h_comes), .out_tag(row_h), .busy(way_busy)
    );
    wire [5:0] shift_h;
    stage #(.N(AT_SU + 1), .W(6)) u_shift (.clk(clk), .en(move[AT_SU:0]), .d(shift), .q(shift_h));

    genvar i;
    generate
        for (i = 0; i < VEC / 2; i = i + 1) begin : g_pair
            wire signed [17:0] gate_in, gate, gate1, gate2;
            wire signed [15:0] up_in, up, up3;
            wire [17:0] size = gate[17] ? -gate : gate; // |gate|, 0..2^17
            wire [27:0] entry;
            wire [15:0] curve_in, curve;
            reg  [6:0]  frac;
            wire        flat;
            reg  signed [16:0] sigmoid;
            wire [16:0] positive = flat ? 17'd32768 : {1'b0, curve};
            wire signed [34:0] gs_in, gs, gs_r;
            wire signed [33:0] su;
            wire signed [34:0] su_halves, su_q;
            reg  signed [17:0] silu;
            reg  signed [33:0] product;
            wire signed [ACT_W-1:0] h_next;

            saturate #(.IN_W(24), .OUT_W(18)) u_gate (.x(y[2*i*24 +: 24]), .y(gate_in));
            saturate #(.IN_W(24), .OUT_W(16)) u_up (.x(y[(2*i+1)*24 +: 24]), .y(up_in));
            stage #(.N(IN), .W(34)) u_in (
                .clk(clk), .en(move[0]), .d({gate_in, up_in}), .q({gate, up})
            );
            // beside the curve
            stage #(.N(AT_SIGMOID - IN), .W(19)) u_gate1 (
                .clk(clk), .en(move[AT_SIGMOID-1:IN]), .d({gate, |size[17:14]}), .q({gate1, flat})
            );
            stage #(.N(AT_SILU + 1 - IN), .W(16)) u_up3 (
                .clk(clk), .en(move[AT_SILU:IN]), .d(up), .q(up3)
            );

            sigmoid_rom u_sigmoid_rom (
                .clk(clk), .re(move[AT_TABLE]), .addr(size[13:7]), .data(entry)
            );
            lerp #(.FRAC_W(7), .CLOCKS(LERP)) u_lerp (
                .clk(clk), .move(move[AT_TABLE+1 +: (LERP > 0 ? LERP : 1)]), .entry(entry),
                .frac(frac), .y(curve_in)
            );
            stage #(.N(CURVE), .W(16)) u_curve (
                .clk(clk), .en(move[AT_CURVE]), .d(curve_in), .q(curve)
            );
            stage #(.N(1), .W(18)) u_gate2 (.clk(clk), .en(move[AT_SIGMOID]), .d(gate1), .q(gate2));
            mul #(.A_W(18), .B_W(17)) u_gs (.a(gate2), .b(sigmoid), .y(gs_in));
            stage #(.N(SILU), .W(35)) u_silu (.clk(clk), .en(move[AT_GS]), .d(gs_in), .q(gs));
            round_shift #(.W(35), .S_W(4)) u_gs_round (.x(gs), .s(4'd15), .y(gs_r));
            mul #(.A_W(18), .B_W(16)) u_su (.a(silu), .b(up3), .y(su));
            shift_half #(.W(34), .S_W(6)) u_su_down (.x(product), .s(shift_h), .y(su_halves));
            stage #(.N(ROUND), .W(35)) u_su_halves (
                .clk(clk), .en(move[STAGES-2]), .d(su_halves), .q(su_q)
            );
            round_saturate #(.IN_W(34), .OUT_W(ACT_W)) u_h (.x(su_q), .y(h_next));

            always @(posedge clk) begin
                if (move[AT_TABLE])
                    frac <= size[6:0];
                if (move[AT_SIGMOID])
                    sigmoid <= gate1[17] ? 17'd32768 - positive : positive;
                if (move[AT_SILU])
                    silu <= gs_r[17:0];
                if (move[AT_SU])
                    product <= su;
                if (h_comes)
                    h[i*ACT_W +: ACT_W] <= h_next;
            end

            wire unused_bits = &{1'b0, gs_r[34:18]};
        end
    endgenerate

    always @(posedge clk) begin
        h_valid <= h_comes;
        if (h_comes)
            h_index <= row_h;
        if (rst)
            h_valid <= 1'b0;
    end

    assign busy = valid | way_busy | h_valid;

    wire unused_row = row[0];
endmodule

`default_nettype wire
