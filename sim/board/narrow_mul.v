// SPDX-License-Identifier: Apache-2.0
// For techmap: a signed product as rows of adders, a bit of B each, in LUTs and carries. A row adds A, where its bit is
// one, to what is above the last row's lowest bit; the row of the sign subtracts. A_WIDTH + 1 bits hold every row.
(* techmap_celltype = "$__narrow_mul" *)
module narrow_mul (A, B, Y);
    parameter A_SIGNED = 1, B_SIGNED = 1, A_WIDTH = 2, B_WIDTH = 2, Y_WIDTH = 4;
    input  [A_WIDTH-1:0] A;
    input  [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;
    localparam W = A_WIDTH + 1, P = A_WIDTH + B_WIDTH;

    wire _TECHMAP_FAIL_ = !A_SIGNED || !B_SIGNED;
    wire [P:0] y;
    genvar i;
    generate
        for (i = 0; i < B_WIDTH; i = i + 1) begin : row
            wire [W-1:0] addend = {A[A_WIDTH-1], A} & {W{B[i]}};
            wire [W-1:0] sum;
            if (i == 0) begin : first
                assign sum = addend;
            end else begin : next
                wire [W-1:0] above = {row[i-1].sum[W-1], row[i-1].sum[W-1:1]};
                wire [W-1:0] half, carry;
                wire         minus = i == B_WIDTH - 1;
                \$alu #(.A_SIGNED(1), .B_SIGNED(1), .A_WIDTH(W), .B_WIDTH(W), .Y_WIDTH(W)) adder (
                    .A(above), .B(addend), .CI(minus), .BI(minus), .X(half), .Y(sum), .CO(carry)
                );
            end
            assign y[i] = sum[0];
        end
    endgenerate
    assign y[P:B_WIDTH] = {row[B_WIDTH-1].sum[W-1], row[B_WIDTH-1].sum[W-1:1]};
    generate
        if (Y_WIDTH > P) begin : wider
            assign Y = {{(Y_WIDTH-P){y[P]}}, y[P-1:0]};
        end else begin : narrower
            assign Y = y[Y_WIDTH-1:0];
        end
    endgenerate
endmodule
