#!/bin/sh
# Products as rows of adders (sim/board/narrow_mul.v and row_mul.v), as Yosys makes them, against `*` in Icarus: every pair
# of operands of small widths, 1,000 pairs and all extremes of the widths in use; and every product of 9 x 9 bits in a
# multiplier of 18 x 18 (wide_mul.v). Prints TAP.
set -eu
dir=build/test/products
mkdir -p $dir
cells=/usr/share/yosys/ecp5
while read -r kind a b plus; do
    sign="b[$((b - 1))]"
    [ -z "$plus" ] || sign="1'b0" # a half of a product
    printf 'module product(input signed [%d:0] a, input signed [%d:0] b, output signed [%d:0] y);
    wire signed [%d:0] factor = {%s, b[%d:0]};
    assign y = a * factor;
endmodule\n' $((a - 1)) $((b - 1)) $((a + b)) $((b - 1)) "$sign" $((b - 2)) > $dir/product.v
    yosys -q -p "read_verilog $dir/product.v; read_verilog -lib $cells/cells_sim.v; hierarchy -top product; chtype -set \$__$kind t:\$mul;
        techmap -map sim/board/$kind.v; select -assert-none t:\$__$kind; techmap; write_verilog -noattr $dir/rows.v"
    printf 'module tb;
    reg signed [%d:0] a; reg signed [%d:0] b; wire signed [%d:0] y;
    wire signed [%d:0] factor = {%s, b[%d:0]};
    integer i, pairs, wrong;
    product dut (.a(a), .b(b), .y(y));
    task check; begin #1 pairs = pairs + 1; if (y !== a * factor) wrong = wrong + 1; end endtask
    initial begin
        pairs = 0; wrong = 0;
        for (i = 0; i < 4; i = i + 1) begin
            a = {i[0], {%d{!i[0]}}}; b = {i[1], {%d{!i[1]}}}; check;
            a = {%d{i[0]}}; check;
        end
        if (%d <= 8)
            for (i = 0; i < 1 << %d; i = i + 1) begin {a, b} = i; check; end
        else
            for (i = 0; i < 1000; i = i + 1) begin a = $random; b = $random; check; end
        if (wrong) $write("not ");
        $display("ok %s %d x %d bits%s: %%0d products compared, %%0d different", pairs, wrong);
    end
endmodule\n' $((a - 1)) $((b - 1)) $((a + b)) $((b - 1)) "$sign" $((b - 2)) $((a - 1)) $((b - 1)) "$a" $((a + b)) $((a + b)) \
        "$kind" "$a" "$b" "${plus:+, b not negative}" > $dir/tb.v
    iverilog -g2005 -s tb -o $dir/tb.vvp $dir/tb.v $dir/rows.v -I $cells $cells/cells_sim.v
    vvp -n $dir/tb.vvp
done << 'END' | tee $dir/said
narrow_mul 2 2
narrow_mul 5 3
narrow_mul 3 6
narrow_mul 12 5
narrow_mul 12 8
narrow_mul 12 10
narrow_mul 9 9
narrow_mul 8 8
narrow_mul 8 9
row_mul 2 2
row_mul 5 2
row_mul 4 4
row_mul 2 6
row_mul 10 8
row_mul 10 4
row_mul 4 5 plus
row_mul 10 5 plus
END

cat > $dir/wide_tb.v << 'END'
module MULT18X18 (input [17:0] A, SIA, B, SIB, input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET, output [35:0] DOUT,
    output [17:0] SOA, SOB);
    wire signed [18:0] a = {ASIGN & A[17], A};
    wire signed [18:0] b = {BSIGN & B[17], B};
    wire signed [37:0] y = a * b;
    assign DOUT = y[35:0];
endmodule
module tb;
    reg [19:0] i;
    integer wrong;
    wire signed [9:0] a = {i[18] & i[8], i[8:0]};
    wire signed [9:0] b = {i[19] & i[17], i[17:9]};
    wire signed [19:0] expected = a * b;
    wire [17:0] y;
    MULT9X9 dut (.A(i[8:0]), .B(i[17:9]), .ASIGN(i[18]), .BSIGN(i[19]), .DOUT(y));
    initial begin
        i = 0; wrong = 0;
        repeat (1 << 20) begin #1 if (y !== expected[17:0]) wrong = wrong + 1; i = i + 1; end
        if (wrong) $write("not ");
        $display("ok wide_mul 9 x 9 bits of either sign: 1048576 products compared, %0d different", wrong);
    end
endmodule
END
iverilog -g2005 -s tb -o $dir/tb.vvp $dir/wide_tb.v sim/board/wide_mul.v
vvp -n $dir/tb.vvp | tee -a $dir/said
! grep -q '^not ok' $dir/said && [ "$(grep -c '^ok' $dir/said)" = 18 ]
