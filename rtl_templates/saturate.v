// SPDX-License-Identifier: Apache-2.0
// Clamps a signed number to fewer bits: the one saturation rule.
// Twin of hw_saturate in refmodel/fixed.h. Combinational. OUT_W < IN_W.
`default_nettype none

module saturate #(
    parameter IN_W = 32,
    parameter OUT_W = 8
) (
    input  wire signed [IN_W-1:0]  x,
    output wire signed [OUT_W-1:0] y
);
    wire [IN_W-OUT_W:0] top  = x[IN_W-1:OUT_W-1]; // all alike when x fits
    wire                fits = &top | ~|top;
    assign y = fits ? x[OUT_W-1:0] : {x[IN_W-1], {(OUT_W - 1){~x[IN_W-1]}}};
endmodule

`default_nettype wire
