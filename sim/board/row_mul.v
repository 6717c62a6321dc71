// SPDX-License-Identifier: Apache-2.0
// For techmap on an ECP5: a signed product as rows of carry cells, two bits of B each. A half of a CCU2C adds two bits of
// products, which its LUT makes too: A[i] & B[j] and A[i-1] & B[j+1]. The row with the sign of B subtracts the second.
// Each row is added to what is above the last one's two lowest bits. 84 LUTs for 10 x 8 bits; Yosys' own are 270.
// A constant 0 as the sign of B is no bit of it, and no row subtracts.
(* techmap_celltype = "$__row_mul" *)
module row_mul (A, B, Y);
    parameter A_SIGNED = 1, B_SIGNED = 1, A_WIDTH = 2, B_WIDTH = 2, Y_WIDTH = 4;
    input  [A_WIDTH-1:0] A;
    input  [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;
    parameter _TECHMAP_CONSTMSK_B_ = 0, _TECHMAP_CONSTVAL_B_ = 0;
    localparam PLUS = _TECHMAP_CONSTMSK_B_[B_WIDTH-1] && !_TECHMAP_CONSTVAL_B_[B_WIDTH-1], BITS = B_WIDTH - PLUS;
    localparam W = A_WIDTH + 2 + A_WIDTH % 2, ROWS = BITS / 2, P = W + BITS - 2;

    wire _TECHMAP_FAIL_ = !A_SIGNED || !B_SIGNED || BITS % 2 != 0;
    wire [W-1:0] once  = {{(W-A_WIDTH){A[A_WIDTH-1]}}, A};
    wire [W-1:0] twice = {once[W-2:0], 1'b0};
    wire [P-1:0] y;
    genvar j, i;
    generate
        for (j = 0; j < ROWS; j = j + 1) begin : row
            localparam MINUS = !PLUS && j == ROWS - 1;
            wire [W-1:0] pair, sum;
            wire [W:0]   carry;
            assign carry[0] = 1'b0;
            for (i = 0; i < W; i = i + 2) begin : bits
                // The lowest bit of a subtraction: x - 0, and the carry that -y = ~y + 1 wants.
                localparam FIRST = MINUS && i == 0;
                wire low;
                CCU2C #(
                    .INIT0(FIRST ? 16'h000F : MINUS ? 16'h8777 : 16'h7888), .INIT1(MINUS ? 16'h8777 : 16'h7888),
                    .INJECT1_0("NO"), .INJECT1_1("NO")
                ) cell_i (
                    .CIN(carry[i]), .COUT(carry[i+2]), .S0(low), .S1(pair[i+1]),
                    .A0(MINUS ? twice[i] : once[i]), .B0(MINUS ? B[2*j+1] : B[2*j]),
                    .C0(FIRST ? 1'b1 : MINUS ? once[i] : twice[i]), .D0(FIRST ? 1'b0 : MINUS ? B[2*j] : B[2*j+1]),
                    .A1(MINUS ? twice[i+1] : once[i+1]), .B1(MINUS ? B[2*j+1] : B[2*j]),
                    .C1(MINUS ? once[i+1] : twice[i+1]), .D1(MINUS ? B[2*j] : B[2*j+1])
                );
                assign pair[i] = FIRST ? once[0] & B[2*j] : low;
            end
            if (j == 0) begin : first
                assign sum = pair;
            end else begin : next
                wire [W-1:0] half, over;
                \$alu #(.A_SIGNED(1), .B_SIGNED(1), .A_WIDTH(W), .B_WIDTH(W), .Y_WIDTH(W)) adder (
                    .A({{2{row[j-1].sum[W-1]}}, row[j-1].sum[W-1:2]}), .B(pair), .CI(1'b0), .BI(1'b0), .X(half),
                    .Y(sum), .CO(over)
                );
            end
            if (j < ROWS - 1) begin : low_bits
                assign y[2*j +: 2] = sum[1:0];
            end else begin : high_bits
                assign y[P-1:2*j] = sum;
            end
        end
        if (Y_WIDTH > P) begin : wider
            assign Y = {{(Y_WIDTH-P){y[P-1]}}, y};
        end else begin : narrower
            assign Y = y[Y_WIDTH-1:0];
        end
    endgenerate
endmodule
