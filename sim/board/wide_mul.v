// SPDX-License-Identifier: Apache-2.0
// For techmap: a Gowin multiplier of 9 x 9 bits, without registers as Yosys makes it, in one of 18 x 18.
module MULT9X9 (A, SIA, B, SIB, ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET, DOUT, SOA, SOB);
    input  [8:0]  A, SIA, B, SIB;
    input         ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET;
    output [17:0] DOUT;
    output [8:0]  SOA, SOB;

    wire [35:0] product;
    MULT18X18 wide (
        .A({{9{A[8] & ASIGN}}, A}), .B({{9{B[8] & BSIGN}}, B}), .ASIGN(ASIGN), .BSIGN(BSIGN), .SIA(18'b0), .SIB(18'b0), .ASEL(1'b0),
        .BSEL(1'b0), .CE(1'b0), .CLK(1'b0), .RESET(1'b0), .DOUT(product)
    );
    assign DOUT = product[17:0];
endmodule
